"""Admissible small changes of the retail database: what else a read could have shown.

Admissible is every database of the same shape under the same tools and policy (open world per tool) in which the request still
describes something. Each patch keeps to one record, so that it stays easy to read.
"""

import random
from collections import Counter
from collections.abc import Iterator
from itertools import product as product_of
from itertools import zip_longest
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
    """One more variant, a variant under another id, one that is sold out or to be had, then changes of several at once."""
    variants = product["variants"]
    available = [variant for variant in variants.values() if variant["available"]]
    prices = sorted(variant["price"] for variant in available) or [100.0]
    middle = (prices[0] + prices[-1]) / 2 + 0.37
    for price in (prices[0] * 0.9, prices[-1] * 1.1, middle):
        yield [_new_variant(product, round(price, 2), rng)]
    for variant in available:
        yield _renamed(product, variant, rng)
    for variant in variants.values():
        yield [_in_stock(product, variant, not variant["available"])]
    # For counts, sums and the dearest: what one more or one less of them does not tip.
    sold_out = [_in_stock(product, variant, False) for variant in available]
    yield [_new_variant(product, round(prices[-1] * 10, 2), rng)]
    yield sold_out
    taken: list[Record] = []
    yield [_new_variant(product, round(middle, 2), rng, taken) for _ in range(4)]
    # What the customer has shows by itself (get_item_details), so that each one in turn is left as it is.
    for kept in range(len(available)):
        cheap = _new_variant(product, round(prices[0] / 2, 2), rng)
        yield [*sold_out[:kept], *sold_out[kept + 1 :], cheap]


def _in_stock(product: Record, variant: Record, available: bool) -> dict[str, Any]:
    place = ("products", product["product_id"], "variants", variant["item_id"])
    path = pointer(*place, "available")
    return {"op": "replace", "path": path, "value": available}


def _renamed(product: Record, variant: Record, rng: random.Random) -> Patch:
    """The same variant under an id that nobody has seen."""
    base = pointer("products", product["product_id"], "variants")
    item_id = str(rng.randrange(10**9, 10**10))
    return [
        {"op": "remove", "path": f"{base}{pointer(variant['item_id'])}"},
        {
            "op": "add",
            "path": f"{base}{pointer(item_id)}",
            "value": {**variant, "item_id": item_id},
        },
    ]


def _new_variant(
    product: Record, price: float, rng: random.Random, taken: list[Record] | None = None
) -> dict[str, Any]:
    """A step that adds a variant at that price, under an id that nobody has seen and with options that no other one has.

    `taken` are options of variants that are added beside it; its own are put there.
    """
    item_id = str(rng.randrange(10**9, 10**10))
    variant = {
        "item_id": item_id,
        "options": _new_options(product, rng, taken),
        "available": True,
        "price": price,
    }
    return {
        "op": "add",
        "path": pointer("products", product["product_id"], "variants", item_id),
        "value": variant,
    }


def _new_options(
    product: Record, rng: random.Random, taken: list[Record] | None
) -> dict[str, str]:
    present = [variant["options"] for variant in product["variants"].values()]
    present += taken or []
    names = list(present[0])
    values = [
        list(dict.fromkeys(options[name] for options in present)) for name in names
    ]
    unused = [
        options
        for combined in product_of(*values)
        if (options := dict(zip(names, combined, strict=True))) not in present
    ]
    if unused:
        chosen = rng.choice(unused)
    else:
        edition = f"edition {rng.randrange(100, 1000)}"
        chosen = {**rng.choice(present), names[-1]: edition}
    if taken is not None:
        taken.append(chosen)
    return chosen


def _order(session: Session, order: Record, rng: random.Random) -> Iterator[Patch]:
    """Changes of each kind in turn, since nobody knows which one matters."""
    base = pointer("orders", order["order_id"])
    dear = round(9000 + rng.randrange(100_000) / 100, 2)
    kinds = (
        _other_status(base, order["status"], dear),
        _other_item(session, base, order, rng),
        _other_price(base, order, dear),
        iter([[_amount(base, dear)], [_amount(base, 1.0)]]),
        _other_payer(session, base, order),
        _other_color(session, base, order),
        _other_address(session, base, order),
        _other_content(session, base, order, dear),
    )
    for patches in zip_longest(*kinds):
        yield from (patch for patch in patches if patch is not None)


def _replaced(path: str, value: Any) -> dict[str, Any]:
    return {"op": "replace", "path": path, "value": value}


def _other_status(base: str, status: str, dear: float) -> Iterator[Patch]:
    """Another status; then one with which the order outdoes all others."""
    others = [
        other for other in ("pending", "delivered", "processed") if other != status
    ]
    for other in (*others, "cancelled"):  # the clause for all the rest may be another
        yield [_replaced(f"{base}/status", other)]
    for other in others:
        changed = _replaced(f"{base}/status", other)
        yield [changed, _replaced(f"{base}/items/0/price", dear), _amount(base, dear)]


def _other_price(base: str, order: Record, dear: float) -> Iterator[Patch]:
    """Each line the dearest that there is; and all of them cheap."""
    places = [f"{base}/items/{number}/price" for number in range(len(order["items"]))]
    yield [_replaced(places[0], dear)]
    yield [_replaced(place, round(1.0 + n / 4, 2)) for n, place in enumerate(places)]
    yield from ([_replaced(place, dear)] for place in places[1:])


def _other_payer(session: Session, base: str, order: Record) -> Iterator[Patch]:
    user = session.get("users", order["user_id"])
    for method_id in user["payment_methods"] if user else ():
        if method_id != order["payment_history"][0]["payment_method_id"]:
            yield [_replaced(f"{base}/payment_history/0/payment_method_id", method_id)]


def _other_item(
    session: Session, base: str, order: Record, rng: random.Random
) -> Iterator[Patch]:
    """Other variants of what was ordered, those in another color first: in turn for each line, up to four."""
    rounds: list[list[Patch]] = [[] for _ in range(4)]
    for number, line in enumerate(order["items"]):
        product = session.get("products", line["product_id"])
        variants = (product or _NOTHING)["variants"]
        others = [variants[key] for key in variants if key != line["item_id"]]
        rng.shuffle(others)
        for variant, patches in zip(_colors_first(line, others), rounds, strict=False):
            new = {
                "item_id": variant["item_id"],
                "price": variant["price"],
                "options": plain_copy(variant["options"]),
            }
            patches.append([_replaced(f"{base}/items/{number}", {**line, **new})])
    for patches in rounds:
        yield from patches


def _colors_first(line: Record, others: list[Record]) -> list[Record]:
    """One of each other color, then the rest."""
    seen = {line["options"].get("color")}
    first: list[Record] = []
    rest: list[Record] = []
    for variant in others:
        color = variant["options"].get("color")
        (rest if color in seen else first).append(variant)
        seen.add(color)
    return first + rest


def _other_color(session: Session, base: str, order: Record) -> Iterator[Patch]:
    """Two colors of each other thing that the customer has, for all that has a color here."""
    others = sorted(
        _other_orders(session, order), key=lambda other: other["status"] != "delivered"
    )
    colors: dict[str, None] = {}
    for line in (line for other in others for line in other["items"]):
        product = session.get("products", line["product_id"]) or _NOTHING
        sold = [
            variant["options"]["color"]
            for variant in product["variants"].values()
            if variant["available"]
            and "color" in variant["options"]
            and variant["item_id"] != line["item_id"]
        ]
        fresh = [color for color in dict.fromkeys(sold) if color not in colors]
        colors.update(dict.fromkeys(fresh[:2]))
    has = {
        f"{base}/items/{number}/options/color": line["options"]["color"]
        for number, line in enumerate(order["items"])
        if "color" in line["options"]
    }
    for color in list(colors)[:12]:
        changed = [
            _replaced(place, color) for place, had in has.items() if had != color
        ]
        if changed:
            yield changed


_NOTHING: Record = {"variants": {}}


def _other_address(session: Session, base: str, order: Record) -> Iterator[Patch]:
    """Another house number; then each address that the customer has elsewhere."""
    street = order["address"]["address1"]
    yield [_replaced(f"{base}/address/address1", f"1{street}")]
    user, known = session.get("users", order["user_id"]), [order["address"]]
    for place in (user, *_other_orders(session, order)):
        if place is not None and place["address"] not in known:
            known.append(place["address"])
            yield [
                _replaced(f"{base}/address/{name}", value)
                for name, value in place["address"].items()
                if value != order["address"][name]
            ]


def _other_content(
    session: Session, base: str, order: Record, dear: float
) -> Iterator[Patch]:
    """Delivered, and with something in it, at a high price, that the customer has elsewhere: what they have most of first."""
    held = [line for other in _other_orders(session, order) for line in other["items"]]
    times = Counter(line["product_id"] for line in held)
    known = {line["product_id"] for line in order["items"]}
    status = order["status"]
    delivered = [_replaced(f"{base}/status", "delivered")]
    for product_id, _ in times.most_common(3):
        if product_id not in known:
            line = next(line for line in held if line["product_id"] == product_id)
            moved = {**plain_copy(line), "price": dear}
            yield [
                *(delivered if status != "delivered" else ()),
                _replaced(f"{base}/items/0", moved),
            ]


def _other_orders(session: Session, order: Record) -> Iterator[Record]:
    user = session.get("users", order["user_id"])
    for order_id in user["orders"] if user else ():
        other = session.get("orders", order_id)
        if other is not None and order_id != order["order_id"]:
            yield other


def _amount(base: str, amount: float) -> dict[str, Any]:
    return _replaced(f"{base}/payment_history/0/amount", amount)


def _user(user: Record, rng: random.Random) -> Iterator[Patch]:
    base = pointer("users", user["user_id"])
    for method_id, method in user["payment_methods"].items():
        path = f"{base}{pointer('payment_methods', method_id)}"
        if method["source"] == "gift_card":
            for balance in (0.0, 20_000.0):
                yield [_replaced(f"{path}/balance", balance)]
        four = method.get("last_four", "")
        if four[2:3] != four[3:]:
            yield [_replaced(f"{path}/last_four", four[:2] + four[3:] + four[2:3])]
        new_id = f"{method['source']}_{rng.randrange(10**6, 10**7)}"
        renamed = {
            "op": "add",
            "path": f"{base}{pointer('payment_methods', new_id)}",
            "value": {**method, "id": new_id},
        }
        yield [{"op": "remove", "path": path}, renamed]
    for number in range(len(user["orders"])):
        yield [{"op": "remove", "path": base + pointer("orders", number)}]


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
