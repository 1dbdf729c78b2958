"""Evaluation runs: ordered, watched, looked at trial by trial, compared."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET, require_POST

from writ_app.engine.errors import WritError
from writ_app.forms.evaluation import CompareForm, ResultsForm, RunCapsForm, RunForm
from writ_app.jobs.evaluation import import_results, send_unfinished_runs
from writ_app.models import clock
from writ_app.models.evaluation import EvaluationRun, EvaluationTrial, TrialStatus
from writ_app.services import evaluation
from writ_app.services.catalog import load_environment
from writ_app.services.catalog.uploads import OPEN
from writ_app.services.evaluation.files import domains_of
from writ_app.services.evaluation.page import (
    comparison_sections,
    run_sections,
    task_lines,
    view_trial,
)
from writ_app.services.evaluation.results import SUMMED_UP_LIVE
from writ_app.services.evaluation.uploads import keep_results, recent_results
from writ_app.views.access import (
    MemberRequest,
    curator_required,
    fresh_required,
    owner_required,
    viewer_required,
)
from writ_app.views.page import render_page

PAGE_SIZE = 50
ROWS = 300
"""Tasks of a comparison that a page lists: those that differ most first."""


@viewer_required
def evaluations(request: MemberRequest) -> HttpResponse:
    pages = Paginator(evaluation.runs_of(request.user), PAGE_SIZE)
    page = pages.get_page(request.GET.get("page"))
    imports = recent_results(request.user, at=clock.now())
    context = {
        "page": page,
        "compare": CompareForm(user=request.user),
        "several": pages.count > 1,
        "imports": imports,
        "live": any(one.status in OPEN for one in imports),
    }
    return render_page(
        request, "evaluation/evaluations.html", context, fragment="found"
    )


@owner_required
def evaluation_new(request: MemberRequest) -> HttpResponse:
    data = request.POST if request.method == "POST" else None
    form = RunForm(data, team=request.team, user=request.user)
    if form.is_valid():
        try:
            run = form.order()
        except WritError as error:
            form.add_error(None, str(error))
        else:
            transaction.on_commit(send_unfinished_runs.delay)
            return redirect("evaluation", pk=run.pk)
    status = 422 if form.errors else 200
    return render_page(
        request, "evaluation/evaluation_new.html", {"form": form}, status=status
    )


@curator_required
def evaluation_import(request: MemberRequest) -> HttpResponse:
    """Uploading a results file. A worker scores it; the list of runs says how far it is."""
    posted = request.method == "POST"
    form = ResultsForm(request.POST, request.FILES) if posted else ResultsForm()
    if posted and form.is_valid():
        given = form.cleaned_data
        with transaction.atomic():
            row = keep_results(
                team=request.team,
                by=request.user,
                file=given["file"],
                name=given["name"],
            )
            transaction.on_commit(partial(import_results.delay, import_id=row.pk))
        messages.success(request, f"{row} is being read.")
        return redirect("evaluations")
    status = 422 if form.errors else 200
    return render_page(
        request, "evaluation/evaluation_import.html", {"form": form}, status=status
    )


@viewer_required
def evaluation_run(request: MemberRequest, pk: int) -> HttpResponse:
    """The order, how far it is, and what came of it so far."""
    run = _run(request, pk)
    progress = evaluation.run_progress(run)
    # Summed up anew at every look: of very many trials not before the end.
    early = run.is_live and progress.total > SUMMED_UP_LIVE
    context = {
        "run": run,
        "progress": progress,
        "sections": () if early else run_sections(evaluation.summary_of(run)),
        "tasks": task_lines(run, after=_number(request.GET.get("after"))),
        "caps": RunCapsForm(of=run),
        "domains": domains_of(run),
    }
    return render_page(request, "evaluation/evaluation.html", context, fragment="whole")


@viewer_required
def evaluation_trial(request: MemberRequest, pk: int) -> HttpResponse:
    trials = EvaluationTrial.objects.visible_to(request.user)
    row = get_object_or_404(_with_task(trials), pk=pk)
    context = {
        "view": view_trial(row),
        "others": row.task.trials.narrow().order_by("trial"),
    }
    return render_page(request, "evaluation/evaluation_trial.html", context)


@viewer_required
def evaluation_compare(request: MemberRequest) -> HttpResponse:
    """Two runs that the address names, or the choice."""
    form = CompareForm(request.GET, user=request.user)
    context: dict[str, Any] = {"form": form}
    if form.is_bound and form.is_valid():
        left, right = form.cleaned_data["left"], form.cleaned_data["right"]
        try:
            found = evaluation.comparison_of(left, right)
        except WritError as error:
            form.add_error(None, str(error))
        else:
            rows = sorted(found["rows"], key=_by_difference)
            context |= {
                "found": found,
                "sections": comparison_sections(found),
                "rows": _with_trials(rows[:ROWS], left, right),
                "more": max(0, len(rows) - ROWS),
            }
    status = 422 if form.errors else 200
    return render_page(
        request, "evaluation/evaluation_compare.html", context, status=status
    )


@viewer_required
def evaluation_beside(request: MemberRequest, left: int, right: int) -> HttpResponse:
    """Two trials of the same task, call by call."""
    trials = _with_task(
        EvaluationTrial.objects.visible_to(request.user).filter(status=TrialStatus.DONE)
    )
    one = get_object_or_404(trials, pk=left)
    other = get_object_or_404(trials, pk=right)
    if one.task.content_hash != other.task.content_hash:
        raise Http404("They are not of the same task.")
    context = {"both": evaluation.side_by_side(one, other)}
    return render_page(request, "evaluation/evaluation_beside.html", context)


@require_GET
@curator_required
@fresh_required()
def evaluation_file(request: MemberRequest, pk: int) -> StreamingHttpResponse:
    """The run as a result file of tau2-bench, of the domain that the address names, always as an attachment."""
    run = _run(request, pk)
    names = domains_of(run)
    domain = request.GET.get("domain", "") or (names[0] if len(names) == 1 else "")
    if domain not in names:
        raise Http404("A file is of one of the run's domains.")
    row = run.tasks.filter(environment__name=domain).select_related("environment")[0]
    load_environment(row.environment)  # what fails has to fail before the first byte
    response = StreamingHttpResponse(
        evaluation.export_run(run, domain=domain), content_type="application/json"
    )
    name = f"evaluation-{pk}-{domain}-results.json"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


# --- changes -------------------------------------------------------------------------------------------------------------------


@require_POST
@owner_required
def evaluation_pause(request: MemberRequest, pk: int) -> HttpResponse:
    return _change(request, pk, evaluation.pause_run, "Paused. Calls in flight are recorded.")  # fmt: skip


@require_POST
@owner_required
def evaluation_resume(request: MemberRequest, pk: int) -> HttpResponse:
    """Go on, with other caps if they were changed."""
    form = RunCapsForm(request.POST)
    if not form.is_valid():
        told = [str(text) for errors in form.errors.values() for text in errors]
        messages.error(request, " ".join(told))
        return redirect("evaluation", pk=pk)
    resume = partial(evaluation.resume_run, **form.cleaned_data)
    return _change(request, pk, resume, "It goes on where it was.")


@require_POST
@owner_required
def evaluation_retry(request: MemberRequest, pk: int) -> HttpResponse:
    return _change(request, pk, evaluation.retry_failed, "What failed is tried again.")


@require_POST
@owner_required
def evaluation_cancel(request: MemberRequest, pk: int) -> HttpResponse:
    return _change(request, pk, evaluation.cancel_run, "Cancelled. What was tried stays.")  # fmt: skip


def _change(
    request: MemberRequest, pk: int, change: Callable[..., Any], done: str
) -> HttpResponse:
    run = _run(request, pk)
    try:
        with transaction.atomic():
            change(run=run)
            transaction.on_commit(send_unfinished_runs.delay)
    except WritError as error:
        messages.error(request, str(error))
    else:
        messages.info(request, done)
    return redirect("evaluation", pk=pk)


# --- rows ----------------------------------------------------------------------------------------------------------------------


def _run(request: MemberRequest, pk: int) -> EvaluationRun:
    runs = EvaluationRun.objects.visible_to(request.user)
    return get_object_or_404(runs.select_related("created_by", "agent", "judge"), pk=pk)


def _with_task(trials: Any) -> Any:
    return trials.select_related("run", "task__environment", "task__own").defer(
        "task__environment__state", "task__environment__policy", "task__own__content"
    )


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None  # fmt: skip


def _by_difference(row: dict[str, Any]) -> float:
    return -abs(row["difference"] or 0)


def _with_trials(
    rows: list[dict[str, Any]], left: EvaluationRun, right: EvaluationRun
) -> list[dict[str, Any]]:
    """Rows with a trial of each to lay side by side: one that is solved beside one that is not, if there are such."""
    keys = [row["task"] for row in rows]
    sides = [_trials_of(run, keys) for run in (left, right)]
    for row in rows:
        one, other = (side.get(row["task"]) for side in sides)
        if one and other:
            better = (row["difference"] or 0) >= 0
            row["beside"] = (
                one["failed" if better else "solved"] or one["any"],
                other["solved" if better else "failed"] or other["any"],
            )
    return rows


def _trials_of(run: EvaluationRun, keys: list[str]) -> dict[str, dict[str, int]]:
    """Task → a trial that failed, one that is solved, and any; 0 for none."""
    found: dict[str, dict[str, int]] = {}
    rows = EvaluationTrial.objects.filter(
        run=run, task__key__in=keys, status=TrialStatus.DONE
    ).order_by("trial")
    for pk, key, failure in rows.values_list("pk", "task__key", "failure"):
        held = found.setdefault(key, {"failed": 0, "solved": 0, "any": pk})
        kind = "failed" if failure else "solved"
        held[kind] = held[kind] or pk
    return found
