"""Customers: who they are, how they pay, and whom they travel with."""

from random import Random

from environments.airline.generator.people import (
    FIRST_NAMES,
    LAST_NAMES,
    STREETS,
    TOWNS,
)
from environments.core.chance import Json, Source

BRANDS = ("visa", "mastercard", "amex", "discover")
MAIL_DOMAINS = ("example.com", "example.net", "example.org")
MEMBERSHIPS = {"regular": 44, "silver": 30, "gold": 26}
CREDIT_CARDS = {1: 70, 2: 30}
GIFT_CARDS = {0: 38, 1: 32, 2: 20, 3: 10}
CERTIFICATES = {0: 46, 1: 30, 2: 17, 3: 7}
COMPANIONS = 4
"""So that with the customer up to five travel."""


def make_user(source: Source) -> tuple[Json, list[Json]]:
    """A user without reservations, and the people with whom they may travel."""
    rng = source.rng
    first, last = rng.choice(FIRST_NAMES), rng.choice(LAST_NAMES)
    companions = [_make_companion(rng, last) for _ in range(COMPANIONS)]
    saved = rng.sample(companions, source.weighted({0: 15, 1: 45, 2: 25, 3: 15}))
    methods = _make_payment_methods(source)
    user = {
        "user_id": source.number(f"{first}_{last}_".lower(), 4),
        "name": {"first_name": first, "last_name": last},
        "address": _make_address(source),
        "email": _make_email(source, first, last),
        "dob": _birthday(rng, 1944, 2004),
        "payment_methods": {method["id"]: method for method in methods},
        "saved_passengers": [dict(person) for person in saved],
        "membership": source.weighted(MEMBERSHIPS),
        "reservations": [],
    }
    return user, companions


def as_passenger(user: Json) -> Json:
    return {**user["name"], "dob": user["dob"]}


def _make_companion(rng: Random, last_name: str) -> Json:
    """Family more often than not; some are children."""
    family = rng.random() < 0.6
    return {
        "first_name": rng.choice(FIRST_NAMES),
        "last_name": last_name if family else rng.choice(LAST_NAMES),
        "dob": _birthday(rng, 2008, 2021)
        if rng.random() < 0.2
        else _birthday(rng, 1940, 2004),
    }


def _birthday(rng: Random, first_year: int, last_year: int) -> str:
    year = rng.randint(first_year, last_year)
    return f"{year}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"


def _make_address(source: Source) -> Json:
    rng = source.rng
    town = rng.choice(TOWNS)
    return {
        "address1": f"{rng.randint(11, 4890)} {rng.choice(STREETS)}",
        "address2": f"Apartment {rng.randint(1, 480)}" if source.happens(0.5) else "",
        "city": town.name,
        "country": "USA",
        "state": town.state,
        "zip": f"{rng.randint(town.first_zip, town.last_zip):05}",
    }


def _make_email(source: Source, first: str, last: str) -> str:
    stem = source.rng.choice((f"{first}.{last}", f"{first[0]}{last}")).lower()
    return source.unclaimed(
        lambda rng: f"{stem}{rng.randint(10, 9999)}@{rng.choice(MAIL_DOMAINS)}"
    )


def _make_payment_methods(source: Source) -> list[Json]:
    """A credit card always, as gift cards and certificates run out. Balances are whole dollars."""
    rng = source.rng
    kinds = [
        kind
        for kind, counts in (
            ("credit_card", CREDIT_CARDS),
            ("gift_card", GIFT_CARDS),
            ("certificate", CERTIFICATES),
        )
        for _ in range(source.weighted(counts))
    ]
    rng.shuffle(kinds)
    return [_make_payment_method(source, kind) for kind in kinds]


def _make_payment_method(source: Source, kind: str) -> Json:
    rng = source.rng
    method: Json = {"source": kind, "id": source.number(f"{kind}_", 7)}
    if kind == "credit_card":
        method["brand"] = rng.choice(BRANDS)
        method["last_four"] = f"{rng.randrange(10_000):04}"
    elif kind == "gift_card":
        most = 120 if source.happens(0.4) else 900
        method["amount"] = float(rng.randint(5, most))
    else:
        method["amount"] = float(rng.randrange(50, 501, 25))
    return method
