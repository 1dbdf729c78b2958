"""Trying a witness: its patch on a scratch state, the request answered there, and the reads made on both sides.

Nothing is stored. The claim that is tried: whoever skips the read sees the same everywhere, and yet the right answer is another.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from environments.core.environment import Environment
from environments.core.errors import Unidentifiable
from environments.core.evaluate import Answer, answer
from environments.core.pointers import leaves
from environments.core.state import Session
from environments.core.tools import ToolCall
from writ_app.engine.errors import WritError
from writ_app.engine.evidence import Observer
from writ_app.engine.types import Task, Witness
from writ_app.services.review.evidence import Mark
from writ_app.services.review.leaves import argument_name, plain_text
from writ_app.services.review.steps import brief_arguments, parse_result

CHANGES_SHOWN = 40
"""Changed fields of one record or result."""
NOTHING = "nothing"


class CannotTry(WritError):
    """A witness that cannot be tried; the text says why."""


@dataclass(frozen=True)
class FieldChange:
    """One field, before and after; `name` is as people write it."""

    name: str
    before: str
    after: str


@dataclass(frozen=True)
class RecordChange:
    """What the patch changes in one record."""

    record: str
    changes: tuple[FieldChange, ...]
    hidden: int


@dataclass(frozen=True)
class PlayedRead:
    """One read, made before and after the patch."""

    number: int
    """In the certificate, from 1; 0 for a read outside it."""
    name: str
    subject: str
    before: Any
    """The tool's answer: parsed if it is JSON, text otherwise."""
    after: Any
    changes: tuple[FieldChange, ...]
    hidden: int
    marks_before: Mapping[str, Mark] = field(default_factory=dict)
    marks_after: Mapping[str, Mark] = field(default_factory=dict)
    without: bool = False
    """Somebody who skips the read that is tried can make this one all the same."""


@dataclass(frozen=True)
class Giveaway:
    """A read that shows the change to those who skip the one that is tried."""

    number: int
    name: str
    subject: str
    named: bool
    """The witness says so itself."""


@dataclass(frozen=True)
class OutcomeLine:
    """One line of the answer on both sides. A heading names a write or what kind of answer it is."""

    name: str
    before: str
    after: str
    heading: bool = False

    @property
    def flipped(self) -> bool:
        return self.before != self.after


@dataclass(frozen=True)
class Tried:
    number: int
    """Of the read in the certificate, from 1."""
    witness: Witness
    records: tuple[RecordChange, ...]
    own: PlayedRead
    """The read that is tried."""
    changed: tuple[PlayedRead, ...]
    """Other reads that the request speaks of and that show something else now."""
    same: int
    """Other reads that the request speaks of with the same answer, byte for byte."""
    open_to_others: int
    """Reads that can be made without the one that is tried, over the whole world."""
    told_apart_by: tuple[Giveaway, ...]
    """Those among them that show the change: the witness names them, or it does not hold."""
    outcome: tuple[OutcomeLine, ...]
    as_stored: bool
    """Both answers are those that the proof wrote down."""

    @property
    def flips(self) -> int:
        return sum(line.flipped for line in self.outcome)

    @property
    def holds(self) -> bool:
        """The answer is another, and nobody without the read can tell but by the reads that the witness names."""
        named = all(read.named for read in self.told_apart_by)
        return bool(self.flips) and named and self.as_stored


def try_witness(environment: Environment, task: Task, number: int) -> Tried:
    """Try the witness of the `number`-th read (from 1) of the certificate. Raises CannotTry."""
    if environment.content_hash != task.environment_hash:
        raise CannotTry(
            f"The environment has changed since this task was designed: it is {environment.content_hash[:12]} now "
            f"and was {task.environment_hash[:12]} then."
        )
    if not 1 <= number <= len(task.certificate):
        raise CannotTry(f"The certificate has no read {number}.")
    read = task.certificate[number - 1]
    if read.witness is None:
        raise CannotTry("This read has no witness: it is not proved, and not counted.")
    state = _patched(environment, read.witness)
    before = _answered(environment, task, Session(environment.state), "")
    after = _answered(environment, task, state, " under the patch")
    numbers = {one.call.key: n for n, one in enumerate(task.certificate, 1)}
    calls = {one.call.key: one.call for one in task.certificate}
    calls |= {call.key: call for call in task.spoken_of}
    play = _Player(environment, state, numbers)
    others = [call for key, call in calls.items() if key != read.call.key]
    moved = [call for call in others if play.differs(call)]
    skipped = {read.call.key, *(call.key for call in read.equivalents)}
    reach = _observer(environment).reach(task.facts, skipped)
    strays = set(reach.differences(state))
    named = set(read.witness.shown_by)
    return Tried(
        number=number,
        witness=read.witness,
        records=tuple(_records(state)),
        own=play.read(read.call, number),
        changed=tuple(play.read(call, number, call.key in reach) for call in moved),
        same=len(others) - len(moved),
        open_to_others=len(reach.common) + len(reach.own),
        told_apart_by=tuple(
            play.giveaway(key, calls.get(key), key in named) for key in sorted(strays)
        ),
        outcome=tuple(_outcome(before, after)),
        as_stored=_as_stored(task, before) and _as_witnessed(read.witness, after),
    )


@lru_cache(maxsize=4)
def _observer(environment: Environment) -> Observer:
    """What anybody can read in a world, remembered from one try to the next."""
    return Observer(environment)


def _patched(environment: Environment, witness: Witness) -> Session:
    state = Session(environment.state)
    try:
        state.apply_patch(witness.patch)
    except (LookupError, TypeError, ValueError) as error:
        raise CannotTry(
            f"The patch no longer applies to this environment's records: {_said(error)}."
        ) from error
    return state


def _said(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"there is no {error.args[0]}" if error.args else "something is missing"
    return str(error)[:200]


def _answered(
    environment: Environment, task: Task, state: Session, where: str
) -> Answer:
    """A fresh source over a fork, so that the writes of the evaluation stay out of the state."""
    domain = environment.domain
    try:
        return answer(task.query, task.facts, domain.from_state(state.fork()), domain)
    except Unidentifiable as error:
        raise CannotTry(f"The request has no answer{where}: {error}") from error


class _Player:
    """Makes reads on both sides."""

    def __init__(
        self, environment: Environment, state: Session, numbers: Mapping[str, int]
    ):
        self.environment = environment
        self.numbers = numbers
        self._before = environment.session()
        self._after = environment.session(state.fork())

    def differs(self, call: ToolCall) -> bool:
        before, after = self._texts(call)
        return before != after

    def read(self, call: ToolCall, tried: int, without: bool = False) -> PlayedRead:
        before, after = map(parse_result, self._texts(call))
        changes = list(_leaf_changes(before, after))
        number = self.numbers.get(call.key, 0)
        where = f"t{tried}-{number}"
        return PlayedRead(
            number=number,
            name=call.name,
            subject=brief_arguments(self.environment, call),
            before=before,
            after=after,
            changes=tuple(_field_change(*change) for change in changes[:CHANGES_SHOWN]),
            hidden=max(0, len(changes) - CHANGES_SHOWN),
            marks_before=_marks(before, changes, f"{where}-b"),
            marks_after=_marks(after, changes, f"{where}-a"),
            without=without,
        )

    def giveaway(self, key: str, call: ToolCall | None, named: bool) -> Giveaway:
        """Of a read that the request does not speak of, the key is all there is."""
        name, _, arguments = key.partition("(")
        subject = arguments.removesuffix(")")
        if call is not None:
            subject = brief_arguments(self.environment, call)
        return Giveaway(self.numbers.get(key, 0), name, subject, named)

    def _texts(self, call: ToolCall) -> tuple[str, str]:
        return self._before.call(call).content, self._after.call(call).content


type LeafChange = tuple[str, Any, Any]
_ABSENT = object()


def _leaf_changes(before: Any, after: Any) -> Iterator[LeafChange]:
    """(pointer, before, after) of every leaf that is not the same on both sides."""
    one, other = dict(leaves(before)), dict(leaves(after))
    for place in dict.fromkeys([*one, *other]):
        was, now = one.get(place, _ABSENT), other.get(place, _ABSENT)
        if was is _ABSENT or now is _ABSENT or (type(was), was) != (type(now), now):
            yield place, was, now


def _field_change(place: str, was: Any, now: Any) -> FieldChange:
    return FieldChange(argument_name(place) or "the answer", _shown(was), _shown(now))


def _shown(value: Any) -> str:
    return NOTHING if value is _ABSENT else plain_text(value)


def _marks(value: Any, changes: Sequence[LeafChange], ident: str) -> dict[str, Mark]:
    there = dict(leaves(value))
    places = [place for place, _, _ in changes[:CHANGES_SHOWN] if place in there]
    return {
        place: Mark(f"{ident}{n}", title="changed") for n, place in enumerate(places)
    }


def _records(state: Session) -> Iterator[RecordChange]:
    """The patch's effect record by record, leaf by leaf."""
    for (collection, key), record in sorted(state.changes().items()):
        base = state.base.collections[collection].get(key)
        changes = list(_leaf_changes(base or {}, record or {}))
        changes = [
            change for change in changes if change[0]
        ]  # an empty record is no field
        yield RecordChange(
            f"{collection} {key}",
            tuple(_field_change(*change) for change in changes[:CHANGES_SHOWN]),
            max(0, len(changes) - CHANGES_SHOWN),
        )


# --- the answer on both sides --------------------------------------------------------------------------------------------------


def _outcome(before: Answer, after: Answer) -> Iterator[OutcomeLine]:
    if before.declined or after.declined:
        yield OutcomeLine("decline", _policy(before.declined), _policy(after.declined))
    if before.transferred or after.transferred:
        sides = _policy(before.transferred), _policy(after.transferred)
        yield OutcomeLine("hand over to a person", *sides)
    told = [
        {one.what: plain_text(one.value) for one in side.told}
        for side in (before, after)
    ]
    for what in dict.fromkeys([*told[0], *told[1]]):
        yield OutcomeLine(
            f"tell {what}", told[0].get(what, NOTHING), told[1].get(what, NOTHING)
        )
    pairs = max(len(before.gold), len(after.gold))
    for n in range(pairs):
        yield from _write_lines(n + 1, _nth(before.gold, n), _nth(after.gold, n))


def _nth(calls: Sequence[ToolCall], n: int) -> ToolCall | None:
    return calls[n] if n < len(calls) else None


def _write_lines(
    number: int, one: ToolCall | None, other: ToolCall | None
) -> Iterator[OutcomeLine]:
    was, now = (call.name if call else "no write" for call in (one, other))
    yield OutcomeLine(f"write {number}", was, now, heading=True)
    sides = [dict(leaves(call.arguments)) if call else {} for call in (one, other)]
    for place in dict.fromkeys([*sides[0], *sides[1]]):
        before, after = (_shown(side.get(place, _ABSENT)) for side in sides)
        yield OutcomeLine(argument_name(place), before, after)


def _policy(clause: str) -> str:
    return f"by policy {clause}" if clause else "no"


def _as_stored(task: Task, found: Answer) -> bool:
    return _summary(found) == (
        tuple(write.call.key for write in task.gold),
        _told(task.told),
        task.declined,
        task.transferred,
    )


def _as_witnessed(witness: Witness, found: Answer) -> bool:
    return _summary(found) == (
        tuple(call.key for call in witness.gold),
        _told(witness.told),
        witness.declined,
        witness.transferred,
    )


def _summary(found: Answer) -> tuple[Any, ...]:
    gold = tuple(call.key for call in found.gold)
    return gold, _told(found.told), found.declined, found.transferred


def _told(facts: Iterable[Any]) -> tuple[tuple[str, str], ...]:
    return tuple((one.what, plain_text(one.value)) for one in facts)
