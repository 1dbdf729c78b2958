"""Requests that move a booked trip to what searches show: other days, another return, a better cabin if it is cheap enough."""

import random
from collections.abc import Callable, Sequence
from datetime import date as Date
from datetime import timedelta
from itertools import combinations
from typing import Any

from environments.airline.archetypes.booked import (
    HOURS,
    LIMITS,
    PAY_FLIGHTS,
    add_bags,
    arithmetic,
    change,
    dates,
    fare,
    first_fit,
    goes,
    is_upcoming,
    leg_prices,
    list_of,
    method,
    nonstops,
    offers,
    party,
    pays,
    proposal,
    query,
    route,
    routed,
    seats_for,
    the_trip,
    trips,
)
from environments.airline.oracle import StateRows
from environments.core.domain import (
    Archetype,
    Clause,
    Facts,
    Proposal,
    Reading,
    TaskClass,
)
from environments.core.memo import Memo
from environments.core.query import (
    Aggregate,
    Best,
    Branch,
    Decline,
    Query,
    Selection,
    Step,
    The,
    Value,
    all_of,
    compare,
    const,
    fact,
    ref,
)
from environments.core.state import Record, Session

_PAYER = method("payer", fact("payment"))
_DAYS = ("day_1", "day_2", "day_3")
CHEAP = 90
"""Dollars: at such a fare, be it of one flight or two, either trip must be able to save more than the other."""
LAST_DAY = "2024-05-30"


def later(day: str, days: int) -> str:
    return (Date.fromisoformat(day) + timedelta(days=days)).isoformat()


# --- A12, A42: to the cheapest nonstop on one of some later days -------------------------------------------------------------------


def _move_in(cabin: str, days: int, routing: str) -> tuple[Step, ...]:
    found = offers(
        "trip",
        [fact(day) for day in _DAYS[:days]],
        seats_for("trip", cabin),
        routing=routing,
    )
    move = change("trip", ref("trip.cabin"), ref("new.flights"), ref("payer.id"))
    return Best(selection=found, objective=(fare(cabin),)), move


def move_trip(days: int, routing: str) -> Callable[[Facts], Query]:
    """The cheapest flights in the cabin that is booked; 4.1: none, if that is basic economy."""

    def steps(facts: Facts) -> Query:
        basic = compare(ref("trip.cabin"), "eq", const("basic_economy"))
        economy = compare(ref("trip.cabin"), "eq", const("economy"))
        allowed = Branch(
            condition=economy,
            then=_move_in("economy", days, routing),
            otherwise=_move_in("business", days, routing),
        )
        return query(
            facts,
            the_trip(),
            _PAYER,
            Branch(
                condition=basic, then=(Decline(clause="4.1"),), otherwise=(allowed,)
            ),
        )

    return steps


def fit_move(days: int, *, basic: bool) -> Any:
    """A one-way trip ahead, and days after it between its ends with two flights to choose from, at least."""

    def fit(session: Session, rng: random.Random, user: Record) -> Proposal | None:
        found = [
            row
            for row in routed(session, user)
            if is_upcoming(row)
            and row["flight_type"] == "one_way"
            and (row["cabin"] == "basic_economy") == basic
            and max(dates(row)) < later(LAST_DAY, -days)
        ]
        rng.shuffle(found)
        for row in found:
            ahead = range(1, 12)
            start = max(dates(row))
            window = [later(start, n) for n in ahead if later(start, n) <= LAST_DAY]
            chosen = sorted(rng.sample(window, days))
            offered = [
                offer
                for day in chosen
                for offer in nonstops(
                    session,
                    row["origin"],
                    row["destination"],
                    day,
                    row["cabin"],
                    party(row),
                )
            ]
            if len(offered) < 2:
                continue
            paid = sum(leg["price"] for leg in row["flights"])
            cheapest = min(price for price, _ in offered)
            payment = pays(user, rng, (cheapest - paid) * party(row))
            if payment:
                wishes = dict(zip(_DAYS, chosen, strict=False))
                wishes |= {**route(row), "payment": payment}
                return proposal(user, wishes, "wish", "when", "which", "pay")
        return None

    return fit


_NONSTOP = Clause(
    "which",
    (
        "[Take|I'll take|Pick] the cheapest nonstop flight with enough seats for all of us, in the cabin that is booked.",
        "The new flight should be the nonstop one with the lowest fare in our present cabin[| that still seats all of us].",
        "[Of the nonstop flights|Among the nonstop flights], the cheapest in our cabin [will do|is the one I want].",
    ),
)

_ANY_ROUTING = Clause(
    "which",
    (
        "[Take|I'll take|Pick] the cheapest there is with enough seats for all of us in the cabin that is booked, nonstop or with one stop.",
        "Nonstop or one stop, [both are|either is] fine for the new flights: what counts is the lowest fare in our present cabin[| that still seats all of us].",
        "[Whether nonstop or with one stop|With or without a stop], the cheapest in our cabin [will do|is the one I want].",
    ),
)
A12 = Archetype(
    "A12",
    "Move a trip to the cheapest of some later days",
    TaskClass.READ_HEAVY,
    first_fit(fit_move(3, basic=False)),
    move_trip(3, "any"),
    (
        Clause(
            "wish",
            (
                "[I'd like|I want] to [move|put off] my trip from {trip_from} to {trip_to} to a later day.",
                "[Can|Could] my trip from {trip_from} to {trip_to} be moved to a later day?",
                "My trip from {trip_from} to {trip_to} has to take place later than booked.",
                "I can't leave from {trip_from} for {trip_to} on the day that is booked, so I'd like a later one.",
            ),
            opens=True,
        ),
        Clause(
            "when",
            (
                "[I could go on|The new date can be] {day_1}, {day_2} or {day_3}, whichever is the cheapest.",
                "{day_1}, {day_2} and {day_3} are all fine for the new date, and the price decides.",
                "Choose the new date by the fare: {day_1}, {day_2} or {day_3}.",
            ),
        ),
        _ANY_ROUTING,
        PAY_FLIGHTS,
    ),
    lambda facts: [
        Reading(
            "only nonstop flights count",
            move_trip(3, "direct")(facts),
            "which",
        )
    ],
    existential=True,
)
A42 = Archetype(
    "A42",
    "Move a trip to the cheaper of two later days",
    TaskClass.READ_HEAVY,
    first_fit(fit_move(2, basic=False)),
    move_trip(2, "direct"),
    (
        Clause(
            "wish",
            (
                "[Please rebook|Rebook] my trip from {trip_from} to {trip_to}.",
                "[I need|I'd like] other flights for my trip from {trip_from} to {trip_to}.",
                "[Can|Could] you put us on another flight for the trip from {trip_from} to {trip_to}?",
                "The trip from {trip_from} to {trip_to} needs a new date.",
                "[Please move|Move] my trip from {trip_from} to {trip_to} to another date.",
                "[I need|I'd like] a new date for my trip from {trip_from} to {trip_to}.",
                "[Can|Could] we fly from {trip_from} to {trip_to} on another day than the one that is booked?",
                "The flights of my trip from {trip_from} to {trip_to} should be on another day.",
            ),
            opens=True,
        ),
        Clause(
            "when",
            (
                "[The new date can be|We could fly on] {day_1} or {day_2}, whichever costs less.",
                "[Put the trip on|Choose] {day_1} or {day_2}, the cheaper of the two.",
                "The new date is {day_1} or {day_2}, depending on what is cheaper.",
                "What suits me as the new date is {day_1} or {day_2}, whichever is cheaper.",
                "For the new date, either {day_1} or {day_2}: the cheaper one, please.",
                "I'd leave on {day_1} or {day_2}, and the fare decides.",
            ),
        ),
        _NONSTOP,
        PAY_FLIGHTS,
    ),
    lambda facts: [
        Reading("flights with a stop count too", move_trip(2, "any")(facts), "which")
    ],
    existential=True,
)


# --- A18: only the return, to the cheapest that leaves early enough ------------------------------------------------------------------


def _new_return(facts: Facts, *, at: bool = False) -> Query:
    cabin = facts["cabin"]
    out = Selection(
        name="out",
        relation="segments",
        of=ref("trip"),
        where=all_of(
            compare(ref("out.origin"), "eq", ref("trip.origin")),
            compare(ref("out.destination"), "eq", ref("trip.destination")),
        ),
    )
    before = compare(ref("new.departs"), "le" if at else "lt", fact("before"))
    conditions = [seats_for("trip", cabin), before]
    flights = arithmetic("+", list_of(ref("out.flight")), ref("new.flights"))
    kind = compare(ref("trip.flight_type"), "eq", const("round_trip"))
    in_cabin = compare(ref("trip.cabin"), "eq", fact("cabin"))
    return query(
        facts,
        the_trip(kind, in_cabin),
        The(selection=out),
        Best(
            selection=offers(
                "trip", [fact("day_1"), fact("day_2")], *conditions, back=True
            ),
            objective=(fare(cabin),),
        ),
        _PAYER,
        change("trip", ref("trip.cabin"), flights, ref("payer.id")),
    )


def _fit_new_return(
    session: Session, rng: random.Random, user: Record
) -> Proposal | None:
    payment = pays(user, rng, 2000)
    if not payment:
        return None
    for row in routed(session, user):
        legs = row["flights"]
        if not (
            is_upcoming(row)
            and row["flight_type"] == "round_trip"
            and len(legs) == 2
            and row["cabin"] != "basic_economy"
        ):
            continue
        there, back = legs
        days = [later(there["date"], n) for n in range(1, 12)]
        days = [day for day in days if day <= LAST_DAY and day != back["date"]]
        if len(days) < 2:
            continue
        wishes = {
            **route(row),
            "cabin": row["cabin"],
            "day_1": (chosen := sorted(rng.sample(days, 2)))[0],
            "day_2": chosen[1],
            "before": rng.choice(HOURS),
            "payment": payment,
        }
        return proposal(user, wishes, "wish", "when", "cheapest", "pay")
    return None


A18 = Archetype(
    "A18",
    "Only the return flight, to the cheapest that leaves early enough",
    TaskClass.READ_HEAVY,
    first_fit(_fit_new_return),
    _new_return,
    (
        Clause(
            "wish",
            (
                "[I'd like|I want] another return flight for my {cabin} round trip from {trip_from} to {trip_to}.",
                "[Can|Could] you change only the return of my {cabin} round trip from {trip_from} to {trip_to}?",
                "The way back of my {cabin} round trip from {trip_from} to {trip_to} should be another flight.",
                "My {cabin} round trip from {trip_from} to {trip_to}: [just|only] the return has to change.",
            ),
            opens=True,
        ),
        Clause(
            "when",
            (
                "[I'd fly back|The return should be] on {day_1} or {day_2}, leaving before {before}.",
                "[Bring us|Get us] back on {day_1} or on {day_2}, on something that leaves earlier than {before}.",
                "The new return is on {day_1} or {day_2}, with a departure before {before}.",
            ),
        ),
        Clause(
            "cheapest",
            (
                "[Take|Choose] the cheapest that fits, nonstop or with one stop[, in the same cabin|], and leave the outbound flight alone.",
                "Of what fits, nonstop or one stop, I want the cheapest in our cabin, and the outbound stays as it is.",
                "The cheapest that fits will do, in the same cabin, with at most one stop. Don't touch the way out.",
            ),
        ),
        PAY_FLIGHTS,
    ),
    lambda facts: [
        Reading("the hour itself is early enough", _new_return(facts, at=True), "when")
    ],
    existential=True,
)


# --- A17: a better cabin if it costs no more than so much, else one bag more ----------------------------------------------------------


def _lowest(trip: str, day: str, cabin: str) -> Aggregate:
    """The lowest fare of the day, with seats for all."""
    name = f"{trip}_any"
    over = offers(trip, [fact(day)], seats_for(trip, cabin, name), name=name)
    return Aggregate(op="min", over=over, value=ref(f"{name}.fare.{cabin}"))


def _to_cheapest(trip: str, day: str, cabin: str) -> tuple[Step, ...]:
    new = f"{trip}_new"
    room = seats_for(trip, cabin, new)
    return (
        Best(
            selection=offers(trip, [fact(day)], room, name=new),
            objective=(fare(cabin, new),),
        ),
        change(trip, const(cabin), ref(f"{new}.flights"), ref("payer.id")),
    )


def _upgrade_if_cheap(facts: Facts) -> Query:
    each = arithmetic("-", _lowest("trip", "trip_day", "business"), leg_prices("trip"))
    extra = arithmetic("*", each, ref("trip.party"))
    on_the_day = compare(ref("trip.first_date"), "eq", fact("trip_day"))
    return query(
        facts,
        the_trip(on_the_day),
        _PAYER,
        Value(name="extra", value=extra),
        Branch(
            condition=compare(ref("extra"), "le", fact("limit")),
            then=_to_cheapest("trip", "trip_day", "business"),
            otherwise=(add_bags("trip", const(1), "payer"),),
        ),
    )


def _fares(session: Session, trip: Record, cabin: str) -> list[int]:
    """What searches show on the trip's first day for all its passengers, nonstop or with one stop, the lowest first."""
    by = {
        "origins": [trip["origin"]],
        "destinations": [trip["destination"]],
        "dates": [trip["flights"][0]["date"]],
        "routing": "any",
    }
    shown = StateRows(session).expand("trips", None, by)
    return sorted(
        row.values["fare"][cabin]
        for cell in shown
        for row in cell.rows
        if row.values["seats"][cabin] >= party(trip)
    )


def _paid_each(trip: Record) -> int:
    return sum(leg["price"] for leg in trip["flights"])


def _fit_upgrade_if_cheap(
    session: Session, rng: random.Random, user: Record
) -> Proposal | None:
    for row in routed(session, user):
        if not (
            is_upcoming(row)
            and row["flight_type"] == "one_way"
            and row["cabin"] == "economy"
            and len(set(dates(row))) == 1
        ):
            continue
        day, found = row["flights"][0]["date"], _fares(session, row, "business")
        if len(found) < 2 or found[0] == found[1]:
            continue
        extra = (found[0] - _paid_each(row)) * party(row)
        near = sorted(LIMITS, key=lambda limit: abs(limit - extra))[:4]
        limit = rng.choice([one for one in near if one != extra])
        payment = pays(user, rng, max(extra, 50))
        if payment:
            wishes = {
                **route(row),
                "trip_day": day,
                "limit": limit,
                "payment": payment,
            }
            return proposal(user, wishes, "wish", "if", "else", "pay")
    return None


A17 = Archetype(
    "A17",
    "Business if it costs no more than so much, otherwise one bag more",
    TaskClass.READ_HEAVY,
    first_fit(_fit_upgrade_if_cheap),
    _upgrade_if_cheap,
    (
        Clause(
            "wish",
            (
                "[I'm thinking of|I'd like] flying business on my trip from {trip_from} to {trip_to} on {trip_day}, if the price is right.",
                "[Can|Could] we fly business on our trip from {trip_from} to {trip_to} on {trip_day}? It depends on the price.",
                "It's about my trip from {trip_from} to {trip_to} on {trip_day}: business would be nice, at the right price.",
                "My trip from {trip_from} to {trip_to} is on {trip_day}, and I might want business there.",
            ),
            opens=True,
        ),
        Clause(
            "if",
            (
                "If the cheapest way to fly business that day, nonstop or with one stop, costs us at most {limit} more in total, book us on it.",
                "Should all of us together pay no more than {limit} extra for that day's cheapest connection in business, nonstop or with one stop, take it.",
                "As long as the cheapest in business that day, with at most one stop, means at most {limit} extra for all of us, [we'll take it|switch us to it].",
            ),
        ),
        Clause(
            "else",
            (
                "Otherwise keep the flights and add one more checked bag.",
                "If it is more than that, leave everything as it is and just add one checked bag.",
                "If not, the flights stay, and we'd like one more checked bag instead.",
            ),
        ),
        PAY_FLIGHTS,
    ),
    existential=True,
)


# --- A22: whichever of two trips saves more in economy ---------------------------------------------------------------------------------


def _saving(trip: str, day: str, *, each: bool) -> Value:
    lowest = _lowest(trip, day, "economy")
    saving: Any = arithmetic("-", leg_prices(trip), lowest)
    if not each:
        saving = arithmetic("*", saving, ref(f"{trip}.party"))
    return Value(name=f"{trip}_saving", value=saving)


def _saves_more(facts: Facts, *, each: bool = False) -> Query:
    other = trips("other", *goes("other", "other_from", "other_to").conditions)
    more = compare(ref("trip_saving"), "gt", ref("other_saving"))
    return query(
        facts,
        the_trip(),
        The(selection=other),
        _PAYER,
        _saving("trip", "trip_day", each=each),
        _saving("other", "other_day", each=each),
        Branch(
            condition=more,
            then=_to_cheapest("trip", "trip_day", "economy"),
            otherwise=_to_cheapest("other", "other_day", "economy"),
        ),
    )


def _make_saving_pairs(
    session: Session, user_id: str
) -> Sequence[tuple[Record, Record]]:
    """Two business trips of which either could save more, were there a flight that is cheap enough."""
    next(session.keys("flights"), None)  # the searches rest on all of them
    user: Any = session.get("users", user_id)
    found = {
        row["reservation_id"]: row
        for row in routed(session, user)
        if is_upcoming(row)
        and row["flight_type"] == "one_way"
        and row["cabin"] == "business"
        and len(set(dates(row))) == 1
    }
    if len(found) < 2:
        return []
    fares = {key: _fares(session, row, "economy") for key, row in found.items()}
    saved = {
        key: (_paid_each(found[key]) - lowest[0]) * party(found[key])
        for key, lowest in fares.items()
        if len(lowest) > 1
    }
    most = {key: (_paid_each(found[key]) - CHEAP) * party(found[key]) for key in saved}
    return [
        (found[one], found[other])
        for one, other in combinations(saved, 2)
        if most[one] > saved[other] > 0 and most[other] > saved[one] > 0
    ]


_SAVING_PAIRS = Memo(_make_saving_pairs)


def _fit_saves_more(
    session: Session, rng: random.Random, user: Record
) -> Proposal | None:
    pairs = _SAVING_PAIRS.of(session, user["user_id"])
    payment = pays(user, rng) if pairs else ""
    if not payment:
        return None
    one, other = rng.sample(rng.choice(pairs), 2)
    wishes = {
        **route(one),
        **route(other, "other"),
        "trip_day": one["flights"][0]["date"],
        "other_day": other["flights"][0]["date"],
        "payment": payment,
    }
    return proposal(user, wishes, "wish", "which", "pay")


A22 = Archetype(
    "A22",
    "Economy for whichever of two business trips saves more",
    TaskClass.READ_HEAVY,
    first_fit(_fit_saves_more),
    _saves_more,
    (
        Clause(
            "wish",
            (
                "[I have|There are] two business trips of mine, from {trip_from} to {trip_to} on {trip_day} and from {other_from} to {other_to} on {other_day}, and one of them should become cheaper.",
                "[I'd like|I want] to save on one of two business trips: from {trip_from} to {trip_to} on {trip_day}, or from {other_from} to {other_to} on {other_day}.",
                "It's about my trips in business from {trip_from} to {trip_to} on {trip_day} and from {other_from} to {other_to} on {other_day}: one of them can be in economy.",
                "[Can|Could] you put one of my two business trips into economy, {trip_from} to {trip_to} on {trip_day} or {other_from} to {other_to} on {other_day}?",
            ),
            opens=True,
        ),
        Clause(
            "which",
            (
                "Move the one that saves more to the cheapest way to fly economy on its own day, nonstop or with one stop, counting what all passengers paid for their flights.",
                "I mean the one where all passengers together save most, on the cheapest way to fly economy on the same day, nonstop or with one stop.",
                "Whichever gives all of us together more back on that day's cheapest way to fly economy, with at most one stop, that one should be moved to it.",
            ),
        ),
        PAY_FLIGHTS,
    ),
    lambda facts: [
        Reading("saved by each passenger", _saves_more(facts, each=True), "which")
    ],
)

ARCHETYPES = (A12, A17, A18, A22, A42)
