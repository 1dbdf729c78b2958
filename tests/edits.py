"""Items whose checks the engine itself makes, for tests of edits: played once, stored as often as a test asks."""

import random
from functools import cache
from itertools import count

from tests import factories, samples
from writ_app.engine.behaviour import PLANS, make_ledger
from writ_app.engine.scripted import cast
from writ_app.engine.simulation import simulate
from writ_app.engine.task_design import Designer
from writ_app.engine.types import Ledger, Task, Trajectory, Verification
from writ_app.engine.verification import verify
from writ_app.models.accounts import User
from writ_app.models.review import ReviewItem
from writ_app.models.synthesis import Simulation, SimulationStatus
from writ_app.models.synthesis import Trajectory as TrajectoryRow
from writ_app.services.catalog import store_task
from writ_app.services.review.edits import EDITED

SEEDS = count(1)


@cache
def _played(fault: str) -> tuple[Task, Ledger, Trajectory, Verification]:
    environment = samples.sample_environment()
    task = Designer(environment).design("R1", 0)
    ledger = make_ledger(task, PLANS["upfront"], random.Random(0))
    players = cast(environment, task, ledger, fault)
    talk = simulate(
        environment=players.environment,
        task=task,
        ledger=ledger,
        agent=players.agent,
        user=players.user,
        seed=0,
        fault=fault,
    )
    found = verify(environment=environment, task=task, trajectory=talk, ledger=ledger)
    return task, ledger, talk, found


def make_item(*, by: User, fault: str = "") -> ReviewItem:
    """An exchange that passes every check; with a fault it does not. In a batch of its own."""
    task, ledger, talk, found = _played(fault)
    batch = factories.make_batch(team=factories.team_of(by), by=by)
    simulation = Simulation.objects.create(
        batch=batch,
        task=store_task(environment=batch.environment, task=task),
        plan=talk.plan,
        seed=next(SEEDS),
        ledger=ledger.model_dump(mode="json"),
        fault=fault,
        status=SimulationStatus.DONE,
        attempt=1,
    )
    row = TrajectoryRow.objects.create(
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
    return EDITED.get(pk=row.pk)
