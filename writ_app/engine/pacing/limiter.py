"""How many calls an endpoint bears at a time, found out by trying: additive increase, multiplicative decrease."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from writ_app.engine.errors import ModelUnavailable

DECREASE = 0.5


class Limiter:
    """The calls in flight at one endpoint, of one process and event loop. First come, first served.

    It begins at what was `learnt` before, else at `most`, which is what the owner thinks the endpoint bears. A provider that is busy halves the limit, once per
    burst: a call that was sent before the last cut says nothing about the limit since. Every full round of answers adds one.
    """

    def __init__(
        self,
        most: int,
        clock: Callable[[], float] = time.monotonic,
        *,
        learnt: float | None = None,
    ):
        self.most = most
        self.limit = max(1.0, min(learnt or most, float(most)))
        self.in_flight = 0
        self.answered_at: float | None = None
        """When it last answered anybody, by the clock."""
        self._gone_since: float | None = None
        """When the first of those who could not reach it failed; None if somebody has reached it since."""
        self._clock = clock
        self._cut_at = float("-inf")
        self._closed_until = float("-inf")
        self._waiting: deque[asyncio.Future[None]] = deque()

    def allow(self, most: int) -> None:
        """The owner's bound, which may change meanwhile."""
        raised = most - self.most
        if raised:
            self.most = most
            self.limit = max(1.0, min(float(most), self.limit + max(0, raised)))

    async def acquire(self) -> float:
        """Wait for a place; returns the time at which the call may be sent. Give the place back with `release`."""
        if self._waiting or not self._has_room():
            place = asyncio.get_running_loop().create_future()
            self._waiting.append(place)
            try:
                await place
            except asyncio.CancelledError:
                if place.cancelled():
                    with suppress(ValueError):  # it was already passed over
                        self._waiting.remove(place)
                else:  # it was given a place and cancelled in the same moment
                    self.release()
                raise
        else:
            self.in_flight += 1
        return self._clock()

    def release(self) -> None:
        self.in_flight -= 1
        self._let_in()

    def answered(self) -> None:
        """A call was answered."""
        self.answered_at = self._clock()
        self._gone_since = None
        # A limit that nobody came near was not tried.
        if self.in_flight >= self.limit - 1:
            self.limit = min(float(self.most), self.limit + 1 / self.limit)

    def failed(self, sent_at: float, error: ModelUnavailable) -> None:
        """A call that was sent at `sent_at` was not answered."""
        now = self._clock()
        if not error.unreached:
            self._gone_since = None
        elif self._gone_since is None:
            self._gone_since = now
        if error.retry_after is not None:
            self._close(now + error.retry_after)
        if error.busy and sent_at >= self._cut_at:
            self.limit = max(1.0, self.limit * DECREASE)
            self._cut_at = now

    @property
    def gone_for(self) -> float:
        """Seconds for which nobody has reached it, since the first who tried."""
        return 0.0 if self._gone_since is None else self._clock() - self._gone_since

    def _close(self, until: float) -> None:
        """Nobody is let in before; those who wait are looked after then."""
        if until > self._closed_until:
            self._closed_until = until
            loop = asyncio.get_running_loop()
            # A timer may fire a little early, and then nobody would be let in.
            loop.call_later(until - self._clock() + 0.001, self._let_in)

    def _has_room(self) -> bool:
        return self.in_flight < int(self.limit) and self._clock() >= self._closed_until

    def _let_in(self) -> None:
        while self._waiting and self._has_room():
            place = self._waiting.popleft()
            if not place.done():
                self.in_flight += 1
                place.set_result(None)
