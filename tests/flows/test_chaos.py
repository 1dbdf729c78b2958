"""Simulations while their processes are killed, the broker is emptied and the database crashes: none is lost, none is done twice."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from writ_app.adapters.embedded.layout import Layout
from writ_app.adapters.embedded.services import KINDS
from writ_app.adapters.processes import end_leftovers

ROOT = Path(__file__).resolve().parent.parent.parent
pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
PROCESSES = 2
HELD = 24
"""Conversations per process: see chaos.py."""


@pytest.fixture
def var(tmp_path: Path) -> Iterator[Path]:
    """A directory for services of its own; whatever still uses it at the end is stopped."""
    layout = Layout(tmp_path / "var")
    layout.var.mkdir()
    yield layout.var
    end_leftovers(layout.children)
    for kind in KINDS.values():
        kind(layout, False).stop()


class TestTwoHundredSimulations:
    def test_have_two_hundred_outcomes_whatever_befalls_those_who_hold_them(
        self, var: Path
    ) -> None:
        command = [sys.executable, "-m", "tests.flows.chaos", str(var)]
        ended = subprocess.run(
            [*command, "--copies", "10", "--seconds", "180"],
            cwd=ROOT,
            env=dict(os.environ),
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        found = json.loads(ended.stdout)

        assert found["killed"] >= 2, found
        assert min(found["all_killed"], found["flushed"], found["restarted"]) >= 1
        # Asked to stop, a runner gives back what it holds, and does not wait for its conversations.
        assert 0 < found["shut_down_seconds"] < 8, found
        assert (found["status"], found["stopped_by"]) == ("DONE", ""), found
        assert found["statuses"] == {"DONE": 200}
        assert found["outcomes"] == found["simulations_with_outcome"] == 200
        # Every answer is on record once, and what it took was counted once.
        assert found["turns"] == found["batch_turns"] == sum(found["asked"].values())
        assert found["tokens"] == found["batch_tokens"] == 11 * found["turns"]
        # Asked for again was only what was on its way when its process ended: killed, with all
        # others, or told to stop, which it does once. A database that is away ends nobody.
        again = sum((int(times) - 1) * count for times, count in found["asked"].items())
        ended_processes = found["killed"] + PROCESSES * (found["all_killed"] + 1)
        assert again <= ended_processes * HELD, found
