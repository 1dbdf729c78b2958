"""Pages of reports."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import (
    make_batch,
    make_owner,
    make_reviewer,
    make_trajectory,
    team_of,
)
from tests.views.test_hostile_text import HOSTILE
from tests.views.test_references import brought_in
from writ_app.models.accounts import User
from writ_app.models.report import Report, ReportKind, ReportStatus
from writ_app.models.synthesis import Batch
from writ_app.services.reports.making import make_report, order_report

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> User:
    return make_owner()


@pytest.fixture
def batch(owner: User) -> Batch:
    found = make_batch(team=team_of(owner), by=owner, name="first light")
    for number in range(2):
        make_trajectory(batch=found, number=number)
    return found


@pytest.fixture
def signed_in(client: Client, owner: User) -> Client:
    client.force_login(owner)
    return client


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Keys of the reports that were sent to workers."""
    found: list[int] = []
    monkeypatch.setattr(
        "writ_app.views.reports.make_report.delay",
        lambda *, report_id: found.append(report_id),
    )
    return found


def done(owner: User, **of: Any) -> Report:
    report = order_report(team=team_of(owner), by=owner, **of)
    assert make_report(report_id=report.pk)
    return report


def text_of(response: Any) -> str:
    assert response.status_code == 200
    return str(response.content.decode())


class TestOrdering:
    def test_of_a_batch_sends_a_job_and_leads_to_its_progress(
        self,
        signed_in: Client,
        batch: Batch,
        sent: list[int],
        django_capture_on_commit_callbacks: Any,
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            answer = signed_in.post(reverse("report_order"), {"batch": batch.pk})

        report = Report.objects.get()
        assert answer.url == reverse("report", args=[report.pk])
        assert sent == [report.pk]
        page = text_of(signed_in.get(answer.url))
        assert "0 / 2" in page
        assert 'hx-trigger="every 2s"' in page

    def test_of_a_list_keeps_its_filters_and_drops_what_is_none(
        self, signed_in: Client, batch: Batch, sent: list[int]
    ) -> None:
        address = f"{reverse('report_order')}?accepted=yes&batch={batch.pk}&team=7"
        signed_in.post(address)

        report = Report.objects.get()
        assert report.kind == ReportKind.VIEW
        assert report.filters == {"accepted": ["yes"], "batch": [batch.pk]}

    def test_of_another_teams_batch_is_not_found(
        self, signed_in: Client, sent: list[int]
    ) -> None:
        other = make_batch(team=team_of(make_owner()))
        make_trajectory(batch=other)

        answer = signed_in.post(reverse("report_order"), {"batch": other.pk})

        assert answer.status_code == 404
        assert not Report.objects.exists()

    def test_of_nothing_says_so(self, signed_in: Client, sent: list[int]) -> None:
        page = text_of(signed_in.post(reverse("report_order"), follow=True))

        assert "nothing to report" in page
        assert sent == []


class TestAPage:
    def test_has_every_section_and_leads_from_answers_to_figures(
        self, signed_in: Client, owner: User, batch: Batch
    ) -> None:
        report = done(owner, batch=batch)

        page = text_of(signed_in.get(reverse("report", args=[report.pk])))

        for section in ("overview", "sizes", "axes", "evidence", "tools", "texts",
                        "production", "review", "purity", "objections", "origins"):  # fmt: skip
            assert f'id="{section}"' in page
            assert f'href="#{section}"' in page
        assert "hx-trigger" not in page
        assert " style=" not in page
        assert "made by scripted models" in page
        assert "not measured" in page

    def test_of_a_reference_set_claims_nothing_about_how_it_was_made(
        self, signed_in: Client, owner: User, tmp_path: Path
    ) -> None:
        report = done(owner, reference=brought_in(tmp_path))

        page = text_of(signed_in.get(reverse("report", args=[report.pk])))

        assert "by verification" not in page
        assert 'id="objections"' not in page

    def test_leads_to_nothing_that_is_not_there(
        self, signed_in: Client, owner: User, batch: Batch
    ) -> None:
        report = done(owner, batch=batch)

        page = text_of(signed_in.get(reverse("report", args=[report.pk])))

        for slug in set(re.findall(r'href="#([a-z]+)"', page)):
            assert f'id="{slug}"' in page

    def test_of_another_team_is_not_found(
        self, client: Client, owner: User, batch: Batch
    ) -> None:
        report = done(owner, batch=batch)
        client.force_login(make_owner())

        for name, arguments in (
            ("report", [report.pk]),
            ("report_file", [report.pk, "json"]),
        ):
            assert client.get(reverse(name, args=arguments)).status_code == 404

    def test_is_for_reviewers_too(
        self, client: Client, owner: User, batch: Batch
    ) -> None:
        report = done(owner, batch=batch)
        client.force_login(make_reviewer(team=team_of(owner)))

        text_of(client.get(reverse("report", args=[report.pk])))

    def test_of_a_report_that_failed_says_why(
        self, signed_in: Client, owner: User, batch: Batch
    ) -> None:
        report = order_report(team=team_of(owner), by=owner, batch=batch)
        Report.objects.filter(pk=report.pk).update(
            status=ReportStatus.FAILED, trouble="<b>no room</b>"
        )

        page = text_of(signed_in.get(reverse("report", args=[report.pk])))

        assert "&lt;b&gt;no room" in page
        assert "<b>no room" not in page

    def test_prints_what_others_wrote_as_text(
        self, signed_in: Client, owner: User, batch: Batch, tmp_path: Path
    ) -> None:
        """Names of tools, arguments and openings come from anywhere."""
        reference = brought_in(tmp_path, text=HOSTILE)
        report = done(owner, reference=reference)
        beside = done(owner, batch=batch, against=reference)

        for one in (report, beside):
            for address in (
                reverse("report", args=[one.pk]),
                reverse("report_file", args=[one.pk, "html"]),
            ):
                page = text_of(signed_in.get(address))
                assert "<script>alert" not in page
                assert "<img src=x" not in page
                assert 'onfocus="alert' not in page
        assert "&lt;script&gt;" in page


class TestFiles:
    def test_come_as_attachments_with_names(
        self, signed_in: Client, owner: User, batch: Batch
    ) -> None:
        report = done(owner, batch=batch)

        for suffix in ("html", "json"):
            answer = signed_in.get(reverse("report_file", args=[report.pk, suffix]))
            assert answer.status_code == 200
            assert answer["Content-Disposition"] == (
                f'attachment; filename="report-{report.pk}-batch-first-light.{suffix}"'
            )

    def test_of_another_kind_are_not_found(
        self, signed_in: Client, owner: User, batch: Batch
    ) -> None:
        report = done(owner, batch=batch)
        waiting = order_report(team=team_of(owner), by=owner, batch=batch)

        for pk, suffix in ((report.pk, "pdf"), (waiting.pk, "json")):
            address = reverse("report_file", args=[pk, suffix])
            assert signed_in.get(address).status_code == 404


class TestTheList:
    def test_of_a_batch_has_its_reports_alone(
        self, signed_in: Client, owner: User, batch: Batch
    ) -> None:
        other = make_batch(team=team_of(owner), by=owner, name="second light")
        make_trajectory(batch=other)
        for one in (batch, other):
            order_report(team=team_of(owner), by=owner, batch=one)

        page = text_of(signed_in.get(reverse("reports"), {"batch": batch.pk}))

        assert "Batch first light" in page
        assert "Batch second light" not in page

    def test_is_led_to_from_where_there_is_something_to_report(
        self, signed_in: Client, batch: Batch
    ) -> None:
        batch_page = text_of(signed_in.get(reverse("batch", args=[batch.pk])))
        list_page = text_of(signed_in.get(reverse("trajectories"), {"accepted": "yes"}))

        assert f"{reverse('reports')}?batch={batch.pk}" in batch_page
        assert f"{reverse('reports')}?accepted=yes" in list_page

    def test_without_any_report_says_what_one_is(self, signed_in: Client) -> None:
        assert "No report yet" in text_of(signed_in.get(reverse("reports")))
