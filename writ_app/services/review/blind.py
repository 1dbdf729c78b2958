"""Second opinions are independent: who has not judged yet does not see what others say of an item."""

from collections.abc import Sequence

from writ_app.models.accounts import User
from writ_app.models.prepared import ALL, Joined
from writ_app.models.review import ItemStatus, ReviewEvent, ReviewItem, Verdict


def has_judged(user: User, item: ReviewItem) -> bool:
    """Whether a verdict of the user's on the item stands."""
    standing = ReviewEvent.objects.filter(
        slot__item=item, reviewer=user, withdrawn_by=None
    )
    return standing.exclude(verdict__in=[Verdict.WITHDRAW, Verdict.DEFER]).exists()


def may_see_others(user: User, item: ReviewItem) -> bool:
    """Whether the user may see others' verdicts, comments and edits of the item.

    Not while a second, blind review of it is under way in which the user may still take part.
    """
    blind = item.wanted > 1 and item.status == ItemStatus.OPEN
    return not blind or has_judged(user, item)


_EVENTS = Joined(
    """
    FROM writ_app_reviewslot AS slot JOIN writ_app_reviewevent AS event ON event.slot_id = slot.id
    JOIN writ_app_user AS reviewer ON reviewer.id = event.reviewer_id
    WHERE slot.item_id = %(item)s ORDER BY event.id
    """,
    {"event": (ReviewEvent, ALL), "reviewer": (User, "id username")},
)


def events_for(user: User | None, item: ReviewItem) -> Sequence[ReviewEvent]:
    """What was done with an item, oldest first, as far as the user (None: somebody who has not judged) may know it by now."""
    if user is None and item.wanted > 1 and item.status == ItemStatus.OPEN:
        return ()
    blind = user is not None and not may_see_others(user, item)
    events = []
    for event, reviewer in _EVENTS.rows({"item": item.pk}):
        event.reviewer = reviewer
        if not blind or reviewer == user:
            events.append(event)
    return tuple(events)
