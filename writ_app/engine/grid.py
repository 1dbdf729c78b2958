"""Batches by target: what a grid of writes × burden is, how it is read, and how an order is cut into cells and shards.

Knows nothing about tasks, databases, users or models.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from environments.core.domain import TaskClass
from environments.core.environment import Environment
from writ_app.engine.errors import WritError

type Cell = tuple[str, str]
"""(band of writes, band of burden)."""

Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]

SHARDS = 8
LEAST_PEOPLE = 5
"""People of a shard at least, if there are so many."""


class BadGrid(WritError):
    """A grid that cannot be read; the text says what is wrong."""


class Target(BaseModel):
    """How much of a batch should lie in one cell."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    writes: Literal["0", "1", "2-3", "4+"]
    burden: Literal["0", "1-3", "4-6", "7-9", "10-14", "15+"]
    weight: Weight = 1.0


class Grid(BaseModel):
    """What a batch should be made of. Left out, cells weigh as in `DEFAULT_CELLS`, archetypes and classes 1."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cells: tuple[Target, ...] = ()
    archetypes: dict[str, Weight] = Field(default_factory=dict)
    """Slug → how gladly it is taken; 0 leaves it out."""
    classes: dict[TaskClass, Weight] = Field(default_factory=dict)
    """Class → how gladly its archetypes are taken."""
    whole: bool = True
    """Only tasks whose every read is proved."""

    @property
    def weights(self) -> dict[Cell, float]:
        cells = self.cells or DEFAULT_CELLS
        return {(one.writes, one.burden): one.weight for one in cells if one.weight > 0}

    def weight(self, slug: str, task_class: TaskClass) -> float:
        return self.archetypes.get(slug, 1.0) * self.classes.get(task_class, 1.0)


DEFAULT_CELLS = tuple(
    Target.model_validate({"writes": writes, "burden": burden, "weight": weight})
    for writes, weights in {
        "0": (3, 3, 2, 1, 0.5),
        "1": (4, 8, 8, 6, 3),
        "2-3": (2, 5, 6, 6, 3),
        "4+": (1, 2, 3, 4, 4),
    }.items()
    for burden, weight in zip(
        ("1-3", "4-6", "7-9", "10-14", "15+"), weights, strict=True
    )
)
"""More weight on single writes with much evidence, and some of everything."""


def read_grid(raw: Any, environment: Environment) -> Grid:
    """Raises BadGrid with what is wrong and where, archetypes that the environment does not have included."""
    try:
        grid = Grid.model_validate(raw)
    except ValidationError as error:
        places = [
            f"{'/'.join(map(str, e['loc'])) or 'grid'}: {e['msg']}"
            for e in error.errors()
        ]
        raise BadGrid("Not a grid: " + "; ".join(places[:5])) from error
    named = Counter((one.writes, one.burden) for one in grid.cells)
    twice = [
        f"{writes} writes, burden {burden}"
        for (writes, burden), n in named.items()
        if n > 1
    ]
    if twice:
        raise BadGrid(f"A grid names each cell once; twice in it: {'; '.join(twice)}.")
    known = {archetype.slug for archetype in environment.domain.archetypes}
    unknown = sorted(grid.archetypes.keys() - known)
    if unknown:
        raise BadGrid(
            f"{environment.name} has no archetype {', '.join(unknown)}; it has {', '.join(sorted(known))}."
        )
    if not grid.weights:
        raise BadGrid("A grid needs at least one cell with a weight above 0.")
    return grid


def shares(weights: Mapping[Cell, float], count: int) -> dict[Cell, int]:
    """`count` cut by weight into whole numbers, by largest remainder."""
    whole = sum(weights.values())
    exact = {cell: count * weight / whole for cell, weight in weights.items()}
    cut = {cell: int(share) for cell, share in exact.items()}
    rest = count - sum(cut.values())
    for cell in sorted(exact, key=lambda c: (cut[c] - exact[c], c))[:rest]:
        cut[cell] += 1
    return cut


def shards_for(people: int) -> int:
    """Shards for so many people: the same on every machine."""
    return max(1, min(SHARDS, people // LEAST_PEOPLE))


def share_of(counts: Mapping[Cell, int], shard: int, shards: int) -> Counter[Cell]:
    """What falls to one shard: all together have `counts`, and none has more than one task more than another."""
    found: Counter[Cell] = Counter()
    start = 0
    for cell, count in counts.items():
        found[cell] = len(range((shard - start) % shards, count, shards))
        start += count
    return +found
