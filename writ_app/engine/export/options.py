"""What a dataset's owner may choose about the rows; the defaults are what suits each target."""

from typing import Literal

from pydantic import Field

from writ_app.engine.types import Frozen

type Greeting = Literal["keep", "mask", "drop"]


class Options(Frozen):
    greeting: Literal["target", "keep", "mask", "drop"] = "target"
    """What becomes of an assistant's words before the user's first message: kept and trained on, kept without loss, left out.

    `target`: what suits the format. Where a format cannot say that a message carries no loss, `mask` is `keep`.
    """
    reasoning: Literal["strip", "keep"] = "strip"
    """Of a `<think>…</think>` at the beginning of an assistant's message."""
    train_on_failed_calls: bool = True
    """False: a call that was answered by an error carries no loss, where a format can say so."""
    name: str = Field(default="writ", pattern=r"^[A-Za-z0-9_-]+$")
    """What trainers' own registers call the dataset."""
