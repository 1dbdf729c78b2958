"""Who looks at what next. One slot is in one pair of hands at a time, and nobody waits for anybody."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, F, Q
from django.db.models.expressions import OrderBy

from writ_app.models.accounts import User
from writ_app.models.review import (
    ItemStatus,
    ReviewEvent,
    ReviewItem,
    ReviewSlot,
    SlotQuerySet,
    Verdict,
)

LEASE_MINUTES = 10


@dataclass(frozen=True)
class QueueCounts:
    waiting: int
    approved: int
    rejected: int
    fix: int
    today: int
    """Verdicts that this user gave today and that stand."""
    deferred: int = 0
    releasable: int = 0
    """Approved, and not rejected by a later version of the verification."""

    @property
    def in_doubt(self) -> int:
        """Approved, and rejected by the verification since."""
        return self.approved - self.releasable

    @property
    def judged(self) -> int:
        return self.approved + self.rejected + self.fix

    @property
    def total(self) -> int:
        return self.waiting + self.judged


@transaction.atomic
def lease_next(
    *, user: User, at: datetime, minutes: int = LEASE_MINUTES
) -> ReviewSlot | None:
    """The user's own leased slot, else the next free one, now in the user's hands; None if there is none."""
    # What was taken last comes first: an undone one shows before the one it interrupted.
    slot = _first(ReviewSlot.objects.leased_to(user, at), user, "-leased_until", "-id")
    slot = slot or _first(ReviewSlot.objects.free(at).filter(deferred_at=None), user)
    slot = slot or _first(ReviewSlot.objects.free(at), user)
    if slot is not None:
        take(slot=slot, user=user, at=at, minutes=minutes)
    return slot


IN_ORDER = (F("deferred_at").asc(nulls_first=True), "id")


def _first(slots: SlotQuerySet, user: User, *order: str | OrderBy) -> ReviewSlot | None:
    """The first of them that nobody else is taking at this moment."""
    return (
        slots.visible_to(user)
        .order_by(*(order or IN_ORDER))
        .select_for_update(skip_locked=True, of=("self",))
        .first()
    )


def take(
    *, slot: ReviewSlot, user: User, at: datetime, minutes: int = LEASE_MINUTES
) -> None:
    """Put a locked slot into the user's hands. The new token ends every earlier lease on it."""
    slot.leased_by = user
    slot.leased_until = at + timedelta(minutes=minutes)
    slot.token += 1
    slot.save(update_fields=["leased_by", "leased_until", "token"])


def renew_lease(
    *,
    slot_id: int,
    token: int,
    user: User,
    at: datetime,
    minutes: int = LEASE_MINUTES,
) -> bool:
    """Keep a lease alive; False if it was lost."""
    held = ReviewSlot.objects.open().filter(pk=slot_id, token=token, leased_by=user)
    return held.update(leased_until=at + timedelta(minutes=minutes)) == 1


def count_queue(*, user: User, at: datetime) -> QueueCounts:
    """How much there is to review and was reviewed, over everything the user may see."""
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    items = ReviewItem.objects.visible_to(user).exclude(status="")
    counts = items.aggregate(
        **{
            status.name.lower(): Count("pk", filter=Q(status=status))
            for status in ItemStatus
        },
        releasable=Count(
            "pk", filter=Q(status=ItemStatus.APPROVED, accepted=True, canary="")
        ),
    )
    deferred = ReviewSlot.objects.visible_to(user).open().exclude(deferred_at=None)
    today = ReviewEvent.objects.filter(
        reviewer=user, created_at__gte=midnight, withdrawn_by=None
    ).exclude(verdict__in=[Verdict.WITHDRAW, Verdict.DEFER])
    return QueueCounts(
        waiting=counts["open"] + counts["disputed"],
        approved=counts["approved"],
        rejected=counts["rejected"],
        fix=counts["fix"],
        deferred=deferred.count(),
        releasable=counts["releasable"],
        today=today.count(),
    )
