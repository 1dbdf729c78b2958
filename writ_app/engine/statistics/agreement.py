"""Agreement of people who judged the same things without knowing of each other."""

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from writ_app.engine.arrays import Floats, Int64s, np
from writ_app.engine.statistics.intervals import Z

RESAMPLES = 2000
"""Of the bootstrap."""

FEW = 10
"""With fewer items hardly any two draws of them differ."""


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

    @property
    def few(self) -> bool:
        """Whether there are so few items that the interval, which is one of many items, says nothing."""
        return self.items < FEW


def alpha(units: Sequence[Sequence[Hashable]], *, seed: int = 0) -> Agreement:
    """Krippendorff's α of nominal judgements, one sequence per item (Krippendorff 2019, §12).

    The interval is a percentile bootstrap over items: what would vary if others had been drawn.
    """
    patterns = Counter(tuple(sorted(map(str, unit))) for unit in units if len(unit) > 1)
    items = patterns.total()
    values = sorted({value for pattern in patterns for value in pattern})
    if not items:
        return Agreement(0, why="Nothing was judged by two people yet.")
    if len(values) == 1:
        return Agreement(items, why=_always(values[0], items))
    import krippendorff  # loads numpy

    # (patterns, values): how often each value was given.
    given = np.array(
        [[pattern.count(value) for value in values] for pattern in patterns]
    )
    often = np.array(list(patterns.values()))
    whole = krippendorff.alpha(
        value_counts=np.repeat(given, often, axis=0), level_of_measurement="nominal"
    )
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(items, often / items, size=RESAMPLES)
    low, high = np.percentile(_alphas(given, drawn), [2.5, 97.5])
    return Agreement(items, float(whole), float(low), float(high))


def _alphas(given: Int64s, drawn: Int64s) -> Floats:
    """α of each of many draws, (draws, patterns), at once: what an item adds to the matrix of coincidences depends on its pattern only.

    A draw in which all say the same has no disagreement to explain: it counts as full agreement.
    """
    judges = given.sum(axis=1)
    pairs = given[:, :, None] * given[:, None, :] - given[:, :, None] * np.eye(
        given.shape[1]
    )
    coincidences = np.tensordot(drawn, pairs / (judges - 1)[:, None, None], axes=1)
    totals = coincidences.sum(axis=2)
    whole = totals.sum(axis=1)
    observed = whole - np.trace(coincidences, axis1=1, axis2=2)
    expected = (whole**2 - (totals**2).sum(axis=1)) / (whole - 1)
    none = np.zeros_like(whole)
    by_chance: Floats = np.divide(observed, expected, out=none, where=expected > 0)
    return 1 - by_chance


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
