"""What no row may be: problems found in a record, and the error that a format raises for them."""

from typing import NamedTuple

from writ_app.engine.errors import WritError


class Problem(NamedTuple):
    """Why a record makes no row. `pitfall` is a name of `lint.PITFALLS` or of a format's own guard."""

    pitfall: str
    text: str
    """One sentence for a person."""
    message: int | None = None
    """Index of the message it is about."""


class UnfitRow(WritError):
    """A record or row that a trainer would read wrongly. `pitfall` is a short name of what is wrong."""

    def __init__(self, pitfall: str, text: str):
        super().__init__(text)
        self.pitfall = pitfall
