"""Amounts that simple arithmetic gives: what somebody may well have reckoned from the numbers that they saw.

Amounts are compared to the cent. Generous on purpose: an amount that is not reached here was hardly reckoned from these numbers.
"""

import re
from collections.abc import Iterable

MULTIPLES = range(2, 13)
"""How many passengers, days or pieces an amount may be multiplied by."""
LARGEST = 10_000_000
"""In cents: what is larger is an id or a card number, and no amount."""
MOST_NUMBERS = 300
"""With more numbers than this nearly everything is a sum of three of them, so that nothing can be said."""

_NUMBER = re.compile(r"(?<![\w.])-?\d[\d,]*(?:\.\d+)?")


def numbers_in(text: str) -> list[float]:
    """Every number that a text writes out in digits: "$1,204.50" is 1204.5."""
    return [float(found.replace(",", "")) for found in _NUMBER.findall(text)]


class Reckoning:
    """What can be reckoned from some numbers; the sums of pairs are worked out once, when they are first needed."""

    def __init__(self, numbers: Iterable[float]):
        whole = {abs(cents(number)) for number in numbers}
        self._cents = {number for number in whole if 0 < number <= LARGEST}
        self._pairs: set[int] | None = None

    def gives(self, amount: float) -> bool:
        """Whether the amount is one of the numbers, a multiple, or a sum or difference of up to three of them."""
        wanted = abs(cents(amount))
        if wanted == 0 or wanted in self._cents or len(self._cents) > MOST_NUMBERS:
            return True
        parts = [wanted // times for times in MULTIPLES if wanted % times == 0]
        if not self._cents.isdisjoint(parts):
            return True
        if any(self._of_two(part) for part in (wanted, *parts)):
            return True
        pairs = self._sums_of_pairs()
        return any(
            wanted + number in pairs or abs(wanted - number) in pairs
            for number in self._cents
        )

    def _of_two(self, wanted: int) -> bool:
        """Whether it is the sum or difference of two of the numbers, or of one with itself."""
        known = self._cents
        return any(
            wanted - number in known or wanted + number in known for number in known
        )

    def _sums_of_pairs(self) -> set[int]:
        """Sums and differences (without their sign) of two of the numbers, or of one with itself."""
        if self._pairs is None:
            numbers = list(self._cents)
            self._pairs = {
                one + other for n, one in enumerate(numbers) for other in numbers[n:]
            }
            self._pairs |= {
                abs(one - other)
                for n, one in enumerate(numbers)
                for other in numbers[n:]
            }
        return self._pairs


def cents(amount: float) -> int:
    return round(amount * 100)
