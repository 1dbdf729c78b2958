"""Changes of a booking: which one it is, and what becomes of it, follows from comparing."""

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
from environments.core.state import Record, Session
from environments.rental.archetypes.parts import (
    BEST_RATED,
    INSURE,
    MY_BOOKING,
    RATE,
    SWAP,
    UNINSURED,
    Propose,
    at,
    booked,
    can_be_extended,
    cancel,
    described,
    extend,
    insurance,
    mine,
    on_day_of_booking,
    outlay,
    places,
    price,
    proposal,
    rates,
    request,
    somebody,
    upcoming,
)
from environments.rental.archetypes.wording import RATE_ONLY, under
from environments.rental.state import (
    DAYS,
    DEPOTS,
    FIRST_CANCELLABLE,
    LONGEST_FOR,
    insurance_per_day,
)

BY_OUTLAY = Key(value=outlay(ref("booking.days")))
OTHER_UNIT = Best(selection=on_day_of_booking(depots=at(1)), objective=(RATE,))
DAYS_DESC = Key(value=ref("booking.days"), direction="desc")
RATE_OF_BOOKING = Key(value=ref("booking.daily_rate"))
RATE_DESC = Key(value=ref("booking.daily_rate"), direction="desc")


# --- E4: another unit for a booking, if it is cheap enough, else insurance -----------------------------------------------------------


def _swap_if(facts: Facts, *, objective: Key = RATE) -> Query:
    """Which unit it is matters only if the cheapest is cheap enough; so the branch looks at its price alone."""
    others = on_day_of_booking(depots=at(1))
    lowest = Aggregate(op="min", over=others, value=ref("offer.daily_rate"))
    cheap = compare(lowest, "le", fact("rate_cap"))
    other_unit = Best(selection=others, objective=(objective,))
    branch = Branch(condition=cheap, then=(other_unit, SWAP), otherwise=(INSURE,))
    return request(facts, MY_BOOKING, branch)


def propose_swap(
    *clauses: str, caps: bool = False, insured: bool = False, depots: int = 1
) -> Propose:
    """An upcoming booking that its category describes; with `caps`, a limit near the lowest rate."""

    def propose(
        session: Session, rng: random.Random, people: Sequence[str]
    ) -> Proposal | None:
        found = somebody(
            session,
            rng,
            people,
            lambda customer: [
                row for row in described(session, customer) if row["insured"] is insured
            ],
        )
        if found is None:
            return None
        customer, booking = found
        wishes: dict[str, Any] = {"category": booking["category"]}
        wishes |= places(rng, depots)
        if caps:
            fitting = _tipping_caps(session, booking, wishes["depot"])
            if not fitting:
                return None
            wishes["rate_cap"] = rng.choice(fitting)
        return proposal(customer, rng, wishes, *clauses)

    return propose


def _tipping_caps(session: Session, booking: Record, depot: str) -> list[int]:
    """Limits that the lowest rate keeps on the day of the booking and breaks on several others, or the other way round."""
    lowest = {
        day: found[0]
        for day in DAYS
        if (found := rates(session, booking["category"], depot, day, booking["days"]))
    }
    here = lowest.pop(booking["pickup_date"], None)
    if here is None:
        return []
    return [
        cap
        for cap in under(0.7 * here, 1.4 * here)
        if sum((rate <= cap) is not (here <= cap) for rate in lowest.values()) > 4
    ]


E4 = Archetype(
    "E4",
    "Swap the unit of a booking if another one is cheap enough, else insure it",
    TaskClass.READ_HEAVY,
    propose_swap("wish", "target", "otherwise", caps=True),
    _swap_if,
    (
        Clause(
            "wish",
            (
                "[It's|This is] about my upcoming {category} booking.",
                "I have an upcoming booking of a {category}, and a question about its price.",
                "I may have to pay less for my upcoming {category} booking, if you have a look.",
                "[Can|Could] you look at my upcoming {category} booking with me?",
            ),
            opens=True,
        ),
        Clause(
            "target",
            (
                "If the cheapest other {category} at {depot} costs at most {rate_cap} a day for the same dates, swap mine for that one.",
                "[Look for|Find] the cheapest other {category} at {depot} for my dates, and swap mine for that one if its rate is at most {rate_cap} a day.",
            ),
        ),
        Clause(
            "otherwise",
            (
                "[Otherwise|If not], I keep the {category} that I have, and you add the insurance.",
                "If the rate is higher than that, I'll keep my {category}, but insured.",
            ),
        ),
        RATE_ONLY,
    ),
    lambda facts: [
        Reading(
            "cheapest with the deposit",
            _swap_if(facts, objective=BY_OUTLAY),
            "rate_only",
        )
    ],
    existential=True,
)


# --- E14: the best rated at no more than the present rate -----------------------------------------------------------------------------


def _better_for_no_more(facts: Facts) -> Query:
    no_dearer = compare(ref("offer.daily_rate"), "le", ref("booking.daily_rate"))
    everywhere = Selection(name="place", relation="depots")
    others = on_day_of_booking(no_dearer, depots=None, of=everywhere)
    return request(
        facts, MY_BOOKING, Best(selection=others, objective=BEST_RATED), SWAP
    )


E14 = Archetype(
    "E14",
    "Swap a booking to the best rated unit at no more than its present rate, over all depots",
    TaskClass.READ_HEAVY,
    propose_swap("wish", "where", "target", depots=0),
    _better_for_no_more,
    (
        Clause(
            "wish",
            (
                "[I'd like|I want] a better unit for my upcoming {category} booking.",
                "[Can|Could] you get me something better for my upcoming {category} booking?",
                "My upcoming {category} booking should be for something better.",
                "For my upcoming {category} hire I'd rather have a better unit.",
            ),
            opens=True,
        ),
        Clause(
            "where",
            (
                "I can go to any of your depots for that.",
                "All five depots come into question.",
                "It doesn't matter at which depot the better one is.",
            ),
        ),
        Clause(
            "target",
            (
                "Swap the {category} for the best rated one that costs no more per day than it does now, same dates; if two are rated the same, the cheaper one.",
                "For the same dates, I'd take the {category} with the highest rating whose daily rate is not above my present one; at equal ratings the lower rate.",
            ),
        ),
    ),
    existential=True,
)


# --- E15: the one swap that saves most ------------------------------------------------------------------------------------------------


def _best_saving(facts: Facts, *, per_day: bool = False) -> Query:
    saved = Arithmetic(
        op="-", left=ref("booking.daily_rate"), right=ref("offer.daily_rate")
    )
    total = saved if per_day else price(ref("booking.days"), saved)
    swaps = on_day_of_booking(depots=at(1), of=upcoming(UNINSURED))
    most = Key(value=total, direction="desc")
    return request(facts, Best(selection=swaps, objective=(most,)), SWAP)


def _propose_saving(
    session: Session, rng: random.Random, people: Sequence[str]
) -> Proposal | None:
    """Every booking could be the one: none costs so little that no swap of it would save as much as the best does."""

    def depots(customer: Record) -> list[str]:
        rows = [row for row in mine(session, customer) if not row["insured"]]
        return [depot for depot in DEPOTS if len(rows) > 1 and open_race(depot, rows)]

    def open_race(depot: str, rows: list[Record]) -> bool:
        saved = []
        for row in rows:
            place = row["category"], depot, row["pickup_date"]
            lowest = rates(session, *place, row["days"])[:1] or [row["daily_rate"]]
            saved.append(row["days"] * (row["daily_rate"] - lowest[0]))
        least = min(row["days"] * (row["daily_rate"] - 2) for row in rows)
        return bool(max(saved) < least)

    found = somebody(session, rng, people, depots)
    if found is None:
        return None
    customer, depot = found
    return proposal(customer, rng, {"depot": depot}, "wish", "target")


E15 = Archetype(
    "E15",
    "Of all upcoming bookings and what one depot has, make the swap that saves most",
    TaskClass.READ_HEAVY,
    _propose_saving,
    _best_saving,
    (
        Clause(
            "wish",
            (
                "[I'd like|I want] to save money on one of my upcoming bookings.",
                "[Can|Could] you make one of my upcoming bookings cheaper?",
                "One of my upcoming bookings could be cheaper, I think.",
                "I'd like to pay less for one of my upcoming bookings, whichever is best.",
            ),
            opens=True,
        ),
        Clause(
            "target",
            (
                "Look at what {depot} has for the same dates, and of all my upcoming bookings that are not insured, make the one swap that saves me most in total, over all days of the hire.",
                "Of all the swaps that can be made, of an upcoming booking without insurance for a unit at {depot} on the same dates, make the one that takes most off the price of the whole hire.",
            ),
        ),
    ),
)


# --- E16: insure the longest ----------------------------------------------------------------------------------------------------------


def _insure_longest(facts: Facts) -> Query:
    longest = Best(selection=upcoming(UNINSURED), objective=(DAYS_DESC, RATE_DESC))
    return request(facts, longest, INSURE)


def _propose_longest(
    session: Session, rng: random.Random, people: Sequence[str]
) -> Proposal | None:
    found = somebody(session, rng, people, lambda row: [row] * _uninsured(session, row))
    return proposal(found[0], rng, {}, "wish", "target") if found else None


def _uninsured(session: Session, customer: Record) -> bool:
    """Whether there is something to choose from."""
    return sum(not row["insured"] for row in mine(session, customer)) > 1


E16 = Archetype(
    "E16",
    "Insure the longest upcoming booking that is not insured",
    TaskClass.READ_HEAVY,
    _propose_longest,
    _insure_longest,
    (
        Clause(
            "wish",
            (
                "[I'd like|I want] insurance for one of my upcoming bookings.",
                "[Can|Could] you insure one of my upcoming bookings?",
                "One of my upcoming bookings should be insured.",
                "Please add insurance to one of my upcoming bookings.",
            ),
            opens=True,
        ),
        Clause(
            "target",
            (
                "Of those without insurance, insure the one that lasts the most days; if several last equally long, the one of them with the highest daily rate.",
                "Take the longest hire among those not insured yet, and of equally long ones that with the highest rate per day.",
            ),
        ),
    ),
)


# --- E17: the cheapest booking made longer, if the extra days cost little --------------------------------------------------------------


def _longer_if(facts: Facts, *, insured: bool = True) -> Query:
    """`insured` counts as 1, so that the insurance is added where there is one."""
    per_day: Any = ref("booking.daily_rate")
    if insured:
        premium = Arithmetic(
            op="*",
            left=ref("booking.insured"),
            right=insurance(ref("booking.category")),
        )
        per_day = Arithmetic(op="+", left=per_day, right=premium)
    extra = price(fact("days"), per_day)
    return request(
        facts,
        Best(selection=upcoming(), objective=(RATE_OF_BOOKING,)),
        Branch(
            condition=compare(extra, "le", fact("extra_cap")),
            then=(extend(fact("days")),),
            otherwise=(extend(const(1)),),
        ),
    )


def _propose_longer(
    session: Session, rng: random.Random, people: Sequence[str]
) -> Proposal | None:
    def extensions(customer: Record) -> list[tuple[Record, int]]:
        rows = mine(session, customer)
        if len(rows) < 2:
            return []
        booking = min(rows, key=lambda row: row["daily_rate"])
        longest = LONGEST_FOR[customer["membership"]]
        return [
            (booking, days)
            for days in (2, 3, 4)
            if booking["days"] + days < longest
            and can_be_extended(session, booking, days)
        ]

    found = somebody(session, rng, people, extensions)
    if found is None:
        return None
    customer, (booking, days) = found
    per_day = booking["daily_rate"]
    if booking["insured"]:
        per_day += insurance_per_day(customer["membership"], booking["category"])
    caps = under(days * per_day * 0.7, days * per_day * 1.4)
    if not caps:
        return None
    wishes = {"days": days, "extra_cap": rng.choice(caps)}
    return proposal(customer, rng, wishes, "wish", "target", "otherwise", "insurance")


E17 = Archetype(
    "E17",
    "Make the cheapest upcoming booking longer if the extra days cost little, else by one day",
    TaskClass.READ_HEAVY,
    _propose_longer,
    _longer_if,
    (
        Clause(
            "wish",
            (
                "[I'd like|I want] to keep the upcoming booking of mine that has the lowest daily rate for longer.",
                "[Can|Could] you make the one of my upcoming bookings with the lowest daily rate longer?",
                "Of my upcoming bookings, the one with the lowest rate per day should last longer.",
                "The upcoming booking of mine with the lowest rate per day should be extended.",
            ),
            opens=True,
        ),
        Clause(
            "target",
            (
                "If {days} more cost at most {extra_cap} altogether, extend that booking by {days}.",
                "Extend that booking by {days}, provided that this costs no more than {extra_cap} extra.",
            ),
        ),
        Clause(
            "otherwise",
            (
                "[Otherwise|If not], extend that booking by a single day, whatever the price.",
                "Should that be too expensive, one more day is enough, at any price.",
            ),
        ),
        Clause(
            "insurance",
            (
                "If that booking is insured, the insurance for the extra days counts too.",
                "The extra cost includes insurance, if the booking has one.",
            ),
        ),
    ),
)


# --- E18: if all upcoming bookings together cost too much, cancel one, else insure one -------------------------------------------------


def _too_much(facts: Facts) -> Query:
    rows = upcoming(name="any")
    each = price(ref("any.days"), ref("any.daily_rate"))
    together = Aggregate(op="sum", over=rows, value=each)
    deposit = Key(value=ref("booking.deposit"), direction="desc")
    return request(
        facts,
        Branch(
            condition=compare(together, "gt", fact("total_cap")),
            then=(Best(selection=upcoming(), objective=(RATE_DESC,)), cancel()),
            otherwise=(
                Best(selection=upcoming(UNINSURED), objective=(deposit,)),
                INSURE,
            ),
        ),
    )


def dearest_can_go(session: Session, customer: Record) -> bool:
    """Whether the policy lets the upcoming booking with the highest rate be cancelled."""
    rows = mine(session, customer)
    if len(rows) < 2 or booked(session, customer, "cancelled"):
        return False
    dearest = max(rows, key=lambda row: row["daily_rate"])
    return bool(dearest["pickup_date"] >= FIRST_CANCELLABLE)


def _propose_too_much(
    session: Session, rng: random.Random, people: Sequence[str]
) -> Proposal | None:
    too_much = rng.random() < 0.5

    def caps(customer: Record) -> list[int]:
        rows = mine(session, customer)
        total = sum(row["days"] * row["daily_rate"] for row in rows)
        if len(rows) < 2:
            return []
        if too_much:
            fits = dearest_can_go(session, customer)
            return under(total * 0.7, total) if fits else []
        fits = _uninsured(session, customer)
        return under(total, total * 1.3) if fits else []

    found = somebody(session, rng, people, caps)
    if found is None:
        return None
    customer, cap = found
    return proposal(customer, rng, {"total_cap": cap}, "wish", "target", "otherwise")


E18 = Archetype(
    "E18",
    "If all upcoming bookings together cost too much, cancel the dearest, else insure one",
    TaskClass.READ_HEAVY,
    _propose_too_much,
    _too_much,
    (
        Clause(
            "wish",
            (
                "[I'm afraid|I fear] that my upcoming bookings cost too much altogether.",
                "[Can|Could] you see what all my upcoming bookings come to, and act on that?",
                "I've lost track of what my upcoming bookings cost altogether, and something has to be done.",
                "My upcoming bookings may have become too expensive altogether.",
            ),
            opens=True,
        ),
        Clause(
            "target",
            (
                "If their prices, without insurance and deposits, add up to more than {total_cap}, cancel the one with the highest daily rate.",
                "Add up days times daily rate of every upcoming one: above {total_cap}, cancel the upcoming one with the highest rate per day.",
            ),
        ),
        Clause(
            "otherwise",
            (
                "[Otherwise|If the sum is not above that], insure the upcoming booking with the highest deposit among those that have no insurance.",
                "If the sum stays below, add insurance to the one of the uninsured upcoming bookings that has the highest deposit.",
            ),
        ),
    ),
)
