"""Child processes: started apart from the terminal, watched, restarted, ended in order.

Knows nothing about databases, brokers or the web.
"""

import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

import psutil

from writ_app.adapters.forks import Forked, Forks, ForksError
from writ_app.adapters.running import find_process, make_room, tail

RESTARTS = 5  # within RESTART_WINDOW seconds, before giving up
RESTART_WINDOW = 60.0
POLL_SECONDS = 0.5


class ProcessError(Exception):
    """A child cannot start or stay up. The text says what happened and what to do."""


def spawn(
    command: Sequence[str],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start `command` with its output appended to `log`.

    It gets a session of its own: a Ctrl-C in the terminal reaches only us, and we
    decide in which order things stop.
    """
    make_room(log)
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=env,
            cwd=cwd,
            start_new_session=True,
        )


def read_pid_file(pid_file: Path, *, marker: str) -> int | None:
    """The live process that a pid file names, if `marker` is a word of its command line.

    A file left by a crash may name a process id that something else has by now.
    """
    try:
        pid = int(pid_file.read_text().split()[0])
        process = find_process(pid)
        return pid if process and marker in process.cmdline() else None
    except (OSError, ValueError, IndexError, psutil.Error):
        return None


def wait_gone(pid: int, seconds: float) -> bool:
    """Whether process `pid` ended within `seconds`; reaps it if it is our child.

    One that ended and waits for somebody else to reap it counts as gone: a container's
    first process may take seconds, or never do it.
    """
    deadline = time.monotonic() + seconds
    while True:
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        if find_process(pid) is None:
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)


def end_process(pid: int, signals: Sequence[tuple[signal.Signals, float]]) -> None:
    """See `end_processes`."""
    end_processes([pid], signals)


def end_processes(
    pids: Sequence[int], signals: Sequence[tuple[signal.Signals, float]]
) -> None:
    """Send each signal to all that are left and wait up to its seconds for them together, until all are gone.

    What their children leave behind is killed: they share the session of `spawn`.
    """
    left = list(pids)
    for number, seconds in signals:
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        deadline = time.monotonic() + seconds
        left = [pid for pid in left if not wait_gone(pid, deadline - time.monotonic())]
        if not left:
            break
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
        wait_gone(pid, 2)


# Celery: SIGTERM finishes what is under way, SIGQUIT hands it back to the broker.
GENTLE = ((signal.SIGTERM, 4.0), (signal.SIGQUIT, 3.0), (signal.SIGKILL, 2.0))


def check_port_free(host: str, port: int) -> None:
    """Raise ProcessError unless a server could listen on host:port now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            raise ProcessError(
                f"Cannot listen on {host}:{port}: {getattr(error, 'strerror', None) or error}. "
                f"Choose another port with --port, for example --port {min(port + 1, 65535)}, "
                "or another address with --host."
            ) from error


@contextmanager
def stop_on_signals() -> Iterator[None]:
    """Turn the first SIGINT, SIGTERM or SIGHUP into KeyboardInterrupt.

    Later ones are ignored, so that an impatient second Ctrl-C leaves nothing half stopped.
    """
    watched = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in watched}

    def interrupt(number: int, frame: FrameType | None) -> None:
        for each in watched:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in watched:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@dataclass
class Child:
    """One process under supervision, restarted when it ends."""

    name: str
    log: Path
    begin: Callable[[], subprocess.Popen[bytes] | Forked]
    process: subprocess.Popen[bytes] | Forked | None = None
    ends: list[float] = field(default_factory=list)
    restart_at: float = 0.0

    def start(self) -> None:
        self.process = self.begin()

    def revive(self, now: float) -> bool:
        """Restart after an end, later each time; True if it started now."""
        if self.process is not None:
            code = self.process.poll()
            if code is None:
                return False
            self.process = None
            self.ends = [at for at in self.ends if now - at < RESTART_WINDOW] + [now]
            if len(self.ends) > RESTARTS:
                raise ProcessError(self.obituary(code))
            self.restart_at = now + 0.25 * 2 ** len(self.ends)
        if now < self.restart_at:
            return False
        self.start()
        return True

    def obituary(self, code: int) -> str:
        return (
            f"The {self.name} process ended {len(self.ends)} times within "
            f"{RESTART_WINDOW:.0f} s (last exit code {code}), so everything stops. "
            f"The end of its log, {self.log}:\n{tail(self.log)}"
        )


class Supervisor:
    """Keeps a few named child processes alive, and ends them.

    `journal` is a file that names the live ones. If we are killed outright they go on
    without us; the next supervisor reads the journal and ends them first.

    `forks` is what children with the app's code are forks of, for as long as the supervisor is there.
    """

    def __init__(self, *, log: Path, journal: Path, forks: Forks | None = None) -> None:
        self.log = log
        self.journal = journal
        self.forks = forks
        self.children: list[Child] = []

    def __enter__(self) -> Self:
        end_leftovers(self.journal)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(
        self,
        name: str,
        command: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> Child:
        """Start and keep alive `command`; its output goes to `log`/`name`.log."""
        log = self.log / f"{name}.log"
        return self._keep(
            Child(name, log, partial(spawn, command, log=log, env=env, cwd=cwd))
        )

    def fork(self, name: str, words: Sequence[str]) -> Child:
        """Keep `python -m *words` alive as a fork of what is loaded. Raises ProcessError if nothing is."""
        log = self.log / f"{name}.log"
        return self._keep(Child(name, log, partial(self._fork, words, log)))

    def _fork(self, words: Sequence[str], log: Path) -> Forked:
        assert self.forks, "nothing is loaded"
        make_room(log)
        try:
            return self.forks.start(words, log=log)
        except ForksError as error:
            raise ProcessError(
                f"The app's code cannot be loaded. {error} The end of the log, {self.forks.log}:\n{tail(self.forks.log)}"
            ) from error

    def _keep(self, child: Child) -> Child:
        self.children.append(child)
        child.start()
        self._write_journal()
        return child

    def check(self) -> None:
        """Restart what ended. Raise ProcessError if one keeps ending."""
        now = time.monotonic()
        restarted = [child for child in self.children if child.revive(now)]
        if restarted:
            self._write_journal()

    def watch(self, also: Callable[[], None] = lambda: None) -> None:
        """Call `also`, and check the children, until interrupted."""
        pause = threading.Event()
        while True:
            also()  # what the children need, first: without it they end
            self.check()
            pause.wait(POLL_SECONDS)

    def wait_until(
        self, ready: Callable[[], bool], *, seconds: float, what: str
    ) -> None:
        """Watch the children until `ready()`, or raise ProcessError after `seconds`."""
        deadline = time.monotonic() + seconds
        while not ready():
            self.check()
            if time.monotonic() > deadline:
                logs = ", ".join(str(child.log) for child in self.children)
                raise ProcessError(
                    f"{what} took more than {seconds:.0f} s. See the logs: {logs}."
                )
            time.sleep(0.05)

    def stop(self) -> None:
        """End all children together. May be called twice."""
        running = [one.process for one in self.children if one.process is not None]
        self.children.clear()
        end_processes([one.pid for one in running if one.poll() is None], GENTLE)
        self.journal.unlink(missing_ok=True)

    def _write_journal(self) -> None:
        alive = []
        for child in self.children:
            found = find_process(child.process.pid) if child.process else None
            if found:
                alive.append(
                    {
                        "name": child.name,
                        "pid": found.pid,
                        "created": found.create_time(),
                    }
                )
        draft = self.journal.with_suffix(".new")
        draft.write_text(json.dumps(alive))
        draft.replace(self.journal)


def end_leftovers(journal: Path) -> list[str]:
    """End the processes that a killed supervisor left behind; returns their names.

    A process is one of ours only if its creation time is the noted one too, because
    process ids are used again.
    """
    try:
        noted = json.loads(journal.read_text())
    except (FileNotFoundError, ValueError):
        return []
    ours = [one for one in noted if find_process(one["pid"], created=one["created"])]
    end_processes([one["pid"] for one in ours], GENTLE)
    journal.unlink(missing_ok=True)
    return [one["name"] for one in ours]
