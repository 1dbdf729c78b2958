"""Asking again: only for a provider's faults that may pass, and never all at the same moment."""

import random

from writ_app.engine.errors import ModelUnavailable
from writ_app.engine.types import Frozen


class Retry(Frozen):
    """Full jitter: the pause is drawn between nothing and a bound that doubles with every try. Times in seconds."""

    max_attempts: int = 6
    """Tries per answer."""
    first_wait: float = 2.0
    max_wait: float = 60.0
    """A provider that asks for more is given up."""
    patience: float = 10.0
    """How long nobody may reach an endpoint until it is given up: the server may only be starting again."""

    def pause(
        self, attempt: int, error: ModelUnavailable, rng: random.Random
    ) -> float | None:
        """Seconds until the next try after `attempt` of them; None if it is not worth one.

        Who is told when to come back comes back then or a little later, so that not all do at once.
        """
        if not error.retryable or attempt >= self.max_attempts:
            return None
        if error.retry_after is None:
            bound = min(self.max_wait, self.first_wait * 2 ** (attempt - 1))
            return rng.uniform(0, bound)
        if error.retry_after > self.max_wait:
            return None
        return error.retry_after + rng.uniform(0, self.first_wait)
