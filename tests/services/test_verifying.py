"""Judging again: what is kept, what moves, what a killed worker loses, and what rests on a judgement that moved."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from tests.stored_batches import STARTED, play_batch
from writ_app.engine import verification
from writ_app.engine.types import Check, Owner
from writ_app.engine.verification.trace import Trace
from writ_app.models.catalog import Environment
from writ_app.models.release import ReleaseMember
from writ_app.models.review import ItemStatus, ReviewItem, Verdict
from writ_app.models.synthesis import Batch, Trajectory
from writ_app.models.verification import Judgement, Reverification
from writ_app.services.release import (
    CannotRelease,
    draft_release,
    freeze_release,
    released_but_rejected,
)
from writ_app.services.review import count_queue, lease_next, submit_verdict
from writ_app.services.synthesis import verifying

pytestmark = pytest.mark.django_db


def check_brevity(trace: Trace) -> Check:
    """A check of the next version: an R1 is too much to ask."""
    asked = trace.task.archetype == "R1"
    return Check(
        name="brevity",
        passed=not asked,
        finding="It was too long." if asked else "It was short.",
        owner=Owner.AGENT if asked else None,
    )


@pytest.fixture
def batch() -> Batch:
    return play_batch(ordered=4, faults=["wrong_argument"])


@pytest.fixture
def next_version(monkeypatch: pytest.MonkeyPatch) -> str:
    return new_version(monkeypatch, "next")


def new_version(monkeypatch: pytest.MonkeyPatch, name: str) -> str:
    checks = (*verification.CHECKS, check_brevity)
    monkeypatch.setattr(verification, "CHECKS", checks)
    monkeypatch.setattr(verification, "VERSION", name)
    return name


def order(batch: Batch) -> Reverification:
    return verifying.order_reverification(team=batch.team, batch=batch)


def judge_again(batch: Batch) -> Reverification:
    made = order(batch)
    list(verifying.reverify(order_id=made.pk))
    made.refresh_from_db()
    return made


def reasons(batch: Batch) -> list[str]:
    rows = Trajectory.objects.filter(simulation__batch=batch).order_by("pk")
    return list(rows.values_list("reason", flat=True))


def approve_all(batch: Batch) -> None:
    user = batch.created_by
    while slot := lease_next(user=user, at=STARTED):
        submit_verdict(
            slot=slot,
            token=slot.token,
            reviewer=user,
            verdict=Verdict.APPROVE,
            at=STARTED,
        )


class TestReverify:
    def test_judges_everything_by_the_new_version_and_keeps_what_was_said(
        self, batch: Batch, next_version: str
    ) -> None:
        before = dict(Judgement.objects.values_list("trajectory_id", "content"))
        assert reasons(batch) == ["writes", "", "", ""]

        done = judge_again(batch)

        assert (done.total, done.verified, done.skipped) == (4, 4, {})
        assert done.finished_at is not None
        assert reasons(batch) == ["writes", "", "brevity", ""]
        assert set(Trajectory.objects.values_list("version", flat=True)) == {"next"}
        kept = Judgement.objects.exclude(version="next")
        assert dict(kept.values_list("trajectory_id", "content")) == before
        for row in Trajectory.objects.all():
            filed = row.judgements.get(version="next")
            assert (filed.content, filed.reason) == (row.verification, row.reason)

    def test_has_nothing_to_do_a_second_time(
        self, batch: Batch, next_version: str
    ) -> None:
        judge_again(batch)
        rows = list(Judgement.objects.order_by("pk").values())

        again = judge_again(batch)

        assert (again.total, again.verified) == (0, 0)
        assert list(Judgement.objects.order_by("pk").values()) == rows

    def test_cut_off_goes_on_and_does_nothing_twice(
        self, batch: Batch, next_version: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(verifying, "AT_ONCE", 1)
        first = order(batch)
        lots = verifying.reverify(order_id=first.pk)
        assert [next(lots), next(lots)] == [1, 1]
        lots.close()

        again = judge_again(batch)

        assert again.pk == first.pk
        assert again.verified == 4
        assert Judgement.objects.filter(version="next").count() == 4

    def test_killed_inside_a_lot_leaves_no_half_of_it(
        self, batch: Batch, next_version: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = order(batch)
        seen = []

        def killed(row: Trajectory) -> None:
            seen.append(row.pk)
            if len(seen) == 3:
                raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(verifying, "_judge", killed)
            with pytest.raises(KeyboardInterrupt), transaction.atomic():
                list(verifying.reverify(order_id=made.pk))

        made.refresh_from_db()
        assert (made.verified, made.position) == (0, 0)
        assert not Judgement.objects.filter(version="next").exists()
        assert judge_again(batch).verified == 4

    def test_goes_on_past_what_cannot_be_judged_and_says_why(
        self, batch: Batch, next_version: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def choke(trace: Trace) -> Check:
            if trace.task.archetype == "R5":
                raise ZeroDivisionError("of all things")
            return check_brevity(trace)

        monkeypatch.setattr(verification, "CHECKS", (*verification.CHECKS, choke))

        done = judge_again(batch)

        of_r5 = Trajectory.objects.filter(simulation__task__archetype="R5")
        assert done.verified == 2
        assert done.skipped == {
            "ZeroDivisionError: of all things": {
                "count": 2,
                "example": of_r5.order_by("pk").values_list("pk", flat=True)[0],
            }
        }
        assert done.finished_at is not None
        assert not of_r5.filter(version="next").exists()

    def test_lists_a_bounded_number_of_reasons(
        self, batch: Batch, next_version: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(verifying, "MOST_REASONS", 2)

        def choke(row: Trajectory) -> None:
            raise ValueError(f"number {row.pk}")

        monkeypatch.setattr(verifying, "_judge", choke)

        done = judge_again(batch)

        assert [line["count"] for line in done.skipped.values()] == [1, 1, 2]
        assert "other reasons" in done.skipped

    def test_says_when_the_environment_is_no_longer_the_same(
        self, batch: Batch, next_version: str
    ) -> None:
        Environment.objects.update(content_hash="0" * 64, policy="Another.")

        done = judge_again(batch)

        assert done.verified == 0
        (line,) = done.skipped.values()
        assert line["count"] == 4
        assert reasons(batch) == ["writes", "", "", ""]

    def test_leaves_an_order_of_another_version_of_the_code_alone(
        self, batch: Batch, next_version: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = order(batch)
        new_version(monkeypatch, "later")

        assert list(verifying.reverify(order_id=made.pk)) == []

        made.refresh_from_db()
        assert made.finished_at is not None
        assert made.verified == 0
        assert order(batch).pk != made.pk

    def test_of_a_team_takes_all_its_batches_and_no_other_teams(
        self, batch: Batch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        other = play_batch(ordered=1)
        mine = play_batch(by=batch.created_by, ordered=1, mix={"R5": 1})
        new_version(monkeypatch, "next")

        made = verifying.order_reverification(team=batch.team)
        list(verifying.reverify(order_id=made.pk))

        made.refresh_from_db()
        judged = Trajectory.objects.filter(version="next")
        batches = set(judged.values_list("simulation__batch", flat=True))
        assert made.verified == 5
        assert batches == {batch.pk, mine.pk}
        assert other.pk not in batches

    def test_asks_for_the_same_number_of_queries_however_many_there_are(
        self, batch: Batch, next_version: str, django_assert_max_num_queries
    ) -> None:
        made = order(batch)
        with django_assert_max_num_queries(12):  # two lots, the second one empty
            list(verifying.reverify(order_id=made.pk))

    def test_left_alone_by_its_worker_is_found_again(
        self, batch: Batch, next_version: str
    ) -> None:
        made = order(batch)
        soon = timezone.now() + timedelta(minutes=1)

        assert verifying.waiting_reverifications(before=soon) == [made.pk]
        assert verifying.waiting_reverifications(before=STARTED) == []
        list(verifying.reverify(order_id=made.pk))
        assert verifying.waiting_reverifications(before=soon) == []


class TestJudgements:
    def test_are_filed_by_the_database_whoever_writes(self, batch: Batch) -> None:
        for row in Trajectory.objects.all():
            filed = row.judgements.get()
            assert filed.version == row.version == verification.VERSION
            assert filed.content == row.verification

    @pytest.mark.parametrize(
        "statement", ["UPDATE {} SET reason = ''", "DELETE FROM {}"]
    )
    def test_can_be_neither_changed_nor_deleted(
        self, batch: Batch, statement: str
    ) -> None:
        table = Judgement._meta.db_table
        with (
            pytest.raises(IntegrityError, match="never changed or deleted"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement.format(table))


class TestCompareVersions:
    def test_counts_what_moved_and_names_examples(
        self, batch: Batch, next_version: str
    ) -> None:
        judge_again(batch)

        found = verifying.compare_versions(
            before=verification_before(batch),
            after="next",
            team=batch.team,
            batch=batch,
        )

        third = Trajectory.objects.filter(simulation__batch=batch).order_by("pk")[2]
        assert found.same == 3
        assert [(c.was.reason, c.now.reason, c.count) for c in found.changes] == [
            ("", "brevity", 1)
        ]
        assert found.changes[0].examples == (third.pk,)
        assert found.changes[0].now.owner == "agent"
        assert (found.newly_rejected, found.newly_accepted) == (1, 0)

    def test_lists_both_judgements_of_what_moved(
        self, batch: Batch, next_version: str
    ) -> None:
        judge_again(batch)
        before = verification_before(batch)
        asked = {
            "before": before,
            "after": "next",
            "was": "",
            "now": "brevity",
            "team": batch.team,
        }

        ((earlier, later),) = verifying.changed_judgements(**asked)

        assert (earlier.version, later.version) == (before, "next")
        assert earlier.trajectory_id == later.trajectory_id
        past = later.trajectory_id + 1
        assert verifying.changed_judgements(**asked, from_id=past) == []


def verification_before(batch: Batch) -> str:
    versions = verifying.versions_of(batch.team, batch)
    assert [line.judged for line in versions] == [4, 4]
    return versions[1].version


class TestWhatRestsOnJudgements:
    def test_an_approval_stays_but_enters_no_release(
        self, batch: Batch, next_version: str
    ) -> None:
        approve_all(batch)
        judge_again(batch)

        assert ReviewItem.objects.filter(status=ItemStatus.APPROVED).count() == 3
        doubtful = ReviewItem.objects.approved_but_rejected().get()
        counts = count_queue(user=batch.created_by, at=STARTED)
        assert (counts.approved, counts.in_doubt, counts.waiting) == (3, 1, 0)

        release = freeze_release(
            team=batch.team, name="after", by=batch.created_by, at=STARTED
        )

        members = set(release.members.values_list("item_id", flat=True))
        assert len(members) == 2
        assert doubtful.pk not in members

    def test_a_frozen_release_stays_as_it_is_and_is_named(
        self, batch: Batch, next_version: str
    ) -> None:
        approve_all(batch)
        release = freeze_release(
            team=batch.team, name="before", by=batch.created_by, at=STARTED
        )

        judge_again(batch)

        assert release.members.count() == 3
        mine = verifying.trajectories_of(batch.team, batch)
        assert released_but_rejected(mine) == [(release, 1)]

    def test_the_database_refuses_what_is_rejected_now(
        self, batch: Batch, next_version: str
    ) -> None:
        approve_all(batch)
        judge_again(batch)
        doubtful = ReviewItem.objects.approved_but_rejected().get()
        release = draft_release(team=batch.team, name="by hand", by=batch.created_by)

        with pytest.raises(IntegrityError, match="rejects"), transaction.atomic():
            ReleaseMember.objects.create(release=release, item=doubtful, position=0)

    def test_nothing_to_release_is_said(
        self, batch: Batch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        approve_all(batch)

        def nothing(trace: Trace) -> Check:
            return Check(
                name="none", passed=False, finding="Nothing will do.", owner=Owner.AGENT
            )

        monkeypatch.setattr(verification, "CHECKS", (nothing,))
        monkeypatch.setattr(verification, "VERSION", "strict")
        judge_again(batch)

        with pytest.raises(CannotRelease, match="no approved trajectories"):
            freeze_release(team=batch.team, name="x", by=batch.created_by, at=STARTED)

    def test_what_is_rejected_now_is_handed_to_nobody(
        self, batch: Batch, next_version: str
    ) -> None:
        user = batch.created_by
        first = lease_next(user=user, at=STARTED)
        assert first is not None
        submit_verdict(
            slot=first,
            token=first.token,
            reviewer=user,
            verdict=Verdict.APPROVE,
            at=STARTED,
        )
        judge_again(batch)

        last = lease_next(user=user, at=STARTED)

        assert last is not None
        assert last.item.accepted
        submit_verdict(
            slot=last,
            token=last.token,
            reviewer=user,
            verdict=Verdict.APPROVE,
            at=STARTED,
        )
        assert lease_next(user=user, at=STARTED) is None
