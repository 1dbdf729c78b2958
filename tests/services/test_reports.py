import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.adapters.test_tau2_results import minimal, written
from tests.engine.test_decontamination import benchmark_task
from tests.factories import (
    judge,
    make_batch,
    make_environment,
    make_owner,
    make_reviewer,
    make_trajectory,
    make_version,
    team_of,
)
from writ_app.models.accounts import User
from writ_app.models.catalog import ReferenceSet, ReferenceTask
from writ_app.models.report import Report, ReportStatus
from writ_app.models.review import ReviewItem, Verdict
from writ_app.models.synthesis import Batch
from writ_app.services.catalog import benchmark_indexes, import_results
from writ_app.services.release import freeze_release
from writ_app.services.reports import making
from writ_app.services.reports.files import html_file, json_file
from writ_app.services.reports.making import (
    NothingToReport,
    make_report,
    order_report,
    waiting_reports,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> User:
    return make_owner()


@pytest.fixture
def batch(owner: User) -> Batch:
    """Three accepted ones, and one rejected."""
    found = make_batch(team=team_of(owner), by=owner)
    for number in range(3):
        make_trajectory(batch=found, number=number)
    make_trajectory(batch=found, number=0, fault="wrong_argument")
    return found


def made(owner: User, **of: Any) -> dict[str, Any]:
    report = order_report(team=team_of(owner), by=owner, **of)
    assert make_report(report_id=report.pk), report.trouble
    report.refresh_from_db()
    assert report.content is not None
    return report.content


class TestAReport:
    def test_of_a_batch_counts_accepted_ones_and_the_share_of_others(
        self, owner: User, batch: Batch
    ) -> None:
        content = made(owner, batch=batch)

        assert content["report"]["observed"] == 4
        assert content["report"]["sizes"]["trajectories"] == 3
        assert content["report"]["cells"]["rate"] == 0.75
        assert content["report"]["origins"]["scripted"] == 3
        assert content["report"]["evidence"]["fully_covered"] == 1.0
        assert dict(content["context"]["funnel"]["stages"])["accepted"] == 3

    def test_of_a_list_is_of_what_its_filters_find(
        self, owner: User, batch: Batch
    ) -> None:
        make_trajectory(batch=make_batch(team=team_of(owner), by=owner))

        content = made(owner, filters={"batch": [batch.pk], "accepted": ["yes"]})

        assert content["report"]["observed"] == 3
        assert content["made_from"]["filters"]["batch"] == [batch.pk]

    def test_of_rejected_ones_alone_counts_these(
        self, owner: User, batch: Batch
    ) -> None:
        content = made(owner, filters={"accepted": ["no"]})

        assert content["report"]["sizes"]["trajectories"] == 1
        assert content["report"]["cells"]["rate"] == 0.0
        assert content["made_from"]["counts_rejected"]

    def test_of_a_release_is_of_its_members(self, owner: User, batch: Batch) -> None:
        row = batch.simulations.first().trajectory
        judge(row, Verdict.APPROVE, owner)
        release = freeze_release(
            team=team_of(owner), name="first", by=owner, at=datetime.now(UTC)
        )

        content = made(owner, release=release)

        assert content["report"]["observed"] == 1
        assert content["made_from"]["release_hash"] == release.content_hash
        assert content["context"]["acceptance"]["looked_at"] == 1

    def test_of_a_reference_set_is_made_by_the_same_code(
        self, owner: User, tmp_path: Path
    ) -> None:
        (reference,) = import_results(root=written(tmp_path, minimal()))

        content = made(owner, reference=reference)

        assert content["report"]["observed"] == 1
        assert content["report"]["trials"]["by_reward"] is False
        assert content["context"] is None
        assert content["report"]["purity"] is None
        assert content["objections"] == []

    def test_beside_a_reference_set_has_both_and_their_distances(
        self, owner: User, batch: Batch, tmp_path: Path
    ) -> None:
        (reference,) = import_results(root=written(tmp_path, minimal()))

        content = made(owner, batch=batch, against=reference)

        assert content["reference"]["hash"] == reference.content_hash
        assert content["reference"]["report"]["observed"] == 1
        assert {one["title"] for one in content["calibration"]["lengths"]} >= {
            "messages",
            "tool calls",
        }

    def test_leaves_canaries_and_other_teams_out(
        self, owner: User, batch: Batch
    ) -> None:
        make_trajectory(team=team_of(make_owner()))
        make_version(of=batch.simulations.first().trajectory, canary="wrong_value")

        assert made(owner, filters={})["report"]["observed"] == 4

    def test_made_twice_of_the_same_is_the_same(
        self, owner: User, batch: Batch
    ) -> None:
        first, second = (made(owner, batch=batch) for _ in range(2))

        assert json.dumps(first) == json.dumps(second)

    def test_takes_as_many_queries_for_more_trajectories(
        self, owner: User, batch: Batch
    ) -> None:
        with CaptureQueriesContext(
            connection,
        ) as few:
            made(owner, batch=batch)
        for number in range(3):
            make_trajectory(batch=batch, number=number)
        with CaptureQueriesContext(connection) as more:
            made(owner, batch=batch)

        assert len(more) <= len(few)

    def test_of_nothing_is_refused(self, owner: User) -> None:
        with pytest.raises(NothingToReport):
            order_report(team=team_of(owner), by=owner, filters={})

        assert not Report.objects.exists()

    def test_finds_what_is_shared_with_an_imported_benchmark(
        self, owner: User, batch: Batch
    ) -> None:
        task = ReviewItem.objects.filter(batch=batch).order_by("pk")[0].task
        write = task.content["gold"][0]["call"]
        planted = benchmark_task(7, actions=[write])
        ReferenceTask.objects.create(
            environment=batch.environment, task_id="7", position=0, content=planted
        )

        (found,) = made(owner, batch=batch)["report"]["purity"]

        assert found["gated"] >= 1
        assert found["benchmark"] == f"tasks of {batch.environment}"

    def test_says_how_far_people_agree(self, owner: User, batch: Batch) -> None:
        rows = [one.trajectory for one in batch.simulations.order_by("pk")[:2]]
        judge(rows[0], Verdict.APPROVE, owner, seconds=30)
        judge(rows[1], Verdict.REJECT, owner, reason="policy", seconds=50)

        people = made(owner, batch=batch)["context"]["reviewers"]

        assert people["verdicts"] == {"APPROVE": 1, "REJECT": 1}
        assert people["overturned"]["count"] == 1
        assert people["overturned"]["of"] == 2
        assert people["seconds"]["median"] == 40
        assert people["agreement"]["alpha"] is None


class TestMaking:
    def test_is_done_by_one_of_two(self, owner: User, batch: Batch) -> None:
        report = order_report(team=team_of(owner), by=owner, batch=batch)
        Report.objects.filter(pk=report.pk).update(
            status=ReportStatus.RUNNING, attempt=1
        )

        assert not make_report(report_id=report.pk)

    def test_takes_over_from_a_worker_that_is_dead(
        self, owner: User, batch: Batch
    ) -> None:
        report = order_report(team=team_of(owner), by=owner, batch=batch)
        Report.objects.filter(pk=report.pk).update(
            status=ReportStatus.RUNNING,
            attempt=1,
            touched_at=timezone.now() - timedelta(minutes=3),
        )

        assert waiting_reports() == [report.pk]
        assert make_report(report_id=report.pk)
        assert waiting_reports() == []

    def test_stops_when_somebody_else_took_over(
        self, owner: User, batch: Batch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        report = order_report(team=team_of(owner), by=owner, batch=batch)
        monkeypatch.setattr(making, "EVERY", 1)

        def take_over() -> None:
            Report.objects.filter(pk=report.pk).update(attempt=9)

        assert not make_report(report_id=report.pk, on_step=take_over)
        report.refresh_from_db()
        assert report.content is None

    def test_that_fails_says_why(
        self, owner: User, batch: Batch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        report = order_report(team=team_of(owner), by=owner, batch=batch)

        def broken(*args: Any, **more: Any) -> Any:
            raise OSError("the disk is full")

        monkeypatch.setattr(making, "measure", broken)

        assert not make_report(report_id=report.pk)
        report.refresh_from_db()
        assert report.status == ReportStatus.FAILED
        assert report.trouble == "OSError: the disk is full"

    def test_without_content_is_not_done_says_the_database(
        self, owner: User, batch: Batch
    ) -> None:
        report = order_report(team=team_of(owner), by=owner, batch=batch)

        with pytest.raises(IntegrityError), transaction.atomic():
            Report.objects.filter(pk=report.pk).update(status=ReportStatus.DONE)


class TestFiles:
    def test_of_json_has_the_hash_of_the_row(self, owner: User, batch: Batch) -> None:
        made(owner, batch=batch)
        report = Report.objects.get()

        text = json_file(report)

        assert hashlib.sha256(text.encode()).hexdigest() == report.content_hash
        assert json.loads(text) == report.content

    def test_of_html_stands_alone(self, owner: User, batch: Batch) -> None:
        made(owner, batch=batch)

        text = html_file(Report.objects.get())

        assert "<script" not in text
        assert "<link" not in text
        assert "src=" not in text
        assert " style=" not in text
        assert "default-src 'none'" in text
        assert 'id="axes"' in text


class TestBenchmarks:
    def test_are_those_of_the_worlds_that_are_asked_for(
        self, owner: User, tmp_path: Path
    ) -> None:
        row = make_environment()
        ReferenceTask.objects.create(
            environment=row, task_id="1", position=0, content=benchmark_task(1)
        )
        here, elsewhere = (ReferenceSet.objects.create(
            name=name, domain="retail", agent="a", user="u", content_hash=name,
            content={}, environment=environment,
        ) for name, environment in (("here", row), ("elsewhere", None)))  # fmt: skip

        found = benchmark_indexes({"retail"}, [here, elsewhere])

        assert set(found) == {f"tasks of {row}", "here"}
        assert benchmark_indexes({"airline"}, [here]) == {}

    def test_sets_of_one_name_are_both_there(self, owner: User) -> None:
        row = make_environment()
        sets = [ReferenceSet.objects.create(
            name="theirs", domain="retail", agent="a", user="u", content_hash=sign * 64,
            content={}, environment=row,
        ) for sign in "ab"]  # fmt: skip

        found = benchmark_indexes({"retail"}, sets)

        assert set(found) == {f"theirs ({sign * 12})" for sign in "ab"}


def test_a_report_is_seen_by_its_team_alone(owner: User, batch: Batch) -> None:
    report = order_report(team=team_of(owner), by=owner, batch=batch)
    colleague = make_reviewer(team=team_of(owner))

    assert Report.objects.visible_to(colleague).get() == report
    assert not Report.objects.visible_to(make_owner()).exists()
