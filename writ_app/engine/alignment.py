"""Calls of trajectories side by side: which are the same, which were changed, put in or left out, and which difference decided.

Two are aligned by the longest common subsequence over (tool, arguments); of the longest ones it is the one that pairs most of the
rest by tool. Several are aligned with the first of them, and what they put in at the same place with each other.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from environments.core.pointers import argument_name, leaves
from environments.core.tools import ToolCall

type Difference = Literal["same", "answer", "changed", "left_out", "put_in"]
"""`answer`: the same call, answered differently; `changed`: the same tool with other arguments."""

NOTHING = "nothing"
BRIEF = 60
"""Characters of arguments in a sentence."""


def normalised(value: Any) -> Any:
    """The value without what makes no difference: case and spaces of text, `2.0` for `2`."""
    if isinstance(value, str):
        return " ".join(value.split()).casefold()
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: normalised(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [normalised(inner) for inner in value]
    return value


@dataclass(frozen=True)
class PlayedCall:
    """A call as a trajectory has it. `step` counts from 1; `writes`: its tool changes the world, if it did not fail."""

    step: int
    call: ToolCall
    answer: str = ""
    error: bool = False
    writes: bool = False

    @property
    def tool(self) -> str:
        return self.call.name

    @property
    def wrote(self) -> bool:
        return self.writes and not self.error

    @cached_property
    def key(self) -> str:
        """Equal for calls that ask for the same."""
        arguments = json.dumps(normalised(self.call.arguments), sort_keys=True)
        return f"{self.tool}({arguments})"

    @cached_property
    def brief(self) -> str:
        """The values of the arguments, cut."""
        return brief([value for _, value in leaves(self.call.arguments)])


def brief(values: Sequence[Any]) -> str:
    text = " · ".join(_plain(value) for value in values)
    return text if len(text) <= BRIEF else text[: BRIEF - 1] + "…"


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@dataclass(frozen=True)
class Change:
    """One leaf of the arguments that differs; None: there is no such leaf."""

    pointer: str
    left: str | None
    right: str | None

    @property
    def name(self) -> str:
        return argument_name(self.pointer)


@dataclass(frozen=True)
class Pair:
    """A place in two trajectories. One of the two may have no call here."""

    left: PlayedCall | None
    right: PlayedCall | None

    @property
    def difference(self) -> Difference:
        if self.left is None:
            return "put_in"
        if self.right is None:
            return "left_out"
        if self.left.key != self.right.key:
            return "changed"
        left, right = self.left, self.right
        same = (left.error, left.answer) == (right.error, right.answer)
        return "same" if same else "answer"

    @cached_property
    def changes(self) -> tuple[Change, ...]:
        """Of a changed call: the arguments that differ, in the order of the left one."""
        if self.left is None or self.right is None:
            return ()
        left = dict(leaves(self.left.call.arguments))
        right = dict(leaves(self.right.call.arguments))
        return tuple(
            Change(place, _leaf(left, place), _leaf(right, place))
            for place in dict.fromkeys([*left, *right])
            if place not in left
            or place not in right
            or normalised(left[place]) != normalised(right[place])
        )

    @property
    def turned(self) -> "Pair":
        return Pair(self.right, self.left)

    @property
    def only(self) -> PlayedCall:
        """The one call there is, or the left one."""
        found = self.left or self.right
        assert found is not None
        return found


def _leaf(found: dict[str, Any], place: str) -> str | None:
    return _plain(found[place]) if place in found else None


# --- alignment -----------------------------------------------------------------------------------------------------------------


def align(left: Sequence[PlayedCall], right: Sequence[PlayedCall]) -> tuple[Pair, ...]:
    """Every call of both once, in order. Takes time with the product of both lengths, after equal ends are set aside."""
    start = 0
    while start < min(len(left), len(right)) and left[start].key == right[start].key:
        start += 1
    stop = 0
    while (
        stop < min(len(left), len(right)) - start
        and left[-1 - stop].key == right[-1 - stop].key
    ):
        stop += 1
    middle = _aligned(left[start : len(left) - stop], right[start : len(right) - stop])
    return (
        *map(Pair, left[:start], right[:start]),
        *middle,
        *map(Pair, left[len(left) - stop :], right[len(right) - stop :]),
    )


def _aligned(left: Sequence[PlayedCall], right: Sequence[PlayedCall]) -> Iterator[Pair]:
    scores = _scores(left, right)
    i = j = 0
    while i < len(left) and j < len(right):
        worth = _worth(left[i], right[j], len(left), len(right))
        if worth and scores[i][j] == worth + scores[i + 1][j + 1]:
            yield Pair(left[i], right[j])
            i, j = i + 1, j + 1
        elif scores[i][j] == scores[i + 1][j]:
            yield Pair(left[i], None)
            i += 1
        else:
            yield Pair(None, right[j])
            j += 1
    yield from (Pair(one, None) for one in left[i:])
    yield from (Pair(None, one) for one in right[j:])


def _scores(left: Sequence[PlayedCall], right: Sequence[PlayedCall]) -> list[list[int]]:
    """Best score of what follows each place."""
    scores = [[0] * (len(right) + 1) for _ in range(len(left) + 1)]
    for i in range(len(left) - 1, -1, -1):
        row, below = scores[i], scores[i + 1]
        for j in range(len(right) - 1, -1, -1):
            best = max(below[j], row[j + 1])
            worth = _worth(left[i], right[j], len(left), len(right))
            row[j] = max(best, worth + below[j + 1]) if worth else best
    return scores


def _worth(left: PlayedCall, right: PlayedCall, rows: int, columns: int) -> int:
    """One equal pair is worth more than all pairs by tool together."""
    if left.tool != right.tool:
        return 0
    return min(rows, columns) + 1 if left.key == right.key else 1


@dataclass(frozen=True)
class Row:
    """A place in several trajectories: one cell each, the first is the reference's."""

    cells: tuple[PlayedCall | None, ...]

    @property
    def pairs(self) -> tuple[Pair | None, ...]:
        """The others against the reference; None where neither has a call."""
        first, *others = self.cells
        return tuple(Pair(first, one) if first or one else None for one in others)

    @property
    def same(self) -> bool:
        return all(pair and pair.difference == "same" for pair in self.pairs)


def align_all(
    reference: Sequence[PlayedCall], others: Sequence[Sequence[PlayedCall]]
) -> tuple[Row, ...]:
    """The others beside the reference, each aligned with it as `align` does."""
    matched: list[list[PlayedCall | None]] = [
        [None] * len(others) for _ in range(len(reference))
    ]
    gaps: list[list[list[PlayedCall | None]]] = [[] for _ in range(len(reference) + 1)]
    for column, other in enumerate(others):
        put_in: list[list[PlayedCall]] = [[] for _ in gaps]
        place = 0
        for pair in align(reference, other):
            if pair.left is not None:
                matched[place][column] = pair.right
                place += 1
            elif pair.right is not None:
                put_in[place].append(pair.right)
        for number, calls in enumerate(put_in):
            gaps[number] = _merged(gaps[number], calls, column, len(others))
    rows = []
    for number, gap in enumerate(gaps):
        rows += [Row((None, *cells)) for cells in gap]
        if number < len(reference):
            rows.append(Row((reference[number], *matched[number])))
    return tuple(rows)


def _merged(
    gap: list[list[PlayedCall | None]],
    calls: Sequence[PlayedCall],
    column: int,
    columns: int,
) -> list[list[PlayedCall | None]]:
    """What one more puts in at a place, beside what others did: equal calls share a row."""
    there = [next(cell for cell in cells if cell) for cells in gap]
    rows, merged = iter(gap), []
    for pair in align(there, calls):
        cells = next(rows) if pair.left else None
        shared = pair.difference in ("same", "answer")
        if cells is not None:
            if shared:
                cells[column] = pair.right
            merged.append(cells)
        if pair.right is not None and not shared:
            alone: list[PlayedCall | None] = [None] * columns
            alone[column] = pair.right
            merged.append(alone)
    return merged


# --- what decided --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Decisive:
    """The first write in which two trajectories differ, and the first difference before it that may be why."""

    effect: Pair
    cause: Pair | None = None
    reordered: bool = False
    """Both make the same writes, in another order."""

    def __str__(self) -> str:
        """What the right one does, other than the left one: "never read f X; writes a 2 instead of 1"."""
        if self.reordered:
            return "makes the same writes in another order"
        parts = [_cause_words(self.cause)] if self.cause else []
        return "; ".join([*parts, _effect_words(self.effect)])


def first_decisive(
    pairs: Sequence[Pair], *, needed: Collection[str] = ()
) -> Decisive | None:
    """None if both make the same writes. `needed`: keys (`PlayedCall.key`) of the reads that the answer rests on.

    The cause is the first difference before that write whose answer shows the value that was written on one side alone; else the
    first about a needed read; else the first about any read.
    """
    places = (n for n, pair in enumerate(pairs) if _writes_differ(pair))
    place = next(places, None)
    if place is None:
        return None
    effect = pairs[place]
    if _written(pair.left for pair in pairs) == _written(pair.right for pair in pairs):
        return Decisive(effect, reordered=True)
    before = [
        pair
        for pair in pairs[:place]
        if pair.difference != "same" and not pair.only.writes
    ]
    values = [
        value
        for change in effect.changes
        for value in (change.left, change.right)
        if value
    ]
    telling = (pair for pair in before if _shows(pair, values))
    about = (p for p in before if {c.key for c in (p.left, p.right) if c} & set(needed))
    cause = next(telling, None) or next(about, None) or next(iter(before), None)
    return Decisive(effect, cause)


def _writes_differ(pair: Pair) -> bool:
    left = pair.left.key if pair.left and pair.left.wrote else ""
    right = pair.right.key if pair.right and pair.right.wrote else ""
    return left != right


def _written(calls: Iterator[PlayedCall | None]) -> Counter[str]:
    return Counter(call.key for call in calls if call and call.wrote)


def _shows(pair: Pair, values: Sequence[str]) -> bool:
    """Whether one side was told a value that the other was not, by this call."""
    left = pair.left.answer if pair.left else ""
    right = pair.right.answer if pair.right else ""
    return any((value in left) != (value in right) for value in values)


def _cause_words(pair: Pair) -> str:
    only = pair.only
    named = f"{only.tool} {only.brief}".strip()
    match pair.difference:
        case "left_out":
            return f"never read {named}"
        case "put_in":
            return f"also read {named}"
        case "answer":
            return f"was answered otherwise by {named}"
    right = pair.right.brief if pair.right else ""
    return f"read {only.tool} {right} instead of {only.brief}"


def _effect_words(pair: Pair) -> str:
    left, right = pair.left, pair.right
    if right is None or not right.wrote:
        failed = "fails to write" if right else "never writes"
        return f"{failed} {pair.only.tool}"
    if left is None or not left.wrote:
        return f"writes {right.tool} {right.brief}"
    first = pair.changes[0]
    more = len(pair.changes) - 1
    words = (
        f"writes {first.name} {brief([first.right or NOTHING])} "
        f"instead of {brief([first.left or NOTHING])}"
    )
    return f"{words} and {more} more" if more else words
