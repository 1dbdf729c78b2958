"""What Prometheus is told: by whom it may be read, that it counts, and that it is what docs/operations.md says."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory, override_settings
from django.urls import ResolverMatch
from prometheus_client.parser import text_string_to_metric_families

from tests.factories import make_batch, make_owner, make_slot, make_trajectory, team_of
from writ_app.adapters.broker import broker_client
from writ_app.adapters.troubles import database_trouble, message_unsent
from writ_app.models import clock
from writ_app.services.operations import standing, tallies
from writ_app.services.operations.heard import note_heard
from writ_app.services.review.queue import take
from writ_app.views import metrics
from writ_app.views.metrics import Measured

ROOT = Path(__file__).resolve().parents[3]
TOKEN = "a-token-of-some-length"
pytestmark = pytest.mark.django_db


@pytest.fixture
def counted() -> Iterator[None]:
    """A broker in which no job has ended yet."""
    with broker_client(settings.CELERY_BROKER_URL, seconds=2) as broker:
        broker.delete(tallies.KEY)
        tallies.note_job(job="reports.make_report", outcome="success", seconds=0.3)
        tallies.note_job(job="reports.make_report", outcome="success", seconds=70)
        tallies.note_job(job="reports.make_report", outcome="failure", seconds=2000)
        tallies.note_memory(worker="worker@here", held=123)
        note_heard()
        yield
        broker.delete(tallies.KEY, f"{tallies.MEMORY}|worker@here")


def scraped() -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """(name of a series, its labels) → value."""
    with override_settings(METRICS_TOKEN=TOKEN):
        response = Client().get(
            "/metrics", headers={"authorization": f"Bearer {TOKEN}"}
        )
    assert response.status_code == 200
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(response.content.decode())
        for sample in family.samples
    }


def value(name: str, **labels: str) -> float:
    return scraped().get((name, tuple(sorted(labels.items()))), 0.0)


class TestTheDoor:
    def test_is_not_there_without_a_token(self, client: Client) -> None:
        response = client.get("/metrics", headers={"authorization": "Bearer "})

        assert (response.status_code, response.content) == (404, b"")

    @pytest.mark.parametrize(
        "sent", [None, "Bearer", "Bearer wrong", f"Basic {TOKEN}", TOKEN, "Bearer \xe9"]
    )
    def test_opens_to_nobody_else(self, client: Client, sent: str | None) -> None:
        headers = {} if sent is None else {"authorization": sent}
        with override_settings(METRICS_TOKEN=TOKEN):
            response = client.get("/metrics", headers=headers)

        assert (response.status_code, response.content) == (401, b"")
        assert response["WWW-Authenticate"] == "Bearer"

    def test_needs_no_session_and_no_host_name(self, client: Client) -> None:
        with override_settings(METRICS_TOKEN=TOKEN):
            response = client.get(
                "/metrics",
                headers={"authorization": f"Bearer {TOKEN}", "host": "10.1.2.3"},
            )

        assert response.status_code == 200
        assert response["Content-Type"].startswith("text/plain; version=0.0.4")
        assert response["Cache-Control"] == "no-store"
        assert not response.cookies


def measured(
    view: str, path: str = "/x", method: str = "GET", queries: int = 0
) -> None:
    """A request that was answered by that view after so many queries."""

    def answer(request: HttpRequest) -> HttpResponse:
        if view:
            request.resolver_match = ResolverMatch(len, (), {}, url_name=view)
        for _ in range(queries):
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        return HttpResponse(status=201)

    Measured(answer)(RequestFactory().generic(method, path))


class TestRequests:
    def test_are_counted_by_the_name_of_their_view(self) -> None:
        labels = {"view": "batch", "method": "GET", "status": "201"}
        before = value("writ_requests_total", **labels)

        for number in range(3):
            measured("batch", f"/batches/{number}/", queries=number)

        assert value("writ_requests_total", **labels) == before + 3
        assert value("writ_request_queries_sum", view="batch") >= 3
        assert value("writ_request_seconds_bucket", view="batch", le="+Inf") >= 3
        assert "/batches/1/" not in str(scraped())

    def test_cannot_make_up_series(self) -> None:
        for number in range(20):
            measured("", f"/nothing/{number}", method=f"MADE{number}")
            measured("", f"{settings.STATIC_URL}{number}")

        ours = {
            (dict(labels)["view"], dict(labels)["method"])
            for name, labels in scraped()
            if name == "writ_requests_total"
        }
        assert {("none", "OTHER"), ("static", "GET")} <= ours
        assert {method for _, method in ours} <= {*metrics.METHODS, "OTHER"}

    def test_that_fail_for_a_server_that_is_away_are_counted(self) -> None:
        before = value("writ_database_troubles_total", kind="away")
        unsent = value("writ_messages_unsent_total", job="synthesis.design_batch")

        database_trouble.send(sender=None, kind="away")
        job = "writ_app.jobs.synthesis.design_batch"
        message_unsent.send(sender=None, job=job)

        assert value("writ_database_troubles_total", kind="away") == before + 1
        now = value("writ_messages_unsent_total", job="synthesis.design_batch")
        assert now == unsent + 1


class TestJobs:
    def test_are_what_workers_wherever_counted(self, counted: None) -> None:
        found = scraped()

        def of(name: str, **labels: str) -> float:
            labels["job"] = "reports.make_report"
            return found[name, tuple(sorted(labels.items()))]

        assert of("writ_jobs_total", outcome="success") == 2
        assert of("writ_jobs_total", outcome="failure") == 1
        assert of("writ_job_seconds_bucket", le="0.1") == 0
        assert of("writ_job_seconds_bucket", le="60") == 1
        assert of("writ_job_seconds_bucket", le="900") == 2
        assert of("writ_job_seconds_bucket", le="+Inf") == 3
        assert of("writ_job_seconds_sum") == pytest.approx(2070.3)
        assert found["writ_worker_memory_bytes", (("worker", "worker@here"),)] == 123

    def test_that_wait_are_counted_by_queue(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # Workers of other tests, which may still be there, would take it from any other queue.
        monkeypatch.setattr(standing, "QUEUES", (*standing.QUEUES, "nobodys"))
        with broker_client(settings.CELERY_BROKER_URL, seconds=2) as broker:
            before = value("writ_queue_messages", queue="nobodys")
            broker.lpush("nobodys", "not a message")
            try:
                now = value("writ_queue_messages", queue="nobodys")
            finally:
                broker.delete("nobodys")

        assert now == before + 1


@pytest.mark.django_db(transaction=True)
class TestTheSite:
    def test_stands_as_its_rows_say(self) -> None:
        owner = make_owner()
        batch = make_batch(team=team_of(owner), by=owner, status="PAUSED")
        slot = make_slot(trajectory=make_trajectory(batch=batch))
        take(slot=slot, user=owner, at=clock.now())

        found = scraped()

        assert found["writ_database_up", ()] == found["writ_broker_up", ()] == 1
        assert found["writ_batches", (("status", "paused"),)] == 1
        assert found["writ_review_leases", ()] == 1
        assert found["writ_simulations_in_flight", ()] == 0
        assert found["writ_database_bytes", ()] > 1e6
        assert found["writ_web_memory_bytes", ()] > 1e6

    def test_that_cannot_be_asked_says_so_and_no_zeros(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(connection.settings_dict, "NAME", "elsewhere")

        found = scraped()

        assert found["writ_database_up", ()] == 0
        assert found["writ_broker_up", ()] == 1
        assert not any(name == "writ_batches" for name, _ in found)

    def test_is_asked_through_indexes_of_few_rows(self) -> None:
        """Nothing that is read grows with what was synthesized."""
        large = {
            f"writ_app_{table}"
            for table in ("trajectory", "turn", "reviewitem", "judgement")
        }
        with connection.cursor() as cursor:
            cursor.execute("SET enable_seqscan = off")
            try:
                plans = {name: plan_of(cursor, query) for name, *_, query in standing.GAUGES}  # fmt: skip
            finally:
                cursor.execute("RESET enable_seqscan")

        assert not [name for name, plan in plans.items() if large & set(plan.split())]
        assert "simulation_leased" in plans["writ_simulations_in_flight"]
        assert "simulation_pending" in plans["writ_simulations_waiting"]
        assert "slot_leased" in plans["writ_review_leases"]


def plan_of(cursor: Any, query: str) -> str:
    cursor.execute(f"EXPLAIN {query}")
    return " ".join(line for (line,) in cursor.fetchall())


class TestTheDocumentation:
    def test_names_what_is_exported_and_nothing_else(self, counted: None) -> None:
        with override_settings(METRICS_TOKEN=TOKEN):
            response = Client().get(
                "/metrics", headers={"authorization": f"Bearer {TOKEN}"}
            )
        exported = {
            (
                f"{family.name}_total" if family.type == "counter" else family.name,
                family.type,
            )
            for family in text_string_to_metric_families(response.content.decode())
        }
        told = re.findall(
            r"^\| `(writ_\w+)` \| (\w+) \|",
            (ROOT / "docs/operations.md").read_text(),
            re.MULTILINE,
        )

        assert len(told) == len(set(told))
        assert set(told) == exported
