"""One verdict on many items at once: said beforehand what it would do, done as events, undone as a whole.

Everything is done by a handful of statements on sets, never item by item. Items are locked in the order of their keys and slots
without waiting, so that neither two bulk actions nor a bulk action and a reviewer can wait for each other in a circle.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from writ_app.engine.errors import WritError
from writ_app.models.accounts import Team, User
from writ_app.models.review import BulkAction, ItemQuerySet, Verdict
from writ_app.services.audit import digest_of, record
from writ_app.services.review.listing import Filters, at_most
from writ_app.services.review.verdicts import STATUS_AFTER

MOST = 50_000
"""Items of one action."""
SECONDS = 60
REQUEUE = Verdict.WITHDRAW
"""Withdraws the verdicts there are, so that the items are open again."""
GIVEN = (Verdict.APPROVE, Verdict.REJECT, Verdict.FIX, REQUEUE)

SKIPPED = {
    "failing": "a check fails, so there is nothing to approve",
    "not_open": "judged already",
    "disputed": "two reviewers disagree: settle it on the item's page",
    "yours": "you have judged it, and the second opinion is somebody else's",
    "edited": "your own edit, which somebody else has to judge",
    "version": "you have judged or edited another version of it, so this is for somebody else",
    "held": "somebody is looking at it now",
    "unjudged": "not judged yet",
    "released": "part of a release, so its approval stands",
}
"""Why an item is left as it is, in words."""


class CannotApply(WritError):
    """A bulk action that is too big, or that finds nothing to do."""


class CannotUndoBulk(WritError):
    """It was undone before, or is not the person's to undo."""


@dataclass(frozen=True)
class Forecast:
    """What an action would do at this moment."""

    total: int
    """Items that were chosen."""
    changes: int
    waiting: int
    """Of those changed, how many wait for a second opinion afterwards."""
    skipped: tuple[tuple[str, int], ...]
    """(why in words, how many), most first."""


# Which slot of an item the person's verdict would close, and if there is none, why. Parameters: items, user, approve, at.
# Versions of what the person knows are left to others, if there are any: a bulk verdict is no look at what differs.
_SORTED = """
SELECT item.id AS item_id, slot.id AS slot_id, coalesce(slot.others, 0) AS others,
  CASE
    WHEN %(approve)s AND NOT item.ready THEN 'failing'
    WHEN item.status = '' THEN 'failing'
    WHEN item.status = 'DISPUTED' THEN 'disputed'
    WHEN item.status <> 'OPEN' THEN 'not_open'
    WHEN slot.judged THEN 'yours'
    WHEN item.edited_by_id = %(user)s AND team.others THEN 'edited'
    WHEN team.others AND EXISTS (
      SELECT FROM writ_app_reviewitem AS version
      WHERE version.trajectory_id = item.trajectory_id AND version.id <> item.id AND (
        version.edited_by_id = %(user)s OR EXISTS (
          SELECT FROM writ_app_reviewslot AS place
          JOIN writ_app_reviewevent AS event ON event.slot_id = place.id
          LEFT JOIN writ_app_reviewevent AS withdrawal ON withdrawal.withdraws_id = event.id
          WHERE place.item_id = version.id AND event.reviewer_id = %(user)s AND withdrawal.id IS NULL
            AND event.verdict IN ('APPROVE', 'REJECT', 'FIX')))) THEN 'version'
    WHEN slot.id IS NULL THEN 'held'
    ELSE ''
  END AS skipped
FROM unnest(%(items)s::bigint[]) AS chosen (id)
JOIN writ_app_reviewitem AS item ON item.id = chosen.id
JOIN (
  SELECT team_id, bool_or(user_id <> %(user)s) AS others FROM writ_app_membership GROUP BY team_id
) AS team ON team.team_id = item.team_id
LEFT JOIN LATERAL (
  SELECT min(one.id) FILTER (WHERE one.free) AS id, count(*) FILTER (WHERE one.status = 'OPEN') - 1 AS others,
         bool_or(one.judged) AS judged
  FROM (
    SELECT own.id, own.status,
           own.status = 'OPEN' AND own.ready
             AND (own.leased_until IS NULL OR own.leased_until <= %(at)s OR own.leased_by_id = %(user)s) AS free,
           own.status <> 'OPEN' AND EXISTS (
             SELECT FROM writ_app_reviewevent AS event
             LEFT JOIN writ_app_reviewevent AS withdrawal ON withdrawal.withdraws_id = event.id
             WHERE event.slot_id = own.id AND event.reviewer_id = %(user)s AND withdrawal.id IS NULL
               AND event.verdict IN ('APPROVE', 'REJECT', 'FIX')) AS judged
    FROM writ_app_reviewslot AS own
    WHERE own.item_id = item.id AND own.number BETWEEN 1 AND item.wanted) AS one
) AS slot ON true
"""
_REOPENED = """
SELECT item.id AS item_id, 0 AS others,
  CASE
    WHEN item.status IN ('', 'OPEN') AND NOT EXISTS (
      SELECT FROM writ_app_reviewslot AS own WHERE own.item_id = item.id AND own.status <> 'OPEN') THEN 'unjudged'
    WHEN EXISTS (
      SELECT FROM writ_app_releasemember AS member JOIN writ_app_release AS release ON release.id = member.release_id
      WHERE member.item_id = item.id AND release.frozen_at IS NOT NULL) THEN 'released'
    ELSE ''
  END AS skipped
FROM unnest(%(items)s::bigint[]) AS chosen (id)
JOIN writ_app_reviewitem AS item ON item.id = chosen.id
"""
_COUNT = """
SELECT skipped, count(*), count(*) FILTER (WHERE skipped = '' AND others > 0) FROM ({sorted}) AS sorted
GROUP BY skipped ORDER BY 2 DESC
"""
_LOCK_ITEMS = """
SELECT id FROM writ_app_reviewitem WHERE id = ANY(%(items)s::bigint[]) ORDER BY id FOR NO KEY UPDATE
"""
_LOCK_SLOTS = """
SELECT slot.id FROM writ_app_reviewslot AS slot WHERE slot.id = ANY(%(slots)s::bigint[]) AND slot.status = 'OPEN'
ORDER BY slot.id FOR UPDATE SKIP LOCKED
"""
_CLOSE = """
UPDATE writ_app_reviewslot SET status = %(status)s, leased_by_id = NULL, leased_until = NULL, token = token + 1
WHERE id = ANY(%(slots)s::bigint[])
"""
_SAY = """
INSERT INTO writ_app_reviewevent (slot_id, reviewer_id, verdict, reason, note, focus, bulk_id)
SELECT slot_id, %(user)s, %(verdict)s, %(reason)s, %(note)s, '', %(bulk)s
FROM unnest(%(slots)s::bigint[]) AS slot_id ORDER BY slot_id
"""
# The verdict that a closed slot's status follows from is its last one that stands.
_WITHDRAW = """
INSERT INTO writ_app_reviewevent (slot_id, reviewer_id, verdict, reason, note, focus, withdraws_id, bulk_id)
SELECT slot.id, %(user)s, 'WITHDRAW', '', %(note)s, '', standing.id, %(bulk)s
FROM writ_app_reviewslot AS slot
CROSS JOIN LATERAL (
  SELECT event.id FROM writ_app_reviewevent AS event
  LEFT JOIN writ_app_reviewevent AS withdrawal ON withdrawal.withdraws_id = event.id
  WHERE event.slot_id = slot.id AND event.verdict IN ('APPROVE', 'REJECT', 'FIX') AND withdrawal.id IS NULL
  ORDER BY event.id DESC LIMIT 1) AS standing
WHERE slot.item_id = ANY(%(items)s::bigint[]) AND slot.status <> 'OPEN'
ORDER BY slot.id
"""
_REOPEN = """
UPDATE writ_app_reviewslot SET status = 'OPEN', deferred_at = NULL, token = token + 1, ready = ready AND number > 0
WHERE item_id = ANY(%(items)s::bigint[]) AND status <> 'OPEN'
"""
# --- undoing -------------------------------------------------------------------------------------------------------------------
# Verdicts of the action that still stand, outside of releases.
_STANDING = """
SELECT event.id, event.slot_id, slot.item_id FROM writ_app_reviewevent AS event
JOIN writ_app_reviewslot AS slot ON slot.id = event.slot_id
LEFT JOIN writ_app_reviewevent AS withdrawal ON withdrawal.withdraws_id = event.id
WHERE event.bulk_id = %(bulk)s AND event.verdict <> 'WITHDRAW' AND withdrawal.id IS NULL
  AND NOT EXISTS (
    SELECT FROM writ_app_releasemember AS member JOIN writ_app_release AS release ON release.id = member.release_id
    WHERE member.item_id = slot.item_id AND release.frozen_at IS NOT NULL)
"""
_TAKE_BACK = """
INSERT INTO writ_app_reviewevent (slot_id, reviewer_id, verdict, reason, note, focus, withdraws_id, bulk_id)
SELECT event.slot_id, %(user)s, 'WITHDRAW', '', '', '', event.id, %(bulk)s
FROM writ_app_reviewevent AS event WHERE event.id = ANY(%(events)s::bigint[]) ORDER BY event.id
"""
# Verdicts that it withdrew, of slots that nobody has judged or is judging since.
_WITHDRAWN = """
SELECT before.id, slot.id, slot.item_id FROM writ_app_reviewevent AS event
JOIN writ_app_reviewevent AS before ON before.id = event.withdraws_id
JOIN writ_app_reviewslot AS slot ON slot.id = event.slot_id
JOIN writ_app_reviewitem AS item ON item.id = slot.item_id
WHERE event.bulk_id = %(bulk)s AND event.verdict = 'WITHDRAW' AND slot.status = 'OPEN'
  AND (before.verdict <> 'APPROVE' OR item.ready)
  AND (slot.leased_until IS NULL OR slot.leased_until <= %(at)s)
  AND NOT EXISTS (SELECT FROM writ_app_reviewevent AS later WHERE later.slot_id = slot.id AND later.id > event.id
                  AND later.verdict IN ('APPROVE', 'REJECT', 'FIX'))
"""
# Said again, in the words and the name of who said it: a withdrawal itself is never withdrawn.
_SAY_AGAIN = """
INSERT INTO writ_app_reviewevent
  (slot_id, reviewer_id, verdict, reason, note, focus, message, pointer, write, bulk_id)
SELECT slot_id, reviewer_id, verdict, reason, note, focus, message, pointer, write, %(bulk)s
FROM writ_app_reviewevent WHERE id = ANY(%(events)s::bigint[]) ORDER BY id
"""
_CLOSE_AGAIN = """
UPDATE writ_app_reviewslot AS slot
SET status = CASE event.verdict WHEN 'APPROVE' THEN 'APPROVED' WHEN 'REJECT' THEN 'REJECTED' ELSE 'FIX' END,
    token = slot.token + 1
FROM writ_app_reviewevent AS event WHERE event.id = ANY(%(events)s::bigint[]) AND slot.id = event.slot_id
"""


def chosen_ids(items: ItemQuerySet, team: Team) -> list[int]:
    """Keys of the team's items among these. Raises CannotApply if there are none, or too many."""
    with at_most():
        found = items.filter(team=team).order_by()
        ids = list(found.values_list("pk", flat=True)[: MOST + 1])
    if not ids:
        raise CannotApply("Nothing is chosen.")
    if len(ids) > MOST:
        raise CannotApply(
            f"More than {MOST:,} items match; narrow the list and do it in parts."
        )
    return sorted(ids)


def forecast(
    *, items: Sequence[int], user: User, verdict: Verdict, at: datetime
) -> Forecast:
    """What the verdict would do to these items, without doing it."""
    with at_most(SECONDS):
        rows = _rows(
            _COUNT.format(sorted=_sorting(verdict)),
            _choice(items, user, verdict, at),
        )
    changes = sum(count for why, count, _ in rows if not why)
    return Forecast(
        total=len(items),
        changes=changes,
        waiting=sum(waiting for *_, waiting in rows),
        skipped=tuple((SKIPPED[why], count) for why, count, _ in rows if why),
    )


def apply_bulk(
    *,
    items: Sequence[int],
    user: User,
    team: Team,
    verdict: Verdict,
    at: datetime,
    reason: str = "",
    note: str = "",
    filters: Filters | None = None,
) -> BulkAction:
    """Give the verdict to every item that takes it. `total` of the result says how many. Raises CannotApply."""
    if verdict not in GIVEN or (verdict == Verdict.REJECT) != bool(reason):
        raise CannotApply("A rejection has a reason, and nothing else has one.")
    with at_most(SECONDS):
        choice = _choice(items, user, verdict, at)
        _rows(_LOCK_ITEMS, choice)
        sorted_out = f"SELECT * FROM ({_sorting(verdict)}) AS sorted WHERE skipped = ''"
        taken = _rows(sorted_out, choice)
        if not taken:
            raise CannotApply("None of these items takes that verdict now.")
        action = BulkAction.objects.create(
            team=team,
            by=user,
            verdict=verdict,
            note=note,
            filters=dict(filters or {}),
        )
        said: dict[str, Any] = {
            "user": user.pk,
            "verdict": verdict.value,
            "reason": reason,
            "note": note,
            "bulk": action.pk,
        }
        if verdict == REQUEUE:
            reopened = {"items": [row[0] for row in taken]}
            _run(_WITHDRAW, {**said, **reopened})
            _run(_REOPEN, reopened)
            action.total = len(taken)
        else:
            locked = _rows(_LOCK_SLOTS, {"slots": [row[1] for row in taken]})
            closed = {"slots": [slot for (slot,) in locked]}
            _run(_SAY, {**said, **closed})
            _run(_CLOSE, {**closed, "status": STATUS_AFTER[verdict].value})
            action.total = len(locked)
        action.save(update_fields=["total"])
        record(
            "bulk.apply",
            team=team,
            row=action,
            by=user,
            after={
                "verdict": verdict.value,
                "reason": reason,
                "trajectories": action.total,
                "of": len(items),
                "keys_sha256": digest_of(row[0] for row in taken),
                "filters": dict(filters or {}),
            },
        )
    return action


def may_undo(action: BulkAction, user: User, *, owns: bool = False) -> bool:
    """Its author may, and owners of the team. `owns` is told by whoever asks: a token of an owner may be less than its member."""
    return action.undone_at is None and (action.by_id == user.pk or owns)


def undo_bulk(
    *, action: BulkAction, user: User, at: datetime, owns: bool = False
) -> int:
    """Put back what it changed, and what nobody has changed since. Items put back. `owns`: as for `may_undo`. Raises CannotUndoBulk."""
    with at_most(SECONDS):
        held = BulkAction.objects.select_for_update(of=("self",)).get(pk=action.pk)
        if held.undone_at is not None:
            raise CannotUndoBulk("That was undone already.")
        if not may_undo(held, user, owns=owns):
            raise CannotUndoBulk("Its author or an owner of the team can undo that.")
        by = {"user": user.pk, "bulk": action.pk, "at": at}
        requeued = held.verdict == REQUEUE
        find = _WITHDRAWN if requeued else _STANDING
        _rows(_LOCK_ITEMS, {"items": sorted({row[2] for row in _rows(find, by)})})
        found = _rows(find, by)  # again, now that nobody changes them
        back = {**by, "events": [event for event, *_ in found]}
        if requeued:
            _run(_SAY_AGAIN, back)
            _run(_CLOSE_AGAIN, back)
        else:
            _run(_TAKE_BACK, back)
            _run(_REOPEN_SLOTS, {"slots": [slot for _, slot, _ in found]})
        held.undone_at = at
        held.save(update_fields=["undone_at"])
        put_back = {item for *_, item in found}
        record(
            "bulk.undo",
            team=held.team_id,
            row=held,
            by=user,
            before={"verdict": held.verdict, "trajectories": held.total},
            after={
                "trajectories": len(put_back),
                "keys_sha256": digest_of(put_back),
            },
        )
    return len(put_back)


_REOPEN_SLOTS = """
UPDATE writ_app_reviewslot SET status = 'OPEN', deferred_at = NULL, token = token + 1
WHERE id = ANY(%(slots)s::bigint[])
"""


def _sorting(verdict: Verdict) -> str:
    return _REOPENED if verdict == REQUEUE else _SORTED


def _choice(
    items: Sequence[int], user: User, verdict: Verdict, at: datetime
) -> dict[str, Any]:
    approve = verdict == Verdict.APPROVE
    return {"items": list(items), "user": user.pk, "approve": approve, "at": at}


def _rows(query: str, parameters: dict[str, Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        rows: list[Any] = cursor.fetchall()
        return rows


def _run(query: str, parameters: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
