"""Batches: ordered, designed, simulated, verified."""

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from functools import partial
from itertools import islice
from typing import Any

from django.db import connection, transaction

from environments.core import environment as core
from writ_app.adapters import chat
from writ_app.engine import types
from writ_app.engine.behaviour.cover import Drawn
from writ_app.engine.errors import ModelUnavailable, WritError
from writ_app.engine.fill_report import FillReport
from writ_app.engine.grid import BadGrid
from writ_app.engine.llm import ChatModel
from writ_app.engine.scripted import FAULTS, applicable
from writ_app.models.accounts import Team, User
from writ_app.models.catalog import Environment, Task
from writ_app.models.synthesis import (
    Batch,
    BatchStatus,
    ModelEndpoint,
    Simulation,
)
from writ_app.services import catalog
from writ_app.services.audit import record
from writ_app.services.synthesis.behaviour import (
    MAX_PLANS_PER_TASK,
    BadConduct,
    BatchBehaviour,
    pin_repertoire,
)
from writ_app.services.synthesis.control import (
    caps_as_json,
    finish_batch_if_done,
    give_up_if_cancelled,
)
from writ_app.services.synthesis.design import BatchDesign, complete_grid
from writ_app.services.synthesis.endpoints import model_of, pin, pin_models
from writ_app.services.synthesis.mix import default_mix
from writ_app.services.synthesis.rewording import reworded
from writ_app.services.synthesis.running import ledger_of

MAX_ORDERED = 20_000
MAX_BY_GRID = 5_000
"""A job cut off by its time limit goes on with the piece of the grid that was not finished: a piece must be done in one go."""
PIECES = "pieces"
"""Key of a design report that is not complete: what the finished pieces of a grid came to."""
_DESIGN_LOCK = 20_260_608
"""First half of the advisory lock's key: tells our locks from anybody else's."""


class BadOrder(WritError):
    """A batch that cannot be ordered as asked; the text says what to change."""


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
    paraphraser: ModelEndpoint | None = None,
    judge: ModelEndpoint | None = None,
    max_cost: Decimal | None = None,
    max_tokens: int | None = None,
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
    chosen = (agent, user_simulator, paraphraser, judge)
    if disabled := sorted({one.name for one in chosen if one and not one.enabled}):
        raise BadOrder(f"Disabled, choose another: {', '.join(disabled)}.")
    if max_cost is not None and max_cost <= 0:
        raise BadOrder("A cap in dollars is above 0, or there is none.")
    if max_tokens is not None and max_tokens < 1:
        raise BadOrder("A cap in tokens is at least 1, or there is none.")
    try:
        filling = None if grid is None else complete_grid(grid, mix, world)
        repertoire = pin_repertoire(team, plans)
    except (BadGrid, BadConduct) as error:
        raise BadOrder(str(error)) from error
    batch = Batch(
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
        paraphraser=paraphraser,
        judge=judge,
        max_cost=max_cost,
        max_tokens=max_tokens,
    )
    batch.played_by = pin_models(batch)
    with transaction.atomic():
        batch.save()
        record(
            "batch.order",
            team=team,
            row=batch,
            by=by,
            after={
                "name": name,
                "environment": str(environment),
                "ordered": ordered,
                "seed": seed,
                "by_grid": filling is not None,
                "models": {role: one["name"] for role, one in batch.played_by.items()},
                **caps_as_json(max_cost, max_tokens),
            },
        )
    return batch


def design_batch(*, batch_id: int) -> Iterator[int]:
    """Design the batch's tasks, and give the simulations' ids as they come, those of an earlier attempt included.

    Design is deterministic, so an interrupted one begins again and finds what it had made; of a grid only the piece begins again that
    was not finished. Only one process designs a batch: a second one gives nothing.
    """
    with _only_one(batch_id) as mine:
        batch = Batch.objects.select_related(
            "environment", "agent", "user_simulator", "team"
        ).get(pk=batch_id)
        if not mine or batch.status != BatchStatus.DESIGNING:
            return
        before = batch.design_report.get(PIECES, [])
        work, conduct = BatchDesign(batch, before), BatchBehaviour(batch)
        rng = random.Random(f"batch {batch.seed}")
        tasks = work.tasks(_tasks_of(batch, before), partial(reworded, batch))
        for number, task in enumerate(tasks):
            added = list(_add_simulations(batch, number, task, conduct, rng))
            if len(pieces := work.finished(number + 1)) > len(before):
                before = pieces
                _keep_progress(batch_id, pieces)
            yield from added  # who stops here has lost nothing
            if not Batch.objects.in_progress().filter(pk=batch_id).exists():
                give_up_if_cancelled(batch_id=batch_id)
                return  # stopped meanwhile
        report = {**work.report(), "behaviour": conduct.report()}
        Batch.objects.filter(pk=batch_id, status=BatchStatus.DESIGNING).update(
            status=BatchStatus.RUNNING, design_report=report
        )
    finish_batch_if_done(batch_id=batch_id)


def chat_model(name: str) -> ChatModel:
    """The model of the endpoint called `name`, or, of a name like `provider/model`, that model. Raises ModelUnavailable."""
    endpoint = ModelEndpoint.objects.filter(name=name).first()
    if endpoint is not None:
        return model_of(pin(endpoint))
    if "/" in name:
        return chat.from_endpoint(name=name, model=name)
    known = ", ".join(
        ModelEndpoint.objects.order_by("name").values_list("name", flat=True)
    )
    raise ModelUnavailable(
        f"There is no endpoint {name!r}; there is {known or 'none'}. A provider's model is named like openai/some-model.",
        retryable=False,
    )


def unfinished_designs() -> list[int]:
    """Batches whose design was begun and may have been interrupted."""
    return list(
        Batch.objects.filter(status=BatchStatus.DESIGNING)
        .order_by("id")
        .values_list("id", flat=True)
    )


def _keep_progress(batch_id: int, pieces: Sequence[Mapping[str, Any]]) -> None:
    Batch.objects.filter(pk=batch_id, status=BatchStatus.DESIGNING).update(
        design_report={PIECES: pieces}
    )


def _tasks_of(
    batch: Batch, pieces: Sequence[Mapping[str, Any]]
) -> Iterator[types.Task]:
    """The tasks of pieces that an earlier job finished, in the order in which they were designed."""
    reports = map(FillReport.of_json, pieces)
    count = sum(report.filled.total() for report in reports)
    simulations = batch.simulations.filter(round=0).order_by("seed")
    contents = simulations.values_list("task__content", flat=True).iterator()
    each = batch.plans_per_task
    for content in islice(contents, 0, count * each, each):
        yield types.Task.model_validate(content)


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
            round=0,
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
