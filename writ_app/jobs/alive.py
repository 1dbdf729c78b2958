"""Workers say that they live, so that the web can tell."""

import time
from contextlib import suppress
from typing import Any

from celery.signals import heartbeat_sent
from redis import RedisError

from writ_app.services.operations.heard import note_heard

EVERY = 10.0
"""Seconds between two notes. Celery's heart beats every two."""
_noted = -EVERY


@heartbeat_sent.connect
def note(**kwargs: Any) -> None:
    global _noted
    now = time.monotonic()
    if now - _noted < EVERY:
        return
    _noted = now
    with suppress(RedisError):  # Celery itself reports and mends the lost connection.
        note_heard()
