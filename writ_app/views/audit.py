"""The audit log of a team: looked through, taken away, verified."""

from functools import partial

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from writ_app.forms.audit import KINDS, AuditFilter
from writ_app.jobs.audit import check_chain
from writ_app.services.audit import record
from writ_app.services.audit.checking import order_check
from writ_app.services.audit.reading import (
    Line,
    csv_lines,
    entries_of,
    json_lines,
    page_of,
    state_of,
)
from writ_app.views.access import (
    MemberRequest,
    fresh_required,
    owner_required,
)
from writ_app.views.page import render_page, wants_fragment

PAGES = {
    "reviewitem": "trajectory",
    "samplingplan": "quality_lane",
    "batch": "batch",
    "persona": "persona",
    "behaviourplan": "plan",
    "modelendpoint": "endpoint",
    "referenceset": "reference_set",
    "release": "release",
    "report": "report",
    "webhook": "webhook",
}
"""Kind of a row → name of its page's address."""
LISTS = {
    "bulkaction": "bulk_actions",
    "savedview": "saved_views",
    "findrule": "rules",
    "reviewpolicy": "quality",
    "reverification": "verification",
    "referenceimport": "references",
}
"""Kinds whose rows are shown on a list."""


@require_GET
@owner_required
def audit(request: MemberRequest) -> HttpResponse:
    state = {"state": state_of(request.team)}
    if wants_fragment(request):  # which polls while the chain is walked
        return render_page(request, "audit/audit.html", state, fragment="state")
    form = AuditFilter(request.GET, team=request.team)
    page = page_of(request.team, form.wanted, form.start)
    context = {
        **state,
        "form": form,
        "chosen": form.wanted.as_json(),
        "lines": [(line, *_subject(line)) for line in page.lines],
        "pager": {"first": form.start is None, "before": page.before},
    }
    return render_page(request, "audit/audit.html", context)


def _subject(line: Line) -> tuple[str, str]:
    """(words for what an entry is about, the address where it can be seen or "")."""
    entry = line.entry
    words = f"{KINDS.get(entry.kind, entry.kind)} {entry.key}".strip()
    if line.is_gone:
        return words, ""
    if line.trajectory is not None:
        about = f"trajectory {line.trajectory}"
        same = entry.kind == "reviewitem" and entry.key == str(line.trajectory)
        address = reverse("trajectory", args=[line.trajectory])
        return about if same or not words else f"{about}, {words}", address
    if entry.kind in PAGES and entry.key.isdigit():
        return words, reverse(PAGES[entry.kind], args=[entry.key])
    return words, reverse(LISTS[entry.kind]) if entry.kind in LISTS else ""


@require_GET
@owner_required
@fresh_required()
def audit_jsonl(request: MemberRequest) -> StreamingHttpResponse:
    return _file(request, "jsonl", "application/jsonl")


@require_GET
@owner_required
@fresh_required()
def audit_csv(request: MemberRequest) -> StreamingHttpResponse:
    return _file(request, "csv", "text/csv; charset=utf-8")


def _file(request: MemberRequest, kind: str, mime: str) -> StreamingHttpResponse:
    """What the filters find, up to and without the entry that says that it was taken away."""
    wanted = AuditFilter(request.GET, team=request.team).wanted
    after = {"file": kind, "filters": wanted.as_json()}
    taken = record("audit.export", team=request.team, after=after)
    entries = entries_of(request.team, wanted).filter(pk__lt=taken.pk)
    lines = json_lines(entries) if kind == "jsonl" else csv_lines(entries)
    response = StreamingHttpResponse(lines, content_type=mime)
    response["Content-Disposition"] = f'attachment; filename="audit.{kind}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


@require_POST
@owner_required
def audit_verify(request: MemberRequest) -> HttpResponse:
    """Have the chain walked by a job; the page tells what came of it."""
    check, new = order_check(team=request.team, by=request.user)
    if new:
        transaction.on_commit(partial(check_chain.delay, check_id=check.pk))
    else:
        messages.info(request, "It is being verified already.")
    return redirect("audit")
