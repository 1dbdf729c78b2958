"""Conversations of scripted models over a small generated shop, good ones and ones with a fault."""

import random
from collections.abc import Callable, Sequence
from functools import cache

from environments.core.environment import Environment
from environments.core.tools import ToolCall
from environments.retail import generated
from writ_app.engine.behaviour import PLANS, make_ledger
from writ_app.engine.scripted import cast
from writ_app.engine.simulation import simulate
from writ_app.engine.task_design import Designer
from writ_app.engine.types import (
    Check,
    Ledger,
    Message,
    MessageCall,
    Task,
    Trajectory,
    Verification,
)
from writ_app.engine.verification import verify


@cache
def small_shop() -> Environment:
    return generated(seed=1, users=60)


@cache
def designer() -> Designer:
    return Designer(small_shop())


@cache
def task_of(archetype: str, seed: int = 0) -> Task:
    return designer().design(archetype, seed)


@cache
def ledger_of(archetype: str, plan: str = "upfront", seed: int = 0) -> Ledger:
    return make_ledger(task_of(archetype, seed), PLANS[plan], random.Random(seed))


@cache
def talk(
    archetype: str, plan: str = "upfront", fault: str = "", seed: int = 0
) -> Trajectory:
    task, ledger = task_of(archetype, seed), ledger_of(archetype, plan, seed)
    players = cast(small_shop(), task, ledger, fault)
    return simulate(
        environment=players.environment,
        task=task,
        ledger=ledger,
        agent=players.agent,
        user=players.user,
        seed=seed,
        fault=fault,
    )


def judged(
    trajectory: Trajectory,
    archetype: str,
    plan: str = "upfront",
    seed: int = 0,
    task: Task | None = None,
) -> Verification:
    return verify(
        environment=small_shop(),
        task=task or task_of(archetype, seed),
        trajectory=trajectory,
        ledger=ledger_of(archetype, plan, seed),
    )


def check(name: str, verification: Verification) -> Check:
    return next(check for check in verification.checks if check.name == name)


def edited(
    trajectory: Trajectory, edit: Callable[[list[Message]], Sequence[Message]]
) -> Trajectory:
    messages = tuple(edit(list(trajectory.messages)))
    return trajectory.model_copy(update={"messages": messages})


def said(role: str, text: str) -> Message:
    return Message.model_validate({"role": role, "content": text})


def called(
    call: ToolCall, number: int, content: str, error: bool = False
) -> list[Message]:
    made = MessageCall(id=f"x{number}", name=call.name, arguments=call.arguments)
    result = Message(role="tool", content=content, tool_call_id=made.id, error=error)
    return [Message(role="assistant", tool_calls=(made,)), result]


def first(messages: Sequence[Message], test: Callable[[Message], bool]) -> int:
    return next(n for n, message in enumerate(messages) if test(message))


def calls_of(trajectory: Trajectory) -> list[ToolCall]:
    return [made.call for m in trajectory.messages for made in m.tool_calls]
