"""What is written down of a simulation that has ended: the conversation and how it was judged."""

import logging

from writ_app.adapters.chat import storable
from writ_app.engine.types import Check, Owner, Trajectory, Verification
from writ_app.services.synthesis.running.inputs import Work
from writ_app.services.synthesis.running.record import Ended

logger = logging.getLogger(__name__)


def outcome_of(work: Work, trajectory: Trajectory) -> Ended:
    try:
        verification = work.judge(trajectory)
    except Exception as error:
        logger.exception("The trajectory of %s cannot be judged", work.claim.simulation)
        finding = f"The verification itself failed: {storable(str(error))}"
        check = Check(
            name="verification", passed=False, finding=finding, owner=Owner.ENVIRONMENT
        )
        verification = Verification(checks=(check,), version="none")
    scripted = len(work.endpoints) < 2
    return Ended(work.claim, trajectory, verification, scripted)
