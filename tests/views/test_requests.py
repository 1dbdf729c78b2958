"""Ids of requests: made, told, taken from a trusted proxy alone, and sent along to jobs."""

import json
import logging
import re

import pytest
from django.test import Client, override_settings

from tests.factories import make_owner
from writ_app.adapters.logs import AboutFilter, about, about_now
from writ_app.celery import app
from writ_app.jobs import context
from writ_app.models.audit import AuditEntry
from writ_app.services.audit import record

SENT = "proxy-made-0123456789"


@pytest.mark.django_db
class TestAnswers:
    def test_every_answer_tells_an_id_of_its_own(self, client: Client) -> None:
        ids = {client.get("/login/")["X-Request-ID"] for _ in range(2)}

        assert len(ids) == 2
        assert all(re.fullmatch(r"[0-9a-f]{32}", each) for each in ids)

    def test_a_strangers_id_is_not_taken(self, client: Client) -> None:
        response = client.get("/login/", headers={"x-request-id": SENT})

        assert response["X-Request-ID"] != SENT

    @override_settings(BEHIND_PROXY=True)
    def test_a_proxys_id_is_taken_if_well_formed(self, client: Client) -> None:
        good = client.get("/login/", headers={"x-request-id": SENT})
        bad = client.get("/login/", headers={"x-request-id": "<script>alert(1)"})

        assert good["X-Request-ID"] == SENT
        assert "<" not in bad["X-Request-ID"]

    @override_settings(BEHIND_PROXY=True)
    def test_lines_of_a_request_name_who_asked(
        self, client: Client, caplog: pytest.LogCaptureFixture
    ) -> None:
        owner = make_owner()
        client.force_login(owner)
        caplog.handler.addFilter(AboutFilter())

        with caplog.at_level(logging.WARNING, "django.request"):
            client.get("/trajectories/999999/", headers={"x-request-id": SENT})

        named = [record for record in caplog.records if record.name == "django.request"]
        assert [vars(record)["request_id"] for record in named] == [SENT]
        assert about_now() == {}


class TestJobs:
    def test_a_job_gets_the_id_of_the_request_that_sent_for_it(self) -> None:
        headers: dict[str, object] = {}

        with about(request_id=SENT):
            context.send_along(headers=headers)

        assert json.loads(json.dumps(headers)) == {context.HEADER: SENT}

    def test_a_jobs_lines_name_job_batch_and_request(self) -> None:
        seen = {}

        @app.task(name="tests.looks", bind=True)
        def looks(self: object, *, batch_id: int) -> None:
            seen.update(about_now())

        try:
            looks.apply(kwargs={"batch_id": 7}, headers={context.HEADER: SENT})
        finally:
            del app.tasks["tests.looks"]

        assert seen["request_id"] == SENT
        assert (seen["batch"], seen["task"]) == (7, "tests.looks")
        assert about_now() == {}

    def test_a_job_is_done_for_who_ordered_it_and_so_is_what_it_sends_for(self) -> None:
        sent: dict[str, object] = {}
        with about(request_id=SENT, user=7, team=3):
            context.send_along(headers=sent)
        further: dict[str, object] = {}

        @app.task(name="tests.sends")
        def sends() -> None:
            context.send_along(headers=further)

        try:
            sends.apply(headers=sent)
        finally:
            del app.tasks["tests.sends"]

        assert (
            further
            == sent
            == {
                context.HEADER: SENT,
                "writ_user": 7,
                "writ_team": 3,
            }
        )

    def test_what_a_job_does_is_kept_as_done_by_the_job_for_them(
        self, db: None
    ) -> None:
        owner = make_owner()
        before = list(AuditEntry.objects.values_list("pk", flat=True))

        @app.task(name="tests.records")
        def records() -> None:
            record("thing.change", team=None)

        try:
            records.apply(headers={context.HEADER: SENT, "writ_user": owner.pk})
            records.apply()  # as the clock sends it
        finally:
            del app.tasks["tests.records"]
        record("thing.change", team=None)  # as a command does

        entries = AuditEntry.objects.exclude(pk__in=before).order_by("pk")
        assert [(one.actor, one.door, one.request_id) for one in entries] == [
            (owner, "job", SENT),
            (None, "job", ""),
            (None, "command", ""),
        ]
