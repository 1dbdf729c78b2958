"""Who looks at what next. One slot is in one pair of hands at a time, and nobody waits for anybody.

A lease is a row's `leased_by` and `leased_until` under a token that goes up with each lease. It lapses when the page gives no sign
of life; the name stays, as a bookmark, until somebody else takes the slot.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any

from django.db import connection, transaction
from django.db.models import Case, Count, F, Q, When
from django.db.models.signals import pre_delete
from django.dispatch import receiver

from writ_app.adapters.caches import here
from writ_app.engine.errors import WritError
from writ_app.models.accounts import Membership, Team, User
from writ_app.models.prepared import prepared
from writ_app.models.review import (
    ItemStatus,
    ReviewEvent,
    ReviewItem,
    ReviewPolicy,
    ReviewSlot,
    Verdict,
)
from writ_app.services.review.ordering import COUNTED_FOR, Choice, Part, in_order

LEASE_SECONDS = ReviewPolicy().lease_seconds
BEAT_SECONDS = 20
"""Between two signs of life of a page: three fit into the default lease, so that one may be lost."""
VERDICTS = (Verdict.APPROVE, Verdict.REJECT, Verdict.FIX)
"""Those that close a slot."""


class NotForYou(WritError):
    """That slot cannot be handed to that person; the text says why."""


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


def policy_of(team: Team) -> ReviewPolicy:
    """How the team reviews; a team that never said has the defaults."""
    return ReviewPolicy.objects.filter(team=team).first() or ReviewPolicy(team=team)


# --- taking ---------------------------------------------------------------------------------------------------------------------


@transaction.atomic
def lease_next(
    *,
    user: User,
    at: datetime,
    choice: Choice | None = None,
    held: Collection[int] = (),
    show: bool = True,
) -> ReviewSlot | None:
    """Hand out a slot under a new token: where the user stopped, else the next free one; None if there is none.

    `held` are slots that the user's page has already. With `show` it goes on screen, else it is leased ahead. A page that is opened
    takes over what another tab of the user had on screen; what is leased ahead leaves other tabs alone.
    """
    _one_at_a_time(user)
    lease = _lease_of(user, at, show) | {"held": list(held)}
    free = (_free(part, user) for part in in_order(user, choice or Choice()))
    own = _own(show, user)
    for parts in chain([(own, next(free))], ((part,) for part in free)):
        if slot := _take_first(parts, user, lease):
            return slot
    return None


@transaction.atomic
def lease_slot(*, slot_id: int, user: User, at: datetime) -> ReviewSlot:
    """Hand out that very slot, number 0 (a dispute to settle) included. Raises NotForYou, ReviewSlot.DoesNotExist."""
    _one_at_a_time(user)
    visible = ReviewSlot.objects.visible_to(user)
    slot = visible.select_for_update(of=("self",)).get(pk=slot_id)
    held = slot.leased_by_id not in (None, user.pk)
    if slot.status != "OPEN" or not slot.ready:
        raise NotForYou(f"#{slot.item_id} is not to be judged now.")
    if held and slot.leased_until is not None and slot.leased_until > at:
        raise NotForYou(f"Somebody else is looking at #{slot.item_id} now.")
    if not _for_eyes_of(user, slot_id, at):
        raise NotForYou(
            f"#{slot.item_id} is for somebody else: you have judged this trajectory, edited it, or have it open elsewhere."
        )
    take(slot=slot, user=user, at=at)
    return slot


def lease_item(*, item: ReviewItem, user: User, at: datetime) -> ReviewSlot:
    """Hand out a place on that very item, out of turn, by the rules of the queue. Raises NotForYou with the reason in words.

    The user's own place comes first, then one in nobody's hands. A dispute is settled on a page of its own.
    """
    free = Q(leased_until=None) | Q(leased_until__lte=at)
    places = ReviewSlot.objects.visible_to(user).open().filter(item=item, ready=True)
    rank = Case(When(leased_by=user, then=0), When(free, then=1), default=2)
    first = places.filter(number__gt=0).order_by(rank, "number").first()
    if first is None:
        raise NotForYou(_why_closed(item))
    return lease_slot(slot_id=first.pk, user=user, at=at)


def _why_closed(item: ReviewItem) -> str:
    if item.status == ItemStatus.DISPUTED:
        return f"#{item.pk} is disputed: a third person settles it, under Quality."
    if item.status and item.status != ItemStatus.OPEN:
        return f"#{item.pk} has its verdict: {item.get_status_display()}."
    return f"#{item.pk} is not up for review: a check fails, or it was withdrawn."


def take(*, slot: ReviewSlot, user: User, at: datetime, show: bool = True) -> None:
    """Put a locked slot into the user's hands. The new token ends every earlier lease on it."""
    lease = _lease_of(user, at, show) | {"slot": slot.pk}
    with prepared() as cursor:
        cursor.execute(
            f"{_TAKE} WHERE id = %(slot)s RETURNING token, leased_until", lease
        )
        slot.token, slot.leased_until = cursor.fetchone()
    slot.leased_by, slot.shown_at = user, lease["shown"]


def _lease_of(user: User, at: datetime, show: bool) -> dict[str, Any]:
    """Parameters of _TAKE."""
    return {
        "user": user.pk,
        "at": at,
        "shown": at if show else None,
        "default": LEASE_SECONDS,
    }


def _own(show: bool, user: User) -> Part:
    """What was on screen last comes first: an undone one before the one it interrupted."""
    among, teams = _among_teams(user)
    where = f"slot.leased_by_id = %(user)s AND slot.team_id IN ({among})"
    if not show:  # another tab has the others
        where += " AND (slot.leased_until IS NULL OR slot.leased_until <= %(at)s)"
    return Part(where, "slot.shown_at DESC NULLS LAST, slot.id", teams)


def _free(part: Part, user: User) -> Part:
    """Narrowed to what is in nobody's hands in the user's teams."""
    among, teams = _among_teams(user)
    where = f"slot.team_id IN ({among}) AND (slot.leased_until IS NULL OR slot.leased_until <= %(at)s) AND {part.where}"
    return Part(where, part.order, {**part.values, **teams})


def _among_teams(user: User) -> tuple[str, dict[str, Any]]:
    """(text for IN, its parameters): one by one and not as an array, because a single team lets an index give the order."""
    teams = {f"team{n}": key for n, key in enumerate(user.team_ids)}
    return ", ".join(f"%({name})s" for name in teams) or "NULL", teams


def _take_first(
    parts: Sequence[Part], user: User, lease: Mapping[str, Any]
) -> ReviewSlot | None:
    """Take the first slot that nobody else is taking at this moment, of the first of the parts that has one."""
    firsts = ", ".join(
        f"({_FIRST} AND {part.where} ORDER BY {part.order} LIMIT 1 FOR UPDATE OF slot SKIP LOCKED)"
        for part in parts
    )
    values = dict(lease)
    for part in parts:
        values |= part.values
    with prepared() as cursor:
        cursor.execute(
            f"{_TAKE} WHERE taken.id = coalesce({firsts}) RETURNING {', '.join(_COLUMNS)}",
            values,
        )
        row = cursor.fetchone()
    if row is None:
        return None
    slot = ReviewSlot.from_db(connection.alias, _COLUMNS, row)
    slot.leased_by = user
    return slot


_COLUMNS = [field.attname for field in ReviewSlot._meta.concrete_fields]

# Written out, because these run with every key press and are dear to compile from expressions.
_END = """%(at)s + make_interval(secs => coalesce((
  SELECT lease_seconds FROM writ_app_reviewpolicy AS policy WHERE policy.team_id = taken.team_id), %(default)s))"""

_TAKE = f"""
UPDATE writ_app_reviewslot AS taken
SET leased_by_id = %(user)s, leased_until = {_END}, token = token + 1, shown_at = %(shown)s
"""

_RENEW = f"""
UPDATE writ_app_reviewslot AS taken
SET leased_until = {_END}, shown_at = CASE WHEN %(show)s THEN coalesce(shown_at, %(at)s) ELSE shown_at END
WHERE id = %(slot)s AND token = %(token)s AND leased_by_id = %(user)s AND status = 'OPEN'
"""

# Without items that the user has judged, edited any version of (unless alone in the team), or holds another version or place of.
# A canary is not for those who know what it was made from. Who judged it, and was told what it was, may still judge that: where one
# person reviews alone nobody else could. OFFSET keeps Postgres from reading all that the user ever said to answer for one place.
_FOR_EYES_OF = """
NOT EXISTS (
  SELECT FROM writ_app_reviewitem AS version
  JOIN writ_app_reviewslot AS place ON place.item_id = version.id
  WHERE version.trajectory_id = item.trajectory_id AND (
    version.edited_by_id = %(user)s AND EXISTS (
      SELECT FROM writ_app_membership AS other WHERE other.team_id = item.team_id AND other.user_id <> %(user)s)
    OR place.id <> slot.id
      AND place.status = 'OPEN' AND place.leased_by_id = %(user)s AND place.leased_until > %(at)s
    OR (version.id = item.id OR item.canary <> '') AND EXISTS (
      SELECT FROM writ_app_reviewevent AS said
      WHERE said.slot_id = place.id AND said.reviewer_id = %(user)s AND said.verdict IN ('APPROVE', 'REJECT', 'FIX')
        AND NOT EXISTS (SELECT FROM writ_app_reviewevent AS taken_back WHERE taken_back.withdraws_id = said.id)
      OFFSET 0)))
"""

_SLOTS = "FROM writ_app_reviewslot AS slot JOIN writ_app_reviewitem AS item ON item.id = slot.item_id"

_FIRST = f"""
SELECT slot.id {_SLOTS}
WHERE slot.status = 'OPEN' AND slot.ready AND slot.number > 0 AND slot.id <> ALL(%(held)s) AND {_FOR_EYES_OF}
"""


def _for_eyes_of(user: User, slot_id: int, at: datetime) -> bool:
    """Whether the slot is of an item that the user may judge."""
    with prepared() as cursor:
        cursor.execute(
            f"SELECT EXISTS (SELECT {_SLOTS} WHERE slot.id = %(slot)s AND {_FOR_EYES_OF})",
            {"slot": slot_id, "user": user.pk, "at": at},
        )
        return bool(cursor.fetchone()[0])


LEASING = 0x5245
"""Tells these locks from others; any number does."""


def _one_at_a_time(user: User) -> None:
    """Two tabs of one person take turns, so that they cannot get two places on one item."""
    with prepared() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LEASING, user.pk])


# --- keeping and giving back ----------------------------------------------------------------------------------------------------


def renew_lease(
    *, slot_id: int, token: int, user: User, at: datetime, show: bool = False
) -> bool:
    """Keep a lease alive, and note with `show` that it is on screen now; False if it was lost."""
    lease: dict[str, Any] = {
        "slot": slot_id,
        "token": token,
        "user": user.pk,
        "at": at,
        "show": show,
        "default": LEASE_SECONDS,
    }
    with prepared() as cursor:
        cursor.execute(_RENEW, lease)
        return bool(cursor.rowcount == 1)


def give_back(*, held: Mapping[int, int], user: User, at: datetime) -> None:
    """The page was closed: others may take its slots (by token) now. What nobody takes waits for the user's return."""
    ours = Q(pk__in=())
    for slot_id, token in held.items():
        ours |= Q(pk=slot_id, token=token)
    leased = ReviewSlot.objects.leased_to(user, at)
    leased.filter(ours).update(leased_until=at)


@receiver(pre_delete, sender=Membership, dispatch_uid="writ.leases")
def leave(sender: Any, instance: Membership, **kwargs: Any) -> None:
    """Who leaves a team holds nothing of it any more."""
    held = ReviewSlot.objects.open().filter(
        leased_by=instance.user_id, team=instance.team_id
    )
    held.update(leased_by=None, leased_until=None, shown_at=None, token=F("token") + 1)


def let_go(*, user: User) -> None:
    """Give up all that the user holds in the team, bookmarks included: another part of the queue was chosen."""
    held = ReviewSlot.objects.visible_to(user).open().filter(leased_by=user)
    held.update(leased_by=None, leased_until=None, shown_at=None)


# --- who, how many --------------------------------------------------------------------------------------------------------------


def lookers(*, user: User, at: datetime) -> dict[int, tuple[str, ...]]:
    """Item → names of those who have it on screen now, besides the user."""
    slots = (
        ReviewSlot.objects.visible_to(user)
        .open()
        .filter(leased_by__isnull=False, leased_until__gt=at, shown_at__isnull=False)
        .exclude(leased_by=user)
        .order_by("shown_at")
    )
    found: dict[int, tuple[str, ...]] = {}
    for item, name in slots.values_list("item", "leased_by__username"):
        found[item] = (*found.get(item, ()), name)
    return found


def count_waiting(*, user: User) -> int:
    """Slots to fill, of all there are for the user's teams. Some seconds old."""

    def count() -> int:
        return ReviewSlot.objects.visible_to(user).open().filter(ready=True).count()

    key = f"review-waiting:{user.team_ids}"
    return here.get_or_set(key, count, COUNTED_FOR) or 0


def count_today(*, user: User, at: datetime) -> int:
    """Verdicts that the user gave today and that stand."""
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    given = ReviewEvent.objects.filter(
        reviewer=user, verdict__in=VERDICTS, slot__team__in=user.team_ids
    )
    return given.filter(created_at__gte=midnight, withdrawn_by=None).count()


def count_queue(*, user: User, at: datetime) -> QueueCounts:
    """How much there is to review and was reviewed, over everything the user may see; where that is much, some seconds old."""
    key = f"review-queue:{user.team_ids}"
    counts: dict[str, int] | None = here.get(key)
    if counts is None:
        counts = _count_queue(user)
        if sum(counts.values()) > MANY:
            here.set(key, counts, COUNTED_FOR)
    return QueueCounts(
        waiting=counts["open"] + counts["disputed"],
        approved=counts["approved"],
        rejected=counts["rejected"],
        fix=counts["fix"],
        deferred=counts["deferred"],
        releasable=counts["releasable"],
        today=count_today(user=user, at=at),
    )


MANY = 10_000
"""Counting takes so long from here on that it is done once for a while."""


def _count_queue(user: User) -> dict[str, int]:
    """Items by status, with those to be released and places put off."""
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
    return {**counts, "deferred": deferred.count()}
