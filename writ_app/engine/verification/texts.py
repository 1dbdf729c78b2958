"""Texts that the agent may rest on: what is asked of one again and again is worked out once."""

import re
from dataclasses import dataclass
from functools import cached_property

from environments.core.arithmetic import numbers_in


@dataclass(frozen=True)
class Text:
    """One text that the agent may rest on, read once."""

    index: int
    """Of its message."""
    text: str

    @cached_property
    def squashed(self) -> str:
        return squashed(self.text)

    @cached_property
    def numbers(self) -> list[float]:
        return numbers_in(self.text)


def squashed(text: str) -> str:
    """Letters and digits only, in lower case: "W dash 12 34" and "#w1234" are alike but for the word."""
    return _BETWEEN.sub("", text.lower())


_BETWEEN = re.compile(r"[^a-z0-9@]+")
