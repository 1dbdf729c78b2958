"""`manage.py up`: everything the app needs, in one terminal, until Ctrl-C."""

import errno
import http.client
import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from functools import partial
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command
from django.db import OperationalError
from kombu.exceptions import OperationalError as BrokerError

from writ_app.adapters.embedded.failures import full_disk
from writ_app.adapters.embedded.layout import ServiceError
from writ_app.adapters.embedded.services import Services, services_running
from writ_app.adapters.processes import (
    Child,
    ProcessError,
    Supervisor,
    check_port_free,
    stop_on_signals,
)
from writ_app.celery import app

ANSWER_SECONDS = 60.0


def add_web_arguments(parser: ArgumentParser) -> None:
    """The options of every command that serves the site."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8321, help="port to listen on")
    parser.add_argument(
        "--workers", type=int, default=2, help="jobs done at the same time"
    )


def site_address(host: str, port: int) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


def python(*words: str) -> list[str]:
    return [sys.executable, "-m", *words]


def start_jobs(
    supervisor: Supervisor,
    *,
    workers: int,
    beat: bool = True,
    env: Mapping[str, str] | None = None,
) -> Child:
    """Start the Celery worker and the clock that sends periodic jobs; returns the worker."""
    celery = partial(python, "celery", "-A", "writ_app.celery")
    command = celery("worker", "--concurrency", str(workers), "--loglevel", "INFO")
    # One worker needs no talk between workers, and starts faster without.
    command += ["--without-gossip", "--without-mingle"]
    worker = supervisor.start("worker", command, env=env, cwd=settings.BASE_DIR)
    if beat:
        schedule = str(settings.VAR_DIR / "celerybeat-schedule")
        command = celery(
            "beat", "--schedule", schedule, "--pidfile", "", "--loglevel", "WARNING"
        )
        supervisor.start("beat", command, env=env, cwd=settings.BASE_DIR)
    return worker


def start_web(supervisor: Supervisor, *, host: str, port: int) -> None:
    """Start the web server and return when it answers."""
    bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    command = python(
        "gunicorn", "writ_app.wsgi", "--bind", bind, "--worker-class", "gthread"
    )
    command += ["--workers", "1", "--threads", "8", "--graceful-timeout", "3"]
    command += ["--no-control-socket", "--access-logfile", "-"]
    command += ["--reload"] if settings.DEBUG else []
    supervisor.start("web", command, cwd=settings.BASE_DIR)
    ready = partial(answers, host, port)
    supervisor.wait_until(ready, seconds=ANSWER_SECONDS, what="Starting the web server")


def answers(host: str, port: int) -> bool:
    """Whether an HTTP server replies at all; which page it gives does not matter."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    connection = http.client.HTTPConnection(reachable, port, timeout=10)
    with closing(connection):
        try:
            connection.request("GET", "/", headers={"Host": "localhost"})
            connection.getresponse()
        except (OSError, http.client.HTTPException):
            return False
    return True


def check_broker() -> None:
    """Raise ProcessError unless the broker answers; the password in its address is not shown."""
    with app.connection_for_write() as connection:
        try:
            connection.ensure_connection(max_retries=1, timeout=10)
        except BrokerError as error:
            raise ProcessError(
                f"The broker at {connection.as_uri()} cannot be used: {error}. "
                "Check that it is up, and CELERY_BROKER_URL if you set it."
            ) from error


@contextmanager
def clear_errors() -> Iterator[None]:
    """Turn the failures that a person can mend into one paragraph and exit code 1."""
    try:
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
        raise CommandError(str(full_disk("The app", settings.VAR_DIR))) from error


class Command(BaseCommand):
    help = "Start services, worker and web server; stop them all on Ctrl-C."
    # The checks that look at the database come with `migrate`, when it is there.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_web_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with stop_on_signals(), clear_errors():
                self.serve(options["host"], options["port"], options["workers"])
        except KeyboardInterrupt:
            self.stdout.write("Stopped.")

    def serve(self, host: str, port: int, workers: int) -> None:
        layout = settings.EMBEDDED
        with (
            services_running(layout, settings.EMBEDDED_SERVICES) as services,
            Supervisor(log=layout.log, journal=layout.children) as supervisor,
        ):
            check_port_free(host, port)
            check_broker()
            call_command("migrate", verbosity=0, interactive=False)
            start_jobs(supervisor, workers=workers)
            start_web(supervisor, host=host, port=port)
            self.announce(services, site_address(host, port))
            try:
                supervisor.watch(also=services.keep_up)
            finally:
                self.stdout.write("Stopping …")

    def announce(self, services: Services, address: str) -> None:
        self.stdout.write(f"WRIT is up at {address}")
        self.stdout.write(
            f"Process {os.getpid()}, logs in {services.layout.log}. Ctrl-C stops it."
        )
        self.stdout.flush()
