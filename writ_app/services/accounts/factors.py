"""Second factors: one-time codes of an authenticator app, and recovery codes for the day it is lost. The work is django-allauth's."""

import base64
from dataclasses import dataclass
from typing import Any

from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import (
    TOTP,
    clear_totp_secret,
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.db import transaction
from django.http import HttpRequest

from writ_app.models.accounts import User
from writ_app.services.audit import record
from writ_app.services.sessions import SECOND_FACTOR, refresh

USED = "used"
"""Key of an app's data: the periods (Unix time / 30 s) whose codes were taken and might still be right."""


@dataclass(frozen=True)
class Factors:
    app: Authenticator | None
    codes_left: int


def factors_of(user: User) -> Factors:
    """What the person has set up."""
    kinds = {one.type: one for one in Authenticator.objects.filter(user=user)}
    codes = kinds.get(Authenticator.Type.RECOVERY_CODES)
    left = len(codes.wrap().get_unused_codes()) if codes else 0
    return Factors(kinds.get(Authenticator.Type.TOTP), left)


def has_second_factor(user: User) -> bool:
    return bool(get_adapter().is_mfa_enabled(user, [Authenticator.Type.TOTP]))


def picture_of(user: User, secret: str) -> tuple[str, str]:
    """What an authenticator app reads: (address of a picture, the text in it)."""
    adapter = get_adapter()
    text = adapter.build_totp_url(user, secret)
    picture = base64.b64encode(adapter.build_totp_svg(text).encode()).decode()
    return f"data:image/svg+xml;base64,{picture}", text


@transaction.atomic
def spend_code(factor: Authenticator, code: str) -> bool:
    """Take a code of the app that was right; False if it was taken before (RFC 6238, 5.2).

    django-allauth remembers that as well, but in the cache, which may be gone, and for one period of 30 s, while a code holds for
    three. Other factors' codes are spent by themselves.
    """
    if factor.type != Authenticator.Type.TOTP:
        return True
    row = Authenticator.objects.select_for_update(no_key=True).get(pk=factor.pk)
    secret = get_adapter().decrypt(row.data["secret"])
    periods = list(yield_hotp_counters_from_time())
    now = [
        period
        for period in periods
        if compare_user_code(
            actual=code, expected=format_hotp_value(hotp_value(secret, period))
        )
    ]
    used = [period for period in row.data.get(USED, []) if period >= periods[0]]
    if not now or not set(now).isdisjoint(used):
        return False
    row.data[USED] = [*used, *now]
    row.save(update_fields=["data"])
    return True


@transaction.atomic
def turn_on(request: HttpRequest, user: User, secret: str) -> list[str]:
    """Keep the secret of the app, whose code was right. The recovery codes, to be shown once."""
    TOTP.activate(user, secret)
    clear_totp_secret(request)
    request.session[SECOND_FACTOR] = True
    refresh(request.session)
    record("person.second_factor", team=None, row=user, after={"on": True})
    return _new_codes(user)


@transaction.atomic
def turn_off(request: HttpRequest, user: User) -> None:
    Authenticator.objects.filter(user=user).delete()
    request.session.pop(SECOND_FACTOR, None)
    record("person.second_factor", team=None, row=user, after={"on": False})


@transaction.atomic
def renew_codes(user: User) -> list[str]:
    """New recovery codes, to be shown once; the old ones open nothing any more."""
    record("person.recovery_codes", team=None, row=user)
    return _new_codes(user)


def _new_codes(user: User) -> list[str]:
    kind: Any = Authenticator.Type.RECOVERY_CODES
    Authenticator.objects.filter(user=user, type=kind).delete()
    codes: list[str] = RecoveryCodes.activate(user).get_unused_codes()
    return codes
