"""New bookings in which money or another booking decides: budgets, store credit, what an earlier booking was paid with."""

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
    Arithmetic,
    Best,
    Branch,
    Key,
    Query,
    Selection,
    compare,
    const,
    fact,
    ref,
)
from environments.core.requests import method_step
from environments.core.state import Session
from environments.rental.archetypes.booking import BY_OUTLAY, best_in_window
from environments.rental.archetypes.parts import (
    BEST_RATED,
    DEPOT_OF_BOOKING,
    OTHER_BOOKING,
    RATE,
    at,
    book,
    credit_of,
    described,
    draw,
    insurance,
    offers,
    outlay,
    pays,
    pays_with_card,
    places,
    price,
    proposal,
    rates_within,
    request,
    somebody,
    window,
)
from environments.rental.archetypes.wording import (
    PAY,
    PRICE_ONLY,
    RATE_ONLY,
    THREE_DEPOTS,
    TWO_DEPOTS,
    WINDOW,
    under,
)
from environments.rental.state import CATEGORIES, insurance_per_day

_CREDIT = const("store_credit")


# --- E9: the best rated whose price, insured, stays in a budget ----------------------------------------------------------------------


def _in_budget(facts: Facts, *, with_deposit: bool = False) -> Query:
    insured = Arithmetic(
        op="+", left=ref("offer.daily_rate"), right=insurance(fact("category"))
    )
    total = price(fact("days"), insured)
    if with_deposit:
        total = Arithmetic(op="+", left=total, right=ref("offer.deposit"))
    affordable = compare(total, "le", fact("budget"))
    return best_in_window(facts, affordable, objective=BEST_RATED)


def _propose_budget(
    session: Session, rng: random.Random, people: Sequence[str]
) -> Proposal | None:
    """A budget between what the cheapest third and the dearest third cost."""
    customer = draw(session, rng, people)
    if customer is None:
        return None
    wishes: dict[str, Any] = {
        "category": rng.choice(CATEGORIES),
        "days": rng.randint(2, 4),
        "payment": pays(customer, rng),
        **window(rng, 2, 5),
        **places(rng, 2),
    }
    days, found = wishes["days"], rates_within(session, wishes, wishes["days"])
    if len(found) < 6:
        return None
    more = insurance_per_day(customer["membership"], wishes["category"])
    low, high = (days * (found[len(found) * part // 3] + more) for part in (1, 2))
    budgets = under(low, high)
    if not budgets:
        return None
    wishes["budget"] = rng.choice(budgets)
    return proposal(customer, rng, wishes, "wish", "where", "window", "target", "pay")


E9 = Archetype(
    "E9",
    "Book the best rated unit whose price with insurance stays within a budget",
    TaskClass.READ_HEAVY,
    _propose_budget,
    _in_budget,
    (
        Clause(
            "wish",
            (
                "[I'd like|I want] to book a {category} for {days}, and I have a budget.",
                "[Can|Could] you find a {category} for {days} that fits my budget?",
                "I have a budget for a {category}, {days} long.",
                "For {days} I need a {category} within my budget.",
            ),
            opens=True,
        ),
        TWO_DEPOTS,
        WINDOW,
        Clause(
            "target",
            (
                "The hire and its insurance, which I will add later, may cost {budget} in all; book the best rated one that leaves room for both, "
                "and the cheaper one if two are rated the same.",
                "Reckon with insurance for every day, though I will only add it later: {budget} has to be enough for the hire and the insurance. "
                "Within that [take|book] the highest rating, and at equal ratings the lower rate.",
            ),
        ),
        PRICE_ONLY,
        PAY,
    ),
    lambda facts: [
        Reading(
            "the deposit has to fit in too",
            _in_budget(facts, with_deposit=True),
            "price_only",
        )
    ],
)


# --- E10: the best rated that the store credit covers --------------------------------------------------------------------------------


def _covered(facts: Facts, *, with_deposit: bool = False) -> Query:
    total = outlay(fact("days")) if with_deposit else price(fact("days"))
    covered = compare(total, "le", ref("method.balance"))
    found = offers(at(3), fact("first_day"), fact("last_day"), fact("days"), covered)
    return request(
        facts,
        method_step("method", _CREDIT),
        Best(selection=found, objective=BEST_RATED),
        book(fact("days")),
    )


def _propose_credit(
    depots: int, longest: int, *clauses: str, whole: bool = False
) -> Any:
    """Somebody whose store credit covers some, not all, of what is to be had; `whole`: near the price of the cheapest."""

    def propose(
        session: Session, rng: random.Random, people: Sequence[str]
    ) -> Proposal | None:
        somebody_with = somebody(
            session,
            rng,
            people,
            lambda row: (
                [credit_of(row)]
                * (credit_of(row) > 0 and (not whole or pays_with_card(row)))
            ),
        )
        if somebody_with is None:
            return None
        customer, credit = somebody_with
        wishes: dict[str, Any] = {
            "category": rng.choice(CATEGORIES),
            **window(rng, 2, longest),
            **places(rng, depots),
        }
        fitting = []
        for days in range(1, 5):
            found = rates_within(session, wishes, days)
            low, high = (0.5, 2.0) if whole else (0.0, 1.0)
            some = bool(found) and low * credit < days * found[0] < high * credit
            if some and (whole or days * found[-1] > credit):
                fitting.append(days)
        if not fitting:
            return None
        wishes["days"] = rng.choice(fitting)
        return proposal(customer, rng, wishes, *clauses)

    return propose


E10 = Archetype(
    "E10",
    "Book the best rated unit that the store credit covers",
    TaskClass.READ_HEAVY,
    _propose_credit(3, 4, "wish", "where", "window", "target"),
    _covered,
    (
        Clause(
            "wish",
            (
                "[I'd like|I want] to spend my store credit on a {category}, for {days}.",
                "[Can|Could] you book a {category} for {days} on my store credit?",
                "My store credit should get me a {category} for {days}.",
                "I have store credit left, and I'd use it for a {category}, {days} long.",
            ),
            opens=True,
        ),
        THREE_DEPOTS,
        WINDOW,
        Clause(
            "target",
            (
                "[Take|Book] the best rated one of which the credit covers the whole price; if two are rated the same, the cheaper one.",
                "It should be the one with the highest rating that the credit pays completely, and of equally rated ones the one with the lower rate.",
            ),
        ),
        PRICE_ONLY,
    ),
    lambda facts: [
        Reading(
            "the credit has to cover the deposit too",
            _covered(facts, with_deposit=True),
            "price_only",
        )
    ],
)


# --- E11: at the depot of another booking --------------------------------------------------------------------------------------------


def _same_depot(facts: Facts, *, objective: Key = RATE) -> Query:
    found = offers(DEPOT_OF_OTHER, fact("first_day"), fact("last_day"), fact("days"))
    return request(
        facts,
        OTHER_BOOKING,
        Best(selection=found, objective=(objective,)),
        method_step("method", fact("payment")),
        book(fact("days")),
    )


DEPOT_OF_OTHER = DEPOT_OF_BOOKING.model_copy(update={"values": (ref("other.depot"),)})


def _propose_joined(*clauses: str, depots: int, span: tuple[int, int]) -> Any:
    """Somebody with an upcoming booking that its category describes, who wants something of another category.

    With `depots`, it is the payment that the bookings share: then they have several payment methods.
    """

    def propose(
        session: Session, rng: random.Random, people: Sequence[str]
    ) -> Proposal | None:
        found = somebody(
            session,
            rng,
            people,
            lambda row: (
                described(session, row)
                if not depots or len(row["payment_methods"]) > 1
                else []
            ),
        )
        if found is None:
            return None
        customer, other = found
        wishes: dict[str, Any] = {
            "other_category": other["category"],
            "category": rng.choice([k for k in CATEGORIES if k != other["category"]]),
            "days": rng.randint(1, 4),
            **window(rng, *span),
            **places(rng, depots),
        }
        if not depots:
            wishes["payment"] = pays(customer, rng)
        else:  # each of the methods could pay, so that it matters which one did
            found_rates = rates_within(session, wishes, wishes["days"])
            if found_rates[1:2] and wishes["days"] * found_rates[1] > credit_of(
                customer
            ):
                return None
        return proposal(customer, rng, wishes, *clauses)

    return propose


E11 = Archetype(
    "E11",
    "Book the cheapest unit at the depot of another booking, in a window",
    TaskClass.READ_HEAVY,
    _propose_joined("wish", "where", "window", "target", "pay", depots=0, span=(3, 9)),
    _same_depot,
    (
        Clause(
            "wish",
            (
                "[I'd like|I want] a {category} for {days}, to go with another booking.",
                "[Can|Could] you add a {category} for {days} to what I have booked already?",
                "Beside what I have booked, I need a {category} for {days}.",
                "To what I have booked I'd like to add a {category}, for {days}.",
            ),
            opens=True,
        ),
        Clause(
            "where",
            (
                "It has to be at the same depot as my upcoming {other_category} booking.",
                "I can only get to the depot where I pick up the {other_category} that I have booked.",
                "The depot must be that of my upcoming {other_category} hire.",
            ),
        ),
        WINDOW,
        Clause(
            "target",
            (
                "There, [take|book] the cheapest that is free for all of it.",
                "The cheapest one there that is free for all those days, please.",
            ),
        ),
        RATE_ONLY,
        PAY,
    ),
    lambda facts: [
        Reading(
            "cheapest with the deposit",
            _same_depot(facts, objective=BY_OUTLAY),
            "rate_only",
        )
    ],
    existential=True,
)


# --- E12: paid with what another booking was paid with --------------------------------------------------------------------------------


def _paid_like(facts: Facts, *, objective: Key = RATE) -> Query:
    found = offers(at(2), fact("first_day"), fact("last_day"), fact("days"))
    return request(
        facts,
        OTHER_BOOKING,
        Best(selection=found, objective=(objective,), rank=1),
        book(fact("days"), ref("other.payments.0.payment_method_id")),
    )


E12 = Archetype(
    "E12",
    "Book the second cheapest unit, paid with what another booking was paid with",
    TaskClass.READ_HEAVY,
    _propose_joined("wish", "where", "window", "target", "pay", depots=2, span=(2, 5)),
    _paid_like,
    (
        Clause(
            "wish",
            (
                "[I'd like|I want] a {category} for {days}, but not the cheapest.",
                "[Can|Could] you book a {category} for {days}, though not the very cheapest?",
                "A {category} for {days} is what I'm after, and it need not be the cheapest.",
                "I'm after a {category} for {days}, one up from the cheapest.",
            ),
            opens=True,
        ),
        TWO_DEPOTS,
        WINDOW,
        Clause(
            "target",
            (
                "[Take|Book] the second cheapest of all that are free for the whole hire, whichever the day and the depot.",
                "The second cheapest that can be had for so long is the one I want.",
            ),
        ),
        RATE_ONLY,
        Clause(
            "pay",
            (
                "Charge what I paid my upcoming {other_category} booking with.",
                "Use the payment method that I used for the {other_category} that I have booked.",
                "I'll pay the same way as for my upcoming {other_category} hire.",
            ),
        ),
    ),
    lambda facts: [
        Reading(
            "second cheapest with the deposit",
            _paid_like(facts, objective=BY_OUTLAY),
            "rate_only",
        )
    ],
    existential=True,
)


# --- E13: with the store credit if it covers the price, else with the card ------------------------------------------------------------


def _credit_or_card(facts: Facts, *, with_deposit: bool = False) -> Query:
    everywhere = Selection(name="place", relation="depots")
    found = offers(
        None, fact("first_day"), fact("last_day"), fact("days"), of=everywhere
    )
    objective = RATE
    total = outlay(fact("days")) if with_deposit else price(fact("days"))
    covered = compare(ref("credit.balance"), "ge", total)
    return request(
        facts,
        method_step("credit", _CREDIT),
        method_step("card", const("credit_card")),
        Best(selection=found, objective=(objective,)),
        Branch(
            condition=covered,
            then=(book(fact("days"), ref("credit.id")),),
            otherwise=(book(fact("days"), ref("card.id")),),
        ),
    )


E13 = Archetype(
    "E13",
    "Book the cheapest unit of all depots with the store credit if it covers the price, else with the card",
    TaskClass.READ_HEAVY,
    _propose_credit(0, 2, "wish", "window", "target", "pay", whole=True),
    _credit_or_card,
    (
        Clause(
            "wish",
            (
                "[I'd like|I want] a {category} for {days}, from whichever depot.",
                "[Can|Could] you book me a {category} for {days}, at any of your depots?",
                "I need a {category} for {days}, and all five depots are fine.",
                "A {category} for {days}, please, no matter at which depot.",
            ),
            opens=True,
        ),
        WINDOW,
        Clause(
            "target",
            (
                "[Take|Book] the one with the lowest daily rate of all that are free for the whole hire.",
                "The lowest rate per day wins, as long as it is free for the whole hire.",
            ),
        ),
        Clause(
            "pay",
            (
                "If my store credit covers all of it, use that, and otherwise my credit card.",
                "Pay with my store credit if that is enough for the whole of it; if it is not, with my credit card.",
            ),
        ),
        PRICE_ONLY,
    ),
    lambda facts: [
        Reading(
            "the credit has to cover the deposit too",
            _credit_or_card(facts, with_deposit=True),
            "price_only",
        )
    ],
)
