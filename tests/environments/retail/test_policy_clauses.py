"""Every clause of the policy: checked over what happened, enforced by a tool (tested here under its number), or left to a reader."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from environments.core.environment import Environment, EnvironmentSession
from environments.core.state import Record
from environments.core.tools import ToolCall
from environments.retail import generated
from environments.retail.clauses import CLAUSES
from environments.retail.policy_checks import ENFORCED, FOR_READERS, POLICY_CHECKS

ADDRESS = {
    "address1": "1 Fern Street",
    "address2": "",
    "city": "Omaha",
    "state": "NE",
    "country": "USA",
    "zip": "68102",
}


@pytest.fixture(scope="module")
def shop() -> Environment:
    return generated(seed=3, users=80)


class Desk:
    """Calls on one session, on records of the shop's."""

    def __init__(self, shop: Environment):
        self.shop = shop
        self.session: EnvironmentSession = shop.session()

    def call(self, name: str, **arguments: Any) -> str:
        """The result's text, with "Error" first if the tool refused."""
        return self.session.call(ToolCall(name=name, arguments=arguments)).content

    def order(self, order_id: str) -> Record:
        return self.session.state.get("orders", order_id) or {}

    def find(
        self, status: str, fits: Callable[[Record, Record], Any] = lambda o, u: True
    ) -> tuple[Record, Record]:
        """An order with the status, and its user."""
        collections = self.shop.state.collections
        for order in collections["orders"].values():
            user = collections["users"][order["user_id"]]
            if order["status"] == status and fits(order, user):
                return order, user
        raise AssertionError(f"no such {status} order")

    def variants(self, line: Record) -> list[Record]:
        products = self.shop.state.collections["products"]
        return list(products[line["product_id"]]["variants"].values())

    def other(self, line: Record, *, available: bool = True) -> str:
        return next(
            variant["item_id"]
            for variant in self.variants(line)
            if variant["available"] == available
            and variant["item_id"] != line["item_id"]
        )

    def of_another_type(self, line: Record) -> str:
        products = self.shop.state.collections["products"]
        other = next(key for key in products if key != line["product_id"])
        return next(
            key for key, v in products[other]["variants"].items() if v["available"]
        )

    def swap(self, tool: str, order: Record, new: str, method: str = "") -> str:
        return self.call(
            tool,
            order_id=order["order_id"],
            item_ids=[order["items"][0]["item_id"]],
            new_item_ids=[new],
            payment_method_id=method or bottomless(self.shop, order),
        )

    def give_back(self, order: Record, method: str = "") -> str:
        return self.call(
            "return_delivered_order_items",
            order_id=order["order_id"],
            item_ids=[order["items"][0]["item_id"]],
            payment_method_id=method or paid_with(order),
        )


@pytest.fixture
def desk(shop: Environment) -> Desk:
    return Desk(shop)


MODIFY, EXCHANGE = "modify_pending_order_items", "exchange_delivered_order_items"
REPAY, CANCEL = "modify_pending_order_payment", "cancel_pending_order"


def paid_with(order: Record) -> str:
    method: str = order["payment_history"][0]["payment_method_id"]
    return method


def bottomless(shop: Environment, order: Record) -> str:
    methods = shop.state.collections["users"][order["user_id"]]["payment_methods"]
    return next(k for k, m in methods.items() if m["source"] != "gift_card")


def no_card(order: Record, user: Record) -> bool:
    return any(m["source"] != "gift_card" for m in user["payment_methods"].values())


def gift_cards(user: Record) -> list[str]:
    return [k for k, m in user["payment_methods"].items() if m["source"] == "gift_card"]


def refused(text: str) -> bool:
    return text.startswith("Error")


def test_every_clause_is_checked_enforced_or_left_to_a_reader() -> None:
    checked = {check.clause for check in POLICY_CHECKS}

    assert checked | ENFORCED.keys() | FOR_READERS.keys() == CLAUSES.keys()
    assert not FOR_READERS.keys() & (checked | ENFORCED.keys())


def test_every_enforced_clause_has_a_test_of_its_number() -> None:
    numbers = [re.match(r"test_(\d)_(\d)_", name) for name in vars(TestEnforced)]
    tested = {f"{found[1]}.{found[2]}" for found in numbers if found}

    assert tested == ENFORCED.keys()


class TestEnforced:
    def test_3_1_only_methods_of_the_profile(self, desk: Desk) -> None:
        order, _ = desk.find("pending")
        told = desk.call(
            REPAY, order_id=order["order_id"], payment_method_id="paypal_1"
        )
        assert "Payment method not found" in told

    def test_3_3_product_and_item_ids_are_unrelated(self, desk: Desk) -> None:
        order, _ = desk.find("delivered", no_card)
        line = order["items"][0]
        assert refused(desk.call("get_product_details", product_id=line["item_id"]))
        assert refused(desk.call("get_item_details", item_id=line["product_id"]))
        assert refused(desk.swap(EXCHANGE, order, line["product_id"]))

    def test_3_6_the_default_address_leaves_orders_as_they_are(
        self, desk: Desk
    ) -> None:
        order, user = desk.find("pending")
        before = dict(order["address"])
        assert not refused(
            desk.call("modify_user_address", user_id=user["user_id"], **ADDRESS)
        )
        assert desk.order(order["order_id"])["address"] == before != ADDRESS

    @pytest.mark.parametrize("status", ["processed", "delivered", "cancelled"])
    def test_4_1_only_pending_orders_are_cancelled(
        self, desk: Desk, status: str
    ) -> None:
        order, _ = desk.find(status)
        told = desk.call(CANCEL, order_id=order["order_id"], reason="no longer needed")
        assert "Non-pending order" in told

    def test_4_2_only_two_reasons(self, desk: Desk) -> None:
        order, _ = desk.find("pending")
        told = desk.call(CANCEL, order_id=order["order_id"], reason="too expensive")
        assert "Invalid reason" in told

    def test_4_3_a_gift_card_is_refunded_at_once(self, desk: Desk) -> None:
        order, user = desk.find("pending", lambda o, u: paid_with(o) in gift_cards(u))
        before = user["payment_methods"][paid_with(order)]["balance"]
        desk.call(CANCEL, order_id=order["order_id"], reason="ordered by mistake")
        after = desk.session.state.get("users", user["user_id"]) or {}
        amount = order["payment_history"][0]["amount"]
        balance = after["payment_methods"][paid_with(order)]["balance"]
        assert balance == pytest.approx(before + amount)
        assert desk.order(order["order_id"])["status"] == "cancelled"

    @pytest.mark.parametrize("status", ["processed", "delivered", "cancelled"])
    def test_5_1_only_pending_orders_change(self, desk: Desk, status: str) -> None:
        order, _ = desk.find(status, no_card)
        key = {"order_id": order["order_id"]}
        texts = [
            desk.call("modify_pending_order_address", **key, **ADDRESS),
            desk.call(REPAY, **key, payment_method_id=bottomless(desk.shop, order)),
            desk.swap(MODIFY, order, desk.other(order["items"][0])),
        ]
        assert all("Non-pending order" in text for text in texts)

    def test_5_1_another_product_type_is_refused(self, desk: Desk) -> None:
        order, _ = desk.find("pending", no_card)
        new = desk.of_another_type(order["items"][0])
        assert "Variant not found" in desk.swap(MODIFY, order, new)

    def test_5_2_the_payment_moves_once_to_another_method_that_covers_it(
        self, desk: Desk
    ) -> None:
        order, user = desk.find("pending", lambda o, u: len(u["payment_methods"]) > 1)
        key = {"order_id": order["order_id"]}
        same = desk.call(REPAY, **key, payment_method_id=paid_with(order))
        assert "should be different" in same
        poor, owner = desk.find(
            "pending",
            lambda o, u: any(
                m["balance"] < o["payment_history"][0]["amount"]
                for k, m in u["payment_methods"].items()
                if k in gift_cards(u) and k != paid_with(o)
            ),
        )
        short = desk.call(
            REPAY,
            order_id=poor["order_id"],
            payment_method_id=gift_cards(owner)[0],
        )
        assert "Insufficient gift card balance" in short
        other = next(
            k
            for k, m in user["payment_methods"].items()
            if k != paid_with(order)
            and m.get("balance", 10**6) > order["payment_history"][0]["amount"]
        )
        assert not refused(desk.call(REPAY, **key, payment_method_id=other))
        again = desk.call(REPAY, **key, payment_method_id=paid_with(order))
        assert "exactly one payment" in again

    def test_5_3_an_available_version_with_other_options(self, desk: Desk) -> None:
        order, _ = desk.find(
            "pending",
            lambda o, u: (
                no_card(o, u)
                and any(
                    not v["available"]
                    for v in desk.variants(o["items"][0])
                    if v["item_id"] != o["items"][0]["item_id"]
                )
            ),
        )
        line = order["items"][0]
        sold_out = desk.other(line, available=False)
        assert "not found or available" in desk.swap(MODIFY, order, sold_out)
        assert "should be different" in desk.swap(MODIFY, order, line["item_id"])

    def test_5_4_items_change_once_and_lock_the_order(self, desk: Desk) -> None:
        order, _ = desk.find("pending", no_card)
        line = order["items"][0]
        assert not refused(desk.swap(MODIFY, order, desk.other(line)))
        changed = desk.order(order["order_id"])
        assert changed["status"] == "pending (item modified)"
        assert refused(desk.swap(MODIFY, changed, line["item_id"]))
        assert refused(
            desk.call(CANCEL, order_id=order["order_id"], reason="no longer needed")
        )

    @pytest.mark.parametrize(
        ("tool", "status"), [(MODIFY, "pending"), (EXCHANGE, "delivered")]
    )
    def test_5_5_a_gift_card_covers_the_difference(
        self, desk: Desk, tool: str, status: str
    ) -> None:
        """7.3 says the same of exchanges."""

        def too_dear(order: Record, user: Record) -> list[str]:
            line = order["items"][0]
            return [
                variant["item_id"]
                for variant in desk.variants(line)
                for card in gift_cards(user)[:1]
                if variant["available"]
                and variant["price"] - line["price"]
                > user["payment_methods"][card]["balance"]
            ]

        order, user = desk.find(status, too_dear)
        new = too_dear(order, user)[0]
        told = desk.swap(tool, order, new, gift_cards(user)[0])
        assert "Insufficient gift card balance" in told

    test_7_3_a_gift_card_covers_the_difference = (
        test_5_5_a_gift_card_covers_the_difference
    )

    @pytest.mark.parametrize("status", ["pending", "processed", "cancelled"])
    def test_6_1_only_delivered_things_are_returned(
        self, desk: Desk, status: str
    ) -> None:
        order, _ = desk.find(status)
        assert "Non-delivered order" in desk.give_back(order)

    def test_6_2_the_refund_goes_to_the_original_method_or_a_gift_card(
        self, desk: Desk
    ) -> None:
        order, user = desk.find(
            "delivered",
            lambda o, u: (
                gift_cards(u)
                and any(
                    k != paid_with(o)
                    for k in u["payment_methods"]
                    if k not in gift_cards(u)
                )
            ),
        )
        wrong = next(
            k
            for k in user["payment_methods"]
            if k not in gift_cards(user) and k != paid_with(order)
        )
        assert "original payment method" in desk.give_back(order, wrong)
        assert not refused(desk.give_back(order, gift_cards(user)[0]))

    def test_6_3_a_return_sets_the_status(self, desk: Desk) -> None:
        order, _ = desk.find("delivered")
        assert not refused(desk.give_back(order))
        assert desk.order(order["order_id"])["status"] == "return requested"

    @pytest.mark.parametrize("status", ["pending", "processed", "cancelled"])
    def test_7_1_only_delivered_things_are_exchanged(
        self, desk: Desk, status: str
    ) -> None:
        order, _ = desk.find(status, no_card)
        told = desk.swap(EXCHANGE, order, desk.other(order["items"][0]))
        assert "Non-delivered order" in told

    def test_7_1_not_for_another_type_of_product_nor_for_what_is_sold_out(
        self, desk: Desk
    ) -> None:
        order, _ = desk.find(
            "delivered",
            lambda o, u: (
                no_card(o, u)
                and any(
                    not v["available"]
                    for v in desk.variants(o["items"][0])
                    if v["item_id"] != o["items"][0]["item_id"]
                )
            ),
        )
        line = order["items"][0]
        told = desk.swap(EXCHANGE, order, desk.of_another_type(line))
        assert "Variant not found" in told
        told = desk.swap(EXCHANGE, order, desk.other(line, available=False))
        assert "not found or available" in told

    def test_7_2_an_order_is_exchanged_once(self, desk: Desk) -> None:
        order, _ = desk.find("delivered", no_card)
        new = desk.other(order["items"][0])
        assert not refused(desk.swap(EXCHANGE, order, new))
        assert "Non-delivered order" in desk.swap(EXCHANGE, order, new)

    def test_7_4_an_exchange_makes_no_new_order(self, desk: Desk) -> None:
        order, _ = desk.find("delivered", no_card)
        before = set(desk.session.state.keys("orders"))
        desk.swap(EXCHANGE, order, desk.other(order["items"][0]))
        assert desk.order(order["order_id"])["status"] == "exchange requested"
        assert set(desk.session.state.keys("orders")) == before

    def test_7_5_a_return_or_an_exchange_and_never_both(self, desk: Desk) -> None:
        order, _ = desk.find("delivered", no_card)
        new = desk.other(order["items"][0])
        assert not refused(desk.swap(EXCHANGE, order, new))
        assert "Non-delivered order" in desk.give_back(order)
        other, _ = desk.find("delivered", lambda o, u: o != order and no_card(o, u))
        assert not refused(desk.give_back(other))
        assert "Non-delivered order" in desk.swap(
            EXCHANGE, other, desk.other(other["items"][0])
        )
