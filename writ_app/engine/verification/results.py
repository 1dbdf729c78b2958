"""What tool results show: their values with JSON pointers, and which results are about the same record.

A result is gone through once for all that is wanted, and is remembered for a while: siblings see the same results.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import InitVar, dataclass
from functools import cached_property, lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

from environments.core.pointers import (
    at,
    leaves,
    numbers,
    pointer,
)
from environments.core.tools import ToolCall
from writ_app.engine.verification.normal import normal, without_unit

KEPT, LARGEST_KEPT = 512, 20_000
"""Contents that a process remembers, and the most characters of one: some ten megabytes."""
MOST_SOUGHT = 1000
"""Values that a content remembers to have been sought."""


class Content:
    """One result's text, read once. What is found in it stays found: siblings look for the same values in the same results."""

    def __init__(self, text: str):
        self.text = text
        self._memo: tuple[set[Any], dict[Any, Path | str]] = set(), {}

    @cached_property
    def data(self) -> Any:
        """Nothing in it may be changed."""
        return parsed(self.text)

    @cached_property
    def lowered(self) -> str:
        return self.text.lower()

    @cached_property
    def numbers(self) -> Sequence[float]:
        return numbers(self.data)

    @cached_property
    def normal_places(self) -> Mapping[str, tuple[str, Any]]:
        """Normal form → (pointer, value) of the first leaf that has it; of a number with its unit, also the number alone."""
        found: dict[str, tuple[str, Any]] = {}
        for place, leaf in leaves(self.data):
            found.setdefault(normal(leaf), (place, leaf))
            if bare := without_unit(leaf):
                found.setdefault(bare, (place, leaf))
        return found

    def shown(self, wanted: frozenset[Any]) -> Collection[Any]:
        """Those of the wanted texts and numbers that stand here, as a leaf or a key. What was not sought before is sought at once."""
        sought, found = self._memo
        if not wanted <= sought:
            if len(sought) > MOST_SOUGHT:  # others may still look at what there was
                self._memo = sought, found = set(), {}
            found |= self._search(wanted - sought)
            sought |= wanted
        return wanted & found.keys()

    def shows(self, value: Any) -> bool:
        """Whether one value stands here; of an empty list or object nobody has to see one."""
        return isinstance(value, dict | list) or bool(self.shown(frozenset((value,))))

    def place(self, value: Any) -> str:
        """Pointer to a value that is `shown`: its first leaf, or else its first key."""
        _, found = self._memo
        if value in found:
            path = found[value]
        else:  # forgotten meanwhile
            path = self._search(frozenset((value,)))[value]
        if not isinstance(path, str):
            path = found[value] = _pointer(path)
        return path

    def _search(self, wanted: frozenset[Any]) -> "Mapping[Any, Path]":
        if type(self.data) not in (dict, list):
            bare = {self.text, self.data}  # a text of digits is a number, too
            return {v: None for v in bare & wanted if type(v) is not bool}
        found, keys = dict[Any, Path](), dict[Any, Path]()
        _scan(self.data, None, wanted, found, keys)
        return keys | found if keys else found


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


type Path = tuple[Path, str | int] | None
"""The way to a value, from its end. Pointers are made of few of them only."""


def _pointer(path: Path) -> str:
    text = ""
    while path:
        path, step = path
        text = f"{pointer(step) if type(step) is str else f'/{step}'}{text}"
    return text


def _scan(
    inside: dict[str, Any] | list[Any],
    path: Path,
    wanted: frozenset[Any],
    leaves: dict[Any, Path],
    keys: dict[Any, Path],
) -> None:
    """Fill in the path to the first of every wanted leaf and key. Quick: results are large and many, and show little that is wanted."""
    steps: Iterable[tuple[Any, Any]]
    if type(inside) is dict:
        steps = inside.items()
        if not wanted.isdisjoint(inside):
            for key in inside:
                if key in wanted and key not in keys:
                    keys[key] = (path, key)
    else:
        steps = enumerate(inside)
    for step, inner in steps:
        kind = type(inner)
        if kind is dict or kind is list:
            if inner:
                _scan(inner, (path, step), wanted, leaves, keys)
        elif inner in wanted and kind is not bool and inner not in leaves:
            leaves[inner] = (path, step)


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
        return self.content.shows(value)


class Sight(NamedTuple):
    """A place where a value stands."""

    shown: Shown
    pointer: str

    def instead_in(self, other: Shown) -> Any:
        """What stands at this place in another result; MISSING if nothing does."""
        return at(other.content.data, self.pointer)


@dataclass
class Sights:
    """Where each wanted value stands in each result that shows it, in the order of the conversation."""

    shown: Sequence[Shown]
    values: InitVar[Iterable[Any]]

    def __post_init__(self, values: Iterable[Any]) -> None:
        wanted = frozenset(v for v in values if type(v) in (str, int, float))
        self._showing: dict[Any, list[Shown]] = {value: [] for value in wanted}
        self._peers: dict[int, list[Shown]] = {}
        for result in self.shown if wanted else ():
            for value in result.content.shown(wanted):
                self._showing[value].append(result)

    def of_value(self, value: Any, before: int) -> list[Shown]:
        """The results that show it and stand before a message, latest first; echoes of writes, which prove least, after all reads."""
        if type(value) not in (str, int, float):
            return []
        all_ = [x for x in self._showing.get(value, ()) if x.index < before]
        all_.reverse()
        if any(shown.wrote for shown in all_):
            all_.sort(key=attrgetter("wrote"))
        return all_

    def peers(self, shown: Shown) -> list[Shown]:
        """The other results about the same record, in order."""
        found = self._peers.get(shown.index)
        if found is None:
            likely = {other.index: other for other in self.calls[shown.key]}
            for name in shown.names:
                likely |= {other.index: other for other in self._named[name]}
            found = self._peers[shown.index] = [
                other
                for _, other in sorted(likely.items())
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

    @cached_property
    def _named(self) -> Mapping[tuple[str, Any], list[Shown]]:
        """Id → the results that bear it, in order."""
        found: dict[tuple[str, Any], list[Shown]] = {}
        for result in self.shown:
            for name in result.names:
                found.setdefault(name, []).append(result)
        return found
