"""Tasks of files that are not as they must be: refused with their place, before anything is reckoned with them."""

from typing import Any

import pytest

from writ_app.services.evaluation.sets import BadRun
from writ_app.services.evaluation.shapes import check_names, check_task

CALL = {"name": "find", "arguments": {}}


def task(**criteria: Any) -> dict[str, Any]:
    return {"id": "0", "unknown": 1, "evaluation_criteria": criteria}


@pytest.mark.parametrize(
    "good",
    [
        {"id": "0"},
        {"id": "0", "evaluation_criteria": None, "initial_state": None},
        task(actions=[{**CALL, "requestor": "user", "info": None}], more=[1]),
        task(actions=None, nl_assertions=["Polite."], reward_basis=["DB"]),
    ],
)
def test_what_files_hold_is_taken(good: dict[str, Any]) -> None:
    check_task(good, place="$.tasks[0]")


@pytest.mark.parametrize(
    ("bad", "path"),
    [
        ({"user_scenario": "x"}, ".user_scenario"),
        ({"evaluation_criteria": []}, ".evaluation_criteria"),
        (task(actions=[["find"]]), ".evaluation_criteria.actions[0]"),
        (
            task(actions=[CALL, {**CALL, "name": ["find"]}]),
            ".evaluation_criteria.actions[1].name",
        ),
        (
            task(actions=[{**CALL, "arguments": "{}"}]),
            ".evaluation_criteria.actions[0].arguments",
        ),
        (task(nl_assertions=[1]), ".evaluation_criteria.nl_assertions[0]"),
        (task(reward_basis=[["DB"]]), ".evaluation_criteria.reward_basis[0]"),
        (
            {"initial_state": {"message_history": ["hi"]}},
            ".initial_state.message_history[0]",
        ),
    ],
)
def test_what_could_not_be_reckoned_with_is_refused_with_its_place(
    bad: dict[str, Any], path: str
) -> None:
    with pytest.raises(BadRun) as refused:
        check_task(bad, place="theirs.json, $.tasks[3]")

    assert str(refused.value).startswith(f"theirs.json, $.tasks[3]{path}: ")


def test_two_tasks_of_one_name_are_refused() -> None:
    check_names(["a", "b"], file="theirs.json")

    with pytest.raises(BadRun, match=r"tasks\[2\].id: two tasks are called 'a'"):
        check_names(["a", "b", "a"], file="theirs.json")
