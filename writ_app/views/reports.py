"""Reports: ordered, watched, looked at, taken away."""

from functools import partial
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from writ_app.engine.errors import WritError
from writ_app.forms.lists import ListForm, query_of
from writ_app.forms.reports import ReportForm
from writ_app.jobs.reports import make_report
from writ_app.models.report import Report, ReportStatus
from writ_app.services.reports.files import file_name, html_file, json_file
from writ_app.services.reports.listing import reports_of
from writ_app.services.reports.making import order_report
from writ_app.services.reports.page import sections_of
from writ_app.views.access import MemberRequest, reviewer_required, viewer_required
from writ_app.views.page import render_page

OF = ("batch", "release", "view", "reference")


@viewer_required
def reports(request: MemberRequest) -> HttpResponse:
    """All reports, or those of what the address names, with a form that orders one of it."""
    form = ReportForm(request.GET, user=request.user)
    chosen = form.chosen()
    filters = ListForm(request.GET).filters
    named = {name: chosen.get(name) for name in ("batch", "release", "reference")}
    of = next((name for name in OF if name in chosen), "")
    if of:
        filters = {}
    context = {
        "form": form,
        "of": of,
        "subject": chosen.get(of),
        "filters": filters,
        "query": query_of(filters),
        "reports": reports_of(request.team, **named),
    }
    return render_page(request, "reports/reports.html", context)


@require_POST
@reviewer_required
def report_order(request: MemberRequest) -> HttpResponse:
    """Order a report of what the address names; without a name, of what its filters find."""
    chosen = ReportForm(request.POST, user=request.user).chosen()
    asked = {name: request.POST.get(name) for name in OF if request.POST.get(name)}
    if set(asked) - set(chosen):
        raise Http404("There is no such thing to report.")
    of = next((name for name in OF if name in chosen), "")
    order: dict[str, Any] = {of: chosen[of]} if of else {}
    if not of:
        order["filters"] = ListForm(request.GET).filters
    try:
        report = order_report(
            team=request.team, by=request.user, against=chosen.get("against"), **order
        )
    except WritError as error:
        messages.error(request, str(error))
        return redirect("reports")
    # Sent after the row is there for a worker to see.
    transaction.on_commit(partial(make_report.delay, report_id=report.pk))
    return redirect("report", pk=report.pk)


@viewer_required
def report(request: MemberRequest, pk: int) -> HttpResponse:
    row = _row(request, pk)
    context: dict[str, Any] = {"report": row}
    if row.content is not None:
        context |= {
            "sections": sections_of(row.content),
            "made": row.content["made_from"],
        }
    return render_page(request, "reports/report.html", context, fragment="whole")


@viewer_required
def report_file(request: MemberRequest, pk: int, suffix: str) -> HttpResponse:
    """The HTML or JSON file, always as an attachment."""
    row = _row(request, pk)
    if row.status != ReportStatus.DONE or suffix not in ("html", "json"):
        raise Http404
    text = html_file(row) if suffix == "html" else json_file(row)
    kind = "text/html" if suffix == "html" else "application/json"
    response = HttpResponse(text, content_type=f"{kind}; charset=utf-8")
    name = file_name(row, suffix)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _row(request: MemberRequest, pk: int) -> Report:
    visible = Report.objects.visible_to(request.user).select_related(
        "created_by", "batch", "release", "reference", "against", "view"
    )
    return get_object_or_404(
        visible.defer("reference__content", "against__content"), pk=pk
    )
