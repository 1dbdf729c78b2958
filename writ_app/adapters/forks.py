"""Processes that share their code: forks of one process that has loaded it, instead of each loading it again.

The web server, the workers and the clock import the same 2,000 modules: 1.5 seconds and 130 MB each. Forks have them at once, and
only what one of them changes is its own.

    with Forks("writ_app.management.loaded", log=...) as forks:
        process = forks.start(["celery", "-A", "writ_app.celery", "beat"], log=...)     # as `python -m celery ...` would be
        process.pid, process.poll()                                                     # like subprocess.Popen

Run as a module it is the process that is forked: it imports what it is told, then waits at a socket. It ends with its owner; its
forks do not. Knows nothing about databases, brokers or the web.
"""

import gc
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, Self

import psutil
from setproctitle import setproctitle

from writ_app.adapters.running import find_process, is_running, make_room

MESSAGE = 65_536
"""Bytes: more than any command has. One is sent at a time, and answered before the next."""
LOADING_SECONDS = 120.0
UNKNOWN = -1
"""The exit code of who ended when nobody looked."""


class ForksError(Exception):
    """Code cannot be loaded, or nothing be forked of it. The log says why."""


class Forked:
    """A fork: what `subprocess.Popen` is to other children."""

    def __init__(self, pid: int, forks: "Forks") -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._forks = forks
        self._process = find_process(pid)

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        if self.returncode is None:
            self.returncode = self._forks.exit_code(self.pid)
        if self.returncode is None and not self._forks.alive:
            there = self._process is not None and is_running(self._process)
            self.returncode = None if there else UNKNOWN
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, once it ended. Raises subprocess.TimeoutExpired after `timeout` seconds."""
        deadline = time.monotonic() + (float("inf") if timeout is None else timeout)
        while (code := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0.0)
            time.sleep(0.02)
        return code

    def send_signal(self, number: int) -> None:
        """Nothing happens to one that ended, whose number another may have by now."""
        if self.poll() is None and self._process is not None:
            with suppress(psutil.NoSuchProcess):
                self._process.send_signal(number)


class Forks:
    """A process that has loaded `module`, and what is forked of it.

    `begin` returns while it is loading, so that others may work meanwhile; if it ends, the next `start` begins another.
    """

    def __init__(
        self,
        module: str,
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self.log = log
        self._module = module
        self._env = env
        self._cwd = cwd
        self._loaded: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket
        self._heard = b""
        self._ended: dict[int, int] = {}
        self._one_at_a_time = threading.RLock()

    def __enter__(self) -> Self:
        self.begin()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    @property
    def alive(self) -> bool:
        return self._loaded is not None and self._loaded.poll() is None

    def begin(self) -> None:
        self.stop()
        make_room(self.log)
        self._socket, theirs = socket.socketpair()
        self._heard = b""
        with theirs, self.log.open("ab") as output:
            self._loaded = subprocess.Popen(
                [sys.executable, "-m", __name__, self._module, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self._env,
                cwd=self._cwd,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )

    def start(self, words: Sequence[str], *, log: Path) -> Forked:
        """`python -m *words` in a session of its own, its output appended to `log`. Waits for the code to be loaded.

        Raises ForksError if it cannot be.
        """
        request = json.dumps(list(words)).encode()
        with self._one_at_a_time, log.open("ab") as output:
            if not self.alive:
                self.begin()
            try:
                socket.send_fds(self._socket, [request], [output.fileno()])
                while (answer := self._receive(LOADING_SECONDS)) is not None:
                    if "pid" in answer:
                        # Of an earlier one with this number.
                        self._ended.pop(answer["pid"], None)
                        return Forked(answer["pid"], self)
            except OSError as error:
                raise ForksError(f"It ended: {error}.") from error
        raise ForksError(f"Nothing for {LOADING_SECONDS:.0f} s.")

    def exit_code(self, pid: int) -> int | None:
        """Of one of the forks; None if none was told."""
        with self._one_at_a_time:
            if self._loaded is not None:
                with suppress(OSError):
                    while self._receive(0.0) is not None:
                        pass
            return self._ended.get(pid)

    def stop(self) -> None:
        """End the process that was forked, which holds nothing; its forks go on. May be called twice."""
        if self._loaded is not None:
            self._socket.close()
            self._loaded.kill()
            self._loaded.wait()
            self._loaded = None

    def _receive(self, seconds: float) -> dict[str, Any] | None:
        """The next message, None if there is none for so long. Notes who ended. Raises OSError when nobody is there to send one."""
        while b"\n" not in self._heard:
            if not select.select([self._socket], [], [], seconds)[0]:
                return None
            text = self._socket.recv(MESSAGE)
            if not text:
                raise ConnectionResetError("nobody answers")
            self._heard += text
        line, _, self._heard = self._heard.partition(b"\n")
        message: dict[str, Any] = json.loads(line)
        if "ended" in message:
            self._ended[message["ended"]] = message["code"]
        return message


# --- the process that is forked -------------------------------------------------------------------------------------------------


def main() -> None:
    """Import, then fork until the owner is gone. Returns in a fork only by the end of what it runs."""
    module, descriptor = sys.argv[1:]
    setproctitle(f"writ: code of {module}, to be forked")
    gc.disable()
    import_module(module)
    # Pages that the collector marks are copied: it leaves alone what is loaded.
    gc.collect()
    gc.freeze()
    gc.enable()
    words = serve(socket.socket(fileno=int(descriptor)))
    if words:
        sys.argv = list(words)
        setproctitle(" ".join(words))
        runpy.run_module(words[0], run_name="__main__", alter_sys=True)


def serve(owner: socket.socket) -> Sequence[str]:
    """What to run, in a fork; nothing in the process itself, when the owner is gone."""
    woken, wake = socket.socketpair()
    for end in (woken, wake):
        end.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
    while True:
        ready = select.select([owner, woken], [], [])[0]
        if woken in ready:
            with suppress(BlockingIOError):
                woken.recv(MESSAGE)
        if owner in ready:
            request, outputs = b"", list[int]()
            with suppress(ConnectionError):
                request, outputs, _, _ = socket.recv_fds(owner, MESSAGE, 1)
            if not request:
                return ()
            if pid := os.fork():
                os.close(outputs[0])
                tell(owner, pid=pid)
            else:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                for end in (owner, woken, wake):
                    end.close()
                os.setsid()
                os.dup2(outputs[0], sys.stdout.fileno())
                os.dup2(outputs[0], sys.stderr.fileno())
                os.close(outputs[0])
                return list(json.loads(request))
        reap(owner)


def reap(owner: socket.socket) -> None:
    """Tell of every fork that ended."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        tell(owner, ended=pid, code=os.waitstatus_to_exitcode(status))


def tell(owner: socket.socket, **message: int) -> None:
    with suppress(OSError):  # it is gone, which the next look at the socket shows
        owner.sendall(json.dumps(message).encode() + b"\n")


if __name__ == "__main__":
    main()
