"""Processes that ended or were never there, and logs that grew long."""

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from writ_app.adapters import running
from writ_app.adapters.processes import spawn
from writ_app.adapters.running import find_process, is_running, tail


class TestFindProcess:
    def test_takes_one_with_another_time_of_creation_for_another(self) -> None:
        child = subprocess.Popen(["sleep", "60"])
        try:
            created = psutil.Process(child.pid).create_time()
            assert find_process(child.pid, created=created)
            assert find_process(child.pid, created=created - 60) is None
        finally:
            child.kill()
            child.wait()

        assert find_process(child.pid) is None

    def test_one_that_nobody_asked_how_it_ended_is_gone(self) -> None:
        child = subprocess.Popen([sys.executable, "-c", "pass"], stdout=subprocess.PIPE)
        process = psutil.Process(child.pid)
        assert child.stdout
        child.stdout.read()  # to the end, which comes with the process's own
        while process.status() != psutil.STATUS_ZOMBIE:
            pass

        assert find_process(child.pid) is None
        assert not is_running(process)
        child.wait()
        assert not is_running(process)


class TestMakeRoom:
    def test_sets_a_long_log_aside(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(running, "LOG_LIMIT", 3)
        log = tmp_path / "log" / "echo.log"
        for word in ("first", "second"):
            spawn(["echo", word], log=log).wait()

        assert log.read_text() == "second\n"
        assert (tmp_path / "log" / "echo.log.1").read_text() == "first\n"


class TestTail:
    def test_leaves_out_what_was_said_before(self, tmp_path: Path) -> None:
        log = tmp_path / "log"
        log.write_text("old\nnew\n")

        assert tail(log, since=4) == "new"
