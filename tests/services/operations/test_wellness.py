"""What probes are told: of servers that answer, that are gone, and that hang."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.test import Client, override_settings

from tests.services.operations.hanging import hanging_server
from writ_app.adapters.broker import broker_client
from writ_app.services.operations import heard, wellness

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    """A question that hangs in one test would be the answer of the next."""
    fresh = {
        name: wellness.Question(question.ask, question.needed)
        for name, question in wellness.QUESTIONS.items()
    }
    monkeypatch.setattr(wellness, "QUESTIONS", fresh)


@contextmanager
def database_at(port: int) -> Iterator[None]:
    """The settings name another server: only new connections notice, which are those of probes."""
    before = dict(connection.settings_dict)
    connection.settings_dict.update(HOST="127.0.0.1", PORT=port)
    try:
        yield
    finally:
        connection.settings_dict.update(before)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


class TestReady:
    def test_everything_that_answers_is_well(self, client: Client) -> None:
        response = client.get("/health/ready")

        assert response.status_code == 200
        told = response.json()
        assert (told["status"], told["database"], told["broker"]) == ("ok", "ok", "ok")

    def test_no_session_no_cookie_and_any_host(self, client: Client) -> None:
        response = client.get("/health/ready", headers={"host": "10.1.2.3:8321"})

        assert response.status_code == 200
        assert not response.cookies
        assert response["Cache-Control"] == "no-store"

    @override_settings(SECURE_SSL_REDIRECT=True)
    def test_plain_http_is_answered_where_pages_redirect(self, client: Client) -> None:
        assert client.get("/health/ready").status_code == 200
        assert client.get("/login/").status_code == 301

    def test_a_missing_migration_is_counted(self, client: Client) -> None:
        with without_row(("writ_app", "0001_first")):
            response = client.get("/health/ready")

        assert response.status_code == 503
        assert response.json()["database"] == "1 migrations not applied"

    def test_a_database_that_is_gone_is_named_without_its_address(
        self, client: Client
    ) -> None:
        with database_at(free_port()):
            response = client.get("/health/ready")

        assert response.status_code == 503
        assert response.json()["database"] == "failed (OperationalError)"
        assert "127.0.0.1" not in response.content.decode()

    def test_a_database_that_hangs_is_given_two_seconds_and_one_thread(
        self, client: Client
    ) -> None:
        with hanging_server() as (port, accepted), database_at(port):
            begun = time.monotonic()
            responses = [client.get("/health/ready") for _ in range(2)]
            took = time.monotonic() - begun

        assert [response.status_code for response in responses] == [503, 503]
        assert took < 2 * wellness.SECONDS + 1
        assert json.loads(responses[0].content)["database"] == "no answer in 2 s"
        assert len(accepted) <= 2

    def test_a_broker_that_is_gone_makes_it_unready(self, client: Client) -> None:
        url = f"redis://127.0.0.1:{free_port()}/0"
        with override_settings(CELERY_BROKER_URL=url):
            response = client.get("/health/ready")

        assert response.status_code == 503
        assert response.json()["broker"] == "failed (ConnectionError)"


class TestWorkers:
    def test_one_that_was_just_heard_is_told(self, client: Client) -> None:
        heard.note_heard()

        assert client.get("/health/ready").json()["workers"] in {
            "heard 0 s ago",
            "heard 1 s ago",
        }

    def test_silence_is_told_and_takes_no_page_away(self, client: Client) -> None:
        with broker_client(settings.CELERY_BROKER_URL, seconds=2) as broker:
            broker.set(heard.KEY, int(time.time()) - 500)

        response = client.get("/health/ready")

        assert response.status_code == 200
        assert response.json()["workers"].startswith("heard 50")

    def test_a_note_that_cannot_be_read_takes_no_page_away(
        self, client: Client
    ) -> None:
        with broker_client(settings.CELERY_BROKER_URL, seconds=2) as broker:
            broker.set(heard.KEY, "yesterday")
        try:
            response = client.get("/health/ready")
        finally:
            heard.note_heard()

        assert response.status_code == 200
        assert response.json()["workers"] == "failed (ValueError)"

    def test_before_the_first_one_nothing_is_known(self) -> None:
        with broker_client(settings.CELERY_BROKER_URL, seconds=2) as broker:
            broker.delete(heard.KEY)

        assert heard.last_heard() is None


@contextmanager
def without_row(migration: tuple[str, str]) -> Iterator[None]:
    """The database without one migration's row, as seen from connections of their own."""
    app, name = migration
    with psycopg.connect(**connection.get_connection_params(), autocommit=True) as link:
        gone = link.execute(
            "DELETE FROM django_migrations WHERE app = %s AND name = %s RETURNING app, name, applied",
            [app, name],
        ).fetchall()
        assert len(gone) == 1
        try:
            yield
        finally:
            link.execute(
                "INSERT INTO django_migrations (app, name, applied) VALUES (%s, %s, %s)",
                gone[0],
            )


class TestLive:
    def test_asks_nobody(self, client: Client) -> None:
        with database_at(free_port()), override_settings(CELERY_BROKER_URL="redis://x"):
            response = client.get("/health/live")

        assert (response.status_code, response.json()) == (200, {"status": "ok"})

    def test_only_reading_is_answered(self, client: Client) -> None:
        assert client.post("/health/live").status_code == 405
