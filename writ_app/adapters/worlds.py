"""Environments by name and version: our own worlds made from a seed, and those of a τ²-bench checkout.

Knows nothing of stored versions: whatever is named here can be made again anywhere.
"""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from environments import registry
from environments.core.environment import Environment
from environments.core.errors import BadDatabase
from environments.core.state import Session
from environments.core.tools import Mode
from writ_app.adapters.tau2 import BadCheckout, Tau2Domain, read_domain
from writ_app.engine.errors import WritError

MOST_USERS = 100_000
MOST_SEED = 2**32 - 1
"""A seed stands in the version's name, which has an end."""

_GENERATED = re.compile(
    r"generated-(?P<seed>\d{1,10})-(?P<users>\d{1,6})(?:-(?P<flights>\d{1,6}))?(?P<timed>-timed)?"
    r"(?:-(?P<mode>strict|corrected))?(?:-(?P<hash>[0-9a-f]{8}))?"
)


class BadWorld(WritError):
    """No world can be made as asked; the text says why."""


class NoCheckout(BadWorld):
    """The version is one of a checkout, and none was given."""


def generated_world(
    name: str, *, seed: int, users: int, mode: Mode | None = None, **extent: Any
) -> Environment:
    """Our own world made from a seed. `mode` None: the one the world is made in. `extent` goes to the world's generator.

    Raises BadWorld.
    """
    if not 1 <= users <= MOST_USERS:
        raise BadWorld(f"A world has 1 to {MOST_USERS:,} people, not {users:,}.")
    if not 0 <= seed <= MOST_SEED:
        raise BadWorld(f"A seed is a whole number from 0 to {MOST_SEED}, not {seed}.")
    try:
        world = registry.world(name)
    except KeyError as error:
        raise BadWorld(error.args[0]) from error
    try:
        made = world.generated(seed=seed, users=users, **extent)
    except TypeError as error:
        if not extent:
            raise
        raise BadWorld(f"{name} is not made with {', '.join(extent)}.") from error
    if mode is None or mode == made.mode:
        return made
    # The plain name belongs to the world as it is usually made.
    try:
        return world.build(
            state=made.state, version=f"{made.version}-{mode.value}", mode=mode
        )
    except BadDatabase as error:
        raise BadWorld(str(error)) from error


def checkout_world(
    root: Path, name: str, version: str = ""
) -> tuple[Environment, Tau2Domain]:
    """A domain of a τ²-bench checkout as an environment in strict mode, and what was read for it.

    `version` defaults to a name made from the state's hash. Raises BadCheckout or BadWorld.
    """
    domain = read_domain(root, name)
    try:
        world = registry.world(name)
    except KeyError as error:
        raise BadWorld(error.args[0]) from error
    try:
        state = world.read_state(domain.database)
    except BadDatabase as error:
        raise BadCheckout(f"db.json of {name}: {error}") from error
    version = version or f"tau2-{state.content_hash[:8]}"
    environment = world.build(state=state, version=version, policy=domain.policy)
    return environment, domain


def named_world(name: str, version: str, root: Path | None = None) -> Environment:
    """The environment that `name` and `version` mean, made again; `root` is the checkout of imported ones.

    Raises BadWorld (NoCheckout if `root` is missing) or BadCheckout.
    """
    if version.startswith("tau2-"):
        if root is None:
            raise NoCheckout(
                f"{name} {version} is the database of a tau2-bench checkout: say where it is with --tau2-root."
            )
        made, _ = checkout_world(root, name)
        if made.version != version:
            raise BadWorld(f"The checkout's {name} is {made.version}, not {version}.")
        return made
    match = _GENERATED.fullmatch(version)
    if match is None:
        raise BadWorld(
            f"{version!r} names no database that can be made again: generated-SEED-PEOPLE… and tau2-HASH do."
        )
    made = _again(name, match)
    if match["hash"] and not made.content_hash.startswith(match["hash"]):
        raise BadWorld(f"Another WRIT made {name} {version}; this one makes it anew.")
    if made.version != version.removesuffix(f"-{match['hash']}"):
        raise BadWorld(f"{name} {version} comes out as {made.version}.")
    return made


def _again(name: str, match: re.Match[str]) -> Environment:
    extent: dict[str, Any] = {}
    if match["flights"]:
        extent["flights"] = int(match["flights"])
    if match["timed"]:
        extent["timed"] = True
    return generated_world(
        name,
        seed=int(match["seed"]),
        users=int(match["users"]),
        mode=Mode(match["mode"]) if match["mode"] else None,
        **extent,
    )


def people_in_tasks(
    environment: Environment, tasks: Iterable[Mapping[str, Any]]
) -> frozenset[str]:
    """Keys of the people whom a benchmark's tasks, as they stand in its file, speak of anywhere."""
    told = "\n".join(json.dumps(task) for task in tasks)
    if not told:
        return frozenset()
    return environment.domain.people_in(Session(environment.state), told)
