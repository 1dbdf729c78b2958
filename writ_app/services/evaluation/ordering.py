"""Ordering a run: everything that decides what will come of it is written down before the first trial."""

from collections.abc import Collection, Iterable
from decimal import Decimal
from typing import Any

from django.db import transaction

from writ_app.engine.evaluation.axes import HardSubset, hard_subset
from writ_app.engine.evaluation.judging import PROMPT_VERSION as JUDGE_PROMPT
from writ_app.engine.evaluation.players import Script
from writ_app.engine.evaluation.repeats import SEED, trial_seeds
from writ_app.engine.simulation import PROMPT_VERSION, Limits
from writ_app.models.accounts import Team, User
from writ_app.models.evaluation import (
    EvaluationRun,
    EvaluationTask,
    EvaluationTrial,
)
from writ_app.models.synthesis import ModelEndpoint
from writ_app.services import audit, catalog
from writ_app.services.evaluation.sets import BadRun, TaskSet, situation_of
from writ_app.services.synthesis.endpoints import pin

MOST_TRIALS = 64
"""Of one task."""
MOST_ALL = 200_000
HARD = (7,)
"""Least burdens of hard subsets, if nobody names others: the upper half of the bands."""
AT_ONCE = 1000


@transaction.atomic
def order_run(
    *,
    team: Team,
    by: User,
    name: str,
    tasks: TaskSet,
    trials: int = 4,
    seed: int = SEED,
    agent: ModelEndpoint | None = None,
    script: str = "",
    user_simulator: ModelEndpoint | None = None,
    judge: ModelEndpoint | None = None,
    hard: Collection[int] = HARD,
    limits: Limits | None = None,
    max_cost: Decimal | None = None,
    max_tokens: int | None = None,
) -> EvaluationRun:
    """A run with a row for each trial. The caller wakes workers. Raises BadRun."""
    _check(tasks, trials, agent, script, user_simulator)
    players = {"agent": agent, "user": user_simulator, "judge": judge}
    run = EvaluationRun.objects.create(
        team=team,
        created_by=by,
        name=name,
        source=tasks.source,
        chosen=dict(tasks.chosen),
        trials=trials,
        seed=seed,
        limits=(limits or Limits()).model_dump(mode="json"),
        agent=agent,
        script=script,
        user_simulator=user_simulator,
        judge=judge,
        played_by={role: pin(one) for role, one in players.items() if one},
        told={"prompts": PROMPT_VERSION, "judge_prompt": JUDGE_PROMPT},
        hard=[one.model_dump(mode="json") for one in hard_subsets(tasks, hard)],
        tasks_hash=tasks.content_hash,
        max_cost=max_cost,
        max_tokens=max_tokens,
    )
    rows = store_tasks(run, tasks)
    seeds = trial_seeds(seed, trials)
    EvaluationTrial.objects.bulk_create(
        (
            EvaluationTrial(run=run, task=row, trial=number, seed=each)
            for row in rows
            for number, each in enumerate(seeds)
        ),
        batch_size=AT_ONCE,
    )
    audit.record(
        "evaluation.order",
        team=team,
        row=run,
        after={
            "name": name,
            "agent": run.agent_name,
            "user": run.user_name,
            "tasks": len(rows),
            "trials": trials,
            "tasks_hash": run.tasks_hash,
        },
    )
    return run


def hard_subsets(tasks: TaskSet, leasts: Iterable[int]) -> list[HardSubset]:
    """By their least burden, those without a task included: that there is none is told, too."""
    burdens = [(one.key, one.axes.burden) for one in tasks.tasks]
    return [hard_subset(least, burdens) for least in sorted(set(leasts))]


def store_tasks(run: EvaluationRun, tasks: TaskSet) -> list[EvaluationTask]:
    return EvaluationTask.objects.bulk_create(
        [
            EvaluationTask(
                run=run,
                position=position,
                key=one.key,
                task_id=one.task_id,
                environment=one.environment,
                reference=one.reference,
                own=one.own,
                ledger=one.ledger.model_dump(mode="json") if one.ledger else None,
                content=one.content,
                content_hash=one.content_hash,
                writes=one.axes.writes,
                burden=one.axes.burden,
                burden_source=one.axes.source,
            )
            for position, one in enumerate(tasks.tasks)
        ],
        batch_size=AT_ONCE,
    )


def _check(
    tasks: TaskSet,
    trials: int,
    agent: ModelEndpoint | None,
    script: str,
    user: ModelEndpoint | None,
) -> None:
    if not 1 <= trials <= MOST_TRIALS:
        raise BadRun(f"A task is tried 1 to {MOST_TRIALS} times, not {trials}.")
    if len(tasks.tasks) * trials > MOST_ALL:
        raise BadRun(f"That is more than {MOST_ALL:,} trials.")
    if bool(script) == bool(agent):
        raise BadRun("The agent is an endpoint or a script.")
    if script and script not in list(Script):
        raise BadRun(f"There is no script {script!r}; there is {', '.join(Script)}.")
    if agent and not user and tasks.of_benchmark:
        raise BadRun(
            "Nobody plays the user: a benchmark's task is told to a model. Choose an endpoint for the user, too."
        )
    keys = [one.key for one in tasks.tasks]
    if len(set(keys)) < len(keys):
        raise BadRun("Two of the tasks have the same name.")
    for one in tasks.tasks:
        _check_task(one.task_id, one.content)
    for row in {one.environment.pk: one.environment for one in tasks.tasks}.values():
        if catalog.load_environment(row).user_toolkit is not None:
            raise BadRun(f"In {row} the user has tools, which no conversation here has.")  # fmt: skip


def _check_task(name: str, content: dict[str, Any]) -> None:
    situation_of(content)
    if (content.get("initial_state") or {}).get("message_history"):
        raise BadRun(
            f"Task {name} begins in the middle of a conversation, which cannot be gone on with here."
        )
