"""Where batches stand: the funnel from ordered to accepted, why things were rejected, how fast it goes and what is left.

Everything is counted in SQL; the number of queries is the same for one simulation and for twenty thousand.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max, Min, Q

from writ_app.models import clock
from writ_app.models.synthesis import (
    Batch,
    Simulation,
    SimulationStatus,
    Trajectory,
    not_retried,
)
from writ_app.services.synthesis.control import PROVIDER_FAULTS

WINDOW = timedelta(minutes=5)
"""What is called the present pace is that of so long."""
ENOUGH = 10
"""Simulations that must have ended in the window before anything is estimated from it."""


@dataclass(frozen=True)
class RejectReason:
    """Rejections of one kind: the failed check, who is to answer, how many, and one example."""

    reason: str
    owner: str
    count: int
    example: int
    """Primary key of a trajectory."""
    failed: int = 0
    """How many of them ended by no fault of agent or user."""


@dataclass(frozen=True)
class Pace:
    """How fast trajectories come, and how long the rest takes at that pace."""

    per_minute: float | None
    """None: nothing has ended, so there is nothing to say."""
    whole: bool
    """Over the whole batch, because it has ended; else over the last minutes."""
    left: timedelta | None
    """Of the rest. None: not enough has ended lately, or nothing is left."""


@dataclass(frozen=True)
class BatchProgress:
    ordered: int
    designed: int
    """Simulations that have a task."""
    pending: int
    running: int
    done: int
    cancelled: int
    accepted: int
    rejected: int
    reasons: tuple[RejectReason, ...]
    """Most frequent first."""
    failed: int
    """Ended by no fault of agent or user, so that another try is fair."""
    pace: Pace

    @property
    def finished(self) -> int:
        return self.done + self.cancelled

    @property
    def left(self) -> int:
        """Simulations that are still to come, designed or not."""
        return max(0, self.ordered - self.finished)

    @property
    def owners(self) -> tuple[tuple[str, int], ...]:
        """(who is to answer, how many rejections), most first."""
        counts: dict[str, int] = defaultdict(int)
        for reason in self.reasons:
            counts[reason.owner] += reason.count
        return tuple(sorted(counts.items(), key=lambda pair: -pair[1]))


def batch_progress(batch: Batch) -> BatchProgress:
    return batches_progress([batch])[batch.pk]


def batches_progress(batches: Iterable[Batch]) -> dict[int, BatchProgress]:
    """Primary key → where the batch stands. Two queries for all of them."""
    rows = {batch.pk: batch for batch in batches}
    now = clock.now()
    counts = _counts(rows, now)
    outcomes = _outcomes(rows)
    return {
        pk: _progress(batch, counts[pk], outcomes[pk], now)
        for pk, batch in rows.items()
    }


@dataclass
class _Counts:
    by_status: dict[str, int]
    lately: int = 0
    """Ended within the window."""
    first: datetime | None = None
    last: datetime | None = None


def _counts(pks: Iterable[int], now: datetime) -> Mapping[int, _Counts]:
    found: defaultdict[int, _Counts] = defaultdict(lambda: _Counts({}))
    ended = Q(status=SimulationStatus.DONE, finished_at__gte=now - WINDOW)
    grouped = (
        Simulation.objects.current()
        .filter(batch__in=list(pks))
        .values("batch", "status")
        .annotate(
            count=Count("id"),
            lately=Count("id", filter=ended),
            first=Min("started_at"),
            last=Max("finished_at", filter=Q(status=SimulationStatus.DONE)),
        )
        .order_by()
    )
    for row in grouped:
        held = found[row["batch"]]
        held.by_status[row["status"]] = row["count"]
        held.lately += row["lately"]
        held.first = min(filter(None, (held.first, row["first"])), default=None)
        held.last = row["last"] or held.last
    return found


def _outcomes(pks: Iterable[int]) -> Mapping[int, list[RejectReason]]:
    """By batch, most frequent first; what was accepted has no reason."""
    found: defaultdict[int, list[RejectReason]] = defaultdict(list)
    grouped = (
        Trajectory.objects.filter(
            not_retried("simulation"), simulation__batch__in=list(pks)
        )
        .values("simulation__batch", "reason", "owner")
        .annotate(
            count=Count("id"),
            example=Min("id"),
            failed=Count("id", filter=Q(ended_by__in=PROVIDER_FAULTS)),
        )
        .order_by("-count", "reason")
    )
    for row in grouped:
        found[row["simulation__batch"]].append(
            RejectReason(
                row["reason"],
                row["owner"],
                row["count"],
                row["example"],
                row["failed"],
            )
        )
    return found


def _progress(
    batch: Batch, counts: _Counts, outcomes: list[RejectReason], now: datetime
) -> BatchProgress:
    statuses = counts.by_status
    done = statuses.get(SimulationStatus.DONE, 0)
    cancelled = statuses.get(SimulationStatus.CANCELLED, 0)
    reasons = tuple(outcome for outcome in outcomes if outcome.reason)
    rejected = sum(reason.count for reason in reasons)
    left = batch.ordered - done - cancelled
    return BatchProgress(
        ordered=batch.ordered,
        designed=sum(statuses.values()),
        pending=statuses.get(SimulationStatus.PENDING, 0),
        running=statuses.get(SimulationStatus.RUNNING, 0),
        done=done,
        cancelled=cancelled,
        accepted=sum(outcome.count for outcome in outcomes) - rejected,
        rejected=rejected,
        reasons=reasons,
        failed=sum(outcome.failed for outcome in outcomes),
        pace=_pace(counts, done, left, now, ended=batch.finished_at is not None),
    )


def _pace(counts: _Counts, done: int, left: int, now: datetime, *, ended: bool) -> Pace:
    if counts.first is None or counts.last is None:
        return Pace(None, ended, None)
    if ended:
        return Pace(_per_minute(done, counts.last - counts.first), True, None)
    rate = _per_minute(counts.lately, min(WINDOW, now - counts.first))
    if counts.lately < ENOUGH or left <= 0:
        return Pace(rate, False, None)
    return Pace(rate, False, timedelta(minutes=left / rate))


def _per_minute(count: int, span: timedelta) -> float:
    return count / max(span.total_seconds(), 1) * 60
