"""A scratch session for trying tools: kept as the calls made so far, and made anew from them for each page."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from environments.core.environment import Environment
from environments.core.tools import ToolCall, ToolResult
from writ_app.engine.errors import WritError

MAX_CALLS = 40
"""Each page replays them all, so there is an end to them."""
MAX_TEXT = 10_000
"""Characters of one call's arguments."""
MAX_DEPTH = 50
SHOWN_CHANGES = 200


class BadCall(WritError):
    """A call that cannot be made as typed; the text says what to change."""


@dataclass(frozen=True)
class ConsoleStep:
    number: int
    call: ToolCall
    kind: str
    """read, write, call (a tool that is neither, or none at all) or error."""
    result: ToolResult
    hash: str
    """Of the state after the call."""


@dataclass(frozen=True)
class Change:
    """One difference to the base state, for printing."""

    op: str
    path: str
    before: str
    after: str


@dataclass(frozen=True)
class Console:
    steps: tuple[ConsoleStep, ...]
    changes: tuple[Change, ...]
    hidden: int
    """Changes there are besides those in `changes`."""
    hash: str
    full: bool

    @property
    def last(self) -> ConsoleStep | None:
        return self.steps[-1] if self.steps else None

    @property
    def earlier(self) -> tuple[ConsoleStep, ...]:
        """Newest first."""
        return self.steps[-2::-1]


def read_call(environment: Environment, name: str, arguments: str) -> ToolCall:
    """The call that was typed. Raises BadCall."""
    if name not in environment.tools:
        raise BadCall("Pick one of the tools.")
    if len(arguments) > MAX_TEXT:
        raise BadCall(f"Arguments may have {MAX_TEXT:,} characters at most.")
    try:
        value = json.loads(arguments or "{}", parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise BadCall(f"This is not JSON: {error.msg} at {where}.") from error
    except (ValueError, RecursionError) as error:
        raise BadCall(f"This is not JSON that can be used: {error}.") from error
    if not isinstance(value, dict):
        raise BadCall("Arguments are one JSON object: {…}.")
    if _deeper(value, MAX_DEPTH):
        raise BadCall(f"Arguments may be nested {MAX_DEPTH} deep at most.")
    return ToolCall(name=name, arguments=value)


def replay_console(environment: Environment, calls: Sequence[ToolCall]) -> Console:
    session = environment.session()
    steps: list[ConsoleStep] = []
    state_hash = environment.state.content_hash
    for number, call in enumerate(calls, 1):
        result = session.call(call)
        if call.name in environment.tools and environment.tools[call.name].mutates:
            state_hash = session.state.content_hash()
        kind = _kind(environment, call, result)
        steps.append(ConsoleStep(number, call, kind, result, state_hash))
    changes = [_change(step) for step in session.state.diff()]
    return Console(
        steps=tuple(steps),
        changes=tuple(changes[:SHOWN_CHANGES]),
        hidden=max(0, len(changes) - SHOWN_CHANGES),
        hash=state_hash,
        full=len(steps) >= MAX_CALLS,
    )


def blank_arguments(environment: Environment, name: str) -> str:
    """An object with the tool's required arguments, to be filled in."""
    if name not in environment.tools:
        return "{}"
    parameters = environment.tools[name].schema["function"]["parameters"]
    properties = parameters.get("properties", {})
    blank = {
        argument: _blank(properties[argument])
        for argument in parameters.get("required", properties)
    }
    return json.dumps(blank, indent=2)


def _blank(schema: dict[str, Any]) -> Any:
    blanks: dict[Any, Any] = {"array": [], "object": {}, "integer": 0, "number": 0}
    kind = schema.get("type", "string")
    return blanks.get(kind, False if kind == "boolean" else "")


def _kind(environment: Environment, call: ToolCall, result: ToolResult) -> str:
    if result.error:
        return "error"
    if environment.is_read(call.name):
        return "read"
    return "write" if environment.is_write(call.name) else "call"


def _change(step: dict[str, Any]) -> Change:
    return Change(
        op=step["op"],
        path="/".join(step["path"]),
        before="" if step["op"] == "add" else _text(step["before"]),
        after="" if step["op"] == "remove" else _text(step["after"]),
    )


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _deeper(value: Any, most: int) -> bool:
    """Whether containers stand deeper in each other than that: what keeps the calls would fail on them."""
    level = [value]
    for _ in range(most):
        level = [
            child
            for inner in level
            for child in (inner.values() if isinstance(inner, dict) else inner)
            if isinstance(child, dict | list)
        ]
    return bool(level)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")
