"""Stopping a batch and going on with it: pause, resume, cancel, try again what a provider's fault cost."""

from decimal import Decimal

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from writ_app.engine.errors import WritError
from writ_app.engine.types import Ending
from writ_app.models.synthesis import (
    Batch,
    BatchStatus,
    Simulation,
    SimulationStatus,
    Turn,
)
from writ_app.services.audit import record
from writ_app.services.webhooks import Event, announce

PROVIDER_FAULTS = (Ending.PROVIDER_ERROR, Ending.TIMEOUT, Ending.UNEXPECTED_ERROR)
"""Endings that say nothing about agent or user, so that another try is fair."""


class CannotChange(WritError):
    """The batch is not in a state in which that can be done; the text says which it is in."""


def pause_batch(*, batch: Batch, reason: str = "Paused by hand.") -> None:
    """Send no further calls. Calls in flight are waited for and recorded; everything goes on where it was when resumed.

    Raises CannotChange for a batch that is not in progress.
    """
    if not stop_batch(batch_id=batch.pk, reason=reason, by_hand=True):
        batch.refresh_from_db(fields=["status"])
        raise CannotChange(
            f"Only a batch in progress can be paused; this one is {batch.get_status_display()}."
        )


@transaction.atomic
def stop_batch(*, batch_id: int, reason: str, by_hand: bool = False) -> bool:
    """Pause a batch that is in progress; False if it is not. The reason is for its owner; webhooks hear what nobody did by hand."""
    batches = Batch.objects.in_progress().filter(pk=batch_id)
    if batches.update(status=BatchStatus.PAUSED, stopped_by=reason) != 1:
        return False
    row = Batch.objects.only("team", "name").get(pk=batch_id)
    record("batch.pause", team=row.team_id, row=row, after={"reason": reason[:400]})
    if not by_hand:
        _announce(Event.BATCH_PAUSED, row, reason=reason)
    return True


@transaction.atomic
def resume_batch(*, batch: Batch) -> None:
    """Go on with a paused batch; the caller wakes design and runners. Raises CannotChange.

    A cap that was reached has to be raised, or taken away, first: otherwise the next answer pauses the batch again.
    """
    batch.refresh_from_db(fields=["status", "design_report"])
    # What is designed is counted when the design is complete; until then the report holds its finished pieces, if any.
    designed = "designed" in batch.design_report
    status = BatchStatus.RUNNING if designed else BatchStatus.DESIGNING
    paused = Batch.objects.filter(pk=batch.pk, status=BatchStatus.PAUSED)
    if not paused.update(status=status, stopped_by=""):
        raise CannotChange(
            f"Only a paused batch can be resumed; this one is {batch.get_status_display()}."
        )
    record("batch.resume", team=batch.team_id, row=batch)
    finish_batch_if_done(batch_id=batch.pk)


@transaction.atomic
def cancel_batch(*, batch: Batch) -> None:
    """Stop a batch for good: what is done stays, what waits or runs is given up. Calls in flight are still recorded.

    Nothing for a batch that is over.
    """
    stoppable = Q(status=BatchStatus.PAUSED) | Q(
        pk__in=Batch.objects.in_progress().values("pk")
    )
    given_up = _give_up(batch.pk, Batch.objects.filter(stoppable))
    if Batch.objects.filter(stoppable, pk=batch.pk).update(
        status=BatchStatus.CANCELLED, finished_at=Now(), stopped_by=""
    ):
        after = {"given_up": given_up}
        record("batch.cancel", team=batch.team_id, row=batch, after=after)
        _announce(Event.BATCH_CANCELLED, batch, given_up=given_up)


def give_up_if_cancelled(*, batch_id: int) -> None:
    """Give up what a design added to its batch while that was being cancelled."""
    _give_up(batch_id, Batch.objects.filter(status=BatchStatus.CANCELLED))


def _give_up(batch_id: int, batches: QuerySet[Batch]) -> int:
    """What waits or runs of a batch, if it is one of these; returns how many."""
    waiting = Simulation.objects.unfinished()
    return waiting.filter(batch_id=batch_id, batch__in=batches).update(
        status=SimulationStatus.CANCELLED, finished_at=Now(), lease_until=None
    )


def caps_as_json(
    max_cost: Decimal | None, max_tokens: int | None
) -> dict[str, str | int | None]:
    """Caps as an entry of the log has them: dollars in decimal."""
    cost = None if max_cost is None else str(max_cost)
    return {"max_cost": cost, "max_tokens": max_tokens}


@transaction.atomic
def retry_failed(*, batch: Batch) -> int:
    """Try again what ended by no fault of agent or user; returns how many. The caller wakes runners. Raises CannotChange.

    Outcomes are written once, so each gets a new simulation, which begins with the answers that were paid for already. The old
    one keeps its trajectory and no longer counts.
    """
    Batch.objects.select_for_update(no_key=True).get(pk=batch.pk)
    batch.refresh_from_db(fields=["status"])
    if batch.status == BatchStatus.CANCELLED:
        raise CannotChange("A cancelled batch cannot be gone on with.")
    failed = (
        batch.simulations.current()
        .filter(trajectory__ended_by__in=[end.value for end in PROVIDER_FAULTS])
        .order_by("pk")
    )
    made = 0
    for old in failed:
        _try_again(old)
        made += 1
    if made:
        Batch.objects.filter(pk=batch.pk, status=BatchStatus.DONE).update(
            status=BatchStatus.RUNNING, finished_at=None
        )
        record("batch.retry", team=batch.team_id, row=batch, after={"again": made})
    return made


def finish_batch_if_done(*, batch_id: int) -> None:
    """Close a batch that is designed and has nothing left to simulate."""
    left = Simulation.objects.unfinished().filter(batch_id=batch_id)
    if left.exists():
        return
    with transaction.atomic():
        if Batch.objects.filter(pk=batch_id, status=BatchStatus.RUNNING).update(
            status=BatchStatus.DONE, finished_at=Now()
        ):
            row = Batch.objects.only("team", "name").get(pk=batch_id)
            _announce(Event.BATCH_FINISHED, row)


def _announce(event: Event, row: Batch, **data: str | int) -> None:
    announce(event, team=row.team_id, batch=row.pk, name=row.name, **data)


_OF_THE_RUN = frozenset(
    {"id", "status", "attempt", "runner", "lease_until", "setbacks", "note"}
    | {"created_at", "started_at", "finished_at", "round", "retry_of"}
)
"""Fields of a simulation that say how it went, as against what it is."""


def _try_again(old: Simulation) -> None:
    same = {
        field.attname: getattr(old, field.attname)
        for field in Simulation._meta.concrete_fields
        if field.name not in _OF_THE_RUN
    }
    new = Simulation.objects.create(**same, round=old.round + 1, retry_of=old)
    turns = list(old.turns.all())
    for turn in turns:  # paid for once: the batch's sum has them already
        turn.pk, turn.simulation = None, new
    Turn.objects.bulk_create(turns)
