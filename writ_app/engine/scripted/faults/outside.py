"""What goes wrong outside of agent and user: the environment, the provider, the budget; and agents that get nowhere."""

from dataclasses import dataclass, fields, replace
from typing import Any

from environments.core.environment import Environment, EnvironmentSession
from environments.core.state import Session
from environments.core.tools import ToolCall, ToolResult
from writ_app.engine.scripted.faults.base import (
    NotApplicable,
    Stage,
    ids,
    unknown,
    with_id,
)
from writ_app.engine.scripted.script import Step

MANY = 40
"""Calls that fail: more than any limit on errors lets pass."""


def provider_down(turns: tuple[Step, ...], stage: Stage) -> tuple[Step, ...]:
    """The provider stops answering somewhere on the way."""
    n = stage.rng.randrange(len(turns))
    return (*turns[:n], Step(failure="down"), *turns[n:])


def endless(turns: tuple[Step, ...], stage: Stage) -> tuple[Step, ...]:
    """The agent makes the same read again and again."""
    n = _first_read(turns)
    return (*turns[:n], replace(turns[n], endless=True))


def too_many_errors(turns: tuple[Step, ...], stage: Stage) -> tuple[Step, ...]:
    """The agent tries one wrong id after the other."""
    for n, step in enumerate(turns):
        for call in step.calls:
            if ids(call):
                name, place, value = ids(call)[0]
                session = stage.environment.session()
                tried = [
                    with_id(call, name, place, unknown(value, stage.rng))
                    for _ in range(MANY)
                ]
                failing = [wrong for wrong in tried if session.call(wrong).error]
                return (*turns[:n], *(Step(calls=(wrong,)) for wrong in failing))
    raise NotApplicable("No call names an id.")


def _first_read(turns: tuple[Step, ...]) -> int:
    for n, step in enumerate(turns):
        if step.calls:
            return n
    raise NotApplicable("Nothing is called.")


def tampered_result(stage: Stage) -> Environment:
    """An environment that answers one call otherwise than it would again."""
    given = {f.name: getattr(stage.environment, f.name) for f in fields(Environment)}
    return _Unsteady(**given, spoiled=stage.rng.randrange(2))


@dataclass(frozen=True, eq=False)
class _Unsteady(Environment):
    spoiled: int = 0
    """Number of the call that is answered wrong, from 0."""

    def session(
        self, over: Session | None = None, user_over: Session | None = None
    ) -> EnvironmentSession:
        return _UnsteadySession(self, super().session(over, user_over).state)


class _UnsteadySession(EnvironmentSession):
    def __init__(self, environment: _Unsteady, state: Session):
        super().__init__(environment, state)
        self._left = environment.spoiled

    def call(self, call: ToolCall, requestor: Any = "assistant") -> ToolResult:
        result = super().call(call, requestor)
        self._left -= 1
        if self._left != -1:
            return result
        return replace(result, content=_spoiled(result.content))


def _spoiled(content: str) -> str:
    """With the last digit, or else the last letter, changed."""
    for place in range(len(content) - 1, -1, -1):
        if content[place].isdigit():
            digit = (int(content[place]) + 1) % 10
            return f"{content[:place]}{digit}{content[place + 1 :]}"
    return f"{content}?"
