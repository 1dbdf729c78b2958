"""A model behind a limiter and a retry: what it raises is final."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from writ_app.engine.errors import MalformedCompletion, ModelUnavailable
from writ_app.engine.llm import AsyncChatModel, Completion
from writ_app.engine.pacing.limiter import Limiter
from writ_app.engine.pacing.retry import Retry
from writ_app.engine.types import Message


class Stopped(Exception):
    """No further call may be sent: paused, cancelled, or nothing left to spend."""


@dataclass
class PacedChat:
    """An AsyncChatModel that waits for its turn and asks again. `gate` is called before every call, and raises Stopped."""

    model: AsyncChatModel
    limiter: Limiter
    retry: Retry
    rng: random.Random
    gate: Callable[[], None] = lambda: None
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    clock: Callable[[], float] = time.monotonic
    in_call: int = field(default=0, init=False)
    """Calls that are under way, and so will be paid for."""

    @property
    def name(self) -> str:
        return self.model.name

    async def complete_async(
        self,
        *,
        system: str,
        messages: Sequence[Message],
        tools: Sequence[dict[str, Any]],
        seed: int,
    ) -> Completion:
        """One answer. Raises Stopped, MalformedCompletion, and ModelUnavailable when it is given up.

        That one is `down` if the endpoint answered nobody meanwhile, or could not be reached for longer than the retry's patience:
        then it is not this conversation that it does not like.
        """
        request = {"system": system, "messages": messages, "tools": tools, "seed": seed}
        began = self.clock()
        attempt = 0
        while True:
            attempt += 1
            try:
                return await self._ask(request)
            except ModelUnavailable as error:
                pause = self.retry.pause(attempt, error, self.rng)
                gone_for = self.limiter.gone_for
                if pause is None or gone_for >= self.retry.patience:
                    raise self._final(error, attempt, began) from error
                if error.unreached:  # be there when it is to be given up
                    left = self.retry.patience - gone_for
                    pause = min(pause, left + self.rng.uniform(0, 1))
            self.gate()  # no use in waiting for nothing
            await self.sleep(pause)

    async def _ask(self, request: dict[str, Any]) -> Completion:
        sent_at = await self.limiter.acquire()
        self.in_call += 1
        try:
            self.gate()
            answer = await self.model.complete_async(**request)
        except ModelUnavailable as error:
            self.limiter.failed(sent_at, error)
            raise
        except MalformedCompletion:
            self.limiter.answered()
            raise
        finally:
            self.in_call -= 1
            self.limiter.release()
        self.limiter.answered()
        return answer

    def _final(
        self, error: ModelUnavailable, attempt: int, began: float
    ) -> ModelUnavailable:
        answered_at = self.limiter.answered_at
        since = began if error.retryable else float("-inf")
        silent = answered_at is None or answered_at < since
        gone = self.limiter.gone_for >= self.retry.patience
        tries = f" (attempt {attempt})" if attempt > 1 else ""
        return ModelUnavailable(
            f"{error}{tries}",
            retryable=error.retryable,
            retry_after=error.retry_after,
            busy=error.busy,
            down=error.down or silent or gone,
        )
