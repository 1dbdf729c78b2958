"""Two hosts with addresses of their own (network namespaces), and Postgres and a broker on a third: one is cut off, and comes back."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest
from pytest_django.plugin import DjangoDbBlocker

from tests.factories import make_batch, make_owner, team_of
from tests.flows.hosts import Host, Person, Site, order, site_at, until
from writ_app.adapters.embedded.postgres import Postgres
from writ_app.models.synthesis import Batch
from writ_app.services.operations import READY

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
TAG = os.getpid()
NET = f"10.{77 + TAG % 100}.{TAG // 100 % 250}"
"""Networks and names of this process alone: others may run the same test."""
SERVERS = f"{NET}.1"
BRIDGE = f"w{TAG}b"
HOSTS = {"one": f"{NET}.2", "two": f"{NET}.3"}
BROKER_PORT = 6391


def space_of(host: str) -> str:
    return f"writ-{TAG}-{host}"


def cable_of(host: str) -> str:
    """The end of its cable at the bridge; names have 15 letters at most."""
    return f"w{TAG}{host}"


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


def remove_network() -> None:
    for name in HOSTS:
        subprocess.run(["ip", "netns", "del", space_of(name)], capture_output=True)
    subprocess.run(["ip", "link", "del", BRIDGE], capture_output=True)


@pytest.fixture
def network() -> Iterator[None]:
    """A bridge with one end of a cable to every host."""
    try:
        ip("link", "add", BRIDGE, "type", "bridge")
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"needs the right to make networks: {error}")
    try:
        ip("addr", "add", f"{SERVERS}/24", "dev", BRIDGE)
        ip("link", "set", BRIDGE, "up")
        for name, address in HOSTS.items():
            here, there, space = cable_of(name), f"{cable_of(name)}0", space_of(name)
            ip("netns", "add", space)
            ip("link", "add", here, "type", "veth", "peer", "name", there)
            ip("link", "set", there, "netns", space)
            ip("link", "set", here, "master", BRIDGE, "up")
            ip("-n", space, "addr", "add", f"{address}/24", "dev", there)
            ip("-n", space, "link", "set", there, "up")
            ip("-n", space, "link", "set", "lo", "up")
        yield
    finally:
        remove_network()


@pytest.fixture
def site(
    network: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[Site]:
    """A site whose servers are reached through the network alone."""
    command = Postgres._command
    monkeypatch.setattr(
        Postgres,
        "_command",
        lambda self: [*command(self), "-c", f"listen_addresses={SERVERS}"],
    )
    with django_db_blocker.unblock(), site_at(tmp_path) as site:
        servers = site.servers
        with (servers.postgres.layout.postgres_data / "pg_hba.conf").open("a") as file:
            file.write(f"host all all {NET}.0/24 trust\n")
        with psycopg.connect(servers.postgres.url, autocommit=True) as link:
            link.execute("SELECT pg_reload_conf()")
        pid = servers.valkey.pid()
        assert pid
        program = psutil.Process(pid).exe()
        options = {"bind": SERVERS, "port": BROKER_PORT, "protected-mode": "no"}
        words = [
            str(part)
            for name, value in options.items()
            for part in (f"--{name}", value)
        ]
        broker = subprocess.Popen(
            [program, *words], cwd=tmp_path, stdout=subprocess.DEVNULL
        )
        servers.env = {
            "DATABASE_URL": f"postgresql://writ@{SERVERS}:5432/writ",
            "CELERY_BROKER_URL": f"redis://{SERVERS}:{BROKER_PORT}/0",
        }
        yield site
        broker.terminate()
        broker.wait(10)


def started(site: Site, name: str) -> Host:
    host = site.host(name, WRIT_ALLOWED_HOSTS=HOSTS[name])
    host.address = HOSTS[name]
    host.within = ["ip", "netns", "exec", space_of(name)]
    for kind in ("worker", "archivist", "runner"):
        host.start(kind)
    return host


def is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}{READY}", timeout=10).status_code == 200
    except httpx.HTTPError:
        return False


def is_done(name: str) -> bool:
    return Batch.objects.filter(name=name, status="DONE").exists()


def test_a_host_that_is_cut_off_leaves_its_work_to_the_other_and_comes_back(
    site: Site,
) -> None:
    owner = make_owner(name="owner")
    like = make_batch(team=team_of(owner), by=owner)
    one, two = (started(site, name) for name in HOSTS)
    one.start("beat")
    here, there = (Person(host.serve(), owner) for host in (one, two))
    order(there, like, "with both")
    until(lambda: is_done("with both"), 120)

    ip("link", "set", cable_of("two"), "down")
    order(here, like, "with one")
    until(lambda: is_done("with one"), 150)
    assert here.get("/batches/").status_code == 200

    ip("link", "set", cable_of("two"), "up")
    until(lambda: is_ready(there.url), 90)
    assert there.get("/batches/").status_code == 200
    for name in ("with both", "with one"):
        batch = Batch.objects.get(name=name)
        assert batch.simulations.filter(status="DONE").count() == batch.ordered == 4
