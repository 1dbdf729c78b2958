"""Trips there and back: pairs of flights, of which neither can be judged without the other."""

import random
from collections.abc import Sequence

from environments.airline.archetypes.lexicon import window
from environments.airline.archetypes.parts import (
    ALONE,
    NO_EXTRAS,
    PAY,
    book_with_one_method,
    draw_cabin,
    draw_days,
    draw_payer,
    draw_route,
    fare,
    found_trips,
    openers,
    plus,
    proposal,
    query,
    route_clause,
    seats,
    trips,
)
from environments.core.domain import Archetype, Clause, Facts, Proposal, TaskClass
from environments.core.query import (
    Best,
    Expr,
    Key,
    ListOf,
    Query,
    Selection,
    const,
    fact,
    ref,
)
from environments.core.state import Session

SHAPES = ((1, 2), (1, 3), (1, 4), (1, 5), (2, 2), (2, 3))
"""(origins, days): searches needed are twice their product."""


def _stay(facts: Facts) -> Query:
    """The cheapest pair: a nonstop flight out, and one back so many days later to where the first left from."""
    by: dict[str, Expr] = {
        "origins": ListOf(values=(ref("out.destination"),)),
        "destinations": ListOf(values=(ref("out.origin"),)),
        "after": ref("out.date"),
        "days": fact("nights"),
        "routing": const("direct"),
    }
    back = Selection(
        name="back",
        relation="trips",
        of=trips(facts, "direct", name="out"),
        by=by,
        where=seats(facts, "back"),
    )
    price = plus(fare(facts, "out"), fare(facts, "back"))
    both = plus(ref("out.flights"), ref("back.flights"))
    return query(
        Best(selection=back, objective=(Key(value=price),)),
        *book_with_one_method(
            facts, price, trip="out", flights=both, flight_type="round_trip"
        ),
    )


def _propose_stay(
    session: Session, rng: random.Random, people: Sequence[str]
) -> Proposal | None:
    origins, days = rng.choice(SHAPES)
    route = draw_route(session, rng, origins, nonstop=True)
    if route is None:
        return None
    nights = rng.randint(2, 7)
    facts = {
        **route,
        "days": draw_days(rng, days, nights),
        "cabin": draw_cabin(rng),
        "nights": nights,
    }
    first = int(facts["days"][8:10])
    facts["back_days"] = window(first + nights, days)
    for n in range(1, origins + 1):  # a flight out is of no use where none flies back
        back = {
            "from_1": route["to_1"],
            "to_1": route[f"from_{n}"],
            "days": facts["back_days"],
        }
        if not found_trips(session, back, "direct"):
            return None
    free = [
        trip
        for trip in found_trips(session, facts, "direct")
        if trip["seats"][facts["cabin"]]
    ]
    payer = draw_payer(session, rng, people) if len(free) > 1 else None
    if payer is None:
        return None
    user, card = payer
    named = (route_clause(facts), "target", "alone", "plain")
    return proposal(user, {**facts, **card}, *named)


A8 = Archetype(
    "A8",
    "Book the cheapest round trip with a stay of fixed length",
    TaskClass.READ_HEAVY,
    _propose_stay,
    _stay,
    (
        *openers(
            "[I'd like|I would like|I want] to book a round trip in {cabin} ROUTE, [leaving|departing] {days}.",
            "[Can|Could] you book me a round trip in {cabin} ROUTE, [leaving|departing] {days}?",
            "I need [to get|to fly] ROUTE and back in {cabin}, [leaving|departing] {days}.",
            "[Please book|I'm looking for] a round trip ROUTE in {cabin}; I can [leave|depart] {days}.",
            shapes=((1, 1), (2, 1)),
        ),
        Clause(
            "target",
            (
                "The flight back leaves exactly {nights} days after the flight out, so {back_days}, and returns to the airport I left from. Of all such pairs of nonstop flights with seats left I want the one that is cheapest in total.",
                "I come back {nights} days after the day I leave, that is {back_days}, to the same airport; [choose|pick] the two nonstop flights with a free seat that together cost least.",
            ),
        ),
        ALONE,
        NO_EXTRAS,
        *PAY,
    ),
)

ARCHETYPES = (A8,)
