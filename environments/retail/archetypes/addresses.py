"""Where orders go, and where the customer lives."""

import random
from collections import Counter

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
    Branch,
    Decline,
    Key,
    Query,
    Selection,
    The,
    Write,
    compare,
    const,
    fact,
    ref,
)
from environments.core.state import Record, Session
from environments.retail.archetypes.draws import (
    describe,
    orders_of,
    proposal_for,
    whoever,
)
from environments.retail.archetypes.parts import (
    address_of,
    best,
    has_status,
    order_with,
    orders_where,
    readdress,
    request,
)

# --- R11: to the address of another order --------------------------------------------------------------------------------------------


def _send_there(facts: Facts) -> Query:
    in_city = compare(ref("model.address.city"), "eq", fact("city"))
    return request(
        facts,
        order_with(""),
        The(selection=orders_where("model", in_city)),
        Branch(
            condition=has_status("order", "pending"),
            then=(readdress("order", address_of("model")),),
            otherwise=(Decline(clause="5.1"),),
        ),
    )


def _fit_send_there(
    session: Session, user: Record, rng: random.Random
) -> Proposal | None:
    """One order alone went to the city, and neither the pending order nor the customer's default address is there."""
    orders = orders_of(session, user)
    if len(orders) < 2:
        return None
    found = describe(session, user, "", rng)
    if found is None or found[0]["status"] != "pending":
        return None
    cities = [order["address"]["city"] for order in orders]
    here = {found[0]["address"]["city"], user["address"]["city"]}
    single = [city for city in cities if cities.count(city) == 1 and city not in here]
    if not single:
        return None
    wishes = {"product": found[1], "city": rng.choice(single)}
    return proposal_for(user, rng, wishes, "wish", "there")


R11 = Archetype(
    "R11",
    "Send a pending order to the address of another order",
    TaskClass.READ_HEAVY,
    whoever(_fit_send_there, 300),
    _send_there,
    (
        Clause(
            "wish",
            (
                "[I'd like|I want] my order with the {product} to go to an address that you know already.",
                "[Please change|Change] where you send the order that has the {product} in it, to an address from another order.",
                "The order with the {product} should be sent to where another order went.",
                "[Can|Could] you send my order with the {product} to the address of another order?",
            ),
            opens=True,
        ),
        Clause(
            "there",
            (
                "Send the order with the {product} to the address that I used for my order to {city}.",
                "For the order with the {product}, take the address of the one order of mine that went to {city}.",
                "The right address for the order with the {product} is the one from my order that was sent to {city}.",
            ),
        ),
    ),
    existential=True,
)


# --- R12: the most used address becomes the default ----------------------------------------------------------------------------------------


def _most_used(facts: Facts, *, cancelled: bool = True) -> Query:
    same = compare(ref("sent.address"), "eq", ref("place.address"))
    counted = compare(ref("sent.status"), "ne", const("cancelled"))
    orders = orders_where("sent", same, *([] if cancelled else [counted]))
    times = Aggregate(op="count", over=orders, value=ref("sent.order_id"))
    places = Selection(name="place", relation="places", of=ref("profile"))
    return request(
        facts,
        best(places, Key(value=times, direction="desc")),
        Write(
            tool="modify_user_address",
            arguments={"user_id": ref("account.user_id"), **address_of("place")},
        ),
    )


def _fit_most_used(
    session: Session, user: Record, rng: random.Random
) -> Proposal | None:
    """One address was used once more often than any other, and is not the default already."""
    used = [order["address"] for order in orders_of(session, user)]
    counts = Counter(tuple(address.values()) for address in used).most_common(2)
    if len(counts) < 2 or counts[0][1] != counts[1][1] + 1:
        return None
    if counts[0][0] == tuple(user["address"].values()):
        return None
    return proposal_for(user, rng, {}, "wish")


R12 = Archetype(
    "R12",
    "Make the address that most orders went to the default",
    TaskClass.READ_HEAVY,
    whoever(_fit_most_used, 300),
    _most_used,
    (
        Clause(
            "wish",
            (
                "[I'd like|I want] the address that I used for most of my orders to be my default address.",
                "[Please make|Make] the shipping address I used most often in my orders the default one in my profile.",
                "My default address should become the one to which I had most of my orders sent.",
                "[Can|Could] you set my default address to the one that most of my orders have?",
            ),
            opens=True,
        ),
        Clause(
            "count",
            (
                "Cancelled orders count for the most used address as well.",
                "To find the most used address, count all of my orders, cancelled ones too.",
            ),
        ),
    ),
    lambda facts: [
        Reading(
            "cancelled orders do not count", _most_used(facts, cancelled=False), "count"
        )
    ],
)
