"""Keeping a batch away from a benchmark while it is designed, and how near it came in the end."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean, quantiles
from typing import Any

from writ_app.engine.decontamination.index import BenchmarkIndex, Nearest, Shared
from writ_app.engine.types import Frozen, Task

BINS = 10


class Spread(Frozen):
    """Of shares between 0 and 1. `histogram` counts them in tenths; 1 is in the last."""

    mean: float = 0.0
    median: float = 0.0
    p95: float = 0.0
    largest: float = 0.0
    histogram: tuple[int, ...] = (0,) * BINS


class Distances(Frozen):
    """How near a batch of tasks comes to a benchmark."""

    tasks: int
    benchmark_tasks: int
    containment: Spread
    long_containment: Spread
    likeness: Spread
    resemblance: Spread
    same_shape: int
    """Tasks whose writes have the shape of a benchmark task's."""


EXAMPLES = 20
"""Findings that a screen keeps word for word."""


@dataclass
class Seen:
    """What screens saw: how near the tasks that were kept come to a benchmark, and examples of what was found in the others."""

    benchmark_tasks: int
    nearest: list[Nearest] = field(default_factory=list)
    examples: list[Shared] = field(default_factory=list)

    def add(self, other: "Seen") -> None:
        """What another screen saw of the same benchmark."""
        self.nearest += other.nearest
        self.examples = [*self.examples, *other.examples][:EXAMPLES]

    def report(self) -> dict[str, Any]:
        """Plain JSON: the distances, and the examples."""
        spread = distances(self.nearest, self.benchmark_tasks)
        examples = [one.model_dump(mode="json") for one in self.examples]
        return {**spread.model_dump(mode="json"), "examples": examples}


class Screen:
    """Refuses tasks that are not clean, and keeps count of what it saw: `refuse` judges a task, `keep` counts one that was kept."""

    def __init__(self, index: BenchmarkIndex):
        self._index = index
        self.seen = Seen(len(index))

    def refuse(self, task: Task) -> str:
        """The reason, or "" for a clean task."""
        found = self._index.check(task)
        if found.clean:
            return ""
        room = EXAMPLES - len(self.seen.examples)
        self.seen.examples += found.shared[:room]
        return "contaminated"

    def keep(self, task: Task) -> None:
        """Not every clean task is kept: some are there already, others land where nothing is missing."""
        self.seen.nearest.append(self._index.check(task).nearest)

    def take(self) -> Seen:
        """What was seen since the last time."""
        seen, self.seen = self.seen, Seen(len(self._index))
        return seen


def distances(nearest: Sequence[Nearest], benchmark_tasks: int) -> Distances:
    """The distribution over a batch."""
    return Distances(
        tasks=len(nearest),
        benchmark_tasks=benchmark_tasks,
        containment=_spread([one.containment for one in nearest]),
        long_containment=_spread([one.long_containment for one in nearest]),
        likeness=_spread([one.likeness for one in nearest]),
        resemblance=_spread([one.resemblance for one in nearest]),
        same_shape=sum(bool(one.same_shape) for one in nearest),
    )


def _spread(shares: Sequence[float]) -> Spread:
    if not shares:
        return Spread()
    cuts = quantiles(shares, n=20, method="inclusive") if len(shares) > 1 else []
    bins = Counter(min(int(share * BINS), BINS - 1) for share in shares)
    return Spread(
        mean=round(fmean(shares), 4),
        median=round(cuts[9] if cuts else shares[0], 4),
        p95=round(cuts[18] if cuts else shares[0], 4),
        largest=round(max(shares), 4),
        histogram=tuple(bins[n] for n in range(BINS)),
    )
