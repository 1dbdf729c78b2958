"""Batches: ordering them and watching them."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRefresh

from writ_app.engine.errors import WritError
from writ_app.forms.synthesis import BatchForm, CapsForm
from writ_app.jobs.synthesis import design_batch, send_unfinished
from writ_app.models.synthesis import Batch, BatchStatus
from writ_app.services.audit import record
from writ_app.services.catalog import load_environment
from writ_app.services.synthesis import (
    BatchProgress,
    accept_rates,
    batch_progress,
    batch_spending,
    batches_progress,
    cancel_batch,
    caps_of,
    change_caps,
    disabled_in,
    grid_weights,
    health_of,
    mix_lines,
    order_of,
    pause_batch,
    resume_batch,
    retry_failed,
    role_lines,
    start_batch,
    view_design,
)
from writ_app.services.synthesis.results import export_results
from writ_app.views.access import (
    MemberRequest,
    curator_required,
    fresh_required,
    owner_required,
    viewer_required,
)
from writ_app.views.page import render_page, wants_fragment


@viewer_required
def batches(request: MemberRequest) -> HttpResponse:
    visible = Batch.objects.visible_to(request.user).select_related("environment")
    page = Paginator(visible.defer("environment__state"), 20).get_page(
        request.GET.get("page")
    )
    progress = batches_progress(page)
    lines = [(batch, progress[batch.pk]) for batch in page]
    context = {"page": page, "lines": lines}
    return render_page(request, "synthesis/batches.html", context)


@owner_required
def batch_new(request: MemberRequest) -> HttpResponse:
    """The form. For another environment it is asked for again, by htmx or by a button: then nothing is ordered."""
    like, order = _cloned(request)
    if request.method != "POST":
        form = BatchForm(team=request.team, typed=request.GET, like=order)
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
        {"form": form, "unseen": unseen, "like": like, "gone": disabled_in(order)},
        fragment="mix",
        status=422 if form.errors or unseen else 200,
    )


def _cloned(request: MemberRequest) -> tuple[Batch | None, dict[str, Any] | None]:
    """The batch that is ordered again with changes, and its order; None without one."""
    text = request.GET.get("clone", "")
    if request.method == "POST" or not text:
        return None, None
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
    mine = Batch.objects.visible_to(request.user).select_related(
        "environment", "agent", "user_simulator", "paraphraser", "judge"
    )
    row = get_object_or_404(mine.defer("environment__state"), pk=number)
    return row, order_of(row)


@viewer_required
def batch(request: MemberRequest, pk: int) -> HttpResponse:
    """The page; by htmx what changes quickly, and once the whole page again when the batch has ended."""
    row = _batch(request, pk)
    progress = batch_progress(row)
    context = _live(row, progress)
    if wants_fragment(request):
        if not context["live"]:
            return HttpResponseClientRefresh()
    else:
        context |= {
            **_detail(request, row, progress),
            "design": view_design(row),
            "of_batch": {"batch": row.pk},
            "mix": mix_lines(row),
            "grid": grid_weights(row),
            "roles": role_lines(row),
        }
    return render_page(request, "synthesis/batch.html", context, fragment="progress")


@viewer_required
def batch_detail(request: MemberRequest, pk: int) -> HttpResponse:
    """What changes slowly and costs more to count."""
    row = _batch(request, pk)
    if not wants_fragment(request):
        return redirect("batch", pk=pk)
    progress = batch_progress(row)
    context = {**_live(row, progress), **_detail(request, row, progress)}
    return render_page(request, "synthesis/batch.html", context, fragment="detail")


def _batch(request: MemberRequest, pk: int) -> Batch:
    return get_object_or_404(
        Batch.objects.visible_to(request.user)
        .select_related(
            "environment",
            "created_by",
            "agent",
            "user_simulator",
            "paraphraser",
            "judge",
        )
        .defer("environment__state", "environment__policy"),
        pk=pk,
    )


def _live(row: Batch, progress: BatchProgress) -> dict[str, Any]:
    return {
        "batch": row,
        "progress": progress,
        # Not of a paused one: polling would take away what is being typed into its form.
        "live": row.status in (BatchStatus.DESIGNING, BatchStatus.RUNNING),
        "spent_caps": caps_of(row),
        "caps": CapsForm(like=row),
    }


def _detail(
    request: MemberRequest, row: Batch, progress: BatchProgress
) -> dict[str, Any]:
    names = ("archetype", "plan", "sort")
    chosen = {name: request.GET.get(name, "") for name in names}
    return {
        "rates": accept_rates(row, **chosen),
        "chosen": {name: value for name, value in chosen.items() if value},
        "spending": batch_spending(row, progress),
        "health": health_of(row.endpoints),
    }


@require_POST
@owner_required
def batch_pause(request: MemberRequest, pk: int) -> HttpResponse:
    return _change(request, pk, pause_batch, "Paused. Calls in flight are recorded.")


@require_POST
@owner_required
def batch_resume(request: MemberRequest, pk: int) -> HttpResponse:
    """Go on, with other caps if they were changed."""
    form = CapsForm(request.POST)
    if not form.is_valid():
        told = [str(text) for errors in form.errors.values() for text in errors]
        messages.error(request, " ".join(told))
        return redirect("batch", pk=pk)

    def resume(*, batch: Batch) -> None:
        change_caps(batch=batch, **form.cleaned_data)
        resume_batch(batch=batch)
        transaction.on_commit(send_unfinished.delay)

    return _change(request, pk, resume, "It goes on where it was.")


@require_POST
@owner_required
def batch_retry(request: MemberRequest, pk: int) -> HttpResponse:
    def retry(*, batch: Batch) -> None:
        retry_failed(batch=batch)
        transaction.on_commit(send_unfinished.delay)

    return _change(request, pk, retry, "What failed is tried again.")


@curator_required
@fresh_required()
def batch_results(request: MemberRequest, pk: int) -> StreamingHttpResponse:
    """The batch as a result file of tau2-bench, always as an attachment."""
    batches = Batch.objects.visible_to(request.user)
    row = get_object_or_404(
        batches.select_related("environment", "agent", "user_simulator").defer(
            "environment__state"
        ),
        pk=pk,
    )
    load_environment(row.environment)  # what fails has to fail before the first byte
    record("batch.export", team=row.team_id, row=row)
    response = StreamingHttpResponse(
        export_results(row), content_type="application/json"
    )
    response["Content-Disposition"] = f'attachment; filename="batch-{pk}-results.json"'
    return response


@require_POST
@owner_required
def batch_cancel(request: MemberRequest, pk: int) -> HttpResponse:
    return _change(request, pk, cancel_batch, "Cancelled. What was simulated stays.")


def _change(
    request: MemberRequest, pk: int, change: Callable[..., Any], done: str
) -> HttpResponse:
    row = get_object_or_404(Batch.objects.visible_to(request.user), pk=pk)
    try:
        with transaction.atomic():
            change(batch=row)
    except WritError as error:
        messages.error(request, str(error))
    else:
        messages.info(request, done)
    return redirect("batch", pk=pk)
