"""Child processes that really end, hang, fork and get killed."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from writ_app.adapters import processes
from writ_app.adapters.processes import (
    ProcessError,
    Supervisor,
    check_port_free,
    end_leftovers,
    stop_on_signals,
    wait_gone,
)
from writ_app.adapters.running import find_process, tail

SLEEP = ["sleep", "60"]


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    with Supervisor(
        log=tmp_path / "log", journal=tmp_path / "children.json"
    ) as supervisor:
        yield supervisor


def says_ready(log: Path) -> bool:
    return tail(log) == "ready"


def pid_of(child: processes.Child) -> int:
    assert child.process
    return child.process.pid


class TestSupervisor:
    def test_ends_its_children(self, supervisor: Supervisor) -> None:
        pids = [pid_of(supervisor.start(name, SLEEP)) for name in "ab"]

        supervisor.stop()

        assert [find_process(pid) for pid in pids] == [None, None]
        assert not supervisor.journal.exists()

    def test_tells_all_to_end_before_it_waits_for_any(
        self, supervisor: Supervisor, tmp_path: Path
    ) -> None:
        order = tmp_path / "order"
        for name in "ab":
            leave = f"trap 'echo told >> {order}; sleep 0.5; echo gone >> {order}; exit' TERM"
            script = f"{leave}; echo ready; while :; do sleep 0.02; done"
            log = supervisor.start(name, ["sh", "-c", script]).log
            supervisor.wait_until(partial(says_ready, log), seconds=5, what="sh")

        supervisor.stop()

        assert order.read_text().split() == ["told", "told", "gone", "gone"]

    def test_kills_what_ignores_it_and_what_that_left(
        self, supervisor: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(
            processes, "GENTLE", ((signal.SIGTERM, 0.3), (signal.SIGKILL, 2.0))
        )
        note = tmp_path / "grandchild"
        script = f"trap '' TERM; sleep 60 & echo $! > {note}; wait"
        child = supervisor.start("stubborn", ["sh", "-c", script])
        supervisor.wait_until(
            lambda: note.exists() and bool(note.read_text()), seconds=5, what="sh"
        )

        supervisor.stop()

        assert find_process(pid_of(child)) is None
        assert wait_gone(int(note.read_text()), 2)

    def test_restarts_what_ends(self, supervisor: Supervisor) -> None:
        child = supervisor.start("once", SLEEP)
        first = pid_of(child)
        os.kill(first, signal.SIGKILL)

        def restarted() -> bool:
            return child.process is not None and child.process.pid != first

        supervisor.wait_until(restarted, seconds=5, what="A restart")

        assert find_process(pid_of(child))

    def test_gives_up_on_what_keeps_ending_and_shows_its_last_words(
        self, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(processes, "RESTARTS", 2)
        child = supervisor.start("broken", ["sh", "-c", "echo out of luck; exit 3"])

        with pytest.raises(ProcessError, match="out of luck") as caught:
            supervisor.watch()

        assert "broken" in str(caught.value)
        assert "exit code 3" in str(caught.value)
        assert str(child.log) in str(caught.value)

    def test_says_what_took_too_long(self, supervisor: Supervisor) -> None:
        child = supervisor.start("slow", SLEEP)

        with pytest.raises(ProcessError, match="Waking took more than") as caught:
            supervisor.wait_until(lambda: False, seconds=0.1, what="Waking")

        assert str(child.log) in str(caught.value)


class TestEndLeftovers:
    def test_ends_children_of_a_supervisor_that_was_killed(
        self, tmp_path: Path
    ) -> None:
        code = (
            "from pathlib import Path; import time\n"
            "from writ_app.adapters.processes import Supervisor\n"
            f"at = Path({str(tmp_path)!r})\n"
            "with Supervisor(log=at / 'log', journal=at / 'children.json') as s:\n"
            "    s.start('orphan', ['sleep', '60']); print('up', flush=True); time.sleep(60)"
        )
        owner = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
        assert owner.stdout
        assert owner.stdout.readline() == b"up\n"
        owner.kill()
        owner.communicate()
        pid = json.loads((tmp_path / "children.json").read_text())[0]["pid"]
        assert find_process(pid)

        ended = end_leftovers(tmp_path / "children.json")

        assert ended == ["orphan"]
        assert find_process(pid) is None

    def test_spares_a_stranger_with_the_same_number(self, tmp_path: Path) -> None:
        stranger = subprocess.Popen(SLEEP)
        journal = tmp_path / "children.json"
        journal.write_text(
            json.dumps([{"name": "web", "pid": stranger.pid, "created": 1.0}])
        )

        try:
            assert end_leftovers(journal) == []
            assert stranger.poll() is None
        finally:
            stranger.kill()
            stranger.wait()

    def test_a_damaged_journal_is_as_good_as_none(self, tmp_path: Path) -> None:
        journal = tmp_path / "children.json"
        journal.write_text('[{"name": "we')

        assert end_leftovers(journal) == []


class TestCheckPortFree:
    def test_names_the_option_when_the_port_is_taken(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]

            with pytest.raises(ProcessError, match=f"--port {port + 1}"):
                check_port_free("127.0.0.1", port)

    @pytest.mark.parametrize("port", [-1, 65536])
    def test_refuses_what_is_no_port(self, port: int) -> None:
        with pytest.raises(ProcessError, match="--port"):
            check_port_free("127.0.0.1", port)

    def test_names_the_option_when_the_address_is_not_ours(self) -> None:
        with pytest.raises(ProcessError, match="--host"):
            check_port_free("192.0.2.1", 8321)


class TestStopOnSignals:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    def test_the_first_interrupts_and_the_second_is_ignored(
        self, number: signal.Signals
    ) -> None:
        before = signal.getsignal(number)
        cleaned = False

        with pytest.raises(KeyboardInterrupt), stop_on_signals():  # noqa: PT012
            try:
                signal.raise_signal(number)
            finally:
                signal.raise_signal(number)
                cleaned = True

        assert cleaned
        assert signal.getsignal(number) == before
