"""Counts and numbers that grow with what is different, not with how much there is; and what they come to as plain JSON."""

import heapq
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from math import log2
from typing import Any

from writ_app.engine.reports.notes import short_hash

BARS = 240
"""Values of a histogram that a report holds; more are put together by width."""


class Tally:
    """How often each whole number came."""

    def __init__(self) -> None:
        self.counts: Counter[int] = Counter()

    def add(self, value: int) -> None:
        self.counts[value] += 1

    def result(self) -> dict[str, Any]:
        """{count, mean, least, p5, median, p95, most, total, width, histogram: [[value, count]]}. Percentiles are nearest ranks;
        a bar of `width` w begins at its value."""
        count = self.counts.total()
        if not count:
            return {"count": 0, "histogram": []}
        ordered = sorted(self.counts.items())
        total = sum(value * times for value, times in ordered)
        width = max(1, -(-(ordered[-1][0] - ordered[0][0] + 1) // BARS))
        bars: Counter[int] = Counter()
        for value, times in ordered:
            bars[value - value % width] += times
        return {
            "count": count,
            "mean": round(total / count, 3),
            "least": ordered[0][0],
            "p5": _rank(ordered, count, 0.05),
            "median": _rank(ordered, count, 0.5),
            "p95": _rank(ordered, count, 0.95),
            "most": ordered[-1][0],
            "total": total,
            "width": width,
            "histogram": [[value, bars[value]] for value in sorted(bars)],
        }


def _rank(ordered: list[tuple[int, int]], count: int, share: float) -> int:
    wanted, seen = max(1, -(-count * share // 1)), 0
    for value, times in ordered:
        seen += times
        if seen >= wanted:
            return value
    return ordered[-1][0]


def entropy(counts: Iterable[int]) -> float:
    """Shannon entropy in bits of what was counted."""
    held = [count for count in counts if count]
    whole = sum(held)
    return sum(-n / whole * log2(n / whole) for n in held) if whole else 0.0


def most_common(counts: Mapping[Any, int], most: int) -> list[list[Any]]:
    """[[value, count]], the most frequent first, equals by name."""
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], str(pair[0])))
    return [[value, count] for value, count in ordered[:most]]


def ratio(part: float, whole: float) -> float | None:
    """Rounded to four places; None of nothing."""
    return round(part / whole, 4) if whole else None


class Sample[T: Hashable]:
    """So many of everything that was offered, chosen by a hash of its key: whatever the order, the same seed chooses the same.

    What comes with a key that is held already is not held twice (a bottom-k sketch: Cohen and Kaplan 2007).
    """

    def __init__(self, size: int, seed: int = 0):
        self._size, self._seed = size, seed
        self._heap: list[tuple[int, T]] = []
        self._held: set[int] = set()
        self.offered = 0

    def add(self, key: str, value: T) -> None:
        self.offered += 1
        place = -short_hash(f"{self._seed} {key}")
        if place in self._held:
            return
        if len(self._heap) < self._size:
            heapq.heappush(self._heap, (place, value))
            self._held.add(place)
        elif place > self._heap[0][0]:
            dropped, _ = heapq.heapreplace(self._heap, (place, value))
            self._held.discard(dropped)
            self._held.add(place)

    def values(self) -> list[T]:
        """In the order of their hashes, which is a random one."""
        return [value for _, value in sorted(self._heap, key=lambda pair: -pair[0])]
