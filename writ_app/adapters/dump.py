"""Postgres' own programs for copies of a whole database: pg_dump, pg_restore, psql.

Those of the embedded server's wheel are used, so that no machine needs them installed. pg_dump refuses servers newer
than itself; older ones it reads.
"""

import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from threading import Thread
from typing import IO, Any

from writ_app.adapters.embedded.postgres import clean_environment, find_programs

PIECE = 1 << 20
"""Bytes moved at a time."""
VARIABLES = {
    "dbname": "PGDATABASE",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "host": "PGHOST",
    "port": "PGPORT",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
}


class DumpError(Exception):
    """One of the programs failed. The text is what it said."""


def database_environment(parameters: Mapping[str, Any]) -> dict[str, str]:
    """The process environment that leads libpq to a database given as Django's connection parameters.

    A password goes this way because everybody on a machine can read its command lines.
    """
    given = {name: parameters.get(key) for key, name in VARIABLES.items()}
    return {
        **clean_environment(),
        **{name: str(value) for name, value in given.items() if value},
    }


def dump(database: Mapping[str, str], *, snapshot: str) -> Iterator[bytes]:
    """The database as `snapshot` (of an open transaction) sees it, in pg_dump's custom format, piece by piece.

    Raises DumpError, at the end at the latest.
    """
    options = ["--format=custom", "--compress=gzip:3", f"--snapshot={snapshot}"]
    options += ["--no-owner", "--no-privileges", "--lock-wait-timeout=60s"]
    with _running("pg_dump", options, database) as (process, said):
        assert process.stdout
        while piece := process.stdout.read(PIECE):
            yield piece
        _check(process, said)


def restore(pieces: Iterable[bytes], database: Mapping[str, str], *, then: str) -> None:
    """Write a dump into a database, and run the SQL `then`, as one transaction: all of it or nothing.

    Nothing is committed but by the last line sent, so whatever fails before leaves no trace. Raises DumpError with the
    first refusal, that of `then` included.
    """
    as_sql = ["--file=-", "--no-owner", "--no-privileges", "--exit-on-error"]
    run = ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null"]
    with (
        _running("psql", [*run, "--file=-"], database) as (psql, said_psql),
        _running("pg_restore", as_sql, database) as (reader, said_reader),
    ):
        assert psql.stdin
        assert reader.stdin
        assert reader.stdout
        Thread(target=_feed, args=(pieces, reader.stdin), daemon=True).start()
        with suppress(BrokenPipeError):  # psql ended; why is asked below.
            psql.stdin.write(b"BEGIN;\n")
            while piece := reader.stdout.read(PIECE):
                psql.stdin.write(piece)
            _check(reader, said_reader)
            psql.stdin.write(f"{then}\nCOMMIT;\n".encode())
            psql.stdin.close()
        _check(psql, said_psql)


def _feed(pieces: Iterable[bytes], stdin: IO[bytes]) -> None:
    with suppress(BrokenPipeError), stdin:
        for piece in pieces:
            stdin.write(piece)


def _check(process: subprocess.Popen[bytes], said: IO[bytes]) -> None:
    """Wait for the end; raise DumpError if it was none."""
    if process.wait():
        said.seek(0)
        words = said.read(4000).decode(errors="replace").strip()
        raise DumpError(words or f"exit code {process.returncode}, and no word why")


@contextmanager
def _running(
    program: str, options: list[str], database: Mapping[str, str]
) -> Iterator[tuple[subprocess.Popen[bytes], IO[bytes]]]:
    """A program with pipes both ways, and what it says on stderr; it is ended with the block."""
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [str(find_programs() / program), *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            env=dict(database),
        )
        try:
            yield process, said
        finally:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                with suppress(OSError):
                    assert pipe
                    pipe.close()
