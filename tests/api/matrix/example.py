"""How an operation is tried out: with what in its address and body, and what it says of things of other teams."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.api.client import Program
from tests.api.matrix.world import Side


def nothing(side: Side) -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True)
class Example:
    """Of one operation; `path` and `body` make what is sent from one side's rows."""

    path: Callable[[Side], Mapping[str, Any]] = nothing
    body: Callable[[Side], Mapping[str, Any]] | None = None
    query: Callable[[Side], Mapping[str, str]] | Mapping[str, str] = field(
        default_factory=dict
    )
    foreign: int | None = 404
    """Of a row of another team; None: it is everybody's, such as an environment."""
    ready: Callable[[Program, Side], Mapping[str, Any]] | None = None
    """What the member does first, so that the operation has something to do: what `path` and `body` are then."""
    multipart: bool = False
    """It is sent a file."""


def done(response: Any) -> Any:
    """What was answered to what had to be done first."""
    assert response.status_code < 300, response.content
    return response.json() if response.content else None


def key_of(name: str) -> Callable[[Side], Mapping[str, Any]]:
    """The address of the side's row of that name."""
    return lambda side: {"id": getattr(side, name).pk}
