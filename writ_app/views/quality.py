"""Quality control of the review: planted errors, second opinions, disputes, sampling, judges."""

import secrets
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from writ_app.engine.errors import WritError
from writ_app.forms.quality import LotForm, OrderForm, PlantForm, PolicyForm
from writ_app.forms.review import VerdictForm
from writ_app.models import clock
from writ_app.models.accounts import Role
from writ_app.models.curation import PlanStatus, SamplingPlan
from writ_app.models.review import RejectReason, ReviewItem, ReviewSlot, SlotStatus
from writ_app.services.review import build_review_page, policy_of, submit_verdict
from writ_app.services.review.quality import disputes, sampling
from writ_app.services.review.quality.canaries import (
    detection,
    plant_canaries,
    wanted_canaries,
)
from writ_app.services.review.quality.judges import LOW, calibrations
from writ_app.services.review.quality.opinions import agreement_of
from writ_app.services.review.quality.policy import change_policy, policy_facts
from writ_app.views.access import (
    MemberRequest,
    curator_required,
    guard,
    viewer_required,
)


@guard(Role.VIEWER, write=Role.CURATOR)
def quality(request: MemberRequest) -> HttpResponse:
    """How the team reviews, and how well it does."""
    policy = policy_of(request.team)
    before = policy_facts(policy)  # the form fills the row as it is checked
    form = PolicyForm(request.POST or None, instance=policy)
    if request.method == "POST" and form.is_valid():
        added = change_policy(policy=form.instance, before=before)
        messages.success(request, f"Saved.{_added(added)}")
        return redirect("quality")
    context = {
        "form": form,
        "policy": policy,
        "detection": _detection(request),
        "agreement": agreement_of(request.team),
        "disputes": disputes.disputed(request.user).count(),
        "running": SamplingPlan.objects.filter(
            team=request.team, status__in=sampling.RUNNING
        ).count(),
    }
    status = 422 if form.errors else 200
    return render(request, "quality/quality.html", context, status=status)


def _added(count: int) -> str:
    if not count:
        return ""
    return f" {count} of those that wait are now for two people."


# --- planted errors ------------------------------------------------------------------------------------------------------------


@viewer_required
def quality_canaries(request: MemberRequest) -> HttpResponse:
    context = {
        "detection": _detection(request),
        "policy": policy_of(request.team),
        "wanted": wanted_canaries(request.team),
        "form": PlantForm(),
    }
    return render(request, "quality/canaries.html", context)


def _detection(request: MemberRequest) -> Any:
    """Owners see everybody, others see themselves and the whole."""
    owner = request.membership.curates
    return detection(request.team, only=None if owner else request.user)


@require_POST
@curator_required
def quality_plant(request: MemberRequest) -> HttpResponse:
    form = PlantForm(request.POST)
    count = form.cleaned_data["count"] if form.is_valid() else None
    seed = secrets.randbelow(2**31)
    planted = plant_canaries(team=request.team, seed=seed, count=count)
    messages.success(request, f"{planted.total} planted (seed {seed}).")
    if planted.total < planted.wanted:
        messages.warning(
            request, "No more accepted trajectories have room for a planted error."
        )
    return redirect("quality_canaries")


# --- opinions ------------------------------------------------------------------------------------------------------------------


@viewer_required
def quality_agreement(request: MemberRequest) -> HttpResponse:
    context = {
        "page": agreement_of(request.team),
        "policy": policy_of(request.team),
    }
    return render(request, "quality/agreement.html", context)


@viewer_required
def quality_judges(request: MemberRequest) -> HttpResponse:
    context = {"rows": calibrations(request.team), "low": LOW}
    return render(request, "quality/judges.html", context)


# --- disputes ------------------------------------------------------------------------------------------------------------------


@viewer_required
def quality_disputes(request: MemberRequest) -> HttpResponse:
    member = request.membership
    context = {
        "open": disputes.disputes(disputes.disputed(request.user), member),
        "settled": disputes.disputes(disputes.settled(request.user), member),
    }
    return render(request, "quality/disputes.html", context)


@guard(Role.VIEWER, write=Role.CURATOR)
def quality_dispute(request: MemberRequest, pk: int) -> HttpResponse:
    """Both opinions over the desk; a decision posted here settles the dispute."""
    item = get_object_or_404(disputes.ever_disputed(request.user), pk=pk)
    form = VerdictForm(request.POST or None)
    if request.method == "POST":
        slot = get_object_or_404(
            ReviewSlot,
            item=item,
            number=disputes.ADJUDICATION,
            pk=form.slot_of(request.POST),
        )
        found = disputes.dispute_on(item, request.membership)
        if not found.may_settle:
            messages.error(
                request, "One of the two opinions is yours: somebody else settles it."
            )
            return redirect("quality_dispute", pk)
        if form.is_valid():
            return _settled(request, slot, form)
    return _show_dispute(request, item, form)


def _settled(
    request: MemberRequest, slot: ReviewSlot, form: VerdictForm
) -> HttpResponse:
    try:
        submit_verdict(
            slot=slot, reviewer=request.user, at=clock.now(), **form.verdict()
        )
    except WritError as error:
        messages.error(request, str(error))
        return redirect("quality_dispute", slot.item_id)
    messages.success(request, f"Settled: #{slot.item_id}.")
    return redirect("quality_disputes")


def _show_dispute(
    request: MemberRequest, item: ReviewItem, form: VerdictForm
) -> HttpResponse:
    found = disputes.dispute_on(item, request.membership)
    slot = None
    if found.may_settle:
        slot = disputes.take_dispute(item=item, user=request.user, at=clock.now())
    waiting = ReviewSlot.objects.filter(
        item=item, number=disputes.ADJUDICATION, status=SlotStatus.OPEN, ready=True
    )
    context = {
        "dispute": found,
        "slot": slot,
        "holder": None if slot else waiting.select_related("leased_by").first(),
        "form": form if form.is_bound else None,
        "page": build_review_page(item_id=item.pk, viewer=request.user),
        "reasons": RejectReason.choices,
    }
    status = 422 if form.is_bound else 200
    return render(request, "quality/dispute.html", context, status=status)


# --- sampling ------------------------------------------------------------------------------------------------------------------


@viewer_required
def quality_lanes(request: MemberRequest) -> HttpResponse:
    """Plans there are, and what a sample of a lot would prove, before anybody orders one."""
    form = LotForm(request.GET or None, team=request.team)
    filters = form.filters()
    lot = sampling.lot_of(request.team, filters).count()
    context = {
        "form": form,
        "chosen": filters,
        "lot": lot,
        "offers": sampling.offers(lot),
        "plans": sampling.plans_of(request.team),
        "Status": PlanStatus,
    }
    return render(request, "quality/lanes.html", context)


@require_POST
@curator_required
def quality_order(request: MemberRequest) -> HttpResponse:
    form = OrderForm(request.POST, team=request.team)
    if not form.is_valid():
        messages.error(request, "Choose one of the samples that are offered.")
        return redirect("quality_lanes")
    try:
        plan = sampling.order_plan(
            team=request.team,
            by=request.user,
            filters=form.filters(),
            limit=form.cleaned_data["limit"],
            seed=secrets.randbelow(2**31),
        )
    except WritError as error:
        messages.error(request, str(error))
        return redirect("quality_lanes")
    return redirect("quality_lane", plan.pk)


@viewer_required
def quality_lane(request: MemberRequest, pk: int) -> HttpResponse:
    plan = _plan(request, pk)
    sampled = plan.items.filter(sampled=True).select_related("item")
    context = {
        "progress": sampling.progress_of(plan),
        "plan": plan,
        "sampled": sampled.defer(
            "item__content", "item__verification", "item__words"
        ).order_by("item")[:400],
        "Status": PlanStatus,
    }
    return render(request, "quality/lane.html", context)


@require_POST
@curator_required
def quality_lane_approve(request: MemberRequest, pk: int) -> HttpResponse:
    plan = _plan(request, pk)
    try:
        count = sampling.approve_rest(plan=plan, by=request.user, at=clock.now())
    except WritError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{count} approved by the sample.")
    return redirect("quality_lane", pk)


@require_POST
@curator_required
def quality_lane_undo(request: MemberRequest, pk: int) -> HttpResponse:
    plan = _plan(request, pk)
    try:
        count = sampling.undo_plan(plan=plan, by=request.user, at=clock.now())
    except WritError as error:
        messages.error(request, str(error))
    else:
        messages.info(request, f"The plan is undone; {count} are open again.")
    return redirect("quality_lane", pk)


def _plan(request: MemberRequest, pk: int) -> SamplingPlan:
    plans = SamplingPlan.objects.select_related("by", "bulk")
    return get_object_or_404(plans, pk=pk, team=request.team)
