"""Agreement of people who judged the same things without knowing of each other."""

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import krippendorff
import numpy as np

from writ_app.engine.statistics.intervals import Z

RESAMPLES = 500
"""Of the bootstrap."""


@dataclass(frozen=True)
class Agreement:
    """A chance-corrected coefficient; 1: all agree, 0: as by chance. With no `value`, `why` says why there is none."""

    items: int
    """Judged by at least two people."""
    value: float | None = None
    low: float | None = None
    high: float | None = None
    """Interval (95 %)."""
    why: str = ""


def alpha(units: Sequence[Sequence[Hashable]], *, seed: int = 0) -> Agreement:
    """Krippendorff's α of nominal judgements, one sequence per item (Krippendorff 2019, §12).

    The interval is a percentile bootstrap over items: what would vary if others had been drawn.
    """
    paired = [list(unit) for unit in units if len(unit) > 1]
    values = {
        value: n for n, value in enumerate(dict.fromkeys(v for u in paired for v in u))
    }
    if not paired:
        return Agreement(0, why="Nothing was judged by two people yet.")
    if len(values) == 1:
        only = next(iter(values))
        return Agreement(len(paired), why=_always(only, len(paired)))
    counts = np.zeros((len(paired), len(values)), dtype=np.int64)
    for row, unit in enumerate(paired):
        for value in unit:
            counts[row, values[value]] += 1
    whole = _alpha(counts)
    rng = np.random.default_rng(seed)
    drawn = (
        _alpha(counts[rng.integers(0, len(counts), len(counts))])
        for _ in range(RESAMPLES)
    )
    # A draw in which all say the same has no disagreement to explain: it counts as full agreement.
    spread = [1.0 if one is None else one for one in drawn]
    low, high = np.percentile(spread, [2.5, 97.5])
    return Agreement(len(paired), whole, float(low), float(high))


def _alpha(counts: "np.typing.NDArray[np.int64]") -> float | None:
    """None if only one value occurs."""
    if np.count_nonzero(counts.sum(axis=0)) < 2:
        return None
    return float(
        krippendorff.alpha(value_counts=counts, level_of_measurement="nominal")
    )


def kappa(pairs: Sequence[tuple[Hashable, Hashable]]) -> Agreement:
    """Cohen's κ of two people (Cohen 1960, eq. 1), with the large-sample interval of Fleiss, Cohen and Everitt (1969, eq. 13)."""
    total = len(pairs)
    if not total:
        return Agreement(0, why="These two have judged nothing in common.")
    cells, first = Counter(pairs), Counter(a for a, _ in pairs)
    second = Counter(b for _, b in pairs)
    same = sum(n for (a, b), n in cells.items() if a == b) / total
    chance = sum(first[v] * second[v] for v in first) / total**2
    if chance == 1:
        return Agreement(total, why=_always(pairs[0][0], total))
    value = (same - chance) / (1 - chance)
    rest = 1 - value
    spread = sum(
        n / total * (
            ((1 - (first[a] + second[a]) / total * rest) ** 2 if a == b else 0.0)
            + ((rest * (second[a] + first[b]) / total) ** 2 if a != b else 0.0)
        )
        for (a, b), n in cells.items()
    )  # fmt: skip
    variance = max(0.0, spread - (value - chance * rest) ** 2) / (
        total * (1 - chance) ** 2
    )
    half = Z * variance**0.5
    return Agreement(total, value, max(-1.0, value - half), min(1.0, value + half))


def _always(value: Hashable, items: int) -> str:
    return (
        f"Both always said “{value}” ({items} items). Where nobody ever says anything else, agreement by chance is certain, too: "
        "the coefficient divides by what chance would get wrong, and that is nothing."
    )
