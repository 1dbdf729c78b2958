"""Verdicts are events: appended, never changed. A slot's status follows from the last one that stands."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from writ_app.engine.errors import WritError
from writ_app.models.accounts import User
from writ_app.models.prepared import ALL, Joined, prepared
from writ_app.models.review import (
    BulkAction,
    ReviewEvent,
    ReviewItem,
    ReviewSlot,
    SlotStatus,
    Verdict,
)
from writ_app.services.audit import KEEP, digest_of_text, kept_as, record
from writ_app.services.review.queue import VERDICTS, take

STATUS_AFTER = {
    Verdict.APPROVE: SlotStatus.APPROVED,
    Verdict.REJECT: SlotStatus.REJECTED,
    Verdict.FIX: SlotStatus.FIX,
}


class LeaseLost(WritError):
    """The slot is no longer in the reviewer's hands under that token."""


class AlreadyReviewed(WritError):
    """A verdict was given before, from this tab or another."""


class ChecksFail(WritError):
    """It cannot be approved while a check fails."""


class OwnEdit(WritError):
    """Whoever edited a version is not the one to approve it."""


class CannotUndo(WritError):
    """There is nothing to take back, or it went too far to be taken back."""


class PartOfBulk(CannotUndo):
    """It was one of many, which are taken back together: `action` names them."""

    def __init__(self, action: BulkAction):
        super().__init__(
            f"That was part of a bulk action on {action.total} items, which is undone as a whole from the lists."
        )
        self.action = action


_SLOT = Joined(
    "FROM writ_app_reviewslot AS slot JOIN writ_app_reviewitem AS item ON item.id = slot.item_id WHERE slot.id = %(slot)s",
    {"slot": (ReviewSlot, ALL), "item": (ReviewItem, "id canary edited_by_id")},
)


def find_slot(*, slot_id: int, user: User) -> ReviewSlot | None:
    """A slot of the user's teams, with what tells whether its item was planted."""
    for slot, item in _SLOT.rows({"slot": slot_id}):
        if slot.team_id in user.team_ids:
            slot.item = item
            found: ReviewSlot = slot
            return found
    return None


# Written out, because it runs with every verdict. The event, and the log's entry of it, are there iff the slot was closed, or put off, by it.
# Without a join, so that an update that waited looks again at what another transaction has just changed.
_GIVE = (
    """
WITH held AS (
  UPDATE writ_app_reviewslot AS slot
  SET status = %(status)s, leased_by_id = NULL, leased_until = NULL, shown_at = NULL,
    deferred_at = CASE WHEN %(verdict)s = 'DEFER' THEN %(at)s ELSE deferred_at END
  WHERE id = %(slot)s AND token = %(token)s AND leased_by_id = %(reviewer)s AND status = 'OPEN'
    AND (%(verdict)s <> 'APPROVE' OR ready AND NOT (
      EXISTS (SELECT FROM writ_app_reviewitem AS item WHERE item.id = slot.item_id AND item.edited_by_id = %(reviewer)s)
      AND EXISTS (SELECT FROM writ_app_membership AS other WHERE other.team_id = slot.team_id AND other.user_id <> %(reviewer)s)))
  RETURNING id),
said AS (
  INSERT INTO writ_app_reviewevent
    (slot_id, reviewer_id, verdict, reason, note, focus, message, pointer, write, seconds, submission)
  SELECT id, %(reviewer)s, %(verdict)s, %(reason)s, %(note)s, %(focus)s, %(message)s::integer, %(pointer)s,
    %(write)s::integer, %(seconds)s::integer, %(submission)s::uuid
  FROM held RETURNING id, created_at),
kept AS ("""
    + KEEP.format(key="id", source="said")
    + """)
SELECT id, created_at FROM said
"""
)


def submit_verdict(
    *,
    slot: ReviewSlot,
    token: int,
    reviewer: User,
    verdict: Verdict,
    reason: str = "",
    note: str = "",
    focus: str = "",
    message: int | None = None,
    pointer: str = "",
    write: int | None = None,
    seconds: int | None = None,
    submission: UUID | None = None,
    at: datetime,
) -> ReviewEvent:
    """Record a verdict; the same `submission` again gives what was recorded first, whatever it says now.

    Raises AlreadyReviewed for a second verdict, LeaseLost for one under an older token, ChecksFail for an approval of what the
    verification rejects, OwnEdit for one of the reviewer's own version.
    """
    status = STATUS_AFTER.get(verdict, SlotStatus.OPEN)
    said: dict[str, Any] = {
        "verdict": verdict,
        "reason": reason,
        "note": note,
        "focus": focus,
        "message": message,
        "pointer": pointer,
        "write": write,
        "seconds": seconds,
        "submission": submission,
    }
    under = {"slot": slot.pk, "token": token, "reviewer": reviewer.pk, "at": at}
    kept = kept_as(
        "verdict.give",
        team=slot.team_id,
        kind=ReviewEvent,
        by=reviewer,
        after={
            "trajectory": slot.item_id,
            "verdict": verdict,
            "reason": reason,
            **({"note_sha256": digest_of_text(note)} if note else {}),
        },
    )
    values: dict[str, Any] = {**said, **under, **kept, "status": status}
    with prepared() as cursor:
        cursor.execute(_GIVE, values)
        given = cursor.fetchone()
    if given is None:
        # The update waited for another one of the same submission, so that its event can be seen here.
        if same := _recorded(reviewer, submission):
            return same
        slot.refresh_from_db()
        raise _refusal(slot, token, reviewer)
    slot.status, slot.leased_by, slot.leased_until = status, None, None
    event = ReviewEvent(slot=slot, reviewer=reviewer, **said)
    event.pk, event.created_at = given
    return event


def _recorded(reviewer: User, submission: UUID | None) -> ReviewEvent | None:
    if submission is None:
        return None
    return reviewer.review_events.filter(submission=submission).first()


def _refusal(slot: ReviewSlot, token: int, reviewer: User) -> WritError:
    number = slot.item_id
    if slot.status != SlotStatus.OPEN:
        return AlreadyReviewed(
            f"Trajectory {number} already has a verdict ({slot.get_status_display()}); yours was not saved."
        )
    if (slot.token, slot.leased_by_id) == (token, reviewer.pk):
        if slot.ready:
            return OwnEdit(
                f"You made version {number}: somebody else has to approve it."
            )
        return ChecksFail(
            f"Trajectory {number} cannot be approved: {_failing(slot.item)}. Reject it, or have it fixed."
        )
    return LeaseLost(
        f"Trajectory {number} is no longer yours: it was opened again in another tab or by somebody else. "
        "Your verdict was not saved."
    )


def _failing(item: ReviewItem) -> str:
    names = [name.replace("_", " ") for name in item.failed]
    if not names:
        return "it is not up for review any more"
    return f"the check{'s' * (len(names) > 1)} {', '.join(names)} fail{'s' * (len(names) == 1)}"


# --- taking back ----------------------------------------------------------------------------------------------------------------


def last_standing(*, reviewer: User) -> ReviewEvent | None:
    """The reviewer's last act in the team that was not taken back."""
    return (
        ReviewEvent.objects.filter(
            reviewer=reviewer, slot__team__in=reviewer.team_ids, withdrawn_by=None
        )
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
    return judged.filter(verdict__in=VERDICTS).exists()


@transaction.atomic
def undo_last(
    *, reviewer: User, at: datetime, event_id: int | None = None
) -> ReviewSlot:
    """Withdraw the reviewer's last standing act, or the named one, and put the slot back into their hands.

    Raises CannotUndo, and PartOfBulk for one of many. Asked for the same event again, as after an answer that was lost, it does nothing more.
    """
    event = _to_withdraw(reviewer, event_id)
    slot = (
        ReviewSlot.objects.visible_to(reviewer)
        .select_for_update(of=("self",))
        .filter(pk=event.slot_id)
        .first()
    )
    if slot is None:
        raise CannotUndo("That trajectory belongs to a team you are no longer in.")
    done = ReviewEvent.objects.filter(withdraws=event).exists()
    if done and event_id and slot.leased_by_id == reviewer.pk:
        return slot
    _check_withdrawable(event, slot, reviewer, at, done=done)
    withdrawal = ReviewEvent.objects.create(
        slot=slot, reviewer=reviewer, verdict=Verdict.WITHDRAW, withdraws=event
    )
    record(
        "verdict.withdraw",
        team=slot.team_id,
        row=withdrawal,
        by=reviewer,
        before={"trajectory": slot.item_id, "verdict": event.verdict},
    )
    slot.status, slot.deferred_at = SlotStatus.OPEN, None
    slot.save(update_fields=["status", "deferred_at"])
    take(slot=slot, user=reviewer, at=at)
    return slot


def _to_withdraw(reviewer: User, event_id: int | None) -> ReviewEvent:
    if event_id is None:
        event = last_standing(reviewer=reviewer)
    else:
        own = reviewer.review_events.exclude(verdict=Verdict.WITHDRAW)
        event = own.filter(pk=event_id).first()
    if event is None:
        raise CannotUndo("There is nothing to undo.")
    if event.bulk is not None:
        raise PartOfBulk(event.bulk)
    return event


def _check_withdrawable(
    event: ReviewEvent,
    slot: ReviewSlot,
    reviewer: User,
    at: datetime,
    *,
    done: bool,
) -> None:
    number = slot.item_id
    later = slot.events.filter(pk__gt=event.pk, withdrawn_by=None)
    if later.exclude(verdict=Verdict.WITHDRAW).exists():
        raise CannotUndo(f"Somebody has judged trajectory {number} since.")
    # Asked under the slot's lock: two tabs that undo at once must not both succeed.
    if done:
        raise CannotUndo("That was undone already.")
    others = slot.leased_by_id not in (None, reviewer.pk)
    if others and slot.leased_until is not None and slot.leased_until > at:
        raise CannotUndo(f"Somebody else is looking at trajectory {number} now.")
    # Asked by name, because reviews know nothing of releases: those come downstream.
    if slot.item.memberships.exclude(release__frozen_at=None).exists():
        raise CannotUndo(
            f"Trajectory {number} is part of a frozen release, so its approval stands."
        )


# --- looking back ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LookBack:
    """One of today's acts that stand, with the keys of its neighbors."""

    event: ReviewEvent
    earlier: int | None
    later: int | None


def look_back(
    *, reviewer: User, at: datetime, event_id: int | None = None
) -> LookBack | None:
    """The latest act of today, or the named one; None if it is not there (any more)."""
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    standing = (
        ReviewEvent.objects.filter(
            reviewer=reviewer,
            slot__team__in=reviewer.team_ids,
            created_at__gte=midnight,
            withdrawn_by=None,
            bulk=None,
        )
        .exclude(verdict=Verdict.WITHDRAW)
        .order_by("-id")
    )
    named = standing if event_id is None else standing.filter(pk=event_id)
    event = named.select_related("slot__item").first()
    if event is None:
        return None
    earlier = standing.filter(pk__lt=event.pk)
    later = standing.filter(pk__gt=event.pk).order_by("id")
    keys = (found.values_list("pk", flat=True).first() for found in (earlier, later))
    return LookBack(event, *keys)
