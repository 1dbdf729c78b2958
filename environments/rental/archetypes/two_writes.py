"""Two writes whose order matters."""

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
    Key,
    ListOf,
    Query,
    Selection,
    Step,
    The,
    compare,
    const,
    fact,
    ref,
)
from environments.core.requests import method_step
from environments.core.state import Session
from environments.rental.archetypes.changing import (
    BY_OUTLAY,
    OTHER_UNIT,
    propose_swap,
)
from environments.rental.archetypes.parts import (
    INSURE,
    MY_BOOKING,
    SWAP,
    book,
    credit_of,
    offers,
    pays_with_card,
    places,
    price,
    proposal,
    rates,
    request,
    somebody,
)
from environments.rental.archetypes.wording import RATE_ONLY
from environments.rental.state import CATEGORIES, DAYS

# --- W1: another unit, and insurance, which has to come second --------------------------------------------------------------------


def _swap_and_insure(
    facts: Facts, *, insured_first: bool = False, by_outlay: bool = False
) -> Query:
    other = OTHER_UNIT
    if by_outlay:
        other = other.model_copy(update={"objective": (BY_OUTLAY,)})
    writes = [INSURE, SWAP] if insured_first else [SWAP, INSURE]
    return request(facts, MY_BOOKING, other, *writes)


W1 = Archetype(
    "W1",
    "Swap the unit of a booking and insure it, in the order that works",
    TaskClass.WRITE_INTENSIVE,
    propose_swap("wish", "insure", "target"),
    _swap_and_insure,
    (
        Clause(
            "wish",
            (
                "[Please change|I'd like to change] two things about my upcoming {category} booking.",
                "Two things have to change in my upcoming {category} hire.",
                "[Can|Could] you make two changes to my upcoming {category} booking?",
                "There are two things that I want changed about my upcoming {category} booking.",
            ),
            opens=True,
        ),
        Clause(
            "insure", ("The {category} should be insured.", "I want the hire insured.")
        ),
        Clause(
            "target",
            (
                "And it should be for the cheapest other {category} at {depot}, same days.",
                "Also swap the unit for the cheapest other {category} that {depot} has on those days.",
            ),
        ),
        RATE_ONLY,
    ),
    lambda facts: [
        Reading(
            "cheapest with the deposit",
            _swap_and_insure(facts, by_outlay=True),
            "rate_only",
        )
    ],
    existential=True,
    dependent=True,
    permuted=lambda facts: [_swap_and_insure(facts, insured_first=True)],
)


# --- W2: two bookings, one store credit: the second payment depends on what the first left -------------------------------------------


def _one_by_credit(
    offer: str, category: str, depot: str, day: str, profile: str
) -> list[Step]:
    """Book the cheapest, with the credit if it covers all of it. Looks at the profile anew."""
    credit, days = f"{offer}_credit", fact("days")
    found = offers(
        ListOf(values=(fact(depot),)),
        fact(day),
        fact(day),
        days,
        name=offer,
        category=fact(category),
    )
    rate = ref(f"{offer}.daily_rate")
    again = Selection(name=profile, relation="profile", of=ref("account"))
    covered = compare(ref(f"{credit}.balance"), "ge", price(days, rate))
    return [
        Best(selection=found, objective=(Key(value=rate),)),
        The(selection=again),
        method_step(credit, const("store_credit"), of=profile),
        Branch(
            condition=covered,
            then=(book(days, ref(f"{credit}.id"), offer),),
            otherwise=(book(days, ref("card.id"), offer),),
        ),
    ]


def _two_by_credit(facts: Facts, *, turned: bool = False) -> Query:
    one = _one_by_credit("one", "category", "depot", "day", "profile_one")
    two = _one_by_credit(
        "two", "other_category", "other_depot", "other_day", "profile_two"
    )
    steps = [*two, *one] if turned else [*one, *two]
    return request(facts, method_step("card", const("credit_card")), *steps)


def _propose_two(
    session: Session, rng: random.Random, people: Sequence[str]
) -> Proposal | None:
    """Hires such that the credit is enough for either and not for both: what comes first gets it."""
    found = somebody(
        session,
        rng,
        people,
        lambda row: [credit_of(row)] * (credit_of(row) > 0 and pays_with_card(row)),
    )
    if found is None:
        return None
    customer, credit = found
    for _ in range(12):  # few draws of hires fit, and each costs little
        one, two = rng.sample(CATEGORIES, 2)
        wishes: dict[str, Any] = {
            "category": one,
            "other_category": two,
            "day": rng.choice(DAYS),
            "other_day": rng.choice(DAYS),
            "days": rng.randint(1, 4),
            **places(rng, 2),
        }
        days = wishes["days"]
        first = rates(session, one, wishes["depot"], wishes["day"], days)
        second = rates(session, two, wishes["other_depot"], wishes["other_day"], days)
        if len(first) < 2 or len(second) < 2:
            continue
        prices = first[0] * days, second[0] * days
        if max(prices) < credit < sum(prices):
            return proposal(customer, rng, wishes, "wish", "first", "second", "pay")
    return None


W2 = Archetype(
    "W2",
    "Book two units with one store credit as far as it goes",
    TaskClass.WRITE_INTENSIVE,
    _propose_two,
    _two_by_credit,
    (
        Clause(
            "wish",
            (
                "[I'd like|I want] to book two things, for {days} each.",
                "[Can|Could] you make two bookings for me, each for {days}?",
                "Two bookings, please, {days} each.",
                "I need two things, each of them for {days}.",
            ),
            opens=True,
        ),
        Clause(
            "first",
            (
                "First the {category} with the lowest daily rate at {depot} on {day}.",
                "Start with the {category} that has the lowest daily rate at {depot} on {day}.",
            ),
        ),
        Clause(
            "second",
            (
                "Then the {other_category} with the lowest daily rate at {other_depot} on {other_day}.",
                "After that the {other_category} that has the lowest daily rate at {other_depot} on {other_day}.",
            ),
        ),
        Clause(
            "pay",
            (
                "Pay each one with my store credit if what is left there covers its whole price, otherwise with my credit card.",
                "For each, use my store credit if it still covers the whole price of the hire; if not, my credit card.",
            ),
        ),
    ),
    dependent=True,
    permuted=lambda facts: [_two_by_credit(facts, turned=True)],
)
