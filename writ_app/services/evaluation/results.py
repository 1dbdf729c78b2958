"""What came of runs, as the engine counts it: facts of rows, summaries, comparisons."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Func, OuterRef, Q, Subquery

from environments.core.environment import Environment
from environments.core.tools import ToolCall
from writ_app.engine.alignment import Decisive, Pair, PlayedCall
from writ_app.engine.errors import WritError
from writ_app.engine.evaluation.axes import Axes, HardSubset
from writ_app.engine.evaluation.bootstrap import RESAMPLES
from writ_app.engine.evaluation.comparison import compare, differing
from writ_app.engine.evaluation.repeats import CLOSE
from writ_app.engine.evaluation.summary import TaskFacts, TrialFacts, summarise
from writ_app.engine.types import Message
from writ_app.models.accounts import User
from writ_app.models.evaluation import (
    EvaluationRun,
    EvaluationTask,
    EvaluationTrial,
    JudgeStatus,
    RunQuerySet,
    TrialStatus,
)
from writ_app.services import catalog
from writ_app.services.review.steps import make_steps

type Json = dict[str, Any]

SUMMED_UP_LIVE = 20_000
"""Trials of a run in progress, at most, of which the figures are shown: they are summed up anew at every look."""
BOOTSTRAP_SEED = 0
"""Of the intervals: the same for all, so that the same figures come out again."""


class NothingInCommon(WritError):
    """Two runs that cannot be compared; the text says why."""


SOLVED = Q(reward__gt=1 - CLOSE) | Q(reward=None, reward_without__gt=1 - CLOSE)
"""As the judge has it, where it has spoken."""


@dataclass(frozen=True)
class RunProgress:
    total: int
    done: int
    running: int
    pending: int
    cancelled: int
    solved: int
    """Without the judge, where it has not spoken."""
    to_judge: int
    judge_failed: int
    failed: int
    """Ended by no fault of agent or user: no metric counts them."""

    @property
    def left(self) -> int:
        return self.pending + self.running


def run_progress(run: EvaluationRun) -> RunProgress:
    """One query."""
    status = {name.lower(): Count("pk", filter=Q(status=name)) for name in TrialStatus}
    found = run.trial_rows.order_by().aggregate(
        total=Count("pk"),
        **status,
        solved=Count("pk", filter=SOLVED),
        to_judge=Count(
            "pk", filter=Q(judge_status__in=[JudgeStatus.WAITING, JudgeStatus.ASKED])
        ),
        judge_failed=Count("pk", filter=Q(judge_status=JudgeStatus.FAILED)),
        failed=Count("pk", filter=Q(ended_by="infrastructure_error")),
    )
    return RunProgress(**found)


def runs_of(user: User) -> RunQuerySet:
    """Those that the person may see, newest first, with how far they are: counted for the rows of a page alone."""
    trials = EvaluationTrial.objects.filter(run=OuterRef("pk")).order_by()
    done = trials.filter(status=TrialStatus.DONE)
    return (
        EvaluationRun.objects.visible_to(user)
        .select_related("created_by")
        .annotate(
            total=_counted(trials),
            done=_counted(done),
            solved=_counted(done.filter(SOLVED)),
        )
        .order_by("-pk")
    )


def _counted(rows: Any) -> Subquery:
    return Subquery(rows.annotate(n=Func("pk", function="COUNT")).values("n"))


# --- facts ---------------------------------------------------------------------------------------------------------------------


def task_facts(rows: Iterable[EvaluationTask]) -> list[TaskFacts]:
    return [TaskFacts(row.key, _axes(row)) for row in rows]


def _axes(row: EvaluationTask) -> Axes:
    return Axes.model_validate(
        {"writes": row.writes, "burden": row.burden, "source": row.burden_source}
    )


def trial_facts(run: EvaluationRun) -> list[TrialFacts]:
    """Of finished trials, in the order of the tasks."""
    rows = (
        EvaluationTrial.objects.filter(run=run, status=TrialStatus.DONE)
        .order_by("task__position", "trial")
        .values_list(
            *("task__key", "trial", "ended_by", "reward", "reward_without"),
            *("failure", "owner", "agent_tokens", "grounded", "pk"),
            "reward_info__action_checks",
        )
    )
    return [
        TrialFacts(
            task=key,
            trial=trial,
            ended_by=ended_by,
            reward=reward,
            reward_without=without,
            failure=failure,
            owner=owner,
            agent_tokens=tokens,
            grounded=grounded,
            matched=_matched(checks or ()),
            key=pk,
        )
        for key, trial, ended_by, reward, without, failure, owner, tokens, grounded, pk, checks in rows.iterator()
    ]


def _matched(checks: Iterable[Json]) -> tuple[int, int, int, int]:
    """Gold reads made, gold reads, gold writes made, gold writes."""
    counts = {"read": [0, 0], "write": [0, 0]}
    for one in checks:
        if one["tool_type"] in counts:
            held = counts[one["tool_type"]]
            held[0] += bool(one["action_match"])
            held[1] += 1
    (reads, all_reads), (writes, all_writes) = counts["read"], counts["write"]
    return reads, all_reads, writes, all_writes


# --- one run -------------------------------------------------------------------------------------------------------------------


def summary_of(run: EvaluationRun) -> Json:
    """What there is so far, as plain JSON."""
    tasks = run.tasks.only("key", "writes", "burden", "burden_source")
    hard = [HardSubset.model_validate(one) for one in run.hard]
    return {
        "run": run.pk,
        "name": run.name,
        "status": run.status,
        "source": run.source,
        "chosen": run.chosen,
        "agent": run.agent_name,
        "user": run.user_name,
        "judge": run.played_by.get("judge", {}).get("name"),
        "trials_ordered": run.trials,
        "seed": run.seed,
        "tasks_hash": run.tasks_hash,
        "cost": float(run.cost),
        "judge_cost": float(run.judge_cost),
        "tokens": run.tokens,
        **summarise(task_facts(tasks), trial_facts(run), hard, seed=BOOTSTRAP_SEED),
    }


# --- two runs ------------------------------------------------------------------------------------------------------------------


def comparison_of(
    left: EvaluationRun,
    right: EvaluationRun,
    *,
    seed: int = BOOTSTRAP_SEED,
    resamples: int = RESAMPLES,
) -> Json:
    """On the tasks that both were asked alike. Raises NothingInCommon."""
    ours, theirs = _asked(left), _asked(right)
    common = [
        row
        for key, row in ours.items()
        if key in theirs and theirs[key].content_hash == row.content_hash
    ]
    if not common:
        raise NothingInCommon(
            "The two runs have no task in common: what differs would be the tasks, not the agents."
        )
    found = compare(
        task_facts(common),
        trial_facts(left),
        trial_facts(right),
        seed=seed,
        resamples=resamples,
    )
    changed = sum(
        key in theirs and theirs[key].content_hash != row.content_hash
        for key, row in ours.items()
    )
    return {
        "left": _named(left),
        "right": _named(right),
        "common": len(common),
        "left_only": len(ours.keys() - theirs.keys()),
        "right_only": len(theirs.keys() - ours.keys()),
        "changed": changed,
        **found,
    }


def _asked(run: EvaluationRun) -> dict[str, EvaluationTask]:
    rows = run.tasks.order_by("position").defer("content", "ledger")
    return {row.key: row for row in rows}


def _named(run: EvaluationRun) -> Json:
    return {
        "run": run.pk,
        "name": run.name,
        "agent": run.agent_name,
        "user": run.user_name,
        "trials": run.trials,
        "status": run.status,
    }


@dataclass(frozen=True)
class SideBySide:
    """Two trials of one task: their calls aligned, and what decided."""

    left: EvaluationTrial
    right: EvaluationTrial
    pairs: tuple[Pair, ...]
    decisive: Decisive | None

    @property
    def parting(self) -> Pair | None:
        """The first place at which they do not do the same, whether or not it decided anything."""
        return next((one for one in self.pairs if one.difference != "same"), None)

    @property
    def sentence(self) -> str:
        """What the right one does, other than the left one; "" if both do the same."""
        if self.decisive is not None:
            return str(self.decisive)
        parting = self.parting
        if parting is None:
            return ""
        named = f"{parting.only.tool} {parting.only.brief}".strip()
        words = {
            "left_out": f"never calls {named}",
            "put_in": f"also calls {named}",
            "answer": f"is answered otherwise by {named}",
        }
        said = words.get(parting.difference, f"calls {parting.only.tool} otherwise")
        return f"makes the same writes, but {said}"

    def marked(self) -> Sequence[tuple[Pair, str]]:
        """Pairs with "effect" at the first write that differs, and "cause" at what may be why, or where they first part."""
        decisive = self.decisive
        effect = decisive.effect if decisive else None
        cause = decisive.cause if decisive else self.parting
        return [
            (pair, "effect" if pair is effect else "cause" if pair is cause else "")
            for pair in self.pairs
        ]


def side_by_side(left: EvaluationTrial, right: EvaluationTrial) -> SideBySide:
    environment = catalog.load_environment(left.task.environment)
    pairs, decisive = differing(
        played_calls(left, environment), played_calls(right, environment)
    )
    return SideBySide(left, right, pairs, decisive)


def messages_of(trial: EvaluationTrial) -> list[Message]:
    return [Message.model_validate(one) for one in trial.messages or ()]


def played_calls(trial: EvaluationTrial, environment: Environment) -> list[PlayedCall]:
    return [
        PlayedCall(
            step=step.number,
            call=ToolCall(name=step.name, arguments=dict(step.arguments or {})),
            answer=step.text,
            error=step.kind == "error",
            writes=environment.is_write(step.name),
        )
        for step in make_steps(messages_of(trial), environment)
        if step.name
    ]
