"""Forks of a process that loaded code: they share it, run as commands do, and what becomes of them is known."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from writ_app.adapters.forks import UNKNOWN, Forks, ForksError
from writ_app.adapters.processes import ProcessError, Supervisor
from writ_app.adapters.running import find_process, is_running

LOADED = """
import os, time
time.sleep({pause})
PID = os.getpid()
"""
SAYS = """
import os, sys
import loaded
print(sys.argv[1:], loaded.PID == os.getppid(), os.getsid(0) == os.getpid(), flush=True)
sys.exit(int(sys.argv[1]))
"""
STAYS = """
import time
print("here", flush=True)
time.sleep(60)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {
        "loaded": LOADED.format(pause=0),
        "slowly": LOADED.format(pause=0.5),
        "broken": "raise SystemExit('No such setting')",
        "says": SAYS,
        "stays": STAYS,
    }.items():
        (tmp_path / f"{name}.py").write_text(text)
    return tmp_path


def forks_of(module: str, folder: Path) -> Forks:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(folder)])}
    return Forks(module, log=folder / "log" / "code.log", env=env, cwd=folder)


@pytest.fixture
def forks(folder: Path) -> Iterator[Forks]:
    with forks_of("loaded", folder) as forks:
        yield forks


def text_of(log: Path, seconds: float = 10) -> str:
    deadline = time.monotonic() + seconds
    while not (log.exists() and log.read_text()):
        assert time.monotonic() < deadline, "nothing was said"
        time.sleep(0.01)
    return log.read_text()


class TestAFork:
    def test_runs_a_module_as_a_command_does_with_what_is_loaded(
        self, forks: Forks, folder: Path
    ) -> None:
        process = forks.start(["says", "7", "a b"], log=folder / "says.log")

        assert process.wait(10) == 7
        assert process.poll() == 7
        assert text_of(folder / "says.log") == "['7', 'a b'] True True\n"
        assert find_process(process.pid) is None

    def test_is_started_while_the_code_still_loads(self, folder: Path) -> None:
        with forks_of("slowly", folder) as forks:
            assert forks.start(["says", "0"], log=folder / "out.log").wait(10) == 0

    def test_tells_apart_which_of_several_ended_and_how(
        self, forks: Forks, folder: Path
    ) -> None:
        staying, failing, killed = (
            forks.start(words, log=folder / "out.log")
            for words in (["stays"], ["says", "3"], ["stays"])
        )
        killed.send_signal(signal.SIGKILL)

        assert killed.wait(10) == -signal.SIGKILL
        assert failing.wait(10) == 3
        assert staying.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            staying.wait(0.05)
        staying.send_signal(signal.SIGTERM)
        assert staying.wait(10) == -signal.SIGTERM
        staying.send_signal(signal.SIGTERM)  # to nobody

    def test_of_a_module_that_is_not_there_ends_and_says_so(
        self, forks: Forks, folder: Path
    ) -> None:
        process = forks.start(["nowhere"], log=folder / "nowhere.log")

        assert process.wait(10) == 1
        assert "No module named nowhere" in text_of(folder / "nowhere.log")

    def test_outlives_the_process_it_is_a_fork_of(
        self, forks: Forks, folder: Path
    ) -> None:
        process = forks.start(["stays"], log=folder / "out.log")
        code = psutil.Process(process.pid).parent()
        assert code
        code.kill()
        code.wait(10)

        assert process.poll() is None
        process.send_signal(signal.SIGKILL)
        assert process.wait(10) == UNKNOWN

        # And the next one is a fork of another.
        assert forks.start(["says", "0"], log=folder / "out.log").wait(10) == 0


class TestCode:
    def test_that_cannot_be_loaded_is_told_where_it_is_wanted(
        self, folder: Path
    ) -> None:
        with forks_of("broken", folder) as forks, pytest.raises(ForksError):
            forks.start(["says", "0"], log=folder / "says.log")

        assert "No such setting" in forks.log.read_text()

    def test_that_cannot_be_loaded_is_shown_to_who_starts_a_site(
        self, folder: Path
    ) -> None:
        with (
            forks_of("broken", folder) as forks,
            Supervisor(
                log=folder / "log", journal=folder / "children.json", forks=forks
            ) as supervisor,
            pytest.raises(ProcessError, match="No such setting"),
        ):
            supervisor.fork("says", ["says", "0"])

    def test_ends_with_its_owner(self, folder: Path) -> None:
        script = (
            "import os, sys, time; from pathlib import Path; from tests.adapters.test_forks import forks_of;"
            f"forks = forks_of('loaded', Path({str(folder)!r})); forks.begin();"
            f"process = forks.start(['stays'], log=Path({str(folder / 'log')!r}) / 'stays.log');"
            "print(process.pid, os.getppid(), flush=True); time.sleep(60)"
        )
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        owner = subprocess.Popen(
            [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=env
        )
        assert owner.stdout
        fork = psutil.Process(int(owner.stdout.readline().split()[0]))
        code = fork.parent()
        assert code
        owner.kill()
        owner.wait()

        code.wait(10)
        assert is_running(fork)
        fork.kill()


class TestASupervisor:
    def test_starts_again_a_fork_that_was_killed(
        self, forks: Forks, folder: Path
    ) -> None:
        with Supervisor(
            log=folder / "log", journal=folder / "children.json", forks=forks
        ) as supervisor:
            child = supervisor.fork("stays", ["stays"])
            assert child.process
            first = child.process.pid
            os.kill(first, signal.SIGKILL)
            supervisor.wait_until(
                lambda: bool(child.process and child.process.pid != first),
                seconds=10,
                what="Starting it again",
            )
            again = child.process.pid

        assert find_process(again) is None
