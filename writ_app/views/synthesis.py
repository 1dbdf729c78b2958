"""Batches: ordering them and watching them."""

from functools import partial

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from writ_app.engine.errors import WritError
from writ_app.forms.synthesis import BatchForm
from writ_app.jobs.synthesis import design_batch
from writ_app.models.synthesis import Batch, BatchStatus
from writ_app.services.synthesis import (
    batch_progress,
    cancel_batch,
    grid_weights,
    mix_lines,
    start_batch,
    view_design,
)
from writ_app.views.access import MemberRequest, member_required, owner_required
from writ_app.views.page import render_page


@member_required
def batches(request: MemberRequest) -> HttpResponse:
    visible = Batch.objects.visible_to(request.user).select_related("environment")
    page = Paginator(visible.defer("environment__state"), 20).get_page(
        request.GET.get("page")
    )
    lines = [(batch, batch_progress(batch)) for batch in page]
    context = {"page": page, "lines": lines}
    return render_page(request, "synthesis/batches.html", context)


@owner_required
def batch_new(request: MemberRequest) -> HttpResponse:
    """The form. For another environment it is asked for again, by htmx or by a button: then nothing is ordered."""
    if request.method != "POST":
        form = BatchForm(team=request.team, typed=request.GET)
    elif "show" in request.POST:
        form = BatchForm(team=request.team, typed=request.POST)
    else:
        form = BatchForm(request.POST, team=request.team)
    if unseen := form.unseen:
        form = BatchForm(team=request.team, typed=request.POST)
    if form.is_bound and form.is_valid():
        try:
            batch = start_batch(team=request.team, by=request.user, **form.order())
        except WritError as error:
            form.add_error(None, str(error))
        else:
            # Sent after the row is there for a worker to see.
            transaction.on_commit(partial(design_batch.delay, batch_id=batch.pk))
            return redirect("batch", pk=batch.pk)
    return render_page(
        request,
        "synthesis/batch_new.html",
        {"form": form, "unseen": unseen},
        fragment="mix",
        status=422 if form.errors or unseen else 200,
    )


@member_required
def batch(request: MemberRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(
        Batch.objects.visible_to(request.user)
        .select_related("environment", "created_by", "agent", "user_simulator")
        .defer("environment__state", "environment__policy"),
        pk=pk,
    )
    context = {
        "batch": row,
        "progress": batch_progress(row),
        "design": view_design(row),
        "of_batch": {"batch": row.pk},
        "mix": mix_lines(row),
        "grid": grid_weights(row),
        "live": row.status in (BatchStatus.DESIGNING, BatchStatus.RUNNING),
    }
    return render_page(request, "synthesis/batch.html", context, fragment="progress")


@require_POST
@owner_required
def batch_cancel(request: MemberRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(Batch.objects.visible_to(request.user), pk=pk)
    try:
        cancel_batch(batch=row)
    except WritError as error:
        messages.error(request, str(error))
    else:
        messages.info(request, "Cancelled. What was simulated stays.")
    return redirect("batch", pk=pk)
