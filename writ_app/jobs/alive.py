"""Workers say that they live, so that the web can tell."""

import os
import time
from contextlib import suppress
from typing import Any

from celery.signals import heartbeat_sent
from django.conf import settings
from redis import RedisError

from writ_app.services.operations.heard import note_heard
from writ_app.services.operations.tallies import note_memory

EVERY = 10.0
"""Seconds between two notes. Celery's heart beats every two."""
_noted = -EVERY


@heartbeat_sent.connect
def note(sender: Any, **kwargs: Any) -> None:
    global _noted
    now = time.monotonic()
    if now - _noted < EVERY:
        return
    _noted = now
    with suppress(RedisError):  # Celery itself reports and mends the lost connection.
        note_heard()
        if settings.METRICS_TOKEN:
            from writ_app.adapters.memory import held_by_family  # for workers alone

            held, _ = held_by_family(os.getpid())
            note_memory(worker=sender.eventer.hostname, held=held)
