"""Requests about bags and passengers of trips that are booked."""

import random
from typing import Any

from environments.airline.archetypes.booked import (
    ANY_PRICE,
    IN_TOTAL,
    NOT_BEGUN,
    PAY_BAGS,
    add_bags,
    begun_too,
    dearest_of,
    dearest_readings,
    dearest_trip,
    first_fit,
    free_bags,
    free_for,
    is_upcoming,
    list_of,
    method,
    next_of,
    next_readings,
    next_trip,
    party,
    pays,
    proposal,
    query,
    reservations,
    set_bags,
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
    Arithmetic,
    Best,
    Branch,
    Collect,
    Condition,
    Decline,
    Each,
    Key,
    Query,
    Selection,
    The,
    Write,
    compare,
    fact,
    ref,
)
from environments.core.state import Record, Session

MOST_BAGS = 9
_PAYER = method("payer", fact("payment"))


# --- A13: bags on the most expensive upcoming trip ---------------------------------------------------------------------------------


def _bags_on_dearest(facts: Facts, trip: Best) -> Query:
    return query(facts, trip, _PAYER, add_bags("trip", fact("bags"), "payer"))


def _fit_dearest(session: Session, rng: random.Random, user: Record) -> Proposal | None:
    bags = rng.randint(1, 3)
    payment = pays(user, rng, 50 * bags)
    if dearest_of(session, user) is None or not payment:
        return None
    return proposal(user, {"bags": bags, "payment": payment}, "wish", "bags", "pay")


A13 = Archetype(
    "A13",
    "Add bags to the most expensive upcoming trip",
    TaskClass.READ_HEAVY,
    first_fit(_fit_dearest),
    lambda facts: _bags_on_dearest(facts, dearest_trip()),
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
                "[I need|Add] {bags} more on that most expensive trip than there are already.",
                "The most expensive trip should get {bags} more than it has now.",
                "For the most expensive trip, {bags} more [is|will be] [right|enough].",
            ),
        ),
        IN_TOTAL,
        NOT_BEGUN,
        PAY_BAGS,
    ),
    dearest_readings(_bags_on_dearest),
)


# --- A19: as many bags as are free -------------------------------------------------------------------------------------------------


def _free_bags(facts: Facts, trip: Best) -> Query:
    return query(facts, trip, _PAYER, set_bags("trip", free_bags("trip"), "payer"))


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
    lambda facts: _free_bags(facts, next_trip()),
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
        PAY_BAGS,
    ),
    next_readings(_free_bags),
)


# --- A20: the saved passenger instead of the youngest traveller -----------------------------------------------------------------------


def _instead_of_youngest(facts: Facts, *, of: Condition | None = None) -> Query:
    saved = compare(ref("guest.full_name"), "eq", fact("guest_name"))
    stays = compare(ref("stays.dob"), "ne", ref("youngest.dob"))
    travelers: dict[str, Any] = {"relation": "travelers", "of": ref("trip")}
    people = Arithmetic(
        op="+",
        left=Collect(each="stays", value=ref("stays.passenger")),
        right=list_of(ref("guest.passenger")),
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


def _fit_youngest(
    session: Session, rng: random.Random, user: Record
) -> Proposal | None:
    """The youngest is named last, so that whoever takes the seat stands last in the list, appended or put in place."""
    if not user["saved_passengers"]:
        return None
    guest = rng.choice(user["saved_passengers"])
    name = f"{guest['first_name']} {guest['last_name']}"

    ahead = [row for row in reservations(session, user) if is_upcoming(row)]
    ahead.sort(key=party, reverse=True)
    if len(ahead) < 2 or party(ahead[0]) == party(ahead[1]):
        return None
    born = [person["dob"] for person in ahead[0]["passengers"]]
    last = max(born) == born[-1] and born.count(born[-1]) == 1
    if not last or guest["dob"] in born:
        return None
    return proposal(user, {"guest_name": name}, "wish", "guest")


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
                "[The new passenger is|Instead of the youngest, take] {guest_name}, who is [saved|a saved passenger] in my profile.",
                "[The seat of the youngest goes to|The youngest is replaced by] {guest_name} from the saved passengers in my profile.",
                "[Please put|Put] {guest_name} in the place of the youngest, one of the passengers saved in my profile.",
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


# --- A40: so many bags, unless that is fewer ------------------------------------------------------------------------------


def bags_unless_fewer(facts: Facts, trip: Best) -> Query:
    enough = compare(fact("count"), "ge", ref("trip.total_baggages"))
    return query(
        facts,
        trip,
        _PAYER,
        Branch(
            condition=enough,
            then=(set_bags("trip", fact("count"), "payer"),),
            otherwise=(Decline(clause="4.4"),),
        ),
    )


def _fit_more_bags(
    session: Session, rng: random.Random, user: Record
) -> Proposal | None:
    """No trip has as many, so that it has to be known which one is the next."""
    row = next_of(session, user)
    payment = pays(user, rng, ANY_PRICE)
    if row is None or not payment:
        return None
    bags = [one["total_baggages"] for one in reservations(session, user)]
    count = max(bags) + rng.randint(1, 2)
    if count > MOST_BAGS:
        return None
    return proposal(user, {"count": count, "payment": payment}, "wish", "pay")


def fit_fewer_bags(
    session: Session, rng: random.Random, user: Record
) -> Proposal | None:
    """No other trip has more than so many, so that it has to be known which one is the next."""
    row = next_of(session, user)
    payment = pays(user, rng, ANY_PRICE)
    if row is None or not payment:
        return None
    others = [one for one in reservations(session, user) if one is not row]
    least = max(1, *(one["total_baggages"] + 1 for one in others))
    most = min(MOST_BAGS, row["total_baggages"] - 1)
    if least > most:
        return None
    count = rng.randint(least, most)
    return proposal(user, {"count": count, "payment": payment}, "wish", "pay")


A40 = Archetype(
    "A40",
    "So many bags in total on the next trip, which is more than now",
    TaskClass.READ_HEAVY,
    first_fit(_fit_more_bags),
    lambda facts: bags_unless_fewer(facts, next_trip()),
    (
        Clause(
            "wish",
            (
                "[I want|I need] {count} in total on the next of my upcoming trips.",
                "[Please make it|Make it] {count} in all for my next upcoming trip.",
                "[Can|Could] you see to it that we have {count} altogether on my next upcoming trip?",
                "For the first of my upcoming trips there should be {count}, all told.",
                "[I'd like|We'd like] to have {count} in total on the next of my upcoming trips.",
                "[Please set|Set] the luggage of my next upcoming trip to {count} in all.",
                "[Can|Could] you change the luggage of the first of my upcoming trips to {count}?",
                "On my next upcoming trip we'll be travelling with {count} altogether.",
            ),
            opens=True,
        ),
        NOT_BEGUN,
        PAY_BAGS,
    ),
    next_readings(bags_unless_fewer),
)

ARCHETYPES = (A13, A19, A20, A40)
