"""Many items at once: what is said beforehand is what happens, and all of it can be taken back."""

from datetime import UTC, datetime

import pytest

from tests.factories import (
    judge,
    make_batch,
    make_owner,
    make_reviewer,
    make_slot,
    make_trajectory,
    make_version,
    team_of,
)
from writ_app.models.release import Release, ReleaseMember
from writ_app.models.review import ReviewEvent, ReviewItem, Verdict
from writ_app.services.review import lease_next
from writ_app.services.review.bulk import (
    REQUEUE,
    SKIPPED,
    CannotApply,
    CannotUndoBulk,
    apply_bulk,
    chosen_ids,
    forecast,
    undo_bulk,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make_owner()


@pytest.fixture
def batch(owner):
    return make_batch(team=team_of(owner), by=owner)


@pytest.fixture
def four(batch):
    """Three that were accepted and one that was not."""
    rows = [make_trajectory(batch=batch, number=number) for number in range(3)]
    return [*rows, make_trajectory(batch=batch, number=3, fault="wrong_argument")]


ANOTHER_VERSION = SKIPPED["version"]


def now() -> datetime:
    return datetime.now(UTC)


def ids() -> list[int]:
    return sorted(ReviewItem.objects.values_list("pk", flat=True))


def statuses() -> list[str]:
    return list(ReviewItem.objects.order_by("pk").values_list("status", flat=True))


def foreseen(user, verdict=Verdict.APPROVE):
    found = forecast(items=ids(), user=user, verdict=verdict, at=now())
    return found.changes, dict(found.skipped)


def apply(user, verdict=Verdict.APPROVE, **fields):
    return apply_bulk(
        items=ids(), user=user, team=team_of(user), verdict=verdict, at=now(), **fields
    )


def undo(action, user) -> int:
    owns = user.memberships.owners().exists()
    return undo_bulk(action=action, user=user, at=now(), owns=owns)


def freeze_in(item: int, owner) -> None:
    release = Release.objects.create(
        team=team_of(owner), name="first", number=1, created_by=owner
    )
    ReleaseMember.objects.create(release=release, item_id=item, position=0)
    release.content_hash, release.frozen_at = "x", now()
    release.save()


class TestForecast:
    def test_says_what_is_left_out_and_why(self, owner, batch, four):
        other = make_reviewer(team=batch.team)
        judge(four[0], Verdict.APPROVE, other)
        lease_next(user=other, at=now())

        assert foreseen(owner) == (
            1,
            {
                "judged already": 1,
                "somebody is looking at it now": 1,
                "a check fails, so there is nothing to approve": 1,
            },
        )

    def test_counts_what_one_looks_at_oneself(self, owner, four):
        lease_next(user=owner, at=now())

        assert foreseen(owner)[0] == 3

    def test_leaves_ones_own_edits_to_somebody_else(self, owner, batch, four):
        make_version(of=four[0], by=owner, reason="a clearer yes")
        assert foreseen(owner)[0] == 4  # there is nobody else
        other = make_reviewer(team=batch.team)

        changes, skipped = foreseen(owner)

        assert changes == 2  # nor the version that was edited
        assert skipped["your own edit, which somebody else has to judge"] == 1
        assert skipped[ANOTHER_VERSION] == 1
        assert foreseen(other)[0] == 4

    @pytest.mark.parametrize("canary", ["", "weak_yes"])
    def test_leaves_versions_of_what_one_has_judged_to_somebody_else(
        self, owner, batch, four, canary
    ):
        editor, other = (make_reviewer(team=batch.team) for _ in range(2))
        version = make_version(
            of=four[0], canary=canary, by=None if canary else editor, reason="a yes"
        )
        event = judge(four[0], Verdict.FIX, owner)

        changes, skipped = foreseen(owner)

        assert (changes, skipped[ANOTHER_VERSION]) == (2, 1)
        assert apply(owner).total == 2
        version.refresh_from_db()
        assert version.status == "OPEN"
        assert foreseen(other) == (
            1,
            {
                "judged already": 3,
                "a check fails, so there is nothing to approve": 1,
            },
        )
        ReviewEvent.objects.create(
            slot=event.slot, reviewer=owner, verdict=Verdict.WITHDRAW, withdraws=event
        )
        assert ANOTHER_VERSION not in foreseen(owner)[1]  # it was taken back

    def test_leaves_the_second_opinion_to_somebody_else(self, owner, batch, four):
        ReviewItem.objects.filter(pk__in=[four[0].pk, four[1].pk]).update(wanted=2)
        judge(four[0], Verdict.REJECT, owner, reason="policy")
        other = make_reviewer(team=batch.team)

        mine = forecast(items=ids(), user=owner, verdict=Verdict.APPROVE, at=now())
        theirs = forecast(items=ids(), user=other, verdict=Verdict.APPROVE, at=now())

        assert (mine.changes, mine.waiting) == (2, 1)
        assert any("second opinion" in why for why, _ in mine.skipped)
        assert (theirs.changes, theirs.waiting) == (3, 1)


class TestApply:
    @pytest.mark.parametrize(
        ("verdict", "reason", "status"),
        [
            (Verdict.APPROVE, "", "APPROVED"),
            (Verdict.REJECT, "policy", "REJECTED"),
            (Verdict.FIX, "", "FIX"),
        ],
    )
    def test_gives_every_item_an_event_and_its_status(
        self, owner, four, verdict, reason, status
    ):
        action = apply(owner, verdict, reason=reason, note="all alike")

        assert action.total == 3
        assert statuses() == [status] * 3 + [""]
        events = ReviewEvent.objects.filter(bulk=action)
        assert {(event.verdict, event.reason, event.note) for event in events} == {
            (verdict, reason, "all alike")
        }
        assert foreseen(owner, verdict)[0] == 0

    def test_does_what_was_foreseen_and_nothing_where_nothing_can_be_done(
        self, owner, four
    ):
        apply(owner)

        with pytest.raises(CannotApply, match="None of these"):
            apply(owner)

    def test_takes_a_canary_for_an_item_that_no_release_takes(self, owner, four):
        canary = make_version(of=four[0], canary="swapped_id")

        apply(owner)

        canary.refresh_from_db()
        assert canary.status == "APPROVED"
        assert not ReviewItem.objects.releasable().filter(pk=canary.pk).exists()

    def test_wants_a_reason_for_a_rejection_only(self, owner, four):
        with pytest.raises(CannotApply):
            apply(owner, Verdict.REJECT)
        with pytest.raises(CannotApply):
            apply(owner, Verdict.APPROVE, reason="policy")

    def test_ends_a_lease_of_ones_own(self, owner, four):
        slot = lease_next(user=owner, at=now())

        apply(owner)

        token = slot.token
        slot.refresh_from_db()
        assert (slot.leased_by, slot.token > token) == (None, True)

    def test_reaches_no_items_of_other_teams(self, four):
        stranger = make_owner()

        with pytest.raises(CannotApply, match="Nothing is chosen"):
            chosen_ids(ReviewItem.objects.all(), team_of(stranger))


class TestRequeue:
    def test_opens_what_was_judged_but_not_what_was_released(self, owner, four):
        judge(four[0], Verdict.APPROVE, owner)
        judge(four[1], Verdict.REJECT, owner, reason="policy")
        judge(four[2], Verdict.APPROVE, owner)
        freeze_in(four[2].pk, owner)

        assert foreseen(owner, REQUEUE) == (
            2,
            {
                "not judged yet": 1,
                "part of a release, so its approval stands": 1,
            },
        )
        apply(owner, REQUEUE)

        assert statuses() == ["OPEN", "OPEN", "APPROVED", ""]
        assert ReviewEvent.objects.filter(withdrawn_by=None).count() == 3

    def test_undone_puts_the_verdicts_back_in_the_names_of_who_gave_them(
        self, owner, batch, four
    ):
        other = make_reviewer(team=batch.team)
        judge(four[0], Verdict.REJECT, other, reason="policy", note="no refund")
        judge(four[1], Verdict.APPROVE, other)
        action = apply(owner, REQUEUE)
        judge(four[1], Verdict.FIX, owner)

        assert undo(action, owner) == 1

        assert statuses()[:2] == ["REJECTED", "FIX"]
        again = ReviewEvent.objects.filter(slot__item=four[0].pk).latest("id")
        assert (again.reviewer, again.reason, again.note) == (
            other,
            "policy",
            "no refund",
        )

    def test_reopens_a_dispute_that_was_settled_with_all_its_slots(
        self, owner, batch, four
    ):
        others = [make_reviewer(team=batch.team) for _ in range(2)]
        item = ReviewItem.objects.get(pk=four[0].pk)
        item.wanted = 2
        item.save(update_fields=["wanted"])
        for number, (user, verdict) in enumerate(
            zip([*others, owner], ["APPROVED", "FIX", "FIX"], strict=True), 1
        ):
            slot = item.slots.get(number=number % 3)
            slot.events.create(
                reviewer=user,
                verdict="APPROVE" if verdict == "APPROVED" else "FIX",
            )
            slot.status = verdict
            slot.save(update_fields=["status"])
        item.refresh_from_db()
        assert item.status == "FIX"

        apply(owner, REQUEUE)

        item.refresh_from_db()
        slots = list(item.slots.order_by("number").values_list("status", "ready"))
        assert item.status == "OPEN"
        assert slots == [("OPEN", False), ("OPEN", True), ("OPEN", True)]


class TestUndo:
    def test_takes_everything_back_that_has_not_been_released(self, owner, four):
        action = apply(owner)
        freeze_in(four[0].pk, owner)

        assert undo(action, owner) == 2

        assert statuses() == ["APPROVED", "OPEN", "OPEN", ""]
        with pytest.raises(CannotUndoBulk, match="already"):
            undo(action, owner)

    def test_leaves_what_its_author_has_taken_back_already(self, owner, four):
        action = apply(owner)
        slot = make_slot(trajectory=four[0])
        event = slot.events.get()
        slot.events.create(reviewer=owner, verdict="WITHDRAW", withdraws=event)
        slot.status = "OPEN"
        slot.save(update_fields=["status"])

        assert undo(action, owner) == 2

    def test_is_for_the_author_and_for_owners(self, owner, batch, four):
        author, other = (make_reviewer(team=batch.team) for _ in range(2))
        action = apply(author)

        with pytest.raises(CannotUndoBulk, match="owner"):
            undo(action, other)
        assert undo(action, owner) == 3

        again = apply(author)
        assert undo(again, author) == 3
