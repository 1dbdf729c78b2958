"""A scratch session for trying tools: kept as the calls made so far, and made anew from them for each page."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from environments.core.environment import Environment
from environments.core.tools import ToolCall, ToolResult
from writ_app.engine.errors import WritError
from writ_app.services.catalog.parameters import (
    BadValue,
    Kind,
    NotShown,
    Parameter,
    parse_json,
    print_json,
)

MAX_CALLS = 40
"""Each page replays them all, so there is an end to them."""
MAX_TEXT = 10_000
"""Characters of one call's arguments."""
TOO_LONG = f"Arguments may have {MAX_TEXT:,} characters at most."
SHOWN_CHANGES = 60
"""Of one call, and since the base: each call on the page shows both."""


class BadCall(WritError):
    """Arguments that cannot be used as typed; the text says what to change."""


@dataclass(frozen=True)
class Change:
    """One difference between two states, for printing."""

    op: str
    path: str
    before: str
    after: str


@dataclass(frozen=True)
class Difference:
    """What differs between two states, cut if it is too much for a page."""

    changes: tuple[Change, ...] = ()
    hidden: int = 0
    """Changes there are besides those in `changes`."""

    @property
    def count(self) -> int:
        return len(self.changes) + self.hidden


@dataclass(frozen=True)
class ConsoleStep:
    number: int
    call: ToolCall
    kind: str
    """read, write, call (a tool that is neither, or none at all) or error."""
    result: ToolResult
    by_call: Difference
    since_base: Difference
    """All that differs once the call is made."""
    hash: str
    """Of the state after the call."""


@dataclass(frozen=True)
class Console:
    steps: tuple[ConsoleStep, ...]
    base_hash: str

    @property
    def hash(self) -> str:
        return self.steps[-1].hash if self.steps else self.base_hash

    @property
    def full(self) -> bool:
        return len(self.steps) >= MAX_CALLS

    @property
    def last(self) -> ConsoleStep | None:
        return self.steps[-1] if self.steps else None

    @property
    def earlier(self) -> tuple[ConsoleStep, ...]:
        """Newest first."""
        return self.steps[-2::-1]


def read_arguments(text: str) -> dict[str, Any]:
    """Arguments that were typed as JSON. Raises BadCall."""
    if len(text) > MAX_TEXT:
        raise BadCall(TOO_LONG)
    try:
        value = parse_json(text if text.strip() else "{}")
    except BadValue as error:
        raise BadCall(str(error)) from error
    if not isinstance(value, dict):
        raise BadCall("Arguments are one JSON object: {…}.")
    return value


def show_arguments(
    parameters: Sequence[Parameter], arguments: Mapping[str, Any]
) -> dict[str, str]:
    """What to type into the fields to get these arguments. Raises NotShown if a field would change or drop one."""
    shown = {
        one.name: one.show(arguments[one.name])
        for one in parameters
        if one.name in arguments
    }
    for name in arguments:
        if name not in shown:
            raise NotShown(f"the tool has no parameter {name[:80]!r}")
    return shown


def replay_console(environment: Environment, calls: Sequence[ToolCall]) -> Console:
    session = environment.session()
    base_hash = state_hash = environment.state.content_hash
    steps: list[ConsoleStep] = []
    by_call = since_base = Difference()
    for number, call in enumerate(calls, 1):
        before = session.state.fork()
        result = session.call(call)
        by_call = _difference(session.state.diff(before))
        if by_call.count:
            since_base = _difference(session.state.diff())
            state_hash = session.state.content_hash()
        kind = _kind(environment, call, result)
        steps.append(
            ConsoleStep(number, call, kind, result, by_call, since_base, state_hash)
        )
    return Console(tuple(steps), base_hash)


def blank_arguments(parameters: Sequence[Parameter]) -> str:
    """An object with the required arguments, to be filled in."""
    blanks = {one.name: _BLANKS.get(one.kind, "") for one in parameters if one.required}
    return print_json(blanks)


_BLANKS: Mapping[Kind, Any] = {
    Kind.LIST: [],
    Kind.OBJECT: {},
    Kind.INTEGER: 0,
    Kind.NUMBER: 0,
}


def _kind(environment: Environment, call: ToolCall, result: ToolResult) -> str:
    if result.error:
        return "error"
    if environment.is_read(call.name):
        return "read"
    return "write" if environment.is_write(call.name) else "call"


def _difference(steps: Sequence[Mapping[str, Any]]) -> Difference:
    shown = tuple(_change(step) for step in steps[:SHOWN_CHANGES])
    return Difference(shown, len(steps) - len(shown))


def _change(step: Mapping[str, Any]) -> Change:
    return Change(
        op=step["op"],
        path="/".join(step["path"]),
        before="" if step["op"] == "add" else _text(step["before"]),
        after="" if step["op"] == "remove" else _text(step["after"]),
    )


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
