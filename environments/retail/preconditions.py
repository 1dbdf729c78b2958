"""What the retail policy wants to be so before each write, and where a reader sees whether it is."""

from collections.abc import Iterator, Mapping
from typing import Any

from environments.core.policy import FactPlace, Precondition
from environments.core.state import Record, Session
from environments.core.tools import ToolCall
from environments.retail.tools import CANCEL_REASONS

_STATUS = {
    "cancel_pending_order": ("4.1", "pending"),
    "modify_pending_order_address": ("5.1", "pending"),
    "modify_pending_order_payment": ("5.1", "pending"),
    "modify_pending_order_items": ("5.1", "pending"),
    "return_delivered_order_items": ("6.1", "delivered"),
    "exchange_delivered_order_items": ("7.1", "delivered"),
}
"""Write → (clause, status that the order must have)."""
_SWAPS = {
    "modify_pending_order_items": ("5.3", "5.5"),
    "exchange_delivered_order_items": ("7.1", "7.3"),
}
"""Write → (clause on the new items, clause on paying the difference)."""


def preconditions(call: ToolCall, session: Session) -> Iterator[Precondition]:
    """In the order in which somebody would look: the order, its items, the money."""
    arguments = call.arguments
    order = session.get("orders", arguments.get("order_id"))
    if order is None or call.name not in _STATUS:
        return
    clause, status = _STATUS[call.name]
    yield Precondition(
        clause,
        f"the order is {status}",
        order["status"],
        order["status"] == status,
        (_in_order(order, "/status"),),
    )
    if call.name == "cancel_pending_order":
        yield _reason(arguments["reason"])
    if "item_ids" in arguments:
        yield _items(order, arguments["item_ids"], clause)
    if call.name in _SWAPS:
        yield from _swaps(call, order, session)
    if "payment_method_id" in arguments:
        yield from _money(call, order, session)


def _in_order(order: Record, pointer: str) -> FactPlace:
    return FactPlace({"order_id": order["order_id"]}, pointer)


def _reason(reason: str) -> Precondition:
    return Precondition(
        "4.2", "the reason is an accepted one", reason, reason in CANCEL_REASONS
    )


def _items(order: Record, wanted: list[str], clause: str) -> Precondition:
    there = [item["item_id"] for item in order["items"]]
    lacking = [item for item in wanted if wanted.count(item) > there.count(item)]
    places = [there.index(item) for item in dict.fromkeys(wanted) if item in there]
    return Precondition(
        clause,
        "the items are in the order",
        f"not in it: {', '.join(dict.fromkeys(lacking))}"
        if lacking
        else f"{len(wanted)} of {len(there)} items",
        not lacking,
        tuple(_in_order(order, f"/items/{place}/item_id") for place in places),
    )


def _swaps(call: ToolCall, order: Record, session: Session) -> Iterator[Precondition]:
    """Each new item can be had, and is another version of the same product."""
    clause, _ = _SWAPS[call.name]
    products = {item["item_id"]: item["product_id"] for item in order["items"]}
    pairs = zip(
        call.arguments["item_ids"], call.arguments["new_item_ids"], strict=False
    )
    for old, new in pairs:
        variant = _variant(session, new)
        same = session.lookup("product_by_item", new) == products.get(old, "")
        available = bool(variant and variant["available"])
        found = (
            "of another product"
            if not same
            else "the item itself"
            if old == new
            else "available"
            if available
            else "sold out"
        )
        yield Precondition(
            clause,
            f"{new} is an available version of {old}",
            found,
            same and available and old != new,
            (FactPlace({"item_id": new}, "/available"),),
        )


def _variant(session: Session, item_id: str) -> Record | None:
    product = session.get("products", session.lookup("product_by_item", item_id))
    return product["variants"].get(item_id) if product else None


def _money(call: ToolCall, order: Record, session: Session) -> Iterator[Precondition]:
    """The method is the customer's, the clause lets it be used, and a gift card covers what is to be paid."""
    method_id = call.arguments["payment_method_id"]
    user = session.get("users", order["user_id"]) or {}
    method: Mapping[str, Any] = user.get("payment_methods", {}).get(method_id, {})
    place = f"/payment_methods/{method_id}"
    in_profile = {"user_id": order["user_id"]}
    yield Precondition(
        "3.1",
        "the payment method is in the profile",
        method.get("source", "not there").replace("_", " "),
        bool(method),
        (FactPlace(in_profile, f"{place}/id"),),
    )
    paid_with = order["payment_history"][0]["payment_method_id"]
    paid = _in_order(order, "/payment_history/0/payment_method_id")
    if call.name == "return_delivered_order_items":
        gift_card = method.get("source") == "gift_card"
        yield Precondition(
            "6.2",
            "the refund goes to the original method or a gift card",
            "the original method"
            if method_id == paid_with
            else "a gift card"
            if gift_card
            else f"paid with {paid_with}",
            method_id == paid_with or gift_card,
            (paid,),
        )
        return
    if call.name == "modify_pending_order_payment":
        once = len(order["payment_history"]) == 1
        yield Precondition(
            "5.2",
            "another method, and the first change",
            f"paid with {paid_with}" if once else "changed before",
            once and method_id != paid_with,
            (paid,),
        )
    due = _due(call, order, session)
    if method.get("source") == "gift_card" and due > 0:
        clause = _SWAPS[call.name][1] if call.name in _SWAPS else "5.2"
        yield Precondition(
            clause,
            f"the gift card covers ${due:,.2f}",
            f"${method['balance']:,.2f}",
            method["balance"] >= due,
            (FactPlace(in_profile, f"{place}/balance"),),
        )


def _due(call: ToolCall, order: Record, session: Session) -> float:
    """What has to be paid, in dollars."""
    if call.name not in _SWAPS:
        return float(order["payment_history"][0]["amount"])
    prices = {item["item_id"]: item["price"] for item in order["items"]}
    arguments = call.arguments
    new = sum(
        (_variant(session, item) or {}).get("price", 0)
        for item in arguments["new_item_ids"]
    )
    old = sum(prices.get(item, 0) for item in arguments["item_ids"])
    return round(float(new - old), 2)
