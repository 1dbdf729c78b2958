"""A frozen release into a dataset repository: compared first, then sent, both by a worker."""

from collections import Counter
from functools import partial
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from writ_app.engine.errors import WritError
from writ_app.forms.release import PushForm
from writ_app.jobs.release import make_push
from writ_app.models.release import Release
from writ_app.services.release.first import is_first
from writ_app.services.release.push import TOKEN, has_token
from writ_app.services.release.pushing import order_push, order_sending
from writ_app.views.access import (
    MemberRequest,
    fresh_required,
    owner_required,
)
from writ_app.views.page import render_page
from writ_app.views.release import visible

EARLIER = 20


@owner_required
@fresh_required("write")
def release_push(request: MemberRequest, pk: int) -> HttpResponse:
    """The last push and the earlier ones; a post orders another one to be compared with what is there."""
    row = _frozen(request, pk)
    form = PushForm(
        request.POST if request.method == "POST" else None, initial=_as_last_time(row)
    )
    if request.method == "POST" and form.is_valid() and _order(request, row, form):
        return redirect("release_push", pk=pk)
    pushes = list(row.pushes.select_related("created_by")[: EARLIER + 1])
    push = pushes[0] if pushes else None
    context = {
        "release": row,
        "form": form,
        "token": TOKEN,
        "has_token": has_token(),
        "is_first": is_first(row),
        "push": push,
        "counts": dict(Counter(one["state"] for one in push.files)) if push else {},
        "earlier": pushes[1:],
    }
    status = 422 if form.errors else 200
    return render_page(
        request, "release/push.html", context, fragment="progress", status=status
    )


def _as_last_time(row: Release) -> dict[str, Any]:
    names = ("repository", "branch", "private", "slugs")
    return row.pushes.values(*names).first() or {}


def _order(request: MemberRequest, row: Release, form: PushForm) -> bool:
    try:
        push = order_push(release=row, by=request.user, **form.cleaned_data)
    except WritError as error:
        form.add_error(None, str(error))
        return False
    transaction.on_commit(partial(make_push.delay, push_id=push.pk))
    return True


@require_POST
@owner_required
@fresh_required("write")
def release_push_send(request: MemberRequest, pk: int) -> HttpResponse:
    """Send what was compared, or go on with what was stopped."""
    row = _frozen(request, pk)
    push = row.pushes.first()
    if push is None or str(push.pk) != request.POST.get("push"):
        messages.error(request, "There is a later push by now: look at that one.")
        return redirect("release_push", pk=pk)
    try:
        order_sending(push)
    except WritError as error:
        messages.error(request, str(error))
    else:
        transaction.on_commit(partial(make_push.delay, push_id=push.pk))
    return redirect("release_push", pk=pk)


def _frozen(request: MemberRequest, pk: int) -> Release:
    """Of the team in which the person's role counts."""
    row: Release = get_object_or_404(
        visible(request).frozen().filter(team=request.team), pk=pk
    )
    return row
