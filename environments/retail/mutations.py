"""Admissible small changes of the retail database: what else a read could have shown.

Admissible is every database of the same shape under the same tools and policy (open world per tool) in which the request still
describes something. Each patch keeps to one record, so that it stays easy to read.
"""

import random
from collections.abc import Iterator
from itertools import product as product_of
from typing import Any

from environments.core.domain import Patch
from environments.core.pointers import pointer
from environments.core.state import Record, Session, plain_copy
from environments.core.tools import ToolCall


def mutations(session: Session, call: ToolCall, rng: random.Random) -> Iterator[Patch]:
    """Patches of the record that `call` shows, the plainest first."""
    key = next(iter(call.arguments.values()), "")
    match call.name:
        case "get_product_details":
            record = session.get("products", key)
            yield from _product(record, rng) if record else ()
        case "get_order_details":
            record = session.get("orders", key)
            yield from _order(session, record, rng) if record else ()
        case "get_user_details":
            record = session.get("users", key)
            yield from _user(record, rng) if record else ()


def _product(product: Record, rng: random.Random) -> Iterator[Patch]:
    variants = product["variants"]
    available = [variant for variant in variants.values() if variant["available"]]
    prices = sorted(variant["price"] for variant in available) or [100.0]
    for price in (
        prices[0] * 0.9,
        (prices[0] + prices[-1]) / 2 + 0.37,
        prices[-1] * 1.1,
    ):
        yield [_new_variant(product, round(price, 2), rng)]
    for variant in variants.values():
        path = pointer(
            "products",
            product["product_id"],
            "variants",
            variant["item_id"],
            "available",
        )
        yield [{"op": "replace", "path": path, "value": not variant["available"]}]


def _new_variant(product: Record, price: float, rng: random.Random) -> dict[str, Any]:
    """A step that adds a variant at that price, under an id that nobody has seen and with options that no other one has."""
    item_id = str(rng.randrange(10**9, 10**10))
    variant = {
        "item_id": item_id,
        "options": _new_options(product, rng),
        "available": True,
        "price": price,
    }
    return {
        "op": "add",
        "path": pointer("products", product["product_id"], "variants", item_id),
        "value": variant,
    }


def _new_options(product: Record, rng: random.Random) -> dict[str, str]:
    present = [variant["options"] for variant in product["variants"].values()]
    names = list(present[0])
    values = [
        list(dict.fromkeys(options[name] for options in present)) for name in names
    ]
    unused = [
        options
        for chosen in product_of(*values)
        if (options := dict(zip(names, chosen, strict=True))) not in present
    ]
    return (
        rng.choice(unused)
        if unused
        else {**rng.choice(present), names[-1]: "special edition"}
    )


def _order(session: Session, order: Record, rng: random.Random) -> Iterator[Patch]:
    base = pointer("orders", order["order_id"])
    dear = round(9000 + rng.randrange(100_000) / 100, 2)
    yield from _other_status(base, order["status"], dear)
    for amount in (dear, 1.0):
        yield [_amount(base, amount)]
    yield from _other_payer(session, base, order)
    for number, line in enumerate(order["items"]):
        for price in (dear, 1.0):
            yield [
                {
                    "op": "replace",
                    "path": f"{base}/items/{number}/price",
                    "value": price,
                }
            ]
        yield from _other_item(session, f"{base}/items/{number}", line)


def _other_status(base: str, status: str, dear: float) -> Iterator[Patch]:
    for other in ("pending", "delivered", "processed"):
        if other != status:
            changed = {"op": "replace", "path": f"{base}/status", "value": other}
            yield [changed]
            yield [
                changed,
                {"op": "replace", "path": f"{base}/items/0/price", "value": dear},
            ]
            yield [changed, _amount(base, dear)]


def _other_payer(session: Session, base: str, order: Record) -> Iterator[Patch]:
    user = session.get("users", order["user_id"])
    for method_id in user["payment_methods"] if user else ():
        if method_id != order["payment_history"][0]["payment_method_id"]:
            path = f"{base}/payment_history/0/payment_method_id"
            yield [{"op": "replace", "path": path, "value": method_id}]


def _other_item(session: Session, path: str, line: Record) -> Iterator[Patch]:
    product = session.get("products", line["product_id"])
    for item_id, variant in (product or {"variants": {}})["variants"].items():
        if item_id != line["item_id"]:
            new = {
                "item_id": item_id,
                "price": variant["price"],
                "options": plain_copy(variant["options"]),
            }
            yield [{"op": "replace", "path": path, "value": {**line, **new}}]


def _amount(base: str, amount: float) -> dict[str, Any]:
    return {
        "op": "replace",
        "path": f"{base}/payment_history/0/amount",
        "value": amount,
    }


def _user(user: Record, rng: random.Random) -> Iterator[Patch]:
    base = pointer("users", user["user_id"])
    for method_id, method in user["payment_methods"].items():
        path = f"{base}{pointer('payment_methods', method_id)}"
        if method["source"] == "gift_card":
            for balance in (0.0, 20_000.0):
                yield [{"op": "replace", "path": f"{path}/balance", "value": balance}]
        new_id = f"{method['source']}_{rng.randrange(10**6, 10**7)}"
        renamed = {
            "op": "add",
            "path": f"{base}{pointer('payment_methods', new_id)}",
            "value": {**method, "id": new_id},
        }
        yield [{"op": "remove", "path": path}, renamed]


def swaps(session: Session, one: ToolCall, other: ToolCall) -> Iterator[Patch]:
    """Two orders of one customer trade everything but their numbers."""
    if one.name != "get_order_details" or other.name != "get_order_details":
        return
    first, second = (
        session.get("orders", call.arguments["order_id"]) for call in (one, other)
    )
    if first and second and first["user_id"] == second["user_id"]:
        yield [
            {
                "op": "replace",
                "path": pointer("orders", here["order_id"]),
                "value": {**plain_copy(there), "order_id": here["order_id"]},
            }
            for here, there in ((first, second), (second, first))
        ]
