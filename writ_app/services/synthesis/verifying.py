"""Judging again what was judged before: a batch, or everything of a team, by the version of the verification that the code has.

Trajectories are taken in the order of their keys, a few at a time, each lot in one transaction that also notes how far it came.
So a killed worker loses at most a lot, two workers do nothing twice, and memory does not grow with the batch.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.db import transaction
from django.db.models import Count, F, FilteredRelation, Func, Max, Q, TextField
from django.db.models.functions import Cast, Now

from writ_app.engine import types, verification
from writ_app.engine.errors import WritError
from writ_app.models.accounts import Team, User
from writ_app.models.synthesis import Batch, Trajectory, TrajectoryQuerySet
from writ_app.models.verification import Judgement, Reverification
from writ_app.services.audit import record
from writ_app.services.catalog import load_environment
from writ_app.services.synthesis.running import ledger_of

AT_ONCE = 50
"""Trajectories per transaction: less than a second of work."""
EXAMPLES = 5
MOST_REASONS = 50
"""That an order lists for what could not be judged."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Verdict:
    """How a trajectory was judged: accepted, or the reason and who is to answer for it."""

    accepted: bool
    reason: str = ""
    owner: str = ""


@dataclass(frozen=True)
class Change:
    """Trajectories whose verdict moved in the same way. `examples` are keys of the first few."""

    was: Verdict
    now: Verdict
    count: int
    examples: tuple[int, ...]


@dataclass(frozen=True)
class Comparison:
    """Two versions over the trajectories that both have judged. Most frequent changes first."""

    before: str
    after: str
    same: int
    changes: tuple[Change, ...]

    @property
    def changed(self) -> int:
        return sum(change.count for change in self.changes)

    @property
    def compared(self) -> int:
        return self.same + self.changed

    @property
    def newly_rejected(self) -> int:
        return self._turned(accepted=False)

    @property
    def newly_accepted(self) -> int:
        return self._turned(accepted=True)

    def _turned(self, *, accepted: bool) -> int:
        return sum(
            change.count
            for change in self.changes
            if change.now.accepted is accepted is not change.was.accepted
        )


@dataclass(frozen=True)
class VersionCount:
    version: str
    judged: int
    latest: datetime


# --- ordering and doing it -----------------------------------------------------------------------------------------------------


def trajectories_of(team: Team, batch: Batch | None = None) -> TrajectoryQuerySet:
    """Of the batch, or of all batches of the team."""
    if batch is not None:
        return Trajectory.objects.filter(simulation__batch=batch)
    return Trajectory.objects.filter(simulation__batch__team=team)


@transaction.atomic
def order_reverification(
    *, team: Team, batch: Batch | None = None, by: User | None = None
) -> Reverification:
    """The order that is under way, or a new one, finished at once if there is nothing to do. The caller sends the job."""
    version = verification.VERSION
    waiting = trajectories_of(team, batch).exclude(version=version).count()
    order, new = Reverification.objects.get_or_create(
        team=team,
        batch=batch,
        version=version,
        finished_at=None,
        defaults={"created_by": by, "total": waiting},
    )
    if new:
        record(
            "verification.order",
            team=team,
            row=order,
            by=by,
            after={
                "version": version,
                "batch": batch.pk if batch else None,
                "total": waiting,
            },
        )
    return order


def reverify(*, order_id: int) -> Iterator[int]:
    """Do the work that is left of an order; gives how many were dealt with, lot by lot.

    An order of another version of the code is closed as it stands: this code cannot fulfil it.
    """
    while True:
        done = _next_lot(order_id)
        if not done:
            return
        yield done


def waiting_reverifications(*, before: datetime) -> list[int]:
    """Orders on which nobody has worked since before that moment."""
    orders = Reverification.objects.unfinished().filter(touched_at__lt=before)
    return list(orders.order_by("id").values_list("id", flat=True))


@transaction.atomic
def _next_lot(order_id: int) -> int:
    """Judge the next few. The lock on the order makes a second worker wait for its turn."""
    order = (
        Reverification.objects.select_related("team", "batch")
        .select_for_update(of=("self",))
        .get(pk=order_id)
    )
    if order.finished_at is not None:
        return 0
    rows = _lot(order) if order.version == verification.VERSION else []
    with verification.undisturbed():
        judged = [row for row in rows if _judged(order, row)]
    Trajectory.objects.bulk_update(
        judged, ["verification", "realised", "accepted", "reason", "owner"]
    )
    order.verified += len(judged)
    if rows:
        order.position = rows[-1].pk
    Reverification.objects.filter(pk=order.pk).update(
        verified=order.verified,
        skipped=order.skipped,
        position=order.position,
        touched_at=Now(),
        finished_at=None if rows else Now(),
    )
    return len(rows)


def _lot(order: Reverification) -> Sequence[Any]:
    """The next few rows, locked, with contents as texts: they are read straight into the engine's values."""
    waiting = trajectories_of(order.team, order.batch).exclude(version=order.version)
    return list(
        waiting.filter(pk__gt=order.position)
        .select_related("simulation__task__environment")
        .defer(
            "content",
            "verification",
            "simulation__task__content",
            "simulation__task__environment__state",
            "simulation__task__environment__policy",
        )
        .annotate(
            own_text=Cast("content", TextField()),
            task_text=Cast("simulation__task__content", TextField()),
        )
        .select_for_update(of=("self",))
        .order_by("pk")[:AT_ONCE]
    )


def _judged(order: Reverification, row: Any) -> bool:
    """Judge a row; if that fails, note why and leave it as it is: one must not hold back the rest."""
    try:
        _judge(row)
    except WritError as error:
        _skip(order, row, str(error))
        return False
    except Exception as error:
        log.exception("trajectory %s cannot be verified", row.pk)
        _skip(order, row, f"{type(error).__name__}: {error}"[:200])
        return False
    return True


def _judge(row: Any) -> None:
    """Put the new judgement into the row. Raises WritError for an environment that has changed."""
    task = verification.read_task(row.task_text)
    found = verification.verify(
        environment=load_environment(row.simulation.task.environment),
        task=task,
        trajectory=types.Trajectory.model_validate_json(row.own_text),
        ledger=ledger_of(row.simulation, task),
    )
    row.verification = found.model_dump(mode="json")
    row.realised = found.behaviour
    row.accepted = found.accepted
    row.reason = found.reason
    row.owner = found.owner.value if found.owner else ""


def _skip(order: Reverification, row: Trajectory, why: str) -> None:
    if why not in order.skipped and len(order.skipped) >= MOST_REASONS:
        why = "other reasons"
    line = order.skipped.setdefault(why, {"count": 0, "example": row.pk})
    line["count"] += 1


# --- what changed --------------------------------------------------------------------------------------------------------------


def versions_of(team: Team, batch: Batch | None = None) -> list[VersionCount]:
    """Versions that have judged, the latest first."""
    rows = (
        Judgement.objects.of_team(team, batch)
        .values("version")
        .annotate(judged=Count("id"), latest=Max("created_at"), last=Max("id"))
        .order_by("-last")
    )
    return [VersionCount(row["version"], row["judged"], row["latest"]) for row in rows]


def compare_versions(
    *, before: str, after: str, team: Team, batch: Batch | None = None
) -> Comparison:
    """What moved between two versions, in one query."""
    rows = (
        _both(before, after, team, batch)
        .values(
            "accepted", "reason", "owner", *(f"earlier__{name}" for name in _VERDICT)
        )
        .annotate(
            count=Count("id"),
            examples=Func(
                ArrayAgg("trajectory_id", order_by="trajectory_id"),
                template=f"(%(expressions)s)[1:{EXAMPLES}]",
            ),
        )
        .order_by("-count", "earlier__reason", "reason")
    )
    same, changes = 0, []
    for row in rows:
        was, now = _verdict(row, "earlier__"), _verdict(row)
        if was == now:
            same += row["count"]
        else:
            changes.append(Change(was, now, row["count"], tuple(row["examples"])))
    return Comparison(before, after, same, tuple(changes))


def changed_judgements(
    *,
    before: str,
    after: str,
    was: str,
    now: str,
    team: Team,
    batch: Batch | None = None,
    from_id: int = 0,
    at_most: int = EXAMPLES,
) -> list[tuple[Judgement, Judgement]]:
    """(earlier, later) judgements whose reasons (`""`: accepted) went from `was` to `now`, by key of the trajectory from `from_id`."""
    found = (
        _both(before, after, team, batch)
        .filter(earlier__reason=was, reason=now, trajectory_id__gte=from_id)
        .annotate(earlier_id=F("earlier__id"))
        .order_by("trajectory_id")[:at_most]
    )
    later = list(found)
    earlier = Judgement.objects.in_bulk([row.earlier_id for row in later])
    return [(earlier[row.earlier_id], row) for row in later]


_VERDICT = ("accepted", "reason", "owner")


def _both(before: str, after: str, team: Team, batch: Batch | None) -> Any:
    """Judgements by the later version, with the earlier one's beside them as `earlier`."""
    return (
        Judgement.objects.of_team(team, batch)
        .filter(version=after)
        .annotate(
            earlier=FilteredRelation(
                "trajectory__judgements",
                condition=Q(trajectory__judgements__version=before),
            )
        )
        .filter(earlier__isnull=False)
    )


def _verdict(row: Mapping[str, Any], prefix: str = "") -> Verdict:
    return Verdict(*(row[prefix + name] for name in _VERDICT))
