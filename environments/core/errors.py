"""What can go wrong in a world."""


class ToolError(ValueError):
    """A tool refuses; the text is what the agent sees."""


class BadDatabase(ValueError):
    """A database file does not have the domain's shape; the text says where."""


class Unidentifiable(ValueError):
    """A query has no answer, or more than one; the text says why. `reason` is a short code for statistics."""

    def __init__(self, reason: str, text: str):
        super().__init__(text)
        self.reason = reason


class NotOffered(ValueError):
    """A task asks a world for a side, collection or function that it does not have; the text says which."""
