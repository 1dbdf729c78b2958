"""What an agent is evaluated on: tasks of imported benchmarks, or of our own, each pinned as it is."""

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from writ_app.adapters.tau2 import BadCheckout
from writ_app.adapters.tau2_situations import assertions_of, initialization_of
from writ_app.engine import types
from writ_app.engine.benchmark_scoring import Situation
from writ_app.engine.benchmark_tasks import BenchmarkTask, benchmark_task
from writ_app.engine.errors import WritError
from writ_app.engine.evaluation.axes import Axes, axes_of_benchmark
from writ_app.models.accounts import Team, User
from writ_app.models.catalog import Environment, ReferenceTask, Task
from writ_app.models.curation import SavedView
from writ_app.models.evaluation import RunSource
from writ_app.models.release import Release
from writ_app.models.review import ItemQuerySet, ReviewItem
from writ_app.models.synthesis import Batch, Simulation
from writ_app.services import catalog, synthesis
from writ_app.services.review.listing import found_by

LONGEST_KEY = 200
BASE = "base"
"""The split that is loaded by default."""


class BadRun(WritError):
    """A run that cannot be ordered as asked; the text says why."""


@dataclass(frozen=True)
class Chosen:
    """One task of a set. `own` and `ledger` are of a task of ours."""

    environment: Environment
    task_id: str
    content: BenchmarkTask
    axes: Axes
    reference: ReferenceTask | None = None
    own: Task | None = None
    ledger: types.Ledger | None = None

    @property
    def key(self) -> str:
        return f"{self.environment.name}/{self.task_id}"[:LONGEST_KEY]

    @property
    def content_hash(self) -> str:
        text = json.dumps(self.content, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class TaskSet:
    source: RunSource
    tasks: tuple[Chosen, ...]
    chosen: Mapping[str, Any] = field(default_factory=dict)
    """How they were chosen, for the run's row."""

    @property
    def content_hash(self) -> str:
        parts = [[one.key, one.content_hash] for one in self.tasks]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    @property
    def of_benchmark(self) -> bool:
        return self.source in (RunSource.BENCHMARK, RunSource.FILE)


def situation_of(content: BenchmarkTask) -> Situation:
    """Raises BadRun."""
    try:
        return Situation(initialization_of(content), assertions_of(content))
    except BadCheckout as error:
        raise BadRun(str(error)) from error


# --- imported benchmarks -------------------------------------------------------------------------------------------------------


def benchmark_environments() -> list[Environment]:
    """Versions that tasks were imported with, newest first."""
    found = Environment.objects.filter(reference_tasks__isnull=False)
    return list(found.defer("state", "policy").distinct().order_by("name", "-pk"))


def splits_of(environments: Iterable[Environment]) -> list[str]:
    """Names of splits that these have, `base` first."""
    rows = ReferenceTask.objects.filter(environment__in=list(environments))
    found = {name for splits in rows.values_list("splits", flat=True) for name in splits}  # fmt: skip
    return sorted(found, key=lambda name: (name != BASE, name))


def benchmark_set(
    environments: Sequence[Environment],
    *,
    split: str = BASE,
    ids: Collection[str] = (),
) -> TaskSet:
    """Tasks of a split, or all of an import without splits; `ids` narrows them. Raises BadRun for a split or id that there is not."""
    names = [one.name for one in environments]
    if not names:
        raise BadRun("Choose at least one environment that tasks were imported with.")
    if len(set(names)) < len(names):
        raise BadRun("Choose one version of each environment.")
    tasks = [one for row in environments for one in _of_benchmark(row, split)]
    if ids:
        wanted = set(ids)
        tasks = [one for one in tasks if {one.task_id, one.key} & wanted]
        known = {name for one in tasks for name in (one.task_id, one.key)}
        if lacking := sorted(wanted - known):
            raise BadRun(f"There is no task {lacking[0]!r} in split {split or 'all'}.")
    if not tasks:
        raise BadRun("There is no task in that.")
    chosen = {
        "environments": {row.name: row.version for row in environments},
        "split": split,
        "ids": sorted(ids),
    }
    return TaskSet(RunSource.BENCHMARK, tuple(tasks), chosen)


def _of_benchmark(row: Environment, split: str) -> Iterator[Chosen]:
    environment = catalog.load_environment(row)
    held = list(row.reference_tasks.order_by("position"))
    if split and any(one.splits for one in held):
        known = sorted({name for one in held for name in one.splits})
        if split not in known:
            raise BadRun(f"{row} has no split {split!r}; it has {', '.join(known)}.")
        held = [one for one in held if split in one.splits]
    elif split and split != BASE:
        raise BadRun(f"{row} was imported without splits.")
    for one in held:
        yield Chosen(
            row,
            one.task_id,
            one.content,
            axes_of_benchmark(environment, one.content),
            reference=one,
        )


# --- tasks of our own ----------------------------------------------------------------------------------------------------------


def batch_set(batch: Batch, *, cells: Collection[tuple[str, str]] = ()) -> TaskSet:
    """Tasks of a batch's simulations, narrowed to cells (band of writes, band of burden) of the grid."""
    simulations = batch.simulations.current()
    told = {"batch": batch.pk, "name": batch.name, "cells": _told(cells)}
    return _own(RunSource.BATCH, simulations, cells, told)


def release_set(
    release: Release, *, split: str = "", cells: Collection[tuple[str, str]] = ()
) -> TaskSet:
    """Tasks of a release's members, of one split or of all."""
    members = release.members.all()
    if split:
        members = members.filter(split=split)
    items = ReviewItem.objects.filter(memberships__in=members)
    told = {
        "release": release.pk,
        "name": str(release),
        "split": split,
        "cells": _told(cells),
    }
    return _own(RunSource.RELEASE, _simulations(items), cells, told)


def view_set(
    view: SavedView, *, by: User, team: Team, cells: Collection[tuple[str, str]] = ()
) -> TaskSet:
    """Tasks of what a saved view finds now."""
    items = found_by(view.filters, user=by).filter(team=team, canary="")
    told = {"view": view.pk, "name": view.name, "cells": _told(cells)}
    return _own(RunSource.VIEW, _simulations(items), cells, told)


def _simulations(items: ItemQuerySet) -> Any:
    held = items.order_by().values("trajectory__simulation")
    return Simulation.objects.filter(pk__in=held)


def _told(cells: Collection[tuple[str, str]]) -> list[str]:
    return sorted(f"{writes}/{burden}" for writes, burden in cells)


def _own(
    source: RunSource,
    simulations: Any,
    cells: Collection[tuple[str, str]],
    told: Mapping[str, Any],
) -> TaskSet:
    """Each task once, with the behavior of its first simulation."""
    rows = (
        simulations.order_by("task_id", "pk")
        .distinct("task_id")
        .select_related("task__environment")
        .defer("task__environment__state", "task__environment__policy")
    )
    found = []
    for row in rows.iterator(chunk_size=100):
        task = types.Task.model_validate(row.task.content)
        if cells and task.cell not in cells:
            continue
        found.append(_own_task(row, task))
    if not found:
        raise BadRun("There is no task in that.")
    return TaskSet(source, tuple(found), told)


def _own_task(row: Simulation, task: types.Task) -> Chosen:
    environment = catalog.load_environment(row.task.environment)
    axes = Axes(
        writes=task.writes,
        burden=task.burden.total,
        source="proved" if row.task.proved else "listed",
    )
    return Chosen(
        row.task.environment,
        task.slug if len(task.slug) <= 100 else task.content_hash,
        benchmark_task(task, environment.domain.words),
        axes,
        own=row.task,
        ledger=synthesis.ledger_of(row, task),
    )


__all__ = [
    "BASE",
    "BadRun",
    "Chosen",
    "TaskSet",
    "batch_set",
    "benchmark_environments",
    "benchmark_set",
    "release_set",
    "situation_of",
    "splits_of",
    "view_set",
]
