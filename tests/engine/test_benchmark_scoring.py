"""Our reading of the reference's evaluator, and that it agrees with the verification where it has an opinion."""

import random
from collections import Counter
from typing import Any

import pytest

from environments.core.environment import Environment
from environments.core.tools import ToolCall
from environments.registry import names, world
from tests.engine.talks import called, edited, said, small_shop, talk, task_of
from writ_app.engine.behaviour import PLANS, make_ledger
from writ_app.engine.benchmark_scoring import ReplayDiffers, RewardInfo, score
from writ_app.engine.benchmark_tasks import benchmark_task
from writ_app.engine.errors import InvalidTask
from writ_app.engine.scripted import FAULTS, cast
from writ_app.engine.simulation import simulate
from writ_app.engine.task_design import Designer
from writ_app.engine.types import Ending, Message, Trajectory
from writ_app.engine.verification import verify

GOLD = {"name": "calculate", "arguments": {"expression": "1 + 1"}}


def scored(
    trajectory: Trajectory,
    slug: str = "R1",
    ended_by: Ending = Ending.USER_STOP,
    **criteria: Any,
) -> RewardInfo:
    task = benchmark_task(task_of(slug), small_shop().domain.words)
    task["evaluation_criteria"] |= criteria
    found = score(small_shop(), task, trajectory.messages, ended_by)
    assert found is not None
    return found


def with_call(**arguments: Any) -> Trajectory:
    """A conversation in which one thing is calculated."""
    call = ToolCall(name="calculate", arguments=arguments)
    result = small_shop().session().call(call)

    def add(messages: list[Message]) -> list[Message]:
        return [*messages[:-1], *called(call, 99, result.content), messages[-1]]

    return edited(talk("R1"), add)


class TestScore:
    def test_is_one_for_what_does_as_the_gold_does(self) -> None:
        found = scored(talk("R1"))

        assert found["reward"] == 1.0
        assert found["db_check"] == {"db_match": True, "db_reward": 1.0}
        assert found["reward_breakdown"] == {"DB": 1.0}
        assert "not by tau2-bench" in found["info"]["env"]["note"]

    def test_is_nothing_for_another_state(self) -> None:
        found = scored(talk("R1", "upfront", "wrong_argument"))

        assert found["reward"] == 0.0
        assert found["db_check"] == {"db_match": False, "db_reward": 0.0}

    def test_lets_a_lucky_guess_pass_which_the_verification_does_not(self) -> None:
        assert scored(talk("R1", "upfront", "missing_read"))["reward"] == 1.0

    @pytest.mark.parametrize(
        "ended_by", [ending for ending in Ending if ending is not Ending.USER_STOP]
    )
    def test_is_nothing_unless_the_user_ended_it(self, ended_by: Ending) -> None:
        found = scored(talk("R1"), ended_by=ended_by)

        assert (found["reward"], found["reward_basis"]) == (0.0, None)
        assert ended_by.value in found["info"]["env"]["note"]

    def test_has_no_opinion_where_only_a_judge_has_one(self) -> None:
        task = benchmark_task(task_of("R1"))
        task["evaluation_criteria"] |= {
            "reward_basis": ["DB", "NL_ASSERTION"],
            "nl_assertions": ["The agent is kind."],
        }

        assert score(small_shop(), task, talk("R1").messages, Ending.USER_STOP) is None

    def test_without_criteria_is_one(self) -> None:
        task = benchmark_task(task_of("R1")) | {"evaluation_criteria": None}

        found = score(small_shop(), task, (), Ending.USER_STOP)

        assert found is not None
        assert found["reward"] == 1.0

    def test_refuses_a_recording_that_the_environment_does_not_bear_out(self) -> None:
        def tamper(messages: list[Message]) -> list[Message]:
            last = max(n for n, m in enumerate(messages) if m.role == "tool")
            other = messages[last].model_copy(update={"content": '{"order_id": "#W0"}'})
            return [*messages[:last], other, *messages[last + 1 :]]

        with pytest.raises(ReplayDiffers, match="answers differently"):
            scored(edited(talk("R1"), tamper))

    def test_an_empty_list_of_actions_means_that_nothing_may_change(self) -> None:
        assert scored(talk("R1"), actions=[])["reward"] == 0.0
        assert scored(talk("N1"), "N1", actions=[])["reward"] == 1.0

    def test_swallows_gold_actions_that_fail(self) -> None:
        failing = {**GOLD, "name": "no_such_tool"}
        actions = benchmark_task(task_of("R1"))["evaluation_criteria"]["actions"]

        assert scored(talk("R1"), actions=[failing, *actions])["db_check"]["db_match"]


class TestCommunicate:
    @pytest.mark.parametrize(
        ("text", "wanted", "met"),
        [
            ("That comes to $1,093.34.", "1093.34", True),
            ("That comes to $1,093.34.", "1,093.34", False),
            ("MINE is Blue", "mine is blue", True),
            ("Nothing.", "1093.34", False),
        ],
    )
    def test_takes_commas_out_of_what_the_agent_says(
        self, text: str, wanted: str, met: bool
    ) -> None:
        def say(messages: list[Message]) -> list[Message]:
            return [*messages[:-1], said("assistant", text), messages[-1]]

        found = scored(
            edited(talk("R1"), say),
            communicate_info=[wanted],
            reward_basis=["DB", "COMMUNICATE"],
        )

        assert found["communicate_checks"][0]["met"] is met
        assert found["reward"] == float(met)

    def test_does_not_count_what_the_user_says(self) -> None:
        def say(messages: list[Message]) -> list[Message]:
            return [said("user", "It is 4711."), *messages]

        found = scored(
            edited(talk("R1"), say),
            communicate_info=["4711"],
            reward_basis=["COMMUNICATE"],
        )

        assert found["reward"] == 0.0


class TestAction:
    @pytest.mark.parametrize(
        ("arguments", "compare_args", "match"),
        [
            ({"expression": "1 + 1"}, None, True),
            ({"expression": "1 + 2"}, None, False),
            ({"expression": "1 + 1", "extra": 1}, None, False),
            ({}, None, True),  # fewer arguments than the gold's match
            ({"expression": "1 + 2"}, [], True),
            ({"expression": "1 + 1", "extra": 1}, ["expression"], True),
            ({}, ["expression"], False),
        ],
    )
    def test_compares_the_keys_of_the_call_or_those_that_are_named(
        self, arguments: dict[str, Any], compare_args: list[str] | None, match: bool
    ) -> None:
        found = scored(
            with_call(**arguments),
            actions=[{**GOLD, "compare_args": compare_args}],
            reward_basis=["ACTION"],
        )

        (checked,) = found["action_checks"]
        assert checked["action_match"] is match
        assert checked["tool_type"] == "generic"
        assert found["reward"] == float(match)

    def test_is_looked_at_even_where_it_does_not_count(self) -> None:
        actions = scored(talk("R1"))["action_checks"]

        assert [one["action_match"] for one in actions] == [True]
        assert scored(talk("N1"), "N1")["action_checks"] is None


@pytest.mark.slow
@pytest.mark.parametrize("name", names())
def test_agrees_with_the_verification_where_it_has_an_opinion(name: str) -> None:
    """Accepted: 1. Else the state is ours to the letter, and whatever it gives nothing for is rejected here, too."""
    environment = world(name).generated(seed=3)
    designer, rng = Designer(environment), random.Random(5)
    seen: Counter[str] = Counter()
    for n, slug in enumerate(designer.archetypes):
        for fault in ("", rng.choice(sorted(FAULTS))):
            outcome = _one(environment, designer, slug, n, fault)
            seen[outcome] += 1

    assert set(seen) <= {"accepted, 1", "rejected, 1", "rejected, 0", "no opinion", ""}
    assert seen["accepted, 1"] >= len(designer.archetypes) // 2
    assert seen["rejected, 0"] >= 3


def _one(
    environment: Environment, designer: Designer, slug: str, n: int, fault: str
) -> str:
    try:
        task = designer.design(slug, n, draws=200)
        ledger = make_ledger(
            task,
            list(PLANS.values())[n % len(PLANS)],
            random.Random(n),
            environment.domain.words,
        )
        players = cast(environment, task, ledger, fault)
    except (InvalidTask, ValueError):
        return ""
    trajectory = simulate(
        environment=players.environment,
        task=task,
        ledger=ledger,
        agent=players.agent,
        user=players.user,
        seed=n,
    )
    judged = verify(
        environment=environment, task=task, trajectory=trajectory, ledger=ledger
    )
    exported = benchmark_task(task, environment.domain.words)
    found = score(environment, exported, trajectory.messages, trajectory.ended_by)
    if found is None:
        return "no opinion"
    if found["db_check"] is not None:
        state = next(one for one in judged.checks if one.name == "final_state")
        assert found["db_check"]["db_match"] == state.passed, (slug, fault)
    verdict = "accepted" if judged.accepted else "rejected"
    return f"{verdict}, {found['reward']:g}"
