"""Hosts of a site: processes started by the very commands of docker-compose.yml and Dockerfile, against one Postgres and one broker.

Every host has a var directory of its own, which must not be needed: what is there at the end was kept where no other host finds it.
The test's own Django is led to the same database, so that rows can be made and looked at.
"""

import json
import os
import re
import shlex
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import yaml
from celery import Celery
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from kombu import pools

from tests.benchmarks.review import CSRF, free_port, session
from writ_app.adapters.embedded.layout import Layout
from writ_app.adapters.embedded.postgres import Postgres
from writ_app.adapters.embedded.valkey import Valkey
from writ_app.adapters.processes import Child, Supervisor, end_leftovers
from writ_app.management.site import ANSWER_SECONDS, answers

ROOT = Path(__file__).resolve().parents[2]
DATABASE = "writ"


def commands() -> dict[str, list[str]]:
    """Kind of process → what compose runs, with every variable at its default."""
    text = (ROOT / "docker-compose.yml").read_text()
    text = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)
    services = yaml.safe_load(re.sub(r"\$\{[^}]*\}", "unused", text))["services"]
    found = {
        name: shlex.split(service["command"])
        for name, service in services.items()
        if "build" in service and "command" in service
    }
    said = re.findall(
        r"^CMD (\[.*?\])", (ROOT / "Dockerfile").read_text(), re.DOTALL | re.MULTILINE
    )
    (web,) = said
    return {**found, "web": json.loads(web.replace("\\\n", ""))}


def until(happens: Callable[[], Any], seconds: float = 60, what: str = "") -> Any:
    """The first true answer; AssertionError if there is none in time."""
    end = time.monotonic() + seconds
    while not (found := happens()):
        assert time.monotonic() < end, what or "It did not happen in time."
        time.sleep(0.1)
    return found


@dataclass
class Servers:
    """Postgres and broker that every host is told of."""

    postgres: Postgres
    valkey: Valkey
    env: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        layout = self.postgres.layout
        self.env = {
            "DATABASE_URL": layout.database_url,
            "CELERY_BROKER_URL": layout.broker_url,
        }


@dataclass
class Host:
    """One machine: what runs on it has its directory, and dies with it."""

    name: str
    var: Path
    servers: Servers
    supervisor: Supervisor
    env: dict[str, str] = field(default_factory=dict)
    address: str = "127.0.0.1"
    within: list[str] = field(default_factory=list)
    """What every command is started by, such as `ip netns exec NAME`."""
    port: int = 0

    def start(self, kind: str, app: str = "") -> Child:
        """`app`: what the web server serves instead of the site alone."""
        command = commands()[kind]
        if kind == "web":
            command[1] = app or command[1]
            self.port = free_port()
            command[command.index("--bind") + 1] = f"{self.address}:{self.port}"
        elif "worker" in command:
            command += ["--hostname", f"{kind}-{self.name}@%h"]
        elif kind == "beat":
            schedule = command.index("--schedule") + 1
            command[schedule] = str(self.var.with_suffix(".schedule"))
        tools = Path(sys.executable).parent
        environment = {
            **os.environ,
            **self.servers.env,
            "WRIT_VAR_DIR": str(self.var),
            "WRIT_SECRET_KEY": settings.SECRET_KEY,
            "WRIT_ENV": "test",
            "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
            **self.env,
        }
        program = shutil.which(command[0], path=environment["PATH"])
        assert program
        return self.supervisor.start(
            f"{kind}-{self.name}",
            [*self.within, program, *command[1:]],
            env=environment,
            cwd=ROOT,
        )

    def serve(self, app: str = "") -> str:
        """Start the web server; its address once it answers."""
        self.start("web", app)
        self.supervisor.wait_until(
            partial(answers, self.address, self.port),
            seconds=ANSWER_SECONDS,
            what="Starting the web server",
        )
        return f"http://{self.address}:{self.port}"


@dataclass
class Site:
    """Hosts, and what they share."""

    servers: Servers
    supervisor: Supervisor
    directory: Path

    def host(self, name: str, **env: str) -> Host:
        var = self.directory / "hosts" / name
        var.parent.mkdir(exist_ok=True)
        return Host(name, var, self.servers, self.supervisor, env)

    def wait_for_workers(self, count: int, seconds: float = 150) -> None:
        """Until so many have answered on the broker: on a busy machine not all within the same second."""
        from writ_app.celery import app

        url = self.servers.env["CELERY_BROKER_URL"]

        answered: set[str] = set()

        def all_answered() -> bool:
            with app.connection_for_read(url) as link:
                found = app.control.inspect(timeout=2, connection=link).ping()
            answered.update(found or ())
            return len(answered) >= count

        until(all_answered, seconds, f"{count} workers did not answer")


@contextmanager
def site_at(directory: Path) -> Iterator[Site]:
    """A migrated database and a broker in a directory of their own; everything that was started is ended."""
    layout = Layout(directory / "servers")
    layout.var.mkdir(parents=True)
    servers = Servers(Postgres(layout, True), Valkey(layout, True))
    try:
        servers.postgres.start()
        servers.valkey.start()
        with (
            led_to(servers),
            Supervisor(log=layout.log, journal=layout.children) as supervisor,
        ):
            call_command("migrate", verbosity=0)
            connection.close()
            yield Site(servers, supervisor, directory)
    finally:
        end_leftovers(layout.children)
        servers.valkey.stop()
        servers.postgres.stop()


@contextmanager
def led_to(servers: Servers) -> Iterator[None]:
    """The test's own connections and messages go to that database and that broker."""
    from writ_app.celery import app

    before = dict(connection.settings_dict)
    connection.close()
    connection.settings_dict.update(
        HOST=str(servers.postgres.layout.sockets),
        PORT="5432",
        USER="writ",
        NAME=DATABASE,
        PASSWORD="",
    )
    broker = servers.env["CELERY_BROKER_URL"]
    kept = settings.CELERY_BROKER_URL, app.conf.broker_url
    settings.CELERY_BROKER_URL = app.conf.broker_url = broker
    forget_connections(app)
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(before)
        settings.CELERY_BROKER_URL, app.conf.broker_url = kept
        forget_connections(app)


def forget_connections(app: Celery) -> None:
    """Those that are kept lead to the broker before: even what is sent on a connection of one's own takes its producer from them."""
    pools.reset()
    app._pool = None
    app.amqp._producer_pool = None


class Person:
    """Somebody signed in, who asks a web server over HTTP; a new connection each time, as after a pause."""

    def __init__(self, url: str, user: Any) -> None:
        self.url = url
        self._cookies = {"sessionid": session(user), "csrftoken": CSRF}

    def get(self, path: str) -> httpx.Response:
        return self._ask("GET", path)

    def post(
        self, path: str, fields: dict[str, Any] | None = None, **more: Any
    ) -> httpx.Response:
        data = {"csrfmiddlewaretoken": CSRF, **(fields or {})}
        return self._ask("POST", path, data=data, **more)

    def _ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        with httpx.Client(
            base_url=self.url, cookies=self._cookies, timeout=60
        ) as client:
            return client.request(method, path, **more)


def order(person: Person, like: Any, name: str) -> None:
    """A batch of four simulations by scripted models."""
    fields = {
        "name": name,
        "environment": like.environment_id,
        "ordered": 4,
        "seed": 1,
        "fault_share": 0,
        "plans": ["upfront"],
        "by": "mix",
        "mix-retail-R1": 1,
    }
    answer = person.post("/batches/new/", fields)
    assert answer.status_code == 302, answer.text
