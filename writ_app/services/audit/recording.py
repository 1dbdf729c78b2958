"""Writing down who did what. Every service that changes something a team relies on ends with `record`."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, TypedDict

from django.db.models import Model

from writ_app.adapters.logs import about_now
from writ_app.models.accounts import Team, User
from writ_app.models.audit import AuditEntry


class Facts(TypedDict):
    """Of an act: who did it (key of a user), by which door, and within which request."""

    actor_id: int | None
    door: str
    request_id: str


def record(
    action: str,
    *,
    team: Team | int | None,
    row: Model | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    by: User | None = None,
) -> AuditEntry:
    """Keep that it was done, in the transaction that does it.

    The actor, the door and the request are known from the context that log lines have too (writ_app/adapters/logs.py);
    `by` is who did it where the context names nobody. `before` and `after` hold what changed, as JSON values; never a
    secret, never a text of many lines.
    """
    return AuditEntry.objects.create(
        team_id=team.pk if isinstance(team, Team) else team,
        **who_and_where(by),
        action=action,
        kind=row._meta.model_name or "" if row is not None else "",
        key=str(row.pk) if row is not None else "",
        before=dict(before) if before is not None else None,
        after=dict(after) if after is not None else None,
    )


KEEP = """
  INSERT INTO writ_app_auditentry (team_id, actor_id, door, request_id, action, kind, key, after)
  SELECT %(audit_team)s::bigint, %(audit_actor)s::bigint, %(audit_door)s, %(audit_request)s, %(audit_action)s, %(audit_kind)s,
    {key}::text, %(audit_after)s::json
  FROM {source}"""
"""An entry as a part of a bigger statement, for what runs with every key press: one for each row of `source`."""


def kept_as(
    action: str,
    *,
    team: int,
    kind: type[Model],
    by: User,
    after: Mapping[str, Any],
) -> dict[str, Any]:
    """The parameters of KEEP."""
    facts = who_and_where(by)
    return {
        "audit_team": team,
        "audit_actor": facts["actor_id"],
        "audit_door": facts["door"],
        "audit_request": facts["request_id"],
        "audit_action": action,
        "audit_kind": kind._meta.model_name,
        "audit_after": json.dumps(dict(after)),
    }


def who_and_where(by: User | None = None) -> Facts:
    """For an entry that is written by a statement of its own; `by` as in `record`."""
    about = about_now()
    user = about.get("user")
    return {
        "actor_id": int(user) if user is not None else by.pk if by else None,
        "door": _door(about),
        "request_id": str(about.get("request_id", "")),
    }


def digest_of(keys: Iterable[int]) -> str:
    """SHA-256 (hex) over keys in their order, as `1,2,3`: stands for many rows in one entry."""
    return hashlib.sha256(",".join(map(str, sorted(keys))).encode()).hexdigest()


def digest_of_text(text: str) -> str:
    """SHA-256 (hex) of a text that is too long for an entry, or not for everybody's eyes."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _door(about: Mapping[str, Any]) -> str:
    if "token" in about:
        return "api"
    if "task_id" in about:
        return "job"
    return "web" if "request_id" in about else "command"
