"""The review page, and trajectories to look at without judging."""

import json
from collections.abc import Collection
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRedirect

from writ_app.engine.errors import WritError
from writ_app.engine.importing import KINDS
from writ_app.forms.desk import PlaceForm
from writ_app.forms.review import (
    KeysForm,
    LeaseForm,
    QueueForm,
    VerdictForm,
    held_slots,
    page_of,
    whole,
)
from writ_app.models import clock
from writ_app.models.catalog import ReferenceSet, ReferenceTrajectory
from writ_app.models.review import (
    BulkAction,
    RejectReason,
    ReviewEvent,
    ReviewItem,
    ReviewSlot,
)
from writ_app.services.catalog.uploads import OPEN, recent_imports
from writ_app.services.review import (
    BEAT_SECONDS,
    Choice,
    NotForYou,
    Order,
    PartOfBulk,
    build_review_page,
    count_today,
    count_waiting,
    find_slot,
    give_back,
    last_standing,
    lease_item,
    lease_next,
    let_go,
    look_back,
    lookers,
    may_see_notes,
    policy_of,
    queue_facets,
    renew_lease,
    submit_verdict,
    undo_last,
)
from writ_app.services.review.blind import may_see_others
from writ_app.services.review.bulk import undo_bulk
from writ_app.services.review.disguise import is_disguised, shown_verification
from writ_app.services.review.keys import (
    DEFAULTS,
    GROUPS,
    BadKeys,
    change_keys,
    keys_of,
)
from writ_app.services.review.quality.canaries import reveal
from writ_app.services.review.quality.disputes import ADJUDICATION
from writ_app.services.review.references import (
    list_references,
    reference_sets,
    view_reference,
)
from writ_app.services.synthesis.judging import notes_on
from writ_app.views.access import MemberRequest, reviewer_required, viewer_required
from writ_app.views.page import render_page, wants_fragment


@reviewer_required
def review(request: MemberRequest) -> HttpResponse:
    """The next one; a verdict posted here is kept before it shows. Scripts get a short answer instead of a page."""
    if request.method != "POST":
        return _show(request, _lease(request))
    form = VerdictForm(request.POST)
    slot = find_slot(slot_id=LeaseForm.slot_of(request.POST), user=request.user)
    if slot is None:
        raise Http404
    short = request.get_preferred_type(["text/html", "application/json"]) != "text/html"
    if not form.is_valid():
        if short:
            return JsonResponse({"errors": _errors(form)}, status=422)
        return _show(request, slot, form=form, status=422)
    try:
        event = submit_verdict(
            slot=slot, reviewer=request.user, at=clock.now(), **form.verdict()
        )
    except WritError as error:
        if short:
            return JsonResponse({"error": str(error)}, status=409)
        messages.error(request, str(error))
        return redirect("review")
    told = reveal(user=request.user, item=slot.item)
    if short:
        return JsonResponse(
            {
                "event": event.pk,
                "verdict": event.verdict,
                "last": _last_title(event, slot.item_id),
                "told": told and {"text": str(told), "caught": told.caught},
            }
        )
    if told:
        level = messages.SUCCESS if told.caught else messages.WARNING
        messages.add_message(request, level, str(told))
    return redirect("review")


def _errors(form: VerdictForm) -> list[str]:
    return [
        f"{form[name].label}: {error}" if name in form.fields else str(error)
        for name, errors in form.errors.items()
        for error in errors
    ]


def _last_title(event: ReviewEvent, item_id: int) -> str:
    return f"{event.get_verdict_display()} of #{item_id}"


@require_POST
@reviewer_required
def ahead(request: MemberRequest) -> HttpResponse:
    """The desk that comes after what the page has, leased and ready to be shown; 204 if there is none."""
    held, at = held_slots(request.POST), clock.now()
    if held:
        slot_id, token = next(iter(held.items()))
        renew_lease(slot_id=slot_id, token=token, user=request.user, at=at, show=True)
    slot = _lease(request, held=held, show=False)
    if slot is None:
        return HttpResponse(status=204)
    desk = render(request, "review/review.html#review", _desk(request, slot))
    # Looked at last, as drawing takes longest: who closed the page meanwhile could not name this slot.
    if _was_closed(request):
        held[slot.pk] = slot.token
        give_back(held=held, user=request.user, at=clock.now())
        return HttpResponse(status=204)
    return desk


@require_POST
@reviewer_required
def lease(request: MemberRequest) -> HttpResponse:
    """Sign of life of an open page: keeps its leases, tells which were lost and how the queue stands."""
    at = clock.now()
    lost = [
        slot_id
        for n, (slot_id, token) in enumerate(held_slots(request.POST).items())
        if not renew_lease(
            slot_id=slot_id, token=token, user=request.user, at=at, show=n == 0
        )
    ]
    today = count_today(user=request.user, at=at)
    waiting = count_waiting(user=request.user)
    return JsonResponse({"lost": lost, "today": today, "waiting": waiting})


@require_POST
@reviewer_required
def release(request: MemberRequest) -> HttpResponse:
    """The page was closed. What it still asks for is given back by whoever leases it: see `ahead`."""
    held = held_slots(request.POST)
    if page := page_of(request.POST):
        closed = [*request.session.get(CLOSED, ()), page]
        request.session[CLOSED] = closed[-MOST_CLOSED:]
        request.session.save()
    give_back(held=held, user=request.user, at=clock.now())
    return HttpResponse(status=204)


CLOSED = "review_closed"
"""Where the session keeps the names of the pages that were closed last."""
MOST_CLOSED = 5


def _was_closed(request: MemberRequest) -> bool:
    """Whether the page that asks was closed by now: the session as another request may have left it since this one began."""
    page = page_of(request.POST)
    if not page:
        return False
    session = type(request.session)(request.session.session_key)
    return page in session.get(CLOSED, ())


@require_POST
@reviewer_required
def undo(request: MemberRequest) -> HttpResponse:
    """Take the last act back, or the named one; what it was about is on screen again."""
    named, at = whole(request.POST.get("event", "")) or None, clock.now()
    try:
        slot = undo_last(reviewer=request.user, at=at, event_id=named)
    except PartOfBulk as part:
        return _undo_bulk(request, part.action)
    except WritError as error:
        return _not_undone(request, error)
    messages.info(request, f"Undone: #{slot.item_id} is open again.")
    if slot.number == ADJUDICATION:
        return _to_dispute(request, slot)
    return _show(request, slot) if wants_fragment(request) else redirect("review")


def _to_dispute(request: MemberRequest, slot: ReviewSlot) -> HttpResponse:
    """A dispute is settled on a page of its own, with both opinions."""
    if wants_fragment(request):
        return HttpResponseClientRedirect(
            reverse("quality_dispute", args=[slot.item_id])
        )
    return redirect("quality_dispute", slot.item_id)


def _undo_bulk(request: MemberRequest, action: BulkAction) -> HttpResponse:
    """The last act was on many at once: all of it is taken back, and what is on screen stays."""
    try:
        back = undo_bulk(action=action, user=request.user, at=clock.now())
    except WritError as error:
        return _not_undone(request, error)
    messages.info(request, f"Undone: {back:,} items are as they were.")
    slot = _lease(request)
    return _show(request, slot) if wants_fragment(request) else redirect("review")


def _not_undone(request: MemberRequest, error: WritError) -> HttpResponse:
    if wants_fragment(request):
        return JsonResponse({"error": str(error)}, status=409)
    messages.error(request, str(error))
    return redirect("review")


@reviewer_required
def back(request: MemberRequest, pk: int | None = None) -> HttpResponse:
    """What one said today, to look at again and perhaps to take back."""
    found = look_back(reviewer=request.user, at=clock.now(), event_id=pk)
    if found is None:
        if wants_fragment(request):
            return HttpResponse(status=204)
        messages.info(request, "There is nothing of today to look back at.")
        return redirect("review")
    page = build_review_page(item_id=found.event.slot.item_id)
    context = {"back": found, "page": page}
    return render_page(request, "review/back.html", context, fragment="back")


@reviewer_required
def queue(request: MemberRequest) -> HttpResponse:
    """Which part of the queue, in which order, and who is at what."""
    choice = _choice(request)
    facets = queue_facets(user=request.user)
    initial = {"order": choice.order.value, **choice.filters}
    form = QueueForm(request.POST or None, facets=facets, initial=initial)
    if request.method == "POST" and form.is_valid():
        chosen = Choice(Order(form.cleaned_data["order"]), form.filters())
        request.session[CHOICE] = chosen.as_stored
        let_go(user=request.user)
        return redirect("review")
    context = {
        "form": form,
        "choice": choice,
        "waiting": count_waiting(user=request.user),
        "lookers": lookers(user=request.user, at=clock.now()),
    }
    status = 422 if form.errors else 200
    return render_page(request, "review/queue.html", context, status=status)


@reviewer_required
def keys(request: MemberRequest) -> HttpResponse:
    """The keys of the desk, to be changed."""
    form = KeysForm(request.POST or None, keys=keys_of(request.user))
    if request.method == "POST" and "reset" in request.POST:
        change_keys(user=request.user, keys={})
        return redirect("review_keys")
    if request.method == "POST" and form.is_valid():
        try:
            change_keys(user=request.user, keys=form.cleaned_data)
            messages.info(request, "Your keys are kept.")
            return redirect("review_keys")
        except BadKeys as error:
            for name, why in error.wrong.items():
                form.add_error(name, f"{why}.")
    groups = [
        (title, [form[action.name] for action in actions])
        for title, actions in GROUPS.items()
    ]
    status = 422 if form.errors else 200
    context = {"form": form, "groups": groups, "defaults": DEFAULTS}
    return render_page(request, "review/own_keys.html", context, status=status)


CHOICE = "review_choice"
"""Where the session keeps the part of the queue that was chosen."""


def _choice(request: MemberRequest) -> Choice:
    return Choice.stored(request.session.get(CHOICE, {}))


def _lease(
    request: MemberRequest, *, held: Collection[int] = (), show: bool = True
) -> ReviewSlot | None:
    return lease_next(
        user=request.user,
        at=clock.now(),
        choice=_choice(request),
        held=held,
        show=show,
    )


def _show(
    request: MemberRequest,
    slot: ReviewSlot | None,
    *,
    form: VerdictForm | None = None,
    status: int = 200,
) -> HttpResponse:
    """A whole page, or its desk."""
    last = last_standing(reviewer=request.user)
    given = form.data if form else {}
    context = {
        **_desk(request, slot),
        "any": slot is not None or _is_there_any(request),
        "beat": BEAT_SECONDS,
        "ahead": policy_of(request.team).ahead,
        "errors": _errors(form) if form else (),
        "reason": given.get("reason", ""),
        "note": given.get("note", ""),
        "last": last,
        "last_title": _last_title(last, last.slot.item_id) if last else "",
        "today": count_today(user=request.user, at=clock.now()),
    }
    return render_page(
        request, "review/review.html", context, fragment="review", status=status
    )


def _desk(request: MemberRequest, slot: ReviewSlot | None) -> dict[str, Any]:
    """What the desk of a slot shows; what was judged before is the page's, which knows it when this one is shown."""
    return {
        "slot": slot,
        "page": build_review_page(item_id=slot.item_id) if slot else None,
        "reasons": RejectReason.choices,
        "waiting": count_waiting(user=request.user),
        "choice": _choice(request),
        "submission": uuid4(),
    }


def _is_there_any(request: MemberRequest) -> bool:
    items = ReviewItem.objects.visible_to(request.user).exclude(status="")
    return items.exists()


@viewer_required
def trajectory(request: MemberRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(
        ReviewItem.objects.visible_to(request.user)
        .select_related("trajectory")
        .only("ready", "number", "canary", "edited_by", "trajectory__accepted"),
        pk=pk,
    )
    notes = notes_on(row.trajectory)
    shown = not notes or may_see_notes(user=request.user, item=row)
    page = build_review_page(item_id=row.pk, viewer=request.user)
    place = PlaceForm(request.GET)
    asked = place.cleaned_data["step"] if place.is_valid() else None
    context = {
        "page": page,
        "at": asked and min(asked, len(page.steps)),
        # Another's verdict, or that the original was accepted, would tell who has not judged yet.
        "slots": row.slots.order_by("number")
        if may_see_others(request.user, row)
        else (),
        "judgements": row.trajectory.judgements.order_by("id").defer("content")
        if row.number == 1 or is_disguised(row, request.user)
        else (),
        "revealed": reveal(user=request.user, item=row),
        "notes": notes if shown else [],
        "notes_hidden": not shown,
        "looking": lookers(user=request.user, at=clock.now()).get(pk, ()),
    }
    return render_page(request, "review/trajectory.html", context)


@require_POST
@reviewer_required
def trajectory_judge(request: MemberRequest, pk: int) -> HttpResponse:
    """Take that one out of turn: it is on screen in the queue, or the page says why it is not for this person."""
    visible = ReviewItem.objects.visible_to(request.user)
    row = get_object_or_404(visible.only("status"), pk=pk)
    try:
        lease_item(item=row, user=request.user, at=clock.now())
    except NotForYou as error:
        messages.error(request, str(error))
        return redirect("trajectory", pk)
    return redirect("review")


@viewer_required
def trajectory_raw(request: MemberRequest, pk: int) -> HttpResponse:
    """Everything, uncut, for a file viewer: never shown by the browser itself."""
    visible = ReviewItem.objects.visible_to(request.user)
    row = get_object_or_404(visible.select_related("trajectory", "task"), pk=pk)
    value = {
        "task": row.task.content,
        "trajectory": row.stored_content,
        "verification": shown_verification(row, request.user).model_dump(mode="json")
        if row.canary
        else row.stored_verification,
    }
    text = json.dumps(value, indent=1, ensure_ascii=False)
    response = HttpResponse(text, content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="trajectory-{pk}.json"'
    return response


@viewer_required
def references(request: MemberRequest) -> HttpResponse:
    """Imported files: those of the person's teams, those for everybody, and those under way."""
    imports = recent_imports(request.user, at=clock.now())
    context = {
        "sets": reference_sets(request.user),
        "imports": imports,
        "live": any(one.status in OPEN for one in imports),
    }
    return render_page(request, "review/references.html", context, fragment="found")


@viewer_required
def reference_set(request: MemberRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(reference_sets(request.user), pk=pk)
    after = request.GET.get("after", "")
    known = after.isascii() and after.isdigit() and len(after) < 10
    found = list_references(row, after=int(after) if known else None)
    context = {
        "set": row,
        "list": found,
        "kind": KINDS[row.format].title,
        "may_delete": row.team_id == request.team.pk and request.membership.curates,
    }
    return render_page(request, "review/reference_set.html", context, fragment="found")


@viewer_required
def reference(request: MemberRequest, pk: int, position: int) -> HttpResponse:
    row = _reference(request, pk, position)
    return render_page(request, "review/reference.html", {"view": view_reference(row)})


@viewer_required
def reference_raw(request: MemberRequest, pk: int, position: int) -> HttpResponse:
    row = _reference(request, pk, position)
    value = {**row.content, "messages": row.messages}
    response = HttpResponse(
        json.dumps(value, indent=1), content_type="text/plain; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="reference-{row.pk}.json"'
    return response


def _reference(request: MemberRequest, pk: int, position: int) -> ReferenceTrajectory:
    seen = ReferenceSet.objects.visible_to(request.user).filter(pk=pk)
    known = ReferenceTrajectory.objects.filter(reference_set__in=seen)
    known = known.select_related("reference_set__environment")
    known = known.defer("reference_set__content", "reference_set__environment__state")
    return get_object_or_404(known, position=min(position, 2**31 - 1))
