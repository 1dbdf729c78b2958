"""Rewards of the reference's recorded evaluation cases, all of them, part by part."""

import gzip
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from environments.core.environment import Environment
from writ_app.adapters.tau2 import Tau2Domain
from writ_app.adapters.worlds import checkout_world
from writ_app.engine.benchmark_scoring import (
    RewardInfo,
    Verdict,
    evaluate,
    judged_assertions,
    with_verdicts,
)
from writ_app.engine.types import Message, MessageCall

LEAST = {"airline": 132, "retail": 270}
"""Domain → how many cases there are at least."""


@cache
def checkout(root: Path, domain: str) -> tuple[Environment, Tau2Domain]:
    return checkout_world(root, domain)


def cases(root: Path, domain: str) -> Iterator[dict[str, Any]]:
    path = root / "vectors" / domain / "eval_cases.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def message(raw: dict[str, Any]) -> Message:
    calls = [
        MessageCall(id=one["id"], name=one["name"], arguments=one["arguments"])
        for one in raw.get("tool_calls") or ()
    ]
    return Message(
        role=raw["role"],
        content=raw.get("content") or "",
        tool_calls=tuple(calls),
        tool_call_id=raw["id"] if raw["role"] == "tool" else "",
        error=raw.get("error", False),
    )


def ours(
    case: dict[str, Any], environment: Environment, task: dict[str, Any]
) -> RewardInfo:
    found = evaluate(
        environment,
        task,
        [message(one) for one in case["messages"]],
        case["termination_reason"],
    )
    asked = judged_assertions(task)
    if not asked or not case["judge_calls"]:
        return found
    said = [
        Verdict(assertion=one, met=met)
        for one, met in zip(asked, case["judge_verdicts"], strict=True)
    ]
    return with_verdicts(found, said)


def compared(info: RewardInfo) -> dict[str, Any]:
    """What has to be the same: everything but names of actions and words."""

    def listed(name: str, keys: tuple[str, ...]) -> list[Any]:
        return [[one[key] for key in keys] for one in info[name] or ()]

    return {
        "reward": info["reward"],
        "db_check": info["db_check"],
        "basis": info["reward_basis"],
        "breakdown": info["reward_breakdown"],
        "actions": listed(
            "action_checks", ("action_match", "action_reward", "tool_type")
        ),
        "told": listed("communicate_checks", ("info", "met")),
        "judged": listed("nl_assertions", ("met",)),
    }


@pytest.mark.slow
@pytest.mark.parametrize("domain", LEAST)
def test_every_recorded_case_is_scored_as_the_reference_scores_it(
    tau2_root: Path, domain: str
) -> None:
    environment, read = checkout(tau2_root, domain)
    tasks = {task["id"]: task for task in read.tasks}
    differing = []
    count = 0

    for case in cases(tau2_root, domain):
        count += 1
        found = compared(ours(case, environment, tasks[case["task_id"]]))
        wanted = compared(case["reward_info"])
        if found != wanted:
            differing.append((case["id"], found, wanted))

    assert not differing, f"{len(differing)} of {count}, first: {differing[0]}"
    assert count >= LEAST[domain]


def test_a_case_scored_by_another_tasks_criteria_differs(tau2_root: Path) -> None:
    """So that the comparison above is known to be able to fail."""
    environment, read = checkout(tau2_root, "airline")
    gold = next(
        case
        for case in cases(tau2_root, "airline")
        if case["variant"] == "gold" and case["reward_info"]["reward"] == 1.0
        and any(one["tool_type"] == "write" for one in case["reward_info"]["action_checks"] or ())
    )  # fmt: skip
    other = next(one for one in read.tasks if one["id"] != gold["task_id"])

    assert compared(ours(gold, environment, other)) != compared(gold["reward_info"])
