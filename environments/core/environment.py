"""An environment: a policy, a toolkit and a base state; sessions are where calls happen.

A world may have a second side, the user's: a toolkit of its own over a state of its own, or over the agent's (tau2 SPEC §13).
Knows nothing about tasks, users or models.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from environments.core.domain import Domain
from environments.core.errors import NotOffered
from environments.core.sides import Assertion, FunctionCall, Initialization, Side
from environments.core.state import Record, Session, State
from environments.core.tools import (
    TAKEN_BACK,
    Correction,
    Mode,
    Tool,
    ToolCall,
    ToolKind,
    Toolkit,
    ToolResult,
)

ANSWERS_KEPT = 2048
"""Answers that an environment remembers (up to about 10 kB each)."""


@dataclass(frozen=True, eq=False)
class Environment:
    """One world, immutable and shared. `name` is the domain, `version` says which database and policy it holds."""

    name: str
    version: str
    policy: str
    toolkit: type[Toolkit]
    state: State
    domain: Domain
    """How requests are asked and proved in this world."""
    clauses: Mapping[str, str] = field(default_factory=dict)
    """Numbered clauses of the policy, for findings that cite one."""
    mode: Mode = Mode.STRICT
    corrections: tuple[Correction, ...] = (TAKEN_BACK,)
    """All that corrected mode does otherwise than strict mode, for people to read."""
    user_toolkit: type[Toolkit] | None = None
    """Tools of the user; none: the user can only talk."""
    user_state: State | None = None
    """What the user's tools work on; none: the same state as the agent's."""
    sync: Callable[[Any, Any], None] | None = None
    """(agent's toolkit, user's toolkit or None): carries over what one side's state says of the other's.

    Called after every call and after an initialization. It must change nothing when called again.
    """
    policies: Mapping[str, str] = field(default_factory=dict)
    """Variants of the policy by name, beside `policy`."""
    clock: Callable[[Session], datetime] | None = None
    """(agent's state) → the time that it is in the world."""

    @property
    def tools(self) -> Mapping[str, Tool]:
        return self.toolkit.tools

    @property
    def schemas(self) -> list[dict[str, Any]]:
        """Tool schemas in the order in which the agent gets them."""
        return [tool.schema for tool in self.tools.values()]

    @cached_property
    def people(self) -> tuple[str, ...]:
        """Keys of those who make requests."""
        return tuple(self.state.collections.get(self.domain.people, ()))

    @property
    def user_tools(self) -> Mapping[str, Tool]:
        return self.user_toolkit.tools if self.user_toolkit else {}

    @property
    def user_schemas(self) -> list[dict[str, Any]]:
        return [tool.schema for tool in self.user_tools.values()]

    def policy_variant(self, name: str = "") -> str:
        """The policy, or the variant called `name`. Raises KeyError with the names there are."""
        if not name:
            return self.policy
        if name not in self.policies:
            known = ", ".join(self.policies) or "none"
            raise KeyError(
                f"{self.name} has no policy variant {name!r}; there are: {known}."
            )
        return self.policies[name]

    @cached_property
    def content_hash(self) -> str:
        """Hash of everything an agent can meet: state, policy, tool schemas and, unless it is strict, the mode."""
        parts: list[Any] = [self.state.content_hash, self.policy, self.schemas]
        if self.mode != Mode.STRICT:
            parts.append(self.mode)
        if self.policies:
            parts.append(dict(self.policies))
        if self.user_toolkit:
            parts.append(self.user_schemas)
        if self.user_state:
            parts.append(self.user_state.content_hash)
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    def session(
        self, over: Session | None = None, user_over: Session | None = None
    ) -> "EnvironmentSession":
        """A fresh session; `over` and `user_over` give the states it starts from (default: the bases)."""
        state = over.fork() if over else Session(self.state)
        if self.user_state is None:
            return EnvironmentSession(self, state)
        user_state = user_over.fork() if user_over else Session(self.user_state)
        return EnvironmentSession(self, state, user_state)

    def start(self, initialization: Initialization) -> "EnvironmentSession":
        """A session in the situation that a task describes. Raises what EnvironmentSession.initialize does."""
        session = self.session()
        session.initialize(initialization)
        return session

    def answer(
        self, call: ToolCall, in_: "EnvironmentSession | None" = None
    ) -> ToolResult:
        """What a session answers to a call that changes nothing; without a session, one in which nothing was changed.

        The same few are asked often: what was answered before is remembered, and holds as long as nothing that it rests on was changed.
        """
        if self.sync or (in_ and in_.user_state):
            return (in_ or self.session()).call(call)
        found = self._answers.get(call.key)
        if found is None:
            if len(self._answers) >= ANSWERS_KEPT:
                self._answers.clear()
            session = self.session()
            session.state.touched = set()
            result = session.call(call)
            found = self._answers[call.key] = result, frozenset(session.state.touched)
        result, touched = found
        if in_ is None or touched.isdisjoint(in_.state.affected()):
            return result
        return in_.call(call)

    @cached_property
    def _answers(self) -> dict[str, tuple[ToolResult, frozenset[tuple[str, Any]]]]:
        return {}

    def is_read(self, name: str) -> bool:
        return name in self.tools and self.tools[name].kind is ToolKind.READ

    def is_write(self, name: str) -> bool:
        return name in self.tools and self.tools[name].kind is ToolKind.WRITE


class EnvironmentSession:
    """One private, mutable copy of the world."""

    def __init__(
        self,
        environment: Environment,
        state: Session,
        user_state: Session | None = None,
    ):
        """Without a `user_state` the user's tools work on the agent's."""
        self.environment = environment
        self.state = state
        self.user_state = user_state
        self._toolkit = environment.toolkit(state, environment.mode)
        self._user_toolkit = (
            environment.user_toolkit(user_state or state, environment.mode)
            if environment.user_toolkit
            else None
        )

    def call(self, call: ToolCall, requestor: str = Side.ASSISTANT) -> ToolResult:
        """Make a call. Never raises: what goes wrong is a result with `error` set.

        What a failing call changed before it failed stays in strict mode (SPEC §2.2) and is taken back in corrected mode.
        """
        before = self.fork() if self._takes_back(call, requestor) else None
        result = _attempt(lambda: self._answer(call, requestor))
        if result.error:
            if before:
                self.restore(before)
            _attempt(self._sync)  # what stays of it, the other side sees
        return result

    def replay(self, calls: Iterable[ToolCall]) -> list[ToolResult]:
        return [self.call(call) for call in calls]

    # both sides at once

    def fork(self) -> "EnvironmentSession":
        """A session that starts where this one stands (see Session.fork)."""
        return EnvironmentSession(
            self.environment,
            self.state.fork(),
            self.user_state and self.user_state.fork(),
        )

    def restore(self, earlier: "EnvironmentSession") -> None:
        """Back to where this session stood when `earlier` was forked from it."""
        self.state.restore(earlier.state)
        if self.user_state and earlier.user_state:
            self.user_state.restore(earlier.user_state)

    def reset(self) -> None:
        """Back to the bases, before any initialization."""
        for state in self.states().values():
            state.reset()

    def states(self) -> dict[Side, Session]:
        """The states there are: the agent's, and the user's if it is another."""
        states = {Side.ASSISTANT: self.state}
        if self.user_state:
            states[Side.USER] = self.user_state
        return states

    def content_hashes(self) -> dict[Side, str]:
        return {side: state.content_hash() for side, state in self.states().items()}

    def effects(self) -> dict[Side, str]:
        """Equal effects on one environment are equal states (see Session.effect)."""
        return {side: state.effect() for side, state in self.states().items()}

    def diffs(self) -> dict[Side, list[dict[str, Any]]]:
        return {side: state.diff() for side, state in self.states().items()}

    def now(self) -> datetime | None:
        """The time in the world, if it has one."""
        clock = self.environment.clock
        return clock(self.state) if clock else None

    # what a task may ask of a world

    def initialize(self, initialization: Initialization) -> None:
        """Merge the data, then call the functions in order. Raises NotOffered, or what a function raises."""
        for side, records in initialization.data.items():
            self._merge(side, records)
        if initialization.data:
            self._sync()
        for action in initialization.actions:
            self._function(action)
            self._sync()

    def holds(self, assertion: Assertion) -> bool:
        """Whether the function answers what is expected; nothing is changed. Raises NotOffered, or what the function raises."""
        answer = self.fork()._function(assertion)
        if not isinstance(answer, bool):
            raise NotOffered(f"{assertion.name} answers neither yes nor no.")
        return answer == assertion.expected

    def _merge(self, side: Side, records: dict[str, dict[str, Record]]) -> None:
        self._check_side(side)
        state = self.states().get(side, self.state)
        for collection in records.keys() - state.base.collections.keys():
            raise NotOffered(f"The {side}'s state has no collection {collection!r}.")
        state.merge(records)

    def _function(self, call: FunctionCall) -> Any:
        self._check_side(call.side)
        return self._toolkit_of(call.side).function(call.name)(**call.arguments)

    def _check_side(self, side: Side) -> None:
        if side == Side.USER and self._user_toolkit is None:
            raise NotOffered(f"The user has no side in {self.environment.name}.")

    # a call, step by step

    def _takes_back(self, call: ToolCall, requestor: str) -> bool:
        if self.environment.mode != Mode.CORRECTED:
            return False
        ours = requestor == Side.ASSISTANT
        tools = self.environment.tools if ours else self.environment.user_tools
        return call.name in tools and tools[call.name].mutates

    def _answer(self, call: ToolCall, requestor: str) -> str:
        _refuse_reserved(call.arguments)
        toolkit = self._toolkit_of(requestor)
        if call.name not in toolkit.tools:
            raise ValueError(f"Tool '{call.name}' not found.")
        method: Callable[..., Any] = getattr(toolkit, call.name)
        value = method(**call.arguments)
        self._sync()
        return _text(value, toolkit)

    def _toolkit_of(self, requestor: str) -> Toolkit:
        if requestor == Side.ASSISTANT:
            return self._toolkit
        if requestor != Side.USER or self._user_toolkit is None:
            raise ValueError("User tools not available")
        return self._user_toolkit

    def _sync(self) -> str:
        if self.environment.sync:
            self.environment.sync(self._toolkit, self._user_toolkit)
        return ""


def _attempt(act: Callable[[], str]) -> ToolResult:
    try:
        return ToolResult(act())
    except (
        RecursionError
    ) as error:  # nested garbage is the caller's fault like any other
        return ToolResult(f"Error: {error}", error=True, exception="RecursionError")
    except Exception as error:  # any exception of a tool is what the agent sees
        return ToolResult(f"Error: {error}", error=True, exception=type(error).__name__)


def _text(value: Any, toolkit: Toolkit) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return toolkit.session.base.text_of(value)
    if isinstance(value, int | float):  # a bare number becomes a text: SPEC §2.1
        value = str(value)
    return json.dumps(value)


def _refuse_reserved(arguments: Mapping[str, Any]) -> None:
    """Names that collide with the reference's own call machinery fail with its texts (SPEC §2.2)."""
    if "requestor" in arguments:
        raise TypeError(
            "tau2.environment.environment.Environment.make_tool_call() "
            "got multiple values for keyword argument 'requestor'"
        )
    for name in ("self", "tool_name"):
        if name in arguments:
            raise TypeError(
                f"Environment.make_tool_call() got multiple values for argument '{name}'"
            )
