"""What tool results show: their values with JSON pointers, and which results are about the same record.

A result is searched for all wanted values in one go, and what a content comes to is remembered: siblings see the same results.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import InitVar, dataclass
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from environments.core.pointers import (
    at,
    first_key,
    first_leaf,
    leaves,
    numbers,
    pointer,
    split,
)
from environments.core.tools import ToolCall
from writ_app.engine.verification.normal import normal, without_unit

KEPT, LARGEST_KEPT = 1024, 20_000
"""Contents that a process remembers, and the most characters of one: some tens of megabytes at worst."""


class Content:
    """One result's text, read once. Nothing in it may be changed."""

    def __init__(self, text: str):
        self.text = text
        self.data = parsed(text)

    @cached_property
    def lowered(self) -> str:
        return self.text.lower()

    @cached_property
    def numbers(self) -> Sequence[float]:
        return numbers(self.data)

    def place_of(self, number: float) -> str:
        """Pointer of the first leaf that is this number; "" if none is."""
        return next((place for place, leaf in leaves(self.data) if leaf == number), "")

    @cached_property
    def normal_places(self) -> Mapping[str, tuple[str, Any]]:
        """Normal form → (pointer, value) of the first leaf that has it; of a number with its unit, also the number alone."""
        found: dict[str, tuple[str, Any]] = {}
        for place, leaf in leaves(self.data):
            found.setdefault(normal(leaf), (place, leaf))
            if bare := without_unit(leaf):
                found.setdefault(bare, (place, leaf))
        return found

    def places(self, wanted: "Wanted") -> Iterable[tuple[Any, "Path"]]:
        """(value, path) for each wanted value that is here: of its first leaf, or else of its first key."""
        if self.text in wanted.texts:  # a bare text, be it one of digits
            return ((self.text, None),)
        if type(self.data) not in (dict, list):
            bare = type(self.data) in (int, float) and self.data in wanted.numbers
            return ((self.data, None),) if bare else ()
        found, keys = dict[Any, Path](), dict[Any, Path]()
        _scan(self.data, None, wanted, found, keys)
        return (keys | found).items() if keys else found.items()


@lru_cache(maxsize=KEPT)
def _kept(text: str) -> Content:
    return Content(text)


def content_of(text: str) -> Content:
    return _kept(text) if len(text) <= LARGEST_KEPT else Content(text)


def parsed(text: str) -> Any:
    """A result as data; a result that is not JSON is a text."""
    if text[:1] not in _JSON_BEGINS:
        return text  # much quicker than to let the parser fail
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


_JSON_BEGINS = frozenset('{["-0123456789tfn \t\r\n')


@dataclass(frozen=True)
class Wanted:
    """Values that are looked for; yes, no and nothing are none."""

    texts: frozenset[str]
    numbers: frozenset[float]

    @classmethod
    def of(cls, values: Iterable[Any]) -> "Wanted":
        values = list(values)
        return cls(
            frozenset(v for v in values if type(v) is str and v),
            frozenset(v for v in values if type(v) is int or type(v) is float),
        )


type Path = tuple[Path, str | int] | None
"""The way to a value, from its end. Pointers are made of few of them only."""


def _scan(
    inside: dict[str, Any] | list[Any],
    path: Path,
    wanted: Wanted,
    found: dict[Any, Path],
    keys: dict[Any, Path],
) -> None:
    """Fill in the path to the first of every wanted leaf and key."""
    texts, figures = wanted.texts, wanted.numbers
    steps: Iterable[tuple[Any, Any]]
    if type(inside) is dict:
        steps = inside.items()
        if not texts.isdisjoint(inside):
            for key in inside:
                if key in texts:
                    keys.setdefault(key, (path, key))
    else:
        steps = enumerate(inside)
    for step, inner in steps:
        kind = type(inner)
        if kind is str:
            if inner in texts and inner not in found:
                found[inner] = (path, step)
        elif kind is dict or kind is list:
            _scan(inner, (path, step), wanted, found, keys)
        elif (kind is int or kind is float) and inner in figures and inner not in found:
            found[inner] = (path, step)


@dataclass(frozen=True)
class Shown:
    """One result that the agent saw."""

    index: int
    """Of its message."""
    call: ToolCall
    content: Content
    wrote: bool = False
    """It answers a write: it echoes arguments, and what it shows is how things stand from then on."""

    @cached_property
    def key(self) -> str:
        return self.call.key

    @cached_property
    def names(self) -> frozenset[tuple[str, Any]]:
        """The ids by which it was asked for and which it bears itself."""
        data = self.content.data
        if not isinstance(data, dict):
            return frozenset()
        return frozenset(
            (name, value)
            for name, value in self.call.arguments.items()
            if name.endswith("id")
            and isinstance(value, str)
            and data.get(name) == value
        )

    def same_record(self, other: "Shown") -> bool:
        """Whether both show the same thing: the same call, or a record with the same id and mostly the same fields."""
        if self.key == other.key:
            return True
        if self.names.isdisjoint(other.names):
            return False
        ours, theirs = self.content.data.keys(), other.content.data.keys()
        return 2 * len(ours & theirs) > len(ours | theirs)

    def shows(self, value: Any) -> bool:
        data = self.content.data
        return first_leaf(data, value) is not None or (
            isinstance(value, str) and first_key(data, value) is not None
        )


class Sight(NamedTuple):
    """A place where a value stands."""

    shown: Shown
    path: Path

    @classmethod
    def of(cls, shown: Shown, place: str) -> "Sight":
        path: Path = None
        for step in split(place):
            path = (path, step)
        return cls(shown, path)

    @property
    def pointer(self) -> str:
        steps, path = list[str | int](), self.path
        while path:
            path, step = path
            steps.append(step)
        return pointer(*reversed(steps))

    def instead_in(self, other: Shown) -> Any:
        """What stands at this place in another result; MISSING if nothing does."""
        return at(other.content.data, self.pointer)


@dataclass
class Sights:
    """Where each wanted value stands in each result that shows it, in the order of the conversation."""

    shown: Sequence[Shown]
    values: InitVar[Iterable[Any]]

    def __post_init__(self, values: Iterable[Any]) -> None:
        wanted = Wanted.of(values)
        self._places: dict[Any, list[Sight]] = {}
        self._peers: dict[int, list[Shown]] = {}
        for result in self.shown:
            for value, path in result.content.places(wanted):
                self._places.setdefault(value, []).append(Sight(result, path))

    def of_value(self, value: Any, before: int) -> list[Sight]:
        """The places that stand before a message, latest first; echoes of writes, which prove least, after all reads."""
        if type(value) not in (str, int, float):
            return []
        all_ = [x for x in self._places.get(value, ()) if x.shown.index < before]
        all_.reverse()
        if any(sight.shown.wrote for sight in all_):
            all_.sort(key=lambda sight: sight.shown.wrote)
        return all_

    def peers(self, shown: Shown) -> list[Shown]:
        """The other results about the same record, in order."""
        found = self._peers.get(shown.index)
        if found is None:
            likely = self.shown if shown.names else self.calls[shown.key]
            found = self._peers[shown.index] = [
                other
                for other in likely
                if other is not shown and other.same_record(shown)
            ]
        return found

    @cached_property
    def calls(self) -> Mapping[str, list[Shown]]:
        """Key of a call → its results, in order."""
        found: dict[str, list[Shown]] = {}
        for result in self.shown:
            found.setdefault(result.key, []).append(result)
        return found
