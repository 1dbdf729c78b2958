import json
import os
import signal
import subprocess
import sys
import time
from io import StringIO
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from tests.factories import make_version
from tests.stored_batches import play_batch
from writ_app.adapters.embedded.services import Services
from writ_app.engine import verification
from writ_app.engine.types import Check, Owner
from writ_app.engine.verification.trace import Trace
from writ_app.models.synthesis import Batch, Trajectory
from writ_app.models.verification import Judgement, Reverification
from writ_app.services.synthesis import verifying

pytestmark = pytest.mark.django_db(transaction=True)


def run(*words: object) -> str:
    out = StringIO()
    call_command("reverify", *map(str, words), stdout=out)
    return out.getvalue()


def check_nothing_asked(trace: Trace) -> Check:
    """A check that rejects whatever an R5 asks for."""
    asked = trace.task.archetype == "R5"
    owner = Owner.AGENT if asked else None
    return Check(name="asked", passed=not asked, finding="It asked.", owner=owner)


@pytest.fixture
def batch() -> Batch:
    return play_batch(ordered=4)


@pytest.fixture
def next_version(batch: Batch, monkeypatch: pytest.MonkeyPatch) -> str:
    checks = (*verification.CHECKS, check_nothing_asked)
    monkeypatch.setattr(verification, "CHECKS", checks)
    monkeypatch.setattr(verification, "VERSION", "next")
    return "next"


def multiply(batch: Batch, times: int) -> None:
    """Each simulation of the batch so many times more, with what came of it."""
    rows = list(Trajectory.objects.select_related("simulation"))
    for n in range(times):
        for row in rows:
            simulation = row.simulation
            simulation.pk, simulation.seed = None, simulation.seed + 10_000 + n
            simulation.save()
            row.pk, row.simulation = None, simulation
            row.save()


def grow_old() -> int:
    """As if everything had been judged by an older version, and nothing by this one; how much that is."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE writ_app_judgement")
        cursor.execute(
            "UPDATE writ_app_trajectory SET verification ="
            " jsonb_set(verification::jsonb, '{version}', '\"old\"')::json"
        )
        return int(cursor.rowcount)


def kill_in_the_middle(batch: Batch) -> None:
    """Start the command as a process of its own and kill it after its first lot."""
    url = os.environ.get("DATABASE_URL") or settings.EMBEDDED.database_url
    name = str(connection.settings_dict["NAME"])
    process = subprocess.Popen(
        [sys.executable, "manage.py", "reverify", "--batch", str(batch.pk)],
        cwd=settings.BASE_DIR,
        env={
            **os.environ,
            "DATABASE_URL": urlsplit(url)._replace(path=f"/{name}").geturl(),
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(3_000):
            if Reverification.objects.filter(verified__gt=0).exists():
                break
            assert process.poll() is None
            time.sleep(0.01)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


class TestReverify:
    def test_says_what_changed(self, batch: Batch, next_version: str) -> None:
        before = Trajectory.objects.first().version
        third, fourth = Trajectory.objects.filter(
            simulation__task__archetype="R5"
        ).values_list("pk", flat=True)

        printed = run("--batch", batch.pk)

        assert printed == (
            f"Batch {batch.pk}: 4 verified by version next.\n"
            f"  Against version {before}: 2 the same, 2 newly rejected, 0 newly accepted, 2 changed in all.\n"
            f"       2  accepted → asked   trajectories {third}, {fourth}\n"
        )

    def test_judges_edited_versions_and_says_what_turned(
        self, batch: Batch, next_version: str
    ) -> None:
        asked = Trajectory.objects.filter(simulation__task__archetype="R5").first()
        version = make_version(of=asked, by=batch.created_by, reason="clearer")

        printed = run("--batch", batch.pk)

        assert (
            f"With content of their own: 1 verified, 1 newly rejected ({version.pk}), 0 newly accepted."
            in printed
        )
        (report,) = json.loads(run("--batch", batch.pk, "--json"))
        assert report["versions"]["verified"] == 0

    def test_gives_the_same_as_json(self, batch: Batch, next_version: str) -> None:
        (report,) = json.loads(run("--all", "--json"))

        assert report["batch"] is None
        assert (report["verified"], report["changed"], report["same"]) == (4, 2, 2)
        (change,) = report["changes"]
        assert change["now"] == {"accepted": False, "reason": "asked", "owner": "agent"}
        assert change["count"] == len(change["examples"]) == 2
        assert report["approved_now_rejected"] == {"count": 0, "examples": []}
        assert report["released_now_rejected"] == {}

    def test_cut_off_goes_on_where_it_stopped(
        self, batch: Batch, next_version: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(verifying, "AT_ONCE", 1)
        judge, seen = verifying._judge, []

        def cut_off(row: Trajectory) -> None:
            if len(seen) == 2:
                raise KeyboardInterrupt
            seen.append(row.pk)
            judge(row)

        with monkeypatch.context() as patch:
            patch.setattr(verifying, "_judge", cut_off)
            with pytest.raises(KeyboardInterrupt):
                run("--batch", batch.pk)
        assert Reverification.objects.get().verified == 2

        assert run("--batch", batch.pk).startswith(f"Batch {batch.pk}: 4 verified")
        assert run("--batch", batch.pk).startswith(f"Batch {batch.pk}: nothing to do")

    @pytest.mark.slow
    def test_killed_outright_goes_on_and_does_nothing_twice(
        self, batch: Batch, embedded_services: Services
    ) -> None:
        multiply(batch, 40)
        total = grow_old()

        kill_in_the_middle(batch)

        order = Reverification.objects.get()
        assert 0 < order.verified < total
        assert order.finished_at is None
        judged = Judgement.objects.filter(version=verification.VERSION)
        assert judged.count() == order.verified
        assert run("--batch", batch.pk).startswith(
            f"Batch {batch.pk}: {total} verified"
        )
        assert judged.count() == total
        assert Judgement.objects.filter(version="old").count() == total

    def test_without_another_version_has_nothing_to_compare(self, batch: Batch) -> None:
        assert "nothing to compare" in run("--batch", batch.pk)

    def test_says_what_is_not_there(self, batch: Batch) -> None:
        with pytest.raises(CommandError, match="There is no batch 0"):
            run("--batch", 0)
        with pytest.raises(CommandError, match="required"):
            run()
