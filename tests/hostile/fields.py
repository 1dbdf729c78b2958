"""Every text that the database keeps: filled with attacks, or with a reason why nobody can fill it."""

import json
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.search import SearchVectorField
from django.db import connection, models

from tests.hostile.payloads import chunks

HASH = "a hash that we compute"
CODE = "a word of ours, from a list in the code"
SLUG = "letters, digits, - and _ alone: anything else is refused"
VARIABLE = "the name of an environment variable: capitals, digits and _ alone"
BYTES = "bytes that no page shows"

UNFILLED = {
    "User.password": HASH,
    "User.username": "Django takes letters, digits and @.+-_ alone",
    "Persona.slug": SLUG,
    "BehaviourPlan.slug": SLUG,
    "Persona.dimensions": CODE,
    "BehaviourPlan.dimensions": CODE,
    "Environment.name": SLUG,
    "Environment.version": SLUG,
    "Environment.state": "compressed; tests/hostile/test_pages.py fills its records",
    "Environment.state_hash": HASH,
    "Environment.content_hash": HASH,
    "Task.content_hash": HASH,
    "Task.archetype": CODE,
    "ReferenceSet.content_hash": HASH,
    "ReferenceSet.format": CODE,
    "ReferenceImport.format": CODE,
    "ReferenceImportPart.content": BYTES,
    "ModelEndpoint.name": SLUG,
    "ModelEndpoint.key_variable": VARIABLE,
    "Batch.mix": CODE,
    "Batch.grid": CODE,
    "Batch.plans": SLUG,
    "Batch.repertoire": CODE,
    "Batch.design_report": CODE,
    "Simulation.behaviour": CODE,
    "Simulation.ledger": CODE,
    "Simulation.fault": CODE,
    "Simulation.plan": SLUG,
    "Simulation.persona": SLUG,
    "Turn.side": CODE,
    "Turn.fingerprint": HASH,
    "Trajectory.content_hash": HASH,
    "Trajectory.ended_by": CODE,
    "Trajectory.version": CODE,
    "Trajectory.realised": CODE,
    "Trajectory.reason": CODE,
    "Trajectory.owner": CODE,
    "Paraphrase.prompt_version": CODE,
    "Paraphrase.reason": CODE,
    "ReviewItem.canary": CODE,
    "ReviewItem.judged_by": CODE,
    "ReviewItem.environment": SLUG,
    "ReviewItem.archetype": CODE,
    "ReviewItem.task_class": CODE,
    "ReviewItem.plan": SLUG,
    "ReviewItem.ended_by": CODE,
    "ReviewItem.reason": CODE,
    "ReviewItem.owner": CODE,
    "ReviewItem.failed": CODE,
    "ReviewItem.kinds": CODE,
    "ReviewItem.cluster": HASH,
    "ReviewItem.outline": CODE,
    "ReviewItem.search": "words for finding, never shown",
    "ArgumentSource.side": CODE,
    "ArgumentSource.kind": CODE,
    "BulkAction.filters": CODE,
    "SavedView.filters": CODE,
    "FindRule.filters": CODE,
    "SamplingPlan.filters": CODE,
    "ReviewerKeys.keys": "names of keys, checked against a list when they are sent",
    "Release.name": SLUG,
    "Release.recipe": CODE,
    "Release.content_hash": HASH,
    "ReleaseMember.split": CODE,
    "ReleaseMember.row_hash": HASH,
    "ReleaseRefusal.reason": CODE,
    "ReleaseFile.path": "made of our own words and numbers",
    "ReleaseFile.slug": CODE,
    "ReleaseFile.split": CODE,
    "ReleaseFile.sha256": HASH,
    "Report.filters": CODE,
    "Report.content_hash": HASH,
    "Judgement.version": CODE,
    "Judgement.reason": CODE,
    "Judgement.owner": CODE,
    "Reverification.version": CODE,
    "Reverification.skipped": CODE,
    "JudgeNote.prompt_version": CODE,
    "Webhook.events": CODE,
    "Webhook.salt": BYTES,
    "Webhook.secret_hash": HASH,
    "WebhookDelivery.event": CODE,
    "Invitation.token_hash": HASH,
    "Session.session_key": HASH,
    "Session.session_data": "signed: what is not ours is nobody's session",
    "AuditEntry.door": CODE,
    "AuditEntry.action": CODE,
    "AuditEntry.kind": CODE,
    "AuditLink.previous": HASH,
    "AuditLink.hash": HASH,
    "AuditCheck.hash": HASH,
    "EvaluationRun.script": CODE,
    "EvaluationRun.tasks_hash": HASH,
    "EvaluationRun.content_hash": HASH,
    "EvaluationTask.content_hash": HASH,
    "EvaluationTask.burden_source": CODE,
    "EvaluationTrial.failure": CODE,
    "EvaluationTrial.owner": CODE,
    "EvaluationImportPart.content": BYTES,
    "EvaluationTurn.side": CODE,
    "EvaluationTurn.fingerprint": HASH,
    "ReleasePush.found": CODE,
    "ReleasePush.slugs": CODE,
    "ApiToken.key_id": "random letters of ours",
    "ApiToken.secret_hash": HASH,
    "IdempotentAnswer.fingerprint": HASH,
}
"""Model.field → why nothing hostile can stand there. Fields with choices need no entry."""

KEPT = {
    "Task.content": "environment environment_version environment_hash state_hash archetype task_class query gold_effect name refs",
    "Release.manifest": "options name",
}
"""Model.field → keys inside of its JSON whose texts are words of ours."""


def text_fields() -> Iterator[tuple[type[models.Model], models.Field]]:
    """Whatever of our models can hold a text."""
    for model in apps.get_app_config("writ_app").get_models():
        for field in model._meta.concrete_fields:
            kinds = (
                models.CharField,
                models.TextField,
                models.JSONField,
                models.BinaryField,
                models.GeneratedField,
                models.FileField,
                ArrayField,
                SearchVectorField,
            )
            if isinstance(field, kinds) and not field.choices:
                yield model, field


def name_of(model: type[models.Model], field: models.Field) -> str:
    return f"{model.__name__}.{field.name}"


type Kept = dict[tuple[str, int], Any]


def fill(start: int = 0, kept: Kept | None = None) -> set[str]:
    """Put payloads into every row of every field that is not UNFILLED; from which one on is `start`. The names of what was filled.

    Straight into the tables, past triggers and forms: what they would refuse today may come in through another door tomorrow.
    `kept` remembers what stood there first, so that a second filling takes the place of the first.
    """
    kept = {} if kept is None else kept
    filled = set()
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
    for model, field in text_fields():
        name = name_of(model, field)
        if name in UNFILLED:
            continue
        room = field.max_length or 60_000
        attacks = chunks(min(room, 60_000), start)
        for row in model._base_manager.order_by("pk"):
            first = kept.setdefault((name, row.pk), getattr(row, field.name))
            value = _attacked(field, name, first, attacks, room, start)
            model._base_manager.filter(pk=row.pk).update(**{field.name: value})
            filled.add(name)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = origin")
    return filled


def _attacked(
    field: models.Field,
    name: str,
    value: Any,
    attacks: Iterator[str],
    room: int,
    start: int,
) -> Any:
    if isinstance(field, models.JSONField):
        short = chunks(300, start)
        kept = frozenset(KEPT.get(name, "").split()) | WORDS
        return _within(value, kept, short)
    text = next(attacks)
    # A unique name stays one, and a list shows which row it is.
    return text[:room]


WORDS = frozenset(
    [
        "role",
        "kind",
        "owner",
        "ended_by",
        "op",
        "relation",
        "tool_call_id",
        "id",
        "task_hash",
        "fault",
        "side",
        "tells",
    ]
)


def _within(value: Any, kept: frozenset[str], attacks: Iterator[str]) -> Any:
    """The same shape with an attack behind every text, but for words of ours."""
    if isinstance(value, dict):
        return {
            key: inner if key in kept else _within(inner, kept, attacks)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_within(inner, kept, attacks) for inner in value]
    if isinstance(value, str):
        if value.startswith(("{", "[")):
            # A tool's answer: JSON, as a text.
            try:
                return json.dumps(_within(json.loads(value), kept, attacks))
            except ValueError:
                pass
        return f"{value} {next(attacks)}"
    return value
