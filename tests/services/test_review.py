"""The queue and the verdicts: nobody gets what somebody else holds, and nothing is lost."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, connections, transaction

from tests.factories import (
    make_batch,
    make_owner,
    make_reviewer,
    make_slot,
    make_team,
    make_trajectory,
    team_of,
)
from writ_app.adapters.caches import here
from writ_app.models.review import (
    RejectReason,
    ReviewEvent,
    ReviewItem,
    ReviewPolicy,
    ReviewSlot,
    SlotStatus,
    Verdict,
)
from writ_app.services.review import (
    AlreadyReviewed,
    CannotUndo,
    LeaseLost,
    build_review_page,
    count_queue,
    last_standing,
    lease_next,
    renew_lease,
    submit_verdict,
    undo_last,
)

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def give(slot, user, verdict=Verdict.APPROVE, **fields):
    return submit_verdict(
        slot=slot, token=slot.token, reviewer=user, verdict=verdict, at=NOW, **fields
    )


@pytest.fixture
def owner():
    return make_owner()


@pytest.fixture
def batch(owner):
    return make_batch(team=team_of(owner), by=owner)


class TestItems:
    def test_are_filed_by_the_database_with_a_slot_for_what_was_accepted(self, batch):
        accepted = make_trajectory(batch=batch)
        rejected = make_trajectory(batch=batch, number=1, fault="missing_read")

        items = ReviewItem.objects.in_bulk()

        assert set(items) == {accepted.pk, rejected.pk}
        assert items[accepted.pk].status == "OPEN"
        assert items[rejected.pk].status == ""
        assert items[rejected.pk].failed[0] == rejected.reason
        assert ReviewSlot.objects.get().item_id == accepted.pk


class TestLeaseNext:
    def test_gives_the_same_one_again_under_a_new_token(self, owner, batch):
        for number in range(2):
            make_trajectory(batch=batch, number=number)

        first = lease_next(user=owner, at=NOW)
        again = lease_next(user=owner, at=NOW)

        assert first is not None
        assert again is not None
        assert (again.pk, again.token) == (first.pk, first.token + 1)

    def test_gives_two_people_different_ones(self, owner, batch):
        for number in range(2):
            make_trajectory(batch=batch, number=number)
        colleague = make_reviewer(team=batch.team)

        slots = {lease_next(user=user, at=NOW).pk for user in (owner, colleague)}

        assert len(slots) == 2

    def test_gives_nothing_of_another_team(self, batch):
        make_trajectory(batch=batch)

        assert lease_next(user=make_owner(), at=NOW) is None

    def test_hands_on_what_was_left_lying(self, owner, batch):
        make_trajectory(batch=batch)
        colleague = make_reviewer(team=batch.team)
        left = lease_next(user=owner, at=NOW)

        taken = lease_next(user=colleague, at=NOW + timedelta(seconds=91))

        assert taken == left
        assert taken.token > left.token

    def test_puts_deferred_ones_last_even_behind_new_ones(self, owner, batch):
        make_trajectory(batch=batch)
        deferred = lease_next(user=owner, at=NOW)
        give(deferred, owner, Verdict.DEFER)
        fresh = make_trajectory(batch=batch, number=1)

        following = lease_next(user=owner, at=NOW)

        assert following.item_id == fresh.pk
        give(following, owner)
        assert lease_next(user=owner, at=NOW) == deferred

    @pytest.mark.django_db(transaction=True)
    def test_never_gives_one_to_two_of_eight_threads(self):
        team = make_team()
        batch = make_batch(team=team)
        people = [make_reviewer(team=team) for _ in range(8)]
        for number in range(40):
            make_trajectory(batch=batch, number=number % 4)

        def clear(user):
            judged = []
            while slot := lease_next(user=user, at=NOW):
                give(slot, user)
                judged.append(slot.pk)
            connections.close_all()
            return judged

        with ThreadPoolExecutor(8) as pool:
            judged = Counter(pk for pks in pool.map(clear, people) for pk in pks)

        assert len(judged) == 40
        assert set(judged.values()) == {1}
        assert ReviewEvent.objects.count() == 40


class TestRenewLease:
    def test_keeps_a_lease_and_reports_a_lost_one(self, owner, batch):
        make_trajectory(batch=batch)
        slot = lease_next(user=owner, at=NOW)
        held = {"slot_id": slot.pk, "user": owner, "at": NOW + timedelta(seconds=60)}

        assert renew_lease(token=slot.token, **held)
        assert not renew_lease(token=slot.token - 1, **held)
        slot.refresh_from_db()
        assert slot.leased_until == NOW + timedelta(seconds=150)

    def test_lasts_as_long_as_the_team_wants(self, owner, batch):
        ReviewPolicy.objects.create(team=batch.team, lease_seconds=300)
        make_trajectory(batch=batch)

        slot = lease_next(user=owner, at=NOW)

        slot.refresh_from_db()
        assert slot.leased_until == NOW + timedelta(seconds=300)


class TestSubmitVerdict:
    @pytest.mark.parametrize(
        ("verdict", "reason", "status"),
        [
            (Verdict.APPROVE, "", SlotStatus.APPROVED),
            (Verdict.REJECT, RejectReason.POLICY, SlotStatus.REJECTED),
            (Verdict.FIX, "", SlotStatus.FIX),
            (Verdict.DEFER, "", SlotStatus.OPEN),
        ],
    )
    def test_closes_the_slot_and_appends_an_event(
        self, owner, batch, verdict, reason, status
    ):
        make_trajectory(batch=batch)
        slot = lease_next(user=owner, at=NOW)

        event = give(slot, owner, verdict, reason=reason, note="n", seconds=7)

        assert (slot.status, slot.leased_by) == (status, None)
        assert ReviewEvent.objects.get() == event
        assert (event.reason, event.note, event.seconds) == (reason, "n", 7)

    def test_refuses_a_second_verdict(self, owner, batch):
        make_trajectory(batch=batch)
        slot = lease_next(user=owner, at=NOW)
        give(slot, owner)

        with pytest.raises(AlreadyReviewed, match="already has a verdict"):
            give(slot, owner, Verdict.FIX)

        assert ReviewEvent.objects.count() == 1

    def test_refuses_a_stale_token(self, owner, batch):
        make_trajectory(batch=batch)
        stale = lease_next(user=owner, at=NOW)
        old = stale.token
        lease_next(user=owner, at=NOW)

        with pytest.raises(LeaseLost, match="not saved"):
            submit_verdict(
                slot=stale, token=old, reviewer=owner, verdict=Verdict.APPROVE, at=NOW
            )

        assert not ReviewEvent.objects.exists()

    def test_refuses_somebody_who_does_not_hold_the_lease(self, owner, batch):
        make_trajectory(batch=batch)
        slot = lease_next(user=owner, at=NOW)

        with pytest.raises(LeaseLost):
            give(slot, make_reviewer(team=batch.team))

    def test_accepts_a_late_one_if_nobody_else_took_it(self, owner, batch):
        make_trajectory(batch=batch)
        slot = lease_next(user=owner, at=NOW)

        submit_verdict(
            slot=slot,
            token=slot.token,
            reviewer=owner,
            verdict=Verdict.APPROVE,
            at=NOW + timedelta(hours=3),
        )

        assert slot.status == SlotStatus.APPROVED


class TestUndoLast:
    def test_reopens_and_gives_it_back(self, owner, batch):
        for number in range(2):
            make_trajectory(batch=batch, number=number)
        slot = lease_next(user=owner, at=NOW)
        event = give(slot, owner)
        lease_next(user=owner, at=NOW)

        later = NOW + timedelta(seconds=5)
        undone = undo_last(reviewer=owner, at=later)

        assert undone == slot
        assert (undone.status, undone.leased_by) == (SlotStatus.OPEN, owner)
        assert ReviewEvent.objects.get(verdict=Verdict.WITHDRAW).withdraws == event
        assert lease_next(user=owner, at=later) == slot

    def test_goes_further_back_each_time(self, owner, batch):
        for number in range(2):
            make_trajectory(batch=batch, number=number)
        given = [give(lease_next(user=owner, at=NOW), owner) for _ in range(2)]

        undone = [undo_last(reviewer=owner, at=NOW).pk for _ in range(2)]

        assert undone == [event.slot_id for event in reversed(given)]
        assert last_standing(reviewer=owner) is None
        with pytest.raises(CannotUndo, match="nothing"):
            undo_last(reviewer=owner, at=NOW)

    def test_leaves_what_somebody_judged_since(self, owner, batch):
        make_trajectory(batch=batch)
        colleague = make_reviewer(team=batch.team)
        give(lease_next(user=owner, at=NOW), owner, Verdict.DEFER)
        give(lease_next(user=colleague, at=NOW), colleague)

        with pytest.raises(CannotUndo, match="since"):
            undo_last(reviewer=owner, at=NOW)

    def test_leaves_what_somebody_else_looks_at(self, owner, batch):
        make_trajectory(batch=batch)
        colleague = make_reviewer(team=batch.team)
        give(lease_next(user=owner, at=NOW), owner, Verdict.DEFER)
        lease_next(user=colleague, at=NOW)

        with pytest.raises(CannotUndo, match="Somebody else"):
            undo_last(reviewer=owner, at=NOW)


class TestCountQueue:
    def test_counts_what_waits_with_and_without_a_slot(self, owner, batch):
        for number in range(3):
            make_trajectory(batch=batch, number=number)
        make_trajectory(batch=batch, number=3, fault="wrong_argument")
        before = count_queue(user=owner, at=NOW)
        give(lease_next(user=owner, at=NOW), owner)

        after = count_queue(user=owner, at=datetime.now(UTC))

        assert (before.waiting, before.total, before.today) == (3, 3, 0)
        assert (after.waiting, after.approved, after.today) == (2, 1, 1)

    def test_counts_the_many_once_for_a_while_and_ones_own_always(
        self, owner, batch, monkeypatch
    ):
        monkeypatch.setattr("writ_app.services.review.queue.MANY", 1)
        for number in range(2):
            make_trajectory(batch=batch, number=number)
        before = count_queue(user=owner, at=NOW)
        give(lease_next(user=owner, at=NOW), owner)

        later = count_queue(user=owner, at=datetime.now(UTC))
        here.clear()
        again = count_queue(user=owner, at=datetime.now(UTC))

        assert (before.waiting, later.waiting, again.waiting) == (2, 2, 1)
        assert later.today == 1


class TestReviewEvents:
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE writ_app_reviewevent SET note = 'other'",
            "DELETE FROM writ_app_reviewevent",
        ],
    )
    def test_the_database_refuses_to_change_or_delete_them(
        self, owner, batch, statement
    ):
        make_trajectory(batch=batch)
        give(lease_next(user=owner, at=NOW), owner)

        with (
            pytest.raises(IntegrityError, match="never changed"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)


class TestBuildReviewPage:
    def test_takes_two_queries(self, batch, django_assert_num_queries):
        row = make_trajectory(batch=batch)
        build_review_page(item_id=row.pk)  # the process now keeps the environment

        with django_assert_num_queries(2):
            build_review_page(item_id=row.pk)

    def test_puts_gold_beside_actual_and_links_each_argument_to_its_evidence(
        self, batch
    ):
        page = build_review_page(item_id=make_trajectory(batch=batch).pk)

        (card,) = page.cards
        assert card.verdict == "equal"
        assert page.difference.equal
        assert page.coverage.complete
        marks = {mark.id for row in page.evidence for mark in row.marks.values()}
        by_name = {line.name: line for line in card.lines}
        assert by_name["new_item_ids[0]"].links[0].target in marks
        assert by_name["order_id"].chip.kind == "said"

    def test_marks_a_read_that_was_not_made(self, batch):
        row = make_trajectory(batch=batch, fault="missing_read")

        page = build_review_page(item_id=row.pk)

        assert [read.name for read in page.evidence if read.step is None] == [
            "get_product_details"
        ]
        assert page.coverage.made == page.coverage.needed - 1
        kinds = {line.name: line.chip.kind for line in page.cards[0].lines}
        assert kinds["new_item_ids[0]"] == "not_found"

    def test_shows_both_sides_of_a_wrong_argument_and_of_its_effect(self, batch):
        row = make_trajectory(batch=batch, fault="wrong_argument")

        page = build_review_page(item_id=row.pk)

        (card,) = page.cards
        wrong = [line for line in card.lines if line.verdict != "equal"]
        assert card.verdict == "differs"
        assert [line.name for line in wrong] == ["new_item_ids[0]"]
        assert wrong[0].gold != wrong[0].actual
        assert not page.difference.equal
        sides = {line.only for group in page.difference.groups for line in group.lines}
        assert sides == {"", "gold", "actual"}

    def test_sorts_candidates_with_decoys_in_their_place(self, batch):
        page = build_review_page(item_id=make_trajectory(batch=batch).pk)

        (table,) = page.candidates
        assert sum(line.gold for line in table.rows) == 1
        assert table.total == len(table.rows) + len(table.more)
        assert all(line.row is page.evidence[-1] for line in table.rows)

    def test_tells_the_story_of_the_slot(self, owner, batch):
        row = make_trajectory(batch=batch)
        slot = make_slot(trajectory=row)
        give(lease_next(user=owner, at=NOW), owner)
        undo_last(reviewer=owner, at=NOW)

        page = build_review_page(item_id=row.pk)

        assert [event.verdict for event in page.events] == ["APPROVE", "WITHDRAW"]
        assert {event.slot_id for event in page.events} == {slot.pk}
