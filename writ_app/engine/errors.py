"""What the engine refuses, in one small tree. Messages are fit for a person."""


class WritError(Exception):
    """Base of everything WRIT says no to."""


class InvalidTask(WritError):
    """A task that cannot be asked: not identifiable, not proved as claimed, or its words do not lead back to its query."""

    def __init__(self, reason: str, text: str):
        super().__init__(text)
        self.reason = reason


class ModelUnavailable(WritError):
    """The provider did not answer: it refused, timed out or broke off. `retryable` says whether asking again may help."""

    def __init__(
        self,
        text: str,
        *,
        retryable: bool,
        retry_after: float | None = None,
        busy: bool = False,
        down: bool = False,
    ):
        super().__init__(text)
        self.retryable = retryable
        self.retry_after = retry_after
        """Seconds the provider asked to wait."""
        self.busy = busy
        """It had too much to do: it said so, or did not answer in time. Fewer calls at a time may help."""
        self.down = down
        """It answers nobody until somebody mends it (key, credit, model, address), so no other call needs to be tried."""


class MalformedCompletion(WritError):
    """The model answered, but not in a shape that can be used (no content, arguments that are not an object, …)."""

    def __init__(self, text: str, answer: object = None):
        super().__init__(text)
        self.answer = answer
        """The Completion as far as it could be read, with what it cost; None if nothing of it could."""
