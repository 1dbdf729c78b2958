"""Questions: nothing is booked, the user is told what the searches and the profile come to."""

import random
from collections.abc import Sequence

from environments.airline.archetypes.booking import (
    NONSTOP_SHAPES,
    ONE_DAY_SHAPES,
    ONE_STOP_SHAPES,
)
from environments.airline.archetypes.parts import (
    FREE_BAGS,
    draw_cabin,
    draw_days,
    draw_route,
    fare,
    found_trips,
    openers,
    query,
    route_clause,
    total,
    trips,
)
from environments.core.domain import Archetype, Clause, Facts, Proposal, TaskClass
from environments.core.query import Best, Key, Query, Tell, ref
from environments.core.state import Session

_CAN_YOU_TELL = openers(
    "[I have a question|A question] about one-way fares in {cabin} ROUTE, [leaving|departing] {days}.",
    "I'm thinking about flying one way ROUTE in {cabin}, [leaving|departing] {days}, and want to know something first.",
    "[Before I decide anything|I'm not booking yet]: I may fly one way ROUTE in {cabin}, [leaving|departing] {days}.",
    "I only need some information about one-way flights ROUTE in {cabin}, [leaving|departing] {days}.",
)


def _openers(shapes: Sequence[tuple[int, int, int]]) -> tuple[Clause, ...]:
    names = {f"wish_{origins}_{goals}" for origins, goals, _ in shapes}
    return tuple(clause for clause in _CAN_YOU_TELL if clause.name in names)


def _draw(
    session: Session,
    rng: random.Random,
    people: Sequence[str],
    shapes: Sequence[tuple[int, int, int]],
    routing: str,
    *clauses: str,
) -> Proposal | None:
    origins, destinations, days = rng.choice(shapes)
    nonstop = routing == "direct"
    route = draw_route(session, rng, origins, destinations, nonstop=nonstop)
    if route is None:
        return None
    facts = {
        "user_id": rng.choice(people),
        **route,
        "days": draw_days(rng, days),
        "cabin": draw_cabin(rng),
    }
    cabin = facts["cabin"]
    # more than come free with the lowest membership, so that the total depends on it
    facts["bags"] = rng.randint(FREE_BAGS[f"regular/{cabin}"] + 1, 4)
    found = found_trips(session, facts, routing)
    if sum(trip["seats"][cabin] > 0 for trip in found) < 2:
        return None
    return Proposal(facts, (route_clause(facts), *clauses))


# --- I1: what it would cost -----------------------------------------------------------------------------------------------------------------


def _lowest_total(facts: Facts) -> Query:
    return query(
        Best(selection=trips(facts, "direct"), objective=(Key(value=fare(facts)),)),
        Tell(what="lowest total in dollars", value=total(facts, fare(facts))),
    )


I1 = Archetype(
    "I1",
    "Tell the lowest total for a nonstop flight with bags",
    TaskClass.INFORMATION,
    lambda session, rng, people: _draw(
        session,
        rng,
        people,
        NONSTOP_SHAPES,
        "direct",
        "target",
    ),
    _lowest_total,
    (
        *_openers(NONSTOP_SHAPES),
        Clause(
            "target",
            (
                "What is the least I'd pay in total for a nonstop flight that isn't sold out, for me alone with {bags} and no insurance?",
                "What would the cheapest nonstop flight with a seat left cost me altogether, travelling alone with {bags} and without insurance?",
                "Please tell me the lowest possible total for myself with {bags}, nonstop, uninsured and on a flight with a seat left.",
            ),
        ),
    ),
)


# --- I2: which day is cheapest -----------------------------------------------------------------------------------------------------------------


def _cheapest_day(facts: Facts) -> Query:
    return query(
        Best(selection=trips(facts, "any"), objective=(Key(value=fare(facts)),)),
        Tell(what="day of the cheapest fare", value=ref("trip.date")),
        Tell(what="its total in dollars", value=total(facts, fare(facts))),
    )


I2 = Archetype(
    "I2",
    "Tell the day with the lowest fare, and the fare",
    TaskClass.INFORMATION,
    lambda session, rng, people: _draw(
        session,
        rng,
        people,
        ONE_STOP_SHAPES,
        "any",
        "target",
    ),
    _cheapest_day,
    (
        *_openers(ONE_STOP_SHAPES),
        Clause(
            "target",
            (
                "On which of those days is it cheapest for me alone with at most one stop, sold-out flights aside, and what would I pay in total with {bags} and no insurance?",
                "Tell me the day with the lowest fare for one, nonstop or one stop and not sold out, and what that comes to with {bags} and without insurance.",
                "Which day has the cheapest [option|itinerary] for me alone with at most one stop and a seat left? Tell me its total as well, with {bags} but no insurance.",
            ),
        ),
    ),
)


# --- I3: when to leave ------------------------------------------------------------------------------------------------------------------


def _first_departure(facts: Facts) -> Query:
    return query(
        Best(
            selection=trips(facts, "any"),
            objective=(Key(value=ref("trip.departs")), Key(value=fare(facts))),
        ),
        Tell(what="departure time (Eastern)", value=ref("trip.departs_text")),
        Tell(what="total in dollars", value=total(facts, fare(facts))),
    )


I3 = Archetype(
    "I3",
    "Tell when the first flight of the day leaves, and its total",
    TaskClass.INFORMATION,
    lambda session, rng, people: _draw(
        session, rng, people, ONE_DAY_SHAPES, "any", "target"
    ),
    _first_departure,
    (
        *_openers(ONE_DAY_SHAPES),
        Clause(
            "target",
            (
                "How early can I leave that day, with at most one stop and a seat left for one? Tell me the departure time and my total with {bags} and no insurance, for the cheapest if several leave then.",
                "What's the first departure with a free seat and at most one stop? I also want to know what it costs me alone with {bags}, uninsured (the cheapest one at that time).",
                "Tell me when the earliest flight leaves, nonstop or one stop and not sold out, and the total for me with {bags} and without insurance. If several leave then, the cheapest.",
            ),
        ),
    ),
)

ARCHETYPES = (I1, I2, I3)
