"""Re-exports for Django alone; everything else imports from the room's own module."""

from writ_app.models.accounts import Membership, Team, User
from writ_app.models.behaviour import BehaviourPlan, Persona
from writ_app.models.catalog import (
    Environment,
    ReferenceSet,
    ReferenceTask,
    ReferenceTrajectory,
    Task,
)
from writ_app.models.release import Release, ReleaseMember
from writ_app.models.review import ReviewEvent, ReviewSlot
from writ_app.models.synthesis import (
    Batch,
    EndpointHealth,
    ModelEndpoint,
    Paraphrase,
    Simulation,
    Trajectory,
    Turn,
)
from writ_app.models.verification import Judgement, JudgeNote, Reverification

__all__ = [
    "Batch",
    "BehaviourPlan",
    "EndpointHealth",
    "Environment",
    "JudgeNote",
    "Judgement",
    "Membership",
    "ModelEndpoint",
    "Paraphrase",
    "Persona",
    "ReferenceSet",
    "ReferenceTask",
    "ReferenceTrajectory",
    "Release",
    "ReleaseMember",
    "Reverification",
    "ReviewEvent",
    "ReviewSlot",
    "Simulation",
    "Task",
    "Team",
    "Trajectory",
    "Turn",
    "User",
]
