"""Batches: ordered, designed, simulated, verified, counted."""

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, Min
from django.db.models.functions import Now

from environments.core import environment as core
from writ_app.adapters import chat
from writ_app.engine import behaviour, types
from writ_app.engine.behaviour.cover import Drawn
from writ_app.engine.errors import InvalidTask, ModelUnavailable, WritError
from writ_app.engine.grid import BadGrid
from writ_app.engine.llm import ChatModel, Completion
from writ_app.engine.paraphrase import PROMPT_VERSION, paraphrase
from writ_app.engine.scripted import FAULTS, Cast, applicable, cast
from writ_app.engine.simulation import simulate
from writ_app.engine.verification import verify
from writ_app.models.accounts import Team, User
from writ_app.models.catalog import Environment, Task
from writ_app.models.synthesis import (
    Batch,
    BatchStatus,
    ModelEndpoint,
    Paraphrase,
    Simulation,
    SimulationStatus,
    Trajectory,
)
from writ_app.services import catalog
from writ_app.services.synthesis.behaviour import (
    MAX_PLANS_PER_TASK,
    BadConduct,
    BatchBehaviour,
    pin_repertoire,
)
from writ_app.services.synthesis.design import BatchDesign, complete_grid
from writ_app.services.synthesis.mix import default_mix

MAX_ORDERED = 20_000
MAX_BY_GRID = 5_000
"""A job fills a grid in one go: cut off by its time limit, it begins again. The slowest world makes seven tasks a second."""
_DESIGN_LOCK = 20_260_608
"""First half of the advisory lock's key: tells our locks from anybody else's."""


class BadOrder(WritError):
    """A batch that cannot be ordered as asked; the text says what to change."""


@dataclass(frozen=True)
class RejectReason:
    """Rejections of one kind: the failed check, who is to answer, how many, and one example."""

    reason: str
    owner: str
    count: int
    example: int
    """Primary key of a trajectory."""


@dataclass(frozen=True)
class BatchProgress:
    ordered: int
    designed: int
    """Simulations that have a task."""
    pending: int
    running: int
    done: int
    cancelled: int
    accepted: int
    rejected: int
    reasons: tuple[RejectReason, ...]

    @property
    def finished(self) -> int:
        return self.done + self.cancelled


def start_batch(
    *,
    team: Team,
    by: User,
    name: str,
    environment: Environment,
    seed: int,
    ordered: int,
    mix: Mapping[str, float] | None = None,
    grid: Mapping[str, Any] | None = None,
    plans: Sequence[str] = (),
    plans_per_task: int = 1,
    fault_share: float = 0.0,
    agent: ModelEndpoint | None = None,
    user_simulator: ModelEndpoint | None = None,
) -> Batch:
    """Order a batch: by the mix, or with a `grid` (see engine.grid) as its filling. Raises BadOrder.

    Archetypes that the grid does not name weigh as in the mix. Without `plans` all that are enabled are drawn from; with more than one
    of `plans_per_task`, each task is simulated under several. The caller sends the job that designs it.
    """
    world = catalog.load_environment(environment)
    archetypes = world.domain.archetypes
    known = {archetype.slug for archetype in archetypes}
    mix = dict(mix or default_mix(archetypes))
    if not 1 <= ordered <= MAX_ORDERED:
        raise BadOrder(f"Order between 1 and {MAX_ORDERED:,} simulations.")
    if grid is not None and ordered > MAX_BY_GRID:
        raise BadOrder(
            f"Order at most {MAX_BY_GRID:,} simulations by grid; manage.py design makes larger files of tasks."
        )
    if unknown := sorted(set(mix) - known):
        raise BadOrder(
            f"{environment.name} has no archetype {', '.join(unknown)}; it has {', '.join(sorted(known))}."
        )
    if not any(weight > 0 for weight in mix.values()):
        raise BadOrder("Give at least one archetype a weight above 0.")
    if not 1 <= plans_per_task <= MAX_PLANS_PER_TASK:
        raise BadOrder(
            f"Between 1 and {MAX_PLANS_PER_TASK} plans can be played per task."
        )
    if not 0 <= fault_share <= 1:
        raise BadOrder("The share of faults lies between 0 and 1.")
    try:
        filling = None if grid is None else complete_grid(grid, mix, world)
        repertoire = pin_repertoire(team, plans)
    except (BadGrid, BadConduct) as error:
        raise BadOrder(str(error)) from error
    return Batch.objects.create(
        team=team,
        created_by=by,
        name=name,
        environment=environment,
        seed=seed,
        ordered=ordered,
        mix=mix,
        grid=filling,
        plans=list(plans),
        repertoire=repertoire,
        plans_per_task=plans_per_task,
        fault_share=fault_share,
        agent=agent,
        user_simulator=user_simulator,
    )


def design_batch(*, batch_id: int) -> Iterator[int]:
    """Design the batch's tasks, and give the simulations' ids as they come, those of an earlier attempt included.

    Design is deterministic, so an interrupted one begins again and finds what it had made. Only one process designs a batch:
    a second one gives nothing.
    """
    with _only_one(batch_id) as mine:
        batch = Batch.objects.select_related(
            "environment", "agent", "user_simulator", "team"
        ).get(pk=batch_id)
        if not mine or batch.status != BatchStatus.DESIGNING:
            return
        work, conduct = BatchDesign(batch), BatchBehaviour(batch)
        rng = random.Random(f"batch {batch.seed}")
        for number, task in enumerate(work.tasks()):
            yield from _add_simulations(batch, number, task, conduct, rng)
            if not Batch.objects.in_progress().filter(pk=batch_id).exists():
                return  # cancelled meanwhile
        report = {**work.report(), "behaviour": conduct.report()}
        Batch.objects.filter(pk=batch_id, status=BatchStatus.DESIGNING).update(
            status=BatchStatus.RUNNING, design_report=report
        )
    finish_batch_if_done(batch_id=batch_id)


def run_simulation(*, simulation_id: int) -> None:
    """Simulate, verify and store; nothing if somebody else has it, or it is done."""
    if not Simulation.objects.claim(simulation_id):
        return
    simulation = _with_inputs(simulation_id)
    environment = catalog.load_environment(simulation.task.environment)
    task = types.Task.model_validate(simulation.task.content)
    ledger = ledger_of(simulation, task)
    players = _cast(simulation, task, ledger, environment)
    trajectory = simulate(  # minutes long with real models: no transaction is open
        environment=players.environment,
        task=task,
        ledger=ledger,
        agent=players.agent,
        user=players.user,
        seed=simulation.seed,
        fault=simulation.fault,
    )
    verification = verify(
        environment=environment, task=task, trajectory=trajectory, ledger=ledger
    )
    _store_outcome(simulation, trajectory, verification)
    finish_batch_if_done(batch_id=simulation.batch_id)


def paraphrase_batch(
    *,
    batch: Batch,
    paraphraser: ChatModel,
    reader: ChatModel,
    limit: int | None = None,
) -> Iterator[Paraphrase]:
    """Have the requests of a batch's tasks said in other words; each attempt is stored, and given, as soon as it is made.

    A task that these models tried before is left out, unless a model or its provider failed then; so are composed requests.
    `limit` is for attempts, not for what is accepted.
    """
    tried = Paraphrase.objects.filter(
        paraphraser=paraphraser.name, reader=reader.name, prompt_version=PROMPT_VERSION
    )
    waiting = (
        Task.objects.filter(simulations__batch=batch)
        .exclude(paraphrases__in=tried.exclude(reason="model_error"))
        .distinct()
        .order_by("id")
        .values_list("pk", flat=True)
    )
    made = 0
    for pk in list(waiting):
        if made == limit:
            return
        row = Task.objects.select_related("environment").get(pk=pk)
        task = types.Task.model_validate(row.content)
        try:
            found = paraphrase(  # seconds long: no transaction is open
                environment=catalog.load_environment(row.environment),
                task=task,
                paraphraser=paraphraser,
                reader=reader,
                seed=task.seed,
            )
        except InvalidTask:
            continue
        made += 1
        stored, _ = Paraphrase.objects.update_or_create(
            task=row,
            paraphraser=found.paraphraser,
            reader=found.reader,
            prompt_version=found.prompt_version,
            seed=found.seed,
            defaults={
                "content": found.model_dump(mode="json"),
                "text": found.text,
                "accepted": found.accepted,
                "reason": found.reason,
            },
        )
        yield stored


def chat_model(name: str) -> ChatModel:
    """The model of the endpoint called `name`, or, of a name like `provider/model`, that model. Raises ModelUnavailable."""
    endpoint = ModelEndpoint.objects.filter(name=name).first()
    if endpoint is not None:
        return _from_endpoint(endpoint)
    if "/" in name:
        return chat.from_endpoint(name=name, model=name)
    known = ", ".join(
        ModelEndpoint.objects.order_by("name").values_list("name", flat=True)
    )
    raise ModelUnavailable(
        f"There is no endpoint {name!r}; there is {known or 'none'}. A provider's model is named like openai/some-model.",
        retryable=False,
    )


def ledger_of(simulation: Simulation, task: types.Task) -> types.Ledger:
    """What the user may say and when, as it was pinned; of a simulation older than that, as it follows from task, plan and seed."""
    if simulation.ledger is not None:
        return types.Ledger.model_validate(simulation.ledger)
    rng = random.Random(f"ledger {simulation.seed}")
    words = catalog.load_environment(simulation.task.environment).domain.words
    plan = behaviour.PLANS.get(simulation.plan, behaviour.PLANS["upfront"])
    return behaviour.make_ledger(task, plan, rng, words)


def requeue_stale(*, before: datetime) -> list[int]:
    """Put simulations of dead workers back, and give the ids of all that wait, so that forgotten ones are sent again."""
    Simulation.objects.stale(before).requeue()
    waiting = Simulation.objects.pending().filter(created_at__lt=before)
    return list(waiting.order_by("id").values_list("id", flat=True)[:5000])


def unfinished_designs() -> list[int]:
    """Batches whose design was begun and may have been interrupted."""
    return list(
        Batch.objects.filter(status=BatchStatus.DESIGNING)
        .order_by("id")
        .values_list("id", flat=True)
    )


@transaction.atomic
def cancel_batch(*, batch: Batch) -> None:
    """Stop a batch: what waits is not simulated, what is done stays."""
    Batch.objects.in_progress().filter(pk=batch.pk).update(
        status=BatchStatus.CANCELLED, finished_at=Now()
    )
    batch.simulations.pending().update(
        status=SimulationStatus.CANCELLED, finished_at=Now()
    )


def finish_batch_if_done(*, batch_id: int) -> None:
    """Close a batch that is designed and has nothing left to simulate."""
    left = Simulation.objects.unfinished().filter(batch_id=batch_id)
    if not left.exists():
        Batch.objects.filter(pk=batch_id, status=BatchStatus.RUNNING).update(
            status=BatchStatus.DONE, finished_at=Now()
        )


def batch_progress(batch: Batch) -> BatchProgress:
    """Where a batch stands, in two queries."""
    statuses = dict(batch.simulations.values_list("status").annotate(Count("id")))
    outcomes = (
        Trajectory.objects.filter(simulation__batch=batch)
        .values("accepted", "reason", "owner")
        .annotate(count=Count("id"), example=Min("id"))
        .order_by("-count", "reason")
    )
    accepted = sum(row["count"] for row in outcomes if row["accepted"])
    reasons = tuple(
        RejectReason(row["reason"], row["owner"], row["count"], row["example"])
        for row in outcomes
        if not row["accepted"]
    )
    return BatchProgress(
        ordered=batch.ordered,
        designed=sum(statuses.values()),
        pending=statuses.get(SimulationStatus.PENDING, 0),
        running=statuses.get(SimulationStatus.RUNNING, 0),
        done=statuses.get(SimulationStatus.DONE, 0),
        cancelled=statuses.get(SimulationStatus.CANCELLED, 0),
        accepted=accepted,
        rejected=sum(reason.count for reason in reasons),
        reasons=reasons,
    )


def _add_simulations(
    batch: Batch,
    number: int,
    task: types.Task,
    conduct: BatchBehaviour,
    rng: random.Random,
) -> Iterator[int]:
    """The simulations of the batch's task `number`: one per plan that it is to be played under."""
    first = number * batch.plans_per_task
    last = min(first + batch.plans_per_task, batch.ordered)
    seeds = [batch.seed * 1_000_003 + place for place in range(first, last)]
    row = catalog.store_task(environment=batch.environment, task=task)
    for seed, (drawn, ledger) in zip(seeds, conduct.draw(task, seeds), strict=True):
        yield _add_simulation(batch, row, task, seed, drawn, ledger, rng)


def _add_simulation(
    batch: Batch,
    row: Task,
    task: types.Task,
    seed: int,
    drawn: Drawn,
    ledger: types.Ledger,
    rng: random.Random,
) -> int:
    scripted = batch.agent is None and batch.user_simulator is None
    faulty = rng.random() < batch.fault_share and scripted
    faults = sorted(FAULTS)
    rng.shuffle(
        faults
    )  # drawn whether they are wanted or not, so that the share of faults leaves the rest as it is
    with transaction.atomic():
        simulation, made = Simulation.objects.get_or_create(
            batch=batch,
            task=row,
            plan=drawn.plan.slug,
            seed=seed,
            defaults={
                "persona": drawn.persona.slug,
                "behaviour": ledger.behaviour,
                "ledger": ledger.model_dump(mode="json"),
            },
        )
        if made and faulty:
            environment = catalog.load_environment(batch.environment)
            possible = (
                fault
                for fault in faults
                if _is_possible(fault, simulation, task, environment)
            )
            simulation.fault = next(possible, "")
            simulation.save(update_fields=["fault"])
    return simulation.pk


def _is_possible(
    fault: str, simulation: Simulation, task: types.Task, environment: core.Environment
) -> bool:
    """Whether the task, as this user tells of it, leaves room for the fault."""
    return applicable(fault, environment, task, ledger_of(simulation, task))


def _with_inputs(simulation_id: int) -> Simulation:
    related = ("task__environment", "batch__agent", "batch__user_simulator")
    return (
        Simulation.objects.select_related(*related)
        .defer("task__environment__state")
        .get(pk=simulation_id)
    )


def _cast(
    simulation: Simulation,
    task: types.Task,
    ledger: types.Ledger,
    environment: core.Environment,
) -> Cast:
    """The scripted models, with the fault that they are to make, where the batch has no endpoint for the part."""
    batch = simulation.batch
    players = cast(environment, task, ledger, simulation.fault)
    if batch.agent is not None:
        players = replace(players, agent=_endpoint_model(batch.agent))
    if batch.user_simulator is not None:
        players = replace(players, user=_endpoint_model(batch.user_simulator))
    return players


def _from_endpoint(endpoint: ModelEndpoint) -> ChatModel:
    return chat.from_endpoint(
        name=endpoint.name,
        model=endpoint.model,
        base_url=endpoint.base_url,
        key_variable=endpoint.key_variable,
        parameters=endpoint.parameters,
    )


def _endpoint_model(endpoint: ModelEndpoint) -> ChatModel:
    try:
        return _from_endpoint(endpoint)
    except ModelUnavailable as error:
        return _Unavailable(endpoint.name, error)


@dataclass(frozen=True)
class _Unavailable:
    """A model that cannot be asked at all: its simulations end with the reason instead of being lost."""

    name: str
    error: ModelUnavailable

    def complete(
        self,
        *,
        system: str,
        messages: Sequence[types.Message],
        tools: Sequence[dict[str, Any]],
        seed: int,
    ) -> Completion:
        raise self.error


@transaction.atomic
def _store_outcome(
    simulation: Simulation,
    trajectory: types.Trajectory,
    verification: types.Verification,
) -> None:
    """Store, unless a successor took the simulation over: then its outcome counts, not this one."""
    if not Simulation.objects.finish(simulation.pk, simulation.attempt):
        return
    failed = next((check for check in verification.checks if not check.passed), None)
    Trajectory.objects.create(
        simulation=simulation,
        content=trajectory.model_dump(mode="json"),
        content_hash=trajectory.content_hash,
        ended_by=trajectory.ended_by.value,
        scripted=simulation.batch.agent is None
        or simulation.batch.user_simulator is None,
        steps=len(trajectory.messages),
        verification=verification.model_dump(mode="json"),
        realised=verification.behaviour,
        accepted=verification.accepted,
        reason=verification.reason,
        owner=failed.owner.value if failed and failed.owner else "",
    )


@contextmanager
def _only_one(batch_id: int) -> Iterator[bool]:
    """Whether the batch's advisory lock is ours for a while; the database lets go of it if this process dies."""
    key = [_DESIGN_LOCK, batch_id]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", key)
        mine = bool(cursor.fetchone()[0])
    try:
        yield mine
    finally:
        if mine:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", key)
