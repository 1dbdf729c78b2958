"""One simulation here and now, without an event loop: for tests and scripts."""

import time

from writ_app.engine.llm import ChatModel
from writ_app.engine.simulation import Side, Turn, hold
from writ_app.models.synthesis import Simulation
from writ_app.services.synthesis.endpoints import model_of
from writ_app.services.synthesis.running.inputs import Unusable, Work, load
from writ_app.services.synthesis.running.record import Answered, Ended, record


def run_simulation(*, simulation_id: int) -> None:
    """Simulate, verify and store; nothing if somebody else has it, or it is done.

    Raises RuntimeError if it cannot be begun, and ModelUnavailable if an endpoint's key is not set.
    """
    if not Simulation.objects.claim(simulation_id):
        return
    [work] = load([simulation_id])
    if isinstance(work, Unusable):
        raise RuntimeError(work.reason)
    asked = time.monotonic()

    def on_turn(turn: Turn) -> None:
        nonlocal asked
        if work.endpoints:
            record([Answered(work.claim, turn, time.monotonic() - asked)])
        asked = time.monotonic()

    trajectory = hold(
        work.talk,
        agent=_model(work, "agent"),
        user=_model(work, "user"),
        on_turn=on_turn,
        fault=work.fault,
    )
    scripted = len(work.endpoints) < 2
    record([Ended(work.claim, trajectory, work.judge(trajectory), scripted)])


def _model(work: Work, side: Side) -> ChatModel:
    if side in work.endpoints:
        return model_of(work.pinned(side))
    return work.scripted(side)
