"""Pages of evaluation runs."""

import json
from html import unescape
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from tests import factories
from tests.services.runs import order
from tests.services.runs import run as run_runner
from tests.views.test_hostile_text import HOSTILE
from writ_app.jobs.evaluation import import_results, resume_results
from writ_app.models.accounts import Role
from writ_app.models.curation import SavedView
from writ_app.models.evaluation import (
    EvaluationImport,
    EvaluationImportPart,
    EvaluationRun,
    EvaluationTrial,
    RunStatus,
)
from writ_app.models.synthesis import Batch
from writ_app.services import evaluation

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def batch() -> Batch:
    return order()


@pytest.fixture
def owner(client: Client, batch: Batch) -> Client:
    client.force_login(batch.created_by)
    return client


def member(batch: Batch, role: Role) -> Client:
    client = Client()
    client.force_login(factories.make_member(team=batch.team, role=role))
    return client


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """One entry for each time that workers were woken."""
    found: list[None] = []
    monkeypatch.setattr(
        "writ_app.views.evaluation.send_unfinished_runs.delay",
        lambda: found.append(None),
    )
    return found


def ordered(batch: Batch, script: str = "gold", *, tried: bool = True) -> EvaluationRun:
    run = evaluation.order_run(
        team=batch.team,
        by=batch.created_by,
        name=f"the {script} one",
        tasks=evaluation.batch_set(batch),
        trials=2,
        script=script,
    )
    if tried:
        run_runner(desk=evaluation.TrialDesk())
        run.refresh_from_db()
    return run


def form(batch: Batch, /, **more: Any) -> dict[str, Any]:
    return {
        "name": "Nightly",
        "source": "BATCH",
        "batch": batch.pk,
        "agent": "gold",
        "trials": 2,
        "seed": 300,
        "hard": "4, 7",
        **more,
    }


class TestOrder:
    def test_makes_a_run_and_wakes_workers(
        self, owner: Client, batch: Batch, sent: list[None]
    ) -> None:
        response = owner.post(reverse("evaluation_new"), form(batch))

        run = EvaluationRun.objects.get()
        assert response.headers["Location"] == reverse("evaluation", args=[run.pk])
        assert (run.name, run.script, run.trial_rows.count()) == ("Nightly", "gold", 8)
        assert [one["least"] for one in run.hard] == [4, 7]
        assert len(sent) == 1

    @pytest.mark.parametrize(
        ("more", "words"),
        [
            ({"batch": ""}, "Choose one: these are the tasks."),
            ({"source": "BENCHMARK"}, "Choose one: these are the tasks."),
            ({"agent": "genius"}, "Select a valid choice"),
            ({"trials": 0}, "greater than or equal to 1"),
            ({"hard": "many"}, "Enter a valid value"),
            ({"cells": ["4+/15+"]}, "There is no task in that."),
            ({"cells": ["9/9"]}, "Select a valid choice"),
        ],
    )
    def test_that_cannot_be_made_says_why(
        self, owner: Client, batch: Batch, more: dict[str, Any], words: str
    ) -> None:
        response = owner.post(reverse("evaluation_new"), form(batch, **more))

        assert response.status_code == 422
        assert words in response.content.decode()
        assert not EvaluationRun.objects.exists()

    def test_takes_no_batch_of_another_team(self, owner: Client, batch: Batch) -> None:
        other = factories.make_batch(team=factories.make_team())

        response = owner.post(reverse("evaluation_new"), form(batch, batch=other.pk))

        assert response.status_code == 422

    def test_offers_no_view_that_somebody_keeps_to_themselves(
        self, owner: Client, batch: Batch
    ) -> None:
        colleague = factories.make_owner(team=batch.team)
        view = SavedView.objects.create(team=batch.team, owner=colleague, name="mine")
        asked = form(batch, source="VIEW", view=view.pk)

        assert owner.post(reverse("evaluation_new"), asked).status_code == 422
        page = owner.get(reverse("evaluation_new")).content.decode()
        assert f'<option value="{view.pk}"' not in page

    @pytest.mark.parametrize("role", [Role.VIEWER, Role.REVIEWER, Role.CURATOR])
    def test_is_an_owners_alone(self, batch: Batch, role: Role) -> None:
        client = member(batch, role)

        assert client.get(reverse("evaluation_new")).status_code == 403
        response = client.post(reverse("evaluation_new"), form(batch))

        assert response.status_code == 403
        assert not EvaluationRun.objects.exists()


class TestRun:
    def test_is_shown_to_everybody_in_the_team_and_to_nobody_else(
        self, batch: Batch
    ) -> None:
        run = ordered(batch)
        left, right = run.trial_rows.order_by("pk")[:2]
        addresses = [
            reverse("evaluation", args=[run.pk]),
            reverse("evaluation_trial", args=[left.pk]),
            reverse("evaluation_beside", args=[left.pk, right.pk]),
        ]
        viewer = member(batch, Role.VIEWER)
        stranger = Client()
        stranger.force_login(factories.make_owner(team=factories.make_team()))

        for address in addresses:
            assert viewer.get(address).status_code == 200, address
            assert stranger.get(address).status_code == 404, address
        file = reverse("evaluation_file", args=[run.pk])
        assert viewer.get(file).status_code == 403
        assert member(batch, Role.CURATOR).get(file).status_code == 200
        assert stranger.get(file).status_code == 404
        assert "the gold one" not in stranger.get(reverse("evaluations")).content.decode()  # fmt: skip

    def test_tells_pass_k_and_every_trial(self, owner: Client, batch: Batch) -> None:
        run = ordered(batch, "idle")

        page = owner.get(reverse("evaluation", args=[run.pk])).content.decode()

        assert "pass^2" in page
        assert page.count('class="trial failed"') == 8
        assert "hx-trigger" not in page

    def test_asks_again_while_it_goes_on(self, owner: Client, batch: Batch) -> None:
        run = ordered(batch, tried=False)
        address = reverse("evaluation", args=[run.pk])

        page = owner.get(address).content.decode()
        part = owner.get(address, headers={"HX-Request": "true"}).content.decode()

        assert 'hx-trigger="every 3s"' in page
        assert part.lstrip().startswith('<div class="stack" id="whole"')
        assert "0 / 8" in part

    def test_is_paused_resumed_and_cancelled(
        self, owner: Client, batch: Batch, sent: list[None]
    ) -> None:
        run = ordered(batch, tried=False)
        for act, status in (
            ("pause", RunStatus.PAUSED),
            ("resume", RunStatus.RUNNING),
            ("cancel", RunStatus.CANCELLED),
        ):
            owner.post(reverse(f"evaluation_{act}", args=[run.pk]))
            run.refresh_from_db()
            assert run.status == status
        assert sent

    @pytest.mark.parametrize("act", ["pause", "resume", "retry", "cancel"])
    def test_is_changed_by_owners_alone(self, batch: Batch, act: str) -> None:
        run = ordered(batch, tried=False)

        response = member(batch, Role.CURATOR).post(
            reverse(f"evaluation_{act}", args=[run.pk])
        )

        assert response.status_code == 403
        run.refresh_from_db()
        assert run.status == RunStatus.RUNNING

    def test_is_taken_away_as_a_results_file(self, owner: Client, batch: Batch) -> None:
        run = ordered(batch)

        response = owner.get(reverse("evaluation_file", args=[run.pk]))

        held = json.loads(b"".join(response.streaming_content))  # type: ignore[attr-defined]
        assert len(held["simulations"]) == 8
        assert "attachment" in response.headers["Content-Disposition"]
        address = reverse("evaluation_file", args=[run.pk])
        assert owner.get(address, {"domain": "moon"}).status_code == 404


class TestCompare:
    def test_shows_the_difference_and_every_task(
        self, owner: Client, batch: Batch
    ) -> None:
        left, right = ordered(batch, "idle"), ordered(batch)
        asked = {"left": left.pk, "right": right.pk}

        page = owner.get(reverse("evaluation_compare"), asked).content.decode()

        assert "+100.0" in page
        assert page.count(">side by side</a>") == 4

    def test_begins_with_the_run_that_was_come_from(
        self, owner: Client, batch: Batch
    ) -> None:
        run = ordered(batch, tried=False)

        response = owner.get(reverse("evaluation_compare"), {"left": run.pk})

        assert response.status_code == 200
        assert f'<option value="{run.pk}" selected>' in response.content.decode()

    def test_takes_no_run_of_another_team(self, batch: Batch) -> None:
        run = ordered(batch, tried=False)
        stranger = Client()
        stranger.force_login(factories.make_owner(team=factories.make_team()))

        response = stranger.get(
            reverse("evaluation_compare"), {"left": run.pk, "right": run.pk}
        )

        assert response.status_code == 422

    def test_lays_no_trials_of_different_tasks_side_by_side(
        self, owner: Client, batch: Batch
    ) -> None:
        run = ordered(batch)
        first = run.trial_rows.order_by("pk")[0]
        other = run.trial_rows.exclude(task=first.task).order_by("pk")[0]

        response = owner.get(reverse("evaluation_beside", args=[first.pk, other.pk]))

        assert response.status_code == 404


def test_what_models_say_is_shown_and_never_run(owner: Client, batch: Batch) -> None:
    run = ordered(batch)
    trial = run.trial_rows.order_by("pk")[0]
    messages = [*trial.messages, {"role": "assistant", "content": HOSTILE}]
    EvaluationTrial.objects.filter(pk=trial.pk).update(
        messages=messages, finding=HOSTILE, failure="policy", owner="agent"
    )

    page = owner.get(reverse("evaluation_trial", args=[trial.pk])).content.decode()

    assert "<script>alert" not in page
    assert "&lt;script" in page


class TestImport:
    @pytest.fixture
    def queued(self, monkeypatch: pytest.MonkeyPatch) -> list[int]:
        """Keys of uploads that a worker was sent for."""
        found: list[int] = []
        monkeypatch.setattr(
            import_results, "delay", lambda *, import_id: found.append(import_id)
        )
        return found

    @staticmethod
    def upload(owner: Client, content: bytes) -> Any:
        file = SimpleUploadedFile("theirs.json", content)
        return owner.post(reverse("evaluation_import"), {"file": file, "name": "Mine"})

    def test_of_a_results_file_makes_a_run_that_is_scored_anew(
        self, owner: Client, batch: Batch, queued: list[int]
    ) -> None:
        told = json.loads("".join(evaluation.export_run(ordered(batch))))
        # Values that no column holds, and a reward that is not so.
        told["info"]["seed"] = told["simulations"][0]["seed"] = 2**70
        told["simulations"][0]["start_time"] = "yesterday"
        told["simulations"][0]["reward_info"]["reward"] = 0.0
        content = json.dumps(told).encode()

        for _ in range(2):
            assert self.upload(owner, content).status_code == 302
            import_results(import_id=queued[-1])

        run = EvaluationRun.objects.get(source="FILE")
        assert (run.name, run.seed, run.status) == ("Mine", 0, RunStatus.DONE)
        first = run.trial_rows.get(task__position=0, trial=0)
        assert (first.reward, first.recorded_reward) == (1.0, 0.0)
        again, one = EvaluationImport.objects.all().order_by("-pk")
        assert (one.status, one.run, one.rows) == ("DONE", run, 8)
        assert (again.run, again.trouble) == (run, "This file was here before.")
        assert not EvaluationImportPart.objects.exists()
        page = owner.get(reverse("evaluations")).content.decode()
        assert reverse("evaluation", args=[run.pk]) in page

    @pytest.mark.parametrize(
        ("content", "why"),
        [
            (b"{}", "theirs.json, $: "),
            (b"not JSON", "theirs.json, $: "),
            (b"\x89PNG\r\n", "theirs.json, $: "),
        ],
    )
    def test_of_another_file_says_why_not_and_leaves_nothing(
        self, owner: Client, queued: list[int], content: bytes, why: str
    ) -> None:
        self.upload(owner, content)

        import_results(import_id=queued[0])

        row = EvaluationImport.objects.get()
        assert row.status == "FAILED"
        assert row.trouble.startswith(why)
        assert row.trouble in unescape(owner.get(reverse("evaluations")).content.decode())  # fmt: skip
        assert not EvaluationRun.objects.exists()
        assert not EvaluationImportPart.objects.exists()

    def test_that_brings_something_unthought_of_is_not_taken_up_again(
        self, owner: Client, queued: list[int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(**given: Any) -> None:
            raise KeyError("secret detail")

        monkeypatch.setattr("writ_app.services.evaluation.uploads.import_run", broken)
        self.upload(owner, b"{}")

        import_results(import_id=queued[0])
        resume_results()

        row = EvaluationImport.objects.get()
        assert row.status == "FAILED"
        assert "secret" not in row.trouble
        assert len(queued) == 1

    def test_of_too_much_or_nothing_is_refused_at_once(
        self, owner: Client, settings: Any
    ) -> None:
        settings.UPLOAD_BYTES = 10

        large, empty = self.upload(owner, b"x" * 11), self.upload(owner, b"")

        assert (large.status_code, empty.status_code) == (422, 422)
        assert "manage.py evaluate --import" in large.content.decode()
        assert not EvaluationImport.objects.exists()
