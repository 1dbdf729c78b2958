"""Every address that changes something leaves an entry in the audit log, or says here why not.

A view that takes a POST is known by what it is: it takes nothing else, or its code asks for the method or for what was posted.
A new one that is in neither list fails.
"""

import inspect
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.factories import (
    judge,
    make_batch,
    make_dispute,
    make_owner,
    make_reviewer,
    make_slot,
    make_trajectory,
    team_of,
)
from tests.views.test_access import patterns
from tests.views.test_edits import GREETING
from tests.views.test_endpoints import GIVEN as ENDPOINT
from tests.views.test_releases import begin, told
from writ_app.engine.evaluation.summary import LEFT_OUT
from writ_app.models.accounts import Team, User
from writ_app.models.audit import AuditEntry
from writ_app.models.behaviour import BehaviourPlan, Persona
from writ_app.models.catalog import ReferenceSet
from writ_app.models.curation import Comment, SamplingPlan, SavedView
from writ_app.models.evaluation import EvaluationRun
from writ_app.models.release import PushStage, Release, ReleasePush
from writ_app.models.review import BulkAction, ReviewItem, ReviewSlot, Verdict
from writ_app.models.synthesis import Batch, BatchStatus, ModelEndpoint, Trajectory
from writ_app.models.tokens import ApiToken
from writ_app.models.webhooks import Webhook
from writ_app.services import evaluation
from writ_app.services.release import freeze_release
from writ_app.services.review.queue import take
from writ_app.services.synthesis import sync_built_in
from writ_app.services.webhooks.keeping import make_webhook

pytestmark = pytest.mark.django_db

HOOK: dict[str, Any] = {
    "name": "ci",
    "url": "https://hooks.example/",
    "events": ["report.done"],
}

EXEMPT = {
    "account_login": "the same address as login, by the name that the second step knows",
    "confirm": "a proof that opens the next page, and changes nothing",
    "invitation": "recorded with the accounts: who takes it may have no team yet",
    "mfa_authenticate": "recorded with the accounts, as login",
    "password": "recorded with the accounts, and of no team",
    "password_reset": "the same",
    "password_reset_confirm": "the same",
    "profile": "the same",
    "recovery_codes": "the same",
    "second_factor_new": "the same",
    "second_factor_off": "the same",
    "session_end": "the same",
    "team_switch": "in which team one person works next",
    "login": "recorded with the accounts, where signing in is",
    "logout": "ends a session, changes nothing of a team",
    "theme": "how pages look to one person",
    "review_ahead": "a lease of minutes on what is read next, given back by itself",
    "review_lease": "the same, held on",
    "review_release": "the same, given back",
    "review_queue": "the order in which one person sees what waits",
    "review_keys": "one person's keys",
    "mentions": "one person has seen what names them",
    "task": "shows what one read tells; nothing is stored",
    "trajectory_judge": "a lease on one trajectory; the verdict is what counts",
    "edit": "a draft that only its author sees; the version is recorded when it is saved",
    "edit_reason": "the same",
    "edit_discard": "the same, thrown away",
    "environment_console": "a scratch session that changes no environment",
    "environment_console_reset": "the same",
    "endpoint_try": "asks a model for a few words; changes nothing",
    "audit_verify": "orders a walk of the chain, which is kept as a check of its own",
}


@dataclass
class World:
    """A team with two trajectories that were accepted, and its owner's browser."""

    owner: User
    team: Team
    batch: Batch
    rows: list[Trajectory]
    page: Client

    def post(self, name: str, /, *args: object, query: str = "", **fields: Any) -> None:
        """What the page sends. It must be taken: no error, and no form that is shown again."""
        answer = self.page.post(reverse(name, args=args) + query, fields)
        assert answer.status_code in (200, 204, 302), answer.content[:2000]
        if answer.status_code == 302:
            assert "/login/" not in answer.headers["Location"]


@pytest.fixture
def world(client: Client, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("HF_TOKEN", "hf_none")
    owner = make_owner(name="ada")
    batch = make_batch(team=team_of(owner), by=owner, name="morning")
    rows = [make_trajectory(batch=batch, number=number) for number in range(2)]
    client.force_login(owner)
    sync_built_in()
    return World(owner, team_of(owner), batch, rows, client)


type Act = Callable[[World], None]
ACTS: dict[str, tuple[str, Act]] = {}
"""Name of the address → (the action that is to be in the log, what somebody does on the page)."""


def act(name: str, action: str) -> Callable[[Act], Act]:
    def keep(made: Act) -> Act:
        ACTS[name] = (action, made)
        return made

    return keep


def held(world: World, row: Trajectory) -> dict[str, int]:
    slot = make_slot(trajectory=row)
    take(slot=slot, user=world.owner, at=timezone.now())
    return {"slot": slot.pk, "token": slot.token}


@act("review", "verdict.give")
def give_a_verdict(world: World) -> None:
    world.post("review", **held(world, world.rows[0]), verdict="APPROVE")


@act("review_undo", "verdict.withdraw")
def take_it_back(world: World) -> None:
    judge(world.rows[0], Verdict.APPROVE, world.owner)
    world.post("review_undo")


@act("quality", "review_policy.change")
def change_the_policy(world: World) -> None:
    given = {"second_share": "100", "canary_share": "4"}
    world.post("quality", **given, lease_seconds="120", ahead="3")


@act("quality_plant", "canary.plant")
def plant(world: World) -> None:
    world.post("quality_plant", count="1")


@act("quality_dispute", "verdict.give")
def settle(world: World) -> None:
    item = make_dispute(team=world.team)
    world.page.get(reverse("quality_dispute", args=[item.pk]))
    slot = ReviewSlot.objects.get(item=item, number=0)
    given = {"slot": slot.pk, "token": slot.token, "verdict": "APPROVE"}
    world.post("quality_dispute", item.pk, **given)


@act("quality_order", "lane.order")
def order_a_sample(world: World) -> None:
    for number in range(12):
        make_trajectory(batch=world.batch, number=number % 4)
    world.post("quality_order", limit="0.1")


@act("quality_lane_approve", "lane.approve")
def approve_the_rest(world: World) -> None:
    order_a_sample(world)
    plan = SamplingPlan.objects.get()
    for planned in plan.items.filter(sampled=True):
        row = Trajectory.objects.get(pk=planned.item_id)
        judge(row, Verdict.APPROVE, world.owner)
    world.post("quality_lane_approve", plan.pk)


@act("quality_lane_undo", "lane.undo")
def take_the_sample_back(world: World) -> None:
    order_a_sample(world)
    world.post("quality_lane_undo", SamplingPlan.objects.get().pk)


@act("bulk", "bulk.apply")
def judge_many(world: World) -> None:
    world.post("bulk", act="FIX", scope="all", confirmed="yes")


@act("bulk_undo", "bulk.undo")
def take_many_back(world: World) -> None:
    judge_many(world)
    world.post("bulk_undo", BulkAction.objects.get().pk)


@act("saved_views", "view.save")
def save_a_view(world: World) -> None:
    world.post("saved_views", query="?archetype=R1", name="mine", shared="on")


@act("saved_view", "view.delete")
def delete_a_view(world: World) -> None:
    save_a_view(world)
    row = SavedView.objects.get()
    world.post("saved_view", row.pk, act="change", name="renamed")
    assert AuditEntry.objects.filter(action="view.change").exists()
    world.post("saved_view", row.pk, act="delete")


@act("rule_new", "rule.apply")
def apply_a_rule(world: World) -> None:
    event = judge(world.rows[0], Verdict.REJECT, world.owner, reason="policy")
    world.post("rule_new", event=event.pk, name="all of R1", archetype="R1")


@act("edit_save", "version.save")
def save_a_version(world: World) -> None:
    world.post("edit", world.rows[0].pk, **GREETING)
    world.post("edit_save", world.rows[0].pk, reason="Warmer.")


@act("edit_withdraw", "version.withdraw")
def withdraw_a_version(world: World) -> None:
    save_a_version(world)
    world.post("edit_withdraw", ReviewItem.objects.get(number=2).pk)


@act("talk", "comment.add")
def comment(world: World) -> None:
    world.post("talk", world.rows[0].pk, body="First.")


@act("comment_withdraw", "comment.withdraw")
def withdraw_a_comment(world: World) -> None:
    comment(world)
    world.post("comment_withdraw", Comment.objects.get().pk)


@act("reference_new", "reference_set.upload")
def upload(world: World) -> None:
    row = {"messages": [{"role": "user", "content": "Hello."}]}
    file = SimpleUploadedFile("some.jsonl", json.dumps(row).encode())
    world.post("reference_new", file=file, name="Mine")


@act("reference_delete", "reference_set.delete")
def delete_a_reference(world: World) -> None:
    row = ReferenceSet.objects.create(
        team=world.team, name="x", format="openai", content_hash="0" * 64, content={}
    )
    world.post("reference_delete", row.pk)


@act("batch_new", "batch.order")
def order_a_batch(world: World) -> None:
    form = world.page.get(reverse("batch_new")).context["form"]
    given = {name: form[name].value() for name in form.fields}
    given |= {"name": "evening", "ordered": "2", "by": "mix"}
    known = {name: value for name, value in given.items() if value not in (None, False)}
    world.post("batch_new", **known)


def in_state(world: World, status: BatchStatus) -> int:
    Batch.objects.filter(pk=world.batch.pk).update(status=status)
    return world.batch.pk


@act("batch_pause", "batch.pause")
def pause(world: World) -> None:
    world.post("batch_pause", in_state(world, BatchStatus.RUNNING))


@act("batch_resume", "batch.resume")
def resume(world: World) -> None:
    world.post("batch_resume", in_state(world, BatchStatus.PAUSED), max_tokens="900")
    assert AuditEntry.objects.filter(action="batch.caps").exists()


@act("batch_retry", "batch.retry")
def retry(world: World) -> None:
    Trajectory.objects.filter(pk=world.rows[0].pk).update(
        ended_by="infrastructure_error"
    )
    world.post("batch_retry", world.batch.pk)


@act("batch_cancel", "batch.cancel")
def cancel(world: World) -> None:
    world.post("batch_cancel", in_state(world, BatchStatus.RUNNING))


@act("endpoint_new", "endpoint.save")
def add_a_model(world: World) -> None:
    world.post("endpoint_new", **ENDPOINT)


@act("endpoint", "endpoint.save")
def change_a_model(world: World) -> None:
    add_a_model(world)
    pk = ModelEndpoint.objects.get().pk
    world.post(
        "endpoint", pk, **{**ENDPOINT, "prompt_price": "1", "completion_price": "2"}
    )
    entry = AuditEntry.objects.order_by("pk").last()
    assert entry
    assert entry.before["prompt_price"] != entry.after["prompt_price"]


@act("endpoint_enable", "endpoint.enable")
def offer_a_model(world: World) -> None:
    add_a_model(world)
    world.post("endpoint_enable", ModelEndpoint.objects.get().pk, disable="1")


@act("verification_run", "verification.order")
def verify_again(world: World) -> None:
    world.post("verification_run")


def conduct(world: World, kind: str) -> None:
    form = world.page.get(
        reverse(f"{kind}_new"), {"from": built_in(kind)}
    ).context["form"]  # fmt: skip
    given = {name: form[name].value() for name in form.fields}
    world.post(f"{kind}_new", **{k: v for k, v in given.items() if v is not None})


def built_in(kind: str) -> int:
    model: Any = {"persona": Persona, "plan": BehaviourPlan}[kind]
    pk: int = model.objects.filter(team=None).earliest("pk").pk
    return pk


def change_conduct(world: World, kind: str) -> None:
    conduct(world, kind)
    model: Any = {"persona": Persona, "plan": BehaviourPlan}[kind]
    row = model.objects.get(team=world.team)
    form = world.page.get(reverse(kind, args=[row.pk])).context["form"]
    given = {name: form[name].value() for name in form.fields}
    given["title"] = "Another"
    world.post(kind, row.pk, **{k: v for k, v in given.items() if v is not None})
    entry = AuditEntry.objects.order_by("pk").last()
    assert entry
    assert entry.after["title"] == "Another" != entry.before["title"]


for kind in ("persona", "plan"):
    act(f"{kind}_new", f"{kind}.save")(lambda world, kind=kind: conduct(world, kind))
    act(kind, f"{kind}.save")(lambda world, kind=kind: change_conduct(world, kind))
    act(f"{kind}_enabled", f"{kind}.enable")(
        lambda world, kind=kind: world.post(f"{kind}_enabled", built_in(kind))
    )


@act("releases", "release.draft")
def draft(world: World) -> None:
    world.post("releases", name="first")


def chosen(world: World) -> Release:
    for row in world.rows:
        judge(row, Verdict.APPROVE, world.owner)
    row = begin(world.page)
    world.post("release_draft", row.pk, **told(row, licence="MIT"))
    return row


@act("release_draft", "release.change")
def change_a_draft(world: World) -> None:
    chosen(world)


@act("release_choose", "release.choose")
def choose(world: World) -> None:
    row = chosen(world)
    before = AuditEntry.objects.filter(action="release.choose").count()
    world.post("release_choose", row.pk)
    assert AuditEntry.objects.filter(action="release.choose").count() == before + 1


@act("release_freeze", "release.freeze")
def freeze(world: World) -> None:
    world.post("release_freeze", chosen(world).pk)


@act("release_discard", "release.discard")
def discard(world: World) -> None:
    world.post("release_discard", begin(world.page).pk)


@act("report_order", "report.order")
def order_a_report(world: World) -> None:
    world.post("report_order", batch=world.batch.pk)


def hook_of(world: World) -> Webhook:
    row, _ = make_webhook(team=world.team, by=world.owner, **HOOK)
    return row


@act("webhook_new", "webhook.make")
def make_a_webhook(world: World) -> None:
    world.post("webhook_new", **HOOK)


@act("webhook", "webhook.change")
def change_a_webhook(world: World) -> None:
    world.post("webhook", hook_of(world).pk, **{**HOOK, "name": "other"})


@act("webhook_enable", "webhook.disable")
def disable_a_webhook(world: World) -> None:
    world.post("webhook_enable", hook_of(world).pk, disable="1")


@act("webhook_delete", "webhook.delete")
def delete_a_webhook(world: World) -> None:
    world.post("webhook_delete", hook_of(world).pk)


@act("webhook_reset", "webhook.secret")
def renew_a_secret(world: World) -> None:
    world.post("webhook_reset", hook_of(world).pk)


@act("webhook_try", "webhook.test")
def try_a_webhook(world: World) -> None:
    world.post("webhook_try", hook_of(world).pk)


@act("delivery_send", "webhook.again")
def send_it_again(world: World) -> None:
    row = hook_of(world)
    over = {"event": "report.done", "payload": "{}", "status": "FAILED"}
    world.post("delivery_send", row.deliveries.create(**over).pk)


@act("release_push", "release.plan_push")
def plan_a_push(world: World) -> None:
    world.post("release_push", frozen(world).pk, repository="ada/first", branch="main")


@act("release_push_send", "release.push")
def send_a_push(world: World) -> None:
    row = frozen(world)
    push = ReleasePush.objects.create(
        release=row,
        created_by=world.owner,
        repository="ada/first",
        branch="main",
        private=True,
        stage=PushStage.PLANNED,
    )
    world.post("release_push_send", row.pk, push=push.pk)


def frozen(world: World) -> Release:
    judge(world.rows[0], Verdict.APPROVE, world.owner)
    return freeze_release(
        team=world.team, name="sent", by=world.owner, at=timezone.now()
    )


@act("tokens", "token.make")
def make_a_token(world: World) -> None:
    world.post("tokens", name="nightly", scope="VIEWER", days="90")


@act("token_revoke", "token.revoke")
def revoke_a_token(world: World) -> None:
    make_a_token(world)
    world.post("token_revoke", ApiToken.objects.get().pk)


@act("team_new", "team.create")
def make_a_team(world: World) -> None:
    world.post("team_new", name="Another")


@act("team_settings", "team.change")
def change_the_team(world: World) -> None:
    world.post("team_settings", name="Renamed")


@act("team_invite", "invitation.create")
def hold_a_place(world: World) -> None:
    world.post("team_invite", role="VIEWER", email="")


@act("invitation_revoke", "invitation.revoke")
def give_a_place_back(world: World) -> None:
    hold_a_place(world)
    world.post("invitation_revoke", world.team.invitations.get().pk)


@act("member_role", "member.role")
def change_a_role(world: World) -> None:
    colleague = make_reviewer(team=world.team).memberships.get()
    world.post("member_role", colleague.pk, role="CURATOR")


@act("member_remove", "member.remove")
def remove_a_member(world: World) -> None:
    world.post("member_remove", make_reviewer(team=world.team).memberships.get().pk)


@act("team_leave", "member.remove")
def leave_a_team(world: World) -> None:
    make_owner(team=world.team)
    world.post("team_leave")


def ordered_run(world: World) -> EvaluationRun:
    return evaluation.order_run(
        team=world.team,
        by=world.owner,
        name="gold",
        tasks=evaluation.batch_set(world.batch),
        trials=1,
        script="gold",
    )


@act("evaluation_new", "evaluation.order")
def order_an_evaluation(world: World) -> None:
    world.post(
        "evaluation_new",
        name="Nightly",
        source="BATCH",
        batch=world.batch.pk,
        agent="gold",
        trials=1,
        seed=300,
        hard="4, 7",
    )


@act("evaluation_import", "evaluation.upload")
def upload_results(world: World) -> None:
    world.post("evaluation_import", file=SimpleUploadedFile("some.json", b"{}"))


@act("evaluation_pause", "evaluation.pause")
def pause_an_evaluation(world: World) -> None:
    world.post("evaluation_pause", ordered_run(world).pk)


@act("evaluation_resume", "evaluation.resume")
def resume_an_evaluation(world: World) -> None:
    run = ordered_run(world)
    world.post("evaluation_pause", run.pk)
    world.post("evaluation_resume", run.pk)


@act("evaluation_cancel", "evaluation.cancel")
def cancel_an_evaluation(world: World) -> None:
    world.post("evaluation_cancel", ordered_run(world).pk)


@act("evaluation_retry", "evaluation.retry")
def retry_an_evaluation(world: World) -> None:
    run = ordered_run(world)
    run.trial_rows.update(
        status="DONE", ended_by=next(iter(LEFT_OUT)), messages=[], reward_without=0
    )
    EvaluationRun.objects.filter(pk=run.pk).update(status="DONE")
    world.post("evaluation_retry", run.pk)


def changing() -> set[str]:
    """Names of the addresses that take what is posted."""
    return {str(entry.name) for entry in patterns() if _changes(entry.callback)}


def _changes(view: Any) -> bool:
    if inspect.isclass(getattr(view, "view_class", None)):
        return hasattr(view.view_class, "post")
    code = inspect.getsource(inspect.unwrap(view))  # with what it is decorated with
    asks = ("require_POST", "request.POST", "request.FILES", "request.method")
    return any(word in code for word in asks)


class TestEveryAct:
    def test_is_recorded_or_has_a_reason_not_to_be(self) -> None:
        assert changing() == ACTS.keys() | EXEMPT.keys()
        assert not ACTS.keys() & EXEMPT.keys()
        assert all(EXEMPT.values())

    @pytest.mark.parametrize("name", ACTS)
    def test_leaves_an_entry_of_who_did_it(self, world: World, name: str) -> None:
        action, do = ACTS[name]

        do(world)

        entry = AuditEntry.objects.filter(action=action).order_by("pk").last()
        assert entry is not None, sorted(
            AuditEntry.objects.values_list("action", flat=True)
        )
        assert entry.team == (Team.objects.last() if name == "team_new" else world.team)
        assert entry.actor == world.owner
        assert entry.door == "web"
        assert entry.request_id

    @pytest.mark.parametrize("name", EXEMPT)
    def test_that_is_exempt_is_there(self, name: str) -> None:
        assert name in {entry.name for entry in patterns()}


class TestWhatIsTakenAway:
    @pytest.mark.parametrize(
        ("name", "action"),
        [
            ("selection_jsonl", "trajectories.export"),
            ("selection_csv", "trajectories.export"),
            ("release_zip", "release.download"),
            ("release_file", "release.download"),
            ("batch_results", "batch.export"),
            ("audit_jsonl", "audit.export"),
            ("audit_csv", "audit.export"),
        ],
    )
    def test_leaves_an_entry(self, world: World, name: str, action: str) -> None:
        arguments: list[object] = []
        if name.startswith("release"):
            freeze(world)
            arguments = [Release.objects.get().pk]
            arguments += ["manifest.json"] if name == "release_file" else []
        elif name == "batch_results":
            arguments = [world.batch.pk]

        answer = world.page.get(reverse(name, args=arguments))

        assert answer.status_code == 200
        answer.getvalue()  # to its end
        entry = AuditEntry.objects.get(action=action)
        assert (entry.actor, entry.team) == (world.owner, world.team)
