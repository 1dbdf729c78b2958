"""Orders that say when they were placed: a departure of ours, for corrected mode only."""

from datetime import datetime, timedelta

import pytest

from environments.core.errors import BadDatabase
from environments.core.tools import Mode, ToolCall
from environments.retail import build, generated, read_state
from environments.retail.generator import generate

TIMES = {"placed_at", "delivered_at"}


@pytest.fixture(scope="module")
def timed():
    return generated(seed=5, users=40, timed=True)


def test_changes_nothing_else_in_the_shop(timed):
    plain = generated(seed=5, users=40).state.collections
    orders = {
        key: {name: value for name, value in order.items() if name not in TIMES}
        for key, order in timed.state.collections["orders"].items()
    }

    assert {**timed.state.collections, "orders": orders} == plain


def test_leaves_no_empty_fields_in_a_shop_without_times():
    for order in generated(seed=5, users=5).state.collections["orders"].values():
        assert not TIMES & order.keys()


def test_lets_an_order_arrive_two_to_seven_days_after_it_was_placed(timed):
    ways = [
        datetime.fromisoformat(order["delivered_at"])
        - datetime.fromisoformat(order["placed_at"])
        for order in timed.state.collections["orders"].values()
        if order["delivered_at"]
    ]

    assert len(ways) > 20
    assert all(timedelta(days=2) <= way < timedelta(days=7) for way in ways)


def test_says_when_only_what_arrived_was_delivered(timed):
    for order in timed.state.collections["orders"].values():
        arrived = order["status"] in (
            "delivered",
            "exchange requested",
            "return requested",
        )
        assert bool(order["delivered_at"]) == arrived


def test_shows_the_times_and_keeps_them_when_an_order_changes(timed):
    key, order = next(
        (key, order)
        for key, order in timed.state.collections["orders"].items()
        if order["status"] == "pending"
    )
    session = timed.session()
    session.call(
        ToolCall(
            name="cancel_pending_order",
            arguments={"order_id": key, "reason": "no longer needed"},
        )
    )

    after = session.state.get("orders", key)

    assert after["status"] == "cancelled"
    assert after["placed_at"] == order["placed_at"]


def test_is_refused_in_strict_mode(timed):
    with pytest.raises(BadDatabase, match="corrected"):
        build(state=timed.state, version="x", mode=Mode.STRICT)


def test_is_refused_when_a_time_is_missing():
    raw = generate(seed=5, users=3, timed=True)
    del next(iter(raw["orders"].values()))["placed_at"]

    with pytest.raises(BadDatabase, match="placed_at"):
        read_state(raw)
