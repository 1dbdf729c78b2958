"""Re-exports for Django alone; everything else imports from the room's own module."""

from writ_app.models.accounts import Membership, Team, User
from writ_app.models.behaviour import BehaviourPlan, Persona
from writ_app.models.catalog import (
    Environment,
    ReferenceImport,
    ReferenceImportPart,
    ReferenceSet,
    ReferenceTask,
    ReferenceTrajectory,
    Task,
)
from writ_app.models.curation import (
    Comment,
    FindRule,
    Mention,
    PlannedItem,
    ReviewerKeys,
    SamplingPlan,
    SavedView,
)
from writ_app.models.editing import EarlierJudgement, EditDraft, VersionEvent
from writ_app.models.release import (
    Release,
    ReleaseFile,
    ReleaseMember,
    ReleaseRefusal,
)
from writ_app.models.report import Report
from writ_app.models.review import (
    ArgumentSource,
    BulkAction,
    ReviewEvent,
    ReviewItem,
    ReviewPolicy,
    ReviewSlot,
)
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
    "ArgumentSource",
    "Batch",
    "BehaviourPlan",
    "BulkAction",
    "Comment",
    "EarlierJudgement",
    "EditDraft",
    "EndpointHealth",
    "Environment",
    "FindRule",
    "JudgeNote",
    "Judgement",
    "Membership",
    "Mention",
    "ModelEndpoint",
    "Paraphrase",
    "Persona",
    "PlannedItem",
    "ReferenceImport",
    "ReferenceImportPart",
    "ReferenceSet",
    "ReferenceTask",
    "ReferenceTrajectory",
    "Release",
    "ReleaseFile",
    "ReleaseMember",
    "ReleaseRefusal",
    "Report",
    "Reverification",
    "ReviewEvent",
    "ReviewItem",
    "ReviewPolicy",
    "ReviewSlot",
    "ReviewerKeys",
    "SamplingPlan",
    "SavedView",
    "Simulation",
    "Task",
    "Team",
    "Trajectory",
    "Turn",
    "User",
    "VersionEvent",
]
