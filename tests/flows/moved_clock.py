"""The WSGI door of a machine whose clock is WRIT_CLOCK_MOVED seconds ahead: all that the app can read of it, but what only counts."""

import os
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

MOVED = float(os.environ["WRIT_CLOCK_MOVED"])
_time, _time_ns, _gettime = time.time, time.time_ns, time.clock_gettime


def _moved_gettime(which: int) -> float:
    return _gettime(which) + (MOVED if which == time.CLOCK_REALTIME else 0)


def _moved_now() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=MOVED)


# Before anything of the app is imported, so that nobody holds the old ones.
time.time = lambda: _time() + MOVED
time.time_ns = lambda: _time_ns() + int(1e9 * MOVED)
time.clock_gettime = _moved_gettime
timezone.now = _moved_now

from writ_app.wsgi import application as site  # noqa: E402


def application(environ: dict[str, Any], start: Any) -> Any:
    if environ["PATH_INFO"] == "/what-time-is-it":
        start("200 OK", [("Content-Type", "text/plain")])
        return [f"{time.time()} {timezone.now().timestamp()}".encode()]
    return site(environ, start)
