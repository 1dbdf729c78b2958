"""Admissible small changes of the rental database: what else a read could have shown."""

import random
from collections.abc import Iterator
from typing import Any

from environments.core.domain import Patch
from environments.core.pointers import pointer
from environments.core.state import Session, plain_copy
from environments.core.tools import ToolCall
from environments.rental.state import DAYS, DEPOTS, days_from


def mutations(session: Session, call: ToolCall, rng: random.Random) -> Iterator[Patch]:
    """Patches of what `call` shows and, as far as possible, of nothing else; the plainest first."""
    arguments = call.arguments
    match call.name:
        case "search_units":
            yield from _cell(session, rng, **arguments)
        case "get_booking":
            yield from _booking(session, arguments["booking_id"])
        case "get_customer":
            yield from _customer(session, arguments["customer_id"], rng)


def _cell(
    session: Session, rng: random.Random, category: str, depot: str, pickup_date: str
) -> Iterator[Patch]:
    """Another rate on that one day, or a unit that can be had on no other."""
    low, middle = rng.randrange(101, 199) / 100, rng.randrange(301, 399) / 100
    here = [
        unit_id
        for unit_id in session.lookup_all("units_at", (category, depot))
        if pickup_date in (session.get("units", unit_id) or {})["offers"]
    ]
    for unit_id in here[:1]:
        yield [_rate(unit_id, pickup_date, low)]
    while session.get("units", unit_id := f"U{rng.randrange(1000, 10_000)}"):
        pass
    for rate in (low, middle):
        unit = {
            "unit_id": unit_id,
            "model": f"Zephyr {category} 99",
            "category": category,
            "depot": depot,
            "rating": 5.0,
            "deposit": 10.0,
            "accessories": ["case"],
            "offers": {pickup_date: {"daily_rate": rate, "longest": 7}},
        }
        yield [{"op": "add", "path": pointer("units", unit_id), "value": unit}]
    for unit_id in here:
        yield [_rate(unit_id, pickup_date, 900.5)]
    for unit_id in here[1:]:
        yield [_rate(unit_id, pickup_date, low)]


def _rate(unit_id: str, day: str, rate: float) -> dict[str, Any]:
    path = pointer("units", unit_id, "offers", day, "daily_rate")
    return {"op": "replace", "path": path, "value": rate}


def _booking(session: Session, booking_id: str) -> Iterator[Patch]:
    """One thing about it otherwise; then what would put it first, or last, by every measure."""
    booking = session.get("bookings", booking_id)
    if booking is None:
        return
    base = pointer("bookings", booking_id)
    customer: Any = session.get("customers", booking["customer_id"])
    paid = booking["payments"][0]["payment_method_id"]
    depots = [depot for depot in DEPOTS if depot != booking["depot"]]
    others: dict[str, list[Any]] = {
        "status": ["cancelled", "upcoming", "returned"],
        "payments/0/payment_method_id": [
            key for key in customer["payment_methods"] if key != paid
        ],
        "depot": depots[:2],
        "insured": [not booking["insured"]],
        "daily_rate": [1.5, 900.5, round(1.4 * booking["daily_rate"], 2)],
        "pickup_date": [DAYS[0], DAYS[4], DAYS[6]],
        "days": [7, 1],
    }
    plain = [
        (name, value)
        for name, values in others.items()
        for value in values
        if booking.get(name) != value
    ]
    for name, value in plain:
        yield [_replaced(base, name, value)]
    common = {"status": "upcoming", "insured": False, "deposit": 990.0}
    common["payments/0/payment_method_id"] = next(
        key
        for key, method in customer["payment_methods"].items()
        if method["source"] == "credit_card"
    )
    elsewhere = _unit_free_after(session, booking)
    for rate, days, place in (
        *((900.5, 7, {"pickup_date": DAYS[6]}), (900.5, 7, elsewhere)),
        *((1.5, 1, elsewhere), (900.5, 1, elsewhere)),
    ):
        changed = {**common, "daily_rate": rate, "days": days, **place}
        yield [_replaced(base, name, value) for name, value in changed.items()]
    for day in (DAYS[1], DAYS[2], *DAYS[8::2]):
        yield [_replaced(base, "pickup_date", day)]


def _unit_free_after(session: Session, booking: Any) -> dict[str, Any]:
    """A unit and a day after which it is free for four days: a hire of one day could be made longer."""
    category = booking["category"]
    others = (
        key
        for depot in DEPOTS
        for key in session.lookup_all("units_at", (category, depot))
    )
    for unit_id in (booking["unit_id"], *others):
        unit: Any = session.get("units", unit_id)
        for day in DAYS if unit else ():
            if all(later in unit["offers"] for later in days_from(day, 5)[1:]):
                found = {name: unit[name] for name in ("unit_id", "model", "depot")}
                return {**found, "pickup_date": day}
    return {}


def _replaced(base: str, name: str, value: Any) -> dict[str, Any]:
    return {"op": "replace", "path": f"{base}/{name}", "value": value}


def _customer(
    session: Session, customer_id: str, rng: random.Random
) -> Iterator[Patch]:
    customer = session.get("customers", customer_id)
    if customer is None:
        return
    base = pointer("customers", customer_id)
    other = "basic" if customer["membership"] == "plus" else "plus"
    yield [_replaced(base, "membership", other)]
    for method_id, method in customer["payment_methods"].items():
        path = f"{base}{pointer('payment_methods', method_id)}"
        if method["source"] == "store_credit":
            for balance in (0.0, 9000.0, 60.0):
                yield [_replaced(path, "balance", balance)]
        new_id = f"{method_id.partition('_')[0]}_{rng.randrange(10**6, 10**7)}"
        added = f"{base}{pointer('payment_methods', new_id)}"
        yield [
            {"op": "remove", "path": path},
            {"op": "add", "path": added, "value": {**method, "id": new_id}},
        ]
    for number in range(len(customer["bookings"])):
        yield [{"op": "remove", "path": base + pointer("bookings", number)}]


def swaps(session: Session, one: ToolCall, other: ToolCall) -> Iterator[Patch]:
    """Two bookings of one customer trade everything but their numbers."""
    if one.name != "get_booking" or other.name != "get_booking":
        return
    first, second = (
        session.get("bookings", call.arguments["booking_id"]) for call in (one, other)
    )
    if first and second and first["customer_id"] == second["customer_id"]:
        yield [
            {
                "op": "replace",
                "path": pointer("bookings", here["booking_id"]),
                "value": {**plain_copy(there), "booking_id": here["booking_id"]},
            }
            for here, there in ((first, second), (second, first))
        ]
