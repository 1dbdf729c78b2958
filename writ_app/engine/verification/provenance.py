"""Where the arguments of writes come from: a result, what it was asked for, the user, the policy, or arithmetic over what was seen.

Only what stands before the write counts. A value that the agent brought up first is not grounded by the user's repeating it.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Literal

from environments.core.environment import Environment
from environments.core.pointers import at, first_key, first_leaf, leaves, numbers
from environments.core.tools import ToolCall
from writ_app.engine.behaviour import mentions, plain
from writ_app.engine.behaviour.reading import holds_word
from writ_app.engine.types import ArgumentOrigin, GoldWrite, Provenance

NUMBERS = 120
"""At most so many different numbers are combined when a number is looked for as a result of arithmetic."""
WORDS: dict[float, tuple[str, ...]] = {
    1: ("one", "single"),
    2: ("two",),
    3: ("three",),
    4: ("four",),
    5: ("five",),
    6: ("six",),
    7: ("seven",),
    8: ("eight",),
    9: ("nine",),
    10: ("ten",),
    11: ("eleven",),
    12: ("twelve",),
}
"""Numbers that people rather say in words than in digits."""


@dataclass(frozen=True)
class Shown:
    """One result that the agent saw: index of its message, key of the call, content. What is asked of it is worked out once."""

    index: int
    key: str
    content: str

    @cached_property
    def data(self) -> Any:
        """The result as data; a result that is not JSON is a text."""
        return parsed(self.content)

    def place_of(self, value: Any) -> str | None:
        """Pointer of the first leaf that is this value, or else of the first key; None if neither is there."""
        found = first_leaf(self.data, value)
        if found is None and isinstance(value, str):
            found = first_key(self.data, value)
        return found

    @cached_property
    def normal(self) -> str:
        return _normal(self.content)

    @cached_property
    def normal_places(self) -> Mapping[str, tuple[str, Any]]:
        """Normal form → (pointer, value) of the first leaf that has it."""
        found: dict[str, tuple[str, Any]] = {}
        for place, leaf in leaves(self.data):
            found.setdefault(_normal(leaf), (place, leaf))
        return found

    @cached_property
    def numbers(self) -> Sequence[float]:
        return numbers(self.data)


@dataclass(frozen=True)
class _Seen:
    """Everything before one write."""

    shown: Sequence[Shown]
    """Results of reads."""
    written: Sequence[Shown]
    """Results of earlier writes: they echo arguments, so they ground one only if nothing else does."""
    user: Sequence[tuple[int, str]]
    agent: Sequence[tuple[int, str]]
    constants: frozenset[str]


@dataclass(frozen=True)
class _Found:
    kind: Literal["exact", "normalised", "derived", "said", "policy", "not_found"]
    source: int | None = None
    pointer: str = ""
    detail: str = ""


def trace_arguments(
    writes: Sequence[tuple[int, ToolCall]],
    *,
    shown: Sequence[Shown],
    user: Sequence[tuple[int, str]],
    agent: Sequence[tuple[int, str]],
    environment: Environment,
    gold: Sequence[GoldWrite],
) -> Iterator[Provenance]:
    """One value per leaf of the arguments. `writes` and texts are (index of message, what); hints come from the gold's proof."""
    for number, (index, call) in enumerate(writes):
        before = [result for result in shown if result.index < index]
        echoes = {
            result.index
            for result in before
            if environment.is_write(result.key.partition("(")[0])
        }
        seen = _Seen(
            shown=[result for result in before if result.index not in echoes],
            written=[result for result in before if result.index in echoes],
            user=[(n, text) for n, text in user if n < index],
            agent=[(n, text) for n, text in agent if n < index],
            constants=policy_constants(environment),
        )
        hints = _hints(call, gold)
        for place, value in leaves(call.arguments):
            found = _find(value, seen, hints.get(place))
            yield Provenance(
                message=index,
                write=number,
                pointer=place,
                value=value,
                kind=found.kind,
                source=found.source,
                source_pointer=found.pointer,
                detail=found.detail,
            )


def _hints(call: ToolCall, gold: Sequence[GoldWrite]) -> Mapping[str, ArgumentOrigin]:
    """Pointer → where the proof took it from, if this is a gold write: the best place to show to a reviewer."""
    same = next((write for write in gold if write.call == call), None)
    if same is None:
        return {}
    return {origin.pointer: origin for origin in same.origins}


def _find(value: Any, seen: _Seen, hint: ArgumentOrigin | None) -> _Found:
    found = _hinted(value, seen, hint.refs if hint else ())
    for search in (_exact, _said, _echoed, _normalised, _constant, _asked, _derived):
        found = found or search(value, seen)
    return found or _reckoned(seen, hint) or _Found("not_found")


def _reckoned(seen: _Seen, hint: ArgumentOrigin | None) -> _Found | None:
    """A gold value that the proof worked out, like the policy's amount times how many a list holds, from reads that were all made."""
    if hint is None or hint.kind != "derived":
        return None
    places = {result.key: result.index for result in seen.shown}
    needed = {read for read, _ in hint.refs if read}
    if not needed or not needed <= places.keys():
        return None
    return _Found("derived", max(places[read] for read in needed), "", hint.detail)


# --- results -------------------------------------------------------------------------------------------------------------------


def _hinted(value: Any, seen: _Seen, hints: Sequence[tuple[str, str]]) -> _Found | None:
    for key, place in hints:
        for result in reversed(seen.shown):
            if result.key == key and at(result.data, place) == value:
                return _Found("exact", result.index, place)
    return None


def _exact(value: Any, seen: _Seen) -> _Found | None:
    return _shown(value, seen.shown)


def _echoed(value: Any, seen: _Seen) -> _Found | None:
    return _shown(value, seen.written)


def _shown(value: Any, results: Sequence[Shown]) -> _Found | None:
    """The latest result that holds the value, as a leaf or else as a key."""
    if value == "" or isinstance(value, bool | None | dict | list):
        return None
    text = json.dumps(value)
    for result in reversed(results):
        if result.content == value:
            return _Found("exact", result.index, "")
        if text in result.content:
            place = result.place_of(value)
            if place is not None:
                return _Found("exact", result.index, place)
    return None


def _asked(value: Any, seen: _Seen) -> _Found | None:
    """An argument of a read that found something: a search for one day does not repeat the day with each thing that it shows."""
    if not isinstance(value, str):
        return None
    for result in reversed(seen.shown):
        name, _, arguments = result.key.partition("(")
        if value in arguments and result.data:
            asked = parsed(arguments.removesuffix(")"))
            if isinstance(asked, dict) and value in asked.values():
                return _Found("derived", result.index, detail=f"asked for in {name}")
    return None


def _normalised(value: Any, seen: _Seen) -> _Found | None:
    """Equal but for case, blanks or the dollar sign."""
    if value == "" or isinstance(value, bool | None | dict | list):
        return None
    wanted = _normal(value)
    for result in reversed(seen.shown):
        if wanted in result.normal and wanted in result.normal_places:
            place, leaf = result.normal_places[wanted]
            return _Found("normalised", result.index, place, f"from {leaf!r}")
    return None


def _normal(value: Any) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:g}"
    return plain(value).lstrip("$").replace(",", "")


def parsed(content: str) -> Any:
    """A result as data; a result that is not JSON is a text."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return content


# --- the user, the policy ------------------------------------------------------------------------------------------------------


def _said(value: Any, seen: _Seen) -> _Found | None:
    """A user's message with the value, unless the agent was the first to say it."""
    if value == "" or isinstance(value, bool | None | dict | list):
        return None
    told = next((n for n, text in seen.user if _in_text(value, text)), None)
    if told is None:
        return None
    if any(n < told and _in_text(value, text) for n, text in seen.agent):
        return None
    return _Found("said", told)


def _in_text(value: Any, text: str) -> bool:
    if isinstance(value, int | float):
        digits = {str(value), f"{value:g}", f"{value:.2f}"}
        return any(mentions(text, way) for way in (*digits, *WORDS.get(value, ())))
    if isinstance(value, str) and len(value) <= 3:  # "OR" is a state, "or" is not
        return holds_word(text, value)
    return mentions(text, value)


_QUOTED = re.compile(r"`([^`\n]+)`|'([^'\n]*)'|\"([^\"\n]+)\"")
_EXAMPLES = re.compile(r"such as (?:'[^'\n]*'(?:,| or|, or)? ?)+")


@lru_cache(maxsize=16)
def policy_constants(environment: Environment) -> frozenset[str]:
    """Values that the policy or a tool's description sets in quotes, and enums; "such as '…'" gives examples, not values."""
    texts = [environment.policy]
    enums: set[str] = set()
    for schema in environment.schemas:
        function = schema["function"]
        texts.append(function["description"])
        for spec in function["parameters"].get("properties", {}).values():
            texts.append(spec.get("description", ""))
            enums |= {str(value) for value in spec.get("enum", ())}
    found = (
        part
        for text in texts
        for groups in _QUOTED.findall(_EXAMPLES.sub("", text))
        for part in groups
        if part
    )
    return frozenset({*found, *enums})


def _constant(value: Any, seen: _Seen) -> _Found | None:
    if value is None or value == "" or isinstance(value, bool | dict | list):
        return _Found("policy", detail="empty, or a plain yes or no")
    if isinstance(value, str) and value in seen.constants:
        return _Found("policy", detail="named by the policy or the tool")
    return None


# --- arithmetic ----------------------------------------------------------------------------------------------------------------


def _derived(value: Any, seen: _Seen) -> _Found | None:
    """Sum, difference or product of up to three numbers seen."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    numbers = _numbers(seen)
    cents = {round(number, 2): number for number in numbers}
    for a in numbers:
        for sign, b in (("+", value - a), ("-", a - value)):
            if round(b, 2) in cents:
                return _Found("derived", detail=f"{a:g} {sign} {cents[round(b, 2)]:g}")
        if a and round(value / a, 2) in cents and a != 1:
            return _Found("derived", detail=f"{a:g} * {cents[round(value / a, 2)]:g}")
    for n, a in enumerate(numbers):
        for b in numbers[n:]:
            for first, rest, then in (
                ("+", value - a - b, "+"),
                ("+", a + b - value, "-"),
                ("-", value - a + b, "+"),
                ("*", value - a * b, "+"),
            ):
                if round(rest, 2) in cents:
                    formula = f"{a:g} {first} {b:g} {then} {rest:g}"
                    return _Found("derived", detail=formula)
    return None


def _numbers(seen: _Seen) -> list[float]:
    found: dict[float, None] = {}
    for result in seen.shown:
        found.update(dict.fromkeys(result.numbers))
        if len(found) >= NUMBERS:
            break  # what comes later would not be looked at
    for _, text in seen.user:
        for digits in re.findall(r"\d+(?:\.\d+)?", text):
            found[float(digits)] = None
    return list(found)[:NUMBERS]
