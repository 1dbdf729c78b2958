"""What time it is by the database's clock: the same on every machine that serves or works, whatever its own clock says.

Leases, sessions and "today" are kept in rows that several machines write and compare. A machine whose clock is an hour ahead would
take everybody's leases for lapsed; one whose clock is set back would hold its own for an hour too long. So every new connection asks
for the time once, and from then on this process counts seconds by a clock that nobody can set. Connections of the web
live a minute (CONN_MAX_AGE), so that is how far the two can drift apart.
"""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

_read: tuple[datetime, float] | None = None
"""The database's time, and how many seconds were counted then."""
_COUNTING = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""The one that also counts while the machine sleeps, where there is such."""


def counted() -> float:
    """Seconds since some moment, on a clock that nobody can set."""
    return time.clock_gettime(_COUNTING)


def now() -> datetime:
    """The database's time, in UTC. Asks nobody, unless this process has never been connected."""
    if _read is None:
        connection.ensure_connection()
    if _read is None:  # connected before this module was loaded
        read(connection)
    assert _read is not None
    then, before = _read
    return then + timedelta(seconds=counted() - before)


def read(of: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Note the time of a connection that was just made."""
    global _read
    with of.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        told = cursor.fetchone()[0]
        # After the answer: a slow one makes the time late by that much, and never early.
        _read = (told.astimezone(UTC), counted())


def on_connect(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    read(connection)


connection_created.connect(on_connect)
