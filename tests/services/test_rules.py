"""Reject once, find all: a rejection names what may be common, and a rule puts what it finds back into the queue."""

from datetime import UTC, datetime

import pytest

from tests.factories import (
    judge,
    make_batch,
    make_owner,
    make_slot,
    make_trajectory,
    team_of,
)
from writ_app.models.review import ReviewItem, Verdict
from writ_app.services.review.bulk import undo_bulk
from writ_app.services.review.rules import apply_rule, conditions_of, try_rule

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make_owner()


@pytest.fixture
def four(owner):
    batch = make_batch(team=team_of(owner), by=owner)
    return [make_trajectory(batch=batch, number=number) for number in range(4)]


def reject(trajectory, owner, **place):
    """A rejection that points at a place."""
    slot = make_slot(trajectory=trajectory)
    event = slot.events.create(
        reviewer=owner, verdict=Verdict.REJECT, reason="ungrounded", **place
    )
    slot.status = "REJECTED"
    slot.save(update_fields=["status"])
    return event


def proposed(event):
    return {(one.name, one.value) for one in conditions_of(event) if one.proposed}


def write_of(trajectory) -> int:
    return trajectory.verification["provenance"][0]["message"]


class TestConditions:
    def test_begin_with_the_argument_that_was_pointed_at(self, owner, four):
        event = reject(
            four[0],
            owner,
            message=write_of(four[0]),
            write=0,
            pointer="/arguments/new_item_ids",
        )

        assert conditions_of(event)[0].value == "new_item_ids"
        assert ("argument", "new_item_ids") in proposed(event)
        assert ("archetype", "R1") in proposed(event)
        offered = {(one.name, one.value) for one in conditions_of(event)}
        assert ("tool", "exchange_delivered_order_items") in offered

    def test_name_the_tool_of_a_call_that_was_pointed_at(self, owner, four):
        place = four[0].verification["coverage"][0]
        event = reject(four[0], owner, message=place)
        answer = reject(four[1], owner, message=place + 1)

        for one in (event, answer):
            assert ("tool", "find_user_id_by_email") in proposed(one)

    def test_all_find_the_item_they_come_from(self, owner, four):
        event = reject(four[0], owner, write=0, pointer="/order_id")

        for one in conditions_of(event):
            filters = {one.name: one.value}
            trial = try_rule(
                user=owner,
                team=team_of(owner),
                filters=filters,
                at=datetime.now(UTC),
            )
            assert trial.hits >= 1, one


class TestRule:
    filters = {"archetype": ["R1"], "argument": "new_item_ids"}

    def trial(self, owner):
        return try_rule(
            user=owner,
            team=team_of(owner),
            filters=self.filters,
            at=datetime.now(UTC),
        )

    def test_says_how_often_it_was_right_so_far(self, owner, four):
        judge(four[0], Verdict.REJECT, owner, reason="ungrounded")
        judge(four[1], Verdict.FIX, owner)
        judge(four[2], Verdict.APPROVE, owner)

        trial = self.trial(owner)

        assert (trial.hits, trial.judged, trial.precision) == (4, 3, 67)
        assert trial.effect.changes == 2
        assert len(trial.sample) == 4

    def test_reopens_what_it_finds_but_rejections_and_is_undone_as_a_whole(
        self, owner, four
    ):
        event = judge(four[0], Verdict.REJECT, owner, reason="ungrounded")
        judge(four[1], Verdict.APPROVE, owner)
        judge(four[2], Verdict.FIX, owner)

        rule = apply_rule(
            user=owner,
            team=team_of(owner),
            name="new items",
            filters=self.filters,
            event=event,
            at=datetime.now(UTC),
        )

        def statuses():
            return [
                item.status for item in ReviewItem.objects.order_by("pk").only("status")
            ]

        assert (rule.hits, rule.requeued) == (4, 2)
        assert statuses() == ["REJECTED", "OPEN", "OPEN", "OPEN"]
        undo_bulk(action=rule.bulk, user=owner, at=datetime.now(UTC))
        assert statuses() == ["REJECTED", "APPROVED", "FIX", "OPEN"]

    def test_is_kept_even_if_it_finds_nothing_to_reopen(self, owner, four):
        rule = apply_rule(
            user=owner,
            team=team_of(owner),
            name="nothing",
            filters={"q": "zebra"},
            event=None,
            at=datetime.now(UTC),
        )

        assert (rule.hits, rule.requeued, rule.bulk) == (0, 0, None)
