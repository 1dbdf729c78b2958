"""The README's first command, as a new user has it: in a directory of its own, killed, and started again."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from writ_app.adapters.embedded.layout import Layout
from writ_app.adapters.embedded.services import KINDS
from writ_app.adapters.processes import end_leftovers

ROOT = Path(__file__).resolve().parent.parent.parent
pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture
def var(tmp_path: Path) -> Iterator[Path]:
    """A fresh data directory; whatever still uses it at the end is stopped."""
    layout = Layout(tmp_path / "var")
    yield layout.var
    end_leftovers(layout.children)
    for kind in KINDS.values():
        kind(layout, False).stop()


def environment(var: Path) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in ("DATABASE_URL", "CELERY_BROKER_URL")
    }
    return {**kept, "WRIT_ENV": "local", "WRIT_VAR_DIR": str(var)}


def command(*words: str) -> list[str]:
    return [sys.executable, "manage.py", *words]


def finish(var: Path, *words: str) -> str:
    """What the demonstration prints when it only counts."""
    ended = subprocess.run(
        command("demo", "--no-serve", *words),
        cwd=ROOT,
        env=environment(var),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def count(printed: str, stage: str) -> int:
    found = re.search(rf"^{stage}\s+(\d+)", printed, re.MULTILINE)
    assert found, printed
    return int(found[1])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class TestDemo:
    def test_killed_in_the_middle_and_started_again_loses_nothing(
        self, var: Path
    ) -> None:
        words = ["--count", "20", "--users", "60", "--port", str(free_port())]
        first = subprocess.Popen(
            command("demo", *words),
            cwd=ROOT,
            env=environment(var),
            stdout=subprocess.PIPE,
            text=True,
        )
        wait_for_work(var)
        os.kill(first.pid, signal.SIGKILL)
        first.communicate()

        printed = finish(var, "--count", "20", "--users", "60")

        assert count(printed, "designed") == 20
        assert count(printed, "simulated") == 20
        accepted = count(printed, "verified")
        rejected = sum(
            int(n) for n in re.findall(r"^rejected\s+(\d+)", printed, re.MULTILINE)
        )
        assert accepted + rejected == 20
        assert finish(var, "--count", "20", "--users", "60") == printed

    def test_serves_the_app_and_prints_a_sign_in_that_works(self, var: Path) -> None:
        port = free_port()
        words = ["--count", "2", "--users", "60", "--port", str(port)]
        served = subprocess.Popen(
            command("demo", *words),
            cwd=ROOT,
            env=environment(var),
            stdout=subprocess.PIPE,
            text=True,
        )
        assert served.stdout is not None
        lines = []
        for line in served.stdout:
            lines.append(line)
            if "Ctrl-C" in line:
                break
        try:
            assert f"WRIT is up at http://127.0.0.1:{port}/" in "".join(lines)
            assert re.search(r"sign in as  owner  with  \S{12,}", "".join(lines))
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/login/") as page:
                assert page.status == 200
        finally:
            served.send_signal(signal.SIGINT)
            assert served.wait(timeout=30) == 0


def wait_for_work(var: Path) -> None:
    """Until somebody has begun to simulate."""
    log = var / "log" / "runner.log"
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        if log.exists() and "run_simulations" in log.read_text(errors="replace"):
            return
        time.sleep(0.05)
    raise AssertionError("nobody began to simulate within 90 seconds")
