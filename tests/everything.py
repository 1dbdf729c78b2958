"""One team with at least one of everything that a page shows. For tests that go through all addresses."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from tests.factories import (
    make_batch,
    make_dispute,
    make_owner,
    make_reviewer,
    make_trajectory,
    team_of,
)
from writ_app.engine.editing import Remove, SetText, dump_changes
from writ_app.models.accounts import Invitation, Membership, Role, Team, User
from writ_app.models.audit import AuditCheck
from writ_app.models.behaviour import BehaviourPlan, Persona
from writ_app.models.catalog import ReferenceSet
from writ_app.models.curation import Comment, Mention, SamplingPlan, SavedView
from writ_app.models.editing import EditDraft
from writ_app.models.evaluation import EvaluationRun, EvaluationTurn, TrialStatus
from writ_app.models.release import PushStage, Release, ReleasePush
from writ_app.models.report import Report
from writ_app.models.review import (
    BulkAction,
    ReviewEvent,
    ReviewItem,
    Verdict,
)
from writ_app.models.synthesis import Batch, ModelEndpoint, Trajectory
from writ_app.models.tokens import ApiToken, IdempotentAnswer
from writ_app.models.webhooks import DeliveryStatus, Webhook, WebhookDelivery
from writ_app.services import evaluation
from writ_app.services.accounts.invitations import invite
from writ_app.services.catalog.uploads import keep_upload, run_import
from writ_app.services.evaluation.uploads import bring_in, keep_results
from writ_app.services.release import (
    Recipe,
    choose_members,
    draft_release,
    freeze_release,
    order_choice,
)
from writ_app.services.reports.making import make_report, order_report
from writ_app.services.review import lease_next, submit_verdict
from writ_app.services.review.bulk import apply_bulk
from writ_app.services.review.comments import add_comment
from writ_app.services.review.quality.sampling import order_plan
from writ_app.services.review.saved import save_view
from writ_app.services.tokens import make_token
from writ_app.services.webhooks.keeping import make_webhook


@dataclass
class Everything:
    """All of it is the team's, and what has an author is the owner's, except the mention, which names the owner."""

    owner: User
    team: Team
    batch: Batch
    item: ReviewItem
    disputed: ReviewItem
    event: ReviewEvent
    release: Release
    draft: Release
    push: ReleasePush
    runs: list[EvaluationRun]
    token: ApiToken
    report: Report
    plan: SamplingPlan
    bulk: BulkAction
    view: SavedView
    comment: Comment
    mention: Mention
    endpoint: ModelEndpoint
    persona: Persona
    manner: BehaviourPlan
    reference: ReferenceSet
    invitation: Invitation
    colleague: Membership
    webhook: Webhook
    delivery: WebhookDelivery


def bring_in_a_reference(team: Team, owner: User) -> None:
    """A set of one row, and a file that was refused."""
    call = {"function": {"name": "find", "arguments": {"near": "Rue de l'Été"}}}
    row = {
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "Where is it?"},
            {"role": "assistant", "tool_calls": [call]},
            {"role": "tool", "content": "Error: nowhere"},
            {"role": "assistant", "content": "Nowhere."},
        ],
        "tools": [{"type": "function", "function": {"name": "find"}}],
        "source": "elsewhere",
    }
    for name, text in (("good.jsonl", json.dumps(row)), ("bad.jsonl", "{}")):
        file = SimpleUploadedFile(name, text.encode())
        upload = keep_upload(team=team, by=owner, file=file)
        run_import(import_id=upload.pk, at=datetime.now(UTC))


def evaluate(team: Team, owner: User, batch: Batch) -> list[EvaluationRun]:
    """Two runs on a batch's tasks, of which the first trial each is done and the others are still to be played."""
    played = Trajectory.objects.filter(simulation__batch=batch).earliest("pk")
    runs = []
    for script in ("idle", "gold"):
        run = evaluation.order_run(
            team=team,
            by=owner,
            name=script,
            tasks=evaluation.batch_set(batch),
            trials=2,
            script=script,
        )
        first = run.trial_rows.earliest("task_id", "trial")
        first.status, first.ended_by = TrialStatus.DONE, "user_stop"
        first.messages = played.content["messages"]
        first.reward = first.reward_without = 1.0
        first.finished_at = timezone.now()
        first.save()
        EvaluationTurn.objects.create(
            trial=first,
            position=0,
            side="agent",
            fingerprint="00" * 16,
            completion={"text": "Good day.", "calls": []},
            drafts=[{"text": "Good da", "calls": []}],
            attempt=0,
        )
        runs.append(run)
    for name, run in (("good.json", runs[0]), ("bad.json", None)):
        upload = keep_results(team=team, by=owner, file=SimpleUploadedFile(name, b"{}"))
        bring_in(import_id=upload.pk, at=datetime.now(UTC))
        # Conversations of a file are those of a benchmark, which this world has none of.
        if run:
            upload.run, upload.status = run, "DONE"
            upload.save()
    return runs


def add_a_webhook(team: Team, owner: User) -> WebhookDelivery:
    """With a delivery that arrived, one that waits, and one that was given up, which is returned."""
    hook, _ = make_webhook(
        team=team,
        by=owner,
        name="ci",
        url="https://hooks.example/" + "long/" * 30,
        events=["reference.import_failed"],
    )
    for status, answer in (("DONE", 204), ("WAITING", 500), ("FAILED", None)):
        last = WebhookDelivery.objects.create(
            webhook=hook,
            event="report.done",
            payload="{}",
            status=DeliveryStatus(status),
            attempts=2,
            answer=answer,
            trouble="" if answer == 204 else "The host did not answer in time.",
        )
    return last


def make_everything(name: str = "ada") -> Everything:
    owner = make_owner(name=name)
    team = team_of(owner)
    batch = make_batch(team=team, by=owner)
    for number in range(3):
        make_trajectory(batch=batch, number=number)
    make_trajectory(batch=batch, number=0, fault="wrong_argument")
    now = datetime.now(UTC)
    events = []
    for verdict, reason in ((Verdict.APPROVE, ""), (Verdict.REJECT, "policy")):
        slot = lease_next(user=owner, at=now)
        assert slot is not None
        events.append(
            submit_verdict(
                slot=slot,
                token=slot.token,
                reviewer=owner,
                verdict=verdict,
                reason=reason,
                at=now,
            )
        )
    release = freeze_release(team=team, name="first", by=owner, at=now)
    push = ReleasePush.objects.create(
        release=release,
        created_by=owner,
        repository=f"{name}/first",
        branch="main",
        private=True,
        stage=PushStage.PLANNED,
        found="private",
        files=[{"path": "README.md", "state": "changed", "bytes": 512, "sha256": ""}],
        others=["notes.txt"],
    )
    runs = evaluate(team, owner, batch)
    token, _ = make_token(
        membership=owner.memberships.get(),
        name="nightly",
        scope=Role.VIEWER,
        expires_at=now + timedelta(days=1),
        now=now,
    )
    IdempotentAnswer.objects.create(
        user=owner, key="once", fingerprint="00" * 32, status=201, body='{"id": 1}'
    )
    AuditCheck.objects.create(
        team=team, by=owner, finished_at=now, trouble="Link 3 is not what it was."
    )
    report = order_report(team=team, by=owner, batch=batch)
    make_report(report_id=report.pk)
    recipe = Recipe(cap=0, shares={"train": 0.9, "test": 0.1})
    draft = draft_release(team=team, name="first", by=owner, recipe=recipe)
    choose_members(release_id=draft.pk, revision=order_choice(draft))
    lot = {"kinds": ["exact", "said"]}
    plan = order_plan(team=team, by=owner, filters=lot, limit=0.1, seed=1)
    disputed = make_dispute(team=team)
    item = ReviewItem.objects.filter(team=team).order_by("pk")[0]
    colleague = make_reviewer(team=team, name=f"{name}-colleague")
    asked = add_comment(item=item, author=colleague, body=f"@{name} look", message=1)
    comment = add_comment(item=item, author=owner, body="Yes.", parent=asked)
    changes = (SetText(message=0, text="Good day!"), Remove(message=4))
    EditDraft.objects.create(
        item=item, user=owner, changes=dump_changes(changes), reason="Warmer."
    )
    endpoint = ModelEndpoint.objects.create(
        name=f"{name}'s", model="openai/mine", team=team
    )
    bring_in_a_reference(team, owner)
    left = make_trajectory(batch=batch, number=1)
    bulk = apply_bulk(
        items=[ReviewItem.objects.get(trajectory=left).pk],
        user=owner,
        team=team,
        verdict=Verdict.FIX,
        at=now,
    )
    for number in range(2):  # still to be judged
        make_trajectory(batch=batch, number=number)
    delivery = add_a_webhook(team, owner)
    own = {"team": team, "slug": "own", "title": "Own", "text": "Speaks plainly."}
    return Everything(
        owner=owner,
        team=team,
        batch=batch,
        item=item,
        disputed=disputed,
        event=events[0],
        release=release,
        draft=draft,
        push=push,
        runs=runs,
        token=token,
        report=report,
        plan=plan,
        bulk=bulk,
        view=save_view(user=owner, team=team, name="mine", filters={}),
        comment=comment,
        mention=Mention.objects.get(user=owner),
        endpoint=endpoint,
        persona=Persona.objects.create(**own),
        manner=BehaviourPlan.objects.create(**own),
        reference=ReferenceSet.objects.get(team=team),
        invitation=invite(
            team=team, by=owner, role=Role.VIEWER, at=timezone.now()
        ).invitation,
        colleague=colleague.memberships.get(),
        webhook=delivery.webhook,
        delivery=delivery,
    )
