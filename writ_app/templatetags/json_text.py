"""JSON as lines of tokens, for printing: whole, or only what surrounds marked fields. Makes no HTML."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from environments.core.pointers import at, pointer

LINE = 72
"""Values that fit into this many characters stay on one line."""
EXCERPT = 150
"""Characters of unmarked fields shown beside marked ones."""
TEXT_CAP = 2_000
"""Characters shown of one string."""
LINE_CAP = 1_500
"""Lines shown of one value."""
SIZE_CAP = 200_000
"""Characters shown of one value: many long strings are too much together, too."""
DEPTH_CAP = 40

encode = json.JSONEncoder(ensure_ascii=False).encode
"""As json.dumps, which makes an encoder anew for every call that is not plain."""


class Token(NamedTuple):
    kind: str
    """key, str, num, word, punct, gap (something is left out), or space."""
    text: str
    place: str = ""
    """JSON pointer of a leaf."""


type Line = list[Token]
type Marks = Mapping[str, Any]


def whole(value: Any) -> list[Line]:
    """The value, indented. What is too long for a page is cut, and the cut is said."""
    return _capped(_lines(value, "", 0))


def around(value: Any, marks: Marks) -> list[Line]:
    """One line for each object or list that holds marked fields: where it is, then its plain fields."""
    holders = dict.fromkeys(mark.rpartition("/")[0] for mark in marks)
    lines = [
        line
        for place in sorted(holders, key=bool)  # the whole comes before its parts
        if (line := _excerpt(value, place, marks))
    ]
    return lines or [list(_brief(value))]


def _excerpt(value: Any, place: str, marks: Marks) -> Line:
    """The fields of one container on one line; unmarked ones give way if they are too long together."""
    holder = at(value, place)
    if not isinstance(holder, dict | list):
        return []
    children = list(_children(holder, place))
    spare = EXCERPT
    line: Line = (
        [Token("path", _readable(place)), Token("space", "  ")] if place else []
    )
    hidden = False
    for key, inner, child in children:
        if inner not in marks:
            apart = any(mark.startswith(f"{inner}/") for mark in marks)
            if not place or apart:  # marks inside it have a line of their own
                hidden = True
                continue
            length = len(encode(child)) + len(key or "")
            if length > min(LINE, spare):
                hidden = True
                continue
            spare -= length
        if hidden:
            line.append(Token("gap", "… "))
            hidden = False
        if key is not None:
            line += [Token("key", key), Token("punct", " ")]
        line += [*_inline(child, inner), Token("space", "  ")]
    if hidden:
        line.append(Token("gap", "…"))
    return line


def _readable(place: str) -> str:
    """`/items/0` as items[0]."""
    text = ""
    for part in place.split("/")[1:]:
        plain = part.replace("~1", "/").replace("~0", "~")
        index = plain.isdigit() and len(plain) < 4
        text += f"[{plain}]" if index else f".{plain}" if text else plain
    return text


def _capped(lines: Iterator[Line]) -> list[Line]:
    shown: list[Line] = []
    size = 0
    for line in lines:
        size += sum(min(len(token.text), TEXT_CAP) for token in line)
        if len(shown) == LINE_CAP or (size > SIZE_CAP and shown):
            left = 1 + sum(1 for _ in lines)
            shown.append([Token("gap", f"… {left:,} more lines: see the raw file")])
            break
        shown.append(line)
    return shown


def _lines(value: Any, place: str, depth: int) -> Iterator[Line]:
    if not isinstance(value, dict | list) or not value:
        yield [_leaf(value, place)]
        return
    if len(encode(value)) <= LINE - 2 * depth:
        yield list(_inline(value, place))
        return
    if depth >= DEPTH_CAP:
        yield [Token("gap", "… deeper than is shown here")]
        return
    opening, closing = ("{", "}") if isinstance(value, dict) else ("[", "]")
    yield [Token("punct", opening)]
    yield from _members(value, place, depth)
    yield [Token("space", "  " * depth), Token("punct", closing)]


def _members(value: Any, place: str, depth: int) -> Iterator[Line]:
    members = list(_children(value, place))
    for n, (key, inner, child) in enumerate(members):
        before = [Token("space", "  " * (depth + 1))]
        if key is not None:
            before += [Token("key", _quoted(key)), Token("punct", ": ")]
        *lines, last = _lines(child, inner, depth + 1)
        last = [*last, Token("punct", ",")] if n < len(members) - 1 else last
        for line in [*lines, last]:
            yield [*before, *line]
            before = []


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
    return encode(cut(text))


def cut(text: str, cap: int = TEXT_CAP) -> str:
    if len(text) <= cap:
        return text
    if cap < TEXT_CAP:
        return text[:cap].rstrip() + "…"
    return f"{text[:cap]} … ({len(text) - cap:,} more characters: see the raw file)"
