"""The whole site as processes: services, worker, clock, web. For commands that bring it up.

with clear_errors(), site_up(workers=2) as site:
    ...                         # the database is migrated, jobs are being done
    print(site.serve(host, port))
    site.watch()                # until Ctrl-C
"""

import errno
import http.client
import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial

from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import OperationalError
from kombu.exceptions import OperationalError as BrokerError

from writ_app.adapters.embedded.failures import full_disk
from writ_app.adapters.embedded.layout import ServiceError
from writ_app.adapters.embedded.services import Services, services_running
from writ_app.adapters.forks import Forks
from writ_app.adapters.processes import (
    Child,
    ProcessError,
    Supervisor,
    check_port_free,
    stop_on_signals,
)
from writ_app.celery import app
from writ_app.services import synthesis
from writ_app.services.operations import LIVE

ANSWER_SECONDS = 60.0
SIMULATIONS = "simulations"
"""The queue of those who simulate."""
OTHERS = [name for name in settings.CELERY_TASK_QUEUES if name != SIMULATIONS]
OTHER_JOBS = 2
"""At the same time, so that a long release holds up neither a design nor the clock's jobs."""
FEW_STORES = {"MALLOC_ARENA_MAX": "2"}
"""Each of many threads would otherwise keep memory of its own for what it has long given back."""


def add_site_arguments(parser: ArgumentParser) -> None:
    """The options of every command that brings the site up."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8321, help="port to listen on")
    parser.add_argument(
        "--workers", type=int, default=2, help="jobs done at the same time"
    )


@dataclass(frozen=True)
class Site:
    """A site that is up, all but the web server, which `serve` adds."""

    services: Services
    supervisor: Supervisor

    def serve(self, host: str, port: int) -> str:
        """Start the web server; returns its address once it answers."""
        start_web(self.supervisor, host, port)
        return address(host, port)

    def check(self) -> None:
        """Start again what ended by itself: call it about every second while waiting.

        Raises ProcessError or ServiceError for what keeps ending.
        """
        self.services.keep_up()
        self.supervisor.check()

    def watch(self) -> None:
        """Keep everything up until interrupted."""
        self.supervisor.watch(also=self.services.keep_up)


@contextmanager
def site_up(
    *, workers: int, listen: tuple[str, int] | None = None, serving: bool = False
) -> Iterator[Site]:
    """Services started, database migrated, worker and clock started; all ended after.

    `listen` is the address that `serve` will take, to learn at once if it is in use. With `serving` it is served already, before
    workers, whom nobody waits for, begin.
    """
    layout = settings.EMBEDDED
    with (
        services_running(layout, settings.EMBEDDED_SERVICES) as services,
        # Entering ends what a killed predecessor left, which may hold the port.
        supervised() as supervisor,
    ):
        if listen:
            check_port_free(*listen)
        check_broker()
        call_command("migrate", verbosity=0, interactive=False)
        if services.started:  # nobody else's workers: what was running died with them
            synthesis.take_back()
        if listen and serving:
            start_web(supervisor, *listen)
        start_jobs(supervisor, workers=workers)
        yield Site(services, supervisor)


@contextmanager
def supervised(env: Mapping[str, str] | None = None) -> Iterator[Supervisor]:
    """Keeps the web server, workers and the clock, which are forks of code that loads meanwhile."""
    layout = settings.EMBEDDED
    forks = Forks(
        "writ_app.management.loaded",
        log=layout.log / "code.log",
        env={**FEW_STORES, **(env or os.environ)},
        cwd=settings.BASE_DIR,
    )
    with (
        forks,
        Supervisor(log=layout.log, journal=layout.children, forks=forks) as supervisor,
    ):
        yield supervisor


def start_jobs(supervisor: Supervisor, *, workers: int, beat: bool = True) -> Child:
    """Start what designs, what simulates, and the clock that sends periodic jobs; returns what simulates.

    Simulations have `workers` processes of their own: they keep them as long as there is work, and designs should not wait.
    """
    celery = ["celery", "-A", "writ_app.celery"]
    queues = {
        "worker": (",".join(OTHERS), OTHER_JOBS),
        "runner": (SIMULATIONS, workers),
    }
    for name, (queue, processes) in queues.items():
        words = [*celery, "worker", "--queues", queue, "--hostname", f"{name}@%h"]
        words += ["--concurrency", str(processes), "--loglevel", "INFO"]
        # They need no talk with each other, and start faster without.
        words += ["--without-gossip", "--without-mingle"]
        worker = supervisor.fork(name, words)
    if beat:
        schedule = str(settings.VAR_DIR / "celerybeat-schedule")
        supervisor.fork(
            "beat", [*celery, "beat", "--schedule", schedule, "--pidfile", ""]
        )
    return worker


def start_web(supervisor: Supervisor, host: str, port: int) -> None:
    """Start the web server and return when it answers."""
    # Its processes and threads: gunicorn.conf.py.
    words = ["gunicorn", "writ_app.wsgi", "--bind", f"{bracketed(host)}:{port}"]
    words += ["--graceful-timeout", "3"]
    words += ["--no-control-socket", "--access-logfile", "-"]
    # Loaded before the fork, its processes share most of their memory; but then they cannot load it again.
    words += ["--reload"] if settings.DEBUG else ["--preload"]
    # What counts requests wants to know where, in gunicorn.conf.py, before it is loaded.
    if settings.DEBUG or settings.METRICS_TOKEN:
        supervisor.start(
            "web",
            [sys.executable, "-m", *words],
            env={**FEW_STORES, **os.environ},
            cwd=settings.BASE_DIR,
        )
    else:
        supervisor.fork("web", words)
    ready = partial(answers, host, port)
    supervisor.wait_until(ready, seconds=ANSWER_SECONDS, what="Starting the web server")


def answers(host: str, port: int) -> bool:
    """Whether the web server there takes requests."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    connection = http.client.HTTPConnection(reachable, port, timeout=10)
    with closing(connection):
        try:
            connection.request("GET", LIVE)
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False


def address(host: str, port: int) -> str:
    return f"http://{bracketed(host)}:{port}/"


def bracketed(host: str) -> str:
    """IPv6 addresses need brackets before a port."""
    return f"[{host}]" if ":" in host else host


def check_broker() -> None:
    """Raise ProcessError unless the broker answers; its password is not shown."""
    with app.connection_for_write() as connection:
        try:
            connection.ensure_connection(max_retries=1, timeout=10)
        except BrokerError as error:
            raise ProcessError(
                f"The broker at {connection.as_uri()} cannot be used: {error}. "
                "Check that it is up, and CELERY_BROKER_URL if you set it."
            ) from error


@contextmanager
def database_up() -> Iterator[None]:
    """The services that there are, or the embedded ones for as long as it lasts. Also a decorator: `@database_up()`."""
    services = settings.EMBEDDED_SERVICES
    with clear_errors(), services_running(settings.EMBEDDED, services, reuse=True):
        yield


@contextmanager
def clear_errors() -> Iterator[None]:
    """Signals interrupt once, and what a person can mend ends in one paragraph, exit code 1."""
    try:
        with stop_on_signals():
            yield
    except (ServiceError, ProcessError) as error:
        raise CommandError(str(error)) from error
    except OperationalError as error:
        address = settings.DATABASES["default"]["HOST"]
        raise CommandError(
            f"The database at {address} cannot be used: {str(error).strip()} "
            "Check that it is up, and DATABASE_URL if you set it."
        ) from error
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        if error.filename:  # a file that somebody asked for
            raise CommandError(
                f"{error.filename} cannot be written: {error.strerror}."
            ) from error
        raise CommandError(str(full_disk("The app", settings.VAR_DIR))) from error
