"""Filling a grid: persons and wishes are chosen that weigh together what a cell wants.

What each person can ask for is surveyed first (see survey), the rest is choice: the people in turn, and the rich in things to ask
for first where much is wanted. A cell is given up when everything that could land there was tried, or when too much of it failed;
the report says which, and what there was. Its share goes to the other cells.
Work is cut into shards of people, so that the same order gives the same tasks however many processes fill it.
Knows nothing about databases, users or models.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from environments.core.domain import TaskClass
from environments.core.environment import Environment
from environments.core.errors import Unidentifiable
from writ_app.engine.errors import InvalidTask
from writ_app.engine.fill_report import Cause, FillReport, RecipeReport, Shortfall
from writ_app.engine.grid import (
    LEAST_PEOPLE,
    Cell,
    Grid,
    share_of,
    shares,
)
from writ_app.engine.survey import Combiner, Survey, Wish, shuffled
from writ_app.engine.task_design import Designer, NotTogether, is_writing
from writ_app.engine.types import (
    BURDEN_BANDS,
    WRITE_BANDS,
    Task,
    burden_band,
    write_band,
)

MISSES = 100
"""Candidates in a row that do not land in their cell before it is given up, per shard."""
TURNS = 2
"""Draws of every kind for everybody without a candidate before a cell counts as exhausted, per shard."""
MOST_WRITES = 6


@dataclass(frozen=True)
class Recipe:
    """A way to make a task: an archetype, or `writes` writes of several wishes of one person."""

    name: str
    slug: str = ""
    writes: int = 0
    weight: float = 1.0


class Filler:
    """Fills one shard of a grid. `fill` gives the tasks; `report` says afterwards how it went."""

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
        self.recipes = tuple(self._all_recipes())
        self.report = FillReport()

    def fill(
        self, count: int, seed: int, shard: int = 0, shards: int = 1
    ) -> Iterator[Task]:
        """The tasks of one shard; all shards together have `count`. `report` is complete when it ends."""
        wanted = share_of(shares(self.grid.weights, count), shard, shards)
        people = self._people_of(seed, shard, shards)
        filling = _Filling(self, wanted, people, seed)
        self.report = filling.report
        yield from filling.tasks()

    def _all_recipes(self) -> Iterator[Recipe]:
        for archetype in self.designer.archetypes.values():
            weight = self.grid.weight(archetype.slug, archetype.task_class)
            if weight > 0:
                yield Recipe(archetype.slug, slug=archetype.slug, weight=weight)
        several = self.grid.classes.get(TaskClass.WRITE_INTENSIVE, 1.0)
        for writes in range(2, MOST_WRITES + 1) if several > 0 else ():
            yield Recipe(f"{writes} writes", writes=writes, weight=several)

    def _refuse(self, task: Task) -> str:
        if self.grid.whole and not task.burden.exact:
            return "not_whole"
        return self._also_refuse(task)

    def _people_of(self, seed: int, shard: int, shards: int) -> list[str]:
        """A shard's people in a random order. Those with much to ask for are dealt first, so that every shard has as many."""
        people, rng = list(self.designer.people), random.Random(f"people {seed}")
        rng.shuffle(people)
        people.sort(key=lambda person: -self.belongings[person])
        own = people[shard::shards]
        rng.shuffle(own)
        return own

    @cached_property
    def belongings(self) -> dict[str, int]:
        """Person → how much is listed in the person's record, such as orders."""
        environment = self.designer.environment
        records = environment.state.collections[environment.domain.people]
        return {
            person: sum(len(v) for v in records[person].values() if isinstance(v, list))
            for person in self.designer.people
        }


class _Filling:
    """One shard while it is filled."""

    def __init__(
        self, filler: Filler, wanted: Counter[Cell], people: Sequence[str], seed: int
    ):
        self.report = FillReport(wanted=wanted)
        self._designer = filler.designer
        self._grid = filler.grid
        self._people = people
        self._richest = sorted(people, key=lambda one: -filler.belongings[one])
        self._recipes = {recipe.name: recipe for recipe in filler.recipes}
        world = self._designer.environment.content_hash
        # No other shard has these people.
        self._rng = random.Random(f"fill {seed} {world} {sorted(people)[:1]}")
        self._missing = Counter(wanted)
        each = wanted.total() / max(1, len(people))
        self._most_tasks = 2 + round(2 * each + 0.5)
        """Nobody asks for more tasks than that: about twice as many as if all asked alike."""
        self._surveys = {
            writing: Survey(self._designer, self._slugs(writing), seed, self._unfit)
            for writing in (True, False)
        }
        self._combiner = Combiner(self._designer)
        self._open: dict[Cell, list[Wish]] = {}
        """Cell → wishes that nobody has asked for alone: proved to lie there, or expected to."""
        self._barren: dict[tuple[str, int, str], int] = {}
        """(person, writes, band) → wishes of the person in which no combination was found."""
        self._since: Counter[Cell] = Counter()
        """Cell → turn in which there was a candidate last."""
        self._misses: Counter[Cell] = Counter()
        self._failed: Counter[str] = Counter()
        """Recipe → proofs that failed, and combinations that could not be made."""
        self._seen: set[str] = set()
        self._cells: dict[Cell, Shortfall] = {}

    def tasks(self) -> Iterator[Task]:
        while self._people and any(self._missing.values()):
            cell = self._neediest()
            if self._misses[cell] >= MISSES:
                self._give_up(cell, Cause.GIVEN_UP)
                continue
            options = self._options(cell)
            if not options:
                if not self._look_further(cell):
                    none = not self._kinds_for(cell)
                    self._give_up(cell, Cause.NO_KIND if none else Cause.EXHAUSTED)
                continue
            task = self._try(cell, options)
            if task is not None:
                yield task
        for cell in +self._missing:
            self.report.given_up[cell] = Shortfall(cell, Cause.NOBODY)

    def _neediest(self) -> Cell:
        wanted = self.report.wanted
        return max(
            (cell for cell in self._missing if self._missing[cell]),
            key=lambda cell: (self._missing[cell] / max(1, wanted[cell]), cell),
        )

    # what there is

    def _slugs(self, writing: bool) -> list[str]:
        return [
            recipe.slug
            for recipe in self._recipes.values()
            if recipe.slug
            and is_writing(self._designer.archetypes[recipe.slug]) == writing
        ]

    def _survey(self, cell: Cell) -> Survey:
        return self._surveys[cell[0] != "0"]

    def _kinds_for(self, cell: Cell) -> bool:
        return bool(self._survey(cell))

    def _look(self, survey: Survey, person: str) -> None:
        for wish in survey.look(person):
            place = write_band(len(wish.writes)), burden_band(len(wish.needs))
            self._open.setdefault(place, []).append(wish)

    def _look_enough(self, cell: Cell) -> None:
        """Some should be there to choose from whose turn it is, as long as somebody was not looked at; then one at least."""
        survey = self._survey(cell)
        floor = min(self.report.people[person] for person in self._people)
        for turn in range(TURNS if survey else 0):
            unseen = [p for p in self._order(cell) if survey.turns.get(p, 0) <= turn]
            choice = 1 if turn else LEAST_PEOPLE
            while unseen and self._choice(cell, floor) < choice:
                self._look(survey, unseen.pop(0))

    def _choice(self, cell: Cell, floor: int) -> int:
        """People to choose from who have asked for least."""
        people = (
            self._survey(cell).turns
            if self._may_combine(cell)
            else {wish.person for wish in self._open.get(cell, ())}
        )
        return sum(self.report.people[person] <= floor for person in people)

    def _look_further(self, cell: Cell) -> bool:
        """Look at one more person, or at all once more. Whether there is any use in it."""
        survey = self._survey(cell)
        turn = min((survey.turns.get(one, 0) for one in self._people), default=0)
        if not survey or turn - self._since[cell] >= TURNS:
            return False
        order = self._order(cell)
        self._look(survey, next(p for p in order if survey.turns.get(p, 0) == turn))
        return True

    def _order(self, cell: Cell) -> Sequence[str]:
        """Who is looked at first. Whoever has one order has little to ask for at once."""
        least = BURDEN_BANDS[cell[1]][0]
        several = self._may_combine(cell)
        return self._richest if several and least >= 7 else self._people

    def _may_combine(self, cell: Cell) -> bool:
        return any(write_band(n) == cell[0] for n in self._writes())

    def _writes(self) -> list[int]:
        return [recipe.writes for recipe in self._recipes.values() if recipe.writes]

    # what to try

    def _options(self, cell: Cell) -> dict[str, float]:
        """Recipe → odds, of those for which there is a candidate."""
        self._look_enough(cell)
        slugs = {wish.slug for wish in self._open.get(cell, ()) if self._may_ask(wish)}
        return {
            recipe.name: recipe.weight * self._rate(recipe.name)
            for recipe in self._recipes.values()
            if recipe.slug in slugs
            or (
                recipe.writes
                and write_band(recipe.writes) == cell[0]
                and any(True for _ in self._askers(recipe.writes, cell))
            )
        }

    def _rate(self, name: str) -> float:
        """How often it has been proved, when that was tried."""
        made = self._recipe_report(name).made
        return (made + 1) / (made + self._failed[name] + 1)

    def _may_ask(self, wish: Wish) -> bool:
        return self.report.people[wish.person] < self._most_tasks

    def _askers(self, writes: int, cell: Cell) -> Iterator[str]:
        """People whom it is worth to search for a combination."""
        for person, wishes in self._survey(cell).wishes.items():
            key = person, writes, cell[1]
            if self._barren.get(key) != len(wishes) and (
                self.report.people[person] < self._most_tasks
            ):
                yield person

    def _try(self, cell: Cell, options: dict[str, float]) -> Task | None:
        """One candidate, by chance; its task, if there is room for it."""
        (name,) = self._rng.choices(list(options), list(options.values()))
        recipe = self._recipes[name]
        if recipe.slug:
            wishes = [self._pick(recipe.slug, cell)]
            self._open[cell].remove(wishes[0])
            task = self._prove(wishes[0], cell)
        else:
            found = self._find(recipe.writes, cell)
            if found is None:
                return None  # nobody has one: no candidate, hence no miss
            wishes = list(found)
            task = self._combine(recipe, wishes, cell)
        return self._settle(recipe, wishes, task, cell)

    def _settle(
        self, recipe: Recipe, wishes: Sequence[Wish], task: Task | None, cell: Cell
    ) -> Task | None:
        about = self._about(cell)
        about.tried += 1
        turns = self._survey(cell).turns
        self._since[cell] = min(turns.get(one, 0) for one in self._people)
        hit = (
            task is not None
            and self._missing[task.cell] > 0
            and task.request_hash not in self._seen
        )
        if task is not None and task.cell != cell:
            about.elsewhere += 1
        if task is None or not hit:
            self._misses[cell] += 1
            if task is not None and len(wishes) == 1 and task.cell != cell:
                self._open.setdefault(task.cell, []).append(wishes[0])
            return None
        self._misses[cell] += task.cell != cell
        self._misses[task.cell] = 0
        self._missing[task.cell] -= 1
        self._seen.add(task.request_hash)
        self.report.recipes[recipe.name].kept += 1
        self.report.filled[task.cell] += 1
        self.report.people[task.person] += 1
        for wish in wishes:
            wish.used += 1
        return task

    # one wish

    def _pick(self, slug: str, cell: Cell) -> Wish:
        """Of whoever has asked for least; of those, who was looked at first."""
        return min(
            (w for w in self._open[cell] if w.slug == slug and self._may_ask(w)),
            key=lambda wish: self.report.people[wish.person],
        )

    def _prove(self, wish: Wish, cell: Cell | None = None) -> Task | None:
        """The task of a wish alone, made once."""
        if wish.task is None and not wish.refused and self._word(wish, cell):
            assert wish.part is not None
            try:
                wish.task = self._designer.finish([wish.part], wish.seed)
            except (InvalidTask, Unidentifiable) as error:
                self._refused(wish.slug, error.reason, cell)
                wish.refused = True
            else:
                assert wish.task is not None
                self._made(wish.slug, wish.task)
        return wish.task

    def _word(self, wish: Wish, cell: Cell | None = None) -> bool:
        """Whether it can be asked for in words."""
        if wish.part is None and not wish.refused:
            rng = random.Random(f"words {wish.seed}")
            try:
                wish.part = self._designer.part(wish.slug, wish.proposal, rng)
            except (InvalidTask, Unidentifiable) as error:
                self._refused(wish.slug, error.reason, cell)
                wish.refused = True
        return not wish.refused

    # several wishes

    def _find(self, writes: int, cell: Cell) -> tuple[Wish, ...] | None:
        """Wishes of somebody who has asked for little."""
        askers = list(self._askers(writes, cell))
        self._rng.shuffle(askers)
        for person in sorted(askers, key=lambda one: self.report.people[one]):
            wishes = shuffled(self._joinable(person, cell), self._tastes, self._rng)
            band = BURDEN_BANDS[cell[1]]
            found, cut = self._combiner.find(wishes, writes, band)
            if found is not None:
                return found
            self._about(cell).cut += cut
            all_of_them = self._survey(cell).wishes[person]
            self._barren[person, writes, cell[1]] = len(all_of_them)
        return None

    def _joinable(self, person: str, cell: Cell) -> list[Wish]:
        wishes = self._survey(cell).wishes.get(person, ())
        return [w for w in wishes if w.joinable and w.writes and not w.refused]

    @property
    def _tastes(self) -> dict[str, float]:
        """Slug → how gladly it is taken as a part: one part that is seldom proved spoils the whole."""
        return {
            recipe.slug: recipe.weight * self._rate(recipe.slug)
            for recipe in self._recipes.values()
            if recipe.slug
        }

    def _combine(
        self, recipe: Recipe, wishes: Sequence[Wish], cell: Cell
    ) -> Task | None:
        self._combiner.tried.add(frozenset(wishes))
        if not all(self._word(wish) for wish in wishes):
            return None
        parts = [wish.part for wish in wishes if wish.part is not None]
        seed = self._rng.getrandbits(31)
        try:
            task = self._designer.finish(
                parts, seed, lambda burden: burden_band(burden) == cell[1]
            )
        except NotTogether as error:
            self._refused(recipe.name, error.reason, cell)
            self._combiner.blame(wishes, error.place)
            return None
        except (InvalidTask, Unidentifiable) as error:
            self._refused(recipe.name, error.reason, cell)
            for wish in wishes:  # whose fault was it? what is sound is not lost
                self._prove(wish)
            return None
        if task is None:
            self._about(cell).elsewhere += 1
        else:
            self._made(recipe.name, task)
        return task

    # counting

    def _about(self, cell: Cell) -> Shortfall:
        return self._cells.setdefault(cell, Shortfall(cell, Cause.EXHAUSTED))

    def _recipe_report(self, name: str) -> RecipeReport:
        return self.report.recipes.setdefault(name, RecipeReport())

    def _unfit(self, name: str, reason: str) -> None:
        report = self._recipe_report(name)
        report.draws += 1
        report.refused[reason] += 1

    def _refused(self, name: str, reason: str, cell: Cell | None = None) -> None:
        self._unfit(name, reason)
        self._failed[name] += 1
        if cell is not None:
            self._about(cell).refused[reason] += 1

    def _made(self, name: str, task: Task) -> None:
        report = self._recipe_report(name)
        report.draws += 1
        report.made += 1
        report.cells[task.cell] += 1

    # giving up

    def _give_up(self, cell: Cell, cause: Cause) -> None:
        """What is missing in the cell is shared out among the others, whether this shard had a share of them or not."""
        left = self._missing.pop(cell)
        about = self._about(cell)
        about.cause = cause
        about.kept = self.report.filled[cell]
        self._describe(about)
        self.report.given_up[cell] = about
        open_cells = {
            other: weight
            for other, weight in self._grid.weights.items()
            if other not in self.report.given_up
        }
        for other, share in shares(open_cells, left).items() if open_cells else ():
            self._missing[other] += share

    def _describe(self, about: Shortfall) -> None:
        """What there was to choose from."""
        cell = about.cell
        survey = self._survey(cell)
        about.people = len(survey.turns)
        about.left = len(self._open.get(cell, ()))
        low, high = WRITE_BANDS[cell[0]]
        sizes = []
        for person, wishes in survey.wishes.items():
            alone = [
                len(wish.needs)
                for wish in wishes
                if low <= len(wish.writes)
                and (high is None or len(wish.writes) <= high)
            ]
            about.wishes += len(wishes)
            sizes += [min(alone), max(alone)] if alone else []
            for writes in self._writes():
                if write_band(writes) == cell[0]:
                    joinable = self._joinable(person, cell)
                    sizes += self._combiner.extremes(joinable, writes) or ()
            busy = self.report.people[person] >= self._most_tasks
            about.busy += busy
        about.least, about.most = (min(sizes), max(sizes)) if sizes else (None, None)
