"""How a grid was filled: what was drawn, what became of it, and why cells are not full.

Knows nothing about drawing, databases or users.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from writ_app.engine.grid import Cell
from writ_app.engine.types import BURDEN_BANDS

REASONS_SHOWN = 3


class Cause(StrEnum):
    """Why no more was put into a cell."""

    NO_KIND = "no_kind"
    """The grid allows no archetype with so many writes."""
    NOBODY = "nobody"
    """There is no person to ask for anything."""
    EXHAUSTED = "exhausted"
    """Every candidate that was found has been tried, but for those of `busy` people and those behind searches that were `cut` off."""
    GIVEN_UP = "given_up"
    """Too many candidates in a row failed; there may be others."""


@dataclass
class Shortfall:
    """Why a cell is not full: what there was to choose from, and what became of what was tried."""

    cell: Cell
    cause: Cause
    people: int = 0
    """People whose wishes were drawn."""
    wishes: int = 0
    """Requests of theirs that have an answer, whatever they weigh."""
    least: int | None = None
    """Reads that the lightest of them is expected to need, alone or with others, with so many writes; None if there is none."""
    most: int | None = None
    tried: int = 0
    """Candidates: requests, or combinations, that were expected to land in the cell."""
    kept: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    elsewhere: int = 0
    """Candidates that turned out to weigh more or less."""
    left: int = 0
    """Candidates that were not tried."""
    busy: int = 0
    """People who have asked for as much as one person may."""
    cut: int = 0
    """Searches for combinations that were cut off because there were too many."""

    def add(self, other: "Shortfall") -> None:
        """Of another shard."""
        if list(Cause).index(other.cause) > list(Cause).index(self.cause):
            self.cause = other.cause
        self.least = _of(min, self.least, other.least)
        self.most = _of(max, self.most, other.most)
        self.refused += other.refused
        for name in ("people", "wishes", "tried", "kept", "elsewhere", "left", "busy"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.cut += other.cut

    def as_json(self) -> dict[str, Any]:
        return {**vars(self), "refused": dict(self.refused)}

    @property
    def text(self) -> str:
        """For people."""
        match self.cause:
            case Cause.NO_KIND:
                return "no kind of request that the grid allows can land here"
            case Cause.NOBODY:
                return "there is nobody left to ask for anything"
            case Cause.EXHAUSTED if not self.tried:
                return f"exhausted: {self._nothing()}{self._cut()}"
            case Cause.EXHAUSTED:
                return f"exhausted: all of {self._tried()}{self._busy()}{self._cut()}"
            case Cause.GIVEN_UP:
                return f"given up: too many of {self._tried()}; {self.left:,} more were found"

    def _nothing(self) -> str:
        low, high = BURDEN_BANDS[self.cell[1]]
        found = f"of {_number(self.wishes, 'request')} of {_number(self.people, 'person')}, alone or together, none has so many writes"
        if self.least is None or self.most is None:
            return found
        if self.most < low:
            return (
                f"{found} and needs more than {_number(self.most, 'read')}, by estimate"
            )
        if high is not None and self.least > high:
            return f"{found} and needs fewer than {_number(self.least, 'read')}, by estimate"
        return f"{found} and just so many reads, by estimate{self._busy()}"

    def _tried(self) -> str:
        became = [f"{self.kept:,} kept"]
        if self.refused:
            often = self.refused.most_common(REASONS_SHOWN)
            reasons = ", ".join(f"{n:,} {reason}" for reason, n in often)
            became.append(f"{self.refused.total():,} refused ({reasons})")
        if self.elsewhere:
            became.append(f"{self.elsewhere:,} weighed otherwise than expected")
        tried = f"{_number(self.tried, 'candidate')} of {_number(self.people, 'person')} that were tried"
        return f"{tried}: {', '.join(became)}"

    def _busy(self) -> str:
        if not self.busy:
            return ""
        return f"; {_number(self.busy, 'person')} asked for as much as one may"

    def _cut(self) -> str:
        if not self.cut:
            return ""
        return f"; {_number(self.cut, 'search')} for combinations cut off"


@dataclass
class RecipeReport:
    """How one archetype, or a composition of so many writes, did."""

    draws: int = 0
    made: int = 0
    kept: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    cells: Counter[Cell] = field(default_factory=Counter)
    """Where what was made landed."""

    def add(self, other: "RecipeReport") -> None:
        self.draws += other.draws
        self.made += other.made
        self.kept += other.kept
        self.refused += other.refused
        self.cells += other.cells


@dataclass
class FillReport:
    """How a grid was filled."""

    wanted: Counter[Cell] = field(default_factory=Counter)
    filled: Counter[Cell] = field(default_factory=Counter)
    given_up: dict[Cell, Shortfall] = field(default_factory=dict)
    """Cell → why no more was put there."""
    recipes: dict[str, RecipeReport] = field(default_factory=dict)
    people: Counter[str] = field(default_factory=Counter)
    """Person → tasks."""

    def why(self, cell: Cell) -> str:
        """Why it is not full, in words; "" if it is, or if nobody asked."""
        return self.given_up[cell].text if cell in self.given_up else ""

    def search(self, cell: Cell) -> dict[str, Any] | None:
        """The same in numbers."""
        return self.given_up[cell].as_json() if cell in self.given_up else None

    def as_json(self) -> dict[str, Any]:
        """Plain JSON, from which `of_json` makes the same report."""
        return {
            "wanted": _pairs(self.wanted),
            "filled": _pairs(self.filled),
            "given_up": [one.as_json() for one in self.given_up.values()],
            "recipes": {
                name: {
                    **vars(recipe),
                    "refused": dict(recipe.refused),
                    "cells": _pairs(recipe.cells),
                }
                for name, recipe in self.recipes.items()
            },
            "people": dict(self.people),
        }

    @classmethod
    def of_json(cls, raw: Mapping[str, Any]) -> "FillReport":
        shortfalls = [
            Shortfall(
                **{
                    **one,
                    "cell": (one["cell"][0], one["cell"][1]),
                    "cause": Cause(one["cause"]),
                    "refused": Counter(one["refused"]),
                }
            )
            for one in raw["given_up"]
        ]
        recipes = {
            name: RecipeReport(
                **{
                    **one,
                    "refused": Counter(one["refused"]),
                    "cells": _counts(one["cells"]),
                }
            )
            for name, one in raw["recipes"].items()
        }
        return cls(
            wanted=_counts(raw["wanted"]),
            filled=_counts(raw["filled"]),
            given_up={one.cell: one for one in shortfalls},
            recipes=recipes,
            people=Counter(raw["people"]),
        )

    def add(self, other: "FillReport") -> None:
        self.wanted += other.wanted
        self.filled += other.filled
        self.people += other.people
        for cell, shortfall in other.given_up.items():
            ours = self.given_up.setdefault(cell, Shortfall(cell, shortfall.cause))
            ours.add(shortfall)
        for name, recipe in other.recipes.items():
            self.recipes.setdefault(name, RecipeReport()).add(recipe)


MANY = {"person": "people", "search": "searches"}


def _number(count: int, name: str) -> str:
    return f"{count:,} {name if count == 1 else MANY.get(name, name + 's')}"


def _pairs(counts: Mapping[Cell, int]) -> list[tuple[str, str, int]]:
    return [(writes, burden, count) for (writes, burden), count in counts.items()]


def _counts(pairs: Sequence[tuple[str, str, int]]) -> Counter[Cell]:
    return Counter({(writes, burden): count for writes, burden, count in pairs})


def _of(choose: object, one: int | None, other: int | None) -> int | None:
    known = [value for value in (one, other) if value is not None]
    return choose(known) if known and callable(choose) else None
