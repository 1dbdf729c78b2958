"""Embedded services under real faults: each fault is caused, none is pretended."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import redis

from writ_app.adapters.embedded.layout import MAX_SOCKET_BYTES, Layout, ServiceError
from writ_app.adapters.embedded.postgres import Postgres
from writ_app.adapters.embedded.services import AlreadyStarted, services_running
from writ_app.adapters.embedded.valkey import Valkey
from writ_app.adapters.processes import wait_gone

ROOT = Path(__file__).resolve().parent.parent.parent
BOTH = ["postgres", "valkey"]


@pytest.fixture
def layout(tmp_path: Path) -> Iterator[Layout]:
    """A layout of its own; whatever a test leaves up is stopped."""
    layout = Layout(tmp_path / "var")
    yield layout
    Postgres(layout).stop()
    Valkey(layout).stop()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory made once, to be copied by tests that need no fresh one."""
    layout = Layout(tmp_path_factory.mktemp("made") / "var")
    with services_running(layout, BOTH):
        sql(layout, "CREATE TABLE note (body text)")
    return layout.var


def sql(layout: Layout, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(layout.database_url, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def queue(layout: Layout) -> "redis.Redis":
    return redis.Redis(unix_socket_path=str(layout.valkey_socket))


def copy_made(made: Path, layout: Layout) -> None:
    """Put a copy of the made data in place, owners included."""
    subprocess.run(["cp", "-a", str(made), str(layout.var)], check=True)


@contextmanager
def small_disk(path: Path, *, size: str, read_only: bool = False) -> Iterator[None]:
    """A real file system of `size` at `path`; skips where mounting is not allowed."""
    path.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("needs the mount command")
    if done.returncode:
        pytest.skip(f"needs the right to mount: {done.stderr.strip()}")
    try:
        if read_only:
            subprocess.run(["mount", "-o", "remount,ro", str(path)], check=True)
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


def fill(path: Path) -> None:
    """Write until the disk of `path` has nothing left."""
    with (path / "filler").open("wb", buffering=0) as file:
        for size in (65536, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue


class TestServicesRunning:
    def test_starts_both_and_stops_both(self, layout: Layout) -> None:
        with services_running(layout, BOTH):
            assert sql(layout, "SHOW server_version_num")[0][0] >= "180000"
            assert queue(layout).ping()

        assert Postgres(layout).pid() is None
        assert Valkey(layout).pid() is None

    def test_data_survives_a_restart(self, made: Path, layout: Layout) -> None:
        copy_made(made, layout)
        with services_running(layout, BOTH):
            sql(layout, "INSERT INTO note VALUES ('kept')")
            queue(layout).rpush("jobs", "kept")

        with services_running(layout, BOTH):
            assert sql(layout, "SELECT body FROM note") == [("kept",)]
            assert queue(layout).lrange("jobs", 0, -1) == [b"kept"]

    def test_data_survives_when_everything_is_killed(
        self, made: Path, layout: Layout
    ) -> None:
        copy_made(made, layout)
        postgres, valkey = Postgres(layout), Valkey(layout)
        postgres.start()
        valkey.start()
        sql(layout, "INSERT INTO note VALUES ('kept')")
        queue(layout).rpush("jobs", "kept")
        for service in (postgres, valkey):
            pid = service.pid()
            assert pid
            os.kill(pid, signal.SIGKILL)
            assert wait_gone(pid, 5)
        assert (layout.postgres_data / "postmaster.pid").exists()

        with services_running(layout, BOTH):
            assert sql(layout, "SELECT body FROM note") == [("kept",)]
            assert queue(layout).lrange("jobs", 0, -1) == [b"kept"]

    def test_a_second_owner_is_refused_and_the_first_unharmed(
        self, made: Path, layout: Layout
    ) -> None:
        copy_made(made, layout)
        with services_running(layout, BOTH):
            with (
                pytest.raises(AlreadyStarted, match=f"process {os.getpid()}") as caught,
                services_running(layout, BOTH),
            ):
                pass

            assert "WRIT_VAR_DIR" in str(caught.value)
            assert sql(layout, "SELECT 1") == [(1,)]
            assert queue(layout).ping()

    def test_a_guest_uses_what_the_owner_started_and_leaves_it_up(
        self, made: Path, layout: Layout
    ) -> None:
        copy_made(made, layout)
        with services_running(layout, BOTH):
            with services_running(layout, BOTH, reuse=True) as guest:
                assert guest.started == []

            assert sql(layout, "SELECT 1") == [(1,)]

    def test_services_of_a_killed_owner_are_adopted(
        self, made: Path, layout: Layout
    ) -> None:
        copy_made(made, layout)
        code = (
            "import sys, time; from pathlib import Path\n"
            "from writ_app.adapters.embedded.services import *\n"
            f"with services_running(Layout(Path({str(layout.var)!r})), {BOTH}):\n"
            "    print('up', flush=True); time.sleep(60)"
        )
        owner = subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=ROOT
        )
        assert owner.stdout
        assert owner.stdout.readline() == b"up\n"
        before = Postgres(layout).pid(), Valkey(layout).pid()
        owner.kill()
        owner.communicate()

        with services_running(layout, BOTH):
            assert (Postgres(layout).pid(), Valkey(layout).pid()) == before

        assert (Postgres(layout).pid(), Valkey(layout).pid()) == (None, None)

    def test_what_ends_by_itself_is_started_again(
        self, made: Path, layout: Layout
    ) -> None:
        copy_made(made, layout)
        with services_running(layout, BOTH) as services:
            for service in services.started:
                pid = service.pid()
                assert pid
                os.kill(pid, signal.SIGKILL)
                assert wait_gone(pid, 5)

            services.keep_up()

            assert sql(layout, "SELECT 1") == [(1,)]
            assert queue(layout).ping()

    def test_a_directory_that_was_deleted_is_named_and_nothing_started_in_it(
        self, layout: Layout
    ) -> None:
        with services_running(layout, ["valkey"]) as services:
            pid = services.started[0].pid()
            assert pid
            shutil.rmtree(layout.var)
            with pytest.raises(ServiceError, match=r"is gone.*Everything stops"):
                services.keep_up()
            assert not layout.var.exists()
            os.kill(pid, signal.SIGKILL)  # nothing is left by which it could be found

    def test_a_file_in_place_of_the_directory_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "var").write_text("a file")

        with (
            pytest.raises(ServiceError, match="WRIT_VAR_DIR") as caught,
            services_running(Layout(tmp_path / "var"), BOTH),
        ):
            pass

        assert str(tmp_path / "var") in str(caught.value)
        assert (tmp_path / "var").read_text() == "a file"

    def test_a_read_only_disk_is_named(self, tmp_path: Path) -> None:
        with (
            small_disk(tmp_path / "disk", size="1m", read_only=True),
            pytest.raises(ServiceError, match="Read-only file system"),
            services_running(Layout(tmp_path / "disk" / "var"), BOTH),
        ):
            pass


class TestPostgres:
    def test_a_second_start_finds_the_first(self, made: Path, layout: Layout) -> None:
        copy_made(made, layout)
        first, second = Postgres(layout), Postgres(layout)
        first.start()

        second.start()

        assert second.pid() == first.pid()

    def test_recovers_from_a_pid_file_that_names_another_process(
        self, made: Path, layout: Layout
    ) -> None:
        copy_made(made, layout)
        sleeper = subprocess.Popen(["sleep", "60"])
        stale = (
            f"{sleeper.pid}\n{layout.postgres_data}\n1\n5432\n{layout.sockets}\n\n\n"
        )
        (layout.postgres_data / "postmaster.pid").write_text(stale)

        try:
            Postgres(layout).start()
            assert sleeper.poll() is None
        finally:
            sleeper.kill()
            sleeper.wait()

        assert sql(layout, "SELECT 1") == [(1,)]

    def test_recovers_from_leftover_socket_files(
        self, made: Path, layout: Layout
    ) -> None:
        copy_made(made, layout)
        layout.sockets.mkdir(exist_ok=True)
        (layout.sockets / ".s.PGSQL.5432").touch()
        (layout.sockets / ".s.PGSQL.5432.lock").write_text("999999999\n")

        Postgres(layout).start()

        assert sql(layout, "SELECT 1") == [(1,)]

    def test_recovers_from_a_creation_that_was_cut_short(self, layout: Layout) -> None:
        half = layout.var / "postgres.new"
        half.mkdir(parents=True)
        (half / "PG_VERSION").write_text("18\n")

        Postgres(layout).start()

        assert sql(layout, "SELECT 1") == [(1,)]
        assert not half.exists()

    def test_refuses_data_of_another_version_and_leaves_it(
        self, layout: Layout
    ) -> None:
        layout.postgres_data.mkdir(parents=True)
        (layout.postgres_data / "PG_VERSION").write_text("16\n")

        with pytest.raises(ServiceError, match="made by Postgres 16"):
            Postgres(layout).start()

        assert [path.name for path in layout.postgres_data.iterdir()] == ["PG_VERSION"]

    def test_refuses_a_directory_of_something_else_and_leaves_it(
        self, layout: Layout
    ) -> None:
        layout.postgres_data.mkdir(parents=True)
        (layout.postgres_data / "thesis.tex").write_text("years of work")

        with pytest.raises(ServiceError, match="not a database"):
            Postgres(layout).start()

        assert (layout.postgres_data / "thesis.tex").read_text() == "years of work"

    def test_a_disk_too_small_to_begin_is_named(self, tmp_path: Path) -> None:
        with small_disk(tmp_path / "disk", size="12m"):
            layout = Layout(tmp_path / "disk" / "var")

            with pytest.raises(ServiceError, match="is full"):
                Postgres(layout).start()

            assert not layout.postgres_data.exists()
            assert not (layout.var / "postgres.new").exists()

    def test_a_disk_full_at_start_is_named_and_costs_no_data(
        self, made: Path, tmp_path: Path
    ) -> None:
        with small_disk(tmp_path / "disk", size="120m"):
            layout = Layout(tmp_path / "disk" / "var")
            copy_made(made, layout)
            fill(tmp_path / "disk")

            with pytest.raises(ServiceError, match="is full"):
                Postgres(layout).start()

            (tmp_path / "disk" / "filler").unlink()
            Postgres(layout).start()
            assert sql(layout, "SELECT count(*) FROM note") == [(0,)]
            Postgres(layout).stop()

    def test_ignores_the_callers_own_postgres_variables(
        self, made: Path, layout: Layout, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        copy_made(made, layout)
        for name, value in {
            "PGPORT": "1",
            "PGHOST": "nowhere",
            "PGDATA": "/nowhere",
        }.items():
            monkeypatch.setenv(name, value)

        Postgres(layout).start()

        assert sql(layout, "SELECT 1") == [(1,)]

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can become someone else")
    @pytest.mark.skipif(not shutil.which("setpriv"), reason="needs setpriv")
    def test_starts_for_an_ordinary_user_too(self, tmp_path: Path) -> None:
        # Root's one right is kept only so that the interpreter can be reached, wherever it is.
        user = "setpriv --reuid=65534 --regid=65534 --clear-groups"
        user += " --inh-caps=-all,+dac_override --ambient-caps=-all,+dac_override"
        code = (
            "import os; from pathlib import Path\n"
            "from writ_app.adapters.embedded.services import *\n"
            "assert os.geteuid() == 65534\n"
            f"with services_running(Layout(Path({str(tmp_path / 'var')!r})), {BOTH}) as s:\n"
            "    print(all(service.is_up() for service in s.started))"
        )

        done = subprocess.run(
            [*user.split(), sys.executable, "-c", code],
            capture_output=True,
            text=True,
            cwd=ROOT,
        )

        assert done.stdout == "True\n", done.stderr
        assert (tmp_path / "var" / "postgres").stat().st_uid == 65534

    def test_listens_on_no_network_address(self, made: Path, layout: Layout) -> None:
        copy_made(made, layout)
        Postgres(layout).start()

        assert sql(layout, "SHOW listen_addresses") == [("",)]
        assert layout.sockets.stat().st_mode & 0o077 == 0


class TestValkey:
    def test_a_second_start_finds_the_first(self, layout: Layout) -> None:
        first, second = Valkey(layout), Valkey(layout)
        first.start()

        second.start()

        assert second.pid() == first.pid()

    def test_recovers_from_leftovers_of_a_dead_server(self, layout: Layout) -> None:
        layout.sockets.mkdir(parents=True)
        layout.valkey_socket.touch()
        layout.valkey_data.mkdir()
        (layout.valkey_data / "valkey.pid").write_text(f"{os.getpid()}\n")

        Valkey(layout).start()

        assert queue(layout).ping()

    def test_a_server_that_lives_but_hangs_gets_no_rival(self, layout: Layout) -> None:
        valkey = Valkey(layout)
        valkey.start()
        pid = valkey.pid()
        assert pid
        os.kill(pid, signal.SIGSTOP)
        try:
            valkey.start()
        finally:
            os.kill(pid, signal.SIGCONT)

        assert valkey.pid() == pid

    def test_a_full_disk_is_named(self, tmp_path: Path) -> None:
        with small_disk(tmp_path / "disk", size="1m"):
            layout = Layout(tmp_path / "disk" / "var")
            for path in (layout.log, layout.sockets, layout.valkey_data):
                path.mkdir(parents=True)
            fill(tmp_path / "disk")

            with pytest.raises(ServiceError, match="is full"):
                Valkey(layout).start()

    def test_damaged_files_are_reported_with_the_servers_words(
        self, layout: Layout
    ) -> None:
        valkey = Valkey(layout)
        valkey.start()
        queue(layout).set("key", "value")
        valkey.stop()
        manifest = next(layout.valkey_data.glob("appendonlydir/*.manifest"))
        manifest.write_text("nonsense\n")

        with pytest.raises(ServiceError, match="did not start") as caught:
            valkey.start()

        assert str(valkey.log) in str(caught.value)
        assert manifest.read_text() == "nonsense\n"

    def test_listens_on_no_port(self, layout: Layout) -> None:
        Valkey(layout).start()

        assert queue(layout).config_get("port") == {"port": "0"}


class TestLayout:
    @pytest.mark.parametrize("name", ["d" * 120, "with, comma"])
    def test_a_path_unfit_for_a_socket_gets_a_short_stand_in(
        self, made: Path, tmp_path: Path, name: str
    ) -> None:
        layout = Layout(tmp_path / name)
        copy_made(made, layout)

        with services_running(layout, BOTH):
            assert layout.sockets.parent == Path("/tmp")
            assert layout.sockets.stat().st_mode & 0o077 == 0
            assert sql(layout, "SELECT 1") == [(1,)]
            assert queue(layout).ping()

        assert not layout.sockets.exists()

    @pytest.mark.parametrize("name", ["Mixed Case", "ümlaut", "per%cent", "a'quote"])
    def test_odd_paths_work_in_both_addresses(
        self, made: Path, tmp_path: Path, name: str
    ) -> None:
        from kombu import Connection

        layout = Layout(tmp_path / name)
        assert len(os.fsencode(layout.sockets)) < MAX_SOCKET_BYTES
        copy_made(made, layout)

        with services_running(layout, BOTH):
            assert sql(layout, "SELECT 1") == [(1,)]
            with Connection(layout.broker_url) as connection:
                connection.ensure_connection(max_retries=1)

    def test_a_stand_in_of_someone_else_is_refused(self, tmp_path: Path) -> None:
        layout = Layout(tmp_path / ("d" * 120))
        if os.geteuid() != 0:
            pytest.skip("only root can make a directory of someone else")
        layout.sockets.mkdir(mode=0o777)
        os.chown(layout.sockets, 12345, 12345)
        try:
            with pytest.raises(ServiceError, match="belongs to another account"):
                Valkey(layout).start()
        finally:
            layout.sockets.rmdir()


def test_starting_is_quick(made: Path, layout: Layout) -> None:
    copy_made(made, layout)
    before = time.monotonic()

    with services_running(layout, BOTH):
        started = time.monotonic() - before

    assert started < 10
    assert time.monotonic() - before - started < 10
