"""The web server as a process of its own on the test database, to be killed outright and started again at the same address."""

import os
import signal
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection

from tests.benchmarks.review import free_port
from writ_app.adapters.processes import Child, Supervisor
from writ_app.management.site import ANSWER_SECONDS, answers

HOST = "127.0.0.1"


class Served:
    """gunicorn with the app. `held` is a file: while it is there, no answer to a verdict leaves the server."""

    def __init__(self, supervisor: Supervisor, held: Path) -> None:
        self.port = free_port()
        self.url = f"http://{HOST}:{self.port}"
        self.held = held
        self.answered = held.with_suffix(".answered")
        self._supervisor = supervisor
        self._child = self._start()
        self._wait()

    def _start(self) -> Child:
        url = os.environ.get("DATABASE_URL") or settings.EMBEDDED.database_url
        name = str(connection.settings_dict["NAME"])
        database = urlsplit(url)._replace(path=f"/{name}").geturl()
        command = [sys.executable, "-m", "gunicorn", "tests.flows.held_answers"]
        command += ["--bind", f"{HOST}:{self.port}", "--worker-class", "gthread"]
        command += ["--workers", "2", "--threads", "8", "--no-control-socket"]
        return self._supervisor.start(
            "web",
            command,
            env={**os.environ, "DATABASE_URL": database, "WRIT_HELD": str(self.held)},
            cwd=settings.BASE_DIR,
        )

    def _wait(self) -> None:
        self._supervisor.wait_until(
            partial(answers, HOST, self.port),
            seconds=ANSWER_SECONDS,
            what="Starting the web server",
        )

    def kill(self) -> None:
        """SIGKILL to the server and its workers, as when the machine runs out of memory."""
        process = self._child.process
        assert process is not None
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)

    def start_again(self) -> None:
        """As its supervisor does, and wait until it answers."""
        self._wait()


@pytest.fixture
def served(transactional_db: None, tmp_path: Path) -> Iterator[Served]:
    layout = settings.EMBEDDED
    journal = layout.children.with_stem(f"{layout.children.stem}-web")
    with Supervisor(log=layout.log, journal=journal) as supervisor:
        yield Served(supervisor, tmp_path / "held")
