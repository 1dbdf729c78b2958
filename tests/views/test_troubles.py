"""What is answered when the database or a disk fails under a page."""

import errno

import psycopg
import pytest
from django.db import OperationalError
from django.http import HttpResponse
from django.test import RequestFactory
from psycopg import errors

from writ_app.views.troubles import broken


def answered(error: Exception, method: str = "get", accept: str = "text/html"):
    request = getattr(RequestFactory(), method)("/batches/", headers={"accept": accept})
    try:
        raise error
    except Exception:
        return broken(request)


def wrapped(cause: Exception) -> OperationalError:
    """As Django hands a driver's error on."""
    error = OperationalError(str(cause))
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "cause",
    [
        psycopg.OperationalError("connection refused"),
        psycopg.InterfaceError("the connection is closed"),
        errors.AdminShutdown("terminating connection"),
        errors.CannotConnectNow("the database system is starting up"),
        errors.TooManyConnections("too many clients already"),
        errors.ConnectionFailure("gone"),
    ],
)
def test_a_database_that_is_away_asks_for_another_try(cause: Exception) -> None:
    response = answered(wrapped(cause))

    assert (response.status_code, response["Retry-After"]) == (503, "5")
    page = response.content.decode()
    assert '<meta http-equiv="refresh" content="5">' in page
    assert "tries again by itself" in page
    assert str(cause) not in page


def test_a_form_that_was_sent_does_not_send_itself_again() -> None:
    page = answered(wrapped(psycopg.OperationalError("gone")), "post").content.decode()

    assert "http-equiv" not in page
    assert "may not be kept" in page


def test_programs_are_told_as_programs_are() -> None:
    response = answered(
        wrapped(psycopg.OperationalError("gone")), accept="application/json"
    )

    assert response["Content-Type"] == "application/problem+json"
    assert b'"status": 503' in response.content


@pytest.mark.parametrize(
    "error",
    [
        wrapped(errors.DiskFull("could not extend file")),
        OSError(errno.ENOSPC, "No space left on device"),
    ],
)
def test_a_full_disk_is_called_that(error: Exception) -> None:
    response = answered(error, "post")

    assert response.status_code == 507
    assert "Retry-After" not in response
    assert "A disk of the site is full" in response.content.decode()


@pytest.mark.parametrize(
    "error",
    [
        ValueError("x"),
        wrapped(errors.DeadlockDetected("deadlock")),
    ],
)
def test_our_own_faults_are_still_ours(error: Exception) -> None:
    response: HttpResponse = answered(error)

    assert response.status_code == 500
    assert "It is our fault" in response.content.decode()
