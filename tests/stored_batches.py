"""Batches that were designed and played by scripted models, stored the short way: rows as a worker leaves them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.factories import make_owner, team_of
from writ_app.engine import types, verification
from writ_app.engine.scripted import cast
from writ_app.engine.simulation import simulate
from writ_app.models.accounts import User
from writ_app.models.synthesis import (
    Batch,
    BatchStatus,
    Simulation,
    SimulationStatus,
    Trajectory,
)
from writ_app.services import catalog, synthesis

STARTED = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def play_batch(
    *,
    by: User | None = None,
    ordered: int = 4,
    mix: Mapping[str, float] | None = None,
    faults: Sequence[str] = (),
    environment: str = "retail",
    **order: Any,
) -> Batch:
    """A finished batch; its first simulations are played with these faults, one each."""
    by = by or make_owner()
    batch = synthesis.start_batch(
        team=team_of(by),
        by=by,
        name="Played",
        environment=catalog.register_generated(name=environment, seed=7, users=60),
        seed=1,
        ordered=ordered,
        mix=mix or {"R1": 1, "R5": 1},
        **order,
    )
    for number, pk in enumerate(synthesis.design_batch(batch_id=batch.pk)):
        play(pk, fault=faults[number] if number < len(faults) else "")
    Batch.objects.filter(pk=batch.pk).update(status=BatchStatus.DONE)
    batch.refresh_from_db()
    return batch


def play(pk: int, *, fault: str = "") -> Trajectory:
    simulation = Simulation.objects.select_related("task__environment").get(pk=pk)
    environment = catalog.load_environment(simulation.task.environment)
    task = types.Task.model_validate(simulation.task.content)
    ledger = synthesis.ledger_of(simulation, task)
    players = cast(environment, task, ledger, fault)
    talk = simulate(
        environment=players.environment,
        task=task,
        ledger=ledger,
        agent=players.agent,
        user=players.user,
        seed=simulation.seed,
        fault=fault,
    )
    found = verification.verify(
        environment=environment, task=task, trajectory=talk, ledger=ledger
    )
    Simulation.objects.filter(pk=pk).update(
        status=SimulationStatus.DONE,
        fault=fault,
        started_at=STARTED,
        finished_at=STARTED + timedelta(seconds=30),
    )
    return Trajectory.objects.create(
        simulation=simulation,
        content=talk.model_dump(mode="json"),
        content_hash=talk.content_hash,
        ended_by=talk.ended_by.value,
        scripted=True,
        steps=len(talk.messages),
        verification=found.model_dump(mode="json"),
        accepted=found.accepted,
        reason=found.reason,
        owner=found.owner.value if found.owner else "",
    )
