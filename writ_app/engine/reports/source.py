"""Where a report reads from: records, each with what is known of its task."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from environments import registry
from environments.core.state import State
from environments.core.tools import Mode, ToolKind
from writ_app.engine.export.records import Dataset, Record, World
from writ_app.engine.reports.notes import TaskNote, note_of_task
from writ_app.engine.types import Task


@dataclass(frozen=True, slots=True)
class Observed:
    """A record with its task; None if nothing is known of that."""

    record: Record
    note: TaskNote | None = None


class Source(Protocol):
    """Anything that can be reported. Each call reads anew, in the same order, few at a time."""

    @property
    def worlds(self) -> Mapping[str, World]: ...

    def observed(self) -> Iterator[Observed]: ...

    def tasks(self) -> Iterator[Task]:
        """Those that are known whole, each once, to be held against benchmarks."""


class DatasetSource:
    """A `Dataset` to report from: its tasks are read first, and what a report needs of them is kept (about 1 kB each)."""

    def __init__(self, dataset: Dataset):
        self._dataset = dataset

    @property
    def worlds(self) -> Mapping[str, World]:
        return self._dataset.worlds

    def observed(self) -> Iterator[Observed]:
        notes = {
            key: note_of_task(key, task.model_dump(mode="json"))
            for key, task in self._dataset.tasks()
        }
        for record in self._dataset.records():
            yield Observed(record, notes.get(record.task))

    def tasks(self) -> Iterator[Task]:
        for _, task in self._dataset.tasks():
            yield task


@cache
def tool_kinds(world: str) -> Mapping[str, ToolKind]:
    """Tools of a world by name; empty for a world that is not here."""
    if world not in registry.names():
        return {}
    build = registry.world(world).build
    empty = build(state=State({}), version="empty", mode=Mode.CORRECTED)
    return {name: tool.kind for name, tool in empty.tools.items()}
