"""What the versions of the verification say, what changed between two of them, and judging everything anew."""

from functools import partial
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from writ_app.engine.verification import VERSION
from writ_app.forms.verification import ACCEPTED, VerificationFilter
from writ_app.jobs.verification import reverify
from writ_app.models.accounts import Team
from writ_app.models.review import ReviewItem
from writ_app.models.synthesis import Batch
from writ_app.models.verification import Reverification
from writ_app.services.release import released_but_rejected
from writ_app.services.review.reverifying import outdated_versions
from writ_app.services.synthesis import verifying
from writ_app.views.access import MemberRequest, curator_required, viewer_required
from writ_app.views.page import render_page, wants_fragment

LISTED = 20
CHOICES = 200
"""Batches to choose from, the latest."""


@viewer_required
def verification(request: MemberRequest) -> HttpResponse:
    """Of one batch or of everything: which versions judged, what moved between two, what rests on what moved."""
    batches = Batch.objects.visible_to(request.user).filter(team=request.team)
    chosen = VerificationFilter(request.GET, batches=batches).chosen()
    context = _progress(request.team, chosen["batch"])
    if not wants_fragment(request):  # which comes every other second
        context |= {
            "batches": batches.order_by("-id").only("id", "name")[:CHOICES],
            **_changes(request.team, chosen),
            **_consequences(request.team, chosen["batch"]),
        }
    return render_page(
        request, "verification/verification.html", context, fragment="order"
    )


def _progress(team: Team, batch: Batch | None) -> dict[str, Any]:
    trajectories = verifying.trajectories_of(team, batch)
    orders = Reverification.objects.filter(team=team, batch=batch)
    order = orders.select_related("created_by").first()
    return {
        "batch": batch,
        "version": VERSION,
        "total": trajectories.count(),
        "outdated": trajectories.exclude(version=VERSION).count()
        + outdated_versions(team, batch).count(),
        "order": order,
        "live": order is not None and order.finished_at is None,
    }


def _changes(team: Team, chosen: dict[str, Any]) -> dict[str, Any]:
    """Between the versions that were chosen, or the last two that judged."""
    batch = chosen["batch"]
    versions = verifying.versions_of(team, batch)
    names = [line.version for line in versions]
    after = chosen["after"] if chosen["after"] in names else next(iter(names), "")
    others = [name for name in names if name != after]
    before = chosen["before"] if chosen["before"] in others else next(iter(others), "")
    context = {"versions": versions, "before": before, "after": after}
    if before:
        context["comparison"] = verifying.compare_versions(
            before=before, after=after, team=team, batch=batch
        )
        context |= _opened(chosen, team, before, after)
    return context


def _consequences(team: Team, batch: Batch | None) -> dict[str, Any]:
    """Approvals and releases that rest on judgements that are no longer so."""
    trajectories = verifying.trajectories_of(team, batch)
    doubtful = ReviewItem.objects.approved_but_rejected().filter(
        trajectory__in=trajectories
    )
    return {
        "doubtful_count": doubtful.count(),
        "doubtful": doubtful.narrow()
        .select_related("trajectory")
        .only("reason", "trajectory__version")
        .order_by("id")[:LISTED],
        "releases": released_but_rejected(trajectories),
    }


def _opened(
    chosen: dict[str, Any], team: Team, before: str, after: str
) -> dict[str, Any]:
    """The trajectories of one change, some at a time; nothing if none was chosen."""
    if not chosen["was"] or not chosen["now"]:
        return {}
    was, now = (
        "" if chosen[end] == ACCEPTED else chosen[end] for end in ("was", "now")
    )
    pairs = verifying.changed_judgements(
        before=before,
        after=after,
        was=was,
        now=now,
        team=team,
        batch=chosen["batch"],
        from_id=chosen["start"] or 0,
        at_most=LISTED + 1,
    )
    return {
        "was": chosen["was"],
        "now": chosen["now"],
        "opened": [
            (earlier, later, _finding(earlier.content), _finding(later.content))
            for earlier, later in pairs[:LISTED]
        ],
        "next_start": pairs[LISTED][1].trajectory_id if pairs[LISTED:] else None,
    }


def _finding(content: dict[str, Any]) -> str:
    """What the first failed check says."""
    checks = content.get("checks", [])
    return next((one["finding"] for one in checks if not one["passed"]), "")


@require_POST
@curator_required
def verification_run(request: MemberRequest) -> HttpResponse:
    """Order a re-verification of a batch, or of everything."""
    batch = None
    if request.POST.get("batch"):
        form = VerificationFilter(
            request.POST, batches=Batch.objects.filter(team=request.team)
        )
        batch = form.chosen()["batch"]
        if batch is None:
            messages.error(request, "There is no such batch.")
            return redirect("verification")
    order = verifying.order_reverification(
        team=request.team, batch=batch, by=request.user
    )
    # Sent after the row is there for a worker to see.
    transaction.on_commit(partial(reverify.delay, order_id=order.pk))
    address = reverse("verification")
    return redirect(f"{address}?batch={batch.pk}" if batch else address)
