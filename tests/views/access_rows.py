"""Who may do what, at every address: said here once more, by hand, so that a guard that is forgotten or changed is noticed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests import samples
from tests.everything import Everything
from writ_app.models.accounts import Role
from writ_app.models.review import ReviewSlot
from writ_app.services.review import lease_next
from writ_app.services.review.quality.disputes import ADJUDICATION

type Arguments = Callable[[Everything], dict[str, Any]]


@dataclass(frozen=True)
class Row:
    read: Role | None
    """None: whoever is signed in."""
    write: Role | None
    methods: str
    """Of GET and POST, those that it takes."""
    own: Arguments | None = None
    """Arguments of an address of something that is the team's."""
    shared: bool = False
    """What it shows is the site's: every team sees it."""
    personal: bool = False
    """What it shows is the owner's alone: others of the team may find nothing."""
    fresh: str = ""
    away: str = "not found"
    """What is answered where the thing is another team's, or not there."""
    query: Mapping[str, str] = field(default_factory=dict)
    post: Callable[[Everything], Mapping[str, Any]] = lambda world: {}
    """What is sent, where nothing would find nothing."""


def pk(name: str, **more: Any) -> Arguments:
    return lambda world: {"pk": getattr(world, name).pk, **more}


def environment(**more: Any) -> Arguments:
    return lambda world: {
        "name": world.batch.environment.name,
        "version": world.batch.environment.version,
        **more,
    }


def both(role: Role | None, own: Arguments | None = None, **more: Any) -> Row:
    """Looks and changes with the same role."""
    return Row(role, role, "GET POST", own, **more)


def looks(role: Role | None, own: Arguments | None = None, **more: Any) -> Row:
    return Row(role, role, "GET", own, **more)


def acts(role: Role | None, own: Arguments | None = None, **more: Any) -> Row:
    return Row(role, role, "POST", own, **more)


V, R, C, O = Role.VIEWER, Role.REVIEWER, Role.CURATOR, Role.OWNER  # noqa: E741


def _slot(world: Everything) -> dict[str, Any]:
    from django.utils import timezone

    slot = lease_next(user=world.owner, at=timezone.now())
    assert slot is not None
    return {"slot": slot.pk, "token": slot.token, "verdict": "APPROVE"}


def _place(world: Everything) -> dict[str, Any]:
    slot = ReviewSlot.objects.get(item=world.disputed, number=ADJUDICATION)
    return {"slot": slot.pk, "token": slot.token, "verdict": "APPROVE"}


def run(world: Everything) -> dict[str, Any]:
    return {"pk": world.runs[0].pk}


def _trial(world: Everything, number: int = 0) -> int:
    trial = world.runs[number].trial_rows.filter(status="DONE")[0]
    return int(trial.pk)


item, batch = pk("item"), pk("batch")
record = environment(collection="orders")
ORDER = {"key": next(iter(samples.raw_state()["orders"]))}
first = pk("reference", position=0)

ROWS: dict[str, Row] = {
    "home": both(V),
    # --- review
    "review": both(R, post=_slot),
    "review_undo": acts(R),
    "review_ahead": acts(R),
    "review_lease": acts(R, post=_slot),
    "review_release": acts(R),
    "review_back": both(R),
    "review_back_to": both(R, pk("event"), personal=True, away="sent to the queue"),
    "review_queue": both(R),
    "review_keys": both(R),
    "review_dashboard": both(V),
    "clusters": both(V),
    "cluster": both(V, lambda world: {"key": world.item.cluster}),
    "quality": Row(V, C, "GET POST"),
    "quality_canaries": both(V),
    "quality_plant": acts(C),
    "quality_agreement": both(V),
    "quality_disputes": both(V),
    "quality_dispute": Row(V, C, "GET POST", pk("disputed"), post=_place),
    "quality_lanes": both(V),
    "quality_order": acts(C),
    "quality_lane": both(V, pk("plan")),
    "quality_lane_approve": acts(C, pk("plan")),
    "quality_lane_undo": acts(C, pk("plan")),
    "quality_judges": both(V),
    # --- trajectories
    "trajectories": both(V),
    "trajectory_facets": both(V),
    "selection_jsonl": looks(C, fresh="all"),
    "selection_csv": looks(C, fresh="all"),
    "bulk": acts(R),
    "bulk_actions": both(V),
    "bulk_undo": acts(R, pk("bulk")),
    "saved_views": Row(V, R, "GET POST"),
    "saved_view": acts(R, pk("view"), personal=True),
    "rules": Row(V, R, "GET POST"),
    "rule_new": both(R),
    "trajectory": both(V, item),
    "trajectory_judge": acts(R, item),
    "trajectory_raw": both(V, item),
    "preview": both(V, item),
    "preview_raw": both(V, item, query={"format": "openai"}),
    "edit": both(R, item),
    "edit_reason": acts(R, item),
    "edit_save": acts(R, item),
    "edit_discard": acts(R, item),
    "edit_withdraw": acts(R, item),
    "talk": Row(V, R, "GET POST", item),
    "comment_withdraw": acts(R, pk("comment"), personal=True),
    "mentions": both(V),
    "mention": both(V, pk("mention"), personal=True),
    "trajectory_step": looks(V, pk("item", number=6)),
    "trajectory_step_text": looks(V, pk("item", number=6)),
    "trajectory_find": looks(V, item, query={"q": "order"}),
    "trajectory_replay": looks(V, item, query={"without": "1"}),
    "siblings": both(V, item),
    # --- catalog
    "references": both(V),
    "reference_new": both(C),
    "reference_delete": acts(C, pk("reference")),
    "reference_set": both(V, pk("reference")),
    "reference": both(V, first),
    "reference_raw": both(V, first),
    "tasks": both(V),
    "task": both(V, lambda world: {"pk": world.item.task_id}),
    "task_raw": both(V, lambda world: {"pk": world.item.task_id}),
    "environments": both(V),
    "environment": both(V, environment(), shared=True),
    "environment_policy": both(V, environment(), shared=True),
    "environment_tools": both(V, environment(), shared=True),
    "environment_state": both(V, environment(collection="orders"), shared=True),
    "environment_record": both(V, record, shared=True, query=ORDER),
    "environment_record_raw": both(V, record, shared=True, query=ORDER),
    "environment_console": Row(V, R, "GET POST", environment(), shared=True),
    "environment_console_reset": acts(R, environment(), shared=True),
    # --- synthesis
    "batches": both(V),
    "batch_new": both(O),
    "batch": both(V, batch),
    "batch_detail": both(V, batch),
    "batch_pause": acts(O, batch),
    "batch_resume": acts(O, batch),
    "batch_retry": acts(O, batch),
    "batch_cancel": acts(O, batch),
    "batch_results": both(C, batch, fresh="all"),
    "batch_behaviour": both(V, batch),
    "batch_behaviour_raw": both(V, batch),
    "endpoints": both(V),
    "endpoint_new": both(O),
    "endpoint": both(O, pk("endpoint")),
    "endpoint_try": acts(O, pk("endpoint")),
    "endpoint_enable": acts(O, pk("endpoint")),
    "verification": both(V),
    "verification_run": acts(C),
    "behaviour": both(V),
    "persona_new": both(C),
    "persona": Row(V, C, "GET POST", pk("persona")),
    "persona_enabled": acts(C, pk("persona")),
    "plan_new": both(C),
    "plan": Row(V, C, "GET POST", pk("manner")),
    "plan_enabled": acts(C, pk("manner")),
    # --- releases and reports
    "releases": Row(V, C, "GET POST"),
    "release_compare": both(V),
    "release": both(V, pk("release")),
    "release_draft": Row(V, C, "GET POST", pk("draft")),
    "release_choose": acts(C, pk("draft")),
    "release_freeze": acts(C, pk("draft")),
    "release_discard": acts(C, pk("draft")),
    "release_members": both(V, pk("release")),
    "release_refusals": both(V, pk("draft")),
    "release_zip": looks(V, pk("release"), fresh="all"),
    "release_file": looks(V, pk("release", path="manifest.json"), fresh="all"),
    "reports": both(V),
    "report_order": acts(R),
    "report": both(V, pk("report")),
    "report_file": both(V, pk("report", suffix="json")),
    "release_push": Row(O, O, "GET POST", pk("release"), fresh="write"),
    "release_push_send": acts(O, pk("release"), fresh="write"),
    # --- evaluation
    "evaluations": both(V),
    "evaluation_new": both(O),
    "evaluation_import": both(C),
    "evaluation": both(V, run),
    "evaluation_trial": both(V, lambda world: {"pk": _trial(world)}),
    "evaluation_compare": both(V),
    "evaluation_beside": both(
        V, lambda world: {"left": _trial(world), "right": _trial(world, 1)}
    ),
    "evaluation_file": looks(C, run, fresh="all"),
    "evaluation_pause": acts(O, run),
    "evaluation_resume": acts(O, run),
    "evaluation_retry": acts(O, run),
    "evaluation_cancel": acts(O, run),
    # --- the log and the API
    "audit": looks(O),
    "audit_jsonl": looks(O, fresh="all"),
    "audit_csv": looks(O, fresh="all"),
    "audit_verify": acts(O),
    "tokens": both(V, fresh="write"),
    "token_revoke": acts(V, pk("token"), personal=True),
    "api_docs": both(V),
    "api_chapter": both(V, lambda world: {"slug": "batches"}, shared=True),
    # --- webhooks
    "webhooks": looks(O),
    "webhook_new": both(O, fresh="write"),
    "webhook": both(O, pk("webhook"), fresh="write"),
    "webhook_enable": acts(O, pk("webhook")),
    "webhook_delete": acts(O, pk("webhook")),
    "webhook_reset": acts(O, pk("webhook"), fresh="all"),
    "webhook_try": acts(O, pk("webhook")),
    "delivery_send": acts(O, pk("delivery")),
    # --- people
    "profile": both(None, fresh="write"),
    "confirm": both(None),
    "password": both(None),
    "sessions": both(None),
    "session_end": acts(None),
    "second_factor": both(None),
    "second_factor_new": both(None, fresh="all"),
    "second_factor_off": acts(None, fresh="all"),
    "recovery_codes": acts(None, fresh="all"),
    "team": both(V),
    "team_settings": acts(O, fresh="all"),
    "team_new": both(O, fresh="write"),
    "team_switch": acts(None),
    "team_leave": acts(V, fresh="all"),
    "team_invite": acts(O, fresh="all"),
    "member_role": acts(O, pk("colleague"), fresh="all"),
    "member_remove": acts(O, pk("colleague"), fresh="all"),
    "invitation_revoke": acts(O, pk("invitation")),
}
