"""What a read is needed for, in the words of its witness."""

import copy

import pytest

from tests.factories import make_batch, make_owner, make_trajectory, team_of
from tests.samples import sample_environment
from writ_app.services.review.leaves import value_text
from writ_app.services.review.page import compose_page
from writ_app.services.review.reader import load_item

pytestmark = pytest.mark.django_db


@pytest.fixture
def said():
    """What the page says of a patch of the first order that the certificate reads."""
    owner = make_owner()
    item = make_trajectory(batch=make_batch(team=team_of(owner), by=owner))
    row, environment = load_item(item.pk), sample_environment()
    content = copy.deepcopy(row.task.content)
    read = next(
        one
        for one in content["certificate"]
        if one["call"]["name"] == "get_order_details"
    )
    order = read["call"]["arguments"]["order_id"]
    record = environment.state.collections["orders"][order]

    def say(path, change):
        value = change(copy.deepcopy(record))
        read["witness"]["patch"] = [
            {"op": "replace", "path": f"/orders/{order}{path}", "value": value}
        ]
        row.task.content = content
        rows = compose_page(row=row, environment=environment).evidence
        found = next(one for one in rows if one.witness)
        return [(one.verb, one.value) for one in found.witness]

    return say


class TestAnObjectInAWitness:
    def test_is_told_by_what_differs_from_what_is_there(self, said):
        def cheaper(order):
            return {**order["items"][0], "price": 1.5, "options": {"color": "none"}}

        assert said("/items/0", cheaper) == [("had", "price $1.50, other options")]

    def test_says_all_where_nothing_of_it_is_there(self, said):
        ((verb, value),) = said("/items/99", lambda order: order["items"][0])

        assert verb == "were"
        assert "item_id" in value

    def test_prints_numbers_as_records_do(self, said):
        def odd(order):
            return {**order["items"][0], "price": -11.679999999999993}

        assert said("/items/0", odd) == [("had", "price −$11.68")]
        assert said("/items/0/price", lambda _: 11.679999999999993) == [
            ("were", "$11.68")
        ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (-11.679999999999993, "-11.68"),
        (12345678901.25, "12345678901.25"),
        (1e-9, "1e-09"),
        (3.0, "3.0"),
        (7, "7"),
        (True, "true"),
        ("1.10", "1.10"),
    ],
)
def test_a_value_is_printed_without_what_binary_fractions_leave_behind(value, text):
    assert value_text(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(-11.679999999999993, "−$11.68"), (1234, "$1,234"), (29.999999999999996, "$30")],
)
def test_dollars_are_printed_to_the_cent(value, text):
    assert value_text(value, dollars=True) == text
