"""New bookings: the best unit of a window, over depots and days."""

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
    Condition,
    Key,
    ListOf,
    Not,
    Query,
    Selection,
    Value,
    compare,
    fact,
    ref,
)
from environments.core.requests import method_step
from environments.core.state import Session
from environments.rental.archetypes.parts import (
    BEST_RATED,
    LONGEST_ALLOWED,
    RATE,
    Propose,
    at,
    book,
    draw,
    offers,
    outlay,
    pays,
    places,
    proposal,
    rates,
    request,
    window,
)
from environments.rental.archetypes.wording import (
    PAY,
    RATE_ONLY,
    THREE_DEPOTS,
    TWO_DEPOTS,
    WINDOW,
)
from environments.rental.state import CATEGORIES, DEPOTS

BY_OUTLAY = Key(value=outlay(fact("days")))
"""The other way to understand "cheap": what has to be laid out on the day of pickup."""


def best_in_window(
    facts: Facts, *conditions: Condition, depots: int = 2, rank: int = 0, **changed: Any
) -> Query:
    """Book what stands at `rank` of an objective, in the depots and the window that the user says."""
    days = changed.get("days", fact("days"))
    found = offers(at(depots), fact("first_day"), fact("last_day"), days, *conditions)
    objective = changed.get("objective", (RATE,))
    return request(
        facts,
        *changed.get("before", ()),
        Best(selection=found, objective=objective, rank=rank),
        method_step("method", changed.get("payment", fact("payment"))),
        book(days),
    )


def propose_window(
    *clauses: str,
    depots: int = 2,
    span: tuple[int, int] = (2, 4),
    days: tuple[int, int] = (1, 4),
    cap: bool = False,
) -> Propose:
    """Some depots, and a window of so many days at least and at most."""

    def propose(
        session: Session, rng: random.Random, people: Sequence[str]
    ) -> Proposal | None:
        customer = draw(session, rng, people)
        if customer is None:
            return None
        wishes: dict[str, Any] = {
            "category": rng.choice(CATEGORIES),
            "payment": pays(customer, rng),
            **window(rng, *span),
            **places(rng, depots),
        }
        if days[1]:
            wishes["days"] = rng.randint(*days)
        if cap:
            wishes["rate_cap"] = rng.randrange(20, 60, 5)
        return proposal(customer, rng, wishes, *clauses)

    return propose


# --- E1: the cheapest in a window, over two depots -------------------------------------------------------------------------------

E1 = Archetype(
    "E1",
    "Book the cheapest unit in a window of days over two depots",
    TaskClass.READ_HEAVY,
    propose_window("wish", "where", "window", "target", "pay", span=(2, 6)),
    best_in_window,
    (
        Clause(
            "wish",
            (
                "[I'd like|I want] to rent a {category} for {days}.",
                "[Can|Could] you book me a {category} for {days}?",
                "I need a {category} for {days}.",
                "[Please book|Book] a {category} for me, for {days}.",
            ),
            opens=True,
        ),
        TWO_DEPOTS,
        WINDOW,
        Clause(
            "target",
            (
                "[Take|Book] the cheapest one that is free that long, [wherever and whenever it is|whatever day and depot that means].",
                "I want the cheapest of all that are free for the whole hire.",
            ),
        ),
        RATE_ONLY,
        PAY,
    ),
    lambda facts: [
        Reading(
            "cheapest with the deposit",
            best_in_window(facts, objective=(BY_OUTLAY,)),
            "rate_only",
        )
    ],
)


# --- E2: the second cheapest under a limit for the deposit, over three depots -----------------------------------------------------


def _second_cheapest(facts: Facts, *, objective: Key = RATE) -> Query:
    low = compare(ref("offer.deposit"), "le", fact("deposit_cap"))
    found = offers(at(3), fact("first_day"), fact("last_day"), fact("days"), low)
    return request(
        facts,
        Best(selection=found, objective=(objective,), rank=1),
        method_step("method", fact("payment")),
        book(fact("days")),
    )


def _propose_second(
    session: Session, rng: random.Random, people: Sequence[str]
) -> Proposal | None:
    customer = draw(session, rng, people)
    if customer is None:
        return None
    wishes: dict[str, Any] = {
        "category": rng.choice(CATEGORIES),
        "days": rng.randint(1, 4),
        "deposit_cap": rng.randrange(150, 400, 10),
        "payment": pays(customer, rng),
        **window(rng, 2, 4),
        **places(rng, 3),
    }
    return proposal(
        customer, rng, wishes, "wish", "where", "window", "target", "limit", "pay"
    )


E2 = Archetype(
    "E2",
    "Book the second cheapest unit with a low deposit, over three depots",
    TaskClass.READ_HEAVY,
    _propose_second,
    _second_cheapest,
    (
        Clause(
            "wish",
            (
                "[I'd like|I want] to rent a {category} whose deposit is low, for {days}.",
                "[Can|Could] you book a {category} for {days} that doesn't take a big deposit?",
                "A {category} for {days} with a low deposit, please.",
                "I'd like to pick up a {category} for {days}, if the deposit is not too high.",
            ),
            opens=True,
        ),
        THREE_DEPOTS,
        WINDOW,
        Clause(
            "target",
            (
                "[Not the cheapest, please, but the second cheapest|I'd like the second cheapest] of those that are free that long.",
                "Give me the second cheapest of what is free for the whole hire.",
            ),
        ),
        Clause(
            "limit",
            (
                "[Look only at|Consider only] units with a deposit of at most {deposit_cap}.",
                "Leave out everything with a deposit above {deposit_cap}.",
            ),
        ),
        RATE_ONLY,
        PAY,
    ),
    lambda facts: [
        Reading(
            "second cheapest with the deposit",
            _second_cheapest(facts, objective=BY_OUTLAY),
            "rate_only",
        )
    ],
)


# --- E3: the best rated under a limit for the rate -------------------------------------------------------------------------------


def _best_rated(facts: Facts) -> Query:
    cheap = compare(ref("offer.daily_rate"), "le", fact("rate_cap"))
    return best_in_window(facts, cheap, objective=BEST_RATED)


E3 = Archetype(
    "E3",
    "Book the best rated unit under a daily rate, over two depots and several days",
    TaskClass.READ_HEAVY,
    propose_window("wish", "where", "window", "target", "pay", span=(2, 5), cap=True),
    _best_rated,
    (
        Clause(
            "wish",
            (
                "[I'd like|I want] a good {category} for {days}.",
                "[I'm looking|I am looking] for a really good {category}, for {days}.",
                "A good {category} is what I need, for {days}.",
                "[Can|Could] you find me a good {category} for {days}?",
            ),
            opens=True,
        ),
        TWO_DEPOTS,
        WINDOW,
        Clause(
            "target",
            (
                "[Take|Book] the best rated one that costs at most {rate_cap} a day; of two with the same rating, the cheaper one.",
                "At most {rate_cap} a day, and then the highest rating; if ratings are equal, the lower rate wins.",
            ),
        ),
        PAY,
    ),
)


# --- E6: anywhere but one depot, any model but one, least to lay out ----------------------------------------------------------------


def _least_outlay(facts: Facts) -> Query:
    elsewhere = Not(condition=compare(ref("place.name"), "eq", fact("depot")))
    place = Selection(name="place", relation="depots", where=elsewhere)
    another = Not(condition=compare(ref("offer.model"), "eq", fact("model")))
    found = offers(
        None, fact("first_day"), fact("last_day"), fact("days"), another, of=place
    )
    return request(
        facts,
        Best(selection=found, objective=(BY_OUTLAY,)),
        method_step("method", fact("payment")),
        book(fact("days")),
    )


def _propose_least(
    session: Session, rng: random.Random, people: Sequence[str]
) -> Proposal | None:
    """The model that the user does not want is the one that would otherwise be the best: a decoy."""
    customer = draw(session, rng, people)
    if customer is None:
        return None
    wishes: dict[str, Any] = {
        "category": rng.choice(CATEGORIES),
        "days": rng.randint(1, 4),
        "payment": pays(customer, rng),
        **window(rng, 2, 3),
        **places(rng, 1),
    }
    units: list[Any] = [
        session.get("units", key)
        for depot in DEPOTS
        if depot != wishes["depot"]
        for key in session.lookup_all("units_at", (wishes["category"], depot))
    ]
    day, days = wishes["first_day"], wishes["days"]
    free = [u for u in units if u["offers"].get(day, {}).get("longest", 0) >= days]
    if not free:
        return None
    best = min(free, key=lambda u: u["offers"][day]["daily_rate"] * days + u["deposit"])
    wishes["model"] = best["model"]
    return proposal(
        customer, rng, wishes, "wish", "where", "window", "target", "but", "pay"
    )


E6 = Archetype(
    "E6",
    "Book what takes least to lay out, at any depot but one, any model but one",
    TaskClass.READ_HEAVY,
    _propose_least,
    _least_outlay,
    (
        Clause(
            "wish",
            (
                "[I'm short of cash and need|I don't have much cash and need] a {category} for {days}.",
                "[I'd like|I want] to hire a {category} for {days} without laying out much.",
                "A {category} for {days}, with as little cash up front as possible.",
                "[Can|Could] you get me a {category} for {days} for little cash up front?",
            ),
            opens=True,
        ),
        Clause(
            "where",
            (
                "Any depot but {depot} will do.",
                "[I can't get to|I can't come to] {depot}, but every other depot is fine.",
                "All your depots are fine, except {depot}.",
            ),
        ),
        WINDOW,
        Clause(
            "target",
            (
                "[Take|Book] the one for which the price of the whole hire and the deposit together are lowest.",
                "What counts is the sum of the whole price and the deposit: the lowest one, please.",
            ),
        ),
        Clause(
            "but",
            (
                "Just not the {model}.",
                "[I don't want|I won't take] the {model}.",
                "Any model is fine, but not the {model}.",
            ),
        ),
        PAY,
    ),
)


# --- E7: one of two categories, whichever is cheaper --------------------------------------------------------------------------------


def _either(facts: Facts, *, objective: Key = RATE) -> Query:
    kinds = ListOf(values=(fact("category"), fact("other_category")))
    found = offers(
        at(2), fact("first_day"), fact("last_day"), fact("days"), categories=kinds
    )
    return request(
        facts,
        Best(selection=found, objective=(objective,)),
        method_step("method", fact("payment")),
        book(fact("days")),
    )


def _propose_either(
    session: Session, rng: random.Random, people: Sequence[str]
) -> Proposal | None:
    """Two categories whose cheapest units are near each other, so that neither wins by being what it is."""
    customer = draw(session, rng, people)
    if customer is None:
        return None
    one, other = rng.sample(CATEGORIES, 2)
    wishes: dict[str, Any] = {
        "category": one,
        "other_category": other,
        "days": rng.randint(1, 3),
        "payment": pays(customer, rng),
        **window(rng, 2, 3),
        **places(rng, 2),
    }
    lowest = [
        rates(session, kind, wishes["depot"], wishes["first_day"], wishes["days"])
        for kind in (one, other)
    ]
    if not all(lowest) or max(lowest)[0] > 1.6 * min(lowest)[0]:
        return None
    return proposal(customer, rng, wishes, "wish", "where", "window", "target", "pay")


E7 = Archetype(
    "E7",
    "Book a unit of one of two categories, whichever is cheapest",
    TaskClass.READ_HEAVY,
    _propose_either,
    _either,
    (
        Clause(
            "wish",
            (
                "[I'd like|I want] either a {category} or a {other_category}, for {days}.",
                "[Can|Could] you book me a {category} or a {other_category} for {days}?",
                "For {days} I need a {category} or a {other_category}, either will do.",
                "A {category} or a {other_category} for {days}, I don't mind which.",
            ),
            opens=True,
        ),
        TWO_DEPOTS,
        WINDOW,
        Clause(
            "target",
            (
                "[Take|Book] the cheapest of them all that is free for so long.",
                "Of both kinds together I want the cheapest one that is free for the whole time.",
            ),
        ),
        RATE_ONLY,
        PAY,
    ),
    lambda facts: [
        Reading(
            "cheapest with the deposit",
            _either(facts, objective=BY_OUTLAY),
            "rate_only",
        )
    ],
)


# --- E8: for as long as my membership allows ----------------------------------------------------------------------------------------


def _as_long_as_allowed(facts: Facts, *, with_deposit: bool = False) -> Query:
    longest = ref("longest")
    objective = Key(value=outlay(longest)) if with_deposit else RATE
    return best_in_window(
        facts,
        days=longest,
        objective=(objective,),
        before=(Value(name="longest", value=LONGEST_ALLOWED),),
    )


E8 = Archetype(
    "E8",
    "Book the cheapest unit for as long as the membership allows",
    TaskClass.READ_HEAVY,
    propose_window(
        "wish", "where", "window", "target", "pay", span=(2, 5), days=(0, 0)
    ),
    _as_long_as_allowed,
    (
        Clause(
            "wish",
            (
                "[I'd like|I want] a {category} for as many days as my membership allows.",
                "[Can|Could] you book me a {category} for the longest time that my membership permits?",
                "I need a {category} for as long as somebody with my membership can have one.",
                "A {category}, please, for the most days that a member like me may hire.",
            ),
            opens=True,
        ),
        TWO_DEPOTS,
        WINDOW,
        Clause(
            "target",
            (
                "It should be the cheapest that can be had for so many days.",
                "Of those that are free for so many days, [take|book] the cheapest.",
            ),
        ),
        RATE_ONLY,
        PAY,
    ),
    lambda facts: [
        Reading(
            "cheapest with the deposit",
            _as_long_as_allowed(facts, with_deposit=True),
            "rate_only",
        )
    ],
)
