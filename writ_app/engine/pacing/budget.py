"""What a batch may cost."""

from writ_app.engine.types import Frozen


class Budget(Frozen):
    """Caps. Once what is recorded reaches one, no further call is sent, so only calls in flight can go beyond it."""

    max_cost: float | None = None
    """US dollars; None: no cap."""
    max_tokens: int | None = None
    """Prompt and completion together; None: no cap."""

    def spent(self, cost: float, tokens: int) -> str:
        """Why no further call may be sent, in words; "" while there is something left."""
        if self.max_cost is not None and cost >= self.max_cost:
            return f"The cap of ${self.max_cost:,.2f} is reached: ${cost:,.4f} spent."
        if self.max_tokens is not None and tokens >= self.max_tokens:
            return f"The cap of {self.max_tokens:,} tokens is reached: {tokens:,} used."
        return ""
