"""A kept connection is asked whether it lives when, and only when, there is a sign that it does not."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import connection as default

pytestmark = pytest.mark.django_db


@pytest.fixture
def kept() -> Iterator[Any]:
    """A connection of its own, which has been used, to the database of the tests."""
    own = default.copy()
    with own.cursor() as cursor:
        cursor.execute("SELECT 1")
    yield own
    own.close()


def pid_of(kept: Any) -> int:
    return int(kept.connection.info.backend_pid)


def admin() -> psycopg.Connection[Any]:
    parameters = default.get_connection_params()
    names = ("host", "port", "dbname", "user", "password")
    own = {name: parameters[name] for name in names if name in parameters}
    return psycopg.connect(**own, autocommit=True)


def asked(kept: Any) -> bool:
    """Whether it is usable and the server was asked for that; fails if it is not."""
    with admin() as other:
        query = "SELECT state_change FROM pg_stat_activity WHERE pid = %s"
        before = other.execute(query, [pid_of(kept)]).fetchone()
        assert kept.is_usable()
        return before != other.execute(query, [pid_of(kept)]).fetchone()


def test_is_not_asked_while_it_is_silent(kept: Any) -> None:
    assert not asked(kept)


def test_is_gone_when_the_server_dropped_it(kept: Any) -> None:
    with admin() as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid_of(kept)])

    assert not kept.is_usable()


def test_is_gone_when_it_was_closed_here(kept: Any) -> None:
    kept.connection.close()

    assert not kept.is_usable()


def test_one_that_was_told_something_is_asked(kept: Any) -> None:
    with kept.cursor() as cursor:
        cursor.execute("LISTEN news")
    with admin() as other:
        other.execute("NOTIFY news")

    assert asked(kept)
    assert not asked(kept)
