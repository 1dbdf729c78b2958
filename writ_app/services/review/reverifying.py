"""Judging edited versions and canaries again, by the version of the verification that the code has now.

They have content of their own, so that judging their trajectory again says nothing of them. It is part of the same order, and comes
before its trajectories: an order that was cut off is still open then, and is gone on with. What was judged is found by its judgement,
so nothing is done twice.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models.functions import Now

from writ_app.engine import verification
from writ_app.engine.errors import WritError
from writ_app.engine.types import Task, Trajectory, Verification
from writ_app.models.accounts import Team
from writ_app.models.editing import EarlierJudgement
from writ_app.models.review import ItemQuerySet, ReviewItem, ReviewSlot
from writ_app.models.synthesis import Batch
from writ_app.models.verification import Reverification
from writ_app.services.catalog import load_environment
from writ_app.services.synthesis import ledger_of

AT_ONCE = 25
"""Versions per transaction: less than a second of work."""

log = logging.getLogger(__name__)


@dataclass
class Lot:
    """Keys of versions that were judged, that turned, and that could not be judged with the reason (their judgement stays)."""

    verified: list[int] = field(default_factory=list)
    newly_rejected: list[int] = field(default_factory=list)
    newly_accepted: list[int] = field(default_factory=list)
    skipped: list[tuple[int, str]] = field(default_factory=list)

    def add(self, other: "Lot") -> None:
        self.verified += other.verified
        self.newly_rejected += other.newly_rejected
        self.newly_accepted += other.newly_accepted
        self.skipped += other.skipped


def outdated_versions(team: Team, batch: Batch | None = None) -> ItemQuerySet:
    """What has content of its own and was judged by another version than the code's; not what was withdrawn: nobody is to judge it."""
    made = ReviewItem.objects.filter(parent__isnull=False, team=team, wanted__gt=0)
    if batch is not None:
        made = made.filter(batch=batch)
    return made.exclude(judged_by=verification.VERSION)


def reverify_versions(*, order_id: int) -> Iterator[Lot]:
    """Judge what an order's team or batch has, lot by lot. Nothing for an order that is finished or of another version of the code."""
    last = 0
    while rows := _next_keys(order_id, last):
        yield _judge_lot(order_id, rows)
        last = rows[-1]


def _next_keys(order_id: int, after: int) -> Sequence[int]:
    order = Reverification.objects.select_related("team", "batch").get(pk=order_id)
    if order.finished_at is not None or order.version != verification.VERSION:
        return ()
    waiting = outdated_versions(order.team, order.batch).filter(pk__gt=after)
    return list(waiting.order_by("pk").values_list("pk", flat=True)[:AT_ONCE])


@transaction.atomic
def _judge_lot(order_id: int, keys: Sequence[int]) -> Lot:
    """The lock on the order makes a second worker wait; what it then finds judged, it leaves."""
    order = Reverification.objects.select_for_update().get(pk=order_id)
    # Slots before items, as who gives a verdict takes them: neither waits for the other in a circle.
    slots = ReviewSlot.objects.filter(item__in=keys).order_by("pk")
    list(slots.select_for_update().values_list("pk", flat=True))
    rows = (
        ReviewItem.objects.filter(pk__in=keys)
        .exclude(judged_by=order.version)
        .select_related("trajectory__simulation", "task__environment")
        .defer(
            "trajectory__content",
            "trajectory__verification",
            "task__environment__state",
            "words",
            "search",
        )
        .select_for_update(of=("self",), no_key=True)
        .order_by("pk")
    )
    lot = Lot()
    with verification.undisturbed():
        for row in rows:
            _judge(row, lot)
    Reverification.objects.filter(pk=order_id).update(touched_at=Now())
    return lot


def _judge(row: ReviewItem, lot: Lot) -> None:
    """Judge a version and keep what was said of it before; one that fails must not hold back the rest."""
    try:
        found = _verify(row)
    except WritError as error:
        lot.skipped.append((row.pk, str(error)))
        return
    except Exception as error:
        log.exception("version %s cannot be verified", row.pk)
        lot.skipped.append((row.pk, f"{type(error).__name__}: {error}"[:200]))
        return
    EarlierJudgement.objects.create(item=row, content=row.verification)
    row.verification = found.model_dump(mode="json")
    row.save(update_fields=["verification"])  # what it is found by follows from it
    lot.verified.append(row.pk)
    if row.accepted and not found.accepted:
        lot.newly_rejected.append(row.pk)
    if found.accepted and not row.accepted:
        lot.newly_accepted.append(row.pk)


def _verify(row: ReviewItem) -> Verification:
    """Raises WritError for an environment that has changed."""
    task = Task.model_validate(row.task.content)
    return verification.verify(
        environment=load_environment(row.task.environment),
        task=task,
        trajectory=Trajectory.model_validate(row.content),
        ledger=ledger_of(row.trajectory.simulation, task),
    )
