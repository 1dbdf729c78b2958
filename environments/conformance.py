"""Conformance with recorded vectors of the reference (tau2 SPEC §15): replay every call, compare every result and state.

`check_file` takes one vector file's lines, `check_schemas` the recorded tool schemas; both report what differed.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from environments.core.environment import Environment, EnvironmentSession
from environments.core.tools import ToolCall

EXACT = {
    "ValueError",
    "TypeError",
    "KeyError",
    "AttributeError",
    "SyntaxError",
    "ZeroDivisionError",
    "OverflowError",
}
_PYDANTIC_LINK = re.compile(r"errors\.pydantic\.dev/[\d.]+/")


@dataclass
class Outcome:
    """How one file went: cases, and for each failed one the differences found in it."""

    name: str
    passed: int = 0
    failures: list[tuple[str, list[str]]] = field(default_factory=list)

    def add(self, case: str, differences: list[str]) -> None:
        if differences:
            self.failures.append((case, differences))
        else:
            self.passed += 1

    def __str__(self) -> str:
        return f"{self.name}: {self.passed} passed, {len(self.failures)} failed"


def check_file(
    environment: Environment, name: str, rows: Iterable[Mapping[str, Any]]
) -> Outcome:
    """Replay rows of a gold_replay, random_calls, random_episodes or quirk_episodes file, each on a fresh session."""
    outcome = Outcome(name)
    for row in rows:
        outcome.add(str(row.get("id", "")), list(_row_differences(environment, row)))
    return outcome


def check_calculate(
    environment: Environment, rows: Iterable[Mapping[str, Any]]
) -> Outcome:
    outcome = Outcome("calculate_table")
    session = environment.session()
    for row in rows:
        step = {
            **row,
            "tool": "calculate",
            "arguments": {"expression": row["expression"]},
        }
        outcome.add(repr(row["expression"]), list(_step_differences(session, step)))
    return outcome


def check_schemas(
    environment: Environment, schemas: list[Any], meta: Mapping[str, Any]
) -> Outcome:
    """Tool schemas in order, tool kinds, and the hash of the initial state."""
    outcome = Outcome(f"{environment.name}/schemas")
    ours = environment.schemas
    for n in range(max(len(schemas), len(ours))):
        mine, theirs = (side[n] if n < len(side) else None for side in (ours, schemas))
        name = (theirs or mine)["function"]["name"]  # type: ignore[index]
        outcome.add(name, list(_unequal("schema", theirs, mine)))
    kinds = {
        name: {"type": tool.kind.value, "mutates_state": tool.mutates}
        for name, tool in environment.tools.items()
    }
    outcome.add("tool types", list(_unequal("types", meta["tool_types"], kinds)))
    outcome.add(
        "initial hash",
        list(_unequal("hash", meta["initial_hash"], environment.state.content_hash)),
    )
    return outcome


def _row_differences(environment: Environment, row: Mapping[str, Any]) -> Iterator[str]:
    session = environment.session()
    if "hash_before" in row:
        yield from _unequal(
            "hash_before", row["hash_before"], session.state.content_hash()
        )
    if "tool" in row:  # a single call
        yield from _step_differences(session, row)
    for step in row.get("steps") or row.get("actions") or []:
        yield from _step_differences(
            session, {"tool": step.get("name"), **step}, diffs="steps" not in row
        )
    if "hash_after" in row:
        yield from _unequal(
            "final hash", row["hash_after"], session.state.content_hash()
        )
    if "tool" not in row and "diff" in row:
        yield from _unequal(
            "final diff", _sorted(row["diff"]), _sorted(session.state.diff())
        )
    for place, sides in row.get("touched", {}).items():
        collection, _, key = place.partition("/")
        ours = _recorded_part(sides["after"], session.state.get(collection, key))
        yield from _unequal(place, sides["after"], ours)


def _step_differences(
    session: EnvironmentSession, step: Mapping[str, Any], diffs: bool = True
) -> Iterator[str]:
    before = session.state.fork() if "diff" in step and diffs else None
    call = ToolCall.model_construct(name=step["tool"], arguments=step["arguments"])
    result = session.call(call, step.get("requestor") or "assistant")
    yield from _unequal(f"{call.name} error", step["error"], result.error)
    exception = step.get("exception")
    if "result_sha256" in step:
        yield from _unequal(
            f"{call.name} sha256", step["result_sha256"], _sha256(result.content)
        )
        yield from _unequal(
            f"{call.name} length", step["result_len"], len(result.content)
        )
    elif exception is None or exception in EXACT or exception == "ValidationError":
        yield from _unequal(
            call.name, _unversioned(step["result"]), _unversioned(result.content)
        )
    elif not result.content.startswith("Error: "):
        yield f"{call.name}: an error was expected, got {result.content[:200]!r}"
    if "hash_after" in step:
        yield from _unequal(
            f"{call.name} hash", step["hash_after"], session.state.content_hash()
        )
    if (
        before is not None and not before.changes()
    ):  # a recorded difference of one call is told from the initial state
        yield from _unequal(
            f"{call.name} diff", _sorted(step["diff"]), _sorted(session.state.diff())
        )


def _unequal(what: str, expected: Any, got: Any) -> Iterator[str]:
    if json.dumps(expected, sort_keys=True) != json.dumps(got, sort_keys=True):
        yield f"{what}: expected {_short(expected)}, got {_short(got)}"


def _short(value: Any) -> str:
    text = json.dumps(value, sort_keys=True)
    return text if len(text) <= 600 else f"{text[:600]}… ({len(text)} characters)"


def _sorted(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Steps by path, without the side that an added or a removed value does not have."""
    absent = {"add": "before", "remove": "after"}
    return sorted(
        [
            {
                name: side
                for name, side in step.items()
                if name != absent.get(step["op"])
            }
            for step in steps
        ],
        key=lambda step: step["path"],
    )


def _recorded_part(recorded: Any, whole: Any) -> Any:
    """What `whole` holds where something was recorded: of a flight only changed dates are. The hash compares the rest."""
    if isinstance(recorded, dict) and isinstance(whole, dict):
        return {
            key: _recorded_part(recorded[key], whole[key])
            for key in recorded
            if key in whole
        }
    return whole


def _unversioned(text: str) -> str:
    return _PYDANTIC_LINK.sub("errors.pydantic.dev/", text)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
