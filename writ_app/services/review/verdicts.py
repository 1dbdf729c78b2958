"""Verdicts are events: appended, never changed. A slot's status follows from the last one that stands."""

from datetime import datetime

from django.db import transaction

from writ_app.engine.errors import WritError
from writ_app.models.accounts import User
from writ_app.models.review import (
    ReviewEvent,
    ReviewItem,
    ReviewSlot,
    SlotStatus,
    Verdict,
)
from writ_app.services.review.queue import take

STATUS_AFTER = {
    Verdict.APPROVE: SlotStatus.APPROVED,
    Verdict.REJECT: SlotStatus.REJECTED,
    Verdict.FIX: SlotStatus.FIX,
}


class LeaseLost(WritError):
    """The slot is no longer in the reviewer's hands under that token."""


class AlreadyReviewed(WritError):
    """A verdict was given before, from this tab or another."""


class CannotUndo(WritError):
    """There is nothing to take back, or it went too far to be taken back."""


@transaction.atomic
def submit_verdict(
    *,
    slot: ReviewSlot,
    token: int,
    reviewer: User,
    verdict: Verdict,
    reason: str = "",
    note: str = "",
    focus: str = "",
    seconds: int | None = None,
    at: datetime,
) -> ReviewEvent:
    """Record a verdict. Raises AlreadyReviewed for a second one, LeaseLost for one under an older token."""
    changes = {"deferred_at": at} if verdict == Verdict.DEFER else {}
    closed = (
        ReviewSlot.objects.open()
        .filter(pk=slot.pk, token=token, leased_by=reviewer)
        .update(
            status=STATUS_AFTER.get(verdict, SlotStatus.OPEN),
            leased_by=None,
            leased_until=None,
            **changes,
        )
    )
    slot.refresh_from_db()
    if closed != 1:
        raise _refusal(slot)
    return ReviewEvent.objects.create(
        slot=slot,
        reviewer=reviewer,
        verdict=verdict,
        reason=reason,
        note=note,
        focus=focus,
        seconds=seconds,
    )


def _refusal(slot: ReviewSlot) -> WritError:
    number = slot.item_id
    if slot.status != SlotStatus.OPEN:
        return AlreadyReviewed(
            f"Trajectory {number} already has a verdict ({slot.get_status_display()}); yours was not saved."
        )
    return LeaseLost(
        f"Trajectory {number} is no longer yours: it was opened again in another tab or by somebody else. "
        "Your verdict was not saved."
    )


def last_standing(*, reviewer: User) -> ReviewEvent | None:
    """The reviewer's last act that was not taken back."""
    return (
        ReviewEvent.objects.filter(reviewer=reviewer, withdrawn_by=None)
        .exclude(verdict=Verdict.WITHDRAW)
        .select_related("slot")
        .order_by("-id")
        .first()
    )


def may_see_notes(*, user: User, item: ReviewItem) -> bool:
    """Whether a judge model's notes can sway nobody any more: the user has judged, or there is nothing to judge."""
    if not item.ready and not item.slots.exists():
        return True
    judged = ReviewEvent.objects.filter(
        slot__item=item, reviewer=user, withdrawn_by=None
    )
    return judged.exclude(verdict__in=[Verdict.WITHDRAW, Verdict.DEFER]).exists()


@transaction.atomic
def undo_last(*, reviewer: User, at: datetime) -> ReviewSlot:
    """Withdraw the reviewer's last standing act and put the slot back into their hands. Raises CannotUndo."""
    event = last_standing(reviewer=reviewer)
    if event is None:
        raise CannotUndo("There is nothing to undo.")
    slot = (
        ReviewSlot.objects.visible_to(reviewer)
        .select_for_update(of=("self",))
        .filter(pk=event.slot_id)
        .first()
    )
    if slot is None:
        raise CannotUndo("That trajectory belongs to a team you are no longer in.")
    _check_withdrawable(event, slot, reviewer, at)
    ReviewEvent.objects.create(
        slot=slot, reviewer=reviewer, verdict=Verdict.WITHDRAW, withdraws=event
    )
    slot.status, slot.deferred_at = SlotStatus.OPEN, None
    slot.save(update_fields=["status", "deferred_at"])
    take(slot=slot, user=reviewer, at=at)
    return slot


def _check_withdrawable(
    event: ReviewEvent, slot: ReviewSlot, reviewer: User, at: datetime
) -> None:
    number = slot.item_id
    later = slot.events.filter(pk__gt=event.pk, withdrawn_by=None)
    if later.exclude(verdict=Verdict.WITHDRAW).exists():
        raise CannotUndo(f"Somebody has judged trajectory {number} since.")
    # Asked under the slot's lock: two tabs that undo at once must not both succeed.
    if ReviewEvent.objects.filter(withdraws=event).exists():
        raise CannotUndo("That was undone already.")
    others = slot.leased_by_id not in (None, reviewer.pk)
    if others and slot.leased_until is not None and slot.leased_until > at:
        raise CannotUndo(f"Somebody else is looking at trajectory {number} now.")
    # Asked by name, because reviews know nothing of releases: those come downstream.
    if slot.item.memberships.exclude(release__frozen_at=None).exists():
        raise CannotUndo(
            f"Trajectory {number} is part of a frozen release, so its approval stands."
        )
