"""What the app rests on fails, and comes back: nobody has to do anything, nothing is lost, nothing is done twice.

(Simulations under killed workers, an emptied broker and a crashing database are in test_chaos.)
"""

import os
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import httpx
import psycopg
import pytest
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker

from tests.benchmarks.review import Desk, store
from tests.factories import (
    make_batch,
    make_owner,
    make_reviewer,
    team_of,
)
from tests.flows.hosts import ROOT, Person, Site, order, site_at, until
from writ_app.models.accounts import Team, User
from writ_app.models.report import Report
from writ_app.models.review import ReviewEvent, ReviewSlot
from writ_app.models.synthesis import Batch

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
REVIEWERS = 6


@dataclass
class Running:
    """A site with a web server and everything that works behind it."""

    site: Site
    url: str
    owner: User
    team: Team
    judged: Batch

    def administer(self, query: str) -> list[tuple[object, ...]]:
        """On a connection that the app knows nothing of."""
        address = self.site.servers.postgres.url
        with psycopg.connect(address, autocommit=True) as link:
            return link.execute(query.encode()).fetchall()


@pytest.fixture(scope="module")
def running(
    tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker
) -> Iterator[Running]:
    with django_db_blocker.unblock(), site_at(tmp_path_factory.mktemp("site")) as site:
        owner = make_owner(name="owner")
        judged = make_batch(team=team_of(owner), by=owner)
        store(judged, 600)
        go_on_counting()
        host = site.host("a")
        for kind in ("worker", "archivist", "runner", "beat"):
            host.start(kind)
        url = host.serve()
        site.wait_for_workers(3)
        yield Running(site, url, owner, team_of(owner), judged)


def go_on_counting() -> None:
    """What was stored in bulk brought its keys along."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT setval(pg_get_serial_sequence('writ_app_simulation', 'id'), max(id)) FROM writ_app_simulation"
        )


@dataclass
class Load:
    """Reviewers who never stop, and send again what was not answered, as the page does."""

    url: str
    kept: Counter[str] = field(default_factory=Counter)
    """Submissions that were said to be kept."""
    statuses: Counter[int] = field(default_factory=Counter)
    away: list[httpx.Response] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)
    troubles: list[str] = field(default_factory=list)
    threads: list[threading.Thread] = field(default_factory=list)

    def review(self, user: User) -> None:
        person = Person(self.url, user)
        try:
            while not self.stop.is_set():
                if desk := Desk.read(self._patiently(lambda: person.get("/review/"))):
                    self._decide(person, desk)
        except Exception as error:
            self.troubles.append(repr(error))

    def _decide(self, person: Person, desk: Desk) -> None:
        fields = {**vars(desk), "submission": str(uuid.uuid4())}
        fields |= {"verdict": "APPROVE", "seconds": "7"}
        self._patiently(
            lambda: person.post(
                "/review/", fields, headers={"Accept": "application/json"}
            )
        )
        self.kept[fields["submission"]] += 1

    def _patiently(self, ask: Callable[[], httpx.Response]) -> str:
        while True:
            answer = ask()
            self.statuses[answer.status_code] += 1
            if answer.status_code != 503:
                assert answer.status_code == 200, answer.text
                return answer.text
            self.away.append(answer)
            time.sleep(0.2)


@pytest.fixture
def load(running: Running) -> Iterator[Load]:
    """At work when the test begins; it is over for everybody when the test calls `stop.set`, or ends."""
    load = Load(running.url)
    people = [make_reviewer(team=running.team) for _ in range(REVIEWERS)]
    load.threads = [threading.Thread(target=load.review, args=(one,)) for one in people]
    for thread in load.threads:
        thread.start()
    try:
        until(lambda: load.troubles or len(load.kept) >= 5)
        yield load
    finally:
        load.stop.set()
        for thread in load.threads:
            thread.join(30)


def goes_on(load: Load, more: int = 10) -> None:
    """Wait until so many more verdicts are kept."""
    before = len(load.kept)
    until(lambda: load.troubles or len(load.kept) >= before + more)
    assert load.troubles == []


def check_verdicts(load: Load) -> None:
    """What was said to be kept is there once, and every place has one verdict."""
    load.stop.set()
    for thread in load.threads:
        thread.join(40)
    assert not any(one.is_alive() for one in load.threads), "they did not stop"
    rows = list(ReviewEvent.objects.values_list("submission", "slot_id"))
    kept = Counter(str(submission) for submission, _ in rows)
    assert [one for one in load.kept if kept[one] != 1] == []
    assert set(Counter(slot for _, slot in rows).values()) == {1}
    assert load.troubles == []


class TestThePostgresServer:
    def test_restarted_under_load_loses_and_doubles_no_verdict(
        self, running: Running, load: Load
    ) -> None:
        postgres = running.site.servers.postgres
        person = Person(running.url, make_reviewer(team=running.team))
        for _ in range(2):
            connection.close()
            pid = postgres.pid()
            assert pid
            os.kill(pid, 3)  # SIGQUIT: at once, as if it had crashed
            until(lambda: postgres.pid() is None)
            until(lambda: load.troubles or any(is_of_a_page(one) for one in load.away))
            told = person.post("/review/", headers={"Accept": "application/json"})
            postgres.start()
            goes_on(load)

        check_verdicts(load)
        assert set(load.statuses) == {200, 503}
        page = next(one for one in load.away if is_of_a_page(one))
        assert page.headers["Retry-After"] == "5"
        assert "The database does not answer" in page.text
        assert '<meta http-equiv="refresh" content="5">' in page.text
        assert told.headers["Content-Type"] == "application/problem+json"
        assert told.status_code == told.json()["status"] == 503

    def test_whose_connections_are_cut_is_connected_to_again(
        self, running: Running, load: Load
    ) -> None:
        cut = 0
        for _ in range(8):
            cut += len(
                running.administer(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
                )
            )
            time.sleep(0.3)
        connection.close()
        goes_on(load)

        check_verdicts(load)
        assert cut >= 16
        assert set(load.statuses) <= {200, 503}
        # The workers' connections were cut as well: they do what comes next.
        order(Person(running.url, running.owner), running.judged, "after the cut")
        until(lambda: is_done("after the cut"), 120)


def is_of_a_page(answer: httpx.Response) -> bool:
    return answer.request.method == "GET"


def is_done(name: str) -> bool:
    return Batch.objects.filter(name=name, status="DONE").exists()


class TestTheBroker:
    def test_gone_for_a_while_keeps_orders_waiting_and_no_page(
        self, running: Running
    ) -> None:
        owner = Person(running.url, running.owner)
        valkey = running.site.servers.valkey
        valkey.stop()
        try:
            began = time.monotonic()
            order(owner, running.judged, "while the broker is away")
            assert (
                owner.post("/reports/order/", {"batch": running.judged.pk}).status_code
                == 302
            )
            assert owner.get("/review/").status_code == 200
            assert owner.get("/batches/").status_code == 200
            assert time.monotonic() - began < 15
            ready = httpx.get(f"{running.url}/health/ready", timeout=60)
            assert (ready.status_code, ready.json()["broker"][:6]) == (503, "failed")
            assert (
                httpx.get(f"{running.url}/health/live", timeout=60).status_code == 200
            )
            time.sleep(float(os.environ.get("WRIT_BROKER_AWAY", "10")))
            assert not is_done("while the broker is away")
        finally:
            valkey.start()

        until(lambda: is_done("while the broker is away"), 120)
        batch = Batch.objects.get(name="while the broker is away")
        assert batch.simulations.count() == batch.ordered == 4
        # Its clock looks for reports that nobody has touched for two minutes.
        Report.objects.update(touched_at=clock_of() - timedelta(minutes=3))
        until(lambda: Report.objects.get().status == "DONE", 120)


def clock_of() -> object:
    from writ_app.models import clock

    return clock.now()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator["Disk"]:
    """A file system of a quarter of a megabyte."""
    where = tmp_path / "disk"
    where.mkdir()
    mounted = mount("-t", "tmpfs", "-o", "size=256k", "tmpfs", str(where))
    if mounted.returncode:
        pytest.skip(f"needs the right to mount: {mounted.stderr.decode().strip()}")
    yield Disk(where)
    subprocess.run(["umount", str(where)], check=True)


def mount(*words: str) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(["mount", *words], check=False, capture_output=True)


@dataclass
class Disk:
    where: Path

    def grow(self) -> None:
        """Somebody makes room."""
        grown = mount("-o", "remount,size=64m", str(self.where))
        assert grown.returncode == 0, grown.stderr


def manage(running: Running, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env={**os.environ, **running.site.servers.env},
        capture_output=True,
        text=True,
        check=False,
    )


class TestADisk:
    @pytest.mark.parametrize("kind", ["backup", "results", "report"])
    def test_that_is_full_keeps_no_part_of_an_export_and_takes_it_later(
        self, running: Running, disk: Disk, kind: str
    ) -> None:
        out = disk.where / f"out.{'json' if kind != 'backup' else 'writ'}"
        commands = {
            "backup": ("backup", str(out)),
            "results": (
                "export_results",
                "--batch",
                str(running.judged.pk),
                "--out",
                str(out),
            ),
            "report": ("report", "--batch", str(running.judged.pk), "--out", str(out)),
        }
        if kind == "report":  # smaller than the others
            (disk.where / "somebody's").write_bytes(bytes(258_048))
        before = sorted(disk.where.iterdir())

        refused = manage(running, *commands[kind])

        assert refused.returncode == 1, refused.stderr
        said = refused.stderr.strip().splitlines()[-1]
        assert f"{out} cannot be written: the disk is full" in said
        assert "do it again" in said
        assert "Traceback" not in refused.stderr
        assert sorted(disk.where.iterdir()) == before
        disk.grow()
        again = manage(running, *commands[kind])
        assert again.returncode == 0, again.stderr
        assert out.stat().st_size > 10_000


class TestTheClock:
    def test_of_a_web_server_moved_by_an_hour_doubles_and_loses_no_lease(
        self, running: Running
    ) -> None:
        right = Person(running.url, make_reviewer(team=running.team))
        late, early = (self.moved(running, hours) for hours in (1, -1))

        first = leased(right)
        second = leased(late)
        third = leased(early)

        assert len({first.slot, second.slot, third.slot}) == 3
        now = self.database_time()
        held = ReviewSlot.objects.filter(
            pk__in=[first.slot, second.slot, third.slot]
        ).values_list("leased_until", flat=True)
        assert all(timedelta(0) < end - now < timedelta(minutes=5) for end in held)
        for person, desk in ((right, first), (late, second), (early, third)):
            answer = person.post(
                "/review/",
                {**vars(desk), "verdict": "APPROVE", "seconds": "7"},
                headers={"Accept": "application/json"},
            )
            assert answer.status_code == 200
        # A lease that has lapsed is anybody's, on whichever machine.
        forgotten = leased(right)
        ReviewSlot.objects.filter(pk=forgotten.slot).update(
            leased_until=now - timedelta(seconds=1)
        )
        other = make_reviewer(team=running.team)
        slots = ReviewSlot.objects.filter(pk=forgotten.slot)
        slots.update(deferred_at=None)
        assert leased(Person(early.url, other)).slot == forgotten.slot

    def moved(self, running: Running, hours: int) -> Person:
        """Somebody at a web server whose clock is so far ahead."""
        host = running.site.host(f"moved{hours}", WRIT_CLOCK_MOVED=str(3600 * hours))
        url = host.serve("tests.flows.moved_clock")
        told = httpx.get(f"{url}/what-time-is-it", timeout=60).text.split()
        assert all(abs(float(one) - time.time() - 3600 * hours) < 60 for one in told), (
            told
        )
        return Person(url, make_reviewer(team=running.team))

    def database_time(self) -> object:
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            return cursor.fetchone()[0]


def leased(person: Person) -> Desk:
    desk = Desk.read(person.get("/review/").text)
    assert desk
    return desk
