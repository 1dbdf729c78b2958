"""Batches by target: a grid of writes × burden that is filled from archetypes and compositions of them.

What a draw will weigh is known only once it is proved, so the filler learns as it goes: which archetypes, and which compositions,
land in which cell on this database. A cell that nothing lands in is given up with the reason, and its share goes to the others.
Work is cut into shards of people, so that the same order gives the same tasks however many processes fill it.
Knows nothing about databases, users or models.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from environments.core.domain import TaskClass
from environments.core.environment import Environment
from writ_app.engine.errors import InvalidTask, WritError
from writ_app.engine.task_design import Designer
from writ_app.engine.types import Task, write_band

type Cell = tuple[str, str]
"""(band of writes, band of burden)."""

Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]

SHARDS = 8
LEAST_PEOPLE = 5
"""People of a shard at least, if there are so many."""
MISSES = 100
"""Draws for one cell without a hit before it is given up, per shard."""
PEOPLE = 40
"""People that a draw chooses from at most: those with the fewest tasks so far."""
DRAWS = 12
"""Draws of one archetype before the filler thinks again what to try."""
MOST_WRITES = 6
BAND_MIDDLES = {"0": 0, "1-3": 3, "4-6": 5, "7-9": 8, "10-14": 12, "15+": 18}
SHARED_READS = 2
"""Reads that find the person, which all parts of a composition have in common."""


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


@dataclass
class RecipeReport:
    """How one archetype, or a composition of so many writes, did."""

    draws: int = 0
    made: int = 0
    kept: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    cells: Counter[Cell] = field(default_factory=Counter)
    """Where what was made landed."""
    burden: int = 0
    """Of all that was made together."""


@dataclass
class FillReport:
    """How a grid was filled."""

    wanted: Counter[Cell] = field(default_factory=Counter)
    filled: Counter[Cell] = field(default_factory=Counter)
    given_up: dict[Cell, str] = field(default_factory=dict)
    """Cell → why no more was put there."""
    recipes: dict[str, RecipeReport] = field(default_factory=dict)
    people: Counter[str] = field(default_factory=Counter)
    """Person → tasks."""

    def add(self, other: "FillReport") -> None:
        self.wanted += other.wanted
        self.filled += other.filled
        for cell, why in other.given_up.items():
            self.given_up.setdefault(cell, why)
        self.people += other.people
        for name, theirs in other.recipes.items():
            ours = self.recipes.setdefault(name, RecipeReport())
            ours.draws += theirs.draws
            ours.made += theirs.made
            ours.kept += theirs.kept
            ours.refused += theirs.refused
            ours.cells += theirs.cells
            ours.burden += theirs.burden


@dataclass(frozen=True)
class Recipe:
    """A way to make a task: an archetype, or `writes` writes of several, chosen to weigh together what the cell wants."""

    name: str
    slug: str = ""
    writes: int = 0
    weight: float = 1.0


class Filler:
    """Fills one shard of a grid. `tasks` gives them; `report` says afterwards how it went."""

    def __init__(
        self,
        environment: Environment,
        grid: Grid,
        *,
        avoid: frozenset[str] = frozenset(),
        refuse: Callable[[Task], str] = lambda task: "",
    ):
        self.designer = Designer(environment, avoid=avoid, refuse=self._refuse)
        self.grid = grid
        self._also_refuse = refuse
        self._recipes = {recipe.name: recipe for recipe in self._all_recipes()}

    def fill(
        self, count: int, seed: int, shard: int = 0, shards: int = 1
    ) -> Iterator[Task]:
        """The tasks of one shard; all shards together have `count`. `report` is complete when it ends."""
        self.report = FillReport()
        self.report.wanted = share_of(shares(self.grid.weights, count), shard, shards)
        rng = random.Random(
            f"fill {seed} {shard} {self.designer.environment.content_hash}"
        )
        people = self._people_of(seed, shard, shards)
        missing = Counter(self.report.wanted)
        misses: Counter[Cell] = Counter()
        seen: set[str] = set()
        number = 0
        while people and any(missing.values()):
            cell = self._neediest(missing)
            recipe = self._choose(cell, rng)
            number += 1
            task, hit = None, False
            if recipe is not None:
                own_seed = (seed * 1_000_003 + number) * SHARDS + shard
                able = self._able(people, recipe.writes) if recipe.writes else people
                task = self._make(recipe, cell, own_seed, self._idle(able, rng))
            if (
                task is not None
                and missing[task.cell]
                and task.request_hash not in seen
            ):
                hit = task.cell == cell
                misses[task.cell] = 0
                missing[task.cell] -= 1
                seen.add(task.request_hash)
                self._keep(recipe, task)
                yield task
            if not hit:  # what was there before is no hit either, or this would not end
                misses[cell] += 1
            if misses[cell] >= MISSES or recipe is None:
                self._give_up(cell, missing, tried=recipe is not None)

        for cell in +missing:
            self.report.given_up[cell] = "there is nobody left to ask for anything"

    # what to try

    def _all_recipes(self) -> Iterator[Recipe]:
        for archetype in self.designer.archetypes.values():
            weight = self.grid.weight(archetype.slug, archetype.task_class)
            if weight > 0:
                yield Recipe(archetype.slug, slug=archetype.slug, weight=weight)
        several = self.grid.classes.get(TaskClass.WRITE_INTENSIVE, 1.0)
        for writes in range(2, MOST_WRITES + 1) if several > 0 else ():
            yield Recipe(f"{writes} writes", writes=writes, weight=several)

    def _choose(self, cell: Cell, rng: random.Random) -> Recipe | None:
        """By chance, with the odds that each has shown to land in the cell; None if nothing can."""
        odds = {
            name: self._odds(recipe, cell) * recipe.weight
            for name, recipe in self._recipes.items()
        }
        names = [name for name, odd in odds.items() if odd > 0]
        if not names:
            return None
        (name,) = rng.choices(names, [odds[name] for name in names])
        return self._recipes[name]

    def _odds(self, recipe: Recipe, cell: Cell) -> float:
        """Of landing in the cell. What was never tried counts as fairly likely where its writes fit."""
        report = self.report.recipes.get(recipe.name)
        tries = report.draws if report else 0
        hits = report.cells[cell] if report else 0
        if recipe.writes and write_band(recipe.writes) != cell[0]:
            return 0.0
        if recipe.slug and not hits and not self._may_write(recipe.slug, cell[0]):
            return 0.0
        if tries >= 60 and report is not None and not report.made:
            return 0.0
        return (hits + 0.5) / (tries + 2)

    def _may_write(self, slug: str, band: str) -> bool:
        writes_nothing = self.designer.archetypes[slug].task_class not in (
            TaskClass.READ_HEAVY,
            TaskClass.WRITE_INTENSIVE,
        )
        return writes_nothing == (band == "0")

    def _neediest(self, missing: Counter[Cell]) -> Cell:
        wanted = self.report.wanted
        return max(
            (cell for cell in missing if missing[cell]),
            key=lambda cell: (missing[cell] / max(1, wanted[cell]), cell),
        )

    # making

    def _make(
        self, recipe: Recipe, cell: Cell, seed: int, people: Sequence[str]
    ) -> Task | None:
        report = self.report.recipes.setdefault(recipe.name, RecipeReport())
        before, refused = (
            self.designer.report.draws,
            Counter(self.designer.report.refused),
        )
        try:
            if recipe.slug:
                task = self.designer.design(
                    recipe.slug, seed, draws=DRAWS, people=people
                )
            else:
                task = self.designer.compose(
                    recipe.writes,
                    seed,
                    draws=3,
                    people=people,
                    weights=self._tastes(recipe.writes, cell[1]),
                )
        except InvalidTask:
            task = None
        report.draws += self.designer.report.draws - before
        report.refused += Counter(self.designer.report.refused) - refused
        if task is not None:
            report.made += 1
            report.cells[task.cell] += 1
            report.burden += task.burden.total
        return task

    def _tastes(self, writes: int, band: str) -> dict[str, float]:
        """Weights of the parts of a composition: the grid's, more for those that have shown what a part should weigh.

        One part that is seldom proved whole spoils the whole composition, so that such parts weigh less.
        """
        wanted = (BAND_MIDDLES[band] - SHARED_READS) / writes + SHARED_READS
        tastes = dict.fromkeys(self.designer.archetypes, 0.0)
        for slug, recipe in self._recipes.items():
            report = self.report.recipes.get(slug)
            if recipe.slug:
                tastes[slug] = recipe.weight
            if recipe.slug and report is not None and report.made:
                whole = report.made / (report.made + report.refused["not_whole"])
                off = abs(report.burden / report.made - wanted)
                tastes[slug] *= whole * 2**-off
        return tastes

    def _refuse(self, task: Task) -> str:
        if self.grid.whole and not task.burden.exact:
            return "not_whole"
        return self._also_refuse(task)

    def _keep(self, recipe: Recipe | None, task: Task) -> None:
        assert recipe is not None
        self.report.recipes[recipe.name].kept += 1
        self.report.filled[task.cell] += 1
        self.report.people[task.person] += 1

    def _give_up(self, cell: Cell, missing: Counter[Cell], *, tried: bool) -> None:
        """What is missing in the cell is shared out among the others, whether this shard had a share of them or not."""
        left = missing.pop(cell)
        made = sum(report.cells[cell] for report in self.report.recipes.values())
        if not tried:
            why = "no kind of request that the grid allows can land here"
        elif made:
            why = f"nothing new landed here in {MISSES} tries"
        else:
            why = f"nothing on this database landed here in {MISSES} tries"
        self.report.given_up[cell] = why
        open_cells = {
            other: weight
            for other, weight in self.grid.weights.items()
            if other not in self.report.given_up
        }
        for other, share in shares(open_cells, left).items() if open_cells else ():
            missing[other] += share

    # people

    def _people_of(self, seed: int, shard: int, shards: int) -> list[str]:
        people = list(self.designer.people)
        random.Random(f"people {seed}").shuffle(people)
        return people[shard::shards]

    def _able(self, people: Sequence[str], writes: int) -> list[str]:
        """Those of whom the database knows most: whoever has one order has little to ask for at once."""
        most = max(LEAST_PEOPLE, 2 * len(people) // writes)
        return sorted(people, key=lambda person: -self._belongings[person])[:most]

    @cached_property
    def _belongings(self) -> dict[str, int]:
        """Person → how much is listed in the person's record, such as orders."""
        environment = self.designer.environment
        records = environment.state.collections[environment.domain.people]
        return {
            person: sum(len(v) for v in records[person].values() if isinstance(v, list))
            for person in self.designer.people
        }

    def _idle(self, people: Sequence[str], rng: random.Random) -> list[str]:
        """Those with the fewest tasks, in a random order: never more than half of all, so that everybody's turn comes."""
        mixed = rng.sample(people, len(people))
        most = min(PEOPLE, max(LEAST_PEOPLE, len(people) // 2))
        return sorted(mixed, key=lambda person: self.report.people[person])[:most]


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
