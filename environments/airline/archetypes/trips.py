"""Requests about bags, passengers and cabins of trips that are booked."""

import random
from collections import Counter
from typing import Any

from environments.airline.archetypes.booked import (
    ANY_PRICE,
    BAG_PRICE,
    IN_TOTAL,
    NOT_BEGUN,
    PAY,
    add_bags,
    begun_too,
    change,
    first_fit,
    flown,
    free_bags,
    free_for,
    goes,
    has_seats,
    is_upcoming,
    list_of,
    method,
    next_of,
    next_trip,
    party,
    pays,
    pick,
    proposal,
    query,
    recabin,
    reservations,
    route,
    routed,
    set_bags,
    statuses,
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
    Aggregate,
    Arithmetic,
    Best,
    Branch,
    Collect,
    Condition,
    Decline,
    Each,
    Key,
    ObjectOf,
    Query,
    Selection,
    The,
    Write,
    compare,
    fact,
    ref,
)
from environments.core.state import Record, Session

_PAYER = method("payer", fact("payment"))


def _bag_cost(user: Record, trip: Record, total: int) -> int:
    needed = max(0, total - free_for(user, trip))
    more: int = max(0, needed - trip["nonfree_baggages"])
    return BAG_PRICE * more


# --- A13: bags on the most expensive upcoming trip ---------------------------------------------------------------------------------


def _bags_on_priciest(
    facts: Facts, *, of: Condition | None = None, each: bool = False
) -> Query:
    paid: Any = ref("trip.paid")
    if each:
        legs = Selection(name="leg", relation="segments", of=ref("trip"))
        paid = Aggregate(op="sum", over=legs, value=ref("leg.price"))
    return query(
        facts,
        Best(
            selection=trips("trip", of or upcoming("trip")),
            objective=(Key(value=paid, direction="desc"),),
        ),
        _PAYER,
        add_bags("trip", fact("bags"), "payer"),
    )


def _fit_priciest(
    session: Session, rng: random.Random, user: Record
) -> Proposal | None:
    ahead = [row for row in reservations(session, user) if is_upcoming(row)]
    bags = rng.randint(1, 3)
    payment = pays(user, rng, 50 * bags)
    if len(ahead) < 2 or not payment:
        return None
    return proposal(user, {"bags": bags, "payment": payment}, "wish", "bags", "pay")


A13 = Archetype(
    "A13",
    "Add bags to the most expensive upcoming trip",
    TaskClass.READ_HEAVY,
    first_fit(_fit_priciest),
    _bags_on_priciest,
    (
        Clause(
            "wish",
            (
                "[I'd like|I want] to add checked bags to the most expensive of my upcoming trips.",
                "[Can|Could] you add luggage to my most expensive upcoming trip?",
                "My most expensive upcoming trip needs more checked bags.",
                "Of my upcoming trips, the most expensive one should get more luggage.",
                "I'm [calling|writing] about the upcoming trip for which I paid most: I need more bags there.",
            ),
            opens=True,
        ),
        Clause(
            "bags",
            (
                "[It should be|Make it] {bags} more than it has now.",
                "[I need|Add] {bags} more than there are already.",
                "{bags} more[, please|] is what I need there.",
            ),
        ),
        IN_TOTAL,
        NOT_BEGUN,
        PAY,
    ),
    lambda facts: [
        Reading(
            "by the price of one passenger's flights",
            _bags_on_priciest(facts, each=True),
            "in_total",
        ),
        Reading(
            "trips that have begun count too",
            _bags_on_priciest(facts, of=begun_too("trip")),
            "not_begun",
        ),
    ],
)


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
                "[Make it|It should become] {new_cabin} for all of them, and keep the flights.",
            ),
        ),
        NOT_BEGUN,
        PAY,
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


# --- A19: as many bags as are free -------------------------------------------------------------------------------------------------


def _free_bags(facts: Facts, *, of: Condition | None = None) -> Query:
    return query(
        facts, next_trip(of), _PAYER, set_bags("trip", free_bags("trip"), "payer")
    )


def _fit_free_bags(
    session: Session, rng: random.Random, user: Record
) -> Proposal | None:
    row = next_of(session, user)
    payment = pays(user, rng)
    if row is None or not payment or free_for(user, row) <= row["total_baggages"]:
        return None
    return proposal(user, {"payment": payment}, "wish", "target", "pay")


A19 = Archetype(
    "A19",
    "As many bags as are free on the next trip",
    TaskClass.READ_HEAVY,
    first_fit(_fit_free_bags),
    _free_bags,
    (
        Clause(
            "wish",
            (
                "[I'd like|I want] to [use|make use of] the whole free luggage allowance on the next of my upcoming trips.",
                "[Can|Could] you raise the luggage on my next upcoming trip to what is free?",
                "My next upcoming trip should have all the checked bags that come free of charge.",
                "About the first of my upcoming trips: [put|book] all the luggage on it that costs me nothing.",
            ),
            opens=True,
        ),
        Clause(
            "target",
            (
                "That is, as many checked bags in total as all passengers have free, and not one that costs money.",
                "I mean the largest number of checked bags for which nobody has to pay.",
                "The total should be exactly the number of bags that are free for all of us together.",
            ),
        ),
        NOT_BEGUN,
        PAY,
    ),
    lambda facts: [
        Reading(
            "trips that have begun count too",
            _free_bags(facts, of=begun_too("trip")),
            "not_begun",
        )
    ],
)


# --- A20: the saved passenger instead of the youngest traveller -----------------------------------------------------------------------


def _instead_of_youngest(facts: Facts, *, of: Condition | None = None) -> Query:
    saved = compare(ref("guest.first_name"), "eq", fact("saved_first"))
    stays = compare(ref("stays.dob"), "ne", ref("youngest.dob"))
    travelers: dict[str, Any] = {"relation": "travelers", "of": ref("trip")}
    people = Arithmetic(
        op="+",
        left=Collect(each="stays", value=_person("stays")),
        right=list_of(_person("guest")),
    )
    arguments: dict[str, Any] = {
        "reservation_id": ref("trip.reservation_id"),
        "passengers": people,
    }
    return query(
        facts,
        Best(
            selection=trips("trip", of or upcoming("trip")),
            objective=(Key(value=ref("trip.party"), direction="desc"),),
        ),
        Best(
            selection=Selection(name="youngest", **travelers),
            objective=(Key(value=ref("youngest.dob"), direction="desc"),),
        ),
        The(
            selection=Selection(
                name="guest", relation="saved", of=ref("profile"), where=saved
            )
        ),
        Each(selection=Selection(name="stays", **travelers, where=stays)),
        Write(tool="update_reservation_passengers", arguments=arguments),
    )


def _person(name: str) -> Any:
    fields = ("first_name", "last_name", "dob")
    return ObjectOf(fields={field: ref(f"{name}.{field}") for field in fields})


def _fit_youngest(
    session: Session, rng: random.Random, user: Record
) -> Proposal | None:
    """The youngest is named last, so that whoever takes the seat stands last in the list, appended or put in place."""
    names = [person["first_name"] for person in user["saved_passengers"]]
    guests = [p for p in user["saved_passengers"] if names.count(p["first_name"]) == 1]
    if not guests:
        return None
    guest = rng.choice(guests)

    ahead = [row for row in reservations(session, user) if is_upcoming(row)]
    ahead.sort(key=party, reverse=True)
    if len(ahead) < 2 or party(ahead[0]) == party(ahead[1]):
        return None
    born = [person["dob"] for person in ahead[0]["passengers"]]
    last = max(born) == born[-1] and born.count(born[-1]) == 1
    if not last or guest["dob"] in born:
        return None
    return proposal(user, {"saved_first": guest["first_name"]}, "wish", "guest")


A20 = Archetype(
    "A20",
    "A saved passenger instead of the youngest traveller",
    TaskClass.READ_HEAVY,
    first_fit(_fit_youngest),
    _instead_of_youngest,
    (
        Clause(
            "wish",
            (
                "On the upcoming trip with the most passengers, the youngest of them can't come[| along].",
                "[I need|I'd like] to replace the youngest passenger on the upcoming trip of mine that has the most passengers.",
                "[Can|Could] somebody else take the seat of the youngest traveller on my largest upcoming trip, the one with the most passengers?",
                "Of my upcoming trips, take the one with the most passengers: its youngest passenger has to be exchanged for somebody else.",
            ),
            opens=True,
        ),
        Clause(
            "guest",
            (
                "[Instead, take|The new passenger is] {saved_first}, who is [saved|a saved passenger] in my profile.",
                "{saved_first} from the saved passengers in my profile [takes that seat|travels instead].",
                "[Please put|Put] {saved_first} there, one of the passengers saved in my profile.",
            ),
        ),
        NOT_BEGUN,
    ),
    lambda facts: [
        Reading(
            "trips that have begun count too",
            _instead_of_youngest(facts, of=begun_too("trip")),
            "not_begun",
        )
    ],
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
                "[Make it|Put us all in] {new_cabin}.",
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


# --- A29: another cabin, unless something was flown; A30: so many bags, unless that is fewer ------------------------------------------


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
    row = pick(
        session,
        rng,
        user,
        lambda row: (
            row["cabin"] != "business"
            and row["status"] != "cancelled"
            and statuses(session, row)[0] == "landed"
            and set(statuses(session, row)[1:]) == {"available"}
        ),
    )
    payment = pays(user, rng, ANY_PRICE)
    if row is None or not payment:
        return None
    cabins = (
        ("economy", "business") if row["cabin"] == "basic_economy" else ("business",)
    )
    wishes = {**route(row), "new_cabin": rng.choice(cabins), "payment": payment}
    return proposal(user, wishes, "wish", "pay")


A29 = Archetype(
    "A29",
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
            ),
            opens=True,
        ),
        PAY,
    ),
    existential=True,
)


def bags_unless_fewer(facts: Facts) -> Query:
    return query(
        facts,
        the_trip(),
        _PAYER,
        Branch(
            condition=compare(fact("count"), "ge", ref("trip.total_baggages")),
            then=(set_bags("trip", fact("count"), "payer"),),
            otherwise=(Decline(clause="4.4"),),
        ),
    )


def _fit_more_bags(
    session: Session, rng: random.Random, user: Record
) -> Proposal | None:
    row = pick(session, rng, user, is_upcoming)
    if row is None:
        return None
    count = row["total_baggages"] + rng.randint(1, 3)
    payment = pays(user, rng, _bag_cost(user, row, count))
    if not payment or count > 9:
        return None
    wishes = {**route(row), "count": count, "payment": payment}
    return proposal(user, wishes, "wish", "pay")


def fit_fewer_bags(
    session: Session, rng: random.Random, user: Record
) -> Proposal | None:
    row = pick(
        session, rng, user, lambda row: is_upcoming(row) and row["total_baggages"] > 1
    )
    payment = pays(user, rng)
    if row is None or not payment:
        return None
    count = min(9, rng.randrange(1, row["total_baggages"]))
    return proposal(
        user, {**route(row), "count": count, "payment": payment}, "wish", "pay"
    )


A30 = Archetype(
    "A30",
    "So many bags in total, which is more than now",
    TaskClass.READ_HEAVY,
    first_fit(_fit_more_bags),
    bags_unless_fewer,
    (
        Clause(
            "wish",
            (
                "[I want|I need] {count} in total on my trip from {trip_from} to {trip_to}.",
                "[Please make it|Make it] {count} in all for the trip from {trip_from} to {trip_to}.",
                "[Can|Could] you see to it that we have {count} altogether on the trip from {trip_from} to {trip_to}?",
                "For my trip from {trip_from} to {trip_to} there should be {count}, all told.",
            ),
            opens=True,
        ),
        PAY,
    ),
    existential=True,
)

TRIPS = (A13, A14, A19, A20, A21, A29, A30)
