"""Items and imported trajectories as the engine reads them for a report: a few rows at a time, by key, so that no memory grows."""

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from hashlib import sha256
from typing import Any

from django.db.models import TextField
from django.db.models.functions import Cast, Coalesce
from pydantic_core import from_json

from writ_app.engine.export.records import (
    Record,
    World,
    messages_of,
    world_of,
)
from writ_app.engine.reports import (
    Observed,
    TaskNote,
    note_of_benchmark,
    note_of_task,
    tool_kinds,
)
from writ_app.engine.types import Task
from writ_app.models import catalog
from writ_app.models.catalog import ReferenceSet
from writ_app.models.review import ItemQuerySet
from writ_app.services.catalog import ChangedEnvironment, load_environment
from writ_app.services.catalog.reference_dataset import ReferenceDataset

AT_ONCE = 200
TASKS_AT_ONCE = 50
NOTES = 4_000
"""Tasks that are remembered: about a kilobyte each."""
COLUMNS = {
    "pk": "pk",
    "number": "number",
    "own_hash": "trajectory__content_hash",
    "task": "task_id",
    "task_hash": "task__content_hash",
    "world": "task__environment_id",
    "archetype": "archetype",
    "class": "task_class",
    "writes": "writes",
    "burden": "burden",
    "plan": "plan",
    "agent": "agent",
    "ended_by": "ended_by",
    "scripted": "scripted",
    "accepted": "accepted",
    "reason": "reason",
    "owner": "owner",
    "persona": "trajectory__simulation__persona",
    "behaviour": "trajectory__simulation__behaviour",
    "realised": "trajectory__realised",
}
"""Name here → column of an item."""
FACTS = (
    *("archetype", "class", "writes", "burden", "plan", "persona", "agent"),
    *("ended_by", "scripted", "accepted", "reason", "owner", "behaviour", "realised"),
)


class ItemSource:
    """Versions of trajectories. `digest` stands for what was read, once it was read. `everything`: the tasks of rejected ones, too."""

    def __init__(self, items: ItemQuerySet, *, everything: bool = False):
        self._items = items
        self._everything = everything
        self._notes: OrderedDict[int, TaskNote] = OrderedDict()
        self._read = sha256()

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the contents' hashes, in order."""
        return self._read.hexdigest()

    @cached_property
    def worlds(self) -> Mapping[str, World]:
        return {world.key: world for world in self._worlds.values()}

    @cached_property
    def _worlds(self) -> dict[int, World]:
        keys = self._items.order_by().values_list("task__environment", flat=True)
        found = catalog.Environment.objects.filter(pk__in=list(keys.distinct()))
        return {row.pk: _world(row) for row in found.defer("state").order_by("pk")}

    def observed(self) -> Iterator[Observed]:
        self._read = sha256()
        own, simulated = (
            Cast(column, TextField()) for column in ("content", "trajectory__content")
        )
        rows = (
            self._items.order_by("pk")
            .annotate(content_text=Coalesce(own, simulated))
            .values_list(*COLUMNS.values(), "content_text")
        )
        last = 0
        while found := list(rows.filter(pk__gt=last)[:AT_ONCE]):
            named = [dict(zip(COLUMNS, row, strict=False)) for row in found]
            self._load_notes({row["task"]: row["task_hash"] for row in named})
            for row, values in zip(named, found, strict=True):
                yield self._observed(row, values[-1])
            last = named[-1]["pk"]

    def _observed(self, row: dict[str, Any], text: str) -> Observed:
        content = from_json(text, cache_strings="keys")
        key = row["own_hash"] if row["number"] == 1 else sha256(text.encode()).hexdigest()  # fmt: skip
        self._read.update(key.encode())
        facts = {name: row[name] for name in FACTS}
        facts |= {name: content[name] for name in ("user", "prompt_version", "seed")}
        record = Record(
            id=key,
            task=row["task_hash"],
            split="",
            world=self._worlds[row["world"]],
            messages=messages_of(self._worlds[row["world"]], content["messages"]),
            facts=facts,
        )
        return Observed(record, self._notes[row["task"]])

    def _load_notes(self, wanted: Mapping[int, str]) -> None:
        missing = [pk for pk in wanted if pk not in self._notes]
        for start in range(0, len(missing), TASKS_AT_ONCE):
            for pk, text in _task_texts(missing[start : start + TASKS_AT_ONCE]):
                self._notes[pk] = note_of_task(wanted[pk], from_json(text))
        for pk in wanted:
            self._notes.move_to_end(pk)
        while len(self._notes) > NOTES + len(wanted):
            self._notes.popitem(last=False)

    def tasks(self) -> Iterator[Task]:
        """Of those that are counted, which alone are held against benchmarks."""
        some = self._items if self._everything else self._items.filter(accepted=True)
        kept = some.order_by()
        keys = sorted(kept.values_list("task_id", flat=True).distinct())
        for start in range(0, len(keys), TASKS_AT_ONCE):
            for _, text in _task_texts(keys[start : start + TASKS_AT_ONCE]):
                yield Task.model_validate_json(text)


def _task_texts(keys: Sequence[int]) -> Iterator[tuple[int, str]]:
    rows = catalog.Task.objects.filter(pk__in=keys).order_by("pk")
    texts = rows.annotate(content_text=Cast("content", TextField()))
    yield from texts.values_list("pk", "content_text")


def _world(row: catalog.Environment) -> World:
    """As far as it is known: an environment that has changed since has no tools to count against."""
    try:
        return world_of(load_environment(row))
    except ChangedEnvironment:
        return _unknown(row.name, row.version, row.content_hash)


def _unknown(name: str, version: str = "", content_hash: str = "") -> World:
    return World(
        name=name,
        version=version,
        content_hash=content_hash,
        state_hash="",
        policy="",
        system="",
        tools=(),
    )


class ReferenceSource:
    """An imported set. What its file says of tasks stands in for proofs, as far as it goes."""

    def __init__(self, reference_set: ReferenceSet):
        self._set = reference_set

    @property
    def digest(self) -> str:
        return str(self._set.content_hash)

    @cached_property
    def _dataset(self) -> ReferenceDataset:
        return ReferenceDataset(self._set)

    @property
    def worlds(self) -> Mapping[str, World]:
        return self._dataset.worlds

    @cached_property
    def _notes(self) -> dict[str, TaskNote]:
        environment = self._set.environment
        name = environment.name if environment else self._set.domain
        writes = frozenset(
            name for name, kind in tool_kinds(name).items() if kind == "write"
        )
        tasks = (self._set.content or {}).get("tasks") or []
        return {
            note.key: note
            for note in (note_of_benchmark(task, writes) for task in tasks if "id" in task)
        }  # fmt: skip

    def observed(self) -> Iterator[Observed]:
        for record in self._dataset.records():
            yield Observed(record, self._notes.get(record.task))

    def tasks(self) -> Iterator[Task]:
        """None of ours."""
        return iter(())
