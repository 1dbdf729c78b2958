"""Chance and money, the two things every part of the shop is made with."""

from dataclasses import dataclass, field
from random import Random
from typing import Any

type Json = dict[str, Any]


@dataclass
class Source:
    """The random generator, the texts already given out, and the cards not yet dealt."""

    rng: Random
    taken: set[str] = field(default_factory=set)
    cards: list[str] = field(default_factory=list)

    def claim(self, text: str) -> bool:
        """Whether the text was still free; from now on it is not."""
        free = text not in self.taken
        self.taken.add(text)
        return free

    def number(self, prefix: str, digits: int) -> str:
        """A new id: the prefix and that many digits, the first of them not zero."""
        low, high = 10 ** (digits - 1), 10**digits
        while not self.claim(text := f"{prefix}{self.rng.randrange(low, high)}"):
            pass
        return text

    def weighted[T](self, weights: dict[T, int]) -> T:
        return self.rng.choices(list(weights), list(weights.values()))[0]

    def deal(self, deck: dict[str, int]) -> str:
        """The next card. A shuffled deck keeps to its mix, where throwing dice only tends to."""
        if not self.cards:
            self.cards = [card for card, count in deck.items() for _ in range(count)]
            self.rng.shuffle(self.cards)
        return self.cards.pop()


# Money is reckoned in whole cents, so sums never drift.
def to_dollars(cents: int) -> float:
    return cents / 100


def to_cents(dollars: float) -> int:
    return round(dollars * 100)
