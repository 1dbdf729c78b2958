"""Situations in which τ²-bench's tasks begin, and what they assert about where they end, in a world's own terms (tau2 SPEC §7.1).

`env_type` is the side, `func_name` a method of its toolkit, tool or not.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from environments.core.environment import Environment
from environments.core.sides import Assertion, FunctionCall, Initialization, Side
from writ_app.adapters.tau2 import BadCheckout


def initialization_of(task: Mapping[str, Any]) -> Initialization:
    """What a task changes before it starts; nothing if it says nothing. Raises BadCheckout naming the task and the wrong place.

    The messages that some tasks begin with (`message_history`) are no part of it: the calls in them are replayed after it.
    """
    state = _object(task, task.get("initial_state") or {}, "initial_state")
    data = _object(task, state.get("initialization_data") or {}, "initialization_data")
    sides = {Side.ASSISTANT: "agent_data", Side.USER: "user_data"}
    return Initialization(
        data={
            side: _object(task, data[name], name)
            for side, name in sides.items()
            if data.get(name)
        },
        actions=tuple(
            FunctionCall(**_function(task, action))
            for action in state.get("initialization_actions") or ()
        ),
    )


def assertions_of(task: Mapping[str, Any]) -> tuple[Assertion, ...]:
    """What must hold where a conversation about the task ends. Raises BadCheckout."""
    criteria = _object(
        task, task.get("evaluation_criteria") or {}, "evaluation_criteria"
    )
    return tuple(
        Assertion(
            **_function(task, one),
            expected=one.get("assert_value", True),
            message=one.get("message") or "",
        )
        for one in criteria.get("env_assertions") or ()
    )


def check_situations(
    environment: Environment, tasks: Iterable[Mapping[str, Any]]
) -> None:
    """Every task can begin in this world, and what it asserts can be asked there. Raises BadCheckout naming the first that cannot."""
    for task in tasks:
        beginning, asserted = initialization_of(task), assertions_of(task)
        if beginning == Initialization() and not asserted:
            continue
        try:
            session = environment.start(beginning)
            for assertion in asserted:
                session.holds(assertion)
        except Exception as error:  # a world's own functions may raise anything
            raise BadCheckout(
                f"Task {task.get('id')} cannot begin in {environment.name}: {error}"
            ) from error


def _function(task: Mapping[str, Any], raw: Any) -> dict[str, Any]:
    call = _object(task, raw, "a function call")
    if call.get("env_type") not in list(Side) or not isinstance(
        call.get("func_name"), str
    ):
        raise BadCheckout(
            f"Task {task.get('id')}: a function call needs env_type (user or assistant) and func_name, not {call}."
        )
    arguments = _object(task, call.get("arguments") or {}, "arguments")
    return {"side": call["env_type"], "name": call["func_name"], "arguments": arguments}


def _object(task: Mapping[str, Any], value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadCheckout(f"Task {task.get('id')}: {name} must be an object.")
    return value
