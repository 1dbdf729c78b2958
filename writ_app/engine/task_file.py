"""Task files: one proved task per line, in a form that anybody can check again (docs/tasks.md).

A line holds the request, its answer and the claims about it. Nothing in it has to be believed: `writ_app.engine.proving` works
everything out again from the query, the facts and the database, and compares.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from environments.core.domain import TaskClass
from environments.core.query import Query
from environments.core.tools import ToolCall
from writ_app.engine.errors import WritError
from writ_app.engine.types import (
    Burden,
    CertificateRead,
    Companions,
    GoldWrite,
    SaidClause,
    Task,
    ToldFact,
    Witness,
    WriteOrders,
)

FORMAT = 1
"""Raised whenever a reader of the last form would misread the new one."""


class BadTaskFile(WritError):
    """A line that is not a task; the text says which and why."""


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FileCall(_Line):
    name: str
    arguments: dict[str, Any] = Field(default_factory=dict)


class FileTold(_Line):
    what: str
    value: Any


class FileWitness(_Line):
    """A database, as a patch of ours, in which the answer is another and nobody without the read can tell."""

    patch: list[dict[str, Any]]
    """RFC 6902 over the database as the reference lays it out."""
    gold: list[FileCall]
    told: list[FileTold] = Field(default_factory=list)
    declined: str = ""
    transferred: str = ""
    shown_by: list[str] = Field(default_factory=list)
    """Reads outside the certificate that would show the patch, too; no read shows the patches of two."""
    note: str = ""


class FileRead(_Line):
    name: str
    arguments: dict[str, Any] = Field(default_factory=dict)
    role: Literal["identity", "discovery", "candidates", "rules"]
    witness: FileWitness | None = None


class FileBurden(_Line):
    total: int
    """Reads that every certificate has at least: those that are proved."""
    identity: int = 0
    discovery: int = 0
    candidates: int = 0
    rules: int = 0
    proved: int
    """Reads of the certificate with a witness; below its length, no smaller certificate is excluded."""


class FileCompanions(_Line):
    expected_reads: float
    candidates: int = 0
    feasible: int = 0
    decoys: int = 0
    margin: float | None = None
    evidence_tokens: int = 0


class FileTask(_Line):
    """One line. The fields are documented in docs/tasks.md."""

    format: Literal[1] = 1
    id: str
    environment: str
    version: str
    """Which database: `generated-SEED-SIZE`, or the name of an imported one."""
    state_hash: str
    environment_hash: str
    task_class: TaskClass = Field(alias="class")
    archetype: str
    """Slug; of a composition, the parts' slugs joined by `+`."""
    title: str
    seed: int
    query: Query
    query_text: str
    """The query as it is printed: for people."""
    text: str
    clauses: list[SaidClause]
    known_facts: dict[str, Any]
    gold: list[FileCall]
    told: list[FileTold] = Field(default_factory=list)
    declined: str = ""
    transferred: str = ""
    gold_effect: str
    certificate: list[FileRead]
    burden: FileBurden
    lift: int
    companions: FileCompanions
    existential: bool = False
    dependent: bool = False
    orders: WriteOrders | None = None
    person: str = ""


def to_file(task: Task) -> FileTask:
    shown = task.companions
    return FileTask.model_validate(
        {
            "id": task.slug,
            "environment": task.environment,
            "version": task.environment_version,
            "state_hash": task.state_hash,
            "environment_hash": task.environment_hash,
            "class": task.task_class,
            "archetype": task.archetype,
            "title": task.title,
            "seed": task.seed,
            "query": task.query,
            "query_text": str(task.query),
            "text": task.text,
            "clauses": list(task.clauses),
            "known_facts": task.facts,
            "gold": [write.call.model_dump() for write in task.gold],
            "told": _told(task.told),
            "declined": task.declined,
            "transferred": task.transferred,
            "gold_effect": task.gold_effect,
            "certificate": [_read(read) for read in task.certificate],
            "burden": {
                **task.burden.model_dump(exclude={"exact"}),
                "proved": sum(read.witness is not None for read in task.certificate),
            },
            "lift": shown.lift,
            "companions": shown.model_dump(exclude={"lift"}),
            "existential": task.existential,
            "dependent": task.dependent,
            "orders": task.orders,
            "person": task.person,
        }
    )


def _told(told: Iterable[ToldFact]) -> list[dict[str, Any]]:
    return [{"what": one.what, "value": one.value} for one in told]


def _read(read: CertificateRead) -> dict[str, Any]:
    found: dict[str, Any] = {**read.call.model_dump(), "role": read.role}
    if read.witness is not None:
        witness = read.witness
        found["witness"] = {
            **witness.model_dump(exclude={"told"}),
            "patch": list(witness.patch),
            "gold": [call.model_dump() for call in witness.gold],
            "told": _told(witness.told),
            "shown_by": list(witness.shown_by),
        }
    return found


def to_task(line: FileTask) -> Task:
    """The task without what a file leaves out: origins of arguments, tables of candidates, equivalents and decisive fields."""
    parts = tuple(line.archetype.split("+"))
    return Task(
        environment=line.environment,
        environment_version=line.version,
        environment_hash=line.environment_hash,
        state_hash=line.state_hash,
        archetype=line.archetype,
        title=line.title,
        task_class=line.task_class,
        seed=line.seed,
        query=line.query,
        facts=line.known_facts,
        clauses=tuple(line.clauses),
        text=line.text,
        gold=tuple(GoldWrite(call=_call(call)) for call in line.gold),
        told=tuple(_told_fact(one) for one in line.told),
        declined=line.declined,
        transferred=line.transferred,
        gold_effect=line.gold_effect,
        certificate=tuple(_certificate_read(read) for read in line.certificate),
        burden=Burden(
            **line.burden.model_dump(exclude={"proved"}),
            exact=line.burden.proved == len(line.certificate),
        ),
        companions=Companions(lift=line.lift, **line.companions.model_dump()),
        existential=line.existential,
        dependent=line.dependent,
        person=line.person,
        parts=parts if len(parts) > 1 else (),
        orders=line.orders,
    )


def _call(made: FileCall | FileRead) -> ToolCall:
    return ToolCall(name=made.name, arguments=made.arguments)


def _told_fact(one: FileTold) -> ToldFact:
    return ToldFact(what=one.what, value=one.value)


def _certificate_read(read: FileRead) -> CertificateRead:
    shown = read.witness
    if shown is None:
        return CertificateRead(call=_call(read), role=read.role)
    witness = Witness(
        patch=tuple(shown.patch),
        gold=tuple(map(_call, shown.gold)),
        told=tuple(map(_told_fact, shown.told)),
        declined=shown.declined,
        transferred=shown.transferred,
        shown_by=tuple(shown.shown_by),
        note=shown.note,
    )
    return CertificateRead(call=_call(read), role=read.role, witness=witness)


def line_of(task: Task) -> str:
    plain = to_file(task).model_dump(mode="json", by_alias=True)
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))


def read_tasks(path: Path) -> Iterator[tuple[int, FileTask]]:
    """(number of the line, task). Raises BadTaskFile with the line and what is wrong with it."""
    for number, line in text_lines(path):
        yield number, read_line(line, f"{path.name}, line {number}")


def text_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """(number, what it holds) of each line that is not blank."""
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield number, line


def read_line(line: str | bytes, where: str = "The line") -> FileTask:
    """Raises BadTaskFile."""
    try:
        raw = json.loads(line.decode() if isinstance(line, bytes) else line)
    except (ValueError, RecursionError) as error:
        raise BadTaskFile(f"{where} is not JSON: {error}") from error
    if not isinstance(raw, Mapping):
        raise BadTaskFile(f"{where} is no object.")
    try:
        return FileTask.model_validate(raw)
    except ValidationError as error:
        places = [
            f"{'/'.join(map(str, one['loc'])) or 'task'}: {one['msg']}"
            for one in error.errors()[:5]
        ]
        raise BadTaskFile(f"{where} is not a task: {'; '.join(places)}") from error
