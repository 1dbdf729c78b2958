"""Places in the queue: slots are handed out in the order of their keys, so two items change places by changing slots."""

from django.db import transaction
from django.db.models import Q

from writ_app.models.accounts import Team
from writ_app.models.review import ReviewSlot, SlotQuerySet

_ASIDE = 32_000
"""A slot's number while it is on the way: an item has each number once."""


def untouched(team: Team | int) -> SlotQuerySet:
    """Open first slots that nobody ever had in hand: only those may change places."""
    return ReviewSlot.objects.open().filter(
        Q(events=None), team=team, number=1, ready=True, token=0, deferred_at=None
    )


@transaction.atomic
def change_places(one: int, other: int) -> bool:
    """Whether two slots (keys) have changed places; they have not if somebody has one in hand by now."""
    if one == other:
        return True
    locked = ReviewSlot.objects.filter(pk__in=[one, other], token=0).order_by("pk")
    pair = list(locked.select_for_update(skip_locked=True, of=("self",)))
    if len(pair) < 2:
        return False
    first, second = pair
    ReviewSlot.objects.filter(pk=first.pk).update(number=_ASIDE)
    for slot, source in ((second, first), (first, second)):
        ReviewSlot.objects.filter(pk=slot.pk).update(
            item=source.item_id, uncertainty=source.uncertainty, number=1
        )
    return True
