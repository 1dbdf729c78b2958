"""The two sides of a world, and what a task may ask of them beside tool calls (tau2 SPEC §7.1, §13)."""

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Side(StrEnum):
    """Who calls; the values are those of a call's requestor."""

    ASSISTANT = "assistant"
    USER = "user"


class FunctionCall(BaseModel):
    """A call of a toolkit's method, tool or not, that nobody sees."""

    model_config = ConfigDict(frozen=True)

    side: Side
    name: str
    arguments: dict[str, Any] = Field(default_factory=dict)


class Assertion(FunctionCall):
    """A method that answers yes or no about a state, and what it should answer."""

    expected: bool = True
    message: str = ""
    """What it says when it does not hold, for people."""


class Initialization(BaseModel):
    """What a task changes before it starts."""

    model_config = ConfigDict(frozen=True)

    data: dict[Side, dict[str, dict[str, dict[str, Any]]]] = Field(default_factory=dict)
    """Side → {collection: {key: part of a record}}, merged into the state first."""
    actions: tuple[FunctionCall, ...] = ()
