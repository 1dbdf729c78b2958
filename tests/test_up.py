"""`manage.py up` from outside: what a person at a terminal sees."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from writ_app.adapters.embedded.layout import Layout
from writ_app.adapters.embedded.postgres import Postgres
from writ_app.adapters.embedded.valkey import Valkey
from writ_app.adapters.processes import end_leftovers

ROOT = Path(__file__).resolve().parent.parent
EXTERNAL = {"DATABASE_URL", "CELERY_BROKER_URL"}


@pytest.fixture
def layout(tmp_path: Path) -> Iterator[Layout]:
    layout = Layout(tmp_path / "var")
    yield layout
    end_leftovers(layout.children)
    Postgres(layout).stop()
    Valkey(layout).stop()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def start_up(layout: Layout, port: int, **env: str) -> "subprocess.Popen[str]":
    kept = {name: value for name, value in os.environ.items() if name not in EXTERNAL}
    return subprocess.Popen(
        [sys.executable, "manage.py", "up", "--port", str(port), "--workers", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**kept, "WRIT_VAR_DIR": str(layout.var), "WRIT_ENV": "local", **env},
    )


def first_line(up: "subprocess.Popen[str]") -> str:
    assert up.stdout
    return up.stdout.readline() or f"nothing, but on stderr: {up.communicate()[1]}"


def status_of(url: str) -> int:
    try:
        return int(urllib.request.urlopen(url, timeout=10).status)
    except urllib.error.HTTPError as error:
        return error.code


def processes_of(layout: Layout) -> list[str]:
    """Command lines of live processes that serve the layout's directory."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        words = process.info["cmdline"] or []
        if process.info["status"] != psutil.STATUS_ZOMBIE and str(
            layout.var
        ) in " ".join(words):
            found.append(" ".join(words))
    return found


class TestUp:
    def test_serves_until_told_to_stop_and_leaves_nothing_behind(
        self, layout: Layout
    ) -> None:
        port = free_port()
        up = start_up(layout, port)

        line = first_line(up)
        status = status_of(f"http://127.0.0.1:{port}/admin/login/")
        before = time.monotonic()
        up.terminate()
        out, err = up.communicate(timeout=30)

        assert line == f"WRIT is up at http://127.0.0.1:{port}/\n"
        assert status == 200
        assert up.returncode == 0, err
        assert out.endswith("Stopped.\n")
        assert time.monotonic() - before < 15
        assert processes_of(layout) == []

    def test_counts_requests_over_all_its_processes_where_a_token_may_ask(
        self, layout: Layout
    ) -> None:
        port, token = free_port(), "0123456789abcdef"
        up = start_up(layout, port, WRIT_METRICS_TOKEN=token)
        assert "WRIT is up" in first_line(up)

        for _ in range(4):
            status_of(f"http://127.0.0.1:{port}/admin/login/")
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/metrics",
            headers={"Authorization": f"Bearer {token}"},
        )
        with urllib.request.urlopen(request, timeout=10) as page:
            counts = page.read().decode()
        up.terminate()
        up.communicate(timeout=30)

        counted = re.findall(
            r'^writ_requests_total\{.*view="login"\} (.*)$', counts, re.M
        )
        assert sum(map(float, counted)) == 4, counts
        assert re.search(r"^writ_web_processes [3-9]", counts, re.M), counts

    def test_starts_again_after_it_was_killed_outright(self, layout: Layout) -> None:
        port = free_port()
        killed = start_up(layout, port)
        assert "WRIT is up" in first_line(killed)
        killed.kill()
        killed.communicate()

        # The orphans still hold the port, the queue and the data directory.
        again = start_up(layout, port)
        line = first_line(again)
        again.send_signal(signal.SIGINT)
        again.communicate(timeout=30)

        assert line == f"WRIT is up at http://127.0.0.1:{port}/\n"
        assert again.returncode == 0
        assert processes_of(layout) == []

    def test_a_second_one_and_a_taken_port_are_told_apart(
        self, layout: Layout, tmp_path: Path
    ) -> None:
        port = free_port()
        up = start_up(layout, port)
        assert "WRIT is up" in first_line(up)

        same_data = start_up(layout, free_port())
        same_port = start_up(Layout(tmp_path / "other"), port)
        errors = [each.communicate(timeout=60)[1] for each in (same_data, same_port)]
        status = status_of(f"http://127.0.0.1:{port}/admin/login/")
        up.terminate()
        up.communicate(timeout=30)

        assert (same_data.returncode, same_port.returncode) == (1, 1)
        assert f"process {up.pid}" in errors[0]
        assert re.search(
            rf"127.0.0.1:{port}: Address already in use.* --port", errors[1]
        )
        assert "Traceback" not in "".join(errors)
        assert status == 200

    def test_a_database_out_of_reach_is_named(self, layout: Layout) -> None:
        up = start_up(
            layout, free_port(), DATABASE_URL="postgresql://u:p@127.0.0.1:1/writ"
        )

        _, err = up.communicate(timeout=60)

        assert up.returncode == 1
        assert "DATABASE_URL" in err
        assert "Traceback" not in err
        assert processes_of(layout) == []

    def test_a_broker_out_of_reach_is_named(self, layout: Layout) -> None:
        up = start_up(layout, free_port(), CELERY_BROKER_URL="redis://127.0.0.1:1/0")

        _, err = up.communicate(timeout=60)

        assert up.returncode == 1
        assert "CELERY_BROKER_URL" in err
        assert "Traceback" not in err
        assert processes_of(layout) == []
