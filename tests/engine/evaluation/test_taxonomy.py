"""Every kind of failure, made by a script that was asked for it, gets its name and its owner."""

from typing import Any

import pytest

from tests.engine.talks import ledger_of, small_shop, talk, task_of
from writ_app.engine.behaviour import STOP_TOKENS
from writ_app.engine.benchmark_scoring import Verdict, evaluate, with_verdicts
from writ_app.engine.benchmark_tasks import benchmark_task
from writ_app.engine.evaluation.taxonomy import (
    TITLES,
    Failure,
    Kind,
    Trial,
    failure_of,
)
from writ_app.engine.types import Message, Owner, Trajectory, Verification
from writ_app.engine.verification import verify


def judged(slug: str, trajectory: Trajectory) -> Verification:
    return verify(
        environment=small_shop(),
        task=task_of(slug),
        trajectory=trajectory,
        ledger=ledger_of(slug),
    )


def failure(
    slug: str,
    trajectory: Trajectory,
    *,
    verified: bool = False,
    ended_by: str = "",
    **criteria: Any,
) -> Failure | None:
    task = task_of(slug)
    content = benchmark_task(task, small_shop().domain.words)
    content["evaluation_criteria"] |= criteria
    ending = ended_by or trajectory.ended_by.value
    return failure_of(
        Trial(
            environment=small_shop(),
            task=content,
            messages=trajectory.messages,
            ended_by=ending,
            reward=evaluate(small_shop(), content, trajectory.messages, ending),
            needed=[read.call for read in task.certificate],
            verification=judged(slug, trajectory) if verified else None,
            note=trajectory.note,
        )
    )


def kind(found: Failure | None) -> Kind | None:
    return found.kind if found else None


def without_calls(trajectory: Trajectory) -> Trajectory:
    spoken = [m for m in trajectory.messages if m.role != "tool" and not m.tool_calls]
    return trajectory.model_copy(update={"messages": tuple(spoken)})


class TestFailureOf:
    @pytest.mark.parametrize("verified", [True, False])
    def test_is_none_of_a_success(self, verified: bool) -> None:
        assert failure("R1", talk("R1"), verified=verified) is None

    @pytest.mark.parametrize(
        ("ending", "named", "owner"),
        [
            ("infrastructure_error", Kind.PROVIDER, Owner.PROVIDER),
            ("max_steps", Kind.BUDGET, Owner.BUDGET),
            ("timeout", Kind.BUDGET, Owner.BUDGET),
            ("too_many_errors", Kind.FORM, Owner.AGENT),
            ("agent_error", Kind.FORM, Owner.AGENT),
            ("user_error", Kind.USER, Owner.USER),
            ("unexpected_error", Kind.ENVIRONMENT, Owner.ENVIRONMENT),
            ("something of another version", Kind.ENVIRONMENT, Owner.ENVIRONMENT),
        ],
    )
    def test_follows_an_ending_that_is_none(
        self, ending: str, named: Kind, owner: Owner
    ) -> None:
        found = failure("R1", talk("R1"), ended_by=ending)

        assert found is not None
        assert (found.kind, found.owner) == (named, owner)

    def test_is_a_wrong_argument(self) -> None:
        found = failure("R1", talk("R1", "upfront", "wrong_argument"))

        assert kind(found) == Kind.WRONG_ARGUMENT
        assert found is not None
        assert "instead of" in found.finding
        assert found.where

    def test_is_missing_evidence_if_what_it_rests_on_was_never_read(self) -> None:
        bare = without_reads(talk("R1", "upfront", "wrong_argument"))

        assert kind(failure("R1", bare)) == Kind.MISSING_EVIDENCE

    def test_is_a_premature_write_if_it_was_read_only_afterwards(self) -> None:
        late = write_first(talk("R1", "upfront", "wrong_argument"))

        assert kind(failure("R1", late)) == Kind.PREMATURE_WRITE

    def test_is_a_write_left_out(self) -> None:
        assert kind(failure("R1", without_calls(talk("R1")))) == Kind.MISSING_WRITE

    def test_is_a_write_too_many(self) -> None:
        found = failure("R1", talk("R1", "upfront", "extra_write"))

        assert kind(found) == Kind.EXTRA_WRITE

    def test_is_against_the_policy_where_nothing_may_be_written(self) -> None:
        assert kind(failure("R1", talk("R1"), actions=[])) == Kind.POLICY

    def test_is_against_the_policy_where_a_hand_over_is_left_out(self) -> None:
        bare = without_calls(talk("R1"))
        found = failure(
            "R1",
            bare,
            actions=[{"name": "transfer_to_human_agents", "arguments": {}}],
            reward_basis=["ACTION"],
        )

        assert kind(found) == Kind.POLICY

    def test_is_not_told_what_was_asked(self) -> None:
        found = failure(
            "R1",
            talk("R1"),
            communicate_info=["a word nobody says"],
            reward_basis=["DB", "COMMUNICATE"],
        )

        assert kind(found) == Kind.NOT_TOLD

    def test_is_not_met_if_only_the_judge_objects(self) -> None:
        content = benchmark_task(task_of("R1"), small_shop().domain.words)
        content["evaluation_criteria"] |= {
            "nl_assertions": ["It is kind."],
            "reward_basis": ["DB", "NL_ASSERTION"],
        }
        messages = talk("R1").messages
        info = evaluate(small_shop(), content, messages, "user_stop")
        said = with_verdicts(info, [Verdict(assertion="It is kind.", met=False)])

        found = failure_of(Trial(small_shop(), content, messages, "user_stop", said))

        assert kind(found) == Kind.NOT_MET
        assert said["reward"] == 0
        assert info["reward"] == 1

    @pytest.mark.parametrize("token", STOP_TOKENS[1:])
    def test_is_the_users_if_they_left_for_no_reason(self, token: str) -> None:
        bare = without_calls(talk("R1"))
        left = (*bare.messages[:-1], Message(role="user", content=f"Bye {token}"))

        found = failure("R1", bare.model_copy(update={"messages": left}))

        assert found is not None
        assert (found.kind, found.owner) == (Kind.USER, Owner.USER)

    def test_is_the_users_if_the_verification_says_so(self) -> None:
        found = failure("R1", talk("R1", "upfront", "early_stop"), verified=True)

        assert found is not None
        assert (found.kind, found.owner) == (Kind.USER, Owner.USER)

    def test_is_the_agents_if_it_turned_the_user_away(self) -> None:
        bare = without_calls(talk("R1", "upfront", "early_stop"))
        refusal = Message(role="assistant", content="I am sorry, I cannot do that.")
        told = (*bare.messages[:1], refusal, *bare.messages[1:])

        found = failure("R1", bare.model_copy(update={"messages": told}), verified=True)

        assert found is not None
        assert (found.kind, found.owner) == (Kind.MISSING_WRITE, Owner.AGENT)


def without_reads(trajectory: Trajectory) -> Trajectory:
    """Only its writes, and what was said."""
    shop = small_shop()
    read = {
        made.id
        for one in trajectory.messages
        for made in one.tool_calls
        if not shop.is_write(made.name)
    }
    kept = [
        one
        for one in trajectory.messages
        if one.tool_call_id not in read and not any(c.id in read for c in one.tool_calls)
    ]  # fmt: skip
    return trajectory.model_copy(update={"messages": tuple(kept)})


def write_first(trajectory: Trajectory) -> Trajectory:
    """Its writes before everything else."""
    bare = set(map(id, without_reads(trajectory).messages))
    front = [
        one
        for one in trajectory.messages
        if id(one) in bare and (one.tool_calls or one.role == "tool")
    ]
    rest = [one for one in trajectory.messages if one not in front]
    return trajectory.model_copy(update={"messages": (*front, *rest)})


def test_every_kind_has_words() -> None:
    assert set(TITLES) == set(Kind)
