"""What runners write down: answers, outcomes, simulations given back, batches stopped. Many at a time, in one transaction.

Every entry names the claim under which it was made. What was made under a claim that somebody else has taken over is dropped, so
that a runner thought dead changes nothing. Writing an entry twice is the same as writing it once: when the database breaks off
in the middle of a commit, nobody knows whether it happened.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from writ_app.engine import simulation, types
from writ_app.engine.llm import Completion
from writ_app.engine.pacing import Budget
from writ_app.models.synthesis import (
    Batch,
    BatchStatus,
    Simulation,
    SimulationStatus,
    Trajectory,
    Turn,
)
from writ_app.services.synthesis.control import finish_batch_if_done, stop_batch


class Claim(NamedTuple):
    """A simulation in somebody's hands. `attempt` is the fencing token."""

    simulation: int
    attempt: int
    batch: int


class Answered(NamedTuple):
    """A turn as it stands. `seconds` from asking to the last answer."""

    claim: Claim
    turn: simulation.Turn
    seconds: float


class Ended(NamedTuple):
    claim: Claim
    trajectory: types.Trajectory
    verification: types.Verification
    scripted: bool


class GivenBack(NamedTuple):
    """To be gone on with by whoever claims it next. With a `reason` its batch is paused."""

    claim: Claim
    setback: bool = False
    reason: str = ""


type Entry = Answered | Ended | GivenBack


@dataclass
class Standing:
    """How things stand after writing: statuses of simulations that are still held, and of their batches."""

    held: dict[Claim, str] = field(default_factory=dict)
    batches: dict[int, str] = field(default_factory=dict)


@dataclass
class _Spent:
    cost: Decimal = Decimal(0)
    prompt_tokens: int = 0
    completion_tokens: int = 0
    turns: int = 0

    def __iter__(self) -> Iterator[Decimal | int]:
        return iter((self.cost, self.prompt_tokens, self.completion_tokens, self.turns))


def record(entries: Sequence[Entry], *, repeated: bool = True) -> Standing:
    """Write all entries or, if the database refuses one, none. Locks simulations before batches, as everybody does.

    Not `repeated` is quicker: none of them can have been written before, not even by a commit that nobody heard of.
    """
    claims = {entry.claim for entry in entries}
    with transaction.atomic():
        held = lock(claims)
        mine = [entry for entry in entries if entry.claim in held]
        answered = [entry for entry in mine if isinstance(entry, Answered)]
        spent = _write_turns(answered, repeated)
        _write_outcomes([e for e in mine if isinstance(e, Ended)], held)
        for entry in mine:
            if isinstance(entry, GivenBack):
                _give_back(entry)
        touched = sorted({claim.batch for claim in claims})
        states = {pk: _spend(pk, spent.get(pk, _Spent())) for pk in touched}
        for batch_id, reason in _reasons_to_stop(mine):
            if stop_batch(batch_id=batch_id, reason=reason):
                states[batch_id] = BatchStatus.PAUSED.value
    for batch_id in {e.claim.batch for e in mine if isinstance(e, Ended)}:
        finish_batch_if_done(batch_id=batch_id)
    return Standing(held, states)


def lock(claims: Collection[Claim]) -> dict[Claim, str]:
    """Of these claims those that still hold, with the simulation's status; nobody else can take them over meanwhile."""
    with connection.cursor() as cursor:  # the ORM takes longer than the database
        cursor.execute(_LOCK, [[claim.simulation for claim in claims]])
        return {
            claim: status
            for *row, status in cursor.fetchall()
            if (claim := Claim(*row)) in claims
        }


_LOCK = """\
SELECT id, attempt, batch_id, status FROM writ_app_simulation
WHERE id = ANY(%s)
ORDER BY id
FOR NO KEY UPDATE"""


def batch_states(ids: Iterable[int]) -> dict[int, str]:
    return dict(Batch.objects.filter(pk__in=ids).values_list("pk", "status"))


def _write_turns(entries: Sequence[Answered], repeated: bool) -> dict[int, _Spent]:
    """Insert or complete turns; returns what each batch spent on what had not been written before."""
    rows = [_turn_row(entry) for entry in entries]
    # A turn is begun, and then completed, only while drafts are rejected.
    there = _written_before([row for row in rows if repeated or row.drafts])
    spent: defaultdict[int, _Spent] = defaultdict(_Spent)
    for entry, row in zip(entries, rows, strict=True):
        total = spent[entry.claim.batch]
        before = there.get((row.simulation_id, row.position))
        if before is not None and before.fingerprint != row.fingerprint:
            before = None  # an answer to something else: paid for as well
        total.turns += before is None
        total.cost += row.cost - (before.cost if before else 0)
        total.prompt_tokens += row.prompt_tokens - (
            before.prompt_tokens if before else 0
        )
        total.completion_tokens += row.completion_tokens - (
            before.completion_tokens if before else 0
        )
    Turn.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["simulation", "position"],
        update_fields=[
            *("side", "fingerprint", "completion", "drafts", "raw", "attempt"),
            *("cost", "prompt_tokens", "completion_tokens", "seconds"),
        ],
    )
    return spent


def _written_before(begun: Sequence[Turn]) -> dict[tuple[int, int], Turn]:
    """What the database has of these turns, by simulation and position."""
    if not begun:
        return {}
    found = Turn.objects.filter(
        simulation__in=[row.simulation_id for row in begun],
        position__in={row.position for row in begun},
    ).defer("completion", "drafts", "raw")
    return {(row.simulation_id, row.position): row for row in found}


def _turn_row(entry: Answered) -> Turn:
    turn = entry.turn
    answer = turn.completion
    return Turn(
        simulation_id=entry.claim.simulation,
        position=turn.position,
        side=turn.side,
        fingerprint=turn.fingerprint,
        completion=answer and answer.model_dump(mode="json"),
        drafts=[draft.model_dump(mode="json") for draft in turn.drafts],
        raw=answer and answer.raw,
        attempt=entry.claim.attempt,
        cost=round(Decimal(turn.usage.cost), 9),
        prompt_tokens=turn.usage.prompt_tokens,
        completion_tokens=turn.usage.completion_tokens,
        seconds=entry.seconds,
    )


def read_turn(row: Turn) -> simulation.Turn:
    """The engine's value of a row, without the provider's payload."""
    return simulation.Turn.model_validate(
        {
            "position": row.position,
            "side": row.side,
            "fingerprint": row.fingerprint,
            "completion": row.completion,
            "drafts": row.drafts,
        }
    )


def _write_outcomes(entries: Sequence[Ended], held: dict[Claim, str]) -> None:
    running = [e for e in entries if held[e.claim] == SimulationStatus.RUNNING]
    if not running:
        return
    Simulation.objects.filter(pk__in=[e.claim.simulation for e in running]).update(
        status=SimulationStatus.DONE, finished_at=Now(), lease_until=None
    )
    Trajectory.objects.bulk_create(map(_trajectory_row, running))


def _trajectory_row(entry: Ended) -> Trajectory:
    trajectory, verification = entry.trajectory, entry.verification
    return Trajectory(
        simulation_id=entry.claim.simulation,
        content=trajectory.model_dump(mode="json"),
        content_hash=trajectory.content_hash,
        ended_by=trajectory.ended_by.value,
        scripted=entry.scripted,
        steps=len(trajectory.messages),
        verification=verification.model_dump(mode="json"),
        realised=verification.behaviour,
        accepted=verification.accepted,
        reason=verification.reason,
        owner=verification.owner.value if verification.owner else "",
    )


def _give_back(entry: GivenBack) -> None:
    rows = Simulation.objects.filter(
        pk=entry.claim.simulation, status=SimulationStatus.RUNNING
    )
    if entry.setback:
        rows.update(setbacks=F("setbacks") + 1)
    rows.requeue()


def _spend(batch_id: int, spent: _Spent) -> str:
    """Add to what a batch has spent, and pause it if that reaches a cap. Returns its status."""
    with connection.cursor() as cursor:  # the ORM would need two queries
        cursor.execute(_SPEND, [*spent, batch_id])
        status, cost, prompt, completion, max_cost, max_tokens = cursor.fetchone()
    budget = Budget(
        max_cost=None if max_cost is None else float(max_cost), max_tokens=max_tokens
    )
    reason = budget.spent(float(cost), prompt + completion)
    if reason and stop_batch(batch_id=batch_id, reason=reason):
        return BatchStatus.PAUSED.value
    return str(status)


_SPEND = """\
UPDATE writ_app_batch
SET cost = cost + %s, prompt_tokens = prompt_tokens + %s, completion_tokens = completion_tokens + %s, turns = turns + %s
WHERE id = %s
RETURNING status, cost, prompt_tokens, completion_tokens, max_cost, max_tokens"""


def _reasons_to_stop(entries: Iterable[Entry]) -> Iterable[tuple[int, str]]:
    for entry in entries:
        if isinstance(entry, GivenBack) and entry.reason:
            yield entry.claim.batch, entry.reason
        if isinstance(entry, Answered) and not _priced(entry.turn.completion):
            if Batch.objects.filter(pk=entry.claim.batch, max_cost=None).exists():
                continue
            yield (
                entry.claim.batch,
                f"There is a cap on the cost, but nobody knows what the endpoint of the {entry.turn.side} costs. "
                "Give it its prices, 0 if it is free, and order the batch again, or take the cap away.",
            )


def _priced(answer: Completion | None) -> bool:
    return answer is None or answer.priced
