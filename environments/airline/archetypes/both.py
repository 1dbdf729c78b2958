"""Two writes of which the second depends on what the first left: one gift card for the bags of two trips."""

import random
from typing import Any

from environments.airline.archetypes.booked import (
    add_bags,
    arithmetic,
    first_fit,
    free_for,
    goes,
    is_upcoming,
    method,
    nonfree,
    proposal,
    query,
    route,
    routed,
    the_profile,
    trips,
    two_methods,
)
from environments.airline.archetypes.parts import BAG_PRICE
from environments.core.domain import Archetype, Clause, Facts, Proposal, TaskClass
from environments.core.query import (
    Branch,
    Query,
    Selection,
    Step,
    The,
    compare,
    const,
    fact,
    ref,
)
from environments.core.state import Record, Session

MOST = 6


def _bags_by_gift_card(trip: str, bags: str) -> list[Step]:
    """From the gift card if what is left there covers all of it. Looks at the profile anew."""
    profile, gift = f"{trip}_profile", f"{trip}_gift"
    total = arithmetic("+", ref(f"{trip}.total_baggages"), fact(bags))
    more = arithmetic("-", nonfree(trip, total), ref(f"{trip}.nonfree_baggages"))
    cost = arithmetic("*", const(BAG_PRICE), more)
    where = compare(ref(f"{gift}.source"), "eq", const("gift_card"))
    card = Selection(name=gift, relation="methods", of=ref(profile), where=where)
    return [
        The(
            selection=trips(trip, *goes(trip, f"{trip}_from", f"{trip}_to").conditions)
        ),
        the_profile(profile),
        The(selection=card),
        Branch(
            condition=compare(ref(f"{gift}.amount"), "ge", cost),
            then=(add_bags(trip, fact(bags), gift),),
            otherwise=(add_bags(trip, fact(bags), "card"),),
        ),
    ]


def _two_by_gift_card(facts: Facts, *, turned: bool = False) -> Query:
    one = _bags_by_gift_card("trip", "bags")
    two = _bags_by_gift_card("other", "other_bags")
    steps = [*two, *one] if turned else [*one, *two]
    return query(facts, method("card", const("credit_card")), *steps)


def _cost(user: Record, trip: Record, bags: int) -> int:
    needed = max(0, trip["total_baggages"] + bags - free_for(user, trip))
    more: int = needed - trip["nonfree_baggages"]
    return BAG_PRICE * more


def _fit_two(session: Session, rng: random.Random, user: Record) -> Proposal | None:
    """The gift card is enough for either and not for both, so that the order matters."""
    methods = two_methods(user)
    ahead = [row for row in routed(session, user) if is_upcoming(row)]
    if methods is None or len(ahead) < 2:
        return None
    one, other = rng.sample(ahead, 2)
    balance = methods[0]["amount"]
    counts = range(1, MOST + 1)
    found = [
        (bags, others)
        for bags in counts
        for others in counts
        for costs in [(_cost(user, one, bags), _cost(user, other, others))]
        if min(costs) > 0 and max(costs) < balance < sum(costs)
    ]
    if not found:
        return None
    bags, others = rng.choice(found)
    wishes: dict[str, Any] = {
        **route(one),
        **route(other, "other"),
        "bags": bags,
        "other_bags": others,
    }
    return proposal(user, wishes, "wish", "first", "second", "pay")


W3 = Archetype(
    "W3",
    "Bags for two trips with one gift card as far as it goes",
    TaskClass.WRITE_INTENSIVE,
    first_fit(_fit_two),
    _two_by_gift_card,
    (
        Clause(
            "wish",
            (
                "[I'd like|I want] more luggage on two of my trips.",
                "[Can|Could] you add checked bags to two trips of mine?",
                "Two of my trips need more checked bags.",
                "We're taking more luggage than I thought on two trips.",
            ),
            opens=True,
        ),
        Clause(
            "first",
            (
                "First, {bags} more for the trip from {trip_from} to {trip_to}.",
                "Start with the trip from {trip_from} to {trip_to}: {bags} more.",
            ),
        ),
        Clause(
            "second",
            (
                "Then {other_bags} more for the trip from {other_from} to {other_to}.",
                "After that the trip from {other_from} to {other_to}: {other_bags} more.",
            ),
        ),
        Clause(
            "pay",
            (
                "[For each of the two|Each time], use my gift card if what is left on it covers all the bags of that trip, otherwise my credit card.",
                "My gift card pays for a trip's bags if it still covers all of them; if not, my credit card does.",
            ),
        ),
    ),
    existential=True,
    dependent=True,
    permuted=lambda facts: [_two_by_gift_card(facts, turned=True)],
)

ARCHETYPES = (W3,)
