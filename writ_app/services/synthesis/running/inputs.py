"""What a simulation needs to be held: loaded from its rows, and brought to where an earlier runner left it."""

import logging
import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from environments.core import environment as core
from writ_app.engine import behaviour, types
from writ_app.engine.llm import ChatModel
from writ_app.engine.scripted import Cast, cast
from writ_app.engine.simulation import Conversation, Side, scene_of
from writ_app.engine.verification import verify
from writ_app.models.synthesis import Batch, ModelEndpoint, Simulation, Turn
from writ_app.services import catalog
from writ_app.services.synthesis.running.record import Claim, read_turn

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Work:
    """A claimed simulation, ready to be gone on with."""

    claim: Claim
    batch: Batch
    setbacks: int
    seed: int
    fault: str
    environment: core.Environment
    cast: Cast
    """The scripted models, with the fault that they are to make, and the environment in which they play."""
    task: types.Task
    ledger: types.Ledger
    talk: Conversation

    @property
    def status(self) -> str:
        return self.batch.status

    @property
    def endpoints(self) -> dict[Side, ModelEndpoint]:
        """Of the sides that are not scripted."""
        sides: dict[Side, ModelEndpoint | None] = {
            "agent": self.batch.agent,
            "user": self.batch.user_simulator,
        }
        return {side: endpoint for side, endpoint in sides.items() if endpoint}

    def pinned(self, side: Side) -> Mapping[str, Any]:
        """What the endpoint of a side was when the batch was ordered."""
        pinned: Mapping[str, Any] = self.batch.played_by[side]
        return pinned

    def scripted(self, side: Side) -> ChatModel:
        return self.cast.agent if side == "agent" else self.cast.user

    def judge(self, trajectory: types.Trajectory) -> types.Verification:
        return verify(
            environment=self.environment,
            task=self.task,
            trajectory=trajectory,
            ledger=self.ledger,
        )

    def begin(self) -> Conversation:
        """The conversation from its beginning."""
        return Conversation(
            environment=self.cast.environment,
            scene=scene_of(self.task, self.ledger),
            seed=self.seed,
        )


@dataclass(frozen=True)
class Unusable:
    """A claimed simulation that cannot be begun, and why."""

    claim: Claim
    reason: str


def load(ids: Iterable[int]) -> Iterator[Work | Unusable]:
    """The inputs of simulations that were just claimed."""
    rows = (
        Simulation.objects.filter(pk__in=ids)
        .select_related("task__environment", "batch__agent", "batch__user_simulator")
        .defer(
            "task__environment__state",
            "task__environment__policy",
            *("batch__mix", "batch__grid", "batch__design_report"),
        )
        .order_by("pk")
    )
    turns: dict[int, list[Turn]] = {row.pk: [] for row in rows}
    for turn in Turn.objects.filter(simulation__in=turns).defer("raw"):
        turns[turn.simulation_id].append(turn)
    for row in rows:
        claim = Claim(row.pk, row.attempt, row.batch_id)
        try:
            yield _prepare(row, claim, turns[row.pk])
        except Exception as error:  # whatever it is, it must not take the others down
            logger.exception("Simulation %s cannot be begun", row.pk)
            yield Unusable(claim, f"Simulation {row.pk} cannot be begun: {error}")


def ledger_of(simulation: Simulation, task: types.Task) -> types.Ledger:
    """What the user may say and when, as it was pinned; of a simulation older than that, as it follows from task, plan and seed."""
    if simulation.ledger is not None:
        return types.Ledger.model_validate(simulation.ledger)
    rng = random.Random(f"ledger {simulation.seed}")
    words = catalog.load_environment(simulation.task.environment).domain.words
    plan = behaviour.PLANS.get(simulation.plan, behaviour.PLANS["upfront"])
    return behaviour.make_ledger(task, plan, rng, words)


def _prepare(row: Simulation, claim: Claim, turns: list[Turn]) -> Work:
    environment = catalog.load_environment(row.task.environment)
    task = types.Task.model_validate(row.task.content)
    ledger = ledger_of(row, task)
    players = cast(environment, task, ledger, row.fault)
    # A scripted user keeps to the ledger, unless it was asked for a fault: then that is to be seen.
    modelled = row.batch.user_simulator_id is not None
    talk = Conversation(
        environment=players.environment,
        scene=scene_of(task, ledger),
        seed=row.seed,
        screen=partial(behaviour.screen_turn, ledger) if modelled else None,
    )
    _resume(talk, row, turns)
    return Work(
        claim=claim,
        batch=row.batch,
        setbacks=row.setbacks,
        seed=row.seed,
        fault=row.fault,
        environment=environment,
        cast=players,
        task=task,
        ledger=ledger,
        talk=talk,
    )


def _resume(talk: Conversation, row: Simulation, turns: list[Turn]) -> None:
    """Take the recorded answers again. Those that fit no longer are dropped; that is noted, and they are asked for again."""
    fitted = talk.resume([read_turn(turn) for turn in turns])
    if fitted == len(turns):
        return
    Turn.objects.filter(pk__in=[turn.pk for turn in turns[fitted:]]).delete()
    note = (
        f"{len(turns) - fitted} of {len(turns)} recorded answers were dropped and asked for again: the environment, a prompt or "
        "the user's ledger had changed since."
    )
    logger.warning("Simulation %s: %s", row.pk, note)
    Simulation.objects.filter(pk=row.pk).update(note=note)
