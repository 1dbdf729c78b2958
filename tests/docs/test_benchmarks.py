"""Every benchmark that the pages name is run, on next to nothing: what it measures then says nothing, but it measures."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.test_commands import ROWS, Measures

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

SMALL = {
    "audit": "--items 40 --rounds 1 --reviewers 1 --entries 500",
    "canaries": "--items 12",
    "design": "--tasks 1",
    "environments": "--environment retail --seconds 0.01",
    "growth": "--sizes 200 400 --rounds 2",
    "lists": "--trajectories 300 --rounds 2 --bulk 20",
    "release": "--trajectories 10 --parts export,import --formats jsonl",
    "release_database": "--items 12",
    "reports": "--trajectories 20",
    "review": "--items 60 --verdicts 8 --presses 2 --reviewers 1",
    "simulation": "--concurrency 2 --seconds 0.5 --delay 0.05 --processes 1",
    "startup": "--rounds 1 --rest 0",
    "users": "--trajectories 200 --users 3 --seconds 2",
    "verification": "--trajectories 40",
}
"""Module → its words."""


def named() -> set[str]:
    """The modules of the commands on the pages."""
    commands = [one for one, row in ROWS.items() if isinstance(row, Measures)]
    paths = [one.removeprefix("-m ").split()[0] for one in commands]
    return {path.removesuffix(".py").replace("/", ".").split(".")[-1] for path in paths}


def test_all_that_are_named_are_run() -> None:
    # One runs in tests/flows/test_acceptance.py.
    assert named() == {*SMALL, "acceptance"}


@pytest.mark.parametrize("name", SMALL)
def test_measures_something(name: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", f"tests.benchmarks.{name}", *SMALL[name].split()],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr[-4000:]
    assert sum(character.isdigit() for character in ended.stdout) >= 3
