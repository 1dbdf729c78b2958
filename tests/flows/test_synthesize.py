"""`manage.py synthesize` from outside, on services of its own: nothing else is up."""

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.flows.test_demo import ROOT, command, environment, var

__all__ = ["var"]  # the fixture
pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


def start(var: Path, *words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        command("synthesize", *words),
        cwd=ROOT,
        env=environment(var),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_sees_a_batch_through_and_takes_up_one_that_was_interrupted(var: Path) -> None:
    words = ["--environment", "rental", "--count", "40", "--wait", "--json"]
    interrupted = start(var, *words)
    worker = var / "log" / "worker.log"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and interrupted.poll() is None:
        if worker.exists() and "design_batch[" in worker.read_text(errors="replace"):
            break
        time.sleep(0.05)
    interrupted.send_signal(signal.SIGINT)
    printed, told = interrupted.communicate(timeout=60)
    assert (interrupted.returncode, printed) == (130, "")
    assert "--watch 1" in told

    watched = start(var, "--watch", "1", "--json")
    printed, told = watched.communicate(timeout=200)

    assert watched.returncode == 0, told
    found = json.loads(printed)
    assert (found["batch"], found["simulated"], found["status"]) == (1, 40, "DONE")
    assert found["accepted"] + found["rejected"] == 40
