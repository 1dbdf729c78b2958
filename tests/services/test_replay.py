"""Replays: what writes change, and what becomes of the state when one is left out or made later."""

import pytest

from environments.core.tools import ToolCall
from environments.retail import generated
from writ_app.services.review.replay import compare, left_out, swapped, try_writes


@pytest.fixture(scope="module")
def shop():
    return generated(seed=3, users=80)


@pytest.fixture
def order(shop):
    rows = shop.state.collections["orders"].values()
    return next(row for row in rows if row["status"] == "pending")


def address(order, line):
    return ToolCall(
        name="modify_pending_order_address",
        arguments={
            "order_id": order["order_id"],
            "address1": line,
            "address2": "",
            "city": "Omaha",
            "state": "NE",
            "country": "USA",
            "zip": "68102",
        },
    )


def cancelling(order):
    return ToolCall(
        name="cancel_pending_order",
        arguments={"order_id": order["order_id"], "reason": "no longer needed"},
    )


def test_what_only_one_side_does_is_said_at_the_line(shop, order):
    one, other = [address(order, "1 Fern Street")], [address(order, "2 Oak Road")]

    same = compare(shop, one, one)
    apart = compare(shop, one, other)

    assert same.equal
    assert same.apart == ()
    assert not apart.equal
    assert {line.only for group in apart.apart for line in group.lines} == {
        "gold",
        "actual",
    }


def test_a_write_that_changes_nothing_more_is_not_needed(shop, order):
    writes = [address(order, "1 Fern Street"), address(order, "1 Fern Street")]

    first, second = try_writes(shop, writes, writes)

    assert first.without.same
    assert second.without.same
    assert first.swapped is not None
    assert first.swapped.same


def test_an_order_that_matters_says_which_write_is_then_refused(shop, order):
    writes = [address(order, "1 Fern Street"), cancelling(order)]

    moved, cancelled = try_writes(shop, writes, writes)

    assert moved.swapped is not None
    assert not moved.swapped.same
    assert moved.swapped.refused == (1,)
    assert moved.without.rows == 1
    assert cancelled.swapped is None
    assert not cancelled.without.same


def test_a_superfluous_write_is_told_from_those_of_the_goal(shop, order):
    goal = [address(order, "1 Fern Street")]
    made = [*goal, cancelling(order)]

    right, superfluous = try_writes(shop, made, goal)

    assert superfluous.without.same
    assert not right.without.same


def test_of_many_writes_nothing_is_tried_beforehand(shop, order):
    writes = [address(order, f"{n} Fern Street") for n in range(9)]

    assert try_writes(shop, writes, writes) == ()


def test_left_out_and_swapped_count_from_one(order):
    writes = [address(order, "1"), address(order, "2"), cancelling(order)]

    assert left_out(writes, 1) == writes[1:]
    assert swapped(writes, 2) == [writes[0], writes[2], writes[1]]
