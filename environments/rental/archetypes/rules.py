"""Requests that a rule of the policy allows or forbids, in pairs of sisters: they share words and query, and what is read decides."""

import random
from collections.abc import Sequence
from typing import Any

from environments.core.domain import (
    Archetype,
    Clause,
    Facts,
    Proposal,
    Reading,
    TaskClass,
)
from environments.core.query import (
    Best,
    Branch,
    Decline,
    Key,
    Query,
    Step,
    The,
    Transfer,
    compare,
    const,
    fact,
    ref,
)
from environments.core.requests import method_step
from environments.core.state import Record, Session
from environments.rental.archetypes.changing import (
    BY_OUTLAY,
    DAYS_DESC,
    RATE_DESC,
    propose_swap,
)
from environments.rental.archetypes.parts import (
    INSURE,
    MY_BOOKING,
    RATE,
    SWAP,
    UNINSURED,
    Propose,
    about,
    at,
    book,
    bookings,
    can_be_extended,
    described,
    extend,
    has_status,
    in_category,
    mine,
    offers,
    on_day_of_booking,
    outlay,
    pays_with_card,
    places,
    proposal,
    rates,
    request,
    somebody,
    upcoming,
    window,
)
from environments.rental.archetypes.wording import PAY, RATE_ONLY, THREE_DEPOTS, wish
from environments.rental.state import CATEGORIES, LONGEST_FOR, LONGEST_HIRE

# --- E20, N2: a hire longer than five days ---------------------------------------------------------------------------------------


def _long_hire(facts: Facts, *, objective: Key = RATE) -> Query:
    found = offers(at(1), fact("first_day"), fact("last_day"), fact("days"))
    allowed = compare(ref("profile.membership"), "eq", const("plus"))
    steps: tuple[Step, ...] = (
        Best(selection=found, objective=(objective,)),
        method_step("method", fact("payment")),
        book(fact("days")),
    )
    branch = Branch(condition=allowed, then=steps, otherwise=(Decline(clause="4.3"),))
    return request(facts, branch)


def _propose_long(membership: str) -> Propose:
    def propose(
        session: Session, rng: random.Random, people: Sequence[str]
    ) -> Proposal | None:
        found = somebody(
            session,
            rng,
            people,
            lambda row: (
                [row] * (row["membership"] == membership and pays_with_card(row))
            ),
        )
        if found is None:
            return None
        wishes: dict[str, Any] = {
            "category": rng.choice(CATEGORIES),
            "days": rng.choice((6, 7)),
            "payment": "credit_card",
            **window(rng, 3, 6),
            **places(rng, 1),
        }
        place = wishes["category"], wishes["depot"], wishes["first_day"]
        if len(rates(session, *place, wishes["days"])) < 2:
            return None  # a plus member could not have it either
        return proposal(found[0], rng, wishes, "wish", "target", "window", "pay")

    return propose


_STARTS = Clause(
    "window",
    (
        "It may start on any day from {first_day} to {last_day}.",
        "The first day can be anything from {first_day} to {last_day}.",
    ),
)

E20 = Archetype(
    "E20",
    "Book for longer than five days as a plus member",
    TaskClass.READ_HEAVY,
    _propose_long("plus"),
    _long_hire,
    (
        wish(
            "[I'd like|I want] to keep a {category} for {days}.",
            "I need a {category} for a long time, {days}.",
            "[Can|Could] I have a {category} for as long as {days}?",
            "A {category} for all of {days}, please.",
            "[I'd like|I want] to have a {category} for {days} in a row.",
            "I need a {category} for {days} on end.",
            "[Can|Could] you let me have a {category} for {days} in one go?",
            "A {category} for {days} running, please.",
        ),
        Clause(
            "target",
            (
                "At {depot}, [take|book] the cheapest that is free for so long.",
                "I can only come to {depot}; the cheapest that is free there for so long, please.",
                "[Take|Book] the cheapest that {depot} has for that time.",
                "The cheapest one at {depot} that is free for all of that will do.",
            ),
        ),
        _STARTS,
        RATE_ONLY,
        PAY,
    ),
    lambda facts: [
        Reading(
            "cheapest with the deposit",
            _long_hire(facts, objective=Key(value=outlay(fact("days")))),
            "rate_only",
        )
    ],
)

N2 = Archetype(
    "N2",
    "Book for longer than a basic membership allows",
    TaskClass.REFUSAL,
    _propose_long("basic"),
    _long_hire,
    E20.clauses,
    E20.readings,
)


# --- E21, N3: swapping, and what is insured ---------------------------------------------------------------------------------------


def _swap_mine(facts: Facts, *, objective: Key = RATE) -> Query:
    other = Best(selection=on_day_of_booking(depots=at(3)), objective=(objective,))
    branch = Branch(
        condition=UNINSURED, then=(other, SWAP), otherwise=(Decline(clause="5.3"),)
    )
    return request(facts, MY_BOOKING, branch)


E21 = Archetype(
    "E21",
    "Swap the unit of a booking that is not insured",
    TaskClass.READ_HEAVY,
    propose_swap("wish", "where", "target", depots=3),
    _swap_mine,
    (
        wish(
            "[I'd like|I want] to swap the unit of my upcoming {category} booking.",
            "[Can|Could] the unit of my upcoming {category} booking be exchanged?",
            "I've booked a {category}, and I'd like to have another unit instead.",
            "For my upcoming {category} hire I'd like a different unit.",
            "[Please exchange|I'd like to exchange] the unit of my upcoming {category} booking.",
            "[Can|Could] you give me another unit for my upcoming {category} booking?",
            "The unit of the {category} that I have booked should be swapped.",
            "I don't want the unit that I got for my upcoming {category} booking.",
        ),
        THREE_DEPOTS,
        Clause(
            "target",
            (
                "[Make it|Take] the cheapest other {category} that one of them has for the same dates.",
                "The cheapest other {category} of those depots is what I want, the dates stay.",
                "Give me the cheapest other {category} that they have on the same dates.",
                "Instead, the cheapest other {category} from there, dates unchanged.",
            ),
        ),
        RATE_ONLY,
    ),
    lambda facts: [
        Reading(
            "cheapest with the deposit",
            _swap_mine(facts, objective=BY_OUTLAY),
            "rate_only",
        )
    ],
    existential=True,
)

N3 = Archetype(
    "N3",
    "Swap the unit of an insured booking",
    TaskClass.REFUSAL,
    propose_swap("wish", "where", "target", insured=True, depots=3),
    _swap_mine,
    E21.clauses,
    E21.readings,
    existential=True,
)


# --- E22, N4: making a booking longer ---------------------------------------------------------------------------------------------


def _extend_mine(facts: Facts) -> Query:
    return request(facts, MY_BOOKING, extend(fact("days")))


def _propose_longer(*, allowed: bool) -> Propose:
    """Extensions beyond five days that the tools would take, for plus members if they are to be allowed, else for basic ones."""
    shortest = LONGEST_FOR["basic"] + 1

    def propose(
        session: Session, rng: random.Random, people: Sequence[str]
    ) -> Proposal | None:
        found = somebody(
            session,
            rng,
            people,
            lambda customer: [
                (row, days)
                for row in described(session, customer)
                for days in range(shortest - row["days"], LONGEST_HIRE - row["days"])
                if (customer["membership"] == "plus") is allowed
                and days <= MOST_EXTRA
                and can_be_extended(session, row, days)
            ],
        )
        if found is None:
            return None
        customer, (row, days) = found
        wishes = {"category": row["category"], "days": days}
        return proposal(customer, rng, wishes, "wish", "target")

    return propose


MOST_EXTRA = 3
"""Few enough that a basic member with a hire of one day could have them too: so the length of the hire matters."""

E22 = Archetype(
    "E22",
    "Make a booking longer than five days as a plus member",
    TaskClass.READ_HEAVY,
    _propose_longer(allowed=True),
    _extend_mine,
    (
        wish(
            "[I'd like|I want] to keep the {category} of my upcoming booking for longer.",
            "[Can|Could] you extend my upcoming {category} booking?",
            "My upcoming {category} booking should be longer.",
            "I'll need the {category} that I have booked for longer than I thought.",
            "[Please extend|I'd like to extend] my upcoming {category} booking.",
            "[Can|Could] my upcoming {category} booking be made longer?",
            "The {category} that I have booked: I'd like to have that for longer.",
            "My upcoming {category} booking is too short.",
        ),
        Clause(
            "target",
            (
                "Add {days} to my {category} booking.",
                "Make that {category} booking {days} longer.",
                "I need {days} more with the {category}.",
                "Please put {days} on top of the {category} booking.",
            ),
        ),
    ),
    existential=True,
)

N4 = Archetype(
    "N4",
    "Make a booking longer than a basic membership allows",
    TaskClass.REFUSAL,
    _propose_longer(allowed=False),
    _extend_mine,
    E22.clauses,
    existential=True,
)


# --- E24: making the longest one longer ----------------------------------------------------------------------------------------


def _extend_longest(facts: Facts) -> Query:
    longest = Best(selection=upcoming(), objective=(DAYS_DESC, RATE_DESC))
    return request(facts, longest, extend(fact("days")))


def _propose_longest(
    session: Session, rng: random.Random, people: Sequence[str]
) -> Proposal | None:
    """Somebody whose longest upcoming booking the tools would make longer than five days."""
    shortest = LONGEST_FOR["basic"] + 1

    def extensions(customer: Record) -> list[int]:
        rows = mine(session, customer)
        if len(rows) < 2 or customer["membership"] != "plus":
            return []
        longest = max(rows, key=lambda row: (row["days"], row["daily_rate"]))
        return [
            days
            for days in range(1, MOST_EXTRA + 1)
            if shortest <= longest["days"] + days < LONGEST_HIRE
            and can_be_extended(session, longest, days)
        ]

    found = somebody(session, rng, people, extensions)
    if found is None:
        return None
    return proposal(found[0], rng, {"days": found[1]}, "wish", "target")


E24 = Archetype(
    "E24",
    "Make the longest upcoming booking longer than five days as a plus member",
    TaskClass.READ_HEAVY,
    _propose_longest,
    _extend_longest,
    (
        wish(
            "[I'd like|I want] my longest upcoming booking to last even longer.",
            "[Can|Could] you extend the longest of my upcoming bookings?",
            "The longest of my upcoming bookings should be extended.",
            "My longest upcoming booking is still not long enough.",
        ),
        Clause(
            "target",
            (
                "Add {days} to the one that has most days already; if several have equally many, to the one of them with the highest daily rate.",
                "It is about the one with most days, and of equally long ones that with the highest rate per day: {days} more, please.",
            ),
        ),
    ),
)


# --- E23, N5: insuring what is upcoming, and what is over ----------------------------------------------------------------------------


def _insure_mine(facts: Facts) -> Query:
    return request(
        facts,
        The(selection=bookings("booking", in_category())),
        Branch(
            condition=has_status("booking", "upcoming"),
            then=(INSURE,),
            otherwise=(Decline(clause="5.1"),),
        ),
    )


E23 = Archetype(
    "E23",
    "Insure a booking that is upcoming",
    TaskClass.READ_HEAVY,
    about(lambda session, customer, row: not row["insured"]),
    _insure_mine,
    (
        wish(
            "[Please insure|I'd like to insure] the {category} that I hired from you.",
            "[Can|Could] I have insurance for my {category} hire?",
            "I'd like insurance on my {category} booking.",
            "My {category} hire should be insured.",
            "[Please put|I'd like] insurance on the {category} that I hired from you.",
            "[Can|Could] you add insurance to my {category} hire?",
            "I'd like to have my {category} booking insured.",
            "Insurance for my {category} booking is what I need.",
        ),
    ),
    existential=True,
)


def _propose_over(
    session: Session, rng: random.Random, people: Sequence[str]
) -> Proposal | None:
    """Either of the two ways to be over."""
    fits = about(
        lambda session, customer, row: not row["insured"],
        status=rng.choice(("returned", "cancelled")),
    )
    return fits(session, rng, people)


N5 = Archetype(
    "N5",
    "Insure a booking that is over",
    TaskClass.REFUSAL,
    _propose_over,
    _insure_mine,
    E23.clauses,
    existential=True,
)


# --- T1, N6: damage, with insurance and without -----------------------------------------------------------------------------------


def _damage(facts: Facts) -> Query:
    returned = bookings("booking", has_status("booking", "returned"), in_category())
    return request(
        facts,
        The(selection=returned),
        Branch(
            condition=compare(ref("booking.insured"), "eq", const(True)),
            then=(Transfer(clause="7.1"),),
            otherwise=(Decline(clause="7.2"),),
        ),
    )


T1 = Archetype(
    "T1",
    "Settle damage to a unit that was insured",
    TaskClass.TRANSFER,
    about(lambda session, customer, row: bool(row["insured"]), status="returned"),
    _damage,
    (
        wish(
            "The {category} that I brought back was damaged, and I'd like that settled.",
            "I damaged the {category} that I returned; [please settle that|can you settle that]?",
            "There is damage to the {category} that I had from you, please take care of it.",
            "Something broke on the {category} that I returned, so I'd like to settle the damage.",
            "I brought the {category} back damaged, and I want you to settle that.",
            "[Please settle|I'd like you to settle] the damage to the {category} that I returned.",
            "The {category} that I had from you has some damage; who settles that?",
            "I returned the {category} with damage, please deal with that.",
        ),
    ),
    existential=True,
)

N6 = Archetype(
    "N6",
    "Settle damage to a unit that was not insured",
    TaskClass.REFUSAL,
    about(lambda session, customer, row: not row["insured"], status="returned"),
    _damage,
    T1.clauses,
    existential=True,
)
