"""Customers: who they are, where they live, how they pay, how much they order and to where."""

from random import Random

from environments.core.chance import Json, Source
from environments.retail.generator.money import to_dollars
from environments.retail.generator.people import (
    CITIES,
    FIRST_NAMES,
    LAST_NAMES,
    STREETS,
    UNITS,
    City,
)

BRANDS = ("visa", "mastercard", "amex", "discover")
MAIL_DOMAINS = ("example.com", "example.net", "example.org")
ORDERS_PER_USER = {1: 8, 2: 14, 3: 22, 4: 20, 5: 14, 6: 9, 7: 6, 8: 4, 9: 3}
GIFT_BALANCES = {(300, 4_000): 35, (4_000, 20_000): 40, (20_000, 90_000): 25}
"""Ranges in cents, each with its weight."""


def make_user(source: Source) -> tuple[Json, list[Json]]:
    """A user without orders, and the address that each of their orders will go to."""
    first, last, address, elsewhere = _make_person(source)
    user = {
        "user_id": source.number(f"{first}_{last}_".lower(), 4),
        "name": {"first_name": first, "last_name": last},
        "address": address,
        "email": _make_email(source, first, last),
        "payment_methods": {m["id"]: m for m in _make_payment_methods(source)},
        "orders": [],
    }
    # One user in five has moved on without saying so: most of their orders go to another city.
    away = 0.6 if source.rng.random() < 0.2 else 0.1
    count = source.weighted(ORDERS_PER_USER)
    return user, [
        _pick_place(source.rng, address, elsewhere, away) for _ in range(count)
    ]


def _pick_place(rng: Random, home: Json, elsewhere: list[Json], away: float) -> Json:
    return rng.choice(elsewhere) if rng.random() < away else home


def _make_person(source: Source) -> tuple[str, str, Json, list[Json]]:
    """First name, last name, home, and one or two addresses in other cities."""
    rng = source.rng
    while True:
        first, last = rng.choice(FIRST_NAMES), rng.choice(LAST_NAMES)
        home, *others = [
            _make_address(rng, city) for city in rng.sample(CITIES, rng.choice((2, 3)))
        ]
        # Support finds people by name and zip, so the three together must point at one person.
        if source.claim(f"{first} {last} {home['zip']}"):
            return first, last, home, others


def _make_address(rng: Random, city: City) -> Json:
    unit = f"{rng.choice(UNITS)} {rng.randint(1, 480)}" if rng.random() < 0.55 else ""
    return {
        "address1": f"{rng.randint(11, 4890)} {rng.choice(STREETS)}",
        "address2": unit,
        "city": city.name,
        "country": "USA",
        "state": city.state,
        "zip": f"{rng.randint(city.first_zip, city.last_zip):05}",
    }


def _make_email(source: Source, first: str, last: str) -> str:
    rng = source.rng
    stem = rng.choice(
        (f"{first}.{last}", f"{first[0]}{last}", f"{last}.{first}")
    ).lower()
    while True:
        email = f"{stem}{rng.randint(10, 9999)}@{rng.choice(MAIL_DOMAINS)}"
        if source.claim(email):
            return email


def _make_payment_methods(source: Source) -> list[Json]:
    """One to four methods. One is always a card or PayPal, as gift cards run out."""
    rng = source.rng
    sources = ["credit_card" if rng.random() < 0.6 else "paypal"]
    if rng.random() < 0.48:
        sources.append("gift_card")
    for _ in range(source.weighted({0: 68, 1: 23, 2: 9})):
        second = "credit_card" if "paypal" in sources else "paypal"
        sources.append(second if rng.random() < 0.8 else "gift_card")
    rng.shuffle(sources)
    return [_make_payment_method(source, kind) for kind in sources]


def _make_payment_method(source: Source, kind: str) -> Json:
    method: Json = {"source": kind, "id": source.number(f"{kind}_", 7)}
    if kind == "credit_card":
        method["brand"] = source.rng.choice(BRANDS)
        method["last_four"] = f"{source.rng.randrange(10_000):04}"
    if kind == "gift_card":
        low, high = source.weighted(GIFT_BALANCES)
        method["balance"] = to_dollars(source.rng.randint(low, high))
    return method
