"""Backups: taken while others write, restored into an empty cluster, refused when they are not whole."""

import io
import json
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.db import DatabaseError, connection, connections
from psycopg import sql

from tests.factories import make_batch, make_slot, make_team, make_trajectory
from writ_app.adapters.embedded.layout import Layout
from writ_app.adapters.embedded.postgres import Postgres
from writ_app.models.accounts import Team
from writ_app.services.audit import record
from writ_app.services.audit.chain import seal, verify_chain
from writ_app.services.operations import backup
from writ_app.services.operations.backup import BackupError, back_up, restore_backup

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def filled() -> None:
    """Rows behind the strictest triggers: trajectories, judgements, items and slots."""
    team = make_team(name="Äther")
    for _ in range(3):
        make_slot(trajectory=make_trajectory(batch=make_batch(team=team)))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """Another server, with nothing in it."""
    layout = Layout(tmp_path_factory.mktemp("restored"))
    server = Postgres(layout, durable=False)
    server.start()
    yield server
    server.stop()


@contextmanager
def empty_database(cluster: Postgres, name: str) -> Iterator[str]:
    """Make a database there, and let the app's connections lead to it; yields its address."""
    host = str(cluster.layout.sockets)
    with psycopg.connect(
        host=host, port=5432, user="writ", dbname="postgres", autocommit=True
    ) as link:
        link.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    before = dict(connection.settings_dict)
    connection.close()
    connection.settings_dict.update(HOST=host, PORT="5432", USER="writ", NAME=name)
    try:
        yield f"postgresql://writ@/{name}?host={host}&port=5432"
    finally:
        connection.close()
        connection.settings_dict.update(before)


def content() -> dict[tuple[str, str], tuple[int, str]]:
    """Rows and digest of every table of the app's database."""
    with psycopg.connect(**connection.get_connection_params(), autocommit=True) as link:
        link.execute("BEGIN")
        return {
            (table.schema, table.name): (table.rows, table.digest)
            for table in backup._tables(link)
        }


def saved(path: Path) -> backup.Manifest:
    with path.open("wb") as file:
        return back_up(file)


def relations() -> int:
    with connection.cursor() as cursor:
        cursor.execute(backup.OWN_RELATIONS)
        return int(cursor.fetchone()[0])


class TestRoundTrip:
    def test_every_row_comes_back_and_promises_hold(
        self, filled: None, cluster: Postgres, tmp_path: Path
    ) -> None:
        saved(tmp_path / "copy")
        before = content()

        with empty_database(cluster, "whole"):
            restore_backup(tmp_path / "copy")
            after = content()
            new = Team.objects.create(name="next")
            with (
                connection.cursor() as cursor,
                pytest.raises(DatabaseError, match="writ"),
            ):
                cursor.execute("UPDATE writ_app_trajectory SET messages = '[]'")

        assert after == before
        assert before["public", "writ_app_trajectory"][0] == 3
        assert new.pk not in set(Team.objects.values_list("pk", flat=True))

    def test_a_backup_taken_while_others_write_is_of_one_moment(
        self, filled: None, cluster: Postgres, tmp_path: Path
    ) -> None:
        stop, written = threading.Event(), []

        def write() -> None:
            while not stop.is_set():
                team = make_team()
                make_trajectory(batch=make_batch(team=team))
                written.append(team.pk)
            connections.close_all()

        writer = threading.Thread(target=write)
        writer.start()
        try:
            while len(written) < 3 and writer.is_alive():
                stop.wait(0.01)
            began = len(written)
            manifest = saved(tmp_path / "copy")
            ended = len(written)
        finally:
            stop.set()
            writer.join()

        with empty_database(cluster, "busy"):
            restore_backup(tmp_path / "copy")
            after = content()
            trajectories = {
                row[0]: row[1]
                for row in rows_of(
                    "SELECT b.team_id, count(*) FROM writ_app_trajectory t "
                    "JOIN writ_app_simulation s ON s.id = t.simulation_id JOIN writ_app_batch b ON b.id = s.batch_id "
                    "GROUP BY 1"
                )
            }

        assert ended > began, "nothing was written meanwhile"
        assert after == {
            (table.schema, table.name): (table.rows, table.digest)
            for table in manifest.tables
        }
        # Those whose making had ended before are all there, and none that began after.
        assert set(written[:began]) <= set(trajectories)
        assert not set(written[ended + 1 :]) & set(trajectories)

    def test_commands_do_it_in_processes_of_their_own(
        self, filled: None, cluster: Postgres, tmp_path: Path
    ) -> None:
        before = content()
        source = psycopg.conninfo.make_conninfo(**address_of(connection.settings_dict))
        assert source
        piped = manage("backup", "-", settings_dict=connection.settings_dict)
        assert piped.returncode == 0, piped.stderr
        (tmp_path / "copy").write_bytes(piped.stdout)

        with empty_database(cluster, "commanded"):
            done = manage(
                "restore",
                str(tmp_path / "copy"),
                settings_dict=connection.settings_dict,
            )
            after = content()

        assert done.returncode == 0, done.stderr
        assert b"Restored and proved" in done.stdout
        assert after == before


def rows_of(query: str) -> list[tuple[int, int]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def address_of(settings_dict: dict[str, object]) -> dict[str, str]:
    return {
        "host": str(settings_dict["HOST"]),
        "port": str(settings_dict["PORT"]),
        "user": str(settings_dict["USER"]),
        "dbname": str(settings_dict["NAME"]),
    }


def manage(
    *words: str, settings_dict: dict[str, object]
) -> "subprocess.CompletedProcess[bytes]":
    from urllib.parse import quote

    at = address_of(settings_dict)
    url = f"postgresql://{at['user']}@{quote(at['host'], safe='')}:{at['port']}/{at['dbname']}"
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        capture_output=True,
        cwd=settings.BASE_DIR,
        env={**os.environ, "DATABASE_URL": url},
    )


class TestRefusals:
    @pytest.fixture
    def copy(self, filled: None, tmp_path: Path) -> Path:
        saved(tmp_path / "copy")
        return tmp_path / "copy"

    @pytest.mark.parametrize("share", [0.0, 0.3, 0.999])
    def test_a_file_that_was_cut_off(
        self, share: float, copy: Path, cluster: Postgres
    ) -> None:
        whole = copy.read_bytes()
        copy.write_bytes(whole[: int(len(whole) * share)])

        with empty_database(cluster, f"cut{int(share * 1000)}"):
            with pytest.raises(BackupError, match="not a whole backup"):
                restore_backup(copy)
            assert relations() == 0

    def test_a_dump_that_was_changed(self, copy: Path, cluster: Postgres) -> None:
        content = bytearray(copy.read_bytes())
        content[len(content) // 2] ^= 1
        copy.write_bytes(content)

        with empty_database(cluster, "changed"):
            with pytest.raises(BackupError, match="damaged"):
                restore_backup(copy)
            assert relations() == 0

    def test_a_copy_that_differs_from_its_manifest_leaves_no_trace(
        self, copy: Path, cluster: Postgres
    ) -> None:
        """As if a row got lost on the way: what Postgres wrote is not what was counted."""
        with zipfile.ZipFile(copy) as archive:
            manifest = json.loads(archive.read("manifest.json"))
            dumped = archive.read("database.pgdump")
        for table in manifest["tables"]:
            table["rows"] += table["name"] == "writ_app_trajectory"
        with zipfile.ZipFile(copy, "w") as archive:
            archive.writestr("database.pgdump", dumped)
            archive.writestr("manifest.json", json.dumps(manifest))

        with empty_database(cluster, "short"):
            with pytest.raises(BackupError, match="writ_app_trajectory differs"):
                restore_backup(copy)
            assert relations() == 0

    def test_a_dump_that_ends_early_leaves_no_trace(
        self, copy: Path, cluster: Postgres, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As if the disk failed while it was read the second time."""
        pieces = b"".join(backup._pieces(copy))
        monkeypatch.setattr(
            backup, "_pieces", lambda path: iter([pieces[: len(pieces) * 9 // 10]])
        )

        with empty_database(cluster, "early"):
            with pytest.raises(BackupError, match="Nothing was restored"):
                restore_backup(copy)
            assert relations() == 0

    def test_a_database_that_holds_something(self, copy: Path) -> None:
        before = content()

        with pytest.raises(BackupError, match="is not empty"):
            restore_backup(copy)

        assert content() == before

    def test_a_backup_of_a_newer_release(
        self, copy: Path, cluster: Postgres, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        older = frozenset({("writ_app", "0001_first")})
        monkeypatch.setattr(backup, "known_migrations", lambda: older)

        with pytest.raises(BackupError, match="newer release"):
            restore_backup(copy)

    def test_no_backup_without_a_database(self, cluster: Postgres) -> None:
        with empty_database(cluster, "renamed"):
            connection.settings_dict["NAME"] = "elsewhere"

            with pytest.raises(BackupError, match="No backup was made"):
                back_up(io.BytesIO())


class TestTheAuditLog:
    def test_holds_after_a_restore_and_goes_on_where_it_was(
        self, cluster: Postgres, tmp_path: Path
    ) -> None:
        team = make_team()
        for _ in range(3):
            record("thing.change", team=team, after={"ä": "\u2028"})
        seal()
        head = verify_chain(team.pk).head
        record("thing.change", team=team)  # waits for its place
        saved(tmp_path / "copy")

        with empty_database(cluster, "audited"):
            restore_backup(tmp_path / "copy")
            before = verify_chain(team.pk, [head])
            record("thing.change", team=team)
            seal()
            after = verify_chain(team.pk, [head])
            with pytest.raises(DatabaseError, match="never changed"):
                rows_of("UPDATE writ_app_auditentry SET action = 'x' RETURNING id")

        assert (before.head, before.broken) == (head, None)
        assert (after.head.number, after.broken) == (5, None)

    def test_tells_that_what_was_restored_is_older_than_what_was_seen(
        self, cluster: Postgres, tmp_path: Path
    ) -> None:
        team = make_team()
        record("thing.change", team=team)
        saved(tmp_path / "copy")
        record("thing.change", team=team)
        seal()
        head = verify_chain(team.pk).head

        with empty_database(cluster, "older"):
            restore_backup(tmp_path / "copy")
            seal()
            found = verify_chain(team.pk, [head])

        assert "an older backup" in str(found.broken)
