"""A batch as a result file of τ²-bench, for an outside judge: streamed, and the same bytes each time."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Prefetch, QuerySet
from django.db.models.fields.json import KeyTransform

from environments.core import environment as core
from writ_app.engine import types
from writ_app.engine.benchmark_results import (
    Player,
    Run,
    Simulated,
    Took,
    write_results,
)
from writ_app.engine.benchmark_scoring import ReplayDiffers, score
from writ_app.engine.benchmark_tasks import BenchmarkTask, benchmark_task
from writ_app.models import catalog as rows
from writ_app.models.synthesis import Batch, ModelEndpoint, Trajectory, Turn
from writ_app.services.catalog import load_environment

AT_ONCE = 50
"""Rows held in memory at a time."""
LONGEST_ID = 100
SAMPLING = ("temperature", "top_p", "max_tokens", "seed", "reasoning_effort")
"""Parameters of an endpoint that say how a model spoke; others are nobody else's business."""


def export_results(
    batch: Batch, *, accepted_only: bool = False, with_rewards: bool = False
) -> Iterator[str]:
    """The text of results.json in parts, simulations in the order in which they were ordered. Raises ChangedEnvironment.

    Without rewards an outside judge has to score; with them they are ours, by the reference's rules, and labelled so.
    """
    environment = load_environment(batch.environment)
    played = Trajectory.objects.filter(simulation__batch=batch)
    if accepted_only:
        played = played.accepted()
    tasks = rows.Task.objects.filter(pk__in=played.values("simulation__task"))
    ids = _TaskIds(tasks)
    run = Run(
        environment=environment,
        agent=_player(batch.agent),
        user=_player(batch.user_simulator),
        seed=batch.seed,
        trials=_trials(played),
        made_at=_made_at(batch, played),
    )
    yield from write_results(
        run,
        _tasks(tasks, ids, environment),
        _simulations(played, ids, environment, with_rewards),
    )


def count_results(batch: Batch, *, accepted_only: bool = False) -> int:
    """How many simulations the file holds."""
    played = Trajectory.objects.filter(simulation__batch=batch)
    return (played.accepted() if accepted_only else played).count()


class _TaskIds:
    """The tasks' slugs, or where two have the same or it is too long for an id, their hash."""

    def __init__(self, tasks: "QuerySet[rows.Task]"):
        counted = (
            tasks.order_by().values("slug").annotate(own=Count("id", distinct=True))
        )
        self._twins = set(counted.filter(own__gt=1).values_list("slug", flat=True))

    def __getitem__(self, task: rows.Task) -> str:
        if task.slug in self._twins or len(task.slug) > LONGEST_ID:
            return task.content_hash
        return task.slug


def _tasks(
    tasks: "QuerySet[rows.Task]", ids: _TaskIds, environment: core.Environment
) -> Iterator[BenchmarkTask]:
    ordered = tasks.order_by("pk").only("slug", "content_hash", "content")
    for row in ordered.iterator(chunk_size=AT_ONCE):
        yield _task(row, ids, environment)


def _task(
    row: rows.Task, ids: _TaskIds, environment: core.Environment
) -> BenchmarkTask:
    return benchmark_task(
        types.Task.model_validate(row.content),
        environment.domain.words,
        task_id=ids[row],
    )


def _simulations(
    played: "QuerySet[Trajectory]",
    ids: _TaskIds,
    environment: core.Environment,
    with_rewards: bool,
) -> Iterator[Simulated]:
    needed = [
        "content",
        "created_at",
        "simulation__started_at",
        "simulation__finished_at",
    ]
    needed += [f"simulation__task__{name}" for name in ("slug", "content_hash")]
    needed += ["simulation__task__content"] if with_rewards else []
    ordered = (
        played.select_related("simulation__task")
        .only(*needed)
        .prefetch_related(Prefetch("simulation__turns", queryset=_turns()))
        .order_by("simulation_id")
    )
    trials: Counter[int] = Counter()
    for row in ordered.iterator(chunk_size=AT_ONCE):
        task = row.simulation.task
        trajectory = types.Trajectory.model_validate(row.content)
        yield Simulated(
            trajectory=trajectory,
            task_id=ids[task],
            trial=trials[task.pk],
            started_at=row.simulation.started_at or row.created_at,
            finished_at=row.simulation.finished_at or row.created_at,
            reward_info=_reward(environment, _task(task, ids, environment), trajectory)
            if with_rewards
            else None,
            took=[_took(turn) for turn in row.simulation.turns.all()],
        )
        trials[task.pk] += 1


def _turns() -> "QuerySet[Turn]":
    """Without their payloads; `priced` says whether an answer's cost is known."""
    return (
        Turn.objects.filter(completion__isnull=False)
        .annotate(priced=KeyTransform("priced", "completion"))
        .defer("completion", "drafts", "raw")
        .order_by("position")
    )


def _took(turn: Any) -> Took:
    return Took(
        side=turn.side,
        prompt_tokens=turn.prompt_tokens,
        completion_tokens=turn.completion_tokens,
        cost=float(turn.cost) if turn.priced else None,
    )


def _reward(
    environment: core.Environment, task: BenchmarkTask, trajectory: types.Trajectory
) -> dict[str, Any] | None:
    try:
        return score(environment, task, trajectory.messages, trajectory.ended_by)
    except ReplayDiffers:
        return None


def _trials(played: "QuerySet[Trajectory]") -> int:
    by_task = played.order_by().values("simulation__task").annotate(own=Count("id"))
    return by_task.aggregate(most=Max("own"))["most"] or 1


def _made_at(batch: Batch, played: "QuerySet[Trajectory]") -> datetime:
    last = played.aggregate(last=Max("simulation__finished_at"))["last"]
    return batch.finished_at or last or batch.created_at


def _player(endpoint: ModelEndpoint | None) -> Player:
    if endpoint is None:
        return Player("scripted", scripted=True)
    sampling = {
        name: value for name, value in endpoint.parameters.items() if name in SAMPLING
    }
    return Player(endpoint.model, scripted=False, parameters=sampling)
