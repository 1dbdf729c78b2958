"""Canaries in the database: planted, handed out like anything else, told afterwards, counted, and never released."""

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, transaction

from tests.factories import make_owner, make_reviewer, team_of
from tests.stored_batches import play_batch
from writ_app.engine.canaries import KINDS
from writ_app.models.release import ReleaseMember
from writ_app.models.review import (
    ItemStatus,
    RejectReason,
    ReviewItem,
    ReviewPolicy,
    ReviewSlot,
    SlotStatus,
    Verdict,
)
from writ_app.services.release import CannotRelease, draft_release, freeze_release
from writ_app.services.review import submit_verdict, undo_last
from writ_app.services.review.quality.canaries import (
    detection,
    plant_canaries,
    reveal,
    wanted_canaries,
)
from writ_app.services.review.queue import take

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make_owner(name="ada")


@pytest.fixture
def team(owner):
    play_batch(by=owner, ordered=6)
    return team_of(owner)


def judge(item, user, verdict):
    slot = ReviewSlot.objects.get(item=item, number=1)
    take(slot=slot, user=user, at=NOW)
    reason = RejectReason.WRONG_WRITE if verdict == Verdict.REJECT else ""
    return submit_verdict(
        slot=slot,
        token=slot.token,
        reviewer=user,
        verdict=verdict,
        reason=reason,
        at=NOW,
    )


def canaries():
    return ReviewItem.objects.exclude(canary="").order_by("pk")


class TestPlanting:
    def test_makes_items_that_are_queued_with_their_honest_verification(self, team):
        planted = plant_canaries(team=team, seed=1, count=4)

        assert planted.total == 4
        assert len(planted.kinds) == 4
        for item in canaries():
            assert item.status == ItemStatus.OPEN
            assert item.ready
            assert item.accepted is not KINDS[item.canary].mechanical
            assert item.failed or not KINDS[item.canary].mechanical
            assert ReviewSlot.objects.get(item=item).ready

    def test_takes_the_share_that_the_team_set(self, team):
        assert wanted_canaries(team) == 0
        ReviewPolicy.objects.create(team=team, canary_share=0.2)

        first = plant_canaries(team=team, seed=1)

        assert (first.wanted, first.total) == (1, 1)
        assert wanted_canaries(team) == 0

    def test_copies_each_trajectory_once_and_stops_when_none_is_left(self, team):
        planted = plant_canaries(team=team, seed=1, count=50)

        parents = canaries().values_list("parent", flat=True)
        assert planted.total == len(parents) == len(set(parents)) < 50

    def test_mixes_them_in_before_their_originals_and_loses_no_place(self, team):
        before = set(ReviewSlot.objects.values_list("item", flat=True))

        plant_canaries(team=team, seed=3, count=4)

        slots = ReviewSlot.objects.order_by("pk").values_list("item", "number")
        assert {number for _, number in slots} == {1}
        place = {item: n for n, (item, _) in enumerate(slots)}
        planted = {item.pk: item.parent_id for item in canaries()}
        assert set(place) == before | set(planted)
        assert all(place[pk] < place[original] for pk, original in planted.items())

    def test_plants_the_same_with_the_same_seed(self, team):
        def planted():
            with transaction.atomic():
                plant_canaries(team=team, seed=7, count=3)
                found = list(canaries().values_list("parent", "canary", "changes"))
                transaction.set_rollback(True)
            return found

        assert planted() == planted()


class TestRelease:
    def test_the_database_refuses_an_approved_canary(self, team, owner):
        plant_canaries(team=team, seed=1, count=1)
        item = canaries().get()
        judge(item, owner, Verdict.APPROVE)
        item.refresh_from_db()
        assert item.status == ItemStatus.APPROVED
        release = draft_release(team=team, name="try", by=owner)

        with (
            pytest.raises(IntegrityError, match="canary never enters"),
            transaction.atomic(),
        ):
            ReleaseMember.objects.create(release=release, item=item, position=0)
        with pytest.raises(CannotRelease):
            freeze_release(team=team, name="try", by=owner, at=NOW)


class TestRevealing:
    def test_tells_who_has_judged_and_nobody_else(self, team, owner):
        plant_canaries(team=team, seed=1, count=1)
        item = canaries().get()
        colleague = make_reviewer(team=team)
        assert reveal(user=owner, item=item) is None

        judge(item, owner, Verdict.REJECT)

        told = reveal(user=owner, item=item)
        assert told.caught
        assert item.changes["changed"] in str(told)
        assert reveal(user=colleague, item=item) is None
        assert reveal(user=owner, item=item.parent) is None


class TestDetection:
    def test_counts_by_reviewer_and_class(self, team, owner):
        colleague = make_reviewer(team=team, name="bob")
        plant_canaries(team=team, seed=1, count=3)
        first, second, third = canaries()
        judge(first, owner, Verdict.REJECT)
        judge(second, owner, Verdict.APPROVE)
        judge(third, colleague, Verdict.FIX)

        found = detection(team)

        assert found.reviewers == ("ada", "bob")
        assert [(p.hits, p.total) for p in found.people] == [(1, 2), (1, 1)]
        assert (found.whole.hits, found.whole.total) == (2, 3)
        assert found.whole.low < 2 / 3 < found.whole.high
        by_kind = {row.name: row for row in found.kinds}
        assert by_kind[second.canary].cells[0].total == 1
        assert {row.mechanical for row in found.kinds} <= {True, False}

    def test_takes_the_first_verdict_whatever_comes_after_it(self, team, owner):
        plant_canaries(team=team, seed=1, count=1)
        item = canaries().get()
        judge(item, owner, Verdict.APPROVE)

        undo_last(reviewer=owner, at=NOW)
        judge(item, owner, Verdict.REJECT)

        assert (detection(team).whole.hits, detection(team).whole.total) == (0, 1)
        assert ReviewSlot.objects.get(item=item).status == SlotStatus.REJECTED
