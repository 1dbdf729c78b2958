"""JSON as lines of tokens, for printing: whole, or only what surrounds marked fields. Makes no HTML."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from environments.core.state import pointer

LINE = 72
"""Values that fit into this many characters stay on one line."""
TEXT_CAP = 2_000
"""Characters shown of one string."""
LINE_CAP = 1_500
"""Lines shown of one value."""
DEPTH_CAP = 40


@dataclass(frozen=True)
class Token:
    kind: str
    """key, str, num, word, punct, gap (something is left out), or space."""
    text: str
    place: str = ""
    """JSON pointer of a leaf."""


type Line = list[Token]
type Marks = Mapping[str, Any]


def whole(value: Any, marks: Marks) -> list[Line]:
    """The value, indented. What is too long for a page is cut, and the cut is said."""
    return _capped(_lines(value, "", 0, marks, around=False))


def around(value: Any, marks: Marks) -> list[Line]:
    """Only the branches that lead to marked fields, with the plain fields beside them."""
    if not any(_within("", place) for place in marks):
        return [[*_brief(value)]]
    return _capped(_lines(value, "", 0, marks, around=True))


def _capped(lines: Iterator[Line]) -> list[Line]:
    shown: list[Line] = []
    for line in lines:
        if len(shown) == LINE_CAP:
            left = 1 + sum(1 for _ in lines)
            shown.append([Token("gap", f"… {left:,} more lines: see the raw file")])
            break
        shown.append(line)
    return shown


def _lines(
    value: Any, place: str, depth: int, marks: Marks, *, around: bool
) -> Iterator[Line]:
    if not isinstance(value, dict | list) or not value:
        yield [_leaf(value, place)]
        return
    if len(json.dumps(value, ensure_ascii=False)) <= LINE - 2 * depth:
        yield list(_inline(value, place))
        return
    if depth >= DEPTH_CAP:
        yield [Token("gap", "… deeper than is shown here")]
        return
    opening, closing = ("{", "}") if isinstance(value, dict) else ("[", "]")
    yield [Token("punct", opening)]
    yield from _members(value, place, depth, marks, around=around)
    yield [Token("space", "  " * depth), Token("punct", closing)]


def _members(
    value: Any, place: str, depth: int, marks: Marks, *, around: bool
) -> Iterator[Line]:
    members = list(_children(value, place))
    direct = any(inner in marks for _, inner, _ in members)
    indent = Token("space", "  " * (depth + 1))
    hidden = 0
    for n, (key, inner, child) in enumerate(members):
        leads = any(_within(inner, mark) for mark in marks)
        plain = direct and not isinstance(child, dict | list)
        if around and not leads and not plain and not _fits(child, direct):
            hidden += 1
            continue
        if hidden:
            yield [indent, _gap(hidden)]
            hidden = 0
        first = [
            indent,
            *(
                [Token("key", _quoted(key)), Token("punct", ": ")]
                if key is not None
                else []
            ),
        ]
        comma = [Token("punct", ",")] if n < len(members) - 1 else []
        lines = _lines(child, inner, depth + 1, marks, around=around)
        previous = [*first, *next(lines)]
        for line in lines:
            yield previous
            previous = line
        yield [*previous, *comma]
    if hidden:
        yield [indent, _gap(hidden)]


def _fits(child: Any, direct: bool) -> bool:
    """Short objects beside a marked field, such as options, are worth their line."""
    return direct and len(json.dumps(child, ensure_ascii=False)) <= LINE


def _gap(hidden: int) -> Token:
    return Token("gap", f"… {hidden} more")


def _children(value: Any, place: str) -> Iterator[tuple[str | None, str, Any]]:
    if isinstance(value, dict):
        for key, child in value.items():
            yield key, place + pointer(key), child
    else:
        for n, child in enumerate(value):
            yield None, place + pointer(n), child


def _inline(value: Any, place: str) -> Iterator[Token]:
    if not isinstance(value, dict | list):
        yield _leaf(value, place)
        return
    opening, closing = ("{", "}") if isinstance(value, dict) else ("[", "]")
    yield Token("punct", opening)
    for n, (key, inner, child) in enumerate(_children(value, place)):
        if n:
            yield Token("punct", ", ")
        if key is not None:
            yield Token("key", _quoted(key))
            yield Token("punct", ": ")
        yield from _inline(child, inner)
    yield Token("punct", closing)


def _brief(value: Any) -> Iterator[Token]:
    if isinstance(value, dict | list) and value:
        unit = "fields" if isinstance(value, dict) else "members"
        yield Token("gap", f"{len(value)} {unit}")
    else:
        yield _leaf(value, "")


def _leaf(value: Any, place: str) -> Token:
    if isinstance(value, str):
        return Token("str", _quoted(value), place)
    if isinstance(value, bool) or value is None:
        return Token("word", json.dumps(value), place)
    if isinstance(value, int | float):
        return Token("num", json.dumps(value), place)
    return Token("punct", "{}" if isinstance(value, dict) else "[]", place)


def _quoted(text: str) -> str:
    return json.dumps(cut(text), ensure_ascii=False)


def cut(text: str, cap: int = TEXT_CAP) -> str:
    if len(text) <= cap:
        return text
    return f"{text[:cap]} … ({len(text) - cap:,} more characters: see the raw file)"


def _within(place: str, mark: str) -> bool:
    """Whether the marked field is at this place or inside it."""
    return mark == place or mark.startswith(place + "/")
