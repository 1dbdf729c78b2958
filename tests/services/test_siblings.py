"""Trajectories of the same task: who they are, what they write, and where they part."""

import pytest

from tests.factories import make_batch, make_owner, make_team, make_trajectory, team_of
from writ_app.models.review import ReviewItem
from writ_app.services.review.siblings import build_siblings, family_of, kinship

pytestmark = pytest.mark.django_db


@pytest.fixture
def batch():
    owner = make_owner()
    return make_batch(team=team_of(owner), by=owner)


def item(trajectory) -> ReviewItem:
    return ReviewItem.objects.get(pk=trajectory.pk)


def canary_of(original: ReviewItem, **more) -> ReviewItem:
    """The database files it as it does every version."""
    made = {
        "trajectory": original.trajectory,
        "number": 2,
        "parent": original,
        "canary": "swapped_argument",
        "content": original.stored_content,
        "verification": original.stored_verification,
    }
    created = ReviewItem.objects.create(**made | more)
    return ReviewItem.objects.get(pk=created.pk)


class TestFamily:
    def test_is_the_same_task_in_the_same_team(self, batch):
        one, other = make_trajectory(batch=batch), make_trajectory(batch=batch)
        make_trajectory(batch=batch, number=1)
        make_trajectory(team=make_team())

        assert [kin.pk for kin in family_of(item(one))] == [other.pk]

    def test_never_holds_a_planted_error_beside_its_original(self, batch):
        original, other = (
            item(make_trajectory(batch=batch)),
            make_trajectory(batch=batch),
        )
        canary = canary_of(original)

        assert [kin.pk for kin in family_of(original)] == [other.pk]
        assert [kin.pk for kin in family_of(canary)] == [other.pk]

    def test_shows_third_ones_one_of_a_pair_and_only_the_server_knows_which(
        self, batch, settings
    ):
        viewed, another, original = (
            item(make_trajectory(batch=batch)) for _ in range(3)
        )
        canary = canary_of(original)

        shown = set()
        for number in range(40):
            settings.SECRET_KEY = f"key {number}"
            (kin,) = {one.pk for one in family_of(viewed)} - {another.pk}
            assert kin in {one.pk for one in family_of(another)}
            assert kinship(viewed).siblings == 2
            shown.add(kin)

        assert shown == {original.pk, canary.pk}

    def test_leaves_out_what_was_made_from_a_planted_error(self, batch):
        viewed, original = (item(make_trajectory(batch=batch)) for _ in range(2))
        canary = canary_of(original)
        canary_of(original, parent=canary, edited_by=batch.created_by)

        (kin,) = family_of(viewed)

        assert kin.pk in (original.pk, canary.pk)


class TestKinship:
    def test_agrees_if_all_reach_the_gold(self, batch):
        one = make_trajectory(batch=batch)
        make_trajectory(batch=batch)

        found = kinship(item(one))

        assert (found.siblings, found.agree, found.others) == (1, True, 0)

    def test_counts_who_ends_otherwise(self, batch):
        right = make_trajectory(batch=batch)
        wrong = make_trajectory(batch=batch, fault="wrong_argument")
        make_trajectory(batch=batch)

        assert (kinship(item(right)).agree, kinship(item(right)).others) == (False, 1)
        assert (kinship(item(wrong)).agree, kinship(item(wrong)).others) == (False, 2)

    def test_costs_one_query(self, batch, django_assert_num_queries):
        one = item(make_trajectory(batch=batch))

        with django_assert_num_queries(1):
            kinship(one)

    def test_counts_a_planted_error_as_its_original(self, batch):
        viewed = item(make_trajectory(batch=batch))
        wrong = make_trajectory(batch=batch, fault="wrong_argument")
        for _ in range(8):
            original = item(make_trajectory(batch=batch))
            canary_of(original, verification=wrong.verification)

        # all but the one that is wrong itself
        found = kinship(viewed)
        assert (found.siblings, found.reaching) == (9, 8)


class TestBuildSiblings:
    def test_compares_by_the_state_that_is_reached(self, batch):
        right = item(make_trajectory(batch=batch))
        same = make_trajectory(batch=batch)
        wrong = make_trajectory(batch=batch, fault="wrong_argument")

        page = build_siblings(item=right, family=family_of(right))

        by_key = {one.column.item.pk: one for one in page.others}
        assert page.reference.gold
        assert by_key[same.pk].same_state
        assert by_key[same.pk].sentence == ""
        assert not by_key[wrong.pk].same_state
        assert not by_key[wrong.pk].column.gold
        assert page.states == 2

    def test_names_what_the_wrong_one_did_whichever_is_looked_at(self, batch):
        right = item(make_trajectory(batch=batch))
        wrong = item(make_trajectory(batch=batch, fault="wrong_argument"))

        (seen,) = build_siblings(item=right, family=[wrong]).others
        (turned,) = build_siblings(item=wrong, family=[right]).others

        gold = page_gold(right)
        assert seen.sentence == turned.sentence
        assert seen.sentence.startswith(f"#{wrong.pk} writes new_item_ids[0] ")
        assert seen.sentence.endswith(f" instead of {gold}")

    def test_marks_the_row_where_they_part(self, batch):
        right = item(make_trajectory(batch=batch))
        wrong = item(make_trajectory(batch=batch, fault="wrong_argument"))

        page = build_siblings(item=right, family=[wrong])

        marked = [line for line in page.lines if line.cells[0].decided]
        assert [line.reference.tool for line in marked] == [
            "exchange_delivered_order_items"
        ]
        assert [line.same for line in page.lines].count(False) == 1

    def test_shows_a_read_that_was_left_out(self, batch):
        right = item(make_trajectory(batch=batch))
        short = item(make_trajectory(batch=batch, fault="missing_read"))

        page = build_siblings(item=right, family=[short])

        differing = [line for line in page.lines if not line.same]
        assert [line.cells[0].pair.difference for line in differing] == ["left_out"]
        assert page.others[0].left_out == 1

    def test_shows_those_first_that_end_otherwise_and_those_that_are_chosen(
        self, batch, monkeypatch
    ):
        monkeypatch.setattr("writ_app.services.review.siblings.SHOWN", 1)
        right = item(make_trajectory(batch=batch))
        wrong = item(make_trajectory(batch=batch, fault="wrong_argument"))
        other = item(make_trajectory(batch=batch))

        first = build_siblings(item=right, family=family_of(right))
        chosen = build_siblings(
            item=right, family=family_of(right), chosen={other.pk, 10**9}
        )

        assert first.shown == {wrong.pk}
        assert chosen.shown == {other.pk}


def page_gold(right: ReviewItem) -> str:
    return right.task.content["gold"][0]["call"]["arguments"]["new_item_ids"][0]
