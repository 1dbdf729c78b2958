"""Lists: what is found, how often, in which order, and by whom."""

from datetime import UTC, datetime, timedelta
from itertools import chain

import pytest
from django.db import connection

from tests.factories import (
    judge,
    make_batch,
    make_owner,
    make_reviewer,
    make_trajectory,
    make_version,
    team_of,
)
from writ_app.models.curation import Comment
from writ_app.models.review import ReviewItem, Verdict
from writ_app.services.review import lease_next
from writ_app.services.review.listing import (
    ORDERS,
    TooSlow,
    argument_name,
    found_by,
    list_facets,
    list_items,
    pages,
    shape_of,
)
from writ_app.services.review.listing.text import excerpt

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make_owner()


@pytest.fixture
def batch(owner):
    return make_batch(team=team_of(owner), by=owner)


@pytest.fixture
def three(batch):
    """Two that were accepted and one that was not."""
    return [
        make_trajectory(batch=batch),
        make_trajectory(batch=batch, number=1),
        make_trajectory(batch=batch, number=2, fault="missing_read"),
    ]


def keys(user, **filters):
    return set(found_by(filters, user=user).values_list("pk", flat=True))


def listed(user, order="newest", filters=None, **page):
    return list_items(
        user=user, filters=filters or {}, at=NOW, order=ORDERS[order], **page
    )


class TestFilters:
    @pytest.mark.parametrize(
        ("filters", "places"),
        [
            ({}, {0, 1, 2}),
            ({"accepted": ["no"]}, {2}),
            ({"accepted": ["yes", "no"]}, {0, 1, 2}),
            ({"status": ["OPEN"]}, {0, 1}),
            ({"failed": ["provenance"]}, {2}),
            ({"failed": ["state", "evidence"]}, {2}),
            ({"kinds": ["not_found"]}, {2}),
            ({"argument": "new_item_ids", "argument_kind": "not_found"}, {2}),
            ({"argument": "order_id", "argument_kind": "not_found"}, set()),
            ({"argument_kind": "exact"}, {0, 1, 2}),
            ({"tool": "get_product_details"}, {0, 1}),
            ({"tool": "get_product"}, set()),
            ({"archetype": ["R1"], "plan": ["upfront"]}, {0, 1, 2}),
            ({"writes": ["0"]}, set()),
            ({"version": ["edited"]}, set()),
            ({"scripted": ["no"]}, set()),
            ({"commented": ["yes"]}, set()),
            ({"simulation__batch__team": "9"}, {0, 1, 2}),
        ],
    )
    def test_find_what_they_say(self, owner, three, filters, places):
        assert keys(owner, **filters) == {three[place].pk for place in places}

    def test_find_nothing_of_another_team(self, three):
        assert keys(make_owner()) == set()

    def test_find_the_same_tools_in_the_same_order(self, owner, three):
        items = ReviewItem.objects.in_bulk()
        skeleton = items[three[2].pk].skeleton

        assert keys(owner, shape=shape_of(skeleton)) == {
            pk for pk, item in items.items() if item.skeleton == skeleton
        }

    def test_find_what_somebody_said_of_it_until_that_is_withdrawn(self, owner, three):
        said = Comment.objects.create(item_id=three[1].pk, author=owner, body="odd")
        assert keys(owner, commented=["yes"]) == {three[1].pk}

        Comment.objects.filter(pk=said.pk).update(withdrawn_at=NOW)

        assert keys(owner, commented=["yes"]) == set()

    def test_join_reviewer_and_code_in_one_verdict(self, owner, batch, three):
        other = make_reviewer(team=batch.team)
        judge(three[0], Verdict.REJECT, owner, reason="policy")
        judge(three[1], Verdict.REJECT, other, reason="ungrounded")

        assert keys(owner, code=["policy"]) == {three[0].pk}
        assert keys(owner, code=["policy"], reviewer=[other.pk]) == set()
        assert keys(owner, reviewer=[other.pk]) == {three[1].pk}

    def test_do_not_tell_a_second_reviewer_what_the_first_one_said(
        self, owner, batch, three
    ):
        other = make_reviewer(team=batch.team)
        ReviewItem.objects.filter(pk=three[0].pk).update(wanted=2)
        judge(three[0], Verdict.REJECT, owner, reason="policy")

        assert keys(other, code=["policy"]) == set()
        assert keys(owner, code=["policy"]) == {three[0].pk}

    def test_name_an_argument_without_its_places_in_lists(self):
        assert argument_name("/item_ids/0") == "item_ids"
        assert argument_name("/flights/1/date") == "flights/date"


class TestCanaries:
    def test_pass_for_simulated_and_count_for_nothing_that_is_approved(
        self, owner, three
    ):
        canary = make_version(of=three[0], canary="swapped_id")
        edited = make_version(of=three[1], by=owner)
        assert keys(owner, version=["simulated"]) >= {canary.pk, three[0].pk}
        assert keys(owner, version=["edited"]) == {edited.pk}

        canary.slots.update(status="APPROVED")

        assert canary.pk in keys(owner)
        assert keys(owner, status=["APPROVED"]) == set()
        status = facet(owner, "status")
        assert (status["APPROVED"], status["OPEN"]) == (0, 3)

    def test_look_like_any_other_line(self, owner, three):
        canary = make_version(of=three[0], canary="swapped_id")

        lines = {line.row.pk: line for line in listed(owner).rows}

        assert not lines[canary.pk].edited


class TestSearch:
    @pytest.mark.parametrize(
        "written",
        [
            "{order}",
            "{order_start}",
            "{email}",
            "{email_start}",
            '"order {order}"',
            "swap -zebra {order}",
        ],
    )
    def test_finds_ids_addresses_phrases_and_beginnings(self, owner, three, written):
        facts = three[0].simulation.task.content["facts"]
        text = written.format(
            order=facts["order_id"],
            order_start=facts["order_id"][:7],
            email=facts["email"],
            email_start=facts["email"].split("@")[0] + "@ex",
        )

        assert three[0].pk in keys(owner, q=text)
        assert three[1].pk not in keys(owner, q=text) or "order_start" in written

    @pytest.mark.parametrize("text", ["zebra", "swap zebra", '"swap zebra"', "-swap"])
    def test_finds_no_more_than_was_asked_for(self, owner, three, text):
        assert keys(owner, q=text) == set()

    @pytest.mark.parametrize("text", ["'", "\\", "a:*|b", "((", "\0", "or", '"', "&!"])
    def test_takes_any_text(self, owner, three, text):
        assert len(listed(owner, filters={"q": text}).rows) <= 3

    def test_shows_where_it_found_the_words(self):
        found = excerpt('"order #W12" -not emma', "… about order #W12, said emma.jones")

        assert [piece.text for piece in found if piece.hit] == ["order #W12", "emma"]
        assert excerpt("zebra", "no such animal") == ()

    def test_is_given_up_in_time(self, monkeypatch):
        with (
            pytest.raises(TooSlow, match="narrows it"),
            pages.at_most(0.05),
            connection.cursor() as cursor,
        ):
            cursor.execute("SELECT pg_sleep(2)")


class TestPages:
    @pytest.mark.parametrize("order", ORDERS)
    @pytest.mark.parametrize("filters", [{}, {"q": "swap"}])
    def test_lead_through_everything_once_and_back(
        self, owner, batch, monkeypatch, order, filters
    ):
        monkeypatch.setattr(pages, "PAGE_SIZE", 2)
        for number in range(5):
            fault = "missing_read" if number % 2 else ""
            make_trajectory(batch=batch, number=number % 3, fault=fault)

        there, page = [], listed(owner, order, filters)
        assert page.before == ""
        while True:
            there.append([line.row.pk for line in page.rows])
            if not page.after:
                break
            page = listed(owner, order, filters, after=page.after)
        back = [there[-1]]
        while page.before:
            page = listed(owner, order, filters, before=page.before)
            back.insert(0, [line.row.pk for line in page.rows])

        assert [len(keys) for keys in there] == [2, 2, 1]
        assert back == there
        wanted = {
            "newest": lambda row: -row.pk,
            "oldest": lambda row: row.pk,
            "uncertain": lambda row: (-row.uncertainty, -row.pk),
            "burden": lambda row: (-row.burden, -row.pk),
        }[order]
        assert [*chain.from_iterable(there)] == [
            row.pk for row in sorted(ReviewItem.objects.all(), key=wanted)
        ]

    @pytest.mark.parametrize("key", ["x", "1_x", "nan_3", "_", "9" * 40])
    def test_know_their_own_keys(self, key):
        assert not any(order.reads(key) for order in ORDERS.values())

    def test_count_no_further_than_is_shown(self, owner, three, monkeypatch):
        monkeypatch.setattr(pages, "COUNTED", 2)

        assert listed(owner).counted == "2+"

    def test_count_less_far_what_two_filters_leave(self, owner, three, monkeypatch):
        monkeypatch.setattr(pages, "COLLECTED", 2)
        world = {"environment": [ReviewItem.objects.first().environment]}

        assert listed(owner, filters=world).counted == "3"
        assert listed(owner, filters={**world, "scripted": "yes"}).counted == "2+"

    def test_count_less_far_what_has_to_be_looked_up(self, owner, three, monkeypatch):
        tool = ReviewItem.objects.first().skeleton.split()[0]
        assert listed(owner, filters={"tool": tool}).counted == "3"
        monkeypatch.setattr(pages, "COLLECTED", 2)

        found = listed(owner, filters={"tool": tool})

        assert found.counted == "2+"
        assert len(found.rows) == 3

    def test_say_who_looks_at_what(self, owner, three):
        slot = lease_next(user=owner, at=NOW)

        held = {line.row.pk: line.held_by for line in listed(owner).rows}
        later = list_items(user=owner, filters={}, at=NOW + timedelta(hours=1))

        assert held[slot.item_id] == owner.username
        assert {line.held_by for line in later.rows} == {""}

    def test_do_not_take_what_is_leased_ahead_for_looked_at(self, owner, three):
        shown = lease_next(user=owner, at=NOW)
        ahead = lease_next(user=owner, at=NOW, held=[shown.pk], show=False)

        held = {line.row.pk: line.held_by for line in listed(owner).rows}

        assert held[shown.item_id] == owner.username
        assert held[ahead.item_id] == ""


def facet(user, name, **filters):
    found = {facet.name: facet for facet in list_facets(user=user, filters=filters)}
    return {choice.value: choice.count for choice in found[name].choices}


class TestFacets:
    def test_count_each_value_under_the_other_filters(self, owner, three):
        assert facet(owner, "accepted") == {"yes": 2, "no": 1}
        assert facet(owner, "failed") == {"evidence": 1, "provenance": 1}
        assert facet(owner, "kinds")["not_found"] == 1
        # its own filter does not narrow a facet, all others do
        assert facet(owner, "accepted", accepted=["no"]) == {"yes": 2, "no": 1}
        assert facet(owner, "kinds", accepted=["yes"]) == {"exact": 2, "said": 2}
        assert facet(owner, "accepted", q="zebra", accepted=["no"]) == {"no": 0}

    def test_agree_with_what_the_filters_find(self, owner, three):
        for name in ("archetype", "burden", "writes", "plan", "ended_by", "status"):
            for value, count in facet(owner, name).items():
                assert len(keys(owner, **{name: [value]})) == count, (name, value)

    def test_say_that_there_may_be_more(self, owner, three, monkeypatch):
        monkeypatch.setattr("writ_app.services.review.listing.facets.COUNTED", 1)

        found = {facet.name: facet for facet in list_facets(user=owner, filters={})}

        assert found["environment"].choices[0].shown == "2+"

    def test_count_less_far_with_more_filters(self, owner, three, monkeypatch):
        monkeypatch.setattr("writ_app.services.review.listing.facets.COUNTED", 3)

        def shown(filters):
            found = list_facets(user=owner, filters=filters)
            return next(one for one in found if one.name == "environment").choices[0]

        assert shown({}).shown == "3"
        # two passes, of one each: what is found, and what would be without the filter
        assert shown({"accepted": ["yes"]}).shown == "2+"
