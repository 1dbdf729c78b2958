"""What writes do to the database, by replaying them: gold beside actual, and what if one were left out or came later.

Replays are made on copy-on-write sessions over the environment's base state, so that each costs only the calls it makes.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from environments.core.environment import Environment, EnvironmentSession
from environments.core.tools import ToolCall

MOST_TRIED = 8
"""Writes: with more, leaving out and swapping is worked out for one at a time, when it is asked for."""

type Side = Literal["", "gold", "actual", "then"]


@dataclass(frozen=True)
class DiffLine:
    sign: Literal["+", "-"]
    text: str
    only: Side = ""
    """The only side that has it, if the other has not."""


@dataclass(frozen=True)
class DiffGroup:
    """What changes in one row of the database."""

    path: str
    lines: tuple[DiffLine, ...]


@dataclass(frozen=True)
class Difference:
    groups: tuple[DiffGroup, ...]
    equal: bool
    """Whether both sides leave the same state."""

    @property
    def apart(self) -> tuple[DiffGroup, ...]:
        """Only what the sides do not share."""
        kept = (
            DiffGroup(group.path, tuple(line for line in group.lines if line.only))
            for group in self.groups
        )
        return tuple(group for group in kept if group.lines)


@dataclass(frozen=True)
class WhatIf:
    """What becomes of the state if the writes are made otherwise."""

    same: bool
    """Whether the state is that of the goal."""
    rows: int
    """Rows of the database that are not."""
    refused: tuple[int, ...] = ()
    """Numbers (from 1, in the order as given) of the writes that the environment then refuses."""


@dataclass(frozen=True)
class WriteFacts:
    """Short facts about one write among the others; None where there is no such thing to try."""

    without: WhatIf
    swapped: WhatIf | None = None
    """With the write after it made first."""


def compare(
    environment: Environment,
    one: Sequence[ToolCall],
    other: Sequence[ToolCall],
    sides: tuple[Side, Side] = ("gold", "actual"),
) -> Difference:
    """Replay both on fresh sessions. What only one side does is said at the line."""
    changes = [_replayed(environment, calls).state.diff() for calls in (one, other)]
    lines: dict[str, dict[tuple[str, str], DiffLine]] = {}
    for side, steps in zip(sides, changes, strict=True):
        for step in steps:
            collection, key, *inner = step["path"]
            group = lines.setdefault(f"{collection}/{key}", {})
            for sign, text in _diff_texts(inner, step["before"], step["after"]):
                both = (sign, text) in group
                group[sign, text] = DiffLine(sign, text, "" if both else side)
    groups = tuple(
        DiffGroup(path, tuple(group.values())) for path, group in lines.items()
    )
    return Difference(groups, json.dumps(changes[0]) == json.dumps(changes[1]))


def left_out(calls: Sequence[ToolCall], number: int) -> list[ToolCall]:
    """All but the `number`-th, counted from 1."""
    return [call for n, call in enumerate(calls, 1) if n != number]


def swapped(calls: Sequence[ToolCall], number: int) -> list[ToolCall]:
    """The `number`-th, counted from 1, after the one that follows it."""
    made = list(calls)
    made[number - 1 : number + 1] = reversed(made[number - 1 : number + 1])
    return made


def try_writes(
    environment: Environment, calls: Sequence[ToolCall], goal: Sequence[ToolCall]
) -> tuple[WriteFacts, ...]:
    """For each write: what if it were left out, or made after the next one? Nothing for more than MOST_TRIED writes.

    What comes before the write is replayed once for all.
    """
    if len(calls) > MOST_TRIED:
        return ()
    wanted = _replayed(environment, goal)
    before = environment.session()
    facts = []
    for number in range(1, len(calls) + 1):
        rest = list(enumerate(calls, 1))[number:]
        this = (number, calls[number - 1])
        facts.append(
            WriteFacts(
                without=_what_if(before.fork(), rest, wanted),
                swapped=_what_if(before.fork(), [rest[0], this, *rest[1:]], wanted)
                if rest
                else None,
            )
        )
        before.call(calls[number - 1])
    return tuple(facts)


def _what_if(
    session: EnvironmentSession,
    calls: Sequence[tuple[int, ToolCall]],
    wanted: EnvironmentSession,
) -> WhatIf:
    refused = tuple(number for number, call in calls if session.call(call).error)
    same = session.state.equals(wanted.state)
    rows = 0 if same else len(_rows_apart(session, wanted))
    return WhatIf(same, rows, refused)


def _rows_apart(one: EnvironmentSession, other: EnvironmentSession) -> set[str]:
    return {"/".join(step["path"][:2]) for step in one.state.diff(since=other.state)}


def _replayed(
    environment: Environment, calls: Sequence[ToolCall]
) -> EnvironmentSession:
    session = environment.session()
    session.replay(calls)
    return session


def _diff_texts(
    path: list[str], before: Any, after: Any
) -> Iterator[tuple[Literal["+", "-"], str]]:
    name = "/".join(path)
    label = f"{name}: " if name else ""
    if isinstance(before, list) and isinstance(after, list):
        # Lists are compared whole; of long ones only the members that moved are news.
        gone = [_json(one) for one in before if one not in after]
        came = [_json(one) for one in after if one not in before]
        if gone or came:
            yield from (("-", label + text) for text in gone)
            yield from (("+", label + text) for text in came)
            return
    if before is not None:
        yield "-", label + _json(before)
    if after is not None:
        if before is None and not path and isinstance(after, Mapping):
            # A new record, field by field: one line of JSON would hide what is in it.
            yield from (("+", f"{key}: {_json(value)}") for key, value in after.items())
            return
        yield "+", label + _json(after)


def _json(value: Any) -> str:
    """JSON; of a small object its fields, without the braces."""
    if isinstance(value, dict) and not any(
        isinstance(one, dict | list) for one in value.values()
    ):
        return ", ".join(f"{key} {_json(one)}" for key, one in value.items())
    return json.dumps(value, ensure_ascii=False)
