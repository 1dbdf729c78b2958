"""An invented rental shop, made from a seed: plain JSON, the same bytes in every process."""

from random import Random
from typing import Any

from environments.rental.state import (
    CATEGORIES,
    DAYS,
    DEPOTS,
    LONGEST_HIRE,
    days_from,
    insurance_per_day,
)

type Json = dict[str, Any]

_BASE_RATES = dict(zip(CATEGORIES, (2400, 4200, 1500, 3000, 3600, 1800), strict=True))
_MAKERS = [
    "Aldine",
    "Brisk",
    "Corvo",
    "Delmar",
    "Estrel",
    "Fjord",
    "Garnet",
    "Halden",
    "Ibex",
    "Juno",
]
_WALLETS = (
    ("credit_card",),
    ("credit_card", "store_credit"),
    ("credit_card", "credit_card", "store_credit"),
)
_ACCESSORIES = ("bag", "spare battery", "lock", "manual", "straps", "case")
_FIRST = [
    "Ada",
    "Bela",
    "Cora",
    "Dario",
    "Edda",
    "Farid",
    "Gwen",
    "Hana",
    "Ivo",
    "Jule",
    "Kofi",
    "Lena",
    "Milo",
    "Nora",
    "Otto",
    "Pia",
    "Rosa",
    "Sven",
    "Tara",
    "Uma",
]
_LAST = [
    "Abel",
    "Brandt",
    "Conti",
    "Duarte",
    "Eklund",
    "Fabre",
    "Grau",
    "Hobart",
    "Imhof",
    "Jansen",
    "Keller",
    "Lund",
    "Moreau",
    "Novak",
    "Olsen",
    "Petit",
    "Quist",
    "Rossi",
    "Silva",
    "Tanner",
]


def generate(*, seed: int, users: int = 200) -> Json:
    """A shop with that many customers; the fleet grows with them up to twelve units per category and depot."""
    if users < 1:
        raise ValueError("A shop needs at least one customer.")
    rng = Random(f"rental {seed}")
    units = _fleet(rng, min(12, 5 + users // 60))
    taken: set[str] = set()
    customers: Json = {}
    bookings: Json = {}
    for _ in range(users):
        customer = _customer(rng, taken)
        customers[customer["customer_id"]] = customer
        for _ in range(rng.randint(1, 7)):
            booking = _booking(rng, customer, units, bookings)
            if booking is not None:
                bookings[booking["booking_id"]] = booking
                customer["bookings"].append(booking["booking_id"])
    return {"units": units, "customers": customers, "bookings": bookings}


def _fleet(rng: Random, per_place: int) -> Json:
    numbers = rng.sample(range(1000, 10_000), per_place * len(CATEGORIES) * len(DEPOTS))
    units: Json = {}
    for category in CATEGORIES:
        for depot in DEPOTS:
            for _ in range(per_place):
                unit = _unit(rng, f"U{numbers.pop()}", category, depot)
                units[unit["unit_id"]] = unit
    return units


def _unit(rng: Random, unit_id: str, category: str, depot: str) -> Json:
    level = _BASE_RATES[category] * rng.uniform(0.6, 1.9)
    return {
        "unit_id": unit_id,
        "model": f"{rng.choice(_MAKERS)} {category} {rng.randint(2, 98)}",
        "category": category,
        "depot": depot,
        "rating": rng.randint(30, 49) / 10,
        "deposit": float(rng.randint(4, 40) * 10),
        "accessories": sorted(rng.sample(_ACCESSORIES, 2)),
        "offers": _offers(rng, level),
    }


def _offers(rng: Random, level: float) -> Json:
    """Rates move from day to day; one day in eight the unit is out."""
    free = [day for day in DAYS if rng.random() > 0.12]
    offers: Json = {}
    for day in free:
        cents = int(level * rng.uniform(0.75, 1.3))
        cents += 37 if cents % 100 == 0 else 0  # never a round sum: limits are round
        run = 0
        while run < LONGEST_HIRE and _is_open(days_from(day, run + 1)[-1], free):
            run += 1
        offers[day] = {"daily_rate": cents / 100, "longest": run}
    return offers


def _is_open(day: str, free: list[str]) -> bool:
    return day in free or day > DAYS[-1]


def _customer(rng: Random, taken: set[str]) -> Json:
    while True:
        first, last = rng.choice(_FIRST), rng.choice(_LAST)
        number, place = rng.randint(1000, 9999), str(rng.randint(10_000, 99_999))
        customer_id = f"{first}_{last}_{number}".lower()
        if customer_id not in taken and f"{first} {last} {place}" not in taken:
            break
    taken |= {customer_id, f"{first} {last} {place}"}
    methods: Json = {}
    for source in rng.choice(_WALLETS):
        method_id = _free_id(
            rng, "card_" if source == "credit_card" else "credit_", taken
        )
        methods[method_id] = (
            {
                "source": source,
                "id": method_id,
                "last_four": str(rng.randint(1000, 9999)),
            }
            if source == "credit_card"
            else {
                "source": source,
                "id": method_id,
                "balance": rng.randint(2000, 40_000) / 100,
            }
        )
    return {
        "customer_id": customer_id,
        "name": {"first_name": first, "last_name": last},
        "email": f"{first}.{last}{number}@example.com".lower(),
        "zip": place,
        "membership": rng.choice(("basic", "basic", "plus")),
        "payment_methods": methods,
        "bookings": [],
    }


def _free_id(rng: Random, prefix: str, taken: set[str]) -> str:
    while (text := f"{prefix}{rng.randint(1_000_000, 9_999_999)}") in taken:
        pass
    taken.add(text)
    return text


def _booking(rng: Random, customer: Json, units: Json, bookings: Json) -> Json | None:
    """A booking that fits the unit's calendar, which it takes out of it; None if this draw does not fit."""
    unit = units[rng.choice(list(units))]
    status = rng.choice(("upcoming", "upcoming", "upcoming", "returned", "cancelled"))
    day, days, rate = "2027-05-20", rng.randint(1, 4), 31.17
    if status != "returned":
        open_days = [d for d, offer in unit["offers"].items() if offer["longest"] >= 4]
        if not open_days:
            return None
        day = rng.choice(open_days)
        rate = unit["offers"][day]["daily_rate"]
    booking_id = f"B{unit['unit_id'][1:]}{day[5:7]}{day[8:10]}"
    if booking_id in bookings:
        return None
    if status != "returned":  # what was cancelled has gone to somebody else
        _take_out(unit["offers"], day, days)
    insured = rng.random() < 0.3
    per_day = insurance_per_day(customer["membership"], unit["category"])
    total = round(days * (rate + (per_day if insured else 0)), 2)
    method = rng.choice(list(customer["payment_methods"]))
    payments = [{"kind": "payment", "amount": total, "payment_method_id": method}]
    if status == "cancelled":
        payments.append({**payments[0], "kind": "refund"})
    return {
        "booking_id": booking_id,
        "customer_id": customer["customer_id"],
        "unit_id": unit["unit_id"],
        "model": unit["model"],
        "category": unit["category"],
        "depot": unit["depot"],
        "pickup_date": day,
        "days": days,
        "daily_rate": rate,
        "deposit": unit["deposit"],
        "insured": insured,
        "status": status,
        "payments": payments,
    }


def _take_out(offers: Json, day: str, days: int) -> None:
    for taken in days_from(day, days):
        offers.pop(taken, None)
    for start, offer in offers.items():
        if start < day:
            gap = days_from(start, LONGEST_HIRE + 1)
            if day in gap:
                offer["longest"] = min(offer["longest"], gap.index(day))
