"""A release in the database as the engine's `Dataset`: read a few rows at a time, each held to the hash it was frozen with.

Rows come by their position, some per query, rather than from one long cursor: a reader that is slow, or gone, keeps no transaction
open, and a member of a frozen release cannot change between two queries.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from django.db.models import Min, QuerySet, TextField
from django.db.models.functions import Cast, Coalesce
from pydantic_core import from_json

from writ_app.engine.errors import WritError
from writ_app.engine.export.records import (
    Json,
    Record,
    World,
    content_hash_of,
    digest,
    messages_of,
    trajectory_facts,
    world_of,
)
from writ_app.engine.types import Task
from writ_app.models import catalog
from writ_app.models.release import Release, ReleaseMember
from writ_app.models.review import ReviewItem
from writ_app.services.catalog import load_environment

AT_ONCE = 200
"""Rows in memory at a time: about two megabytes."""
TASKS_AT_ONCE = 50
COLUMNS = (
    "id",
    "number",
    "trajectory__content_hash",
    "task__content_hash",
    "task__environment_id",
    "task__slug",
    "archetype",
    "task_class",
    "writes",
    "burden",
    "trajectory__simulation__started_at",
    "trajectory__simulation__finished_at",
    "trajectory__created_at",
    "scripted",
    "text",
)
"""Of an item: what a record is made of. `text` is the stored content as it stands."""


class ReleaseDamaged(WritError):
    """A row made now is not the row that was frozen."""


def item_text() -> Coalesce:
    """Of items: the engine's Trajectory as stored text, the edited one if there is one."""
    own, simulated = (
        Cast(column, TextField()) for column in ("content", "trajectory__content")
    )
    return Coalesce(own, simulated)


def read_rows(
    items: QuerySet[ReviewItem], after: int, most: int = AT_ONCE
) -> Sequence[tuple[Any, ...]]:
    """COLUMNS of the next few items by key."""
    rows = items.filter(pk__gt=after).order_by("pk").annotate(text=item_text())
    return list(rows.values_list(*COLUMNS)[:most])


class Writer:
    """Makes records of stored rows, with one `World` for all rows of an environment."""

    def __init__(self) -> None:
        self._worlds: dict[int, World] = {}

    def record(self, row: Sequence[Any], split: str) -> Record:
        """Of COLUMNS. Raises ChangedEnvironment."""
        _, number, own_hash, task, environment, *told, scripted, text = row
        slug, archetype, task_class, writes, burden, started, finished, filed = told
        content = from_json(text, cache_strings="keys")
        world = self.world(environment)
        facts: Json = {
            "slug": slug,
            "archetype": archetype,
            "class": task_class,
            "writes": writes,
            "burden": burden,
            **trajectory_facts(content),
            "started_at": (started or filed).isoformat(),
            "finished_at": (finished or filed).isoformat(),
            "scripted": scripted,
        }
        if number > 1:
            facts["edited"] = True
            own_hash = content_hash_of(content)  # the column has what was simulated
        return Record(
            id=own_hash,
            task=task,
            split=split,
            world=world,
            messages=messages_of(world, content["messages"]),
            facts=facts,
        )

    def world(self, pk: int) -> World:
        if pk not in self._worlds:
            row = catalog.Environment.objects.defer("state", "policy").get(pk=pk)
            self._worlds[pk] = world_of(load_environment(row))
        return self._worlds[pk]


class DatabaseDataset:
    """The members of a release. `check`: raise ReleaseDamaged at a row that is not what its hash says, before it is given."""

    def __init__(self, release: Release, *, check: bool = True):
        self._release = release
        self._check = check
        self._writer = Writer()

    @cached_property
    def worlds(self) -> Mapping[str, World]:
        found = (
            ReviewItem.objects.filter(memberships__release=self._release)
            .order_by()
            .values_list("task__environment_id", flat=True)
            .distinct()
        )
        worlds = map(self._writer.world, list(found))
        return {one.key: one for one in sorted(worlds, key=lambda one: one.key)}

    @cached_property
    def splits(self) -> tuple[str, ...]:
        """In the order in which their first members stand."""
        members = self._release.members.order_by().values("split")
        first = members.annotate(first=Min("position")).order_by("first")
        return tuple(first.values_list("split", flat=True))

    def records(self, split: str | None = None) -> Iterator[Record]:
        for _, record in self.members(split):
            yield record

    def members(self, split: str | None = None) -> Iterator[tuple[int, Record]]:
        """(item, record) in order. Raises ReleaseDamaged, ChangedEnvironment."""
        for position, row_split, row_hash, row in self._rows(split):
            record = self._writer.record(row, row_split)
            if self._check and digest(record.line) != row_hash:
                raise ReleaseDamaged(
                    f"{self._release}: trajectory {row[0]} (row {position}) no longer gives the row that was frozen. "
                    "Nothing from it on was written. The stored conversation, its task or its environment has been changed since."
                )
            yield row[0], record

    def _rows(
        self, split: str | None
    ) -> Iterator[tuple[int, str, str, tuple[Any, ...]]]:
        """(position, split, hash, COLUMNS) of each member. Few members first, then their items by key: in one query of both the
        database may well sort all that is left, again for every few."""
        members = ReleaseMember.objects.filter(release=self._release)
        if split is not None:
            members = members.filter(split=split)
        places = members.order_by("position").values_list(
            "position", "item_id", "split", "row_hash"
        )
        last = -1
        while found := list(places.filter(position__gt=last)[:AT_ONCE]):
            items = ReviewItem.objects.filter(pk__in=[item for _, item, *_ in found])
            rows = {row[0]: row for row in read_rows(items, after=0)}
            for position, item, row_split, row_hash in found:
                yield position, row_split, row_hash, rows[item]
            last = found[-1][0]

    def tasks(self, world: str | None = None) -> Iterator[tuple[str, Task]]:
        tasks = catalog.Task.objects.filter(
            review_items__memberships__release=self._release
        )
        if world is not None:
            name, version = world.split("/", 1)
            tasks = tasks.filter(environment__name=name, environment__version=version)
        found = sorted(
            set(tasks.order_by().values_list("content_hash", "pk")),
        )
        for start in range(0, len(found), TASKS_AT_ONCE):
            chunk = found[start : start + TASKS_AT_ONCE]
            contents = dict(
                catalog.Task.objects.filter(pk__in=[pk for _, pk in chunk])
                .annotate(content_text=Cast("content", TextField()))
                .values_list("pk", "content_text")
            )
            for content_hash, pk in chunk:
                yield content_hash, Task.model_validate_json(contents[pk])
