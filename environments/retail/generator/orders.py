"""Orders: what was bought, how it was paid, and what its status says has happened since."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

from environments.core.chance import Json, Source
from environments.retail.generator.money import to_cents, to_dollars

STATUS_DECK: dict[str, int] = {
    "delivered": 40,
    "pending": 38,
    "processed": 10,
    "cancelled": 8,
    "exchange requested": 2,
    "return requested": 1,
    "pending (item modified)": 1,
}
CANCEL_REASONS = ("no longer needed", "ordered by mistake")
LINES_PER_ORDER = {1: 18, 2: 28, 3: 24, 4: 17, 5: 13}
GIFT_CARD_PAYS_UP_TO = 40_000
"""In cents. Nobody holds a gift card worth a whole living room."""


def make_order(source: Source, user: Json, products: Json, address: Json) -> Json:
    """An order of a user to an address, at whatever stage the status deck says."""
    count = source.weighted(LINES_PER_ORDER)
    lines = _make_lines(source.rng, list(products.values()), count)
    total = _total(lines)
    method_id = _paying_method(source.rng, user, total)
    order: Json = {
        "order_id": source.number("#W", 7),
        "user_id": user["user_id"],
        "address": dict(address),
        "items": lines,
        "status": source.deal(STATUS_DECK),
        "fulfillments": [],
        "payment_history": [_payment("payment", total, method_id)],
        "cancel_reason": None,
        "exchange_items": None,
        "exchange_new_items": None,
        "exchange_payment_method_id": None,
        "exchange_price_difference": None,
        "return_items": None,
        "return_payment_method_id": None,
    }
    _follow_status(source, order, user, products)
    return order


def add_times(order: Json, rng: Random) -> None:
    """When it was placed and, of what arrived, when that was. Orders still open are young, others up to four months old."""
    arrived = order["status"] in _ARRIVED
    days = rng.randint(8, 120) if arrived else rng.randint(0, 7)
    placed = SHOP_TODAY - timedelta(days=days, seconds=rng.randrange(86_400))
    order["placed_at"] = placed.isoformat()
    order["delivered_at"] = None
    if arrived:
        way = timedelta(days=rng.randint(2, 6), seconds=rng.randrange(86_400))
        order["delivered_at"] = (placed + way).isoformat()


SHOP_TODAY = datetime.fromisoformat("2025-06-30T00:00:00")
_ARRIVED = ("delivered", "exchange requested", "return requested")


def _make_lines(rng: Random, products: Sequence[Json], count: int) -> list[Json]:
    """Mostly distinct products; now and then the last line repeats the product before it."""
    chosen = rng.sample(products, count)
    lines = [_make_line(rng, product, _any_variant(rng, product)) for product in chosen]
    if count > 1 and rng.random() < 0.06:
        twin, product = lines[-2], chosen[-2]
        if rng.random() < 0.6:
            lines[-1] = _make_line(rng, product, _any_variant(rng, product, twin))
        else:
            lines[-1] = {**twin, "options": dict(twin["options"])}
    return lines


def _any_variant(rng: Random, product: Json, other_than: Json | None = None) -> Json:
    variants = product["variants"]
    excluded = other_than and other_than["item_id"]
    variant: Json = variants[rng.choice([key for key in variants if key != excluded])]
    return variant


def _make_line(rng: Random, product: Json, variant: Json) -> Json:
    price = to_cents(variant["price"])
    # Prices move after a purchase, so an order cannot stand in for the product page.
    if rng.random() < 0.15:
        price += rng.choice((-1, 1)) * rng.randint(50, min(499, price * 15 // 100))
    return {
        "name": product["name"],
        "product_id": product["product_id"],
        "item_id": variant["item_id"],
        "price": to_dollars(price),
        "options": dict(variant["options"]),
    }


def _paying_method(rng: Random, user: Json, total: int) -> str:
    by_gift_card = total <= GIFT_CARD_PAYS_UP_TO
    methods = user["payment_methods"].values()
    able = [m for m in methods if by_gift_card or m["source"] != "gift_card"]
    return str(rng.choice(able)["id"])


def _follow_status(source: Source, order: Json, user: Json, products: Json) -> None:
    """Adds to a freshly paid order what its status says has happened since."""
    status, payment = order["status"], order["payment_history"][0]
    if status == "cancelled":
        order["payment_history"].append({**payment, "transaction_type": "refund"})
        order["cancel_reason"] = source.rng.choice(CANCEL_REASONS)
    elif status == "pending (item modified)":
        _modify_one_line(source.rng, order, user, products)
    elif status != "pending":
        order["fulfillments"] = _make_parcels(source, order["items"])
    if status == "exchange requested":
        _request_exchange(source.rng, order, user, products)
    if status == "return requested":
        sent_back = _some_lines(source.rng, order)
        order["return_items"] = sorted(line["item_id"] for line in sent_back)
        order["return_payment_method_id"] = payment["payment_method_id"]


def _make_parcels(source: Source, lines: Sequence[Json]) -> list[Json]:
    item_ids = [line["item_id"] for line in lines]
    cut = len(item_ids)
    if cut > 1 and source.rng.random() < 0.15:
        cut = source.rng.randrange(1, cut)
    parcels = [part for part in (item_ids[:cut], item_ids[cut:]) if part]
    return [
        {"tracking_id": [source.number("", 12)], "item_ids": parcel}
        for parcel in parcels
    ]


def _modify_one_line(rng: Random, order: Json, user: Json, products: Json) -> None:
    """One line only: with several, the tool prices them all as the last (SPEC §14.1, 1)."""
    line = rng.choice(order["items"])
    new = _replacement(rng, line, products)
    difference = to_cents(new["price"]) - to_cents(line["price"])
    options = dict(new["options"])
    line.update(item_id=new["item_id"], price=new["price"], options=options)
    kind = "payment" if difference > 0 else "refund"
    settled = _payment(kind, abs(difference), _settling_method(order, user))
    order["payment_history"].append(settled)


def _request_exchange(rng: Random, order: Json, user: Json, products: Json) -> None:
    old = _some_lines(rng, order)
    new = [_replacement(rng, line, products) for line in old]
    pairs = sorted(
        (line["item_id"], variant["item_id"])
        for line, variant in zip(old, new, strict=True)
    )
    order["exchange_items"] = [old_id for old_id, _ in pairs]
    order["exchange_new_items"] = [new_id for _, new_id in pairs]
    order["exchange_payment_method_id"] = _settling_method(order, user)
    order["exchange_price_difference"] = to_dollars(_total(new) - _total(old))


def _some_lines(rng: Random, order: Json) -> list[Json]:
    lines = order["items"]
    return rng.sample(lines, rng.randint(1, len(lines)))


def _replacement(rng: Random, line: Json, products: Json) -> Json:
    """Another available variant of the line's product; there are at least three."""
    variants = products[line["product_id"]]["variants"].values()
    others = [v for v in variants if v["available"] and v["item_id"] != line["item_id"]]
    chosen: Json = rng.choice(others)
    return chosen


def _settling_method(order: Json, user: Json) -> str:
    """The method that paid, unless it is a gift card, which may not cover the difference."""
    methods = user["payment_methods"]
    paid_with = str(order["payment_history"][0]["payment_method_id"])
    if methods[paid_with]["source"] != "gift_card":
        return paid_with
    return next(str(m["id"]) for m in methods.values() if m["source"] != "gift_card")


def _total(priced: Sequence[Json]) -> int:
    return sum(to_cents(one["price"]) for one in priced)


def _payment(kind: str, cents: int, method_id: str) -> Json:
    return {
        "transaction_type": kind,
        "amount": to_dollars(cents),
        "payment_method_id": method_id,
    }
