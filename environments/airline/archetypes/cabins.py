"""Requests for another cabin, on the flights that are booked."""

import random
from collections import Counter

from environments.airline.archetypes.booked import (
    ANY_PRICE,
    NOT_BEGUN,
    PAY_CABIN,
    begun_too,
    change,
    days_of,
    first_fit,
    flown,
    goes,
    has_seats,
    has_seats_on,
    is_upcoming,
    method,
    party,
    pays,
    pick,
    proposal,
    query,
    recabin,
    reservations,
    route,
    routed,
    the_trip,
    trips,
    upcoming,
)
from environments.core.domain import (
    Archetype,
    Clause,
    Facts,
    Proposal,
    Reading,
    TaskClass,
)
from environments.core.query import (
    Branch,
    Condition,
    Decline,
    Query,
    The,
    compare,
    fact,
    ref,
)
from environments.core.state import Record, Session

_PAYER = method("payer", fact("payment"))


# --- A14: the trip with so many passengers in such a cabin ---------------------------------------------------------------------------


def _matching(facts: Facts, *, of: Condition | None = None) -> Query:
    where = (of or upcoming("trip"),)
    found = trips(
        "trip",
        *where,
        compare(ref("trip.party"), "eq", fact("party")),
        compare(ref("trip.cabin"), "eq", fact("cabin")),
    )
    return query(
        facts, The(selection=found), _PAYER, recabin("trip", fact("new_cabin"), "payer")
    )


def _fit_matching(
    session: Session, rng: random.Random, user: Record
) -> Proposal | None:
    rows = [row for row in reservations(session, user) if row["status"] != "cancelled"]
    kinds = Counter((party(row), row["cabin"]) for row in rows)
    found = [
        (row, cabin)
        for row in rows
        if kinds[party(row), row["cabin"]] == 1 and is_upcoming(row)
        for cabin in ("economy", "business")
        if cabin != row["cabin"] and has_seats(session, row, cabin)
    ]
    payment = pays(user, rng, ANY_PRICE)
    if not found or len(rows) < 2 or not payment:
        return None
    row, cabin = rng.choice(found)
    wishes = {
        "party": party(row),
        "cabin": row["cabin"],
        "new_cabin": cabin,
        "payment": payment,
    }
    return proposal(user, wishes, "wish", "target", "pay")


A14 = Archetype(
    "A14",
    "Another cabin for the trip with so many passengers in such a cabin",
    TaskClass.READ_HEAVY,
    first_fit(_fit_matching),
    _matching,
    (
        Clause(
            "wish",
            (
                "[I'd like|I want] another cabin for my upcoming {cabin} trip with {party}.",
                "My upcoming trip with {party} in {cabin} should be in another cabin.",
                "[Can|Could] you change the cabin of the upcoming trip that I booked for {party} in {cabin}?",
                "There's an upcoming trip of mine with {party} in {cabin}, and I want to change its cabin.",
            ),
            opens=True,
        ),
        Clause(
            "target",
            (
                "[Please move|Move] everybody on that trip to {new_cabin}, on the same flights.",
                "The cabin of that trip should be {new_cabin}, with the flights as they are.",
                "All passengers of that trip should be in {new_cabin}, and the flights stay.",
            ),
        ),
        NOT_BEGUN,
        PAY_CABIN,
    ),
    lambda facts: [
        Reading(
            "trips that have begun count too",
            _matching(facts, of=begun_too("trip")),
            "not_begun",
        )
    ],
    existential=True,
)


# --- A21: paid with what paid another trip ----------------------------------------------------------------------------------------------


def _paid_like(facts: Facts) -> Query:
    other = trips("other", *goes("other", "other_from", "other_to").conditions)
    paid_with = ref("other.payment_history.0.payment_id")
    legs = ref("trip.legs")
    return query(
        facts,
        the_trip(),
        The(selection=other),
        change("trip", fact("new_cabin"), legs, paid_with),
    )


def _fit_paid_like(
    session: Session, rng: random.Random, user: Record
) -> Proposal | None:
    rows = routed(session, user)
    cards = [
        row
        for row in rows
        if row["status"] != "cancelled"
        and len(row["payment_history"]) == 1
        and user["payment_methods"]
        .get(row["payment_history"][0]["payment_id"], {})
        .get("source")
        == "credit_card"
    ]
    if [one["source"] for one in user["payment_methods"].values()].count(
        "credit_card"
    ) < 2:
        return None  # there must be a method that could be meant instead
    found = [
        (row, cabin, other)
        for row in rows
        if is_upcoming(row)
        for cabin in ("economy", "business")
        if cabin != row["cabin"] and has_seats(session, row, cabin)
        for other in cards
        if other is not row
    ]
    if not found:
        return None
    row, cabin, other = rng.choice(found)
    wishes = {**route(row), **route(other, "other"), "new_cabin": cabin}
    return proposal(user, wishes, "wish", "target", "like")


A21 = Archetype(
    "A21",
    "Another cabin, charged to what paid another trip",
    TaskClass.READ_HEAVY,
    first_fit(_fit_paid_like),
    _paid_like,
    (
        Clause(
            "wish",
            (
                "[I'd like|I want] to change the cabin of my trip from {trip_from} to {trip_to}, on the same flights.",
                "[Can|Could] you put us in another cabin on my trip from {trip_from} to {trip_to}? The flights should stay.",
                "My trip from {trip_from} to {trip_to} should get another cabin, while the flights stay.",
                "We'd like to sit in another cabin on our trip from {trip_from} to {trip_to}, without changing flights.",
            ),
            opens=True,
        ),
        Clause(
            "target",
            (
                "The new cabin should be {new_cabin}.",
                "[The cabin I want there is|Put us all in] {new_cabin}.",
                "[We'd all like|All of us want] to fly {new_cabin} there.",
            ),
        ),
        Clause(
            "like",
            (
                "[Settle|Please settle] the difference with what I used for my trip from {other_from} to {other_to}.",
                "For the difference, take the payment method that paid my trip from {other_from} to {other_to}.",
                "The same method that paid for my trip from {other_from} to {other_to} should be used for the difference.",
            ),
        ),
    ),
    existential=True,
)


# --- A43: another cabin, unless something was flown ----------------------------------------------------------------------


def upgrade_unless_flown(facts: Facts) -> Query:
    return query(
        facts,
        the_trip(),
        _PAYER,
        Branch(
            condition=flown("trip"),
            then=(Decline(clause="4.2"),),
            otherwise=(recabin("trip", fact("new_cabin"), "payer"),),
        ),
    )


def _fit_upgrade(session: Session, rng: random.Random, user: Record) -> Proposal | None:
    found = [
        (row, cabin)
        for row in routed(session, user)
        if is_upcoming(row)
        for cabin in ("economy", "business")
        if cabin != row["cabin"] and has_seats(session, row, cabin)
    ]
    payment = pays(user, rng, ANY_PRICE)
    if not found or not payment:
        return None
    row, cabin = rng.choice(found)
    wishes = {**route(row), "new_cabin": cabin, "payment": payment}
    return proposal(user, wishes, "wish", "pay")


def fit_flown_upgrade(
    session: Session, rng: random.Random, user: Record
) -> Proposal | None:
    def fits(row: Record) -> bool:
        """Only the first flight stands in the way."""
        first, *rest = days_of(session, row)
        return (
            row["cabin"] != "business"
            and row["status"] != "cancelled"
            and first["status"] == "landed"
            and bool(rest)
            and has_seats_on(rest, "business", party(row))
        )

    row = pick(session, rng, user, fits)
    payment = pays(user, rng, ANY_PRICE)
    if row is None or not payment:
        return None
    wishes = {**route(row), "new_cabin": "business", "payment": payment}
    return proposal(user, wishes, "wish", "pay")


A43 = Archetype(
    "A43",
    "Another cabin for a trip of which nothing was flown",
    TaskClass.READ_HEAVY,
    first_fit(_fit_upgrade),
    upgrade_unless_flown,
    (
        Clause(
            "wish",
            (
                "[Please book|Book] all of us on my trip from {trip_from} to {trip_to} into {new_cabin}.",
                "[I'd like|We'd like] {new_cabin} for everybody on the trip from {trip_from} to {trip_to}, same flights.",
                "[Can|Could] the trip from {trip_from} to {trip_to} be moved to {new_cabin}, with the flights we have?",
                "The cabin of my {trip_from} to {trip_to} trip should be {new_cabin} from now on.",
                "[Please put|Put] everybody on my trip from {trip_from} to {trip_to} into {new_cabin}, with the same flights.",
                "[I'd like|We'd like] the trip from {trip_from} to {trip_to} to be in {new_cabin} instead.",
                "[Can|Could] you change the cabin of my trip from {trip_from} to {trip_to} to {new_cabin}?",
                "We want to sit in {new_cabin} on the trip from {trip_from} to {trip_to}; the flights stay.",
            ),
            opens=True,
        ),
        PAY_CABIN,
    ),
    existential=True,
)


ARCHETYPES = (A14, A21, A43)
