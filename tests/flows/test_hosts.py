"""Two hosts that share Postgres and a broker, and nothing else: what one keeps the other finds."""

import hashlib
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from django.conf import settings
from pytest_django.plugin import DjangoDbBlocker

from tests.factories import judge, make_batch, make_owner, make_trajectory, team_of
from tests.flows.hosts import Host, Person, Site, commands, order, site_at, until
from writ_app.models import clock
from writ_app.models.catalog import ReferenceImport
from writ_app.models.report import Report
from writ_app.models.review import Verdict
from writ_app.models.synthesis import Batch
from writ_app.services.release import freeze_release

TOKEN = "a-token-of-some-length"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker
) -> Iterator[Site]:
    with django_db_blocker.unblock(), site_at(tmp_path_factory.mktemp("site")) as site:
        site.servers.env["WRIT_METRICS_TOKEN"] = TOKEN
        yield site


def test_two_hosts_do_one_sites_work_and_keep_no_file(site: Site) -> None:
    owner = make_owner(name="owner")
    team = team_of(owner)
    judged = make_batch(team=team, by=owner)
    for number in range(3):
        judge(make_trajectory(batch=judged, number=number), Verdict.APPROVE, owner)
    hosts = [site.host("a"), site.host("b")]
    for host in hosts:
        host.start("worker")
        host.start("runner")
    hosts[0].start("beat")
    here, there = (Person(host.serve(), owner) for host in hosts)
    site.wait_for_workers(4)

    # Nobody makes reports yet: what waits for that holds up neither designs nor simulations.
    here.post("/reports/order/", {"batch": judged.pk})
    upload(here)
    order(there, judged, "from the other host")
    ordered = Batch.objects.exclude(pk=judged.pk).get()
    until(lambda: is_done(ordered), 120, "the batch that the other host ordered")
    assert Report.objects.get().status == "WAITING"
    assert ReferenceImport.objects.get().status == "WAITING"

    # One host makes them, and both show them.
    hosts[1].start("archivist")
    until(lambda: Report.objects.get().status == "DONE", 90, "the report")
    until(lambda: ReferenceImport.objects.get().status == "DONE", 90, "the import")
    report = f"/reports/{Report.objects.get().pk}/report.json"
    assert here.get(report).content == there.get(report).content != b""

    frozen = freeze_release(team=team, name="set", by=owner, at=clock.now())
    files = f"/releases/{frozen.pk}/files.zip"
    assert names_and_digests(here.get(files)) == names_and_digests(there.get(files))
    for host in hosts:
        assert files_of(host) == [], "a host kept what the other one does not see"


def upload(person: Person) -> None:
    line = b'{"messages":[{"role":"user","content":"Hello"},{"role":"assistant","content":"Good day"}]}\n'
    answer = person.post(
        "/references/new/", {"name": "Mine"}, files={"file": ("a.jsonl", line)}
    )
    assert answer.status_code == 302, answer.text


def is_done(batch: Batch) -> bool:
    batch.refresh_from_db()
    return batch.status == "DONE"


def names_and_digests(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 200
    with zipfile.ZipFile(io.BytesIO(answer.content)) as files:
        return {
            name: hashlib.sha256(files.read(name)).hexdigest()
            for name in files.namelist()
        }


def files_of(host: Host) -> list[Path]:
    return [path for path in host.var.rglob("*") if path.is_file()]


class TestQueues:
    def test_every_kind_of_job_has_one_that_a_service_of_compose_works_on(self) -> None:
        from writ_app.celery import app

        worked_on = {
            queue
            for command in commands().values()
            if "--queues" in command
            for queue in command[command.index("--queues") + 1].split(",")
        }
        app.loader.import_default_modules()
        jobs = [name for name in app.tasks if name.startswith("writ_app.")]
        routes = {name: app.amqp.router.route({}, name)["queue"].name for name in jobs}

        assert worked_on == set(settings.CELERY_TASK_QUEUES)
        assert set(routes.values()) == worked_on
        assert set(settings.CELERY_TASK_ROUTES) <= set(jobs)

    def test_what_simulates_does_nothing_else(self) -> None:
        runner = commands()["runner"]

        assert runner[runner.index("--queues") + 1] == "simulations"
        others = [command for name, command in commands().items() if name != "runner"]
        assert not any("simulations" in word for command in others for word in command)


def test_all_processes_of_a_web_server_count_together(site: Site) -> None:
    # Two that answer and the one that started them, however many cores there are.
    url = site.host("counted", WEB_CONCURRENCY="2").serve()
    site.host("counting").start("archivist")
    person = Person(url, make_owner(name="curious"))

    def told() -> dict[str, float]:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        answer = httpx.get(f"{url}/metrics", headers=headers, timeout=60)
        lines = [line for line in answer.text.splitlines() if line[0] != "#"]
        return {
            name: float(value)
            for name, _, value in (line.rpartition(" ") for line in lines)
        }

    for _ in range(20):
        assert person.get("/reports/").status_code == 200

    # Whichever process is asked, it tells of all requests, and of all processes.
    series = 'writ_requests_total{method="GET",status="200",view="reports"}'
    assert {told()[series] for _ in range(10)} == {20.0}
    found = told()
    assert found["writ_web_processes"] == 3
    assert 3e7 < found["writ_web_memory_bytes"] < 1e9
    assert 0 < found['writ_request_queries_sum{view="reports"}'] < 20 * 30
    memory = 'writ_worker_memory_bytes{worker="archivist-counting@'
    until(lambda: any(name.startswith(memory) for name in told()), 60, "the worker")
    report = 'writ_jobs_total{job="reports.make_report",outcome="success"}'
    before = told().get(report, 0)
    batch = make_batch(team=team_of(make_owner(name="asking")))
    make_trajectory(batch=batch, number=9)
    Person(url, batch.created_by).post("/reports/order/", {"batch": batch.pk})
    until(lambda: told().get(report, 0) == before + 1, 60, "the job")
