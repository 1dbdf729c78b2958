"""Evaluation runs over HTTP: ordered, looked at page by page, told apart from those of others, brought in from files."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.api.client import Program
from tests.factories import make_batch, make_owner, make_trajectory, team_of
from writ_app.jobs.evaluation import import_results
from writ_app.models.evaluation import EvaluationImport, EvaluationRun, EvaluationTrial
from writ_app.models.synthesis import ModelEndpoint

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make_owner(name="ada")


@pytest.fixture
def batch(owner):
    batch = make_batch(team=team_of(owner), by=owner)
    for number in range(2):
        make_trajectory(batch=batch, number=number)
    return batch


@pytest.fixture
def program(owner):
    return Program(owner)


def order(program, batch, **more):
    body = {"name": "nightly", "source": "batch", "batch": batch.pk, **more}
    return program.ask("post", "evaluations", body)


class TestAnOrder:
    def test_is_pinned_with_a_row_for_each_trial(self, program, batch):
        told = order(program, batch, script="gold", trials=3, hard=[2, 9]).json()

        run = EvaluationRun.objects.get()
        assert (told["id"], told["status"], told["trials"]) == (run.pk, "running", 3)
        assert [one["least"] for one in told["hard"]] == [2, 9]
        assert told["progress"]["pending"] == run.trial_rows.count() == 6
        assert told["tasks_hash"] == run.tasks_hash

    def test_is_of_a_model_or_a_script_and_of_ones_own(self, program, batch):
        theirs = make_batch(team=team_of(make_owner()))
        model = ModelEndpoint.objects.create(
            team=theirs.team, name="theirs", model="openai/x"
        )

        for wanted in (
            order(program, batch),
            order(program, batch, script="gold", agent=model.pk),
            order(program, batch, agent=model.pk),
            order(program, theirs, script="gold"),
            order(program, batch, script="gold", tasks=["a,b"]),
            order(program, batch, script="gold", source="view"),
        ):
            assert wanted.status_code == 422, wanted.content
        assert not EvaluationRun.objects.exists()


class TestARun:
    def test_is_gone_through_page_by_page(self, program, batch):
        run = order(program, batch, script="gold", trials=2).json()["id"]

        for what, whole in (("tasks", 2), ("trials", 4)):
            found, query = [], {"limit": "1"}
            while query:
                told = program.ask("get", f"evaluations/{run}/{what}", query=query)
                found += told.json()["items"]
                after = told.json()["cursor"]
                query = after and {"limit": "1", "after": after}
            assert len({json.dumps(one) for one in found}) == len(found) == whole

    def test_shows_what_was_said_as_it_was_said(self, program, batch):
        run = order(program, batch, script="gold", trials=1).json()["id"]
        row = EvaluationTrial.objects.earliest("pk")
        row.status, row.reward_without = "DONE", 1.0
        row.messages = [{"role": "user", "content": "<script>alert(1)</script>"}]
        row.save()

        answer = program.ask("get", f"evaluations/trials/{row.pk}")

        assert answer.headers["Content-Type"] == "application/json"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.json()["messages"] == row.messages
        assert answer.json()["run"] == run

    def test_is_compared_with_what_was_asked_alike(self, program, batch):
        left = order(program, batch, script="gold").json()["id"]
        right = order(program, batch, script="idle").json()["id"]
        other = make_batch(team=batch.team, by=batch.created_by)
        make_trajectory(batch=other, number=3)
        elsewhere = order(program, other, script="gold").json()["id"]

        def beside(one, two):
            query = {"left": str(one), "right": str(two)}
            return program.ask("get", "evaluations/compare", query=query)

        assert beside(left, right).json()["common"] == 2
        assert beside(left, elsewhere).status_code == 409
        assert beside(left, 10**9).status_code == 404


class TestAResultsFile:
    def test_waits_for_a_worker_who_says_why_it_is_none(self, program, owner):
        file = SimpleUploadedFile("../theirs.json", b"{}")
        body = {"file": file, "name": "Theirs"}

        sent = program.ask("post", "evaluations/imports", body, multipart=True)
        row = EvaluationImport.objects.get()
        import_results(import_id=row.pk)

        assert sent.status_code == 201
        assert sent.json()["status"] == "waiting"
        told = program.ask("get", f"evaluations/imports/{row.pk}").json()
        assert (told["status"], told["evaluation"]) == ("failed", None)
        assert told["trouble"].startswith("theirs.json, $: ")
