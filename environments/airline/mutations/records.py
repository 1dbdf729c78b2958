"""What else a profile or a reservation could say. Only the read of the record itself shows such a change."""

import random
from collections.abc import Iterator
from typing import Any

from environments.airline.relations import CABINS
from environments.core.domain import Patch
from environments.core.pointers import pointer
from environments.core.state import Record, Session, plain_copy

JUST_BOOKED, BOOKED_LONG_AGO = "2024-05-15T09:30:00", "2024-04-20T09:30:00"
DEAR = 90_000
DAYS = ("2024-05-29", "2024-05-16", "2024-05-02")
"""Two days ahead, the first of them and a late one, and a day that is over."""


_FIVE = [
    {"first_name": first, "last_name": "Quill", "dob": f"19{70 + 4 * n}-09-19"}
    for n, first in enumerate(("Avery", "Blake", "Casey", "Drew", "Ellis"))
]
"""As many passengers as a reservation can have."""


def changed_user(session: Session, user_id: str, rng: random.Random) -> Iterator[Patch]:
    user = session.get("users", user_id)
    if user is None:
        return
    base = pointer("users", user_id)
    yield [_replace(f"{base}/dob", "1966-06-06")]
    for membership in ("gold", "silver", "regular"):
        if membership != user["membership"]:
            yield [_replace(f"{base}/membership", membership)]
    for method_id, method in user["payment_methods"].items():
        path = base + pointer("payment_methods", method_id)
        if method["source"] != "credit_card":
            for amount in (1.0, float(DEAR)):
                yield [_replace(f"{path}/amount", amount)]
        new_id = f"{method['source']}_{rng.randrange(10**6, 10**7)}"
        renamed = {
            "op": "add",
            "path": base + pointer("payment_methods", new_id),
            "value": {**method, "id": new_id},
        }
        yield [{"op": "remove", "path": path}, renamed]
    for number, person in enumerate(user["saved_passengers"]):
        path = base + pointer("saved_passengers", number)
        for dob in ("1931-01-31", "2020-12-20"):
            yield [_replace(path, {**person, "dob": dob})]
    for number in range(len(user["reservations"])):
        yield [{"op": "remove", "path": base + pointer("reservations", number)}]


def changed_reservation(
    session: Session, reservation_id: str, rng: random.Random
) -> Iterator[Patch]:
    reservation = session.get("reservations", reservation_id)
    if reservation is None:
        return
    base = pointer("reservations", reservation_id)
    yield from _terms(base, reservation)
    yield from _another_trip(base, reservation)
    yield from _a_day_without_flight(session, base, reservation)
    yield from _money(session, base, reservation)
    yield from _flights(session, base, reservation, rng)
    yield from _passengers(base, reservation)


def _terms(base: str, reservation: Record) -> Iterator[Patch]:
    for cabin in CABINS:
        if cabin != reservation["cabin"]:
            yield [_replace(f"{base}/cabin", cabin)]
    insured = reservation["insurance"] == "yes"
    yield [_replace(f"{base}/insurance", "no" if insured else "yes")]
    yield [
        _replace(f"{base}/status", None if reservation["status"] else "cancelled"),
    ]
    for created_at in (JUST_BOOKED, BOOKED_LONG_AGO):
        yield [_replace(f"{base}/created_at", created_at)]
    bags, nonfree = reservation["total_baggages"], reservation["nonfree_baggages"]
    yield [_replace(f"{base}/total_baggages", bags + 1)]
    yield [
        _replace(f"{base}/total_baggages", bags + 7),
        _replace(f"{base}/nonfree_baggages", nonfree + 7),
    ]
    if bags:
        yield [
            _replace(f"{base}/total_baggages", 0),
            _replace(f"{base}/nonfree_baggages", 0),
        ]
    round_trip = reservation["flight_type"] == "round_trip"
    yield [_replace(f"{base}/flight_type", "one_way" if round_trip else "round_trip")]


def _another_trip(base: str, reservation: Record) -> Iterator[Patch]:
    """All its flights on another day, and what can make such a trip the one that is meant: the dearest, or one in business."""
    status = [_replace(f"{base}/status", None)] if reservation["status"] else []
    more: list[Patch] = [[], [_replace(f"{base}/cabin", "business")]]
    if reservation["payment_history"]:
        dear = _replace(f"{base}/payment_history/0/amount", DEAR)
        more += [[*steps, dear] for steps in more]
    more.append([_replace(f"{base}/passengers", _FIVE)])
    for date in DAYS:
        moved = [
            _replace(f"{base}/flights/{number}/date", date)
            for number in range(len(reservation["flights"]))
        ]
        if moved:
            yield from ([*status, *moved, *steps] for steps in more)


def _a_day_without_flight(
    session: Session, base: str, reservation: Record
) -> Iterator[Patch]:
    """One of its flights on a day on which that flight was cancelled; if none of them ever was, another one that was."""
    found = False
    for number, segment in enumerate(reservation["flights"]):
        flight = session.get("flights", segment["flight_number"])
        days = flight["dates"].items() if flight else ()
        lost = [date for date, day in days if day["status"] == "cancelled"]
        if lost and segment["date"] not in lost:
            found = True
            yield [_replace(f"{base}/flights/{number}/date", lost[0])]
    if not found and reservation["flights"] and (lost_one := _lost_flight(session)):
        segment = {**plain_copy(reservation["flights"][0]), **lost_one}
        yield [_replace(f"{base}/flights/0", segment)]


def _lost_flight(session: Session) -> Record | None:
    """The first flight and day on which it was cancelled, as a reservation names them."""
    for number in session.keys("flights"):
        flight: Any = session.get("flights", number)
        for date, day in flight["dates"].items():
            if day["status"] == "cancelled":
                ends = {name: flight[name] for name in ("origin", "destination")}
                return {"flight_number": number, **ends, "date": date}
    return None


def _money(session: Session, base: str, reservation: Record) -> Iterator[Patch]:
    if not reservation["payment_history"]:
        return
    for amount in (DEAR, 1):
        yield [_replace(f"{base}/payment_history/0/amount", amount)]
    user = session.get("users", reservation["user_id"])
    for method_id in user["payment_methods"] if user else ():
        if method_id != reservation["payment_history"][0]["payment_id"]:
            yield [_replace(f"{base}/payment_history/0/payment_id", method_id)]


def _flights(
    session: Session, base: str, reservation: Record, rng: random.Random
) -> Iterator[Patch]:
    """Another price, another day, another flight."""
    for number, segment in enumerate(reservation["flights"]):
        path = base + pointer("flights", number)
        for price in (DEAR, 1):
            yield [_replace(f"{path}/price", price)]
        for date in ("2024-05-02", "2024-05-29"):
            if date != segment["date"]:
                yield [_replace(f"{path}/date", date)]
    numbers = list(session.keys("flights"))
    for flight_number in rng.sample(numbers, min(2, len(numbers))):
        flight: Any = session.get("flights", flight_number)
        if reservation["flights"]:
            ends = {"origin": flight["origin"], "destination": flight["destination"]}
            segment = {
                **reservation["flights"][0],
                **ends,
                "flight_number": flight_number,
            }
            yield [
                _replace(
                    base,
                    {
                        **plain_copy(reservation),
                        **ends,
                        "flights": [segment],
                        "flight_type": "one_way",
                    },
                )
            ]


def _passengers(base: str, reservation: Record) -> Iterator[Patch]:
    people = reservation["passengers"]
    for number in range(len(people)):
        for dob in ("1931-01-31", "2020-12-20"):
            yield [_replace(base + pointer("passengers", number, "dob"), dob)]
    if len(people) > 1:
        yield [_replace(f"{base}/passengers", people[:-1])]
    if people:
        more = {"first_name": "Avery", "last_name": "Quill", "dob": "1979-09-19"}
        yield [_replace(f"{base}/passengers", [*people, more])]


def _replace(path: str, value: Any) -> dict[str, Any]:
    return {"op": "replace", "path": path, "value": value}
