"""Questions: nothing is booked, the user is told what the searches and the profile come to."""

import random
from collections.abc import Sequence

from environments.airline.archetypes.booking import (
    NONSTOP_SHAPES,
    ONE_STOP_SHAPES,
    draw_deadline,
)
from environments.airline.archetypes.parts import (
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
from environments.core.query import Best, Key, Query, Tell, compare, fact, ref
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
    **more: object,
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
        **more,
    }
    cabin = facts["cabin"]
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
        bags=rng.randint(1, 4),
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
        bags=rng.randint(1, 4),
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


# --- I3: when to leave -----------------------------------------------------------------------------------------------------------------


def _last_departure(facts: Facts) -> Query:
    in_time = compare(ref("trip.arrives"), "le", fact("deadline"))
    return query(
        Best(
            selection=trips(facts, "any", in_time),
            objective=(
                Key(value=ref("trip.departs"), direction="desc"),
                Key(value=fare(facts)),
            ),
        ),
        Tell(what="departure time (Eastern)", value=ref("trip.departs_text")),
        Tell(what="total in dollars", value=total(facts, fare(facts))),
    )


_ONE_DAY = ((1, 1, 1), (2, 1, 1), (3, 1, 1))


def _propose_last_departure(
    session: Session, rng: random.Random, people: Sequence[str]
) -> Proposal | None:
    bags = rng.randint(1, 4)
    drawn = _draw(session, rng, people, _ONE_DAY, "any", "target", bags=bags)
    if drawn is None:
        return None
    found = found_trips(session, drawn.facts, "any")
    cabin = drawn.facts["cabin"]
    free = [trip for trip in found if trip["seats"][cabin]]
    deadline = draw_deadline(free, drawn.facts, rng)
    if deadline is None:
        return None
    return Proposal({**drawn.facts, **deadline}, drawn.clauses)


I3 = Archetype(
    "I3",
    "Tell when the last flight leaves that lands in time",
    TaskClass.INFORMATION,
    _propose_last_departure,
    _last_departure,
    (
        *_openers(_ONE_DAY),
        Clause(
            "target",
            (
                "How late can I leave and still land by {deadline} Eastern that same day, with at most one stop and a seat left for one? Tell me the departure time and my total with {bags} and no insurance, for the cheapest if several leave then.",
                "What's the latest departure with a free seat and at most one stop that lands by {deadline} Eastern on the same day? I also want to know what it costs me alone with {bags}, uninsured (the cheapest one at that time).",
                "Tell me when I'd have to leave at the latest to land by {deadline} Eastern on the same day, nonstop or one stop and not sold out, and the total for me with {bags} and without insurance. If several leave then, the cheapest.",
            ),
        ),
    ),
)

ARCHETYPES = (I1, I2, I3)
