"""Verification: is a trajectory correct, complete and grounded? Named checks, each with a finding that a person can read.

Pure, and quick enough to be asked again after every edit. The order of the checks decides which reason a rejection gets:
what ended the conversation and what the user did wrong come first, so that the agent is not blamed for it.
"""

from environments.core.environment import Environment
from writ_app.engine.behaviour import realised
from writ_app.engine.types import Ledger, Task, Trajectory, Verification
from writ_app.engine.verification.checks import CHECKS
from writ_app.engine.verification.trace import Trace

VERSION = "2"
"""Changes whenever a judgement may come out differently."""


def verify(
    *, environment: Environment, task: Task, trajectory: Trajectory, ledger: Ledger
) -> Verification:
    """Judge one trajectory. Replays its calls on a fresh session of `environment`, which has to be the task's own."""
    trace = Trace(environment, task, trajectory, ledger)
    return Verification(
        checks=tuple(check(trace) for check in CHECKS),
        provenance=trace.provenance,
        coverage=trace.coverage,
        superfluous=trace.superfluous,
        behaviour=realised(ledger, trajectory.messages),
        version=VERSION,
    )


__all__ = ["CHECKS", "VERSION", "verify"]
