"""Which of the fit candidates a release takes: no more of a cell than its cap, and within it spread before anything repeats.

Pure functions over values: the same candidates and seed give the same choice, in whatever order they come.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from writ_app.engine.types import burden_band, write_band
from writ_app.services.release.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Candidate:
    """What choosing and splitting know of a trajectory that is fit to be released."""

    item: int
    task: str
    """What is asked, whatever the words: two with the same are one task."""
    people: tuple[str, ...]
    """Whom the task is about, each as "environment: key"."""
    archetype: str
    writes: int
    burden: int
    tokens: int | None = None

    @property
    def cell(self) -> str:
        return f"{write_band(self.writes)}/{burden_band(self.burden)}"


def place(seed: int, *words: object) -> bytes:
    """Where the seed puts something: a number of 16 bytes, the same on every machine."""
    return hashlib.sha256(repr((seed, *words)).encode()).digest()[:16]


def choose(
    candidates: Iterable[Candidate], recipe: Recipe
) -> tuple[list[Candidate], list[Candidate]]:
    """(taken, left out by a cap), each in order of the items."""
    cells: dict[str, list[Candidate]] = defaultdict(list)
    for one in candidates:
        cells[one.cell].append(one)
    taken: list[Candidate] = []
    left: list[Candidate] = []
    for cell, held in cells.items():
        cap = recipe.cap_of(cell)
        if cap is None or len(held) <= cap:
            taken += held
            continue
        ordered = spread(held, recipe.seed)
        taken += ordered[:cap]
        left += ordered[cap:]
    return sorted(taken, key=_by_item), sorted(left, key=_by_item)


def spread(candidates: Sequence[Candidate], seed: int) -> list[Candidate]:
    """In an order of which every beginning has as many tasks as it can, then as many archetypes, then as many people."""
    drawn = sorted(candidates, key=lambda one: place(seed, one.item))
    task = _turns(drawn, lambda one: one.task)
    by_task = sorted(drawn, key=lambda one: task[one.item])
    person = _turns(by_task, lambda one: (task[one.item], one.people))
    by_person = sorted(by_task, key=lambda one: (task[one.item], person[one.item]))
    kind = _turns(by_person, lambda one: (task[one.item], one.archetype))
    return sorted(
        by_person,
        key=lambda one: (task[one.item], kind[one.item], person[one.item]),
    )


def _turns(
    ordered: Sequence[Candidate], group: Callable[[Candidate], object]
) -> dict[int, int]:
    """Item → how many of its group come before it."""
    seen: Counter[object] = Counter()
    turns = {}
    for one in ordered:
        key = group(one)
        turns[one.item] = seen[key]
        seen[key] += 1
    return turns


def _by_item(candidate: Candidate) -> int:
    return candidate.item
