"""How sure a mean over tasks is, and a difference between two runs on the same tasks: the bootstrap, tasks drawn with putting back.

A task is what is drawn, with all its trials: trials of one task are alike, and drawing them singly would make the interval too
narrow. Seeded, so that the same figures come out again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from writ_app.engine.arrays import np

RESAMPLES = 10_000
LEVEL = 0.95
FEW = 4
"""Values are few if every one of them comes so often in the mean."""
_AT_ONCE = 4_000_000
"""Numbers drawn at a time, which bounds the memory."""


@dataclass(frozen=True)
class Interval:
    """A mean with its percentile interval. `resamples` 0: too few tasks to say more than the mean."""

    mean: float
    low: float
    high: float
    tasks: int
    level: float = LEVEL
    resamples: int = RESAMPLES
    p: float | None = None
    """Of a difference: how often a world without one would show one as large (two-sided, from the resamples)."""

    @property
    def excludes_zero(self) -> bool:
        return self.resamples > 0 and (self.low > 0 or self.high < 0)


def mean_interval(
    values: Sequence[float],
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> Interval | None:
    """Of one value per task; None of none."""
    if not values:
        return None
    held = np.asarray(values, dtype=float)
    mean = float(held.mean())
    if len(held) < 2:
        return Interval(mean, mean, mean, len(held), level, 0)
    drawn = _means(held, seed, resamples)
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Interval(mean, float(low), float(high), len(held), level, resamples)


def paired_interval(
    left: Sequence[float],
    right: Sequence[float],
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> Interval | None:
    """Of right − left, task by task. Raises ValueError if they are not of the same tasks in number."""
    if len(left) != len(right):
        raise ValueError(f"{len(left)} values cannot be paired with {len(right)}.")
    if not left:
        return None
    differences = np.asarray(right, dtype=float) - np.asarray(left, dtype=float)
    found = mean_interval(
        differences.tolist(), seed=seed, resamples=resamples, level=level
    )
    assert found is not None
    if not found.resamples:
        return found
    # Around no difference: as far from 0 as what was seen, or farther. One more than counted, so that it is never 0.
    around = _means(differences - differences.mean(), seed, resamples)
    beyond = int(np.count_nonzero(np.abs(around) >= abs(found.mean) - 1e-12))
    return Interval(
        found.mean,
        found.low,
        found.high,
        found.tasks,
        level,
        resamples,
        p=(beyond + 1) / (resamples + 1),
    )


def _means(values: "np.ndarray[tuple[int], np.dtype[np.float64]]", seed: int, resamples: int) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":  # fmt: skip
    """Mean of each resample.

    Shares of a few trials have few different values: then how often each value is drawn is drawn at once, which comes to the same.
    """
    rng = np.random.default_rng(seed)
    count = len(values)
    different, often = np.unique(values, return_counts=True)
    if len(different) * FEW <= count:
        drawn = rng.multinomial(count, often / count, size=resamples)
        few: np.ndarray[tuple[int], np.dtype[np.float64]] = drawn @ different / count
        return few
    means = np.empty(resamples)
    lot = max(1, _AT_ONCE // count)
    for begin in range(0, resamples, lot):
        end = min(begin + lot, resamples)
        places = rng.integers(0, count, size=(end - begin, count))
        means[begin:end] = values[places].mean(axis=1)
    return means
