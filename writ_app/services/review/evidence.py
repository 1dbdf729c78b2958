"""The evidence side of a page: each needed read beside the message that made it, decisive fields marked."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from environments.core.environment import Environment
from environments.core.pointers import at, leaves
from writ_app.engine.types import (
    CandidateTable,
    CertificateRead,
    Task,
    Verification,
    Witness,
)
from writ_app.services.review.leaves import argument_name, is_plain, plain_text
from writ_app.services.review.steps import Step, brief_arguments

CANDIDATES_SHOWN = 9
SHORT = 120
CELL = 17
"""Width of one cell of the coverage meter with the gap after it, in pixels."""


@dataclass(frozen=True)
class Mark:
    """A highlighted field of a result. With `arguments` (ids) it grounds those, otherwise it only decided the choice."""

    id: str
    arguments: tuple[str, ...] = ()
    title: str = ""


@dataclass(frozen=True)
class Change:
    """One argument of the gold, and what it would be; with no name, `other` says it all."""

    name: str
    gold: str
    other: str


@dataclass(frozen=True)
class EvidenceRow:
    number: int
    name: str
    subject: str
    role: str
    step: Step | None
    """The step that made this read in time; None if nobody did."""
    marks: Mapping[str, Mark]
    """JSON pointer into the result → its mark."""
    anchors: tuple[str, ...]
    """Ids of marks that have no field of their own to stand at: links to them lead to the row."""
    witness: str
    """What would have to be different for the answer to be another."""
    would_be: tuple[Change, ...]
    """What the answer would be then, where it differs."""
    proved: bool
    grounds: int
    via: str = ""
    """The equivalent call that was made instead."""

    @property
    def id(self) -> str:
        return f"e{self.number}"

    @property
    def told(self) -> str:
        """A short answer in words, such as an id, when nothing in it is marked."""
        result = self.step.result if self.step else None
        plain = isinstance(result, str) and len(result) <= SHORT and not self.marks
        return str(result) if plain else ""

    @property
    def meter_x(self) -> int:
        return (self.number - 1) * CELL


class Anchor(Protocol):
    """A read on the page that links can lead to."""

    @property
    def number(self) -> int: ...

    @property
    def id(self) -> str: ...


@dataclass(frozen=True)
class CandidateRow:
    label: str
    values: tuple[str, ...]
    why_not: str
    gold: bool
    row: Anchor | None
    gap: str = ""


@dataclass(frozen=True)
class CandidateView:
    name: str
    objective: tuple[str, ...]
    rows: tuple[CandidateRow, ...]
    more: tuple[CandidateRow, ...]
    total: int
    feasible: int
    margin: str = ""


def make_evidence(
    environment: Environment,
    task: Task,
    verification: Verification,
    steps: tuple[Step, ...],
    marks: Mapping[str, Mapping[str, Mark]],
) -> tuple[EvidenceRow, ...]:
    """One row per read of the certificate. `marks` are by the key of the read."""
    coverage = [*verification.coverage, *[None] * len(task.certificate)]
    rows = []
    for number, read in enumerate(task.certificate, 1):
        message = coverage[number - 1]
        step = _step_of(read, message, steps)
        own = dict(marks.get(read.call.key, {}))
        for place in read.decisive:
            own.setdefault(place, Mark(f"e{number}-d{len(own)}", title="decides"))
        visible = _visible(own, step)
        made = step is not None and step.name != read.call.name
        rows.append(
            EvidenceRow(
                number=number,
                name=read.call.name,
                subject=brief_arguments(environment, read.call),
                role=read.role,
                step=step,
                marks=visible,
                anchors=tuple(
                    mark.id for mark in own.values() if mark not in visible.values()
                ),
                witness=_condition(read.witness),
                would_be=tuple(_would_be(task, read.witness)),
                proved=read.witness is not None,
                grounds=len({one for mark in own.values() for one in mark.arguments}),
                via=step.name if step is not None and made else "",
            )
        )
    return tuple(rows)


def _step_of(
    read: CertificateRead, message: int | None, steps: Sequence[Step]
) -> Step | None:
    """The step that made the read: of several calls in one message its own, else an equivalent one, which is the last."""
    there = [step for step in steps if step.message == message and step.name]
    call = read.call
    for step in there:
        if (step.name, step.arguments) == (call.name, call.arguments):
            return step
    return there[-1] if there else None


def _visible(marks: Mapping[str, Mark], step: Step | None) -> dict[str, Mark]:
    """Marks that stand at a plain field of the result. An answer in words, such as an id, is one field."""
    if step is None:
        return dict(marks)
    if isinstance(step.result, str):
        return dict(zip(("",), marks.values(), strict=False))
    return {
        place: mark for place, mark in marks.items() if is_plain(at(step.result, place))
    }


CHANGES_SHOWN = 4
ANSWER = ", the right answer would be "


def _condition(witness: Witness | None) -> str:
    """The note up to the answer: that is told by the arguments that would change."""
    return witness.note.partition(ANSWER)[0] if witness else ""


def _would_be(task: Task, witness: Witness | None) -> Iterator[Change]:
    if witness is None or ANSWER not in witness.note:
        return
    if witness.declined and not task.declined:
        yield Change("", "", f"policy {witness.declined} would forbid it")
        return
    gold = [write.call for write in task.gold]
    if [call.name for call in gold] != [call.name for call in witness.gold]:
        names = ", then ".join(call.name for call in witness.gold)
        yield Change("", "", f"the right answer would be {names or 'no write'}")
        return
    changes = [
        Change(argument_name(place), plain_text(before), plain_text(after))
        for one, other in zip(gold, witness.gold, strict=True)
        for place, before, after in _changed(one.arguments, other.arguments)
    ]
    yield from changes[:CHANGES_SHOWN]
    if len(changes) > CHANGES_SHOWN:
        yield Change("", "", f"{len(changes) - CHANGES_SHOWN} more arguments")


def _changed(
    one: Mapping[str, Any], other: Mapping[str, Any]
) -> Iterator[tuple[str, Any, Any]]:
    before, after = dict(leaves(dict(one))), dict(leaves(dict(other)))
    for place in {**before, **after}:
        if before.get(place) != after.get(place):
            yield place, before.get(place, "nothing"), after.get(place, "nothing")


def make_candidates(task: Task, rows: Sequence[Anchor]) -> tuple[CandidateView, ...]:
    by_key = {
        read.call.key: row for read, row in zip(task.certificate, rows, strict=True)
    }
    return tuple(_candidate_view(table, by_key) for table in task.tables)


def _candidate_view(
    table: CandidateTable, by_key: Mapping[str, Anchor]
) -> CandidateView:
    lines = tuple(_candidate_rows(table, by_key))
    gold = next((n for n, line in enumerate(lines) if line.gold), 0)
    # Decoys that beat the winner are what a hasty agent takes, so they stay beside it.
    start = max(0, min(gold - 4, len(lines) - CANDIDATES_SHOWN))
    shown = slice(start, start + CANDIDATES_SHOWN)
    return CandidateView(
        name=table.name,
        objective=tuple(part.partition(".")[2] or part for part in table.objective),
        rows=lines[shown],
        more=lines[:start] + lines[shown.stop :],
        total=len(lines),
        feasible=sum(not line.why_not for line in lines),
        margin="" if table.margin is None else f"{table.margin:,.2f}",
    )


def _candidate_rows(
    table: CandidateTable, by_key: Mapping[str, Anchor]
) -> Iterator[CandidateRow]:
    gold = next((line for line in table.lines if line.gold), None)
    for line in table.lines:
        gap = ""
        if gold is not None and not line.gold and not line.why_not:
            gap = _gap(line.objective, gold.objective)
        yield CandidateRow(
            label=line.label,
            values=tuple(map(_plain, line.objective)),
            why_not=line.why_not,
            gold=line.gold,
            row=by_key.get(line.read),
            gap=gap,
        )


def _gap(one: tuple[Any, ...], gold: tuple[Any, ...]) -> str:
    """How much worse on the first part that differs."""
    for mine, best in zip(one, gold, strict=False):
        if mine != best and all(_is_number(value) for value in (mine, best)):
            return f"{mine - best:+,.2f}"
        if mine != best:
            return ""
    return ""


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,.2f}" if isinstance(value, float) else str(value)
