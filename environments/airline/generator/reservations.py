"""Reservations: a trip over real flights, who is on it, what it cost and how that was paid."""

from datetime import datetime, timedelta
from string import ascii_uppercase, digits

from environments.airline.generator.calendar import (
    CABINS,
    DAYS,
    NOW,
    date_text,
    on_day,
    price,
)
from environments.airline.generator.network import Leg, Network
from environments.airline.generator.users import as_passenger
from environments.core.chance import Json, Source

type Trip = list[tuple[Leg, int]]
"""Flights in order, each with its day of the month."""

RESERVATIONS_PER_USER = {0: 7, 1: 10, 2: 16, 3: 18, 4: 17, 5: 13, 6: 9, 7: 5, 8: 5}
PASSENGERS = {1: 42, 2: 28, 3: 16, 4: 9, 5: 5}
FREE_BAGS = {
    "regular": {"basic_economy": 0, "economy": 1, "business": 2},
    "silver": {"basic_economy": 1, "economy": 2, "business": 3},
    "gold": {"basic_economy": 2, "economy": 3, "business": 4},
}
"""Per passenger; every other bag costs."""
BAG_PRICE, INSURANCE_PRICE = 50, 30
CANCELLED = 0.08
MOST_ON_A_GIFT_CARD = 1500


def make_reservations(
    source: Source, network: Network, user: Json, companions: list[Json]
) -> list[Json]:
    count = source.weighted(RESERVATIONS_PER_USER)
    return [_make_reservation(source, network, user, companions) for _ in range(count)]


def _make_reservation(
    source: Source, network: Network, user: Json, companions: list[Json]
) -> Json:
    outward, back = _make_trip(source, network)
    cabin = source.rng.choice(CABINS)
    passengers = _make_passengers(source, user, companions)
    bags = sum(source.weighted({0: 50, 1: 35, 2: 15}) for _ in passengers)
    free = FREE_BAGS[user["membership"]][cabin] * len(passengers)
    reservation: Json = {
        "reservation_id": _make_id(source),
        "user_id": user["user_id"],
        "origin": outward[0][0].origin,
        "destination": outward[-1][0].destination,
        "flight_type": "round_trip" if back else "one_way",
        "cabin": cabin,
        "flights": [_segment(source, leg, day, cabin) for leg, day in outward + back],
        "passengers": passengers,
        "payment_history": [],
        "created_at": _booked_at(source, *outward[0]).isoformat(),
        "total_baggages": bags,
        "nonfree_baggages": max(0, bags - free),
        "insurance": "yes" if source.happens(0.45) else "no",
        "status": None,
    }
    paid = _pay(source, user, _total(reservation))
    reservation["payment_history"] = paid
    if source.happens(CANCELLED):
        reservation["payment_history"] = paid + [
            {**line, "amount": -line["amount"]} for line in paid
        ]
        reservation["status"] = "cancelled"
    return reservation


def _make_id(source: Source) -> str:
    """Six letters and digits, with a digit in front so that no id is one the tools will give."""
    return source.unclaimed(
        lambda rng: (
            rng.choice(digits) + "".join(rng.choices(ascii_uppercase + digits, k=5))
        )
    )


def _make_trip(source: Source, network: Network) -> tuple[Trip, Trip]:
    """The way out, and the way back if there is to be one and the network has it."""
    rng = source.rng
    # Most trips lie ahead; the rest is over, under way or for today.
    first_day = rng.randint(16, 28) if source.happens(0.62) else rng.randint(2, 15)
    first = rng.choice(network.legs)
    outward: Trip = [(first, first_day)]
    onward = [
        (leg, day) for leg, day in network.onward(first, first_day) if day in DAYS
    ]
    if onward and source.happens(0.4):
        outward.append(rng.choice(onward))
    last, last_day = outward[-1]
    back_day = last_day + rng.randint(2, 9)
    if source.happens(0.5) or back_day >= DAYS[-1]:
        return outward, []
    ways = _ways(network, last.destination, first.origin, back_day)
    return outward, rng.choice(ways) if ways else []


def _ways(network: Network, origin: str, destination: str, day: int) -> list[Trip]:
    """Direct flights on that day or, if there is none, one-stop connections."""
    leaving = network.leaving.get(origin, [])
    direct: list[Trip] = [
        [(leg, day)] for leg in leaving if leg.destination == destination
    ]
    return direct or [
        [(first, day), (second, later)]
        for first in leaving
        for second, later in network.onward(first, day)
        if second.destination == destination
    ]


def _make_passengers(source: Source, user: Json, companions: list[Json]) -> list[Json]:
    """Mostly the user comes along; now and then they book for others only."""
    count = source.weighted(PASSENGERS)
    if count <= len(companions) and source.happens(0.1):
        chosen = source.rng.sample(companions, count)
    else:
        chosen = [as_passenger(user), *source.rng.sample(companions, count - 1)]
    return [dict(person) for person in chosen]


def _segment(source: Source, leg: Leg, day: int, cabin: str) -> Json:
    """At what it cost when it was booked, which half of the time is what it costs now."""
    prices = leg.flight["dates"][date_text(day)].get("prices")
    current = prices and source.happens(0.5)
    return {
        "flight_number": leg.flight["flight_number"],
        "origin": leg.origin,
        "destination": leg.destination,
        "date": date_text(day),
        "price": prices[cabin] if current else price(source, leg.fare, cabin),
    }


def _booked_at(source: Source, first: Leg, day: int) -> datetime:
    """Before the first flight leaves and before now, some of them within the last day."""
    latest = min(NOW, on_day(day, first.leaves))
    days = 1 if source.happens(0.12) else 20
    return latest - timedelta(seconds=source.rng.randint(1800, days * 86_400))


def _total(reservation: Json) -> int:
    each = sum(segment["price"] for segment in reservation["flights"])
    if reservation["insurance"] == "yes":
        each += INSURANCE_PRICE
    bags = BAG_PRICE * int(reservation["nonfree_baggages"])
    return int(each) * len(reservation["passengers"]) + bags


def _pay(source: Source, user: Json, total: int) -> list[Json]:
    """With a card, a gift card, or a certificate that was used up and a card for the rest."""
    rng, methods = source.rng, user["payment_methods"].values()
    cards = [m["id"] for m in methods if m["source"] == "credit_card"]
    gifts = [m["id"] for m in methods if m["source"] == "gift_card"]
    if gifts and total <= MOST_ON_A_GIFT_CARD and source.happens(0.35):
        return [_payment(rng.choice(gifts), total)]
    if source.happens(0.15):
        part = min(total, rng.randrange(50, 501, 25))
        used = _payment(source.number("certificate_", 7), part)
        rest = [_payment(rng.choice(cards), total - part)] if total > part else []
        return [used, *rest]
    return [_payment(rng.choice(cards), total)]


def _payment(payment_id: str, amount: int) -> Json:
    return {"payment_id": payment_id, "amount": amount}
