"""Whether this process can serve: database, migrations, broker, and when a worker was last heard of.

Every question is asked in a thread of its own and waited for `SECONDS` at most: a server that accepts and then
says nothing would otherwise hold the answer as long as it likes. A question still under way is not asked again,
so a hanging server costs one thread, not one per request.
"""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import cache
from threading import Lock, Thread
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from writ_app.adapters.broker import broker_client
from writ_app.services.operations.heard import last_heard

SECONDS = 2.0
"""How long answers are waited for, all together."""
HEARD_LATELY = 120.0
"""Seconds of silence after which workers are called silent. They write every ten."""


@dataclass(frozen=True)
class Finding:
    """One answer. `needed`: without it this process should get no requests."""

    ok: bool
    says: str
    needed: bool = True


@dataclass
class Question:
    """Something asked of another server, at most once at a time."""

    ask: Callable[[], Finding]
    needed: bool = True
    """As of a finding, where there is no answer to say so."""
    _lock: Lock = field(default_factory=Lock)
    _answer: Future[Finding] | None = None

    def begin(self) -> Future[Finding]:
        """The answer to come: of the question under way if there is one."""
        with self._lock:
            if self._answer is None or self._answer.done():
                self._answer = Future()
                # Daemons do not hold up the end of the process as those of an executor would.
                Thread(target=self._run, args=(self._answer,), daemon=True).start()
            return self._answer

    def _run(self, answer: Future[Finding]) -> None:
        try:
            answer.set_result(self.ask())
        except Exception as error:  # Whatever it is, its kind is all that is told: texts name hosts and users.
            says = f"failed ({type(error).__name__})"
            answer.set_result(Finding(False, says, self.needed))


def ask_database() -> Finding:
    """Whether Postgres answers, and has every migration that this code has."""
    with psycopg.connect(
        **patient_for_seconds(connection.get_connection_params())
    ) as link:
        rows = link.execute("SELECT app, name FROM django_migrations").fetchall()
    missing = known_migrations() - {(str(app), str(name)) for app, name in rows}
    if missing:
        return Finding(False, f"{len(missing)} migrations not applied")
    return Finding(True, "ok")


def patient_for_seconds(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """libpq's parameters, with an end to every wait that it can end itself."""
    return {
        **parameters,
        "connect_timeout": int(SECONDS) + 1,  # the wait for the answer ends first
        "options": f"-c statement_timeout={int(SECONDS * 1000)}",
        "autocommit": True,
    }


@cache
def known_migrations() -> frozenset[tuple[str, str]]:
    """(app, name) of every migration of the code, read once per process."""
    loader = MigrationLoader(None)
    return frozenset(loader.disk_migrations)


def ask_broker() -> Finding:
    with broker_client(settings.CELERY_BROKER_URL, seconds=SECONDS) as client:
        client.ping()
    return Finding(True, "ok")


def ask_workers() -> Finding:
    """Pages can be served without workers, so this is told and decides nothing."""
    heard = last_heard()
    if heard is None:
        return Finding(True, "not heard of yet", needed=False)
    says = f"heard {heard:.0f} s ago"
    return Finding(heard <= HEARD_LATELY, says, needed=False)


QUESTIONS: Mapping[str, Question] = {
    "database": Question(ask_database),
    "broker": Question(ask_broker),
    "workers": Question(ask_workers, needed=False),
}


def look() -> dict[str, Finding]:
    """Every finding, after `SECONDS` at most."""
    deadline = time.monotonic() + SECONDS
    begun = [(name, asked, asked.begin()) for name, asked in QUESTIONS.items()]
    return {name: _wait(asked, answer, deadline) for name, asked, answer in begun}


def _wait(question: Question, answer: Future[Finding], deadline: float) -> Finding:
    try:
        return answer.result(timeout=max(0.0, deadline - time.monotonic()))
    except TimeoutError:
        return Finding(False, f"no answer in {SECONDS:.0f} s", question.needed)
