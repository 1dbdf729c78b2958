"""Chance, the one thing every part of a generated world is made with."""

from collections.abc import Callable
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

    def unclaimed(self, draw: Callable[[Random], str]) -> str:
        """The first text drawn that was still free."""
        while not self.claim(text := draw(self.rng)):
            pass
        return text

    def number(self, prefix: str, digits: int) -> str:
        """A new id: the prefix and that many digits, the first of them not zero."""
        low, high = 10 ** (digits - 1), 10**digits
        return self.unclaimed(lambda rng: f"{prefix}{rng.randrange(low, high)}")

    def weighted[T](self, weights: dict[T, int]) -> T:
        return self.rng.choices(list(weights), list(weights.values()))[0]

    def happens(self, chance: float) -> bool:
        return self.rng.random() < chance

    def deal(self, deck: dict[str, int]) -> str:
        """The next card. A shuffled deck keeps to its mix, where throwing dice only tends to."""
        if not self.cards:
            self.cards = [card for card, count in deck.items() for _ in range(count)]
            self.rng.shuffle(self.cards)
        return self.cards.pop()
