"""Parts of queries and of draws that the kinds of rental requests are put together from."""

import random
from collections.abc import Callable, Sequence
from typing import Any

from environments.core.domain import Facts, Proposal
from environments.core.query import (
    Arithmetic,
    Branch,
    Compare,
    Condition,
    Decline,
    Exists,
    Key,
    ListOf,
    Not,
    Query,
    Selection,
    Step,
    Table,
    The,
    Write,
    all_of,
    compare,
    const,
    fact,
    ref,
)
from environments.core.requests import account_steps, identity_facts, told_apart
from environments.core.state import Record, Session
from environments.rental.state import (
    CATEGORIES,
    DAYS,
    DEPOTS,
    FIRST_CANCELLABLE,
    LONGEST_FOR,
    MEMBERSHIPS,
    days_from,
    insurance_per_day,
)

type Propose = Callable[[Session, random.Random, Sequence[str]], Proposal | None]

LOOKED_AT = 40
PLACES = ("depot", "other_depot", "third_depot")
"""Names of the facts that say depots."""
DEPOT_OF_BOOKING = ListOf(values=(ref("booking.depot"),))


# --- queries -------------------------------------------------------------------------------------------------------------------


def request(facts: Facts, *steps: Step) -> Query:
    return Query(steps=(*account_steps(facts), *steps))


def at(count: int) -> ListOf:
    """The first so many depots that the user says."""
    return ListOf(values=tuple(fact(name) for name in PLACES[:count]))


def offers(
    depots: Any,
    first: Any,
    last: Any,
    days: Any,
    *conditions: Condition,
    name: str = "offer",
    category: Any = None,
    categories: Any = None,
    of: Any = None,
) -> Selection:
    """Units that are to be had for so many days, with pickup in the window.

    `depots` is a list, or None if `of` selects rows of the relation "depots".
    """
    by = {"first_day": first, "last_day": last}
    by |= {"depots": depots} if depots is not None else {}
    by |= (
        {"categories": categories}
        if categories is not None
        else {"category": category or fact("category")}
    )
    long_enough = compare(ref(f"{name}.longest_hire"), "ge", days)
    where = all_of(long_enough, *conditions)
    return Selection(name=name, relation="offers", of=of, by=by, where=where)


def on_day_of_booking(*conditions: Condition, depots: Any, of: Any = None) -> Selection:
    """Units that could take the place of the row called `booking`."""
    day = ref("booking.pickup_date")
    other = compare(ref("offer.unit_id"), "ne", ref("booking.unit_id"))
    return offers(
        depots,
        day,
        day,
        ref("booking.days"),
        other,
        *conditions,
        category=ref("booking.category"),
        of=of,
    )


def bookings(name: str, *conditions: Condition) -> Selection:
    """Bookings of the user, whatever their status."""
    where = (
        None
        if not conditions
        else conditions[0]
        if len(conditions) == 1
        else all_of(*conditions)
    )
    return Selection(name=name, relation="bookings", of=ref("profile"), where=where)


def has_status(name: str, status: str) -> Compare:
    return compare(ref(f"{name}.status"), "eq", const(status))


def upcoming(*conditions: Condition, name: str = "booking") -> Selection:
    return bookings(name, has_status(name, "upcoming"), *conditions)


def in_category(name: str = "booking", said: str = "category") -> Compare:
    return compare(ref(f"{name}.category"), "eq", fact(said))


MY_BOOKING = The(selection=upcoming(in_category()))
OTHER_BOOKING = The(
    selection=upcoming(in_category("other", "other_category"), name="other")
)
UNINSURED = compare(ref("booking.insured"), "eq", const(False))
RATE = Key(value=ref("offer.daily_rate"))
BEST_RATED = (Key(value=ref("offer.rating"), direction="desc"), RATE)


def price(days: Any, rate: Any = None) -> Arithmetic:
    """What a hire costs, without insurance."""
    return Arithmetic(op="*", left=days, right=rate or ref("offer.daily_rate"))


def outlay(days: Any, name: str = "offer") -> Arithmetic:
    """What has to be laid out on the day of pickup: price and deposit."""
    paid = price(days, ref(f"{name}.daily_rate"))
    return Arithmetic(op="+", left=paid, right=ref(f"{name}.deposit"))


def insurance(category: Any) -> Table:
    """Dollars for one insured day, by the user's membership."""
    rows = {
        f"{membership}/{kind}": insurance_per_day(membership, kind)
        for membership in MEMBERSHIPS
        for kind in CATEGORIES
    }
    return Table(clause="5.4", keys=(ref("profile.membership"), category), rows=rows)


LONGEST_ALLOWED = Table(
    clause="4.3", keys=(ref("profile.membership"),), rows=dict(LONGEST_FOR)
)


def book(days: Any, method: Any = None, offer: str = "offer") -> Write:
    arguments = {
        "customer_id": ref("account.customer_id"),
        "unit_id": ref(f"{offer}.unit_id"),
        "pickup_date": ref(f"{offer}.pickup_date"),
        "days": days,
        "payment_method_id": method or ref("method.id"),
    }
    return Write(tool="book_unit", arguments=arguments)


def change(tool: str, name: str = "booking", **more: Any) -> Write:
    """A write on the row called `name`."""
    return Write(tool=tool, arguments={"booking_id": ref(f"{name}.booking_id"), **more})


SWAP = change("swap_unit", new_unit_id=ref("offer.unit_id"))
INSURE = change("add_insurance")


def cancel() -> Branch:
    """Cancel the row called `booking`, as far as policy 6.1 and 6.3 let it."""
    cancelled = Exists(
        selection=bookings("earlier", has_status("earlier", "cancelled"))
    )
    late = compare(ref("booking.pickup_date"), "ge", const(FIRST_CANCELLABLE))
    return Branch(
        condition=late,
        then=(
            Branch(
                condition=Not(condition=cancelled),
                then=(change("cancel_booking"),),
                otherwise=(Decline(clause="6.3"),),
            ),
        ),
        otherwise=(Decline(clause="6.1"),),
    )


def extend(extra: Any) -> Branch:
    """Make the row called `booking` longer, as far as policy 4.3 lets it."""
    together = Arithmetic(op="+", left=ref("booking.days"), right=extra)
    return Branch(
        condition=compare(together, "le", LONGEST_ALLOWED),
        then=(change("extend_booking", extra_days=extra),),
        otherwise=(Decline(clause="4.3"),),
    )


# --- draws ---------------------------------------------------------------------------------------------------------------------


def draw(session: Session, rng: random.Random, people: Sequence[str]) -> Any:
    return session.get("customers", rng.choice(people))


def somebody[T](
    session: Session,
    rng: random.Random,
    people: Sequence[str],
    options: Callable[[Any], Sequence[T]],
) -> tuple[Record, T] | None:
    """A customer to whom something applies, and one of the things that do; looks at up to `LOOKED_AT` people."""
    for key in rng.sample(people, min(LOOKED_AT, len(people))):
        customer = session.get("customers", key)
        found = options(customer) if customer else ()
        if customer and found:
            return customer, rng.choice(found)
    return None


def proposal(
    customer: Record, rng: random.Random, wishes: dict[str, Any], *clauses: str
) -> Proposal:
    who = identity_facts(
        email=customer["email"], name=customer["name"], zip=customer["zip"], rng=rng
    )
    return Proposal({**who, **wishes}, clauses)


def pays_with_card(customer: Record) -> bool:
    """Whether "my credit card" means one."""
    methods = customer["payment_methods"].values()
    return [m["source"] for m in methods].count("credit_card") == 1


def pays(customer: Record, rng: random.Random) -> str:
    """A kind of payment method of which there is one: with two credit cards, "my credit card" says nothing."""
    methods = list(customer["payment_methods"].values())
    return str(rng.choice([row["source"] for row in told_apart(methods, "source")]))


def credit_of(customer: Record) -> float:
    """Balance of the store credit; 0 without one."""
    methods = customer["payment_methods"].values()
    return float(sum(method.get("balance", 0.0) for method in methods))


def places(rng: random.Random, count: int) -> dict[str, str]:
    return dict(zip(PLACES, rng.sample(DEPOTS, count), strict=False))


def window(rng: random.Random, shortest: int, longest: int) -> dict[str, str]:
    """Facts that say a first and a last day of pickup."""
    span = rng.randint(shortest, longest)
    start = rng.randrange(len(DAYS) - span + 1)
    return {"first_day": DAYS[start], "last_day": DAYS[start + span - 1]}


def booked(session: Session, customer: Record, *statuses: str) -> list[Record]:
    """The customer's bookings with one of the statuses; without any given, all of them."""
    found = [session.get("bookings", key) for key in customer["bookings"]]
    return [row for row in found if row and (not statuses or row["status"] in statuses)]


def mine(session: Session, customer: Record) -> list[Record]:
    return booked(session, customer, "upcoming")


def described(
    session: Session, customer: Record, status: str = "upcoming"
) -> list[Record]:
    """Bookings with that status that their category tells from all others of the customer, whatever their status."""
    rows = told_apart(booked(session, customer), "category")
    return [row for row in rows if row["status"] == status]


def can_be_extended(session: Session, booking: Record, extra: int) -> bool:
    """Whether the tools would take it: no longer than a hire can last, and the unit is free."""
    unit: Any = session.get("units", booking["unit_id"])
    after = days_from(booking["pickup_date"], booking["days"] + extra)
    free = all(day in unit["offers"] for day in after[booking["days"] :])
    return free and len(after) <= max(LONGEST_FOR.values())


def rates(
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


def rates_within(session: Session, wishes: Facts, days: int) -> list[float]:
    """Rates of what is to be had in the window and the depots that the wishes say; in all depots if they say none."""
    found: list[float] = []
    said = [wishes[name] for name in PLACES if name in wishes]
    for day in DAYS:
        if wishes["first_day"] <= day <= wishes["last_day"]:
            for place in said or DEPOTS:
                found += rates(session, wishes["category"], place, day, days)
    return sorted(found)


def about(
    fits: Callable[[Session, Record, Record], bool], *, status: str = "upcoming"
) -> Propose:
    """Draws a request about a booking that its category describes, and that fits with its customer: (session, customer, booking)."""

    def propose(
        session: Session, rng: random.Random, people: Sequence[str]
    ) -> Proposal | None:
        found = somebody(
            session,
            rng,
            people,
            lambda customer: [
                row
                for row in described(session, customer, status)
                if fits(session, customer, row)
            ],
        )
        if found is None:
            return None
        customer, row = found
        return proposal(customer, rng, {"category": row["category"]}, "wish")

    return propose
