"""Designed tasks: the list over the grid, and one task with its proof, whose witnesses can be tried."""

import json
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404

from writ_app.engine.types import Task as TaskValue
from writ_app.forms.tasks import TaskFilter
from writ_app.models.catalog import Task
from writ_app.services.catalog import load_environment
from writ_app.services.tasks import (
    CannotTry,
    build_task_page,
    list_tasks,
    task_facets,
    try_witness,
    visible_tasks,
)
from writ_app.views.access import MemberRequest, viewer_required
from writ_app.views.page import render_page, wants_fragment


@viewer_required
def tasks(request: MemberRequest) -> HttpResponse:
    """Facets in the address; one that cannot be had is said, and nothing is shown in its stead."""
    facets = task_facets(user=request.user, batch=TaskFilter.batch_of(request.GET))
    form = TaskFilter(request.GET, facets=facets)
    form.full_clean()
    chosen = form.chosen()
    before = chosen.pop("before", None)
    found = None
    if form.is_valid():
        found = list_tasks(user=request.user, filters=chosen, before=before)
    context = {"list": found, "form": form, "chosen": chosen}
    status = 200 if found else 422
    return render_page(
        request, "tasks/tasks.html", context, fragment="found", status=status
    )


@viewer_required
def task(request: MemberRequest, pk: int) -> HttpResponse:
    """The task; a number posted as `read` tries that read's witness, which changes nothing."""
    row = _found(request, pk)
    context: dict[str, Any] = {"row": row, "failure": "", "read_number": 0}
    status = 200
    if request.method == "POST":
        number = _number(request.POST.get("read", ""))
        if number <= len(row.content["certificate"]):
            context["read_number"] = number  # where on the page the answer stands
        try:
            context["tried"] = try_witness(
                load_environment(row.environment),
                TaskValue.model_validate(row.content),
                number,
            )
        except CannotTry as error:
            context["failure"], status = str(error), 422
    if not (request.method == "POST" and wants_fragment(request)):
        context["page"] = build_task_page(row=row, user=request.user)
    return render_page(
        request, "tasks/task.html", context, fragment="tried", status=status
    )


@viewer_required
def task_raw(request: MemberRequest, pk: int) -> HttpResponse:
    """Everything, uncut, for a file viewer: never shown by the browser itself."""
    text = json.dumps(_found(request, pk).content, indent=1, ensure_ascii=False)
    response = HttpResponse(text, content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="task-{pk}.json"'
    return response


def _found(request: MemberRequest, pk: int) -> Task:
    mine = visible_tasks(request.user).select_related("environment")
    return get_object_or_404(
        mine.defer("environment__state", "environment__policy"), pk=min(pk, 2**62)
    )


def _number(text: str) -> int:
    """0 for anything that is no number of a read."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
