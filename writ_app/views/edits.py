"""Editing a trajectory, version by version."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from writ_app.engine.errors import WritError
from writ_app.forms.edits import EditReasonForm, EditStepForm
from writ_app.models import clock
from writ_app.models.editing import EditDraft
from writ_app.models.review import ReviewItem, ReviewSlot
from writ_app.services.review.edit_page import build_edit_page
from writ_app.services.review.edits import (
    EDITED,
    discard_edit,
    keep_in_hand,
    keep_reason,
    open_edit,
    read_base,
    revise_draft,
    save_edit,
    take_step,
    withdraw_edit,
)
from writ_app.views.access import MemberRequest, reviewer_required
from writ_app.views.page import render_page, wants_fragment


def _item(request: MemberRequest, pk: int) -> ReviewItem:
    return get_object_or_404(EDITED.all().visible_to(request.user), pk=pk)


@reviewer_required
def edit(request: MemberRequest, pk: int) -> HttpResponse:
    """The page, and each change that is posted to it: kept at once, and judged."""
    item = _item(request, pk)
    if request.method != "POST":
        keep_in_hand(item=item, user=request.user, at=clock.now())
        return _show(request, item, open_edit(item=item, user=request.user))
    error = ""
    form = EditStepForm(request.POST)
    if form.is_valid():
        base, step = read_base(item), form.step()
        try:
            draft = revise_draft(
                item=item,
                user=request.user,
                revise=lambda changes: take_step(base, changes, step),
            )
        except WritError as problem:
            error = str(problem)
    else:
        error = form.complaint
    if error:
        draft = open_edit(item=item, user=request.user)
    if wants_fragment(request):
        return _show(request, item, draft, error=error)
    if error:
        messages.error(request, error)
    return redirect(f"{reverse('edit', args=[pk])}#{_row(request)}")


def _row(request: MemberRequest) -> str:
    """The row that was worked on, for a page that is loaded anew."""
    row = request.POST.get("row", "")
    plain = row.replace("-", "").replace("_", "")
    return row if plain.isalnum() and plain.isascii() else "main"


def _show(
    request: MemberRequest, item: ReviewItem, draft: EditDraft, *, error: str = ""
) -> HttpResponse:
    draft.item = item  # with all that an edit needs of it
    context: dict[str, object] = {"item": item, "draft": draft, "error": error}
    try:
        context["page"] = build_edit_page(draft)
    except WritError as problem:
        context["unreadable"] = str(problem)
    held = ReviewSlot.objects.leased_to(request.user, clock.now())
    context["slot"] = held.filter(item=item).order_by("number").first()
    typing = request.htmx.target == "edit-state"  # type: ignore[attr-defined]
    fragment = "state" if typing else "edit"
    context["typing"] = typing and wants_fragment(request)
    return render_page(
        request,
        "review/edit.html",
        context,
        fragment=fragment,
        status=422 if error else 200,
    )


@require_POST
@reviewer_required
def edit_reason(request: MemberRequest, pk: int) -> HttpResponse:
    """The reason, kept as it is typed."""
    item = _item(request, pk)
    form = EditReasonForm(request.POST)
    if form.is_valid():
        keep_reason(item=item, user=request.user, reason=form.cleaned_data["reason"])
        return HttpResponse(status=204)
    return HttpResponse("That is too long.", status=400)


@require_POST
@reviewer_required
def edit_save(request: MemberRequest, pk: int) -> HttpResponse:
    item = _item(request, pk)
    form = EditReasonForm(request.POST)
    if not form.is_valid():
        messages.error(request, "The reason is too long.")
        return redirect("edit", pk=pk)
    reason = form.cleaned_data["reason"]
    try:
        version = save_edit(item=item, user=request.user, reason=reason, at=clock.now())
    except WritError as error:
        keep_reason(item=item, user=request.user, reason=reason)
        messages.error(request, str(error))
        return redirect("edit", pk=pk)
    messages.success(
        request,
        f"Saved as version #{version.pk}. It passes every check, and waits for another pair of eyes.",
    )
    if version.version_events.exclude(verdict=None).exists():
        return redirect("review")  # where they came from
    return redirect("trajectory", pk=version.pk)


@require_POST
@reviewer_required
def edit_discard(request: MemberRequest, pk: int) -> HttpResponse:
    item = _item(request, pk)
    discard_edit(item=item, user=request.user)
    messages.info(request, f"The draft of #{pk} is gone; nothing else changed.")
    return redirect("trajectory", pk=pk)


@require_POST
@reviewer_required
def edit_withdraw(request: MemberRequest, pk: int) -> HttpResponse:
    """Take a version back that nobody has judged."""
    item = _item(request, pk)
    try:
        withdraw_edit(version=item, user=request.user)
    except WritError as error:
        messages.error(request, str(error))
    else:
        messages.info(
            request, f"Version #{pk} is withdrawn: nobody will be asked about it."
        )
    return redirect("trajectory", pk=pk)
