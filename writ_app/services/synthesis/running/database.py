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

from writ_app.services.synthesis.running.record import Entry, Standing, record

logger = logging.getLogger(__name__)

PAUSE = 0.05
"""Seconds from one transaction to the next: what comes meanwhile goes together."""
MOST = 200
"""Entries in one transaction."""
LONGEST_WAIT = 5.0
"""Seconds between two tries while the database is away."""


class DatabaseAway(Exception):
    """The database did not come back in time."""


class Database:
    """Use within one event loop; `close` at the end."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="runner-database")
        self._given_up = threading.Event()
        self._waiting: list[tuple[Entry, asyncio.Future[Standing]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def call[T](self, function: Callable[..., T], *args: Any) -> T:
        """The result of a function that uses the ORM; tried again while the database is away."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._thread, lambda: self._patiently(lambda: function(*args))
        )

    async def write(self, entry: Entry) -> Standing:
        """Returns once it is committed. Raises what the database says if it refuses this very entry."""
        written: asyncio.Future[Standing] = asyncio.get_running_loop().create_future()
        self._waiting.append((entry, written))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_all())
        return await written

    def give_up(self) -> None:
        """Wait no longer for a database that is away."""
        self._given_up.set()

    async def close(self) -> None:
        """Write what waits, and let go of the connection."""
        if self._writer is not None:
            await self._writer
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._thread, lambda: connection.close())
        self._thread.shutdown(wait=False)

    async def _write_all(self) -> None:
        """As long as anything waits."""
        try:
            while self._waiting:
                entries = self._waiting[:MOST]
                del self._waiting[:MOST]
                began = time.monotonic()
                await self._write(entries)
                await asyncio.sleep(max(0.0, began + PAUSE - time.monotonic()))
        finally:
            self._writer = None

    async def _write(
        self, entries: list[tuple[Entry, asyncio.Future[Standing]]]
    ) -> None:
        tries = count()

        def write() -> Standing:
            # The second try cannot know what became of the first.
            return record([entry for entry, _ in entries], repeated=next(tries) > 0)

        try:
            standing = await self.call(write)
        except Exception as error:
            if len(entries) > 1 and not isinstance(error, DatabaseAway):
                for one in entries:  # so that one does not take the others down
                    await self._write([one])
                return
            for _, written in entries:
                if not written.done():
                    written.set_exception(error)
            return
        for _, written in entries:
            if not written.done():
                written.set_result(standing)

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
