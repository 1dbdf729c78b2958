"""What a task of somebody's file has to look like before anything is reckoned with it (tau2 SPEC §7). What is not looked at may be anything."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError


class _Shape(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)


class _Call(_Shape):
    name: str = Field(max_length=200)
    arguments: dict[str, Any]


class _Action(_Call):
    requestor: Literal["assistant", "user"] | None = None
    compare_args: list[str] | None = None


class _Criteria(_Shape):
    actions: list[_Action] | None = None
    communicate_info: list[str] | None = None
    nl_assertions: list[str] | None = None
    reward_basis: list[str] | None = None


class _Said(_Shape):
    tool_calls: list[_Call] | None = None


class _State(_Shape):
    message_history: list[_Said] | None = None


class _Task(_Shape):
    user_scenario: dict[str, Any] | None = None
    evaluation_criteria: _Criteria | None = None
    initial_state: _State | None = None


def fault_of(task: Mapping[str, Any]) -> str:
    """The place of the first thing that is wrong, as a path from the task, and what; nothing of a task that is right."""
    try:
        _Task.model_validate(task)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        path = "".join(
            f"[{part}]" if isinstance(part, int) else f".{part}"
            for part in first["loc"]
        )
        return f"{path[:400]}: {first['msg']}."
    return ""
