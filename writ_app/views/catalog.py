"""Environments: numbers, policy, tools, records, and a console to try them."""

import json
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db import transaction
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from environments.core import environment as core
from environments.core.canonical import Key
from environments.core.state import State
from environments.core.tools import ToolCall, ToolKind
from writ_app.forms.catalog import CallForm, RecordSearch, UploadForm
from writ_app.jobs.catalog import import_upload
from writ_app.models.accounts import Role
from writ_app.models.catalog import Environment, ReferenceSet
from writ_app.services.catalog import load_environment
from writ_app.services.catalog.console import MAX_CALLS, replay_console
from writ_app.services.catalog.parameters import read_parameters
from writ_app.services.catalog.policy import read_policy
from writ_app.services.catalog.references import SetInUse, delete_reference_set
from writ_app.services.catalog.state import browse, view_record
from writ_app.services.catalog.uploads import keep_upload
from writ_app.views.access import (
    MemberRequest,
    curator_required,
    guard,
    reviewer_required,
    viewer_required,
)
from writ_app.views.page import render_page


@viewer_required
def environments(request: MemberRequest) -> HttpResponse:
    known = Environment.objects.order_by("name", "-id").defer("state", "policy")
    return render_page(request, "catalog/environments.html", {"environments": known})


@viewer_required
def environment(request: MemberRequest, name: str, version: str) -> HttpResponse:
    row, loaded = _found(name, version)
    tools = list(loaded.tools.values())
    context = {
        **_context(row, loaded),
        "counts": _counts(loaded.state),
        "tool_counts": [
            (kind.value, sum(tool.kind is kind for tool in tools)) for kind in ToolKind
        ],
        "archetypes": loaded.domain.archetypes,
        "row_counts": Environment.objects.filter(pk=row.pk).aggregate(
            tasks=Count("tasks", distinct=True),
            reference_tasks=Count("reference_tasks", distinct=True),
        ),
        "command": f"manage.py serve_environment {row.name} --version {row.version}",
    }
    return render_page(request, "catalog/environment.html", context)


@viewer_required
def environment_policy(request: MemberRequest, name: str, version: str) -> HttpResponse:
    row, loaded = _found(name, version)
    lines = read_policy(loaded.policy)
    context = {
        **_context(row, loaded),
        "lines": lines,
        "headings": [line for line in lines if line.kind == "heading"],
        "judged": {check.clause for check in loaded.domain.policy_checks},
    }
    return render_page(request, "catalog/policy.html", context)


@viewer_required
def environment_tools(request: MemberRequest, name: str, version: str) -> HttpResponse:
    row, loaded = _found(name, version)
    tools = [(tool, read_parameters(tool.schema)) for tool in loaded.tools.values()]
    return render_page(
        request, "catalog/tools.html", {**_context(row, loaded), "tools": tools}
    )


@viewer_required
def environment_state(
    request: MemberRequest, name: str, version: str, collection: str
) -> HttpResponse:
    row, loaded = _found(name, version)
    _require(loaded.state, collection)
    form = RecordSearch(request.GET)
    form.full_clean()
    context = {
        **_context(row, loaded),
        "counts": _counts(loaded.state),
        "collection": collection,
        "form": form,
        "sought": form.text_sought,
        "list": browse(
            loaded.state,
            collection,
            text=form.text_sought,
            where=form.where_sought,
            after=form.key_after,
        ),
    }
    return render_page(request, "catalog/state.html", context, fragment="found")


@viewer_required
def environment_record(
    request: MemberRequest, name: str, version: str, collection: str
) -> HttpResponse:
    row, loaded = _found(name, version)
    _require(loaded.state, collection)
    view = view_record(loaded.state, collection, request.GET.get("key", ""))
    if view is None:
        raise Http404(f"{collection} has no such key.")
    context = {
        **_context(row, loaded),
        "collection": collection,
        "view": view,
        "links": {p: _record_address(row, key) for p, key in view.links.items()},
        "mentions": [(key, _record_address(row, key)) for key in view.mentions],
    }
    return render_page(request, "catalog/record.html", context)


@viewer_required
def environment_record_raw(
    request: MemberRequest, name: str, version: str, collection: str
) -> HttpResponse:
    """Everything, uncut, for a file viewer: never shown by the browser itself."""
    _, loaded = _found(name, version)
    _require(loaded.state, collection)
    found = loaded.state.collections[collection].get(request.GET.get("key", ""))
    if found is None:
        raise Http404(f"{collection} has no such key.")
    response = HttpResponse(
        json.dumps(found, indent=1), content_type="text/plain; charset=utf-8"
    )
    response["Content-Disposition"] = 'attachment; filename="record.json"'
    return response


@guard(Role.VIEWER, write=Role.REVIEWER)
def environment_console(
    request: MemberRequest, name: str, version: str
) -> HttpResponse:
    """The session as it stands (GET, `tool` picks what to call next), or one call more (POST).

    A POST may also ask for another tool (`picked`) or for the other form (`turn`): no call is made then.
    """
    row, loaded = _found(name, version)
    calls = _kept_calls(request, row)
    form = _call_form(request, loaded, calls)
    status = 200
    if request.method == "POST":
        picked = request.POST.get("picked", form.tool.name)
        if picked in loaded.tools and picked != form.tool.name:
            form = form.for_tool(picked)
        elif "turn" in request.POST:
            form = form.turned()
        elif len(calls) < MAX_CALLS and (call := form.call()):
            _keep_calls(request, row, [*calls, call])
            return redirect(_console_address(row, form))
        else:
            status = 422
    context = {
        **_context(row, loaded),
        "form": form,
        "console": replay_console(loaded, calls),
        "most": MAX_CALLS,
    }
    return render_page(
        request,
        "catalog/console.html",
        context,
        fragment="call",
        status=422 if form.errors else status,
    )


@require_POST
@reviewer_required
def environment_console_reset(
    request: MemberRequest, name: str, version: str
) -> HttpResponse:
    row, _ = _found(name, version)
    request.session.pop(_session_key(row), None)
    return redirect("environment_console", row.name, row.version)


def _found(name: str, version: str) -> tuple[Environment, core.Environment]:
    known = Environment.objects.defer("state")
    row = get_object_or_404(known, name=name, version=version)
    return row, load_environment(row)


def _context(row: Environment, loaded: core.Environment) -> dict[str, Any]:
    """What every page of an environment needs, its tabs included."""
    return {
        "row": row,
        "environment": loaded,
        "first_collection": next(iter(loaded.state.collections), ""),
    }


def _counts(state: State) -> dict[str, int]:
    return {name: len(records) for name, records in state.collections.items()}


def _require(state: State, collection: str) -> None:
    if collection not in state.collections:
        raise Http404("There is no such collection.")


def _record_address(row: Environment, key: Key) -> str:
    collection, name = key
    there = reverse("environment_record", args=[row.name, row.version, collection])
    return f"{there}?{urlencode({'key': name})}"


def _session_key(row: Environment) -> str:
    return f"console-{row.pk}"


def _kept_calls(request: HttpRequest, row: Environment) -> list[ToolCall]:
    kept = request.session.get(_session_key(row), [])
    return [ToolCall.model_validate(call) for call in kept]


def _keep_calls(request: HttpRequest, row: Environment, calls: list[ToolCall]) -> None:
    request.session[_session_key(row)] = [call.model_dump() for call in calls]


def _call_form(
    request: HttpRequest, loaded: core.Environment, calls: list[ToolCall]
) -> CallForm:
    """The form as it was sent, or the one to begin with. A tool that is not there gives the first one, empty."""
    given = request.POST or request.GET
    tool = given.get("tool", "")
    as_json = "arguments" in given or given.get("form") == "json"
    if tool not in loaded.tools:
        return CallForm(loaded, next(iter(loaded.tools)), as_json=as_json)
    if request.method == "POST":
        return CallForm(loaded, tool, as_json=as_json, data=request.POST)
    if "again" in given and calls and calls[-1].name == tool:
        return CallForm.filled(loaded, tool, calls[-1].arguments, as_json=as_json)
    return CallForm(loaded, tool, as_json=as_json)


def _console_address(row: Environment, form: CallForm) -> str:
    """Where the call is shown, with its arguments ready for the next one."""
    there = reverse("environment_console", args=[row.name, row.version])
    shape = "json" if form.as_json else "fields"
    query = urlencode({"tool": form.tool.name, "form": shape, "again": 1})
    return f"{there}?{query}#calls"


# --- reference sets ------------------------------------------------------------------------------------------------------------


@curator_required
def reference_new(request: MemberRequest) -> HttpResponse:
    """Uploading a file. A worker reads it; the list of sets says how far it is."""
    posted = request.method == "POST"
    form = UploadForm(request.POST, request.FILES) if posted else UploadForm()
    if posted and form.is_valid():
        given = form.cleaned_data
        with transaction.atomic():
            row = keep_upload(
                team=request.team,
                by=request.user,
                file=given["file"],
                name=given["name"],
                kind=given["kind"],
            )
            transaction.on_commit(partial(import_upload.delay, import_id=row.pk))
        messages.success(request, f"{row} is being read.")
        return redirect("references")
    status = 422 if form.errors else 200
    return render_page(
        request, "catalog/reference_new.html", {"form": form}, status=status
    )


@curator_required
@require_POST
def reference_delete(request: MemberRequest, pk: int) -> HttpResponse:
    """A set of the person's own team. What was imported for everybody stays."""
    row = get_object_or_404(
        ReferenceSet.objects.visible_to(request.user), pk=pk, team=request.team
    )
    try:
        delete_reference_set(row)
    except SetInUse as error:
        messages.error(request, str(error))
        return redirect("reference_set", pk=pk)
    messages.success(request, f"{row} is deleted.")
    return redirect("references")
