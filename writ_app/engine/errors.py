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

    def __init__(self, text: str, *, retryable: bool, retry_after: float | None = None):
        super().__init__(text)
        self.retryable = retryable
        self.retry_after = retry_after
        """Seconds the provider asked to wait."""


class MalformedCompletion(WritError):
    """The model answered, but not in a shape that can be used (no content, arguments that are not an object, …)."""
