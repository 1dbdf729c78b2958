"""Drafts of releases: changed, looked at, frozen, thrown away."""

from functools import partial
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRefresh

from writ_app.engine.errors import WritError
from writ_app.engine.types import BURDEN_BANDS
from writ_app.forms.release import RecipeForm
from writ_app.jobs import release as jobs
from writ_app.models import clock
from writ_app.models.accounts import Role
from writ_app.models.curation import SavedView
from writ_app.models.release import DraftStage, Release
from writ_app.services.heat import make_heat_map
from writ_app.services.release import (
    change_draft,
    choose_members,
    discard_draft,
    freeze_draft,
    order_choice,
)
from writ_app.services.release.draft import is_small
from writ_app.services.release.freeze import SMALL, order_freeze
from writ_app.services.release.gates import gates
from writ_app.services.release.overview import overview
from writ_app.views.access import MemberRequest, curator_required, guard
from writ_app.views.page import render_page, wants_fragment
from writ_app.views.release import chips, filter_form, split_heats, visible


def own(request: MemberRequest) -> Any:
    """Of the team in which the person's role counts."""
    return visible(request).filter(team=request.team)


@guard(Role.VIEWER, write=Role.CURATOR)
def release_draft(request: MemberRequest, pk: int) -> HttpResponse:
    """What a draft is made of and would be; a post changes it and chooses its members."""
    row: Release = get_object_or_404(own(request), pk=pk)
    if row.frozen_at is not None:
        # what polls the page of a draft that was just frozen goes to the release
        fragment = wants_fragment(request)
        return HttpResponseClientRefresh() if fragment else redirect("release", pk=pk)
    if wants_fragment(request):
        if not row.is_working:
            return HttpResponseClientRefresh()
        return _page(request, row, None)
    form = _form(request, row)
    if request.method == "POST" and form.is_valid() and _change(request, row, form):
        return redirect("release_draft", pk=pk)
    return _page(request, row, form)


def _form(request: MemberRequest, row: Release) -> RecipeForm:
    views = SavedView.objects.visible_to(request.user).filter(team=row.team)
    return RecipeForm(
        request.POST if request.method == "POST" else None,
        release=row,
        views=list(views),
        gates={one.name: one.title for one in gates(row.team)},
    )


def _change(request: MemberRequest, row: Release, form: RecipeForm) -> bool:
    """Store what the form says, and choose again if that changes what is chosen."""
    try:
        changed = change_draft(
            release=row,
            recipe=form.recipe,
            licence=form.cleaned_data["licence"],
            description=form.cleaned_data["description"],
        )
        if changed.stage == DraftStage.READY:
            messages.success(request, "Noted. The members stay as they were chosen.")
            return True
        _choose(changed)
    except WritError as error:
        form.add_error(None, str(error))
        return False
    return True


def _choose(row: Release) -> None:
    """Few candidates are chosen from at once; many by a job. Raises WritError."""
    revision = order_choice(row)
    if is_small(row):
        choose_members(release_id=row.pk, revision=revision)
        return
    sent = partial(jobs.choose_members.delay, release_id=row.pk, revision=revision)
    transaction.on_commit(sent)


def _page(request: MemberRequest, row: Release, form: RecipeForm | None) -> Any:
    context: dict[str, Any] = {"release": row, "live": row.is_working}
    if form is not None:
        seen = overview(row)
        chosen = filter_form(row.recipe)
        context |= {
            "form": form,
            "seen": seen,
            "heat": make_heat_map(seen.members, wanted=seen.found),
            "split_heats": split_heats(seen),
            "chips": chips(chosen),
            "burdens": list(BURDEN_BANDS),
            "list_filters": {**chosen.filters, "status": ["APPROVED"]},
            "owner": request.membership.curates,
        }
    status = 422 if form is not None and form.errors else 200
    return render_page(
        request, "release/draft.html", context, fragment="progress", status=status
    )


@require_POST
@curator_required
def release_choose(request: MemberRequest, pk: int) -> HttpResponse:
    """Choose again by the same recipe: verdicts may have changed since."""
    row = get_object_or_404(own(request), pk=pk)
    try:
        _choose(row)
    except WritError as error:
        messages.error(request, str(error))
    return redirect("release_draft", pk=pk)


@require_POST
@curator_required
def release_freeze(request: MemberRequest, pk: int) -> HttpResponse:
    """Few members are frozen at once; many by a job."""
    row = get_object_or_404(own(request), pk=pk)
    try:
        if row.members.count() <= SMALL:
            frozen = freeze_draft(release=row, by=request.user, at=clock.now())
            messages.success(request, f"{frozen} is frozen.")
            return redirect("release", pk=pk)
        sent = partial(
            jobs.freeze_draft.delay,
            release_id=row.pk,
            revision=order_freeze(row),
            by_id=request.user.pk,
        )
        transaction.on_commit(sent)
    except WritError as error:
        messages.error(request, str(error))
    return redirect("release_draft", pk=pk)


@require_POST
@curator_required
def release_discard(request: MemberRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(own(request), pk=pk)
    try:
        discard_draft(row)
    except WritError as error:
        messages.error(request, str(error))
        return redirect("release_draft", pk=pk)
    messages.info(request, f"The draft {row} is gone.")
    return redirect("releases")
