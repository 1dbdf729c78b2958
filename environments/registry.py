"""Every world by name: the only module that knows them all."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from environments import airline, rental, retail
from environments.core.environment import Environment
from environments.core.state import State


@dataclass(frozen=True)
class World:
    """What a world's package offers: reading a database, making one, and the environment over it."""

    build: Callable[..., Environment]
    generated: Callable[..., Environment]
    read_state: Callable[[Mapping[str, Any]], State]


_WORLDS = {
    "airline": World(airline.build, airline.generated, airline.read_state),
    "rental": World(rental.build, rental.generated, rental.read_state),
    "retail": World(retail.build, retail.generated, retail.read_state),
}


def names() -> list[str]:
    return list(_WORLDS)


def world(name: str) -> World:
    """The world called `name`. Raises KeyError with the names there are."""
    try:
        return _WORLDS[name]
    except KeyError:
        raise KeyError(
            f"There is no environment {name!r}; there are {', '.join(_WORLDS)}."
        ) from None
