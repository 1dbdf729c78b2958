"""Values unlike the rest of a column. Robust statistics: what is odd must not decide what is usual."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

FEWEST = 8
"""Values below which nothing is called odd."""
RARE = 0.05
"""Share of a column that is rare."""
COMMON = 0.5
"""Share of a column that is the rule."""
FAR = 3.5
"""Robust z-score (Iglewicz and Hoaglin 1993) from which a number is far away."""
SCALE = 1.4826
"""Median absolute deviation → standard deviation, for what is normally distributed."""


@dataclass(frozen=True)
class Profile:
    """What is usual in a column of texts; "" stands for no value."""

    count: int
    values: Counter[str]
    shapes: Counter[str]
    middle: float | None = None
    """Median, if all are numbers."""
    spread: float = 0.0

    def odd(self, value: str) -> bool:
        """Whether the value is unlike the rest: a number far away, else a rare value, else one of a rare shape."""
        if self.count < FEWEST:
            return False
        number = _number(value)
        if self.middle is not None and number is not None and self.spread:
            return abs(number - self.middle) > FAR * self.spread
        if self._ruled(self.values):
            return self._rare(self.values, value)
        return self._ruled(self.shapes) and self._rare(self.shapes, shape(value))

    def _ruled(self, counts: Counter[str]) -> bool:
        return counts.most_common(1)[0][1] >= COMMON * self.count

    def _rare(self, counts: Counter[str], one: str) -> bool:
        return counts[one] <= RARE * self.count


def profile(values: Sequence[str]) -> Profile:
    numbers = [number for number in map(_number, values) if number is not None]
    middle = median(numbers) if numbers and len(numbers) == len(values) else None
    spread = 0.0
    if middle is not None:
        spread = SCALE * median(abs(number - middle) for number in numbers)
    return Profile(
        count=len(values),
        values=Counter(values),
        shapes=Counter(map(shape, values)),
        middle=middle,
        spread=spread,
    )


def shape(value: str) -> str:
    """What a value looks like: digits are 9, letters a, runs of letters one: `#W0123` is `#a9999`."""
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"\d", "9", value))


def _number(value: str) -> float | None:
    """Amounts and counts; a long run of digits names something."""
    if not re.fullmatch(r"-?\d{1,7}(\.\d+)?", value):
        return None
    return float(value)
