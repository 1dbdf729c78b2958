"""The review page, and trajectories to look at without judging."""

import json

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from writ_app.engine.errors import WritError
from writ_app.forms.review import LeaseForm, VerdictForm
from writ_app.models.catalog import ReferenceTrajectory
from writ_app.models.review import RejectReason, ReviewItem, ReviewSlot, Verdict
from writ_app.services.review import (
    build_review_page,
    count_queue,
    last_standing,
    lease_next,
    may_see_notes,
    renew_lease,
    submit_verdict,
    undo_last,
)
from writ_app.services.review.references import (
    list_references,
    reference_sets,
    view_reference,
)
from writ_app.services.synthesis.judging import notes_on
from writ_app.views.access import MemberRequest, member_required
from writ_app.views.page import render_page, wants_fragment


@member_required
def review(request: MemberRequest) -> HttpResponse:
    """The next one; a verdict posted here is kept before it shows."""
    if request.method != "POST":
        return _show(request, lease_next(user=request.user, at=timezone.now()))
    form = VerdictForm(request.POST)
    slots = ReviewSlot.objects.visible_to(request.user)
    slot = get_object_or_404(slots, pk=LeaseForm.slot_of(request.POST))
    if not form.is_valid():
        return _show(request, slot, form=form, status=422)
    try:
        submit_verdict(
            slot=slot,
            reviewer=request.user,
            at=timezone.now(),
            **form.verdict(),
        )
    except WritError as error:
        messages.error(request, str(error))
    return _next(request)


@require_POST
@member_required
def undo(request: MemberRequest) -> HttpResponse:
    """Take the last verdict back; what it was about is on screen again."""
    try:
        slot = undo_last(reviewer=request.user, at=timezone.now())
    except WritError as error:
        messages.error(request, str(error))
        return _next(request)
    messages.info(request, f"Undone: #{slot.item_id} is open again.")
    if wants_fragment(request):
        return _show(request, slot)
    return redirect("review")


@require_POST
@member_required
def lease(request: MemberRequest) -> HttpResponse:
    """Heartbeat of an open page: keeps the lease, or says that it was lost."""
    form = LeaseForm(request.POST)
    if form.is_valid() and renew_lease(
        slot_id=form.cleaned_data["slot"],
        token=form.cleaned_data["token"],
        user=request.user,
        at=timezone.now(),
    ):
        return HttpResponse(status=204)
    return render(request, "components/lease_lost.html")


def _next(request: MemberRequest) -> HttpResponse:
    if wants_fragment(request):
        return _show(request, lease_next(user=request.user, at=timezone.now()))
    return redirect("review")


def _show(
    request: MemberRequest,
    slot: ReviewSlot | None,
    *,
    form: VerdictForm | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "slot": slot,
        "page": build_review_page(item_id=slot.item_id) if slot else None,
        "form": form,
        "reasons": RejectReason.choices,
        "counts": count_queue(user=request.user, at=timezone.now()),
        "last": last_standing(reviewer=request.user),
        "Verdict": Verdict,
    }
    return render_page(
        request, "review/review.html", context, fragment="review", status=status
    )


@member_required
def trajectory(request: MemberRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(
        ReviewItem.objects.visible_to(request.user)
        .select_related("trajectory")
        .only("ready", "trajectory__accepted"),
        pk=pk,
    )
    notes = notes_on(row.trajectory)
    shown = not notes or may_see_notes(user=request.user, item=row)
    context = {
        "page": build_review_page(item_id=row.pk),
        "slots": row.slots.order_by("number"),
        "judgements": row.trajectory.judgements.order_by("id").defer("content"),
        "notes": notes if shown else [],
        "notes_hidden": not shown,
    }
    return render_page(request, "review/trajectory.html", context)


@member_required
def trajectory_raw(request: MemberRequest, pk: int) -> HttpResponse:
    """Everything, uncut, for a file viewer: never shown by the browser itself."""
    visible = ReviewItem.objects.visible_to(request.user)
    row = get_object_or_404(visible.select_related("trajectory", "task"), pk=pk)
    value = {
        "task": row.task.content,
        "trajectory": row.stored_content,
        "verification": row.stored_verification,
    }
    text = json.dumps(value, indent=1, ensure_ascii=False)
    response = HttpResponse(text, content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="trajectory-{pk}.json"'
    return response


@member_required
def references(request: MemberRequest) -> HttpResponse:
    """Imported result files. They belong to everybody, as environments do."""
    return render_page(request, "review/references.html", {"sets": reference_sets()})


@member_required
def reference_set(request: MemberRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(reference_sets(), pk=pk)
    after = request.GET.get("after", "")
    known = after.isascii() and after.isdigit() and len(after) < 10
    found = list_references(row, after=int(after) if known else None)
    context = {"set": row, "list": found}
    return render_page(request, "review/reference_set.html", context, fragment="found")


@member_required
def reference(request: MemberRequest, pk: int, position: int) -> HttpResponse:
    row = _reference(pk, position)
    return render_page(request, "review/reference.html", {"view": view_reference(row)})


@member_required
def reference_raw(request: MemberRequest, pk: int, position: int) -> HttpResponse:
    row = _reference(pk, position)
    value = {**row.content, "messages": row.messages}
    response = HttpResponse(
        json.dumps(value, indent=1), content_type="text/plain; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="reference-{row.pk}.json"'
    return response


def _reference(pk: int, position: int) -> ReferenceTrajectory:
    known = ReferenceTrajectory.objects.select_related("reference_set__environment")
    known = known.defer("reference_set__content", "reference_set__environment__state")
    return get_object_or_404(known, reference_set=pk, position=min(position, 2**31 - 1))
