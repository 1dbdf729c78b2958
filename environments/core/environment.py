"""An environment: a policy, a toolkit and a base state; sessions are where calls happen.

Knows nothing about tasks, users or models.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from environments.core.domain import Domain
from environments.core.state import Session, State
from environments.core.tools import (
    Mode,
    Tool,
    ToolCall,
    ToolKind,
    Toolkit,
    ToolResult,
)


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

    @property
    def tools(self) -> Mapping[str, Tool]:
        return self.toolkit.tools

    @property
    def schemas(self) -> list[dict[str, Any]]:
        """Tool schemas in the order in which the agent gets them."""
        return [tool.schema for tool in self.tools.values()]

    @cached_property
    def content_hash(self) -> str:
        """Hash of everything an agent can meet: state, policy, tool schemas and, unless it is strict, the mode."""
        parts = [self.state.content_hash, self.policy, self.schemas]
        if self.mode != Mode.STRICT:
            parts.append(self.mode)
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    def session(self, over: Session | None = None) -> "EnvironmentSession":
        """A fresh session; `over` gives the state it starts from (default: the base)."""
        return EnvironmentSession(self, over.fork() if over else Session(self.state))

    def is_read(self, name: str) -> bool:
        return name in self.tools and self.tools[name].kind is ToolKind.READ

    def is_write(self, name: str) -> bool:
        return name in self.tools and self.tools[name].kind is ToolKind.WRITE


class EnvironmentSession:
    """One private, mutable copy of the world."""

    def __init__(self, environment: Environment, state: Session):
        self.environment = environment
        self.state = state
        self._toolkit = environment.toolkit(state, environment.mode)

    def call(self, call: ToolCall, requestor: str = "assistant") -> ToolResult:
        """Make a call. Never raises: what goes wrong is a result with `error` set.

        What a failing call changed before it failed stays in strict mode (SPEC §2.2) and is taken back in corrected mode.
        """
        before = self.state.fork() if self._takes_back(call) else None
        result = self._attempt(call, requestor)
        if before and result.error:
            self.state.restore(before)
        return result

    def _takes_back(self, call: ToolCall) -> bool:
        tool = self.environment.tools.get(call.name)
        return self.environment.mode == Mode.CORRECTED and bool(tool and tool.mutates)

    def _attempt(self, call: ToolCall, requestor: str) -> ToolResult:
        try:
            return ToolResult(self._text(self._invoke(call, requestor)))
        except (
            RecursionError
        ) as error:  # nested garbage is the caller's fault like any other
            return ToolResult(f"Error: {error}", error=True, exception="RecursionError")
        except Exception as error:  # any exception of a tool is what the agent sees
            return ToolResult(
                f"Error: {error}", error=True, exception=type(error).__name__
            )

    def replay(self, calls: Iterable[ToolCall]) -> list[ToolResult]:
        return [self.call(call) for call in calls]

    def _invoke(self, call: ToolCall, requestor: str) -> Any:
        _refuse_reserved(call.arguments)
        if requestor != "assistant":
            raise ValueError("User tools not available")
        if call.name not in self.environment.tools:
            raise ValueError(f"Tool '{call.name}' not found.")
        method: Callable[..., Any] = getattr(self._toolkit, call.name)
        return method(**call.arguments)

    def _text(self, value: Any) -> str:
        if isinstance(value, str):
            return value
        return (
            self.state.base.text_of(value)
            if isinstance(value, dict)
            else json.dumps(value)
        )


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
