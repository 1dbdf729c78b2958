"""What is answered when a page could not be made for want of a database or of space: those come back, and are no fault of ours."""

import errno
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
from django.db import Error
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template import loader
from django.views.defaults import server_error

from writ_app.adapters.troubles import database_trouble

RETRY_SECONDS = 5
AWAY = {
    "53300",  # too many connections
    "57P01",  # shut down by somebody
    "57P02",  # shut down by a crash
    "57P03",  # starting or stopping
    "57P05",  # idle for too long
    "25P03",  # the same, in a transaction
}
"""SQLSTATEs of a server that is there and does not serve, beside class 08, and none at all where nobody answered."""
CANCELLED = "57014"
"""SQLSTATE of a statement that was given no more time, and of one that the disk has no space for."""
FULL = "53100"
FULL_ERRORS = (errno.ENOSPC, errno.EDQUOT)
SAFE = "Nothing you saved before is lost."


@dataclass(frozen=True)
class Trouble:
    """A status, and words for a person."""

    status: int
    title: str
    text: str
    sent: str
    """What is said instead of `text` to who sent a form."""
    passes: bool = False
    """Whether it makes sense to ask again in a few seconds."""


DATABASE = Trouble(
    503,
    "Away for a moment",
    f"The database does not answer. This page tries again by itself every few seconds. {SAFE}",
    f"The database does not answer, so what you just sent may not be kept. Go back and send it again in a few seconds. {SAFE}",
    passes=True,
)
SLOW = Trouble(
    503,
    "That took too long",
    "The database was given no more time for it. Ask for less at once, or try again later.",
    "The database was given no more time for it. Ask for less at once, or try again later.",
)
SPACE = Trouble(
    507,
    "No space left",
    f"A disk of the site is full. Tell whoever runs it. {SAFE}",
    f"A disk of the site is full, and what you just sent was not kept. Tell whoever runs it, and send it again after that. {SAFE}",
)


def broken(request: HttpRequest) -> HttpResponse:
    """Django's handler of status 500: 503 with Retry-After if the database is away, 507 if a disk is full."""
    error = sys.exc_info()[1]
    trouble = trouble_of(error) if error else None
    if isinstance(error, Error | psycopg.Error):
        kind = "away" if trouble is DATABASE else "other"
        database_trouble.send(sender=None, kind=kind)
    return answer(request, trouble) if trouble else server_error(request)


def answer(request: HttpRequest, trouble: Trouble) -> HttpResponse:
    """A page, which loads itself again if that may help, or the same for programs. Asks nothing of the database."""
    headers = {"Cache-Control": "no-store"}
    if trouble.passes:
        headers["Retry-After"] = str(RETRY_SECONDS)
    asked = request.method in {"GET", "HEAD"}
    text = trouble.text if asked else trouble.sent
    if not request.accepts("text/html"):
        problem = {
            "type": "about:blank",
            "title": trouble.title,
            "status": trouble.status,
            "detail": text,
        }
        return JsonResponse(
            problem,
            status=trouble.status,
            headers=headers,
            content_type="application/problem+json",
        )
    again = RETRY_SECONDS if asked and trouble.passes else None
    words = {"title": trouble.title, "text": text, "again": again}
    page = loader.get_template("503.html").render(words)
    return HttpResponse(page, status=trouble.status, headers=headers)


def trouble_of(error: BaseException) -> Trouble | None:
    """None for what the database refused, or any other fault of ours."""
    for each in _causes(error):
        if isinstance(each, psycopg.OperationalError | psycopg.InterfaceError):
            state = each.sqlstate
            if state == FULL:
                return SPACE
            if state == CANCELLED:
                return SLOW
            if state is None or state in AWAY or state.startswith("08"):
                return DATABASE
        elif isinstance(each, OSError) and each.errno in FULL_ERRORS:
            return SPACE
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    each: BaseException | None = error
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        yield each
        each = each.__cause__ or each.__context__
