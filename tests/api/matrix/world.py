"""Two teams with one of everything, and a member of every role in the first."""

from dataclasses import dataclass

from django.core.files.base import ContentFile

from tests.api.client import Person, Program, token_of
from tests.factories import (
    judge,
    make_batch,
    make_dispute,
    make_member,
    make_owner,
    make_slot,
    make_team,
    make_trajectory,
)
from tests.releases import NOW
from writ_app.engine.evaluation.summary import LEFT_OUT
from writ_app.models.accounts import Invitation, Membership, Role, Team, User
from writ_app.models.behaviour import BehaviourPlan, Persona
from writ_app.models.catalog import (
    Environment,
    ReferenceImport,
    ReferenceSet,
    ReferenceTrajectory,
    Task,
)
from writ_app.models.curation import Comment, SamplingPlan, SavedView
from writ_app.models.evaluation import (
    EvaluationImport,
    EvaluationRun,
    EvaluationTrial,
    TrialStatus,
)
from writ_app.models.release import PushStage, Release, ReleasePush
from writ_app.models.report import Report
from writ_app.models.review import BulkAction, ReviewItem, ReviewSlot, Verdict
from writ_app.models.synthesis import Batch, ModelEndpoint, Simulation, Trajectory
from writ_app.models.tokens import ApiToken
from writ_app.models.verification import Reverification
from writ_app.models.webhooks import DeliveryStatus, Webhook, WebhookDelivery
from writ_app.services.accounts.invitations import invite
from writ_app.services.catalog.uploads import keep_upload
from writ_app.services.evaluation import batch_set, order_run
from writ_app.services.evaluation.uploads import keep_results
from writ_app.services.release import (
    choose_members,
    draft_release,
    freeze_release,
    order_choice,
)
from writ_app.services.reports import making
from writ_app.services.reports.making import order_report
from writ_app.services.review.comments import add_comment
from writ_app.services.review.quality.sampling import order_plan
from writ_app.services.review.saved import save_view
from writ_app.services.synthesis.verifying import order_reverification
from writ_app.services.webhooks.keeping import make_webhook


@dataclass
class Side:
    """One team's rows. Rooms add theirs in `make`."""

    team: Team
    owner: User
    member: Membership
    invitation: Invitation
    batch: Batch
    running: Batch
    paused: Batch
    trajectory: Trajectory
    simulation: Simulation
    task: Task
    environment: Environment
    endpoint: ModelEndpoint
    persona: Persona
    plan: BehaviourPlan
    token: ApiToken
    reference_set: ReferenceSet
    upload: ReferenceImport
    report: Report
    reverification: Reverification
    webhook: Webhook
    delivery: WebhookDelivery
    view: SavedView
    draft: Release
    frozen: Release
    push: ReleasePush
    slot: ReviewSlot
    comment: Comment
    bulk: BulkAction
    dispute: ReviewItem
    sampling: SamplingPlan
    run: EvaluationRun
    trial: EvaluationTrial
    results: EvaluationImport


def make_side(name: str, *, number: int) -> Side:
    team = make_team()
    owner = make_owner(team=team)
    token_of(owner)
    batch = make_batch(team=team, by=owner)
    trajectory = make_trajectory(batch=batch, number=number)
    judge(make_trajectory(batch=batch, number=number), Verdict.APPROVE, owner)
    frozen = freeze_release(team=team, name="frozen", by=owner, at=NOW)
    conduct = {"team": team, "slug": "terse", "title": "Terse", "text": "Says little."}
    return Side(
        team=team,
        owner=owner,
        member=make_member(team=team, role=Role.VIEWER).memberships.get(),
        invitation=invite(team=team, by=owner, role=Role.VIEWER, at=NOW).invitation,
        batch=batch,
        running=make_batch(team=team, by=owner, status="RUNNING"),
        paused=make_batch(team=team, by=owner, status="PAUSED"),
        trajectory=trajectory,
        simulation=trajectory.simulation,
        task=trajectory.simulation.task,
        environment=batch.environment,
        endpoint=ModelEndpoint.objects.create(
            team=team, name=f"{name}-model", model="openai/model"
        ),
        persona=Persona.objects.create(**conduct),
        plan=BehaviourPlan.objects.create(**conduct),
        token=ApiToken.objects.get(membership__team=team),
        reference_set=bring_in(team, name),
        upload=keep_upload(team=team, by=owner, file=ContentFile(b"{}", "x.jsonl")),
        report=make_report(team, owner, batch),
        reverification=order_reverification(team=team, by=owner),
        webhook=(hook := make_hook(team, owner)),
        delivery=WebhookDelivery.objects.create(
            webhook=hook,
            event="report.done",
            payload="{}",
            status=DeliveryStatus.FAILED,
            next_at=None,
        ),
        view=save_view(user=owner, team=team, name="all", filters={}, shared=True),
        draft=make_draft(team, owner),
        frozen=frozen,
        push=ReleasePush.objects.create(
            release=frozen,
            repository=f"{name}/first",
            branch="main",
            private=True,
            stage=PushStage.PLANNED,
            created_by=owner,
        ),
        slot=make_slot(trajectory=trajectory),
        comment=add_comment(
            item=ReviewItem.objects.get(pk=trajectory.pk), author=owner, body="Odd."
        ),
        bulk=BulkAction.objects.create(
            team=team, by=owner, verdict=Verdict.APPROVE, undone_at=NOW
        ),
        dispute=make_dispute(team=team),
        sampling=order_plan(team=team, by=owner, filters={}, limit=0.1, seed=1),
        run=(run := evaluate(team, owner, batch, trajectory)),
        trial=run.trial_rows.get(ended_by="user_stop"),
        results=keep_results(
            team=team, by=owner, file=ContentFile(b"{}", "results.json")
        ),
    )


def evaluate(
    team: Team, owner: User, batch: Batch, played: Trajectory
) -> EvaluationRun:
    """A run of which one trial is done; the others wait, or were a provider's fault."""
    run = order_run(
        team=team,
        by=owner,
        name="nightly",
        tasks=batch_set(batch),
        trials=3,
        script="gold",
    )
    first, second, _ = run.trial_rows.order_by("task", "trial")[:3]
    for row, ended_by in ((first, "user_stop"), (second, next(iter(LEFT_OUT)))):
        row.status, row.ended_by = TrialStatus.DONE, ended_by
        row.messages = played.content["messages"]
        row.reward = row.reward_without = 1.0
        row.save()
    return run


def make_draft(team: Team, owner: User) -> Release:
    draft = draft_release(team=team, name="draft", by=owner)
    choose_members(release_id=draft.pk, revision=order_choice(draft))
    return Release.objects.get(pk=draft.pk)


def bring_in(team: Team, name: str) -> ReferenceSet:
    row = ReferenceSet.objects.create(
        team=team,
        name=name,
        format="openai_chat",
        content_hash=name,
        content={"note": "kept"},
    )
    ReferenceTrajectory.objects.create(
        reference_set=row,
        position=0,
        simulation_id="s",
        task_id="row 1",
        ended_by="",
        steps=1,
        messages=[{"role": "user", "content": "hello"}],
        content={},
    )
    return row


def make_hook(team: Team, owner: User) -> Webhook:
    row, _ = make_webhook(
        team=team,
        by=owner,
        name="ci",
        url="https://hooks.example/",
        events=["report.done"],
    )
    return row


def make_report(team: Team, owner: User, batch: Batch) -> Report:
    report = order_report(team=team, by=owner, batch=batch)
    assert making.make_report(report_id=report.pk)
    return Report.objects.get(pk=report.pk)


@dataclass
class World:
    own: Side
    foreign: Side
    programs: dict[Role, Program]
    people: dict[Role, Person]


def make_world() -> World:
    own, foreign = make_side("own", number=0), make_side("foreign", number=1)
    members = {role: make_member(team=own.team, role=role) for role in Role}
    return World(
        own,
        foreign,
        {role: Program(one) for role, one in members.items()},
        {role: Person(one) for role, one in members.items()},
    )
