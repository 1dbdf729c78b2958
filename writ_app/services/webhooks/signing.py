"""Signatures as Standard Webhooks has them (https://www.standardwebhooks.com): HMAC-SHA256 over `id.timestamp.body`.

The secret is derived, not kept: HMAC-SHA256 of the webhook's salt under SECRET_KEY. Neither the database nor a backup of it can
sign. Under another SECRET_KEY the secrets that were shown are gone: such a webhook is disabled, says so, and wants a new one.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime

from django.conf import settings

PREFIX = "whsec_"
_PURPOSE = b"writ webhook secret v1\0"


def derive(salt: bytes, secret_key: str) -> bytes:
    """The 32 bytes that sign."""
    return hmac.digest(secret_key.encode(), _PURPOSE + salt, "sha256")


def shown(secret: bytes) -> str:
    """As receivers' libraries take it."""
    return PREFIX + base64.b64encode(secret).decode()


def hashed(secret: bytes) -> str:
    return hashlib.sha256(secret).hexdigest()


def secret_of(salt: bytes, secret_hash: str) -> bytes | None:
    """The secret that was shown, by the key of now or an earlier one; None if none of them made it."""
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        secret = derive(salt, str(key))
        if hmac.compare_digest(hashed(secret), secret_hash):
            return secret
    return None


def headers(
    secret: bytes, *, message_id: str, at: datetime, body: bytes
) -> Mapping[str, str]:
    """What a request is sent with. The timestamp is whole seconds, of this attempt."""
    stamp = str(int(at.timestamp()))
    signed = b".".join((message_id.encode(), stamp.encode(), body))
    signature = base64.b64encode(hmac.digest(secret, signed, "sha256")).decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{signature}",
    }
