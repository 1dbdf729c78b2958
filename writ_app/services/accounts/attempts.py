"""How often somebody may try to sign in: counted for the account and for the address, by all processes together."""

import hashlib
import logging
import time

from django.conf import settings
from django.core.cache import cache

from writ_app.engine.errors import WritError
from writ_app.models.accounts import User
from writ_app.services.audit import record

logger = logging.getLogger(__name__)

WINDOW = 300
"""Seconds over which attempts are counted."""


class TooManyTries(WritError):
    """Who tries again within the window learns nothing, not even with the right password."""


def _key(kind: str, of: str) -> str:
    """Names and addresses are hashed: they are typed by anybody, and passwords end up among them by mistake."""
    window = int(time.time()) // WINDOW
    digest = hashlib.sha256(of.lower().encode()).hexdigest()[:32]
    return f"sign-in:{kind}:{window}:{digest}"


def begin_try(*, name: str, address: str) -> None:
    """Count an attempt before it is looked at, so that many at once are not all let through. Raises TooManyTries.

    `address` is empty if it is not known; then it is not counted.
    """
    per_name, per_address = settings.SIGN_IN_TRIES
    limits = {_key("name", name): per_name}
    if address:
        limits[_key("address", address)] = per_address
    tries = {key: _count(key) for key in limits}
    if any(tries[key] > most for key, most in limits.items()):
        raise TooManyTries(
            "Too many attempts. Wait five minutes, or have your password reset."
        )


def forgive(*, name: str, address: str) -> None:
    """It was the right password: what was counted for the account is forgotten, and this attempt of the address."""
    cache.delete(_key("name", name))
    if address:
        key = _key("address", address)
        if cache.get(key):
            cache.incr(key, -1)


def _count(key: str) -> int:
    cache.add(key, 0, 2 * WINDOW)
    try:
        return int(cache.incr(key))
    except ValueError:  # it ended between the two
        return 1


def note_failure(*, name: str) -> None:
    """Write a failed attempt down, once a minute for an account, so that nobody can fill the log.

    An account that is not there is not named: what was typed may be a password.
    """
    user = User.objects.filter(username=name).first()
    logger.info("A sign-in failed%s", f" for user {user.pk}" if user else "")
    key = f"failed:{user.pk if user else 'unknown'}"
    if cache.add(key, True, 60):
        record("person.sign_in_failed", team=None, row=user)
