"""Behaviours put to the test: a ledger for any values, played by the scripted models over a small shop."""

import random
from functools import cache

from environments.core.environment import Environment
from tests.engine.talks import designer, small_shop, task_of
from writ_app.engine.behaviour import PLANS, Room, make_ledger
from writ_app.engine.behaviour.choosing import assign, offered
from writ_app.engine.scripted import ScriptedAgent, ScriptedUser
from writ_app.engine.simulation import simulate
from writ_app.engine.types import Ledger, Task, Trajectory


@cache
def composed(seed: int = 0, writes: int = 3) -> Task:
    return designer().compose(writes, seed)


@cache
def room_of(task_name: str) -> Room:
    return Room(named(task_name), small_shop())


def named(name: str) -> Task:
    """An archetype's task, or with a number the composed one of that seed."""
    return composed(int(name)) if name.isdigit() else task_of(name)


def ledger_for(task_name: str, seed: int = 0, **values: str) -> Ledger:
    """The plainest ledger with these values; fails if the task has no room for one."""
    room = room_of(task_name)
    for dimension, value in values.items():
        assert value in room.values.get(dimension, ()), room.void.get(dimension)
    choices = offered(room.values, {d: (v,) for d, v in values.items()})
    behaviour = assign(choices, list(choices), lambda _, known, __: known)
    assert behaviour is not None
    rng = random.Random(seed)
    return make_ledger(room.task, PLANS["open"], rng, behaviour=behaviour, room=room)


def play(
    task: Task, ledger: Ledger, seed: int = 0, environment: Environment | None = None
) -> Trajectory:
    world = environment or small_shop()
    return simulate(
        environment=world,
        task=task,
        ledger=ledger,
        agent=ScriptedAgent(world, task, ledger),
        user=ScriptedUser(task, ledger),
        seed=seed,
    )
