"""Parts of the desk that are fetched when somebody asks for them: a step, words found, a replay made otherwise."""

from typing import Literal

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from writ_app.forms.desk import FindForm, ReplayForm
from writ_app.models.review import ReviewItem
from writ_app.services.review.reader import (
    NoSuchStep,
    OpenStep,
    find_words,
    open_step,
    replay_otherwise,
)
from writ_app.views.access import MemberRequest, viewer_required
from writ_app.views.page import render_page


@require_safe
@viewer_required
def step(request: MemberRequest, pk: int, number: int) -> HttpResponse:
    """One step in full, as far as a page can bear it."""
    context = {"open": _step(request, pk, number)}
    return render_page(request, "review/step.html", context, fragment="body")


@require_safe
@viewer_required
def step_text(request: MemberRequest, pk: int, number: int) -> HttpResponse:
    """The whole text, uncut, as a file: never shown by the browser itself."""
    found = _step(request, pk, number)
    response = HttpResponse(found.step.text, content_type="text/plain; charset=utf-8")
    name = f"trajectory-{pk}-step-{number}.txt"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@require_safe
@viewer_required
def find(request: MemberRequest, pk: int) -> HttpResponse:
    """Where words stand in a conversation, collapsed parts included."""
    _see(request, pk)
    form = FindForm(request.GET)
    query = form.cleaned_data["q"] if form.is_valid() else ""
    context = {"found": find_words(item_id=pk, query=query), "pk": pk}
    return render_page(request, "review/found.html", context, fragment="found")


@require_safe
@viewer_required
def replay(request: MemberRequest, pk: int) -> HttpResponse:
    """What the database would be without a write, or with it made later."""
    _see(request, pk)
    form = ReplayForm(request.GET)
    if not form.is_valid():
        raise Http404
    how: Literal["without", "swapped"]
    how = "without" if form.cleaned_data["without"] else "swapped"
    try:
        other = replay_otherwise(item_id=pk, number=form.cleaned_data[how], how=how)
    except NoSuchStep as error:
        raise Http404 from error
    context = {"other": other, "pk": pk}
    return render_page(request, "review/replay.html", context, fragment="replay")


def _see(request: MemberRequest, pk: int) -> None:
    """404 for what belongs to other teams."""
    get_object_or_404(ReviewItem.objects.visible_to(request.user).only("pk"), pk=pk)


def _step(request: MemberRequest, pk: int, number: int) -> OpenStep:
    _see(request, pk)
    try:
        return open_step(item_id=pk, number=number)
    except NoSuchStep as error:
        raise Http404 from error
