"""Bookings that rest on who travels and on what the profile holds: companions, free bags, certificates."""

import random
from collections.abc import Sequence
from typing import Any

from environments.airline.archetypes.lexicon import LEXICON
from environments.airline.archetypes.parts import (
    ALONE,
    BAG_PRICE,
    FREE_BAGS,
    INSURANCE_PRICE,
    NO_EXTRAS,
    ONE_WAY,
    PAY,
    book_with_one_method,
    booking,
    draw_cabin,
    draw_days,
    draw_payer,
    draw_route,
    fare,
    found_trips,
    method,
    minus,
    openers,
    payment,
    proposal,
    query,
    route_clause,
    tell_card,
    total,
    trips,
)
from environments.core.domain import Archetype, Clause, Facts, Proposal, TaskClass
from environments.core.query import (
    Aggregate,
    Arithmetic,
    Best,
    Branch,
    Key,
    Query,
    Selection,
    Step,
    Value,
    compare,
    const,
    fact,
    ref,
)
from environments.core.state import Record, Session

NONSTOP_SHAPES = ((1, 1, 4), (2, 1, 3), (2, 1, 4), (3, 1, 3), (3, 1, 4), (1, 1, 6))
ONE_STOP_SHAPES = ((1, 1, 3), (2, 1, 2), (1, 1, 4), (2, 1, 3))


def _draw_trip(
    session: Session,
    rng: random.Random,
    shapes: Sequence[tuple[int, int, int]],
    routing: str,
) -> tuple[dict[str, Any], list[Record]] | None:
    """Airports, days and a cabin, with what flies there and then."""
    origins, destinations, days = rng.choice(shapes)
    nonstop = routing == "direct"
    route = draw_route(session, rng, origins, destinations, nonstop=nonstop)
    if route is None:
        return None
    facts = {**route, "days": draw_days(rng, days), "cabin": draw_cabin(rng)}
    return facts, found_trips(session, facts, routing)


# --- A9: a party ------------------------------------------------------------------------------------------------------------------------

_FIRST_NAMES = ("Avery", "Noor", "Mateo", "Ingrid", "Kwame", "Lucia", "Tomas", "Yuki")
_LAST_NAMES = ("Okafor", "Lindqvist", "Marino", "Castell", "Brandt", "Haddad", "Novak")


def _party(facts: Facts) -> Query:
    cheapest = Best(
        selection=trips(facts, "direct"), objective=(Key(value=fare(facts)),)
    )
    return query(cheapest, *book_with_one_method(facts, total(facts, fare(facts))))


def _propose_party(
    session: Session, rng: random.Random, people: Sequence[str]
) -> Proposal | None:
    """Few timetables have a decoy for a party, so that several are looked at."""
    tries = (_draw_party(session, rng, people) for _ in range(8))
    return next((found for found in tries if found is not None), None)


def _draw_party(
    session: Session, rng: random.Random, people: Sequence[str]
) -> Proposal | None:
    drawn = _draw_trip(session, rng, NONSTOP_SHAPES, "direct")
    if drawn is None:
        return None
    facts, found = drawn
    cabin = facts["cabin"]
    parties = list(range(3, 6))
    rng.shuffle(parties)
    fitting = [size for size in parties if _has_decoy(found, cabin, size)]
    payer = draw_payer(session, rng, people) if fitting else None
    if payer is None:
        return None
    user, card = payer
    saved = list(
        dict.fromkeys(
            f"{one['first_name']} {one['last_name']}"
            for one in user["saved_passengers"]
        )
    )[:2]
    if not saved or len(saved) < len(user["saved_passengers"][:2]):
        return None
    companions: dict[str, Any] = {f"guest_{n}": name for n, name in enumerate(saved, 1)}
    others = fitting[0] - 1 - len(saved)
    names = rng.sample(_FIRST_NAMES, others)
    for n, name in enumerate(names, 1):
        companions |= {
            f"first_{n}": name,
            f"last_{n}": rng.choice(_LAST_NAMES),
            f"dob_{n}": f"{rng.randint(1950, 2015)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}",
        }
    clauses = [f"saved_{len(saved)}", *(["friends_" + str(others)] if others else [])]
    facts |= {**companions, **card}
    return proposal(user, facts, route_clause(facts), "target", *clauses, "plain")


def _has_decoy(found: Sequence[Record], cabin: str, party: int) -> bool:
    """Whether there is a choice, and something cheaper that has seats for some of the party only."""
    roomy = [trip["fare"][cabin] for trip in found if trip["seats"][cabin] >= party]
    full = [trip["fare"][cabin] for trip in found if 0 < trip["seats"][cabin] < party]
    return len(roomy) > 1 and bool(full) and min(full) < min(roomy)


def _friends(number: int) -> Clause:
    """The clause says how many they are, so that no birthday can be taken to go on with "and" and the next of them."""
    each = [
        f"{{first_{n}}} {{last_{n}}}, born on {{dob_{n}}}" for n in range(1, number + 1)
    ]
    some = " and ".join(["; ".join(each[:-1]), each[-1]] if number > 1 else each)
    count = f"{('one', 'two', 'three')[number - 1]} more {'person' if number == 1 else 'people'}"
    return Clause(
        f"friends_{number}",
        (
            f"[Then|After that] [add|put] {count}: {some}.",
            f"[Also with us|Also travelling], and to be listed after that, {'is' if number == 1 else 'are'} {count}: {some}.",
        ),
    )


A9 = Archetype(
    "A9",
    "Book the cheapest nonstop flight with seats for a whole party",
    TaskClass.READ_HEAVY,
    _propose_party,
    _party,
    (
        *(clause for clause in ONE_WAY if clause.name.endswith("_1")),
        Clause(
            "target",
            (
                "It's for a group: [find|take] the cheapest nonstop flight on which there are enough seats in that cabin for all of us together.",
                "All of us go on the same nonstop flight, the cheapest one that still has room for the whole party in that cabin.",
                "We [all travel|fly] together and nonstop; choose the cheapest flight that has a seat for each of us in that cabin.",
            ),
        ),
        Clause(
            "saved_1",
            (
                "[List|Put down] me first, then one of my saved passengers: {guest_1}.",
                "The passengers in order: me, then {guest_1}, who is saved in my profile.",
            ),
        ),
        Clause(
            "saved_2",
            (
                "[List|Put down] me first, then two of my saved passengers: {guest_1} and {guest_2}, in that order.",
                "The passengers in order: me, then {guest_1}, then {guest_2}, both saved in my profile.",
            ),
        ),
        *(_friends(number) for number in range(1, 4)),
        NO_EXTRAS,
        *PAY,
    ),
)


# --- A10: the best cabin within a budget ---------------------------------------------------------------------------------------------------

_LADDER = ("business", "economy", "basic_economy")


def _ladder(facts: Facts, rungs: Sequence[str] = _LADDER) -> list[Step]:
    """The cheapest trip in the first of these cabins if it is within the budget, else in the next; in the last one come what may."""
    cabin, *lower = rungs
    name = f"in_{cabin}"
    one_fare = fare(facts, name, cabin)
    found = trips({**facts, "cabin": cabin}, "direct", name=name)
    least = Aggregate(op="min", over=found, value=one_fare)
    book = (
        Best(selection=found, objective=(Key(value=one_fare),)),
        booking(
            facts, [payment(ref("method.id"), ref("total"))], trip=name, cabin=cabin
        ),
    )
    price = Value(name="total", value=total(facts, least, cabin))
    if not lower:
        return [price, *book]
    within = compare(ref("total"), "le", fact("budget"))
    return [
        price,
        Branch(condition=within, then=book, otherwise=tuple(_ladder(facts, lower))),
    ]


def _budget(facts: Facts) -> Query:
    return query(method(facts), *_ladder(facts))


def _propose_budget(
    session: Session, rng: random.Random, people: Sequence[str]
) -> Proposal | None:
    drawn = _draw_trip(session, rng, NONSTOP_SHAPES, "direct")
    payer = draw_payer(session, rng, people)
    if drawn is None or payer is None:
        return None
    facts, found = drawn
    user, card = payer
    del facts["cabin"]
    facts |= {**card, "bags": rng.randint(1, 4)}
    if rng.random() < 0.5:
        facts["insurance"] = "yes"
    levels = []
    for cabin in _LADDER:
        lowest: dict[tuple[str, str], int] = {}
        for trip in found:
            if trip["seats"][cabin]:
                search, price = (trip["origin"], trip["date"]), trip["fare"][cabin]
                lowest[search] = min(price, lowest.get(search, price))
        if len(lowest) < 2:
            return None
        free = FREE_BAGS[f"{user['membership']}/{cabin}"]
        fees = BAG_PRICE * max(0, facts["bags"] - free)
        fees += INSURANCE_PRICE if "insurance" in facts else 0
        levels.append([price + fees for price in sorted(lowest.values())[:2]])
    bounds = _bounds(*levels)
    fitting = [n for n in LEXICON["budget"] for low, high in bounds if low < n < high]
    if not fitting:
        return None
    facts["budget"] = rng.choice(fitting)
    extras = "insured_bags" if "insurance" in facts else "bags"
    return proposal(user, facts, route_clause(facts), "target", "alone", extras)


def _bounds(
    business: Sequence[int], economy: Sequence[int], basic: Sequence[int]
) -> list[tuple[int, int]]:
    """Between which totals a budget must be so that one search can tip each decision; each has the two lowest of its cabin.

    With the cheapest of a cabin sold out on that day the next one is too dear.
    """
    if not basic[0] < economy[0] < business[0]:
        return []
    return [
        (business[0], business[1]),
        (economy[0], min(economy[1], business[0])),
        (basic[0], economy[0]),
    ]


_ANY_CABIN = openers(
    "[I'd like|I want] to book a one-way flight ROUTE, [leaving|departing] {days}, in the best cabin my budget allows.",
    "[Can|Could] you book me one way ROUTE, [leaving|departing] {days}? The cabin depends on the price.",
    "I need [to get|to fly] ROUTE, one way, [leaving|departing] {days}, and how comfortably depends on my budget.",
    "[Please book|I'm looking for] a one-way trip ROUTE; I can [leave|depart] {days}, and the cabin is a question of money.",
    shapes=((1, 1), (2, 1), (3, 1)),
)

A10 = Archetype(
    "A10",
    "Book the best cabin that a budget allows, bags and insurance included",
    TaskClass.READ_HEAVY,
    _propose_budget,
    _budget,
    (
        *_ANY_CABIN,
        Clause(
            "target",
            (
                "Nonstop only. If the cheapest business seat comes to no more than {budget} with everything included, take that; otherwise the cheapest in economy if that's within {budget}; otherwise simply the cheapest in basic economy.",
                "I want the cheapest nonstop flight in business if its total, everything included, is at most {budget}. If it isn't, the cheapest nonstop in economy under the same condition, and failing that the cheapest nonstop in basic economy whatever it costs.",
            ),
        ),
        ALONE,
        Clause(
            "bags",
            (
                "I'll have {bags}, and no travel insurance.",
                "Add {bags}[| for me] and no insurance.",
            ),
        ),
        Clause(
            "insured_bags",
            (
                "I'll have {bags}, and I want it {insurance}.",
                "Add {bags}, [and book it |]{insurance}.",
            ),
        ),
        *PAY,
    ),
)


# --- A11: the certificate that wastes least --------------------------------------------------------------------------------------------------


def _certificate(facts: Facts) -> Query:
    """What is left on a certificate is lost: the one that leaves the least, and of those that leave nothing the largest."""
    wasted = minus(ref("certificate.whole"), ref("total"))
    none_or_more = Arithmetic(op="max", left=const(0), right=wasted)
    certificate = Best(
        selection=Selection(
            name="certificate",
            relation="certificates",
            of=ref("profile"),
        ),
        objective=(
            Key(value=none_or_more),
            Key(value=ref("certificate.amount"), direction="desc"),
        ),
    )
    all_of_it = payment(ref("certificate.id"), ref("total"))
    part = payment(ref("certificate.id"), ref("certificate.whole"))
    rest = payment(ref("method.id"), minus(ref("total"), ref("certificate.whole")))
    covers = compare(ref("certificate.whole"), "gt", ref("total"))
    return query(
        Best(
            selection=trips(facts, "any"),
            objective=(Key(value=fare(facts)),),
        ),
        Value(name="total", value=total(facts, fare(facts))),
        certificate,
        Branch(
            condition=covers,
            then=(booking(facts, [all_of_it]),),
            otherwise=(method(facts), booking(facts, [part, rest])),
        ),
    )


def _propose_certificate(
    session: Session, rng: random.Random, people: Sequence[str]
) -> Proposal | None:
    drawn = _draw_trip(session, rng, ONE_STOP_SHAPES, "any")
    if drawn is None:
        return None
    facts, found = drawn
    cabin = facts["cabin"]
    if sum(trip["seats"][cabin] > 0 for trip in found) < 2:
        return None
    for key in rng.sample(people, min(60, len(people))):
        user: Any = session.get("users", key)
        amounts = [
            one["amount"]
            for one in user["payment_methods"].values()
            if one["source"] == "certificate"
        ]
        if len(set(amounts)) < 2 or len(set(amounts)) < len(amounts):
            continue
        card = tell_card(user, rng)
        if card:
            facts |= card
            named = (route_clause(facts), "alone", "target", "plain", "certificate")
            return _with_rest(proposal(user, facts, *named))
    return None


def _with_rest(drawn: Proposal) -> Proposal:
    """The card takes the rest instead of everything."""
    clauses = (name.replace("pay_", "rest_") for name in drawn.clauses)
    return Proposal(drawn.facts, tuple(clauses))


A11 = Archetype(
    "A11",
    "Pay the cheapest flight with the certificate that wastes least",
    TaskClass.READ_HEAVY,
    _propose_certificate,
    _certificate,
    (
        *(clause for clause in ONE_WAY if clause.name.endswith("_1")),
        Clause(
            "target",
            (
                "I want the cheapest [option|itinerary] with at most one stop that still has a seat, and I'd like to use up one of my [travel |]certificates for it.",
                "Take whatever is cheapest with a free seat, nonstop or with one stop, and pay for it with one of the certificates in my profile.",
            ),
        ),
        ALONE,
        NO_EXTRAS,
        Clause(
            "certificate",
            (
                "Use the certificate on which the least would go to waste; if nothing would be wasted on several of them, the one worth the most.",
                "Of my certificates choose the one that leaves the smallest unused remainder, and the most valuable of them if several leave none.",
            ),
        ),
        Clause(
            "rest_kind",
            (
                "If the certificate doesn't cover the whole booking, use the certificate up first and put what remains on {payment}.",
                "Should anything remain to be paid after the certificate, it goes on {payment}.",
            ),
        ),
        Clause(
            "rest_brand",
            (
                "If the certificate doesn't cover the whole booking, use the certificate up first and put what remains on {brand}.",
                "Should anything remain to be paid after the certificate, it goes on {brand}.",
            ),
        ),
        Clause(
            "rest_card",
            (
                "If the certificate doesn't cover the whole booking, use the certificate up first and put what remains on my card ending in {card}.",
                "Should anything remain to be paid after the certificate, it goes on the credit card that ends in {card}.",
            ),
        ),
    ),
)

ARCHETYPES = (A9, A10, A11)
