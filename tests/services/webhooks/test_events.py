"""What is told of, by whoever does it, in the transaction that does it."""

import json
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone

from tests.factories import judge, make_batch, make_owner, make_trajectory, team_of
from writ_app.models.release import PushStage, ReleasePush
from writ_app.models.report import Report, ReportStatus
from writ_app.models.review import Verdict
from writ_app.models.synthesis import BatchStatus
from writ_app.models.webhooks import WebhookDelivery
from writ_app.services import evaluation
from writ_app.services.catalog.uploads import keep_upload, run_import
from writ_app.services.evaluation.control import finish_run_if_done
from writ_app.services.release import freeze_release
from writ_app.services.release.pushing import stop_push
from writ_app.services.reports import making
from writ_app.services.synthesis.control import finish_batch_if_done
from writ_app.services.webhooks import Event
from writ_app.services.webhooks.keeping import make_webhook

pytestmark = pytest.mark.django_db
CHAT = {
    "messages": [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Good day"},
    ]
}


@pytest.fixture
def owner():
    owner = make_owner()
    make_webhook(
        team=team_of(owner),
        by=owner,
        name="all",
        url="https://hooks.example/",
        events=list(Event),
    )
    return owner


def told():
    """Events and their data, in their order."""
    rows = WebhookDelivery.objects.order_by("pk").values_list("event", "payload")
    return [(event, json.loads(payload)["data"]) for event, payload in rows]


def names():
    return [event for event, _ in told()]


class TestABatch:
    def test_that_is_finished_is_told_once(self, owner):
        batch = make_batch(team=team_of(owner), by=owner, status="RUNNING")

        finish_batch_if_done(batch_id=batch.pk)
        finish_batch_if_done(batch_id=batch.pk)

        [(event, data)] = told()
        assert event == "batch.finished"
        assert data == {
            "team": team_of(owner).pk,
            "batch": batch.pk,
            "name": batch.name,
        }

    def test_is_not_finished_if_it_cannot_be_told(self, owner, monkeypatch):
        from writ_app.services.synthesis import control

        def broken(*args, **kwargs):
            raise RuntimeError

        monkeypatch.setattr(control, "announce", broken)
        batch = make_batch(team=team_of(owner), by=owner, status="RUNNING")

        with pytest.raises(RuntimeError), transaction.atomic():
            finish_batch_if_done(batch_id=batch.pk)

        batch.refresh_from_db()
        assert batch.status == BatchStatus.RUNNING


class TestAReport:
    def test_that_is_made_is_told(self, owner):
        batch = make_batch(team=team_of(owner), by=owner)
        make_trajectory(batch=batch)
        report = making.order_report(team=team_of(owner), by=owner, batch=batch)

        assert making.make_report(report_id=report.pk)

        assert told() == [
            (
                "report.done",
                {
                    "team": team_of(owner).pk,
                    "report": report.pk,
                    "title": report.title,
                },
            )
        ]

    def test_that_cannot_be_made_is_told(self, owner, monkeypatch):
        def broken(*args, **kwargs):
            raise ValueError("no")

        monkeypatch.setattr(making, "build_content", broken)
        batch = make_batch(team=team_of(owner), by=owner)
        make_trajectory(batch=batch)
        report = making.order_report(team=team_of(owner), by=owner, batch=batch)

        assert not making.make_report(report_id=report.pk)

        assert Report.objects.get().status == ReportStatus.FAILED
        assert names() == ["report.failed"]


class TestAReferenceFile:
    def test_is_told_when_it_came_in_and_when_it_was_refused(self, owner):
        for name, text in (("good", json.dumps(CHAT)), ("bad", "{}")):
            file = ContentFile(text.encode(), f"{name}.jsonl")
            upload = keep_upload(team=team_of(owner), by=owner, file=file)
            run_import(import_id=upload.pk, at=timezone.now())

        (first, came), (second, refused) = told()
        assert (first, second) == ("reference.imported", "reference.import_failed")
        assert (came["file"], came["rows"]) == ("good.jsonl", 1)
        assert came["reference_set"]
        assert refused["file"] == "bad.jsonl"


class TestARelease:
    def test_is_told_when_it_is_frozen_and_when_its_push_stops(self, owner):
        team = team_of(owner)
        row = make_trajectory(batch=make_batch(team=team, by=owner))
        judge(row, Verdict.APPROVE, owner)
        frozen = freeze_release(
            team=team, name="first", by=owner, at=timezone.now() + timedelta(seconds=1)
        )
        push = ReleasePush.objects.create(
            release=frozen,
            created_by=owner,
            repository="ada/first",
            branch="main",
            private=True,
            stage=PushStage.SENDING,
        )

        stop_push(push_id=push.pk, why="It broke off.")
        stop_push(push_id=push.pk, why="It broke off.")

        (first, data), (second, stopped) = told()
        assert (first, second) == ("release.frozen", "release.push_failed")
        assert data["content_hash"] == frozen.content_hash
        assert (stopped["release"], stopped["push"]) == (frozen.pk, push.pk)


class TestAnEvaluationRun:
    def test_that_is_finished_is_told_once(self, owner):
        team = team_of(owner)
        batch = make_batch(team=team, by=owner)
        make_trajectory(batch=batch)
        run = evaluation.order_run(
            team=team,
            by=owner,
            name="gold",
            tasks=evaluation.batch_set(batch),
            trials=1,
            script="gold",
        )
        finish_run_if_done(run_id=run.pk)
        assert told() == []
        run.trial_rows.update(status="CANCELLED")

        finish_run_if_done(run_id=run.pk)
        finish_run_if_done(run_id=run.pk)

        [(event, data)] = told()
        assert event == "evaluation.finished"
        assert data["run"] == run.pk
