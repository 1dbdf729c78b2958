"""Who is handed what: never a second look at the same trajectory, in the order that was chosen, back where one stopped."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from tests.factories import (
    make_batch,
    make_owner,
    make_reviewer,
    make_trajectory,
    team_of,
)
from writ_app.adapters.caches import here
from writ_app.models.review import (
    ReviewEvent,
    ReviewItem,
    ReviewPolicy,
    ReviewSlot,
    SlotStatus,
    Verdict,
)
from writ_app.services.review import (
    CannotUndo,
    ChecksFail,
    Choice,
    NotForYou,
    Order,
    give_back,
    lease_next,
    lease_slot,
    let_go,
    lookers,
    renew_lease,
    submit_verdict,
    undo_last,
)

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(seconds=91)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def counted_anew():
    here.clear()


@pytest.fixture
def ada():
    return make_owner(name="ada")


@pytest.fixture
def bob(ada):
    return make_reviewer(team=team_of(ada), name="bob")


@pytest.fixture
def batch(ada):
    return make_batch(team=team_of(ada), by=ada)


def give(slot, user, verdict=Verdict.APPROVE, **fields):
    return submit_verdict(
        slot=slot, token=slot.token, reviewer=user, verdict=verdict, at=NOW, **fields
    )


def wanted_twice(batch, number=0) -> ReviewItem:
    item = ReviewItem.objects.get(pk=make_trajectory(batch=batch, number=number).pk)
    item.wanted = 2
    item.save(update_fields=["wanted"])
    return item


def edited(item: ReviewItem, by) -> ReviewItem:
    return ReviewItem.objects.create(
        trajectory=item.trajectory,
        number=2,
        parent=item,
        content=item.stored_content,
        verification=item.stored_verification,
        edited_by=by,
    )


class TestTheSameTrajectory:
    def test_is_never_handed_twice_to_one_person_even_in_two_tabs(
        self, ada, bob, batch
    ):
        wanted_twice(batch)
        mine = lease_next(user=ada, at=NOW)

        assert lease_next(user=ada, at=NOW, held=[mine.pk], show=False) is None
        give(mine, ada)
        assert lease_next(user=ada, at=NOW) is None

        second = lease_next(user=bob, at=NOW)
        assert (second.item_id, second.number) == (mine.item_id, 2)

    def test_comes_back_to_who_took_the_verdict_back(self, ada, batch):
        wanted_twice(batch)
        slot = lease_next(user=ada, at=NOW)
        give(slot, ada)
        undo_last(reviewer=ada, at=NOW)
        let_go(user=ada)

        assert lease_next(user=ada, at=NOW) == slot

    def test_is_for_others_once_one_has_edited_it(self, ada, bob, batch):
        item = ReviewItem.objects.get(pk=make_trajectory(batch=batch).pk)
        version = edited(item, by=ada)

        assert lease_next(user=ada, at=NOW) is None
        assert lease_next(user=bob, at=NOW).item_id == item.pk
        with pytest.raises(NotForYou, match="somebody else"):
            lease_slot(slot_id=version.slots.get().pk, user=ada, at=NOW)

    def test_in_dispute_is_settled_by_a_third_and_not_by_way_of_the_queue(
        self, ada, bob, batch
    ):
        item = wanted_twice(batch)
        give(lease_next(user=ada, at=NOW), ada)
        give(lease_next(user=bob, at=NOW), bob, Verdict.REJECT, reason="policy")
        dispute = item.slots.get(number=0)
        third = make_reviewer(team=batch.team)

        assert lease_next(user=third, at=NOW) is None
        for party in (ada, bob):
            with pytest.raises(NotForYou, match="somebody else"):
                lease_slot(slot_id=dispute.pk, user=party, at=NOW)
        slot = lease_slot(slot_id=dispute.pk, user=third, at=NOW)
        with pytest.raises(NotForYou, match="looking"):
            lease_slot(slot_id=dispute.pk, user=make_reviewer(team=batch.team), at=NOW)
        give(slot, third)
        item.refresh_from_db()
        assert item.status == "APPROVED"
        with pytest.raises(NotForYou, match="not to be judged"):
            lease_slot(slot_id=dispute.pk, user=third, at=NOW)


class TestResuming:
    def test_goes_on_with_what_was_on_screen_not_with_what_was_ahead(self, ada, batch):
        for number in range(3):
            make_trajectory(batch=batch, number=number)
        shown = lease_next(user=ada, at=NOW)
        ahead = lease_next(user=ada, at=NOW, held=[shown.pk], show=False)
        give_back(held={shown.pk: shown.token, ahead.pk: ahead.token}, user=ada, at=NOW)

        assert lease_next(user=ada, at=LATER) == shown

    def test_finds_taken_what_somebody_took_meanwhile(self, ada, bob, batch):
        for number in range(2):
            make_trajectory(batch=batch, number=number)
        mine = lease_next(user=ada, at=NOW)
        give_back(held={mine.pk: mine.token}, user=ada, at=NOW)

        assert lease_next(user=bob, at=NOW) == mine
        assert lease_next(user=ada, at=NOW) != mine
        assert not renew_lease(slot_id=mine.pk, token=mine.token, user=ada, at=NOW)

    def test_ahead_leaves_alone_what_another_tab_has(self, ada, batch):
        for number in range(3):
            make_trajectory(batch=batch, number=number)
        mine = lease_next(user=ada, at=NOW)
        ahead = lease_next(user=ada, at=NOW, held=[mine.pk], show=False)

        other = lease_next(user=ada, at=NOW, show=False)

        assert other.pk not in (mine.pk, ahead.pk)


class TestOrders:
    def test_newest_and_least_certain(self, ada, batch):
        rows = [make_trajectory(batch=batch, number=number) for number in range(3)]
        slots = {row.pk: ReviewSlot.objects.get(item=row.pk) for row in rows}
        ReviewSlot.objects.filter(pk=slots[rows[1].pk].pk).update(uncertainty=0.9)

        first = {}
        for order in Order:
            first[order] = lease_next(user=ada, at=NOW, choice=Choice(order)).item_id
            let_go(user=ada)

        assert first[Order.PLAIN] == rows[0].pk
        assert first[Order.NEWEST] == rows[2].pk
        assert first[Order.UNCERTAIN] == rows[1].pk

    def test_neediest_cell_is_the_emptiest_against_what_grids_ordered(self, ada):
        cells = [
            {"writes": "1", "burden": "4-6", "weight": 3},
            {"writes": "2-3", "burden": "7-9", "weight": 1},
        ]
        batch = make_batch(team=team_of(ada), by=ada, ordered=4, grid={"cells": cells})
        rows = [make_trajectory(batch=batch, number=number) for number in range(4)]
        place = {0: (1, 5), 1: (1, 5), 2: (2, 8), 3: (2, 8)}
        for number, (writes, burden) in place.items():
            ReviewItem.objects.filter(pk=rows[number].pk).update(
                writes=writes, burden=burden
            )
        needed = Choice(Order.NEEDED)

        seen = []
        for _ in rows:
            slot = lease_next(user=ada, at=NOW, choice=needed)
            seen.append(rows.index(slot.item.trajectory))
            give(slot, ada)
            here.clear()

        # 0 of 3 and 0 of 1; 1 of 3 and 0 of 1; 1 of 3 and 1 of 1; what is over.
        assert seen == [0, 2, 1, 3]

    def test_what_was_put_off_comes_last_in_each(self, ada, batch):
        for number in range(2):
            make_trajectory(batch=batch, number=number)
        for order in Order:
            choice = Choice(order)
            put_off = lease_next(user=ada, at=NOW, choice=choice)
            give(put_off, ada, Verdict.DEFER)

            other = lease_next(user=ada, at=NOW, choice=choice)

            assert other != put_off, order
            give(other, ada, Verdict.DEFER)
            assert lease_next(user=ada, at=NOW, choice=choice) is not None
            let_go(user=ada)
            ReviewSlot.objects.update(deferred_at=None)

    def test_a_choice_narrows_by_facets_and_bands(self, ada, batch):
        rows = [make_trajectory(batch=batch, number=number) for number in range(2)]
        ReviewItem.objects.filter(pk=rows[0].pk).update(burden=40)
        ReviewItem.objects.filter(pk=rows[1].pk).update(burden=5, archetype="other")

        def first(**filters):
            slot = lease_next(user=ada, at=NOW, choice=Choice(filters=filters))
            let_go(user=ada)
            return slot and slot.item_id

        assert first(burden="15+") == rows[0].pk
        assert first(burden="4-6", archetype="other") == rows[1].pk
        assert first(writes="4+") is None
        assert first(batch=batch.pk) == rows[0].pk


class TestPresence:
    def test_tells_who_has_what_on_screen_and_not_what_is_ahead(self, ada, bob, batch):
        for number in range(2):
            make_trajectory(batch=batch, number=number)
        slot = lease_next(user=bob, at=NOW)
        ahead = lease_next(user=bob, at=NOW, held=[slot.pk], show=False)

        assert lookers(user=ada, at=NOW) == {slot.item_id: ("bob",)}
        assert lookers(user=bob, at=NOW) == {}
        assert lookers(user=make_owner(), at=NOW) == {}
        renew_lease(slot_id=ahead.pk, token=ahead.token, user=bob, at=NOW, show=True)
        assert set(lookers(user=ada, at=NOW)) == {slot.item_id, ahead.item_id}
        assert lookers(user=ada, at=LATER) == {}


class TestSubmission:
    def test_of_the_same_form_again_is_the_same_event_whatever_it_says(
        self, ada, batch
    ):
        make_trajectory(batch=batch)
        slot, form = lease_next(user=ada, at=NOW), uuid4()
        first = give(slot, ada, Verdict.DEFER, submission=form)

        again = give(slot, ada, Verdict.APPROVE, submission=form)

        assert again == first
        slot.refresh_from_db()
        assert slot.status == SlotStatus.OPEN
        assert ReviewEvent.objects.count() == 1

    def test_of_somebody_else_is_not_mine(self, ada, bob, batch):
        make_trajectory(batch=batch)
        slot, form = lease_next(user=ada, at=NOW), uuid4()
        give(slot, ada, submission=form)

        with pytest.raises(Exception, match="already has a verdict"):
            give(slot, bob, submission=form)

    def test_of_an_approval_says_which_checks_fail(self, ada, batch):
        row = make_trajectory(batch=batch)
        slot = lease_next(user=ada, at=NOW)
        verification = dict(row.verification)
        verification["checks"] = [
            {**check, "passed": check["name"] != "coverage"}
            for check in verification["checks"]
        ]
        names = [c["name"] for c in verification["checks"] if not c["passed"]]
        row.accepted, row.reason, row.owner = False, (names or ["state"])[0], "agent"
        row.verification = verification
        row.save()

        with pytest.raises(ChecksFail, match="cannot be approved"):
            give(slot, ada)

        assert give(slot, ada, Verdict.FIX).verdict == Verdict.FIX


class TestUndoByName:
    def test_takes_an_earlier_one_back_and_not_that_of_others(self, ada, bob, batch):
        for number in range(2):
            make_trajectory(batch=batch, number=number)
        events = [give(lease_next(user=ada, at=NOW), ada) for _ in range(2)]

        with pytest.raises(CannotUndo, match="nothing"):
            undo_last(reviewer=bob, at=NOW, event_id=events[0].pk)
        slot = undo_last(reviewer=ada, at=NOW, event_id=events[0].pk)

        assert slot.pk == events[0].slot_id
        assert undo_last(reviewer=ada, at=NOW, event_id=events[0].pk).pk == slot.pk
        assert ReviewEvent.objects.filter(verdict=Verdict.WITHDRAW).count() == 1


class TestPolicy:
    def test_of_another_team_does_not_matter(self, ada, batch):
        other = team_of(make_owner())
        ReviewPolicy.objects.create(team=other, lease_seconds=3000)
        make_trajectory(batch=batch)

        slot = lease_next(user=ada, at=NOW)

        slot.refresh_from_db()
        assert slot.leased_until == NOW + timedelta(seconds=90)
