"""How a batch's tasks are designed: archetypes in turn by their weight, or a grid that is filled; and the report of it."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from environments.core.domain import Archetype
from environments.core.environment import Environment
from writ_app.engine.collector import seldom_collected
from writ_app.engine.decontamination import Screen
from writ_app.engine.fill_report import FillReport
from writ_app.engine.filling import Filler
from writ_app.engine.grid import (
    DEFAULT_CELLS,
    Cell,
    Target,
    read_grid,
    shards_for,
)
from writ_app.engine.task_design import Designer
from writ_app.engine.types import BURDEN_BANDS, WRITE_BANDS, Task
from writ_app.models.synthesis import Batch
from writ_app.services import catalog

LEAST_OF_A_PIECE = 500
"""Tasks of a piece of a grid at least: as much as is lost when a job is cut off, or twice as much."""


class BatchDesign:
    """One pass over a batch's design. `tasks` gives them as they come; `report` is complete when it ends.

    A grid is filled in pieces, one after the other. What is `finished` can be handed over to a later pass as
    `before`, with the tasks of that time: it goes on from there.

    None of them shares anything with the imported benchmark, if there is one.
    """

    def __init__(self, batch: Batch, before: Sequence[Mapping[str, Any]] = ()):
        self._batch = batch
        environment = catalog.load_environment(batch.environment)
        avoid = catalog.avoided_people(batch.environment)
        index = catalog.benchmark_index(batch.environment)
        self._screen = Screen(index) if index else None
        self._kept: Counter[str] = Counter()
        self._filler: Filler | None = None
        self._pieces = list(before)
        if batch.grid is not None:
            grid = read_grid(batch.grid, environment)
            self._filler = Filler(environment, grid, avoid=avoid, refuse=self._refuse)
            self._designer = self._filler.designer
        else:
            self._designer = Designer(environment, avoid=avoid, refuse=self._refuse)

    def tasks(
        self,
        done: Iterable[Task] = (),
        reword: Callable[[Iterable[Task]], Iterable[Task]] = iter,
    ) -> Iterator[Task]:
        """`done` are the tasks of the pieces before, and come first, as they are; `reword` may change the words of new ones."""
        with seldom_collected():
            for task in chain(done, reword(self._new_tasks())):
                self._kept[task.archetype] += 1
                if self._screen is not None:
                    self._screen.keep(task)
                yield task

    def finished(self, tasks: int) -> list[Mapping[str, Any]]:
        """The reports, as plain JSON, of the pieces all of whose tasks are among the first so many: rewording looks ahead of them."""
        left, done = tasks, []
        for piece in self._pieces:
            left -= FillReport.of_json(piece).filled.total()
            if left < 0:
                break
            done.append(piece)
        return done

    def _new_tasks(self) -> Iterator[Task]:
        batch, wanted = self._batch, self._batch.tasks_wanted
        if self._filler is None:
            yield from self._designer.design_many(batch.mix, wanted, batch.seed)
            return
        pieces = max(1, wanted // LEAST_OF_A_PIECE)
        pieces = min(pieces, shards_for(len(self._designer.people)))
        for piece in range(len(self._pieces), pieces):
            yield from self._filler.fill(wanted, batch.seed, piece, pieces)
            self._pieces.append(self._filler.report.as_json())

    def report(self) -> dict[str, Any]:
        """Plain JSON. With a grid the counts are by recipe: an archetype, or a composition of so many writes."""
        found = self._designer.report
        report: dict[str, Any] = {
            "draws": found.draws,
            "drawn": dict(found.drawn),
            "refused": dict(found.refused),
            "designed": dict(self._kept),
            "exhausted": found.exhausted,
        }
        if self._filler is not None:
            whole = FillReport()
            for piece in self._pieces:
                whole.add(FillReport.of_json(piece))
            report |= _fill_counts(whole)
        if self._screen is not None:
            report["decontamination"] = self._screen.seen.report()
        return report

    def _refuse(self, task: Task) -> str:
        return self._screen.refuse(task) if self._screen is not None else ""


def default_cells() -> Iterator[tuple[str, list[Target]]]:
    """(band of writes, its cells by burden) of the grid that is filled if nobody says otherwise."""
    for writes in dict.fromkeys(cell.writes for cell in DEFAULT_CELLS):
        yield writes, [cell for cell in DEFAULT_CELLS if cell.writes == writes]


def complete_grid(
    raw: Mapping[str, Any], mix: Mapping[str, float], environment: Environment
) -> dict[str, Any]:
    """The grid with everything said that it leaves open; the archetypes weigh as in the mix. Raises BadGrid."""
    archetypes = environment.domain.archetypes
    grid = read_grid({"archetypes": _tastes(mix, archetypes), **raw}, environment)
    cells = grid.cells or DEFAULT_CELLS
    return grid.model_copy(update={"cells": cells}).model_dump(mode="json")


def _tastes(
    mix: Mapping[str, float], archetypes: Sequence[Archetype]
) -> dict[str, float]:
    """Weights around 1, as a grid has them: a composition weighs 1 there. What the mix leaves out is left out."""
    wanted = [weight for weight in mix.values() if weight > 0]
    mean = sum(wanted) / len(wanted)
    return {one.slug: round(mix.get(one.slug, 0) / mean, 4) for one in archetypes}


def _fill_counts(found: FillReport) -> dict[str, Any]:
    cells = {*found.wanted, *found.filled, *found.given_up}
    recipes = found.recipes.items()
    return {
        "draws": sum(recipe.draws for _, recipe in recipes),
        "refused": dict(sum((r.refused for _, r in recipes), start=Counter[str]())),
        "drawn": {name: recipe.draws for name, recipe in recipes},
        "proved": {name: recipe.made for name, recipe in recipes},
        "designed": {name: recipe.kept for name, recipe in recipes},
        "grid": [
            {
                "writes": cell[0],
                "burden": cell[1],
                "wanted": found.wanted[cell],
                "filled": found.filled[cell],
                "why": found.why(cell),
            }
            for cell in sorted(cells, key=_place)
        ],
    }


def _place(cell: Cell) -> tuple[int, int]:
    return list(WRITE_BANDS).index(cell[0]), list(BURDEN_BANDS).index(cell[1])
