"""Datasets that tests write: trajectories of the small shop, with everything a record tells."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from tests.engine.talks import small_shop, talk, task_of
from writ_app.engine.export.records import Record, World, record_of, world_of
from writ_app.engine.types import Task, Trajectory

TIMES = {
    "started_at": "2026-11-01T10:00:00+00:00",
    "finished_at": "2026-11-01T10:00:30+00:00",
}


@cache
def shop() -> World:
    return world_of(small_shop())


def record(
    archetype: str = "R1",
    trajectory: Trajectory | None = None,
    split: str = "train",
    **facts: Any,
) -> Record:
    return record_of(
        shop(),
        task_of(archetype),
        trajectory or talk(archetype),
        split=split,
        facts={**TIMES, **facts},
    )


@dataclass
class Listed:
    """A dataset in memory."""

    listed: Sequence[Record]
    known: Mapping[str, Task]

    @property
    def worlds(self) -> Mapping[str, World]:
        return {one.world.key: one.world for one in self.listed}

    @property
    def splits(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(one.split for one in self.listed))

    def records(self, split: str | None = None) -> Iterator[Record]:
        return (one for one in self.listed if split in (None, one.split))

    def tasks(self, world: str | None = None) -> Iterator[tuple[str, Task]]:
        spoken_of = {one.task for one in self.listed if world in (None, one.world.key)}
        return ((key, self.known[key]) for key in sorted(spoken_of))


def dataset(archetypes: Iterable[str] = ("R1", "R2", "W1", "N1")) -> Listed:
    """Each in two plans; the second of the last is another split."""
    tasks = [task_of(one) for one in archetypes]
    listed = [
        record(one, talk(one, plan))
        for one in archetypes
        for plan in ("upfront", "incremental")
    ]
    listed[-1] = Record(**{**vars(listed[-1]), "split": "test"})
    return Listed(listed, {task.content_hash: task for task in tasks})
