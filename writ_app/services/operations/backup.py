"""The whole database as one file, taken while people work, and back into an empty one.

The file is a ZIP archive of two members, so that it can be used without this app, too:
`database.pgdump`, pg_dump's custom format, and `manifest.json`, which comes last. A file that was cut off has no
directory at its end and is recognised by that; the manifest tells the dump's hash and every table's rows and digest.
Everything in it, digests included, is of one snapshot.
"""

import hashlib
import json
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import psycopg
from django.db import connection
from pydantic import TypeAdapter

from writ_app.adapters.dump import (
    PIECE,
    DumpError,
    database_environment,
    dump,
    restore,
)
from writ_app.services.operations.fingerprints import (
    OWN_RELATIONS,
    OWN_TABLES,
    SAME_WORDS,
    Table,
    check,
    measure,
)
from writ_app.services.operations.wellness import known_migrations

FORMAT = 1
DUMP = "database.pgdump"
MANIFEST = "manifest.json"
MANIFEST_BYTES = 16_000_000


class BackupError(Exception):
    """A backup cannot be made or used. The text says why, and what state things are in."""


@dataclass(frozen=True)
class Manifest:
    """What a backup holds."""

    format: int
    made_at: str
    server: str
    """Version of the Postgres it was taken from."""
    bytes: int
    sha256: str
    """Of the dump."""
    migrations: list[tuple[str, str]]
    tables: list[Table]

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables)


def back_up(file: IO[bytes]) -> Manifest:
    """Write a backup of the app's database; others go on reading and writing meanwhile.

    `file` need not be seekable. Raises BackupError.
    """
    parameters = connection.get_connection_params()
    try:
        # A connection of its own: the transaction must not mix with a caller's.
        with psycopg.connect(**parameters, autocommit=True) as link:
            link.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            return _write(file, link, database_environment(parameters))
    except (psycopg.Error, DumpError) as error:
        raise BackupError(f"No backup was made: {str(error).strip()}") from error


def _write(
    file: IO[bytes], link: "psycopg.Connection[Any]", database: dict[str, str]
) -> Manifest:
    made_at = datetime.now(UTC).isoformat(timespec="seconds")
    snapshot = str(_one(link, "SELECT pg_export_snapshot()"))
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        size, digest = 0, hashlib.sha256()
        with archive.open(DUMP, "w", force_zip64=True) as member:
            for piece in dump(database, snapshot=snapshot):
                member.write(piece)
                digest.update(piece)
                size += len(piece)
        manifest = Manifest(
            format=FORMAT,
            made_at=made_at,
            server=str(_one(link, "SHOW server_version")),
            bytes=size,
            sha256=digest.hexdigest(),
            migrations=link.execute(
                "SELECT app, name FROM django_migrations ORDER BY id"
            ).fetchall(),
            tables=list(_tables(link)),
        )
        archive.writestr(MANIFEST, json.dumps(asdict(manifest), indent=1))
    return manifest


def _tables(link: "psycopg.Connection[Any]") -> Iterator[Table]:
    """Every table of the open transaction's snapshot."""
    for statement in filter(str.strip, SAME_WORDS.split(";")):
        link.execute(statement.encode())
    for schema, name in link.execute(OWN_TABLES).fetchall():
        row = link.execute(measure(schema, name)).fetchone()
        assert row is not None
        yield Table(schema, name, rows=row[0], digest=row[1])


def _one(link: "psycopg.Connection[Any]", query: str) -> Any:
    row = link.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def read_manifest(path: Path) -> Manifest:
    """What a backup holds, after every byte of it was checked against its hash. Raises BackupError."""
    try:
        with zipfile.ZipFile(path) as archive:
            _check_plain(archive)
            manifest = TypeAdapter(Manifest).validate_json(archive.read(MANIFEST))
            size, digest = 0, hashlib.sha256()
            with archive.open(DUMP) as member:
                while piece := member.read(PIECE):
                    size += len(piece)
                    digest.update(piece)
    except OSError as error:
        raise BackupError(f"{path} cannot be read: {error.strerror}.") from error
    except (
        zipfile.BadZipFile,
        LookupError,
        EOFError,
        RuntimeError,
        ValueError,
    ) as error:
        raise BackupError(
            f"{path} is not a whole backup: it was cut off, damaged, or is something else. Nothing was restored."
        ) from error
    if manifest.format != FORMAT:
        raise BackupError(
            f"{path} is a backup of format {manifest.format}, and this release reads format {FORMAT}."
        )
    if (size, digest.hexdigest()) != (manifest.bytes, manifest.sha256):
        raise BackupError(
            f"{path} is damaged: its dump is not the one that was written. Nothing was restored."
        )
    return manifest


def _check_plain(archive: zipfile.ZipFile) -> None:
    """Raises BadZipFile for members that we never write: packed ones, which may unpack without end, and encrypted ones."""
    for name in (DUMP, MANIFEST):
        member = archive.getinfo(name)
        encrypted = member.flag_bits & 1
        if member.compress_type != zipfile.ZIP_STORED or encrypted:
            raise zipfile.BadZipFile(f"{name} is packed or encrypted")
    if archive.getinfo(MANIFEST).file_size > MANIFEST_BYTES:
        raise zipfile.BadZipFile(f"{MANIFEST} is too large")


def restore_backup(path: Path) -> Manifest:
    """Fill the app's database, which must be empty, from a backup: whole and proved, or not at all.

    Every table's rows and digest are compared before the one transaction ends. Raises BackupError.
    """
    manifest = read_manifest(path)
    _check_known(manifest)
    parameters = connection.get_connection_params()
    try:
        with psycopg.connect(**parameters, autocommit=True) as link:
            if _one(link, OWN_RELATIONS):
                raise BackupError(
                    f"The database {parameters['dbname']} is not empty. Nothing was changed: "
                    "make an empty database and name it in DATABASE_URL."
                )
        checks = [check(table) for table in manifest.tables]
        restore(
            _pieces(path),
            database_environment(parameters),
            then=SAME_WORDS + "".join(checks),
        )
        with psycopg.connect(**parameters, autocommit=True) as link:
            link.execute("ANALYZE")
    except (psycopg.Error, DumpError) as error:
        raise BackupError(
            f"Nothing was restored, the database is as it was: {str(error).strip()}"
        ) from error
    return manifest


def _check_known(manifest: Manifest) -> None:
    unknown = {
        name
        for app, name in manifest.migrations
        if app == "writ_app" and (app, name) not in known_migrations()
    }
    if unknown:
        raise BackupError(
            f"The backup is of a newer release: it has {', '.join(sorted(unknown))}, which this one does not know. "
            "Nothing was changed: restore it with that release or a later one."
        )


def _pieces(path: Path) -> Iterator[bytes]:
    with zipfile.ZipFile(path) as archive, archive.open(DUMP) as member:
        while piece := member.read(PIECE):
            yield piece
