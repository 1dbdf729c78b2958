"""Re-exports for Django alone; everything else imports from the room's own module."""

from writ_app.models.accounts import Membership, ReviewerKeys, Team, User
from writ_app.models.audit import AuditCheck, AuditEntry, AuditLink, AuditWaiting
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
    SamplingPlan,
    SavedView,
)
from writ_app.models.editing import EarlierJudgement, EditDraft, VersionEvent
from writ_app.models.evaluation import (
    EvaluationImport,
    EvaluationImportPart,
    EvaluationRun,
    EvaluationTask,
    EvaluationTrial,
    EvaluationTurn,
)
from writ_app.models.release import (
    Release,
    ReleaseFile,
    ReleaseMember,
    ReleasePush,
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
from writ_app.models.tokens import ApiToken, IdempotentAnswer
from writ_app.models.verification import Judgement, JudgeNote, Reverification
from writ_app.models.webhooks import Webhook, WebhookDelivery

__all__ = [
    "ApiToken",
    "ArgumentSource",
    "AuditCheck",
    "AuditEntry",
    "AuditLink",
    "AuditWaiting",
    "Batch",
    "BehaviourPlan",
    "BulkAction",
    "Comment",
    "EarlierJudgement",
    "EditDraft",
    "EndpointHealth",
    "Environment",
    "EvaluationImport",
    "EvaluationImportPart",
    "EvaluationRun",
    "EvaluationTask",
    "EvaluationTrial",
    "EvaluationTurn",
    "FindRule",
    "IdempotentAnswer",
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
    "ReleasePush",
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
    "Webhook",
    "WebhookDelivery",
]
