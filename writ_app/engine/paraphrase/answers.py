"""What models write: parsed strictly, bounded, and checked as text before anything is made of it."""

import re
import unicodedata
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from writ_app.engine.answers import BadAnswer, read_answer

MOST_PARTS = 12
"""Parts of a request that a reading may have."""

Reason = Literal[
    "",
    "lost_fact",
    "other_query",
    "unreadable",
    "two_readings",
    "contaminated",
    "model_error",
]


class Rejected(Exception):
    def __init__(self, reason: Reason, finding: str):
        super().__init__(finding)
        self.reason: Reason = reason
        self.finding = finding


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Reworded(_Strict):
    clauses: dict[str, str] = Field(max_length=60)


class Part(_Strict):
    archetype: str
    clauses: list[str] = Field(max_length=60)
    slots: dict[str, str | int | float | bool] = Field(max_length=60)
    variant: str = ""


class Reading(_Strict):
    parts: list[Part] = Field(min_length=1, max_length=MOST_PARTS)
    in_order: bool = False


class Read(_Strict):
    readings: list[Reading] = Field(max_length=6)
    beside: list[str] = Field(default=[], max_length=60)


def parse_answer[T: BaseModel](text: str, wanted: type[T]) -> T:
    """A JSON object of that form. Rejects everything else."""
    try:
        return read_answer(text, wanted)
    except BadAnswer as error:
        raise Rejected("model_error", str(error)) from error


_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Unicode categories of characters that cannot be seen, or that turn the order of others."""
_MARKUP = set("<>{}[]|`\\")
"""Means something to prompts and patterns, and nothing to a customer."""


def check_text(ours: str, theirs: str) -> None:
    """Rejects what nobody types: invisible characters, markup, stop tokens, far more than was to be said."""
    if not theirs.strip():
        raise Rejected("unreadable", "A clause is empty.")
    if len(theirs) > 2 * len(ours) + 80:
        raise Rejected("unreadable", f"A clause has {len(theirs):,} characters.")
    for char in theirs:
        category = unicodedata.category(char)
        if category in _UNSEEN or (category == "Zs" and char != " "):
            raise Rejected(
                "unreadable", f"It has the invisible character U+{ord(char):04X}."
            )
        if char in _MARKUP and char not in ours:
            raise Rejected("unreadable", f"It has the character {char}.")
    if "###" in theirs:
        raise Rejected("unreadable", "It has a stop token.")


_CODE = re.compile(r"\S+@\S+|\d+(?:[.,:]\d+)*")


def codes(text: str) -> set[str]:
    """Numbers and addresses in a text."""
    found = _CODE.findall(text)
    return {code.rstrip(".,;:!?").replace(",", "").lower() for code in found}


def stands(value: str, text: str) -> bool:
    """Whether a value stands in a text as it is; words without digits in any case."""
    coded = "@" in value or any(char.isdigit() for char in value)
    flags = re.NOFLAG if coded else re.IGNORECASE
    pattern = rf"(?<!\w)(?<!\d[.,:]){re.escape(value)}(?!\w)(?![.,:]\d)"
    return re.search(pattern, text, flags) is not None


def same_text(one: Any, other: Any) -> bool:
    return str(one).lower() == str(other).lower()
