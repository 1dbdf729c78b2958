"""Situations of τ²-bench's tasks, played in the small world with two sides."""

from typing import Any

import pytest

from environments.core.sides import Assertion, FunctionCall, Initialization, Side
from environments.registry import world
from writ_app.adapters.tau2 import BadCheckout
from writ_app.adapters.tau2_situations import (
    assertions_of,
    check_situations,
    initialization_of,
)

TASK: dict[str, Any] = {
    "id": "7",
    "initial_state": {
        "initialization_data": {
            "agent_data": {"office": {"owner": {"reachable": False}}},
            "user_data": None,
        },
        "initialization_actions": [
            {"env_type": "user", "func_name": "turn_off", "arguments": {"n": 1}},
            {"env_type": "assistant", "func_name": "close", "arguments": None},
        ],
        "message_history": None,
    },
    "evaluation_criteria": {
        "env_assertions": [
            {"env_type": "user", "func_name": "is_on", "arguments": {}},
            {
                "env_type": "assistant",
                "func_name": "is_open",
                "arguments": {"door": "front"},
                "assert_value": False,
                "message": "It should be shut.",
            },
        ]
    },
}


def test_gives_data_by_side_and_actions_in_order():
    assert initialization_of(TASK) == Initialization(
        data={Side.ASSISTANT: {"office": {"owner": {"reachable": False}}}},
        actions=(
            FunctionCall(side=Side.USER, name="turn_off", arguments={"n": 1}),
            FunctionCall(side=Side.ASSISTANT, name="close"),
        ),
    )


def test_gives_what_is_asserted_and_expects_yes_unless_told():
    assert assertions_of(TASK) == (
        Assertion(side=Side.USER, name="is_on"),
        Assertion(
            side=Side.ASSISTANT,
            name="is_open",
            arguments={"door": "front"},
            expected=False,
            message="It should be shut.",
        ),
    )


@pytest.mark.parametrize("task", [{"id": "1"}, {"id": "1", "initial_state": None}])
def test_of_a_task_without_a_situation_changes_nothing(task: dict[str, Any]):
    assert initialization_of(task) == Initialization()
    assert assertions_of(task) == ()


@pytest.mark.parametrize(
    ("state", "wrong"),
    [
        ([], None),
        ({"initialization_data": 3}, "initialization_data"),
        ({"initialization_data": {"user_data": []}}, None),
        ({"initialization_data": {"agent_data": 3}}, "agent_data"),
        ({"initialization_actions": [{"env_type": "cat", "func_name": "f"}]}, "cat"),
        ({"initialization_actions": [{"env_type": "user"}]}, "func_name"),
        ({"initialization_actions": ["turn_off"]}, "a function call"),
    ],
)
def test_says_which_task_is_wrong_and_where(state: Any, wrong: str | None):
    task = {"id": "9", "initial_state": state}
    if wrong is None:  # empty stands for nothing
        assert initialization_of(task) == Initialization()
        return
    with pytest.raises(BadCheckout, match=f"Task 9: .*{wrong}"):
        initialization_of(task)


def test_lets_tasks_pass_that_can_begin_in_a_world():
    shop = world("retail").generated(seed=1, users=3)
    (person, *_) = shop.people
    part = {"users": {person: {"email": "new@example.com"}}}
    state = {"initialization_data": {"agent_data": part}}

    check_situations(shop, [{"id": "1"}, {"id": "2", "initial_state": state}])


@pytest.mark.parametrize(
    "state",
    [
        {"initialization_data": {"agent_data": {"rockets": {"a": {}}}}},
        {"initialization_data": {"user_data": {"users": {"a": {}}}}},
        {"initialization_actions": [{"env_type": "assistant", "func_name": "fly"}]},
    ],
)
def test_names_the_task_that_cannot_begin_in_a_world(state: dict[str, Any]):
    shop = world("retail").generated(seed=1, users=3)

    with pytest.raises(BadCheckout, match="Task 5 cannot begin in retail"):
        check_situations(shop, [{"id": "5", "initial_state": state}])
