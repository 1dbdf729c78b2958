"""Conversations of a file on their way into the database: one COPY, a few rows in memory."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from writ_app.engine.export.records import Json
from writ_app.engine.importing import Imported, limits
from writ_app.engine.importing.strict_json import mended_text, storable
from writ_app.models.catalog import ReferenceSet, ReferenceTrajectory

COLUMNS = (
    "reference_set_id",
    "position",
    "simulation_id",
    "task_id",
    "trial",
    "ended_by",
    "reward",
    "steps",
    "world",
    "messages",
    "content",
)
TELL_EVERY = 250
"""Rows."""


@dataclass(frozen=True)
class Row:
    """One conversation, ready to be stored."""

    id: str
    task: str
    trial: int
    ended_by: str
    reward: float | None
    messages: list[Json]
    content: Json
    world: int | None = None


@dataclass
class Written:
    """What was written so far."""

    rows: int = 0
    replaced: int = 0
    """Rows in which characters had to be replaced that no text can hold."""


def copy_rows(
    reference_set: ReferenceSet,
    rows: Iterable[Row],
    tell: Callable[[Written], None] | None = None,
) -> Written:
    """Within a transaction: an error in the midst leaves nothing."""
    table = connection.ops.quote_name(ReferenceTrajectory._meta.db_table)
    written = Written()
    statement = f"COPY {table} ({', '.join(COLUMNS)}) FROM STDIN"
    with copying(statement) as copy:
        for row in rows:
            copy.write_row(_values(reference_set.pk, row, written))
            written.rows += 1
            if tell and written.rows % TELL_EVERY == 0:
                tell(written)
    if tell:
        tell(written)
    return written


class _Broken(Exception):
    """Ends a COPY; its cause is what happened."""


@contextmanager
def copying(statement: str) -> Iterator[Any]:
    """COPY, for rows that are made while they are written.

    psycopg tells Postgres the text of the error that ends it, and Postgres hangs up at one of over 10,000 characters: all that it is
    told here is that there was one.
    """
    happened: BaseException | None = None
    try:
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            try:
                yield copy
            except Exception as error:
                raise _Broken from error
    except _Broken as broken:
        happened = broken.__cause__
    if happened is not None:
        raise happened


def _values(pk: int, row: Row, written: Written) -> tuple[Any, ...]:
    messages, first = storable(row.messages)
    content, second = storable(row.content)
    written.replaced += first or second
    return (
        pk,
        written.rows,
        mended_text(row.id),
        mended_text(row.task),
        row.trial,
        mended_text(row.ended_by),
        row.reward,
        len(row.messages),
        row.world,
        messages,
        content,
    )


# --- what rows share -----------------------------------------------------------------------------------------------------------


@dataclass
class Gathered:
    """What a set's rows have in common, gathered as they pass."""

    worlds: dict[tuple[str, str, str], Json] = field(default_factory=dict)
    environments: set[str] = field(default_factory=set)
    agents: set[str] = field(default_factory=set)
    users: set[str] = field(default_factory=set)

    def rows(self, found: Iterable[tuple[str, Imported]]) -> Iterator[Row]:
        for number, (_, one) in enumerate(found, start=1):
            yield self._row(one, f"row {number}")

    def _row(self, one: Imported, fallback: str) -> Row:
        """A row without an id, or a task, is told by its number: no two that are not the same may seem to be."""
        world, own = self._world(one)
        self._players(one.extras)
        self.environments.add(one.environment)
        return Row(
            id=one.id or fallback,
            task=one.task or fallback,
            trial=_trial(one.extras),
            ended_by=one.ended_by,
            reward=None,
            messages=one.messages,
            content={**one.extras, **own},
            world=world,
        )

    def _world(self, one: Imported) -> tuple[int | None, Json]:
        """(place among the worlds, what the row keeps itself)."""
        key = (one.environment, one.system, one.tools_key)
        if not any(key):
            return None, {}
        shared = {
            "environment": one.environment,
            "system": one.system,
            "tools": list(one.tools),
        }
        if key not in self.worlds:
            if len(self.worlds) >= limits.WORLDS:
                return None, shared
            self.worlds[key] = shared
            self._places[key] = len(self._places)
        return self._places[key], {}

    _places: dict[tuple[str, str, str], int] = field(default_factory=dict)

    def _players(self, extras: Json) -> None:
        for name, met in (("agent", self.agents), ("user", self.users)):
            value = extras.get(name)
            if isinstance(value, str) and len(met) < 3:
                met.add(value)


def _trial(extras: Json) -> int:
    trial = extras.get("trial")
    if not isinstance(trial, int) or isinstance(trial, bool):
        return 0
    return trial if 0 <= trial < 2**31 else 0


def named(met: set[str]) -> str:
    """One name, or that there are several."""
    if len(met) > 1:
        return "several"
    return mended_text(next(iter(met), ""))[:200]
