"""What a trial came to: reward, verification and failure of a conversation that has ended, as columns of its row."""

from collections.abc import Sequence
from typing import Any

from environments.core import environment as core
from environments.core.tools import ToolCall
from writ_app.adapters.chat import storable
from writ_app.engine import types
from writ_app.engine.benchmark_scoring import (
    ReplayDiffers,
    RewardInfo,
    Verdict,
    evaluate,
    judged_assertions,
    with_verdicts,
)
from writ_app.engine.evaluation.repeats import is_success
from writ_app.engine.evaluation.taxonomy import (
    Failure,
    Trial,
    failure_of,
    listed_reads,
)
from writ_app.engine.types import Ending, Message, Trajectory, Verification
from writ_app.engine.verification import verify
from writ_app.models.evaluation import EvaluationTask, EvaluationTrial, JudgeStatus
from writ_app.services import catalog
from writ_app.services.evaluation.sets import situation_of

type Columns = dict[str, Any]


def score_trajectory(
    task: EvaluationTask, trajectory: Trajectory, *, has_judge: bool
) -> Columns:
    """Of a conversation that was held here."""
    environment = catalog.load_environment(task.environment)
    verification = _verified(environment, task, trajectory)
    return score_messages(
        task,
        trajectory.messages,
        trajectory.ended_by.value,
        note=trajectory.note,
        verification=verification,
        has_judge=has_judge,
        strict=True,
    )


def score_messages(
    task: EvaluationTask,
    messages: Sequence[Message],
    ended_by: str,
    *,
    note: str = "",
    verification: Verification | None = None,
    has_judge: bool = False,
    verdicts: Sequence[Verdict] | None = None,
    strict: bool = False,
) -> Columns:
    """`verdicts`: of a judge who has spoken. Not strict: as the reference scores files (SPEC §8.2)."""
    environment = catalog.load_environment(task.environment)
    ending, told = ended_by, note
    try:
        info = _evaluated(environment, task, messages, ended_by, strict)
    except ReplayDiffers as error:
        # The reference ends such a run with an error; the conversation is kept, and says who is to answer.
        ending, told = Ending.UNEXPECTED_ERROR.value, storable(str(error))
        info = _evaluated(environment, task, messages, ending, strict)
    asked = judged_assertions(task.content) if info["reward_basis"] else ()
    without = float(info["reward"])
    open_ = bool(asked) and is_success(without) and verdicts is None
    if asked and verdicts is not None:
        info = with_verdicts(info, verdicts)
    failure = failure_of(
        _trial(environment, task, messages, ending, info, verification, told)
    )
    return {
        "messages": [one.model_dump(mode="json") for one in messages],
        "ended_by": ending,
        "note": told,
        "reward_info": info,
        "reward": None if open_ else float(info["reward"]),
        "reward_without": without,
        "verification": verification and verification.model_dump(mode="json"),
        "grounded": verification and verification.accepted,
        **failure_columns(failure),
        "judge_status": _judge_status(open_, has_judge, bool(verdicts)),
    }


def judged_columns(trial: EvaluationTrial, verdicts: Sequence[Verdict]) -> Columns:
    """What a judge's opinion changes in a row that was scored before."""
    info = with_verdicts(trial.reward_info, verdicts)
    environment = catalog.load_environment(trial.task.environment)
    messages = [Message.model_validate(one) for one in trial.messages]
    found = failure_of(
        _trial(environment, trial.task, messages, trial.ended_by, info, None, "")
    )
    return {
        "reward_info": info,
        "reward": float(info["reward"]),
        "judge_status": JudgeStatus.DONE,
        "judge_finding": "",
        "judge_lease_until": None,
        **failure_columns(found),
    }


def failure_columns(failure: Failure | None) -> Columns:
    if failure is None:
        return {"failure": "", "owner": "", "finding": ""}
    return {
        "failure": failure.kind.value,
        "owner": failure.owner.value,
        "finding": storable(failure.finding),
    }


def _judge_status(open_: bool, has_judge: bool, spoken: bool) -> JudgeStatus:
    """A judge is asked only where the rest of the reward is 1: otherwise the product is 0 whatever is said."""
    if open_:
        return JudgeStatus.WAITING if has_judge else JudgeStatus.OPEN
    return JudgeStatus.DONE if spoken else JudgeStatus.NONE


def _evaluated(
    environment: core.Environment,
    task: EvaluationTask,
    messages: Sequence[Message],
    ended_by: str,
    strict: bool,
) -> RewardInfo:
    return evaluate(
        environment,
        task.content,
        messages,
        ended_by,
        situation=situation_of(task.content),
        strict=strict,
    )


def _verified(
    environment: core.Environment, task: EvaluationTask, trajectory: Trajectory
) -> Verification | None:
    if task.own is None or task.ledger is None:
        return None
    return verify(
        environment=environment,
        task=types.Task.model_validate(task.own.content),
        trajectory=trajectory,
        ledger=types.Ledger.model_validate(task.ledger),
    )


def _trial(
    environment: core.Environment,
    task: EvaluationTask,
    messages: Sequence[Message],
    ended_by: str,
    info: RewardInfo,
    verification: Verification | None,
    note: str,
) -> Trial:
    return Trial(
        environment=environment,
        task=task.content,
        messages=messages,
        ended_by=ended_by,
        reward=info,
        needed=needed_reads(environment, task),
        verification=verification,
        note=note,
    )


def needed_reads(
    environment: core.Environment, task: EvaluationTask
) -> Sequence[ToolCall]:
    """Of the certificate, or of the gold's list."""
    if task.own is None:
        return listed_reads(environment, task.content)
    return [
        ToolCall.model_validate(read["call"])
        for read in task.own.content["certificate"]
    ]
