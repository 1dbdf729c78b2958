"""The time that every machine agrees on."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from writ_app.models import clock
from writ_app.services.sessions import SessionStore

pytestmark = pytest.mark.django_db


@pytest.fixture(params=[-3600, 3600])
def moved(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine's clock is an hour wrong."""
    told = time.time
    monkeypatch.setattr(time, "time", lambda: told() + request.param)
    monkeypatch.setattr(
        timezone,
        "now",
        lambda: datetime.now(UTC) + timedelta(seconds=request.param),
    )


def database_time() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        told: datetime = cursor.fetchone()[0]
        return told


def test_is_the_databases_whatever_this_machine_says(moved: None) -> None:
    assert abs(clock.now() - database_time()) < timedelta(seconds=2)
    assert abs(timezone.now() - database_time()) > timedelta(minutes=59)


def test_goes_on_between_two_connections() -> None:
    before = clock.now()
    time.sleep(0.05)

    assert timedelta(seconds=0.05) <= clock.now() - before < timedelta(seconds=5)


def test_is_read_anew_with_every_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = datetime(2001, 1, 1, tzinfo=UTC)
    monkeypatch.setattr(clock, "_read", (wrong, clock.counted()))
    assert clock.now().year == 2001

    other = connection.copy()
    try:
        other.ensure_connection()
        assert abs(clock.now() - database_time()) < timedelta(seconds=2)
    finally:
        other.close()


def test_sessions_end_by_it(moved: None) -> None:
    store = SessionStore()
    store["a"] = "b"
    store.create()

    left = store.get_expiry_date() - database_time()
    assert abs(left - timedelta(seconds=store.get_session_cookie_age())) < timedelta(
        seconds=5
    )
    assert SessionStore(store.session_key).load() == {"a": "b"}
