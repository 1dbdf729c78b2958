"""Whether the verdicts that stand in their table are those that the audit log has, and the other way round."""

from django.db import connection

_NOT_AS_KEPT = """
SELECT event.id, entry.id FROM writ_app_reviewevent AS event JOIN writ_app_reviewslot AS slot ON slot.id = event.slot_id
LEFT JOIN writ_app_auditentry AS entry
  ON entry.action = 'verdict.give' AND entry.kind = 'reviewevent' AND entry.key = event.id::text
WHERE event.bulk_id IS NULL AND event.withdraws_id IS NULL
  AND event.id >= (SELECT min(key::bigint) FROM writ_app_auditentry WHERE action = 'verdict.give' AND kind = 'reviewevent')
  AND (entry.id IS NULL OR entry.team_id <> slot.team_id OR entry.actor_id IS DISTINCT FROM event.reviewer_id
    OR (entry.after ->> 'trajectory')::bigint <> slot.item_id OR entry.after ->> 'verdict' <> event.verdict
    OR entry.after ->> 'reason' <> event.reason
    OR entry.after ->> 'note_sha256' IS DISTINCT FROM
      CASE WHEN event.note <> '' THEN encode(sha256(convert_to(event.note, 'UTF8')), 'hex') END)
ORDER BY event.id LIMIT 1
"""
"""From the first verdict on that the log has: older ones were given before there was one. Those of bulk actions stand in one entry."""
_GONE = """
SELECT entry.key, entry.id FROM writ_app_auditentry AS entry
LEFT JOIN writ_app_reviewevent AS event ON event.id::text = entry.key
WHERE entry.action = 'verdict.give' AND entry.kind = 'reviewevent' AND event.id IS NULL ORDER BY entry.id LIMIT 1
"""


def verdicts_not_as_kept() -> list[str]:
    """What contradicts the log, in words: the first of each kind. The log itself is verified elsewhere."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute(_NOT_AS_KEPT)
        for event, entry in cursor.fetchall():
            found.append(
                f"verdict {event} is not what entry {entry} says of it"
                if entry
                else f"verdict {event} has no entry in the log"
            )
        cursor.execute(_GONE)
        for key, entry in cursor.fetchall():
            found.append(f"verdict {key}, which entry {entry} has, is gone")
    return found
