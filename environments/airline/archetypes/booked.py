"""Parts of requests about reservations that exist: steps of queries, draws, words.

A customer rarely knows a reservation id, so a trip is described by where it goes, when, or how it compares with their other trips.
"From SFO to JFK" is taken to speak of every reservation of that route, be it flown or cancelled: draws name a route only if one has it.
"""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date as Date
from datetime import timedelta
from itertools import pairwise
from typing import Any

from environments.airline.archetypes.lexicon import AIRPORTS, NUMBERS
from environments.airline.archetypes.lexicon import LEXICON as BOOKING_LEXICON
from environments.airline.archetypes.parts import FREE_BAGS
from environments.core.domain import Clause, Facts, Proposal, Reading
from environments.core.memo import Memo
from environments.core.query import (
    Aggregate,
    AllOf,
    AnyOf,
    Arithmetic,
    Best,
    Compare,
    Condition,
    Exists,
    Key,
    ListOf,
    Query,
    Selection,
    Step,
    Table,
    The,
    Write,
    all_of,
    compare,
    const,
    fact,
    ref,
)
from environments.core.state import Record, Session

TODAY, TOMORROW = "2024-05-15", "2024-05-16"
A_DAY_AGO = "2024-05-14T15:00:00"
"""The world's clock stands at 15:00 on the 15th."""
HEALTH_OR_WEATHER = ("illness", "weather")
FLOWN = ("landed", "flying")
LIMITS = (50, 100, 150, 200, 250, 300, 400, 500, 600, 800, 1000, 1200, 1500, 2000)
"""Dollars that a customer may be ready to pay more."""
HOURS = tuple(range(9 * 60, 21 * 60 + 1, 60))
"""Minutes after midnight."""
ANY_PRICE = 1_000_000
"""Only a credit card covers it."""
LOOKED_AT = 80
"""At most so many people are looked at for one draw."""


type Readings = Callable[[Facts], list[Reading]]


# --- rows ----------------------------------------------------------------------------------------------------------------------


def query(facts: Facts, *steps: Step) -> Query:
    return Query(steps=(the_profile(), *steps))


def the_profile(name: str = "profile") -> The:
    by: dict[str, Any] = {"user_id": fact("user_id")}
    return The(selection=Selection(name=name, relation="profile", by=by))


def trips(name: str, *conditions: Condition) -> Selection:
    """Reservations of the customer, whatever their status."""
    return Selection(
        name=name,
        relation="reservations",
        of=ref("profile"),
        where=conditions[0] if len(conditions) == 1 else all_of(*conditions),
    )


def live(trip: str) -> Compare:
    return compare(ref(f"{trip}.status"), "ne", const("cancelled"))


def upcoming(trip: str) -> AllOf:
    """Not cancelled, and none of its flights was before tomorrow."""
    return all_of(live(trip), compare(ref(f"{trip}.first_date"), "gt", const(TODAY)))


def begun_too(trip: str) -> AllOf:
    """Another way to understand "upcoming": not over yet."""
    return all_of(live(trip), compare(ref(f"{trip}.last_date"), "ge", const(TODAY)))


def goes(trip: str, origin: str = "trip_from", destination: str = "trip_to") -> AllOf:
    return all_of(
        compare(ref(f"{trip}.origin"), "eq", fact(origin)),
        compare(ref(f"{trip}.destination"), "eq", fact(destination)),
    )


def the_trip(*conditions: Condition, name: str = "trip") -> The:
    """The reservation from $trip_from to $trip_to."""
    return The(selection=trips(name, *goes(name).conditions, *conditions))


def next_trip(of: Condition | None = None) -> Best:
    """The upcoming trip that begins first."""
    first = Key(value=ref("trip.first_date"))
    return Best(selection=trips("trip", of or upcoming("trip")), objective=(first,))


def dearest_trip(of: Condition | None = None, *, each: bool = False) -> Best:
    """The upcoming trip for which most was paid, by all passengers together or (`each`) for the flights of one."""
    paid: Any = leg_prices("trip") if each else ref("trip.paid")
    return Best(
        selection=trips("trip", of or upcoming("trip")),
        objective=(Key(value=paid, direction="desc"),),
    )


def next_readings(make: Callable[[Facts, Best], Query]) -> Readings:
    """Other ways to understand "the next of my upcoming trips"; `make` is given the step that finds the trip."""
    return lambda facts: [
        Reading(
            "trips that have begun count too",
            make(facts, next_trip(begun_too("trip"))),
            "not_begun",
        )
    ]


def dearest_readings(make: Callable[[Facts, Best], Query]) -> Readings:
    """Other ways to understand "the most expensive of my upcoming trips"."""
    return lambda facts: [
        Reading(
            "trips that have begun count too",
            make(facts, dearest_trip(begun_too("trip"))),
            "not_begun",
        ),
        Reading(
            "by the price of one passenger's flights",
            make(facts, dearest_trip(each=True)),
            "in_total",
        ),
    ]


def method(name: str, source: Any) -> The:
    where = compare(ref(f"{name}.source"), "eq", source)
    rows = Selection(name=name, relation="methods", of=ref("profile"), where=where)
    return The(selection=rows)


def _leg_status(trip: str, name: str, *statuses: str) -> Exists:
    """One of the trip's flights has one of these statuses."""
    checks = tuple(
        compare(ref(f"{name}.status"), "eq", const(status)) for status in statuses
    )
    legs = Selection(name=f"{name}_leg", relation="segments", of=ref(trip))
    where = checks[0] if len(checks) == 1 else AnyOf(conditions=checks)
    found = Selection(name=name, relation="flight_status", of=legs, where=where)
    return Exists(selection=found)


def flown(trip: str) -> AllOf:
    """4.2, 5.2: one of its flights has left. Of a trip that lies ahead no status has to be looked at."""
    begun = compare(ref(f"{trip}.first_date"), "le", const(TODAY))
    return all_of(begun, _leg_status(trip, f"{trip}_flown", *FLOWN))


def cancelled_by_airline(trip: str) -> Exists:
    return _leg_status(trip, f"{trip}_hit", "cancelled")


def delayed(trip: str) -> Exists:
    return _leg_status(trip, f"{trip}_late", "delayed")


def may_be_cancelled(trip: str) -> AnyOf:
    """5.3. Statuses come last, so that they are looked at only if nothing else allows it."""
    reasons = tuple(
        compare(fact("reason"), "eq", const(reason)) for reason in HEALTH_OR_WEATHER
    )
    insured = compare(ref(f"{trip}.insurance"), "eq", const("yes"))
    return AnyOf(
        conditions=(
            compare(ref(f"{trip}.created_at"), "ge", const(A_DAY_AGO)),
            compare(ref(f"{trip}.cabin"), "eq", const("business")),
            all_of(insured, AnyOf(conditions=reasons)),
            cancelled_by_airline(trip),
        )
    )


def entitled(trip: str) -> AnyOf:
    """6.2: who can be compensated."""
    return AnyOf(
        conditions=(
            compare(ref("profile.membership"), "ne", const("regular")),
            compare(ref(f"{trip}.insurance"), "eq", const("yes")),
            compare(ref(f"{trip}.cabin"), "eq", const("business")),
        )
    )


# --- numbers -------------------------------------------------------------------------------------------------------------------


def arithmetic(op: Any, left: Any, right: Any) -> Arithmetic:
    return Arithmetic(op=op, left=left, right=right)


def free_bags(trip: str) -> Arithmetic:
    """3.3: bags that the whole reservation has free."""
    each = Table(
        clause="3.3",
        keys=(ref("profile.membership"), ref(f"{trip}.cabin")),
        rows=dict(FREE_BAGS),
    )
    return arithmetic("*", each, ref(f"{trip}.party"))


def nonfree(trip: str, total: Any) -> Arithmetic:
    return arithmetic("max", const(0), arithmetic("-", total, free_bags(trip)))


def list_of(*values: Any) -> ListOf:
    return ListOf(values=values)


# --- new flights ---------------------------------------------------------------------------------------------------------------


def offers(
    trip: str,
    days: Sequence[Any],
    *conditions: Condition,
    back: bool = False,
    routing: str = "any",
    name: str = "new",
) -> Selection:
    """What is to be had on those days between the ends of the trip, or the other way round."""
    ends = ref(f"{trip}.origin"), ref(f"{trip}.destination")
    origin, destination = reversed(ends) if back else ends
    by: dict[str, Any] = {
        "origins": list_of(origin),
        "destinations": list_of(destination),
        "dates": list_of(*days),
        "routing": const(routing),
    }
    where = all_of(*conditions) if conditions else None
    return Selection(name=name, relation="trips", by=by, where=where)


def seats_for(trip: str, cabin: str, name: str = "new") -> Compare:
    return compare(ref(f"{name}.seats.{cabin}"), "ge", ref(f"{trip}.party"))


def fare(cabin: str, name: str = "new") -> Key:
    return Key(value=ref(f"{name}.fare.{cabin}"))


def leg_prices(trip: str) -> Aggregate:
    """What the trip's flights cost each passenger when they were booked."""
    leg = f"{trip}_leg"
    legs = Selection(name=leg, relation="segments", of=ref(trip))
    return Aggregate(op="sum", over=legs, value=ref(f"{leg}.price"))


# --- writes --------------------------------------------------------------------------------------------------------------------


def _on(trip: str, tool: str, **arguments: Any) -> Write:
    key = {"reservation_id": ref(f"{trip}.reservation_id")}
    return Write(tool=tool, arguments={**key, **arguments})


def set_bags(trip: str, total: Any, payer: str) -> Write:
    return _on(
        trip,
        "update_reservation_baggages",
        total_baggages=total,
        nonfree_baggages=nonfree(trip, total),
        payment_id=ref(f"{payer}.id"),
    )


def add_bags(trip: str, bags: Any, payer: str) -> Write:
    more = arithmetic("+", ref(f"{trip}.total_baggages"), bags)
    return set_bags(trip, more, payer)


def change(trip: str, cabin: Any, flights: Any, payment_id: Any) -> Write:
    return _on(
        trip,
        "update_reservation_flights",
        cabin=cabin,
        flights=flights,
        payment_id=payment_id,
    )


def recabin(trip: str, cabin: Any, payer: str) -> Write:
    """The same flights in another cabin."""
    return change(trip, cabin, ref(f"{trip}.legs"), ref(f"{payer}.id"))


def cancel(trip: str) -> Write:
    return _on(trip, "cancel_reservation")


def compensate(trip: str, each: int) -> Write:
    amount = arithmetic("*", const(each), ref(f"{trip}.party"))
    arguments: dict[str, Any] = {"user_id": ref("profile.user_id"), "amount": amount}
    return Write(tool="send_certificate", arguments=arguments)


# --- draws ---------------------------------------------------------------------------------------------------------------------

type Fit = Callable[[Session, random.Random, Record], Proposal | None]


def first_fit(
    fit: Fit,
) -> Callable[[Session, random.Random, Sequence[str]], Proposal | None]:
    """A draw that looks at people in random order until `fit` makes a proposal for one."""

    def propose(
        session: Session, rng: random.Random, people: Sequence[str]
    ) -> Proposal | None:
        for key in rng.sample(people, min(LOOKED_AT, len(people))):
            user: Any = session.get("users", key)
            if user["reservations"]:
                proposal = fit(session, rng, user)
                if proposal is not None:
                    return proposal
        return None

    return propose


def proposal(user: Record, wishes: dict[str, Any], *clauses: str) -> Proposal:
    return Proposal({"user_id": user["user_id"], **wishes}, clauses)


def reservations(session: Session, user: Record) -> list[Record]:
    found = [session.get("reservations", key) for key in user["reservations"]]
    return [row for row in found if row is not None]


def is_upcoming(trip: Record) -> bool:
    """Also by the widest understanding of the word: whatever has begun is none."""
    return trip["status"] != "cancelled" and min(dates(trip), default="") > TODAY


def dates(trip: Record) -> list[str]:
    return [leg["date"] for leg in trip["flights"]]


def next_of(session: Session, user: Record) -> Record | None:
    """The upcoming trip that begins first, if there are others and none begins with it."""
    ahead = sorted(
        (row for row in reservations(session, user) if is_upcoming(row)),
        key=lambda row: min(dates(row)),
    )
    days = [min(dates(row)) for row in ahead[:2]]
    if len(days) < 2 or days[0] == days[1] or days[0] == TOMORROW:
        return None  # nothing can begin before tomorrow: one look would be enough
    return ahead[0]


def dearest_of(session: Session, user: Record) -> Record | None:
    """The upcoming trip for which most was paid, if there are others and none cost as much."""
    ahead = [row for row in reservations(session, user) if is_upcoming(row)]
    ahead.sort(key=paid_for, reverse=True)
    if len(ahead) < 2 or paid_for(ahead[0]) == paid_for(ahead[1]):
        return None
    return ahead[0]


def paid_for(trip: Record) -> int:
    paid: int = sum(line["amount"] for line in trip["payment_history"])
    return paid


def party(trip: Record) -> int:
    return len(trip["passengers"])


def free_for(user: Record, trip: Record) -> int:
    return FREE_BAGS[f"{user['membership']}/{trip['cabin']}"] * party(trip)


def days_of(session: Session, trip: Record) -> list[Record]:
    """The day of each of its flights in the state: status, and fares if it can be booked."""
    found = []
    for leg in trip["flights"]:
        flight = session.get("flights", leg["flight_number"])
        day = flight["dates"].get(leg["date"]) if flight else None
        found.append(day or {"status": ""})
    return found


def statuses(session: Session, trip: Record) -> list[str]:
    return [day["status"] for day in days_of(session, trip)]


def seen_apart(session: Session, trip: Record) -> bool:
    """Whether no search shows two of its flights: one for connections shows both, so that neither would have to be looked up."""
    legs = [
        leg
        for leg, status in zip(trip["flights"], statuses(session, trip), strict=True)
        if status == "available"
    ]
    return not any(
        first["destination"] == then["origin"]
        and Date.fromisoformat(then["date"]) - Date.fromisoformat(first["date"])
        <= timedelta(days=1)
        for first, then in pairwise(legs)
    )


def has_seats(session: Session, trip: Record, cabin: str) -> bool:
    """Whether the same flights can be had in another cabin."""
    return has_seats_on(days_of(session, trip), cabin, party(trip))


def has_seats_on(days: Sequence[Record], cabin: str, passengers: int) -> bool:
    return all(
        day["status"] == "available" and day["available_seats"][cabin] >= passengers
        for day in days
    )


def nonstops(
    session: Session, origin: str, destination: str, day: str, cabin: str, seats: int
) -> list[tuple[int, Record]]:
    """(fare, flight) of direct flights on that day with so many seats in the cabin, the cheapest first."""
    found = []
    for number in session.lookup_all("flights_by_route", (origin, destination)):
        flight: Any = session.get("flights", number)
        on_day = flight["dates"].get(day, {"status": ""})
        if (
            on_day["status"] == "available"
            and on_day["available_seats"][cabin] >= seats
        ):
            found.append((on_day["prices"][cabin], flight))
    return sorted(found, key=lambda pair: pair[0])


def routed(session: Session, user: Record) -> Sequence[Record]:
    """Trips whose route no other reservation of the customer has."""
    return _ROUTED.of(session, user["user_id"])


def _routed(session: Session, user_id: str) -> Sequence[Record]:
    rows = reservations(session, session.get("users", user_id) or {"reservations": []})
    routes = Counter((row["origin"], row["destination"]) for row in rows)
    return [
        row
        for row in rows
        if routes[row["origin"], row["destination"]] == 1
        and row["origin"] != row["destination"]
    ]


_ROUTED = Memo(_routed)


def pick(
    session: Session,
    rng: random.Random,
    user: Record,
    fits: Callable[[Record], bool],
) -> Record | None:
    """A trip that its route tells from all others and that fits."""
    found = [row for row in routed(session, user) if fits(row)]
    return rng.choice(found) if found else None


def route(trip: Record, prefix: str = "trip") -> dict[str, str]:
    return {f"{prefix}_from": trip["origin"], f"{prefix}_to": trip["destination"]}


def pays(user: Record, rng: random.Random, amount: float = 0) -> str:
    """Kind of a method of which the customer has exactly one, and which covers that much; "" if there is none."""
    methods = list(user["payment_methods"].values())
    kinds = [one["source"] for one in methods]
    found = [
        one["source"]
        for one in methods
        if kinds.count(one["source"]) == 1
        and (
            one["source"] == "credit_card"
            or (one["source"] == "gift_card" and one["amount"] >= amount)
        )
    ]
    return str(rng.choice(found)) if found else ""


def two_methods(user: Record) -> tuple[Record, Record] | None:
    """The gift card and the credit card of a customer who has one of each."""
    methods = list(user["payment_methods"].values())
    gifts = [one for one in methods if one["source"] == "gift_card"]
    cards = [one for one in methods if one["source"] == "credit_card"]
    return (gifts[0], cards[0]) if len(gifts) == len(cards) == 1 else None


# --- words ---------------------------------------------------------------------------------------------------------------------

PAY_BAGS = Clause(
    "pay",
    (
        "[Whatever the bags cost|Any cost of the bags] can be charged to {payment}.",
        "[Please use|Use] {payment} for [the bags|whatever the bags cost].",
        "[Should the bags cost anything|If there is something to pay for the bags], take {payment}.",
        "[The payment for the bags|What the bags cost] [should|can] go on {payment}.",
    ),
)
PAY_CABIN = Clause(
    "pay",
    (
        "[Whatever the other cabin costs|The cost of the other cabin] can be charged to {payment}, or goes back there.",
        "[Please settle|Settle] what the change of cabin costs or saves with {payment}.",
        "[For|As for] the change of cabin, [please |]use {payment}, whether something is due or comes back.",
        "What the new cabin costs more or less [should|can] go to {payment}.",
    ),
)
PAY_FLIGHTS = Clause(
    "pay",
    (
        "[Please settle|Settle] [any|the] difference in fare with {payment}.",
        "[The|Any] difference in fare [should|can] go to {payment}.",
        "[For|As for] the difference in fare, [please |]use {payment}.",
    ),
)
REASON = Clause(
    "reason",
    (
        "[The reason for cancelling is that|Reason for cancelling:] {reason}.",
        "[As to why I'm cancelling:|Why cancel? Because] {reason}.",
        "[I have to cancel because|I'm cancelling since] {reason}.",
    ),
)
NOT_BEGUN = Clause(
    "not_begun",
    (
        "[By upcoming I mean|Upcoming means] [trips that have not begun yet|trips on which no flight has left yet].",
        "[Trips|A trip] I have already set out on [do|does] not count as upcoming.",
    ),
)
IN_TOTAL = Clause(
    "in_total",
    (
        "[What counts is|I go by] what I paid for the whole reservation, all passengers together.",
        "By most expensive I mean the total I paid for the reservation, not the price per person.",
    ),
)


def _half(minutes: int) -> str:
    return "am" if minutes < 12 * 60 else "pm"


_PLACES: dict[Any, tuple[str, ...]] = dict(AIRPORTS)
_DATES: dict[Any, tuple[str, ...]] = {
    f"2024-05-{day:02}": (f"May {day}",) for day in range(1, 31)
}
_BAGS: dict[Any, tuple[str, ...]] = {
    n: (f"{NUMBERS[n]} checked bag{'s' if n > 1 else ''}",) for n in range(1, 10)
}
LEXICON: dict[str, dict[Any, tuple[str, ...]]] = {
    "reason": {
        "change_of_plans": ("my plans have changed", "there was a change of plans"),
        "illness": ("I have fallen ill", "one of us is sick"),
        "weather": ("a storm is forecast", "the weather there is too bad to travel"),
        "disruption": ("a flight is not going as booked", "the flights are a mess"),
    },
    "party": {
        n: (f"{NUMBERS[n]} passenger{'s' if n > 1 else ''}",) for n in range(1, 6)
    },
    "limit": {n: (f"${n:,}", f"{n} dollars") for n in LIMITS},
    "before": {
        hour: (f"{hour // 60:02}:00", f"{(hour // 60 - 1) % 12 + 1} {_half(hour)}")
        for hour in HOURS
    },
    "new_cabin": BOOKING_LEXICON["cabin"],
    **dict.fromkeys(("bags", "other_bags", "count"), _BAGS),
    **dict.fromkeys(("trip_from", "trip_to", "other_from", "other_to"), _PLACES),
    **dict.fromkeys(("trip_day", "other_day", "day_1", "day_2", "day_3"), _DATES),
}
"""Slot → value → words, of the requests about reservations that exist."""
