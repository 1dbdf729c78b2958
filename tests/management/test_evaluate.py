"""`manage.py evaluate` on the real database, with a real worker where something is tried."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.services.runs import order
from tests.services.runs import run as run_runner
from writ_app.jobs import evaluation as jobs
from writ_app.management.commands import evaluate as command
from writ_app.models.evaluation import EvaluationRun, RunStatus
from writ_app.models.synthesis import Batch
from writ_app.services import evaluation

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def batch() -> Batch:
    return order()


def run(*words: object) -> str:
    """What is printed."""
    out = StringIO()
    call_command("evaluate", *map(str, words), stdout=out, stderr=StringIO())
    return out.getvalue()


def refused(*words: object) -> CommandError:
    with pytest.raises(CommandError) as error:
        run(*words)
    return error.value


def tried(batch: Batch, script: str) -> EvaluationRun:
    made = evaluation.order_run(
        team=batch.team,
        by=batch.created_by,
        name=script,
        tasks=evaluation.batch_set(batch),
        trials=2,
        script=script,
    )
    run_runner(desk=evaluation.TrialDesk())
    return made


class TestOrder:
    def test_is_seen_through_by_the_workers(
        self, batch: Batch, celery_worker_process: Any
    ) -> None:
        found = json.loads(
            run("--batch", batch.pk, "--agent", "gold", "--trials", 2, "--json")
        )

        assert found["status"] == RunStatus.DONE
        assert found["readings"]["with"]["pass"] == [1.0, 1.0]
        assert found["trials"] == 8

    def test_can_be_left_to_others(self, batch: Batch) -> None:
        printed = run(
            *("--batch", batch.pk, "--agent", "idle", "--hard", "3,9", "--detach")
        )

        made = EvaluationRun.objects.get()
        assert f"--watch {made.pk}" in printed
        assert [one["least"] for one in made.hard] == [3, 9]
        assert made.trials == command.TRIALS

    @pytest.mark.parametrize(
        ("words", "told"),
        [
            ([], "Say who is evaluated"),
            (["--agent", "gold"], "No benchmark was imported"),
            (["--agent", "nobody", "--batch", 1], "There is no endpoint 'nobody'"),
            (["--agent", "gold", "--batch", 99], "There is no batch 99"),
            (["--agent", "gold", "--release", 99], "There is no release 99"),
            (["--agent", "gold", "--view", 99], "There is no view 99"),
            (["--agent", "gold", "--batch", 1, "--hard", "x"], "no list of burdens"),
            (["--agent", "gold", "--batch", 1, "--cells", "9/9"], "is no cell"),
            (["--agent", "gold", "--batch", 1, "--trials", 0], "1 to 64 times"),
            (["--watch", 99], "There is no run 99"),
            (["--compare", 98, 99], "There is no run 98"),
        ],
    )
    def test_that_cannot_be_made_says_why(
        self, batch: Batch, words: list[object], told: str
    ) -> None:
        named = [batch.pk if word == 1 else word for word in words]

        error = refused(*named)

        assert error.returncode == command.BAD_ORDER
        assert told in str(error)
        assert not EvaluationRun.objects.exists()

    def test_that_was_stopped_is_incomplete(self, batch: Batch) -> None:
        run("--batch", batch.pk, "--agent", "gold", "--detach")
        made = EvaluationRun.objects.get()
        evaluation.pause_run(run=made)

        with pytest.raises(SystemExit) as ended:
            run("--watch", made.pk)

        assert ended.value.code == command.INCOMPLETE

    def test_can_be_cancelled(
        self, batch: Batch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # Nobody works on it: a worker would be done with some trials before they are cancelled.
        monkeypatch.setattr(jobs.run_trials, "delay", lambda: None)
        run("--batch", batch.pk, "--agent", "gold", "--detach")
        made = EvaluationRun.objects.get()

        run("--cancel", made.pk)

        made.refresh_from_db()
        assert made.status == RunStatus.CANCELLED
        assert set(made.trial_rows.values_list("status", flat=True)) == {"CANCELLED"}


class TestCompare:
    def test_tells_the_difference_in_words_and_as_json(self, batch: Batch) -> None:
        left, right = tried(batch, "idle"), tried(batch, "gold")

        printed = run("--compare", left.pk, right.pk)
        found = json.loads(run("--compare", left.pk, right.pk, "--json"))

        assert "right better on 4, left on 0" in printed
        assert "+100.0" in printed
        assert found["readings"]["with"]["pass"][0]["difference"]["mean"] == 1.0


class TestFiles:
    def test_are_written_and_read(self, batch: Batch, tmp_path: Path) -> None:
        made = tried(batch, "gold")
        path = tmp_path / "results.json"

        run("--export", made.pk, "--output", path)
        printed = run("--import", path, "--name", "from a file")

        assert "from a file" in printed
        assert "pass^1 100.0 %" in printed
        assert EvaluationRun.objects.count() == 2

    def test_that_are_none_are_refused(self, batch: Batch, tmp_path: Path) -> None:
        path = tmp_path / "results.json"
        path.write_text("[]")

        error = refused("--import", path)

        assert error.returncode == command.BAD_ORDER
        assert "must hold one JSON object" in str(error)
