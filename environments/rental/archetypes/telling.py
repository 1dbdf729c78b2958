"""Requests to be told something; nothing is written."""

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
    Aggregate,
    Arithmetic,
    Query,
    Selection,
    Tell,
    const,
    fact,
    ref,
)
from environments.core.requests import method_step
from environments.core.state import Session
from environments.rental.archetypes.parts import (
    at,
    credit_of,
    draw,
    insurance,
    mine,
    offers,
    places,
    price,
    proposal,
    rates_within,
    request,
    somebody,
    upcoming,
    window,
)
from environments.rental.archetypes.wording import (
    PRICE_ONLY,
    THREE_DEPOTS,
    TWO_DEPOTS,
    WINDOW,
)
from environments.rental.state import CATEGORIES


def _found(depots: int) -> Selection:
    return offers(at(depots), fact("first_day"), fact("last_day"), fact("days"))


def _propose_hire(depots: int, *clauses: str, credit: bool = False) -> Any:
    """A hire of which there are several in the window; with `credit`, for somebody whose credit pays the cheapest."""

    def propose(
        session: Session, rng: random.Random, people: Sequence[str]
    ) -> Proposal | None:
        customer = draw(session, rng, people)
        if customer is None or (credit and not credit_of(customer)):
            return None
        wishes: dict[str, Any] = {
            "category": rng.choice(CATEGORIES),
            "days": rng.randint(1, 4),
            **window(rng, 2, 4),
            **places(rng, depots),
        }
        found = rates_within(session, wishes, wishes["days"])
        if len(found) < 3 or (
            credit and found[0] * wishes["days"] >= credit_of(customer)
        ):
            return None
        return proposal(customer, rng, wishes, *clauses)

    return propose


# --- I1: the least that a hire with insurance would cost -----------------------------------------------------------------------------


def _least_insured(facts: Facts, *, with_deposit: bool = False) -> Query:
    per_day = Arithmetic(
        op="+", left=ref("offer.daily_rate"), right=insurance(fact("category"))
    )
    total = price(fact("days"), per_day)
    if with_deposit:
        total = Arithmetic(op="+", left=total, right=ref("offer.deposit"))
    least = Aggregate(op="min", over=_found(2), value=total)
    return request(facts, Tell(what="lowest price with insurance", value=least))


I1 = Archetype(
    "I1",
    "Tell what a hire with insurance would cost at least",
    TaskClass.INFORMATION,
    _propose_hire(2, "wish", "where", "window", "target"),
    _least_insured,
    (
        Clause(
            "wish",
            (
                "What would a {category} for {days} cost me at least, with insurance?",
                "[Can|Could] you tell me the lowest price of an insured {category} for {days}?",
                "I wonder what I would pay at least for a {category} with insurance, for {days}.",
                "How little could an insured {category} for {days} cost me?",
            ),
            opens=True,
        ),
        TWO_DEPOTS,
        WINDOW,
        Clause(
            "target",
            (
                "I only want to know the sum for all days, don't book anything.",
                "Just tell me the whole amount, nothing is to be booked yet.",
            ),
        ),
        PRICE_ONLY,
    ),
    lambda facts: [
        Reading(
            "the deposit counts too",
            _least_insured(facts, with_deposit=True),
            "price_only",
        )
    ],
)


# --- I2: what all upcoming bookings cost together ------------------------------------------------------------------------------------


def _all_together(facts: Facts) -> Query:
    each = price(ref("booking.days"), ref("booking.daily_rate"))
    total = Aggregate(op="sum", over=upcoming(), value=each)
    return request(facts, Tell(what="price of all upcoming bookings", value=total))


def _propose_all(
    session: Session, rng: random.Random, people: Sequence[str]
) -> Proposal | None:
    found = somebody(
        session, rng, people, lambda row: [row] * (len(mine(session, row)) > 1)
    )
    return proposal(found[0], rng, {}, "wish", "target") if found else None


I2 = Archetype(
    "I2",
    "Tell what all upcoming bookings cost together",
    TaskClass.INFORMATION,
    _propose_all,
    _all_together,
    (
        Clause(
            "wish",
            (
                "What do all my upcoming bookings cost together?",
                "[Can|Could] you tell me what my upcoming bookings come to in all?",
                "I'd like to know the sum of all my upcoming bookings.",
                "How much is it for all of my upcoming bookings?",
            ),
            opens=True,
        ),
        Clause(
            "target",
            (
                "I mean days times daily rate of each, added up, without insurance and deposits.",
                "Just the rates for all the days, please, no insurance and no deposits.",
            ),
        ),
    ),
)


# --- I3: what would be left of the store credit ---------------------------------------------------------------------------------------


def _left_over(facts: Facts) -> Query:
    least = Aggregate(op="min", over=_found(3), value=price(fact("days")))
    left = Arithmetic(op="-", left=ref("credit.balance"), right=least)
    return request(
        facts,
        method_step("credit", const("store_credit")),
        Tell(what="store credit left", value=left),
    )


I3 = Archetype(
    "I3",
    "Tell what the cheapest hire would leave of the store credit",
    TaskClass.INFORMATION,
    _propose_hire(3, "wish", "where", "window", "target", credit=True),
    _left_over,
    (
        Clause(
            "wish",
            (
                "If I rented a {category} for {days} on my store credit, what would be left of the credit?",
                "[Can|Could] you tell me how much store credit I'd have left after a {category} for {days}?",
                "How much of my store credit would remain after renting a {category} for {days}?",
                "I'd like to know what a {category} for {days} would leave of my store credit.",
            ),
            opens=True,
        ),
        THREE_DEPOTS,
        WINDOW,
        Clause(
            "target",
            (
                "Reckon with the lowest price of all that are free for the whole hire; I'm not booking yet.",
                "Take the lowest price that there is for the whole hire, without booking anything, and without the deposit.",
            ),
        ),
    ),
)
