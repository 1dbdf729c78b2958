"""Second opinions that know nothing of the first: what somebody may not see before they have judged themselves."""

from collections.abc import Sequence

from django.db import connection
from django.db.models import Exists, OuterRef, Q

from writ_app.models.accounts import Team, User
from writ_app.models.review import (
    ItemStatus,
    ReviewEvent,
    ReviewItem,
    ReviewPolicy,
    ReviewSlot,
    Verdict,
)

GIVEN = (Verdict.APPROVE, Verdict.REJECT, Verdict.FIX)
"""Verdicts that say something of the item."""


def has_judged(*, user: User, item: ReviewItem) -> bool:
    """Whether a verdict of theirs stands on this version."""
    own = ReviewEvent.objects.filter(slot__item=item, reviewer=user, withdrawn_by=None)
    return own.filter(verdict__in=GIVEN).exists()


def is_blind(*, user: User, item: ReviewItem) -> bool:
    """Whether others' verdicts, and what is said of them, are to stay hidden: several are to judge, and this one has not."""
    waiting = item.wanted > 1 and item.status == ItemStatus.OPEN
    return waiting and not has_judged(user=user, item=item)


def events_for(*, user: User, item: ReviewItem) -> Sequence[ReviewEvent]:
    """What was done with an item, as far as the user may know it by now, oldest first."""
    events = ReviewEvent.objects.filter(slot__item=item).select_related("reviewer")
    if is_blind(user=user, item=item):
        events = events.filter(reviewer=user)
    return tuple(events)


def not_by(user: User) -> Q:
    """Slots that may be handed to somebody: of no version of a trajectory that they judged or hold.

    But for one way: who judged a canary, and was told what it was, may still judge what it was made from. Where only one person
    reviews, nobody else could.
    """
    events = ReviewEvent.objects.filter(
        reviewer=user,
        withdrawn_by=None,
        verdict__in=GIVEN,
        slot__item__trajectory=OuterRef("item__trajectory"),
    ).filter(Q(slot__item__canary="") | Q(slot__item=OuterRef("item")))
    held = ReviewSlot.objects.open().filter(
        leased_by=user, item__trajectory=OuterRef("item__trajectory")
    )
    other = held.exclude(pk=OuterRef("pk"))
    return ~Exists(events) & ~Exists(other)


def policy_of(team: Team) -> ReviewPolicy:
    """The team's, or the defaults (unsaved)."""
    found = ReviewPolicy.objects.filter(team=team).first()
    return found or ReviewPolicy(team=team)


def ask_second_opinions(team: Team) -> int:
    """Have the team's share of what waits, and nobody has touched, judged by two, as new items are; returns how many were added.

    Which ones follows from their keys, by the rule by which the database chooses new ones.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE writ_app_reviewitem AS item SET wanted = 2
            FROM writ_app_reviewpolicy AS policy
            WHERE policy.team_id = item.team_id AND item.team_id = %s
              AND item.status = 'OPEN' AND item.wanted = 1 AND item.canary = '' AND item.content IS NULL
              AND (hashint8extended(item.id, item.team_id) & 1048575) < policy.second_share * 1048576
              AND NOT EXISTS (SELECT 1 FROM writ_app_reviewslot AS slot WHERE slot.item_id = item.id AND slot.token > 0)
              AND NOT EXISTS (SELECT 1 FROM writ_app_planneditem AS planned WHERE planned.item_id = item.id)
            """,
            [team.pk],
        )
        return cursor.rowcount
