"""Kinds of rental requests: how to draw one, its query, its words."""

import random
from collections.abc import Callable, Sequence
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
    Best,
    Branch,
    Condition,
    Decline,
    Key,
    ListOf,
    Query,
    Selection,
    Step,
    The,
    Write,
    all_of,
    compare,
    const,
    fact,
    ref,
)
from environments.core.state import Record, Session
from environments.core.tools import ToolCall
from environments.rental.state import CATEGORIES, DAYS, DEPOTS

_DATES: dict[Any, tuple[str, ...]] = {day: (f"June {int(day[8:])}",) for day in DAYS}
_NUMBERS: dict[Any, tuple[str, ...]] = {n: (f"${n}",) for n in range(5, 500, 5)}
_DEPOTS: dict[Any, tuple[str, ...]] = {depot: (depot,) for depot in DEPOTS}
_CATEGORIES: dict[Any, tuple[str, ...]] = {
    category: (category,) for category in CATEGORIES
}
LEXICON: dict[str, dict[Any, tuple[str, ...]]] = {
    "payment": {
        "credit_card": ("my credit card", "the credit card on file"),
        "store_credit": ("my store credit", "the store credit I have"),
    },
    "days": {n: ("1 day" if n == 1 else f"{n} days",) for n in range(1, 8)},
    "category": _CATEGORIES,
    "other_category": _CATEGORIES,
    **dict.fromkeys(("day", "first_day", "last_day", "other_day"), _DATES),
    **dict.fromkeys(("depot", "other_depot", "third_depot"), _DEPOTS),
    **dict.fromkeys(("rate_cap", "deposit_cap"), _NUMBERS),
}
"""Days, depots and limits are said in words that lead back to one value each."""


# --- parts of queries ----------------------------------------------------------------------------------------------------------


def _query(facts: Facts, *steps: Step) -> Query:
    names = ["email"] if "email" in facts else ["first_name", "last_name", "zip"]
    by: dict[str, Any] = {name: fact(name) for name in names}
    account = Selection(name="account", relation="account", by=by)
    profile = Selection(name="profile", relation="profile", of=ref("account"))
    return Query(steps=(The(selection=account), The(selection=profile), *steps))


def _offers(
    depots: Sequence[str],
    first: Any,
    last: Any,
    days: Any,
    *conditions: Condition,
    name: str = "offer",
    category: Any = None,
) -> Selection:
    """Units that are to be had for that long, in every depot (names of facts) on every day of a window."""
    long_enough = compare(ref(f"{name}.longest_hire"), "ge", days)
    by = {
        "category": category or fact("category"),
        "depots": ListOf(values=tuple(fact(depot) for depot in depots)),
        "first_day": first,
        "last_day": last,
    }
    return Selection(
        name=name, relation="offers", by=by, where=all_of(long_enough, *conditions)
    )


def _method(name: str, source: Any) -> The:
    where = compare(ref(f"{name}.source"), "eq", source)
    return The(
        selection=Selection(
            name=name, relation="methods", of=ref("profile"), where=where
        )
    )


def _book(offer: str, method: str, days: Any) -> Write:
    arguments = {
        "customer_id": ref("account.customer_id"),
        "unit_id": ref(f"{offer}.unit_id"),
        "pickup_date": ref(f"{offer}.pickup_date"),
        "days": days,
        "payment_method_id": ref(f"{method}.id"),
    }
    return Write(tool="book_unit", arguments=arguments)


def _on_booking(tool: str, **more: Any) -> Write:
    return Write(tool=tool, arguments={"booking_id": ref("booking.booking_id"), **more})


def _upcoming(*conditions: Condition) -> Selection:
    upcoming = compare(ref("booking.status"), "eq", const("upcoming"))
    return Selection(
        name="booking",
        relation="bookings",
        of=ref("profile"),
        where=all_of(upcoming, *conditions),
    )


_MY_BOOKING = The(
    selection=_upcoming(compare(ref("booking.category"), "eq", fact("category")))
)
_RATE = Key(value=ref("offer.daily_rate"))


def _with_deposit(days: Any, name: str = "offer") -> Key:
    """What has to be laid out on the day of pickup."""
    price = Arithmetic(op="*", left=days, right=ref(f"{name}.daily_rate"))
    return Key(value=Arithmetic(op="+", left=price, right=ref(f"{name}.deposit")))


# --- parts of draws ------------------------------------------------------------------------------------------------------------


def _draw(session: Session, rng: random.Random, people: Sequence[str]) -> Any:
    return session.get("customers", rng.choice(people))


def _proposal(
    customer: Record, rng: random.Random, wishes: dict[str, Any], *clauses: str
) -> Proposal:
    name = customer["name"]
    who = (
        {"email": customer["email"]}
        if rng.random() < 0.5
        else {**name, "zip": customer["zip"]}
    )
    return Proposal({**who, **wishes}, clauses)


def _pays(customer: Record, rng: random.Random) -> str:
    sources = [method["source"] for method in customer["payment_methods"].values()]
    return str(rng.choice(sources))


def _places(rng: random.Random, count: int) -> dict[str, str]:
    names = ("depot", "other_depot", "third_depot")[:count]
    return dict(zip(names, rng.sample(DEPOTS, count), strict=True))


def _mine(session: Session, customer: Record) -> list[Record]:
    found = [session.get("bookings", key) for key in customer["bookings"]]
    return [row for row in found if row and row["status"] == "upcoming"]


def _described(session: Session, customer: Record) -> list[Record]:
    """Upcoming bookings that their category alone tells from all others of the customer, whatever their status."""
    rows: list[Any] = [session.get("bookings", key) for key in customer["bookings"]]
    named = [row["category"] for row in rows]
    return [
        row for row in _mine(session, customer) if named.count(row["category"]) == 1
    ]


def _rates(
    session: Session, category: str, depot: str, day: str, days: int
) -> list[float]:
    """Daily rates, the lowest first, of what is to be had for so long."""
    return sorted(
        unit["offers"][day]["daily_rate"]
        for key in session.lookup_all("units_at", (category, depot))
        if (unit := session.get("units", key))
        and day in unit["offers"]
        and unit["offers"][day]["longest"] >= days
    )


# --- words that several archetypes share ---------------------------------------------------------------------------------------

_PAY = Clause(
    "pay",
    (
        "[I'll|I will|I'd like to] pay with {payment}.",
        "[Please charge|Charge] {payment}.",
        "{payment} [should|can] pay for it.",
    ),
)
_RATE_ONLY = Clause(
    "rate_only",
    (
        "[Only the daily rate counts|Go by the daily rate], [the deposit doesn't matter|never mind the deposit].",
        "By cheap I mean the daily rate, not the deposit.",
    ),
)
_WINDOW = Clause(
    "window",
    (
        "[Any day from|I can start any day from] {first_day} to {last_day} [is fine|works].",
        "The hire can start on any day between {first_day} and {last_day}, those two included.",
    ),
)
_TWO_DEPOTS = Clause(
    "where",
    (
        "[I can pick it up|Pickup is fine] at {depot} or at {other_depot}.",
        "{depot} and {other_depot} are both fine for pickup.",
    ),
)


# --- E1: the cheapest in a window, over two depots -------------------------------------------------------------------------------


def _cheapest_in_window(facts: Facts, *, objective: Key = _RATE) -> Query:
    found = _offers(
        ("depot", "other_depot"), fact("first_day"), fact("last_day"), fact("days")
    )
    return _query(
        facts,
        Best(selection=found, objective=(objective,)),
        _method("method", fact("payment")),
        _book("offer", "method", fact("days")),
    )


def _propose_window(
    longest: int, *clauses: str, caps: bool = False, days: int = 0
) -> Callable[[Session, random.Random, Sequence[str]], Proposal | None]:
    """Two depots and a window of two to `longest` days."""

    def propose(
        session: Session, rng: random.Random, people: Sequence[str]
    ) -> Proposal | None:
        customer = _draw(session, rng, people)
        if customer is None:
            return None
        span, start = rng.randint(2, longest), rng.randrange(len(DAYS) - longest)
        wishes: dict[str, Any] = {
            "category": rng.choice(CATEGORIES),
            "days": days or rng.randint(1, 4),
            "first_day": DAYS[start],
            "last_day": DAYS[start + span - 1],
            "payment": _pays(customer, rng),
            **_places(rng, 2),
        }
        if caps:
            wishes["rate_cap"] = rng.randrange(20, 60, 5)
        return _proposal(customer, rng, wishes, *clauses)

    return propose


E1 = Archetype(
    "E1",
    "Book the cheapest unit in a window of days over two depots",
    TaskClass.READ_HEAVY,
    _propose_window(4, "wish", "where", "window", "target", "pay"),
    _cheapest_in_window,
    (
        Clause(
            "wish",
            (
                "[I'd like|I want] to rent a {category} for {days}.",
                "[Can|Could] you book me a {category} for {days}?",
                "I need a {category} for {days}.",
            ),
            opens=True,
        ),
        _TWO_DEPOTS,
        _WINDOW,
        Clause(
            "target",
            (
                "[Take|Book] the cheapest one that is free that long, [wherever and whenever it is|whatever day and depot that means].",
                "I want the cheapest of all that are free for the whole hire.",
            ),
        ),
        _RATE_ONLY,
        _PAY,
    ),
    lambda facts: [
        Reading(
            "cheapest with the deposit",
            _cheapest_in_window(facts, objective=_with_deposit(fact("days"))),
            "rate_only",
        )
    ],
)


# --- E2: the second cheapest under a limit for the deposit, over three depots -----------------------------------------------------


def _second_cheapest(facts: Facts, *, objective: Key = _RATE) -> Query:
    low = compare(ref("offer.deposit"), "le", fact("deposit_cap"))
    places = ("depot", "other_depot", "third_depot")
    found = _offers(places, fact("day"), fact("day"), fact("days"), low)
    return _query(
        facts,
        Best(selection=found, objective=(objective,), rank=1),
        _method("method", fact("payment")),
        _book("offer", "method", fact("days")),
    )


def _propose_second(
    session: Session, rng: random.Random, people: Sequence[str]
) -> Proposal | None:
    customer = _draw(session, rng, people)
    if customer is None:
        return None
    wishes: dict[str, Any] = {
        "category": rng.choice(CATEGORIES),
        "days": rng.randint(1, 4),
        "day": rng.choice(DAYS),
        "deposit_cap": rng.randrange(145, 345, 10),
        "payment": _pays(customer, rng),
        **_places(rng, 3),
    }
    return _proposal(customer, rng, wishes, "wish", "where", "target", "limit", "pay")


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
                "[I'd like|I want] to rent a {category} on {day}, for {days}.",
                "[Can|Could] you book a {category} for {days}, starting on {day}?",
            ),
            opens=True,
        ),
        Clause(
            "where",
            (
                "{depot}, {other_depot} and {third_depot} are [all fine|the depots I can get to].",
                "I can come to {depot}, {other_depot} or {third_depot}.",
            ),
        ),
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
        _RATE_ONLY,
        _PAY,
    ),
    lambda facts: [
        Reading(
            "second cheapest with the deposit",
            _second_cheapest(facts, objective=_with_deposit(fact("days"))),
            "rate_only",
        )
    ],
)


# --- E3: the best rated under a limit for the rate, for one day ---------------------------------------------------------------------


def _best_rated(facts: Facts) -> Query:
    cheap = compare(ref("offer.daily_rate"), "le", fact("rate_cap"))
    found = _offers(
        ("depot", "other_depot"),
        fact("first_day"),
        fact("last_day"),
        fact("days"),
        cheap,
    )
    rating = Key(value=ref("offer.rating"), direction="desc")
    return _query(
        facts,
        Best(selection=found, objective=(rating, _RATE)),
        _method("method", fact("payment")),
        _book("offer", "method", fact("days")),
    )


E3 = Archetype(
    "E3",
    "Book the best rated unit under a limit, over two depots and some days",
    TaskClass.READ_HEAVY,
    _propose_window(3, "wish", "where", "window", "target", "pay", caps=True),
    _best_rated,
    (
        Clause(
            "wish",
            (
                "[I'd like|I want] a good {category} for {days}.",
                "[I'm looking|I am looking] for a really good {category}, for {days}.",
            ),
            opens=True,
        ),
        _TWO_DEPOTS,
        _WINDOW,
        Clause(
            "target",
            (
                "[Take|Book] the best rated one that costs at most {rate_cap} a day; of two with the same rating, the cheaper one.",
                "At most {rate_cap} a day, and then the highest rating; if ratings are equal, the lower rate wins.",
            ),
        ),
        _PAY,
    ),
)


# --- E4, W1: another unit for a booking, if it is cheap enough; and insurance ----------------------------------------------------------


def _others() -> Selection:
    """Units at the depot that could take the place of the booked one."""
    other = compare(ref("offer.unit_id"), "ne", ref("booking.unit_id"))
    day = ref("booking.pickup_date")
    return _offers(("depot",), day, day, ref("booking.days"), other)


_OTHER_UNIT = Best(selection=_others(), objective=(_RATE,))
_SWAP = _on_booking("swap_unit", new_unit_id=ref("offer.unit_id"))
_INSURE = _on_booking("add_insurance")


def _swap_if(facts: Facts) -> Query:
    """Which unit it is matters only if the cheapest is cheap enough; so the branch looks at its price alone."""
    lowest = Aggregate(op="min", over=_others(), value=ref("offer.daily_rate"))
    cheap = compare(lowest, "le", fact("rate_cap"))
    branch = Branch(condition=cheap, then=(_OTHER_UNIT, _SWAP), otherwise=(_INSURE,))
    return _query(facts, _MY_BOOKING, branch)


def _propose_swap(
    *clauses: str, caps: bool
) -> Callable[[Session, random.Random, Sequence[str]], Proposal | None]:
    def propose(
        session: Session, rng: random.Random, people: Sequence[str]
    ) -> Proposal | None:
        customer = _draw(session, rng, people)
        mine = _described(session, customer) if customer else []
        mine = [row for row in mine if not row["insured"]]
        if not mine:
            return None
        booking = rng.choice(mine)
        wishes: dict[str, Any] = {"category": booking["category"]}
        wishes |= _places(rng, 1)
        if caps:  # near the lowest rate, so that other dates would tip it over
            place = booking["category"], wishes["depot"], booking["pickup_date"]
            rates = _rates(session, *place, booking["days"])
            if not rates:
                return None
            near = int(rates[0] * rng.uniform(0.85, 1.25))
            wishes["rate_cap"] = max(5, near // 5 * 5)
        return _proposal(customer, rng, wishes, *clauses)

    return propose


E4 = Archetype(
    "E4",
    "Swap the unit of a booking if another one is cheap enough, else insure it",
    TaskClass.READ_HEAVY,
    _propose_swap("wish", "target", "otherwise", caps=True),
    _swap_if,
    (
        Clause(
            "wish",
            (
                "[It's|This is] about my upcoming {category} booking.",
                "I have an upcoming booking of a {category}, and a question about its price.",
            ),
            opens=True,
        ),
        Clause(
            "target",
            (
                "If the cheapest other one at {depot} costs at most {rate_cap} a day for the same dates, swap mine for it.",
                "[Look for|Find] the cheapest other one at {depot} for my dates, and swap to it if its rate is at most {rate_cap} a day.",
            ),
        ),
        Clause(
            "otherwise",
            (
                "[Otherwise|If not], keep mine and add the insurance.",
                "If it costs more, I'll keep what I have, but insured.",
            ),
        ),
    ),
    existential=True,
)


def _swap_and_insure(facts: Facts, *, insured_first: bool = False) -> Query:
    writes = [_INSURE, _SWAP] if insured_first else [_SWAP, _INSURE]
    return _query(facts, _MY_BOOKING, _OTHER_UNIT, *writes)


W1 = Archetype(
    "W1",
    "Swap the unit of a booking and insure it, in the order that works",
    TaskClass.WRITE_INTENSIVE,
    _propose_swap("wish", "insure", "target", caps=False),
    _swap_and_insure,
    (
        Clause(
            "wish",
            (
                "[Please change|I'd like to change] two things about my upcoming {category} booking.",
                "Two things have to change in my upcoming {category} hire.",
            ),
            opens=True,
        ),
        Clause("insure", ("[It|The booking] should be insured.", "I want it insured.")),
        Clause(
            "target",
            (
                "And it should be for the cheapest other one at {depot}, same days.",
                "Also swap the unit for the cheapest other one that {depot} has on those days.",
            ),
        ),
    ),
    existential=True,
    dependent=True,
    permuted=lambda facts: [_swap_and_insure(facts, insured_first=True)],
)


# --- E5: the dearest of my bookings ------------------------------------------------------------------------------------------------

_FIRST_CANCELLABLE = "2027-06-05"


def _cancel() -> Branch:
    late = compare(ref("booking.pickup_date"), "ge", const(_FIRST_CANCELLABLE))
    return Branch(
        condition=late,
        then=(_on_booking("cancel_booking"),),
        otherwise=(Decline(clause="6.1"),),
    )


def _cancel_dearest(facts: Facts) -> Query:
    dearest = Key(value=ref("booking.daily_rate"), direction="desc")
    return _query(facts, Best(selection=_upcoming(), objective=(dearest,)), _cancel())


def _propose_dearest(
    session: Session, rng: random.Random, people: Sequence[str]
) -> Proposal | None:
    customer = _draw(session, rng, people)
    if customer is None or len(_mine(session, customer)) < 2:
        return None
    return _proposal(customer, rng, {}, "wish")


E5 = Archetype(
    "E5",
    "Cancel the upcoming booking with the highest daily rate",
    TaskClass.READ_HEAVY,
    _propose_dearest,
    _cancel_dearest,
    (
        Clause(
            "wish",
            (
                "[Please cancel|I'd like to cancel] whichever of my upcoming bookings has the highest daily rate.",
                "Of my upcoming bookings, cancel the one that costs most per day.",
                "[Can|Could] you cancel the upcoming booking of mine with the highest rate per day?",
            ),
            opens=True,
        ),
    ),
)


# --- W2: two bookings, one store credit: the second payment depends on what the first left -------------------------------------------


def _one_by_credit(
    offer: str, category: str, depot: str, day: str, profile: str
) -> list[Step]:
    """Book the cheapest, with the credit if it covers all of it. Looks at the profile anew."""
    credit, days = f"{offer}_credit", fact("days")
    found = _offers(
        (depot,), fact(day), fact(day), days, name=offer, category=fact(category)
    )
    again = Selection(name=profile, relation="profile", of=ref("account"))
    covered = compare(
        ref(f"{credit}.balance"),
        "ge",
        Arithmetic(op="*", left=days, right=ref(f"{offer}.daily_rate")),
    )
    where = compare(ref(f"{credit}.source"), "eq", const("store_credit"))
    return [
        Best(selection=found, objective=(Key(value=ref(f"{offer}.daily_rate")),)),
        The(selection=again),
        The(
            selection=Selection(
                name=credit, relation="methods", of=ref(profile), where=where
            )
        ),
        Branch(
            condition=covered,
            then=(_book(offer, credit, days),),
            otherwise=(_book(offer, "card", days),),
        ),
    ]


def _two_by_credit(facts: Facts, *, turned: bool = False) -> Query:
    one = _one_by_credit("one", "category", "depot", "day", "profile_one")
    two = _one_by_credit(
        "two", "other_category", "other_depot", "other_day", "profile_two"
    )
    steps = [*two, *one] if turned else [*one, *two]
    return _query(facts, _method("card", const("credit_card")), *steps)


def _propose_two(
    session: Session, rng: random.Random, people: Sequence[str]
) -> Proposal | None:
    customer = _draw(session, rng, people)
    if customer is None or len(customer["payment_methods"]) < 2:
        return None
    one, two = rng.sample(CATEGORIES, 2)
    wishes: dict[str, Any] = {
        "category": one,
        "other_category": two,
        "day": rng.choice(DAYS),
        "other_day": rng.choice(DAYS),
        "days": rng.randint(1, 4),
        **_places(rng, 2),
    }
    days = wishes["days"]
    first = _rates(session, one, wishes["depot"], wishes["day"], days)
    second = _rates(session, two, wishes["other_depot"], wishes["other_day"], days)
    if not first or not second:
        return None
    credit = max(m.get("balance", 0) for m in customer["payment_methods"].values())
    prices = first[0] * days, second[0] * days
    if not max(prices) < credit < sum(prices):
        return (
            None  # the credit is enough for either and not for both: the order matters
        )
    return _proposal(customer, rng, wishes, "wish", "first", "second", "pay")


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
            ),
            opens=True,
        ),
        Clause(
            "first",
            (
                "First the cheapest {category} at {depot} on {day}.",
                "Start with the cheapest {category} that {depot} has on {day}.",
            ),
        ),
        Clause(
            "second",
            (
                "Then the cheapest {other_category} at {other_depot} on {other_day}.",
                "After that the cheapest {other_category} that {other_depot} has on {other_day}.",
            ),
        ),
        Clause(
            "pay",
            (
                "Pay each one with my store credit if what is left there covers all of it, otherwise with my credit card.",
                "For each, use my store credit if it still covers the whole price; if not, my credit card.",
            ),
        ),
    ),
    dependent=True,
    permuted=lambda facts: [_two_by_credit(facts, turned=True)],
)


# --- N1, N2: what only the policy refuses --------------------------------------------------------------------------------------------


def _propose_close(
    session: Session, rng: random.Random, people: Sequence[str]
) -> Proposal | None:
    customer = _draw(session, rng, people)
    mine = _described(session, customer) if customer else []
    mine = [row for row in mine if row["pickup_date"] < _FIRST_CANCELLABLE]
    if not mine:
        return None
    wishes = {"category": rng.choice(mine)["category"]}
    return _proposal(customer, rng, wishes, "wish")


N1 = Archetype(
    "N1",
    "Cancel a booking whose pickup is too close",
    TaskClass.REFUSAL,
    _propose_close,
    lambda facts: _query(facts, _MY_BOOKING, _cancel()),
    (
        Clause(
            "wish",
            (
                "[Please cancel|I'd like to cancel] my upcoming {category} booking.",
                "[Can|Could] you cancel the {category} that I have booked?",
            ),
            opens=True,
        ),
    ),
    existential=True,
)


def _long_hire(facts: Facts) -> Query:
    found = _offers(("depot",), fact("day"), fact("day"), fact("days"))
    allowed = compare(ref("profile.membership"), "eq", const("plus"))
    steps: tuple[Step, ...] = (
        Best(selection=found, objective=(_RATE,)),
        _method("method", fact("payment")),
        _book("offer", "method", fact("days")),
    )
    branch = Branch(condition=allowed, then=steps, otherwise=(Decline(clause="4.3"),))
    return _query(facts, branch)


def _propose_long(
    session: Session, rng: random.Random, people: Sequence[str]
) -> Proposal | None:
    customer = _draw(session, rng, people)
    if customer is None or customer["membership"] != "basic":
        return None
    wishes: dict[str, Any] = {
        "category": rng.choice(CATEGORIES),
        "day": rng.choice(DAYS),
        "days": rng.choice((6, 7)),
        "payment": "credit_card",
        **_places(rng, 1),
    }
    place = wishes["category"], wishes["depot"], wishes["day"], wishes["days"]
    if len(_rates(session, *place)) < 2:
        return None  # a plus member could not have it either
    return _proposal(customer, rng, wishes, "wish", "target", "pay")


N2 = Archetype(
    "N2",
    "Book for longer than a basic membership allows",
    TaskClass.REFUSAL,
    _propose_long,
    _long_hire,
    (
        Clause(
            "wish",
            (
                "[I'd like|I want] to have a {category} from {day} on, for {days}.",
                "I need a {category} for {days}, from {day} on.",
            ),
            opens=True,
        ),
        Clause(
            "target",
            (
                "[Take|Book] the cheapest that {depot} has.",
                "The cheapest one at {depot} will do.",
            ),
        ),
        _PAY,
    ),
)

ARCHETYPES = (E1, E2, E3, E4, E5, W1, W2, N1, N2)


# --- the floor of the burden -----------------------------------------------------------------------------------------------------------


def named(calls: Sequence[ToolCall]) -> Query:
    """The same writes with every argument named: all that is left is whether each booking is still upcoming."""
    steps: list[Step] = []
    for number, call in enumerate(calls):
        arguments: dict[str, Any] = {
            name: const(value) for name, value in call.arguments.items()
        }
        write = Write(tool=call.name, arguments=arguments)
        if "booking_id" not in call.arguments:
            steps.append(write)
            continue
        name = f"booking_{number}"
        by = {"booking_id": arguments["booking_id"]}
        upcoming = compare(ref(f"{name}.status"), "eq", const("upcoming"))
        steps += [
            The(selection=Selection(name=name, relation="booking", by=by)),
            Branch(
                condition=upcoming, then=(write,), otherwise=(Decline(clause="5.1"),)
            ),
        ]
    return Query(steps=tuple(steps))
