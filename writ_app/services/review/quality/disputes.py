"""Adjudication: where two who knew nothing of each other disagree, a third decides, with both opinions in sight."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Prefetch

from writ_app.models.accounts import Membership, User
from writ_app.models.review import (
    ItemQuerySet,
    ItemStatus,
    ReviewEvent,
    ReviewItem,
    ReviewSlot,
    SlotStatus,
)
from writ_app.services.review.leaves import argument_name, element_words
from writ_app.services.review.queue import VERDICTS, take

ADJUDICATION = 0
"""The slot of whoever settles a dispute."""


@dataclass(frozen=True)
class Opinion:
    """A standing verdict, with where it points: a link to the element of the page, if it has one."""

    event: ReviewEvent

    @property
    def place(self) -> str:
        """Words for what was pointed at; "" if nothing was."""
        event, parts = self.event, []
        if event.write is not None:
            parts.append(f"write {event.write}")
        elif named := element_words(event.focus):
            parts.append(named)
        elif event.message is not None:
            parts.append(f"message {event.message}")
        if event.pointer:
            parts.append(argument_name(event.pointer))
        return ", ".join(parts)


@dataclass(frozen=True)
class Dispute:
    item: ReviewItem
    opinions: tuple[Opinion, ...]
    decision: Opinion | None
    may_settle: bool


def disputed(user: User) -> ItemQuerySet:
    return (
        ReviewItem.objects.visible_to(user)
        .filter(status=ItemStatus.DISPUTED)
        .order_by("pk")
    )


def ever_disputed(user: User) -> ItemQuerySet:
    """Disputed, or settled. What is open again, because a verdict was taken back, is judged blind again."""
    return (
        ReviewItem.objects.visible_to(user)
        .filter(slots__number=ADJUDICATION)
        .exclude(status=ItemStatus.OPEN)
    )


def settled(user: User, count: int = 20) -> ItemQuerySet:
    """Disputes that were decided, the latest first."""
    closed = [SlotStatus.APPROVED, SlotStatus.REJECTED, SlotStatus.FIX]
    decided = ReviewItem.objects.visible_to(user).filter(
        slots__number=ADJUDICATION, slots__status__in=closed
    )
    return decided.order_by("-pk")[:count]


def disputes(items: ItemQuerySet, member: Membership) -> Sequence[Dispute]:
    standing = ReviewEvent.objects.filter(verdict__in=VERDICTS, withdrawn_by=None)
    rows = items.narrow().select_related("batch", "task").defer("task__content")
    slots = ReviewSlot.objects.order_by("number").prefetch_related(
        Prefetch("events", standing.select_related("reviewer"), to_attr="standing")
    )
    return [
        _dispute(row, member)
        for row in rows.prefetch_related(Prefetch("slots", slots, to_attr="places"))
    ]


def dispute_on(item: ReviewItem, member: Membership) -> Dispute:
    return disputes(ReviewItem.objects.filter(pk=item.pk), member)[0]


def _dispute(item: ReviewItem, member: Membership) -> Dispute:
    said = {
        slot.number: tuple(map(Opinion, slot.standing))
        for slot in item.places  # type: ignore[attr-defined]
    }
    opinions = tuple(one for n in sorted(said) if n > ADJUDICATION for one in said[n])
    decisions = said.get(ADJUDICATION, ())
    one_of_them = any(o.event.reviewer_id == member.user_id for o in opinions)
    return Dispute(
        item=item,
        opinions=opinions,
        decision=decisions[-1] if decisions else None,
        may_settle=member.owns or not one_of_them,
    )


@transaction.atomic
def take_dispute(*, item: ReviewItem, user: User, at: datetime) -> ReviewSlot | None:
    """The place of who settles it, now in the user's hands; None if somebody else has it, or it was settled."""
    slots = ReviewSlot.objects.open().filter(item=item, number=ADJUDICATION, ready=True)
    slot = slots.select_for_update(of=("self",)).first()
    if slot is None:
        return None
    held = slot.leased_until is not None and slot.leased_until > at
    if held and slot.leased_by_id != user.pk:
        return None
    take(slot=slot, user=user, at=at)
    return slot
