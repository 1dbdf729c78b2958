"""The runner's only way to the database: one thread with one connection, beside the event loop.

Entries are written together with whatever else waits, so that a hundred conversations cost a few transactions a second. While the
database is away they wait; nothing is lost, and nothing is written twice (see `record`).
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

from django.db import InterfaceError, OperationalError, connection

from writ_app.services.synthesis.running.desk import Entry
from writ_app.services.synthesis.running.record import Standing

logger = logging.getLogger(__name__)

PAUSE = 0.05
"""Seconds from one transaction to the next: what comes meanwhile goes together."""
MOST = 200
"""Entries in one transaction."""
LONGEST_WAIT = 5.0
"""Seconds between two tries while the database is away."""


type _Waiting = tuple[Entry, asyncio.Future[Standing]]


class DatabaseAway(Exception):
    """The database did not come back in time."""


class Database:
    """Use within one event loop; `close` at the end."""

    def __init__(self, record: Callable[..., Standing]) -> None:
        """`record(entries, repeated=…)` writes all of them or none."""
        self._record = record
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="runner-database")
        self._given_up = threading.Event()
        self._waiting: list[_Waiting] = []
        self._writing = False
        self._lock = threading.Lock()
        """Over the two above, which both threads change."""
        self._next = 0.0

    async def call[T](self, function: Callable[..., T], *args: Any) -> T:
        """The result of a function that uses the ORM; tried again while the database is away."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._thread, lambda: self._patiently(lambda: function(*args))
        )

    async def write(self, entry: Entry) -> Standing:
        """Returns once it is committed. Raises what the database says if it refuses this very entry."""
        written: asyncio.Future[Standing] = asyncio.get_running_loop().create_future()
        with self._lock:
            self._waiting.append((entry, written))
            begin, self._writing = not self._writing, True
        if begin:
            self._thread.submit(self._write_some)
        return await written

    def give_up(self) -> None:
        """Wait no longer for a database that is away."""
        self._given_up.set()

    async def close(self) -> None:
        """Write what waits, and let go of the connection."""
        loop = asyncio.get_running_loop()
        while self._writing:
            await loop.run_in_executor(self._thread, lambda: None)
        await loop.run_in_executor(self._thread, lambda: connection.close())
        self._thread.shutdown(wait=False)

    # --- in the thread: the loop may be busy, and what is committed frees others ---

    def _write_some(self) -> None:
        """What waits now, in one transaction; then, after whatever else the thread is to do, what came meanwhile."""
        time.sleep(max(0.0, self._next - time.monotonic()))
        self._next = time.monotonic() + PAUSE
        with self._lock:
            entries = self._waiting[:MOST]
            del self._waiting[:MOST]
        self._write(entries)
        with self._lock:
            more = self._writing = bool(self._waiting)
        if more:
            self._thread.submit(self._write_some)

    def _write(self, entries: list[_Waiting]) -> None:
        tries = count()

        def once() -> Standing:
            # The second try cannot know what became of the first.
            written = [entry for entry, _ in entries]
            return self._record(written, repeated=next(tries) > 0)

        standing: Standing | None = None
        refusal: Exception | None = None
        try:
            standing = self._patiently(once)
        except Exception as error:
            if len(entries) > 1 and not isinstance(error, DatabaseAway):
                for one in entries:  # so that one does not take the others down
                    self._write([one])
                return
            refusal = error
        loop = entries[0][1].get_loop()
        loop.call_soon_threadsafe(_tell, entries, standing, refusal)

    def _patiently[T](self, function: Callable[[], T]) -> T:
        wait = 0.1
        while True:
            try:
                return function()
            except (OperationalError, InterfaceError) as error:
                connection.close()
                logger.warning("The database is away: %s", str(error).strip())
                if self._given_up.wait(wait):
                    raise DatabaseAway(str(error)) from error
                wait = min(2 * wait, LONGEST_WAIT)


def _tell(
    entries: list[_Waiting], standing: Standing | None, refusal: Exception | None
) -> None:
    for _, written in entries:
        if written.done():
            continue  # whoever wrote it was cancelled
        if refusal is not None:
            written.set_exception(refusal)
        elif standing is not None:
            written.set_result(standing)
