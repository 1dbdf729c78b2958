"""How sure a count makes: intervals of shares, what two readers leave unfound, and what a sample proves of a lot.

Shares are 0…1, confidence is 0…1. Everything is exact but for the two intervals that say so.
"""

from dataclasses import dataclass
from math import exp, lgamma, log, sqrt

Z = 1.959964
"""Two-sided 95 %."""


@dataclass(frozen=True)
class Share:
    """`hits` of `total`, with the interval in which the true share lies (95 %)."""

    hits: int
    total: int
    low: float
    high: float

    @property
    def value(self) -> float | None:
        """None: nothing was counted."""
        return self.hits / self.total if self.total else None

    # In whole percent, for people.

    @property
    def at_percent(self) -> int:
        return round(100 * (self.value or 0))

    @property
    def mark_x(self) -> int:
        """Of a mark two wide on a bar of a hundred."""
        return max(0, min(98, self.at_percent - 1))

    @property
    def low_percent(self) -> int:
        return round(100 * self.low)

    @property
    def high_percent(self) -> int:
        return round(100 * self.high)

    @property
    def range_percent(self) -> int:
        return self.high_percent - self.low_percent


def share(hits: int, total: int) -> Share:
    """With Wilson's score interval, which holds for few cases and for shares near 0 and 1 (Brown, Cai and DasGupta 2001, eq. 4)."""
    if not total:
        return Share(0, 0, 0.0, 1.0)
    p, zz = hits / total, Z * Z / total
    middle = (p + zz / 2) / (1 + zz)
    half = Z * sqrt(p * (1 - p) / total + zz / (4 * total)) / (1 + zz)
    return Share(hits, total, max(0.0, middle - half), min(1.0, middle + half))


# --- two readers ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Remaining:
    """What two readers who know nothing of each other leave unfound, by what both found."""

    first: int
    second: int
    both: int
    left: float
    """Estimated number that neither found."""
    low: float
    high: float
    """Interval of `left` (95 %, log-normal)."""

    @property
    def found(self) -> int:
        return self.first + self.second - self.both


def remaining(first: int, second: int, both: int) -> Remaining:
    """Chapman's estimator (1951) with Seber's variance (1970) and Burnham's log-normal interval (1987).

    It takes all errors to be equally hard to find: if they are not, more are left than it says.
    """
    found = first + second - both
    whole = (first + 1) * (second + 1) / (both + 1) - 1
    left = max(0.0, whole - found)
    variance = (
        (first + 1) * (second + 1) * (first - both) * (second - both)
        / ((both + 1) ** 2 * (both + 2))
    )  # fmt: skip
    if left == 0:
        return Remaining(first, second, both, 0.0, 0.0, 0.0)
    factor = exp(Z * sqrt(log(1 + variance / left**2)))
    return Remaining(first, second, both, left, left / factor, left * factor)


# --- samples of a lot ----------------------------------------------------------------------------------------------------------


def bad_at_most(*, lot: int, checked: int, found: int, confidence: float) -> int:
    """The most bad ones that a lot may hold, if `found` bad ones were among `checked` drawn without putting back.

    The exact upper bound of the hypergeometric: with one more in the lot, so few would be found with a chance of at most
    1 - `confidence`.
    """
    low, high = found, lot - (checked - found)
    while low < high:
        middle = (low + high + 1) // 2
        if _at_most(lot, middle, checked, found) > 1 - confidence:
            low = middle
        else:
            high = middle - 1
    return low


def sample_size(*, lot: int, limit: float, confidence: float) -> int:
    """How many of a lot have to be checked, and all found good, to say that at most the share `limit` of it is bad."""
    bad = int(limit * lot + 1e-9) + 1
    if bad > lot:
        return 0
    low, high = 1, lot - bad + 1
    while low < high:
        middle = (low + high) // 2
        if _at_most(lot, bad, middle, 0) <= 1 - confidence:
            high = middle
        else:
            low = middle + 1
    return low


def _at_most(lot: int, bad: int, checked: int, found: int) -> float:
    """Chance to find so few: the hypergeometric distribution function."""
    return sum(_chance(lot, bad, checked, k) for k in range(found + 1))


def _chance(lot: int, bad: int, checked: int, found: int) -> float:
    if found > bad or checked - found > lot - bad:
        return 0.0
    return exp(
        _ways(bad, found) + _ways(lot - bad, checked - found) - _ways(lot, checked)
    )


def _ways(among: int, chosen: int) -> float:
    """Logarithm of the number of ways to choose."""
    return lgamma(among + 1) - lgamma(chosen + 1) - lgamma(among - chosen + 1)
