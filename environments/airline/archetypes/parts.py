"""Parts of queries, draws and words that several kinds of airline requests share."""

import random
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from environments.airline.archetypes.lexicon import (
    AIRPORTS,
    AREAS,
    FIRST_DAY,
    LAST_DAY,
    window,
)
from environments.airline.oracle import StateRows
from environments.core.domain import Clause, Facts, Proposal
from environments.core.memo import Memo
from environments.core.query import (
    Arithmetic,
    Condition,
    Expr,
    ListOf,
    ObjectOf,
    Query,
    Selection,
    Step,
    Table,
    The,
    Value,
    Write,
    all_of,
    compare,
    const,
    fact,
    ref,
)
from environments.core.state import Record, Session

BAG_PRICE, INSURANCE_PRICE = 50, 30
FREE_BAGS: Mapping[str, int] = {
    f"{membership}/{cabin}": extra + rank
    for extra, membership in enumerate(("regular", "silver", "gold"))
    for rank, cabin in enumerate(("basic_economy", "economy", "business"))
}
"""Free checked bags for each passenger (policy 3.3)."""


# --- parts of queries -----------------------------------------------------------------------------------------------------------------


def query(*steps: Step) -> Query:
    """Every request begins with the profile of the user id that the user tells."""
    profile = Selection(
        name="profile", relation="profile", by={"user_id": fact("user_id")}
    )
    return Query(steps=(The(selection=profile), *steps))


def named_places(facts: Facts, slot: str) -> list[str]:
    """Names of the facts slot_1, slot_2, … that there are."""
    return [name for n in range(1, 10) if (name := f"{slot}_{n}") in facts]


def trips(
    facts: Facts, routing: str, *conditions: Condition, name: str = "trip"
) -> Selection:
    """Trips between the airports and on the days of the facts, with seats for everybody."""
    by: dict[str, Expr] = {
        "origins": ListOf(values=tuple(map(fact, named_places(facts, "from")))),
        "destinations": ListOf(values=tuple(map(fact, named_places(facts, "to")))),
        "dates": ListOf(values=tuple(map(const, facts["days"].split(",")))),
        "routing": const(routing),
    }
    where = all_of(seats(facts, name), *conditions)
    return Selection(name=name, relation="trips", by=by, where=where)


def seats(facts: Facts, name: str = "trip", cabin: str = "") -> Condition:
    free = ref(f"{name}.seats.{cabin or facts['cabin']}")
    return compare(free, "ge", const(party_of(facts)))


def fare(facts: Facts, name: str = "trip", cabin: str = "") -> Expr:
    return ref(f"{name}.fare.{cabin or facts['cabin']}")


def party_of(facts: Facts) -> int:
    """How many travel: the user, saved passengers, people described in full."""
    return 1 + len(named_places(facts, "guest")) + len(named_places(facts, "first"))


def plus(left: Expr, right: Expr) -> Expr:
    return Arithmetic(op="+", left=left, right=right)


def times(left: Expr, number: int) -> Expr:
    return Arithmetic(op="*", left=left, right=const(number)) if number != 1 else left


def minus(left: Expr, right: Expr) -> Expr:
    return Arithmetic(op="-", left=left, right=right)


def paid_bags(facts: Facts, cabin: str) -> Expr:
    """Bags beyond those that the membership of the user brings for everybody."""
    free = Table(
        clause="3.3",
        keys=(ref("profile.membership"), const(cabin)),
        rows=dict(FREE_BAGS),
    )
    beyond = minus(fact("bags"), times(free, party_of(facts)))
    return Arithmetic(op="max", left=const(0), right=beyond)


def total(facts: Facts, one_fare: Expr, cabin: str = "") -> Expr:
    """Dollars for everybody: fares, insurance if it is wished, bags if there are any."""
    party = party_of(facts)
    price = times(one_fare, party)
    if facts.get("insurance") == "yes":
        price = plus(price, const(INSURANCE_PRICE * party))
    if "bags" in facts:
        bags = times(paid_bags(facts, cabin or facts["cabin"]), BAG_PRICE)
        price = plus(price, bags)
    return price


def method(facts: Facts) -> The:
    """What the user pays with, called `method`: by kind, brand, or the last digits of a card."""
    conditions = []
    if "payment" in facts:
        conditions.append(compare(ref("method.source"), "eq", fact("payment")))
    else:
        conditions.append(compare(ref("method.source"), "eq", const("credit_card")))
    if "brand" in facts:
        conditions.append(compare(ref("method.brand"), "eq", fact("brand")))
    if "card" in facts:
        conditions.append(compare(ref("method.last_four"), "eq", fact("card")))
    where = all_of(*conditions) if len(conditions) > 1 else conditions[0]
    return The(
        selection=Selection(
            name="method", relation="methods", of=ref("profile"), where=where
        )
    )


def guests(facts: Facts) -> list[Step]:
    """The saved passengers that the user calls by name."""
    return [
        The(
            selection=Selection(
                name=name,
                relation="saved",
                of=ref("profile"),
                where=compare(ref(f"{name}.full_name"), "eq", fact(name)),
            )
        )
        for name in named_places(facts, "guest")
    ]


def passengers(facts: Facts) -> Expr:
    """The user, saved passengers, then people whom the user describes in full."""
    me: Expr = ObjectOf(
        fields={
            "first_name": ref("profile.name.first_name"),
            "last_name": ref("profile.name.last_name"),
            "dob": ref("profile.dob"),
        }
    )
    saved = [ref(f"{name}.passenger") for name in named_places(facts, "guest")]
    others = [
        ObjectOf(
            fields={
                "first_name": fact(f"first_{n}"),
                "last_name": fact(f"last_{n}"),
                "dob": fact(f"dob_{n}"),
            }
        )
        for n in range(1, len(named_places(facts, "first")) + 1)
    ]
    return ListOf(values=(me, *saved, *others))


def payment(payment_id: Expr, amount: Expr) -> Expr:
    return ObjectOf(fields={"payment_id": payment_id, "amount": amount})


def booking(
    facts: Facts,
    payments: Sequence[Expr],
    *,
    flights: Expr | None = None,
    trip: str = "trip",
    cabin: str = "",
    flight_type: str = "one_way",
) -> Write:
    """Book the row called `trip`; `flights` if there are more than its own."""
    cabin = cabin or facts["cabin"]
    bags = "bags" in facts
    arguments: dict[str, Expr] = {
        "user_id": ref("profile.user_id"),
        "origin": ref(f"{trip}.origin"),
        "destination": ref(f"{trip}.destination"),
        "flight_type": const(flight_type),
        "cabin": fact("cabin") if facts.get("cabin") == cabin else const(cabin),
        "flights": flights or ref(f"{trip}.flights"),
        "passengers": passengers(facts),
        "payment_methods": ListOf(values=tuple(payments)),
        "total_baggages": fact("bags") if bags else const(0),
        "nonfree_baggages": paid_bags(facts, cabin) if bags else const(0),
        "insurance": fact("insurance") if "insurance" in facts else const("no"),
    }
    return Write(tool="book_reservation", arguments=arguments)


def book_with_one_method(facts: Facts, price: Expr, **more: Any) -> list[Step]:
    """The total, what pays it, who travels, and the booking."""
    paid = payment(ref("method.id"), ref("total"))
    return [
        Value(name="total", value=price),
        method(facts),
        *guests(facts),
        booking(facts, [paid], **more),
    ]


# --- parts of draws -------------------------------------------------------------------------------------------------------------------


def draw_payer(
    session: Session, rng: random.Random, people: Sequence[str]
) -> tuple[Record, dict[str, Any]] | None:
    """Somebody with a credit card, and facts that tell it from all others; up to 50 people are looked at."""
    for _ in range(50):
        user: Any = session.get("users", rng.choice(people))
        card = tell_card(user, rng)
        if card:
            return user, card
    return None


def tell_card(user: Record, rng: random.Random) -> dict[str, Any]:
    """Facts that name one credit card: the only one, the only one of its brand, or its digits; none if there is none."""
    cards = [
        one
        for one in user["payment_methods"].values()
        if one["source"] == "credit_card"
    ]
    if not cards:
        return {}
    if len(cards) == 1 and rng.random() < 0.7:
        return {"payment": "credit_card"}
    card = rng.choice(cards)
    if [one["brand"] for one in cards].count(card["brand"]) == 1 and rng.random() < 0.5:
        return {"brand": card["brand"]}
    digits = [one["last_four"] for one in cards]
    return {"card": card["last_four"]} if digits.count(card["last_four"]) == 1 else {}


def _make_network(session: Session, key: str) -> dict[str, list[str]]:
    ends = set()
    for number in session.keys(key):
        flight: Any = session.get("flights", number)
        ends.add((flight["origin"], flight["destination"]))
    found: dict[str, list[str]] = {}
    for origin, destination in sorted(ends):
        if {origin, destination} <= AIRPORTS.keys():
            found.setdefault(destination, []).append(origin)
    return found


_NETWORK = Memo(_make_network)


def draw_route(
    session: Session,
    rng: random.Random,
    origins: int,
    destinations: int = 1,
    *,
    nonstop: bool,
) -> dict[str, Any] | None:
    """Facts from_1, …, to_1, …: airports of one area as often as the timetable has them, all with a way to get there."""
    coming = _NETWORK.of(session, "flights")
    places = sorted(coming)
    goals = rng.sample(places, min(destinations, len(places)))
    starts = set.union(*(set(coming[goal]) for goal in goals))
    if nonstop and destinations > 1:
        starts = set.intersection(*(set(coming[goal]) for goal in goals))
    if not nonstop:
        starts |= {first for middle in starts for first in coming.get(middle, [])}
    starts -= set(goals)
    areas = [[one for one in area if one in starts] for area in AREAS]
    fitting = [area for area in areas if len(area) >= origins]
    pool = rng.choice(fitting) if fitting and rng.random() < 0.6 else sorted(starts)
    if len(pool) < origins or len(goals) < destinations:
        return None
    return {
        **{f"from_{n}": one for n, one in enumerate(rng.sample(pool, origins), 1)},
        **{f"to_{n}": one for n, one in enumerate(goals, 1)},
    }


def draw_days(rng: random.Random, length: int, spare: int = 0) -> str:
    """Days in a row, the last of them at least `spare` days before the last that can be booked."""
    return window(rng.randint(FIRST_DAY, LAST_DAY - length + 1 - spare), length)


def draw_cabin(rng: random.Random) -> str:
    return rng.choice(("basic_economy", "economy", "economy", "business"))


def found_trips(session: Session, facts: Facts, routing: str) -> list[Record]:
    """What the searches of the facts show, sold out or not."""
    by = {
        "origins": [facts[name] for name in named_places(facts, "from")],
        "destinations": [facts[name] for name in named_places(facts, "to")],
        "dates": facts["days"].split(","),
        "routing": routing,
    }
    shown = StateRows(session).expand("trips", None, by)
    return [row.values for cell in shown for row in cell.rows]


def proposal(user: Record, facts: Mapping[str, Any], *clauses: str) -> Proposal:
    """The clauses, with those that the facts call for."""
    paid = [
        name
        for name, slot in (
            ("pay_kind", "payment"),
            ("pay_brand", "brand"),
            ("pay_card", "card"),
        )
        if slot in facts
    ]
    return Proposal({"user_id": user["user_id"], **facts}, (*clauses, *paid))


def route_clause(facts: Facts) -> str:
    """Name of the opener for as many airports as the facts have."""
    return f"wish_{len(named_places(facts, 'from'))}_{len(named_places(facts, 'to'))}"


# --- words ----------------------------------------------------------------------------------------------------------------------------

_FROM = {
    1: "from {from_1}",
    2: "from [either |]{from_1} or {from_2}",
    3: "from {from_1}, {from_2} or {from_3}",
}
_TO = {1: "to {to_1}", 2: "to [either |]{to_1} or {to_2}"}
ROUTE_SHAPES = tuple(product(_FROM, _TO))


def openers(
    *patterns: str, shapes: Sequence[tuple[int, int]] = ROUTE_SHAPES
) -> tuple[Clause, ...]:
    """One clause for each number of airports; `ROUTE` in the patterns is where they are named."""
    return tuple(
        Clause(
            f"wish_{origins}_{destinations}",
            tuple(
                pattern.replace("ROUTE", f"{_FROM[origins]} {_TO[destinations]}")
                for pattern in patterns
            ),
            opens=True,
        )
        for origins, destinations in shapes
    )


ONE_WAY = openers(
    "[I'd like|I would like|I want] to book a one-way flight in {cabin} ROUTE, [leaving|departing] {days}.",
    "[Can|Could] you book me a one-way flight in {cabin} ROUTE, [leaving|departing] {days}?",
    "I need [to get|to fly] ROUTE, one way in {cabin}, [leaving|departing] {days}.",
    "[Please book|I'm looking for] a one-way trip ROUTE in {cabin}; I can [leave|depart] {days}.",
)
ALONE = Clause(
    "alone",
    (
        "[It's|That's] [just|only] for me.",
        "I'm [travelling|flying] [alone|by myself].",
        "I'll be the only [passenger|traveller] on this booking.",
    ),
)
NO_EXTRAS = Clause(
    "plain",
    (
        "[No|I have no] checked bags and [no|I don't want] travel insurance.",
        "I need neither checked bags nor [travel |]insurance.",
        "I won't check any bags, and I don't want insurance.",
        "Zero checked bags, no [travel |]insurance.",
    ),
)
PAY = (
    Clause(
        "pay_kind",
        (
            "[Please charge|Charge|Put] [all of it|the whole amount] to {payment}.",
            "I'll pay with {payment}.",
            "[Use|Please use] {payment} for the [payment|booking].",
        ),
    ),
    Clause(
        "pay_brand",
        (
            "[Please charge|Charge] [all of it|the whole amount] to {brand}.",
            "I'll pay [all of it |]with {brand}.",
            "[Use|Please use] {brand} for the [payment|booking].",
        ),
    ),
    Clause(
        "pay_card",
        (
            "[Please charge|Charge] [all of it|the whole amount] to my card ending in {card}.",
            "I'll pay with the credit card that ends in {card}.",
            "[Use|Please use] my card with the last digits {card}.",
        ),
    ),
)
BOOKING_CLAUSES = (ALONE, NO_EXTRAS, *PAY)
