"""When a worker was last heard of: a time in the broker, which every worker writes and every web process reads."""

import time

from django.conf import settings

from writ_app.adapters.broker import broker_client

KEY = "writ.worker.heard"
KEPT = 24 * 3600
"""Seconds. After that nothing is known, as before the first worker."""
WAIT = 1.5
"""Seconds the broker may take. Workers write from the loop that also takes messages."""


def note_heard() -> None:
    """A worker lives. Raises redis.RedisError if the broker does not take it."""
    with broker_client(settings.CELERY_BROKER_URL, seconds=WAIT) as client:
        client.set(KEY, f"{time.time():.0f}", ex=KEPT)


def last_heard() -> float | None:
    """Seconds since a worker was last heard of, None if not in the last day. Raises redis.RedisError."""
    with broker_client(settings.CELERY_BROKER_URL, seconds=WAIT) as client:
        noted = client.get(KEY)
    return max(0.0, time.time() - float(noted)) if isinstance(noted, bytes) else None
