"""Reports: ordered, watched, taken away as files."""

from functools import partial
from typing import Any

from django.db import transaction
from django.http import Http404, HttpResponse, QueryDict
from django.urls import path
from rest_framework import serializers

from writ_app.api.endpoint import Endpoint, MemberRequest, found, operation
from writ_app.api.fields import Body, Coded, Document, Key, PageQuery
from writ_app.api.paging import Page, page, page_of
from writ_app.api.problems import Refused, refused_content
from writ_app.forms.reports import ReportForm
from writ_app.jobs.reports import make_report
from writ_app.models.accounts import Role
from writ_app.models.report import Report, ReportKind, ReportStatus
from writ_app.services.access import Access
from writ_app.services.reports.files import file_name, html_file
from writ_app.services.reports.making import NothingToReport, order_report

TAG = "Reports"
OF = ("batch", "release", "view", "reference")
refused_content(NothingToReport)


class ReportLine(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk")
    kind = Coded(ReportKind)
    title = serializers.CharField()
    batch = serializers.IntegerField(source="batch_id", allow_null=True)
    release = serializers.IntegerField(source="release_id", allow_null=True)
    view = serializers.IntegerField(source="view_id", allow_null=True)
    reference = serializers.IntegerField(source="reference_id", allow_null=True)
    against = serializers.IntegerField(source="against_id", allow_null=True)
    status = Coded(ReportStatus)
    total = serializers.IntegerField()
    dealt_with = serializers.IntegerField()
    trouble = serializers.CharField(help_text="Why it was stopped.")
    content_hash = serializers.CharField(help_text="SHA-256 of the JSON file.")
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class ReportBody(Body):
    """Of one of the first four, or of everything."""

    batch = Key(required=False)
    release = Key(required=False)
    view = Key(required=False, help_text="A saved view, whose filters are taken.")
    reference = Key(required=False)
    against = Key(required=False, help_text="A reference set that it is laid beside.")


class Reports(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.REVIEWER)

    @operation("list_reports", query=PageQuery, answer=page_of(ReportLine))
    def get(self, request: MemberRequest, query: dict[str, Any]) -> Page:
        """Reports of the team, newest first."""
        return page(request, Report.objects.visible_to(request.user).narrow(), query)

    @operation("order_report", body=ReportBody, answer=ReportLine, status=201)
    def post(self, request: MemberRequest, body: dict[str, Any]) -> Report:
        """Order a report of a batch, a frozen release, a saved view or a reference set; of nothing named, of everything."""
        sent = QueryDict(mutable=True)
        for name, value in body.items():
            sent[name] = str(value)
        chosen = ReportForm(sent, user=request.user).chosen()
        missing = sorted(set(body) - set(chosen))
        if missing:
            raise Refused({name: ["There is no such thing here."] for name in missing})
        named = [name for name in OF if name in chosen]
        if len(named) > 1:
            raise Refused("A report is of one thing.")
        order = {name: chosen[name] for name in named}
        if not named:
            order["filters"] = {}
        report = order_report(
            team=request.team, by=request.user, against=chosen.get("against"), **order
        )
        transaction.on_commit(partial(make_report.delay, report_id=report.pk))
        return report


class OneReport(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.REVIEWER)

    @operation("get_report", answer=ReportLine)
    def get(self, request: MemberRequest, pk: int) -> Report:
        """One report, and how far it is."""
        return found(Report.objects.visible_to(request.user).narrow(), pk=pk)


class ReportContent(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.REVIEWER)

    @operation("get_report_content", answer=Document)
    def get(self, request: MemberRequest, pk: int) -> Any:
        """What was measured; 404 until the report is done."""
        return _done(request, pk).content


class ReportPage(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.REVIEWER)

    @operation("download_report_page", media="text/html", file=True)
    def get(self, request: MemberRequest, pk: int) -> HttpResponse:
        """The report as one HTML file that stands alone; 404 until it is done."""
        row = _done(request, pk)
        response = HttpResponse(html_file(row), content_type="text/html; charset=utf-8")
        name = file_name(row, "html")
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response


def _done(request: MemberRequest, pk: int) -> Report:
    row = found(Report.objects.visible_to(request.user), pk=pk)
    if row.status != ReportStatus.DONE:
        raise Http404
    return row


urlpatterns = [
    path("reports", Reports.as_view(), name="reports"),
    path("reports/<int:pk>", OneReport.as_view(), name="report"),
    path("reports/<int:pk>/content", ReportContent.as_view(), name="report_content"),
    path("reports/<int:pk>/page", ReportPage.as_view(), name="report_page"),
]
