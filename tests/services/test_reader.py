"""The desk part by part: steps opened, words found, replays made otherwise, and what the policy wanted."""

import pytest

from tests.factories import make_batch, make_owner, make_trajectory, team_of
from writ_app.services.review import build_review_page
from writ_app.services.review.reader import (
    NoSuchStep,
    find_words,
    open_step,
    replay_otherwise,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def batch():
    owner = make_owner()
    return make_batch(team=team_of(owner), by=owner)


class TestOpenStep:
    def test_gives_the_result_as_data_with_the_worlds_way_to_show_it(self, batch):
        row = make_trajectory(batch=batch)
        page = build_review_page(item_id=row.pk)
        read = next(step for step in page.steps if step.name == "get_order_details")

        opened = open_step(item_id=row.pk, number=read.number)

        assert opened.is_record
        view = opened.display.view_of(opened.step.result)
        assert view is not None
        assert view.noun == "order"

    def test_cuts_what_is_too_long_for_a_page(self, batch):
        row = make_trajectory(batch=batch, hostile="y" * 300_000)

        opened = open_step(item_id=row.pk, number=2)

        assert len(opened.text) == 250_000
        assert opened.hidden == 50_000

    @pytest.mark.parametrize("number", [0, 999])
    def test_refuses_a_step_that_is_not_there(self, batch, number):
        row = make_trajectory(batch=batch)

        with pytest.raises(NoSuchStep):
            open_step(item_id=row.pk, number=number)


class TestFindWords:
    def test_counts_what_stands_in_results_and_arguments_too(self, batch):
        row = make_trajectory(batch=batch)
        page = build_review_page(item_id=row.pk)
        order_id = next(
            line.actual for line in page.cards[0].lines if line.name == "order_id"
        )

        found = find_words(item_id=row.pk, query=order_id.lower())

        kinds = {hit.step.kind for hit in found.hits}
        assert {"read", "write", "user"} <= kinds
        assert found.total == sum(hit.count for hit in found.hits) > found.steps

    def test_takes_signs_of_patterns_as_they_are(self, batch):
        row = make_trajectory(batch=batch, hostile="cost (a|b)* really")

        assert find_words(item_id=row.pk, query="(A|B)*").total == 1
        assert find_words(item_id=row.pk, query="  ").total == 0


class TestReplayOtherwise:
    def test_shows_what_would_be_missing_without_the_write(self, batch):
        row = make_trajectory(batch=batch)

        other = replay_otherwise(item_id=row.pk, number=1, how="without")

        assert not other.difference.equal
        lines = [line for group in other.difference.apart for line in group.lines]
        assert {line.only for line in lines} == {"gold"}

    def test_refuses_to_swap_the_last_with_what_is_not_there(self, batch):
        row = make_trajectory(batch=batch)

        with pytest.raises(NoSuchStep):
            replay_otherwise(item_id=row.pk, number=1, how="swapped")


class TestThePage:
    def test_says_of_each_precondition_where_it_was_read(self, batch):
        page = build_review_page(item_id=make_trajectory(batch=batch).pk)

        (group,) = page.policy
        marks = {mark.id for row in page.evidence for mark in row.marks.values()}
        status = next(line for line in group.lines if "delivered" in line.wanted)
        assert status.holds
        assert status.links[0].target in marks
        said = group.lines[0]
        assert said.links[0].label.startswith("step")
        assert page.preconditions_failed == 0

    def test_says_what_nobody_looked_up(self, batch):
        row = make_trajectory(batch=batch, fault="missing_read")

        page = build_review_page(item_id=row.pk)

        unseen = [line for line in page.policy[0].lines if line.unseen]
        assert [line.clause for line in unseen] == ["7.1"]

    def test_says_what_each_write_does_for_the_goal(self, batch):
        page = build_review_page(item_id=make_trajectory(batch=batch).pk)

        facts = page.cards[0].facts
        assert facts is not None
        assert not facts.without.same
        assert facts.swapped is None

    def test_shows_where_the_gold_comes_from_beside_a_wrong_argument(self, batch):
        row = make_trajectory(batch=batch, fault="wrong_argument")

        page = build_review_page(item_id=row.pk)

        lines = {line.name: line for line in page.cards[0].lines}
        assert lines["new_item_ids[0]"].gold_chip is not None
        assert lines["order_id"].gold_chip is None

    def test_a_field_knows_every_argument_that_it_grounds(self, batch):
        page = build_review_page(item_id=make_trajectory(batch=batch).pk)

        grounded = {
            argument
            for row in page.evidence
            for mark in row.marks.values()
            for argument in mark.arguments
        }
        linked = {
            line.id
            for card in page.cards
            for line in card.lines
            if any(link.target.startswith("e") for link in line.links)
        }
        assert grounded == linked != set()
