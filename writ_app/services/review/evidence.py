"""The evidence side of a page: each needed read beside the message that made it, decisive fields marked."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, Protocol

from environments.core.environment import Environment
from environments.core.pointers import MISSING, at, leaves, pointer, split
from environments.core.tools import ToolCall
from writ_app.engine.types import (
    CandidateTable,
    CertificateRead,
    Task,
    Verification,
    Witness,
)
from writ_app.services.review.leaves import (
    argument_name,
    is_plain,
    value_text,
)
from writ_app.services.review.steps import Step, brief_arguments

CANDIDATES_SHOWN = 9
CONDITIONS_SHOWN = 3
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
class Condition:
    """One field as a witness has it, and as it is."""

    name: str
    verb: str
    """were, had, were not there, or were there, with."""
    value: str = ""
    now: str = ""
    """"" if that is not to be seen in the result."""


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
    witness: tuple[Condition, ...]
    """What would have to be different for the answer to be another."""
    witness_more: int
    """Conditions that are not shown."""
    would_be: tuple[Change, ...]
    """What the answer would be then, where it differs."""
    proved: bool
    grounds: int
    via: str = ""
    """The equivalent call that was made instead."""
    altered: bool = False
    """Made again at this point, the call gives another result than the one that is recorded."""

    @property
    def id(self) -> str:
        return f"e{self.number}"

    @property
    def told(self) -> str:
        """A short answer in words, such as an id, when nothing in it is marked."""
        return self.step.told if self.step and not self.marks else ""

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
    rows, otherwise = [], _answered_otherwise(verification)
    for number, read in enumerate(task.certificate, 1):
        message = coverage[number - 1]
        step = _step_of(read, message, steps)
        own = dict(marks.get(read.call.key, {}))
        conditions = list(_conditions(environment, read.witness, step))
        for place in (*read.decisive, *(place for place, _ in conditions if place)):
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
                witness=tuple(one for _, one in conditions[:CONDITIONS_SHOWN]),
                witness_more=max(0, len(conditions) - CONDITIONS_SHOWN),
                would_be=tuple(_would_be(environment, task, read.witness)),
                proved=read.witness is not None,
                grounds=len({one for mark in own.values() for one in mark.arguments}),
                via=step.name if step is not None and made else "",
                altered=step is not None
                and not otherwise.isdisjoint((step.message, step.answer)),
            )
        )
    return tuple(rows)


def _answered_otherwise(verification: Verification) -> frozenset[int]:
    """Indexes of calls whose recorded result is not the environment's."""
    replay = (one for one in verification.checks if one.name == "replay")
    return frozenset(place for one in replay if not one.passed for place in one.where)


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
VALUE_SHOWN = 80
FIELDS_SHOWN = 4
ANSWER = ", the right answer would be "


def _conditions(
    environment: Environment, witness: Witness | None, step: Step | None
) -> Iterator[tuple[str, Condition]]:
    """(JSON pointer of the field in the result, "" if it is not to be seen there; the condition) for each step of the patch."""
    dollars = environment.domain.display.dollars
    for change in witness.patch if witness else ():
        _, key, *inner = split(change["path"])
        named = not dollars.isdisjoint(inner)  # of such an object all numbers are
        money = partial(_is_money, dollars, named)
        place = _place_of(step.result, key, inner) if step else None
        name = argument_name(pointer(*inner)) or key
        if change["op"] == "remove":
            yield place or "", Condition(name, "were not there")
            continue
        if isinstance(change["value"], dict) and change["op"] == "replace":
            there = at(environment.state.collections, change["path"])
            other = _other_fields(change["value"], there, money)
            if other:
                yield place or "", Condition(name, "had", other)
                continue
        seen = at(step.result, place) if step and place is not None else ""
        whole = isinstance(change["value"], dict) and change["op"] == "add"
        verb = "were there, with" if whole else "were"
        yield (
            place or "",
            Condition(
                name,
                verb,
                _brief(change["value"], money),
                value_text(seen, dollars=named),
            ),
        )


type Money = Callable[[str], bool]
"""Whether a field of that name, "" for the value itself, holds dollars."""


def _is_money(dollars: frozenset[str], named: bool, name: str) -> bool:
    return named or name in dollars


def _place_of(result: Any, key: str, inner: Sequence[str]) -> str | None:
    """Where a result shows a field of the record with that key: in an object that has the key, under the end of its path."""
    if not inner:
        return None
    for place, value in _objects(result, ""):
        if key in value.values():
            for start in range(len(inner)):
                end = pointer(*inner[start:])
                if is_plain(at(value, end)):
                    return place + end
    return None


OBJECTS = 2_000
"""Objects of one result that are looked at."""


def _objects(value: Any, place: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(pointer, object) of the objects in a result, outer ones first."""
    waiting = [(place, value)]
    for where, one in islice(_walk(waiting), OBJECTS):
        if isinstance(one, dict):
            yield where, one


def _walk(waiting: list[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    for where, one in waiting:  # grows as it goes
        yield where, one
        inside = one.items() if isinstance(one, dict) else enumerate(one)
        waiting += [
            (where + pointer(key), inner)
            for key, inner in inside
            if isinstance(inner, dict | list)
        ]


def _brief(value: Any, money: Money) -> str:
    """A value in few words; of an object its first plain fields."""
    if isinstance(value, dict):
        plain = _plain_fields(value, money)
        return ", ".join(plain[:FIELDS_SHOWN]) or f"{len(value)} fields"
    return value_text(value, dollars=money(""))[:VALUE_SHOWN]


def _plain_fields(value: Mapping[str, Any], money: Money) -> list[str]:
    return [
        f"{key} {value_text(one, dollars=money(key))}"
        for key, one in value.items()
        if is_plain(one)
    ]


def _other_fields(value: Mapping[str, Any], there: Any, money: Money) -> str:
    """The fields in which an object differs from the one that is there, in few words; "" if that is none."""
    if not isinstance(there, Mapping):
        return ""
    other = {key: one for key, one in value.items() if there.get(key, MISSING) != one}
    plain = _plain_fields(other, money)
    inner = [f"other {key}" for key, one in other.items() if not is_plain(one)]
    return ", ".join([*plain, *inner][:FIELDS_SHOWN])


def _would_be(
    environment: Environment, task: Task, witness: Witness | None
) -> Iterator[Change]:
    if witness is None or ANSWER not in witness.note:
        return
    if witness.declined != task.declined:
        words = f"policy {witness.declined} would forbid it"
        yield Change("", "", words if witness.declined else "it would be allowed")
        return
    if witness.transferred != task.transferred:
        words = f"policy {witness.transferred} would hand it to a person"
        yield Change("", "", words if witness.transferred else "nobody would take over")
        return
    told = {one.what: one.value for one in task.told}
    for one in witness.told:
        if told.get(one.what) != one.value:
            value = value_text(told.get(one.what, "nothing"))
            yield Change(one.what, value, value_text(one.value))
    gold = [write.call for write in task.gold]
    if [call.name for call in gold] != [call.name for call in witness.gold]:
        yield from _other_writes(environment, gold, witness.gold)
        return
    changes = [
        Change(
            (f"write {n}: " if len(gold) > 1 else "") + argument_name(place),
            value_text(before),
            value_text(after),
        )
        for n, (one, other) in enumerate(zip(gold, witness.gold, strict=True), 1)
        for place, before, after in _changed(one.arguments, other.arguments)
    ]
    yield from changes[:CHANGES_SHOWN]
    if len(changes) > CHANGES_SHOWN:
        yield Change("", "", f"{len(changes) - CHANGES_SHOWN} more arguments")


def _other_writes(
    environment: Environment, gold: Sequence[ToolCall], other: Sequence[ToolCall]
) -> Iterator[Change]:
    """Writes that would no longer be right, and those that would be in their place."""
    sides = (
        ("no", [call for call in gold if call not in other]),
        (
            "also" if all(call in other for call in gold) else "instead",
            [call for call in other if call not in gold],
        ),
    )
    for word, calls in sides:
        for call in calls[:CHANGES_SHOWN]:
            yield Change(
                "", "", f"{word} {call.name} {brief_arguments(environment, call)}"
            )
        if len(calls) > CHANGES_SHOWN:
            yield Change("", "", f"{word} {len(calls) - CHANGES_SHOWN} more writes")


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
