"""Results in τ²-bench's own file format (tau2 SPEC §11): a file becomes a run, a run becomes a file.

An imported run is scored anew by our reading of the rules; what the file says stands beside it. The judge is not asked again: its
recorded opinion is taken.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from environments.core import environment as core
from writ_app.adapters.tau2_results import BadResults, Tau2Simulation, read_results
from writ_app.engine.benchmark_results import (
    Player,
    Run,
    Simulated,
    Took,
    simulation_of,
    with_defaults,
    write_parts,
)
from writ_app.engine.benchmark_scoring import Verdict, judged_assertions
from writ_app.engine.evaluation.axes import axes_of_benchmark
from writ_app.engine.simulation import PROMPT_VERSION, Limits
from writ_app.engine.types import Ending, Message, Trajectory
from writ_app.models.accounts import Team, User
from writ_app.models.catalog import Environment
from writ_app.models.evaluation import (
    EvaluationRun,
    EvaluationTask,
    EvaluationTrial,
    EvaluationTurn,
    RunSource,
    RunStatus,
    TrialStatus,
)
from writ_app.services import audit, catalog
from writ_app.services.evaluation.ordering import HARD, hard_subsets, store_tasks
from writ_app.services.evaluation.scoring import score_messages
from writ_app.services.evaluation.sets import BadRun, Chosen, TaskSet
from writ_app.services.evaluation.shapes import check_names, check_task

type Json = dict[str, Any]

AT_ONCE = 50
MOST = 2**62
SAMPLING = ("temperature", "top_p", "max_tokens", "seed", "reasoning_effort")


def _silent(done: int, whole: int) -> None:
    pass


# --- in ------------------------------------------------------------------------------------------------------------------------


@transaction.atomic
def import_run(
    *,
    path: Path,
    team: Team,
    by: User,
    name: str = "",
    environment: Environment | None = None,
    hard: Sequence[int] = HARD,
    file_name: str = "",
    tell: Callable[[int, int], None] = _silent,
) -> EvaluationRun:
    """A results file as a run; the one there is if the team has brought it in before. All of it or nothing.

    `file_name`: what errors call the file, if not as its path does. `tell` hears now and then how many simulations are in, and of how
    many. Tasks are the file's own. Without `environment`, the newest version of its domain with its policy, else the newest that tasks were
    imported with, else the newest. Raises BadResults or BadRun.
    """
    results = read_results(path, file_name=file_name)
    there = EvaluationRun.objects.filter(team=team, content_hash=results.content_hash)
    if (old := there.first()) is not None:
        return old
    row = environment or _environment(results.domain, results.policy)
    if row.name != results.domain:
        raise BadRun(f"The file is of {results.domain}, the environment is {row}.")
    info: Json = results.content["info"]
    listed = results.content.get("tasks") or ()
    for place, task in enumerate(listed):
        check_task(task, place=f"{results.name}, $.tasks[{place}]")
    check_names([task["id"] for task in listed], file=results.name)
    tasks = _tasks(row, listed)
    run = EvaluationRun.objects.create(
        team=team,
        created_by=by,
        name=(name or results.name)[:120],
        source=RunSource.FILE,
        chosen=dict(tasks.chosen),
        trials=max(1, info["num_trials"]) if info["num_trials"] < 1000 else 1,
        seed=_seed(info),
        limits={"max_steps": info["max_steps"], "max_errors": info["max_errors"]},
        played_by={
            "agent": {"name": results.agent},
            "user": {"name": results.user},
        },
        told={"info": info, "timestamp": results.content.get("timestamp")},
        hard=[one.model_dump(mode="json") for one in hard_subsets(tasks, hard)],
        tasks_hash=tasks.content_hash,
        status=RunStatus.DONE,
        finished_at=Now(),
        content_hash=results.content_hash,
    )
    held = {one.task_id: one for one in store_tasks(run, tasks)}
    taken: set[tuple[str, int]] = set()
    trials: list[EvaluationTrial] = []
    for simulation in results.simulations():
        task = held.get(simulation.task_id)
        if task is None:
            raise BadRun(f"The file has no task {simulation.task_id!r}, but a simulation of it.")  # fmt: skip
        number = _free(taken, simulation)
        taken.add((simulation.task_id, number))
        trials.append(_trial(run, task, simulation, number))
        if len(trials) == AT_ONCE:
            EvaluationTrial.objects.bulk_create(trials)
            trials.clear()
            tell(len(taken), len(results))
    EvaluationTrial.objects.bulk_create(trials)
    audit.record(
        "evaluation.import",
        team=team,
        row=run,
        after={"name": run.name, "simulations": len(taken), "hash": run.content_hash},
    )
    return run


def _environment(domain: str, policy: str) -> Environment:
    known = Environment.objects.filter(name=domain).defer("state", "policy")
    same = known.filter(policy=policy).order_by("-pk").first()
    benchmarks = known.filter(reference_tasks__isnull=False).order_by("-pk")
    found = same or benchmarks.first() or known.order_by("-pk").first()
    if found is None:
        raise BadRun(f"There is no environment {domain!r} here: import it first.")
    return found


def _tasks(row: Environment, tasks: Sequence[Json]) -> TaskSet:
    environment = catalog.load_environment(row)
    found = [
        Chosen(row, one["id"], one, axes_of_benchmark(environment, one))
        for one in tasks
    ]
    if not found:
        raise BadRun("The file has no tasks, so that nothing in it can be scored.")
    return TaskSet(
        RunSource.FILE, tuple(found), {"environments": {row.name: row.version}}
    )


def _free(taken: Any, simulation: Tau2Simulation) -> int:
    """The trial that the file names; if that is there already, the next that is free."""
    trial = simulation.trial
    while (simulation.task_id, trial) in taken:
        trial += 1
    return trial


def _trial(
    run: EvaluationRun, task: EvaluationTask, simulation: Tau2Simulation, trial: int
) -> EvaluationTrial:
    content = simulation.content
    scored = score_messages(
        task,
        simulation.messages,
        simulation.ended_by,
        verdicts=recorded_verdicts(task.content, content.get("reward_info")),
    )
    return EvaluationTrial(
        run=run,
        task=task,
        trial=trial,
        seed=_seed(content),
        status=TrialStatus.DONE,
        **scored,
        recorded_reward=simulation.reward,
        agent_tokens=_written(content, "agent_usage"),
        user_tokens=None,
        content=content,
        started_at=_moment(content.get("start_time")),
        finished_at=_moment(content.get("end_time")),
    )


def recorded_verdicts(task: Json, reward_info: Json | None) -> list[Verdict] | None:
    """The judge's opinion as the file has it; None if it has none on exactly what has to be judged."""
    asked = judged_assertions(task)
    found = (reward_info or {}).get("nl_assertions")
    said = {
        one["nl_assertion"]: one
        for one in (found if isinstance(found, list) else ())
        if isinstance(one, dict) and isinstance(one.get("nl_assertion"), str)
    }
    if not asked or not all(isinstance(said.get(a, {}).get("met"), bool) for a in asked):  # fmt: skip
        return None
    return [
        Verdict(
            assertion=one,
            met=said[one]["met"],
            justification=str(said[one].get("justification") or ""),
        )
        for one in asked
    ]


def _written(content: Json, name: str) -> int | None:
    usage = content.get(name)
    found = usage.get("completion_tokens") if isinstance(usage, dict) else None
    return found if isinstance(found, int) and 0 <= found < MOST else None


def _seed(content: Json) -> int:
    """0 for one that is no number, or none that a column holds."""
    seed = content.get("seed")
    return seed if isinstance(seed, int) and abs(seed) < MOST else 0


def _moment(text: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


# --- out -----------------------------------------------------------------------------------------------------------------------


def export_run(run: EvaluationRun, *, domain: str = "") -> Iterator[str]:
    """The text of a results.json in parts: finished trials of one domain, the only one by default. Raises BadRun.

    Trials that ended by a provider's fault are left out, as the reference leaves them out when it goes on with a file.
    """
    row = _only(run, domain)
    environment = catalog.load_environment(row)
    trials = (
        run.trial_rows.filter(status=TrialStatus.DONE, task__environment=row)
        .exclude(ended_by=Ending.PROVIDER_ERROR.value)
        .select_related("task")
        .order_by("task__position", "trial")
    )
    head = Run(
        environment=environment,
        agent=_player(run, "agent"),
        user=_player(run, "user"),
        seed=run.seed,
        trials=run.trials,
        made_at=run.finished_at or run.created_at,
        limits=Limits.model_validate({**Limits().model_dump(), **run.limits}),
    )
    tasks = run.tasks.filter(environment=row).order_by("position")
    yield from write_parts(
        head,
        (_task(one) for one in tasks.iterator(chunk_size=AT_ONCE)),
        (_simulation(head, one, environment) for one in trials.iterator(AT_ONCE)),
    )


def domains_of(run: EvaluationRun) -> list[str]:
    rows = run.tasks.order_by().values_list("environment__name", flat=True)
    return sorted(set(rows))


def _only(run: EvaluationRun, domain: str) -> Environment:
    names = domains_of(run)
    name = domain or (names[0] if len(names) == 1 else "")
    if name not in names:
        raise BadRun(f"A file is of one domain: choose {' or '.join(names)}.")
    keys = run.tasks.filter(environment__name=name).values("environment")
    return Environment.objects.filter(pk__in=keys).defer("state", "policy").get()


def _task(row: EvaluationTask) -> Json:
    """Of a file as it stood there."""
    if row.run.source == RunSource.FILE or not row.content.get("evaluation_criteria"):
        content: Json = row.content
        return content
    return with_defaults(row.content)


def _simulation(run: Run, row: EvaluationTrial, environment: core.Environment) -> Json:
    messages = tuple(Message.model_validate(one) for one in row.messages)
    started = row.started_at or row.run.created_at
    finished = row.finished_at or started
    simulated = Simulated(
        trajectory=Trajectory(
            task_hash=row.task.content_hash,
            plan="",
            seed=row.seed,
            agent=run.agent.name,
            user=run.user.name,
            prompt_version=PROMPT_VERSION,
            messages=messages,
            ended_by=_ending(row.ended_by),
        ),
        task_id=row.task.task_id,
        trial=row.trial,
        started_at=started,
        finished_at=max(finished, started + timedelta(microseconds=1)),
        reward_info=row.reward_info,
        took=_took(row),
    )
    made = simulation_of(run, simulated)
    kept = {
        name: value
        for name, value in row.content.items()
        if name not in ("messages", "reward_info")
    }
    return {**made, **kept, "reward_info": row.reward_info, "trial": row.trial}


def _ending(text: str) -> Ending:
    try:
        return Ending(text)
    except ValueError:
        return Ending.UNEXPECTED_ERROR


def _took(row: EvaluationTrial) -> list[Took]:
    turns = EvaluationTurn.objects.filter(trial=row, completion__isnull=False)
    return [
        Took(
            side="agent" if side == "agent" else "user",
            prompt_tokens=prompt,
            completion_tokens=completion,
            cost=float(cost),
        )
        for side, prompt, completion, cost in turns.order_by("position").values_list(
            "side", "prompt_tokens", "completion_tokens", "cost"
        )
    ]


def _player(run: EvaluationRun, role: str) -> Player:
    pinned = run.played_by.get(role)
    if pinned is None:
        return Player("scripted", scripted=True)
    parameters = pinned.get("parameters") or {}
    return Player(
        pinned.get("model") or pinned["name"],
        scripted=False,
        parameters={k: v for k, v in parameters.items() if k in SAMPLING},
    )


__all__ = ["BadResults", "domains_of", "export_run", "import_run", "recorded_verdicts"]
