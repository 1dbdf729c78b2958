"""API tokens: made once, shown once, found by their id, compared by their hash."""

import hashlib
import re
import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from writ_app.engine.errors import WritError
from writ_app.models.accounts import Membership, Role
from writ_app.models.tokens import ApiToken, ApiTokenQuerySet
from writ_app.services.audit import record

PREFIX = "writ"
SHAPE = re.compile(rf"{PREFIX}_([0-9a-f]{{16}})_([A-Za-z0-9_-]{{43}})")
"""Of a token: prefix, key id, secret."""
MOST_TOKENS = 50
"""Of one member that are neither revoked nor expired."""
LONGEST = timedelta(days=366)
NOTED_EVERY = timedelta(minutes=1)


class BadToken(WritError):
    """A token that cannot be made as asked; the text says why."""


class TokenDenied(WritError):
    """A token that opens nothing: unknown, changed, revoked or expired. Which of these is not said."""


@transaction.atomic
def make_token(
    *,
    membership: Membership,
    name: str,
    scope: Role,
    expires_at: datetime,
    now: datetime,
) -> tuple[ApiToken, str]:
    """A new token of a member, and its text, which is nowhere else. Raises BadToken."""
    if not membership.may(scope):
        raise BadToken(f"You are a {membership.get_role_display()} here yourself.")
    if not now < expires_at <= now + LONGEST:
        raise BadToken("A token ends in the future, within a year.")
    Membership.objects.select_for_update(no_key=True).get(pk=membership.pk)
    alive = ApiToken.objects.of_member(membership).filter(
        revoked_at=None, expires_at__gt=now
    )
    if alive.count() >= MOST_TOKENS:
        raise BadToken(f"You have {MOST_TOKENS} tokens: revoke one first.")
    key_id, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        membership=membership,
        name=name,
        scope=scope,
        key_id=key_id,
        secret_hash=_hashed(secret),
        expires_at=expires_at,
    )
    record(
        "token.make",
        team=membership.team_id,
        row=token,
        after={"name": name, "scope": scope, "expires_at": expires_at.isoformat()},
    )
    return token, f"{PREFIX}_{key_id}_{secret}"


def find_token(text: str, *, now: datetime) -> ApiToken:
    """The token of that text, with its member. Raises TokenDenied."""
    shape = SHAPE.fullmatch(text)
    token = (
        ApiToken.objects.select_related("membership__user", "membership__team")
        .filter(key_id=shape[1])
        .first()
        if shape
        else None
    )
    # Compared even if there is none, so that time does not tell which ids there are.
    secret = shape[2] if shape else ""
    kept = token.secret_hash if token else _hashed("")
    same = secrets.compare_digest(_hashed(secret), kept)
    if token is None or not same or token.revoked_at or token.expires_at <= now:
        raise TokenDenied("The token opens nothing: it is unknown, revoked or expired.")
    if not token.membership.user.is_active:
        raise TokenDenied("The token's member may not sign in.")
    return token


def note_use(token: ApiToken, *, now: datetime) -> None:
    """Once a minute, so that a busy program does not write a row with every request."""
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - NOTED_EVERY)
    if token.last_used_at is None or token.last_used_at < now - NOTED_EVERY:
        ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)


def tokens_for(membership: Membership) -> ApiTokenQuerySet:
    """The member's own tokens; an owner sees the team's, newest first."""
    if membership.owns:
        found = ApiToken.objects.filter(membership__team=membership.team_id)
    else:
        found = ApiToken.objects.of_member(membership)
    return found.select_related("membership__user").order_by("-pk")


@transaction.atomic
def revoke_token(*, token: ApiToken, now: datetime) -> bool:
    """Close it for good; False if it was closed before."""
    done = ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now)
    if done:
        token.revoked_at = now
        record(
            "token.revoke",
            team=token.membership.team_id,
            row=token,
            before={"revoked_at": None},
            after={"revoked_at": now.isoformat()},
        )
    return bool(done)


def _hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
