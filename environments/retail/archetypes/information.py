"""Requests to be told something; nothing is written."""

import random

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
    all_of,
    compare,
    ref,
)
from environments.core.state import Record, Session
from environments.retail.archetypes.draws import (
    SOUNDS_LIKE,
    describe,
    line_called,
    orders_of,
    others_in_stock,
    proposal_for,
    whoever,
)
from environments.retail.archetypes.parts import (
    has_status,
    in_stock,
    item_in,
    orders_where,
    other_variant,
    request,
)
from environments.retail.archetypes.wording import DELIVERED_ONLY

# --- I1: how many cheaper versions ---------------------------------------------------------------------------------------------------------


def _count_cheaper(facts: Facts, *, stock: bool = True) -> Query:
    cheaper = compare(ref("version.price"), "lt", ref("item.price"))
    available = [in_stock("version")] if stock else []
    versions = Selection(
        name="version",
        relation="variants",
        of=ref("item"),
        where=all_of(*available, cheaper),
    )
    count = Aggregate(op="count", over=versions, value=ref("version.item_id"))
    return request(
        facts,
        item_in("delivered"),
        Tell(what="number of cheaper versions in stock", value=count),
    )


def _fit_cheaper(session: Session, user: Record, rng: random.Random) -> Proposal | None:
    """Some versions in stock cost less than what was paid, and some more."""
    found = describe(session, user, "delivered", rng)
    if found is None:
        return None
    line = line_called(*found)
    cheaper = [new["price"] < line["price"] for new in others_in_stock(session, line)]
    if not 0 < sum(cheaper) < len(cheaper):
        return None
    return proposal_for(user, rng, {"product": found[1]}, "wish")


I1 = Archetype(
    "I1",
    "How many versions of a thing in stock cost less than was paid",
    TaskClass.INFORMATION,
    whoever(_fit_cheaper),
    _count_cheaper,
    (
        Clause(
            "wish",
            (
                "How many versions of the {product} delivered to me do you have in stock for less than I paid?",
                "[I'd like|I want] to know how many versions in stock of the {product} I received cost less than mine did.",
                "[Please count|Count] the versions in stock of the {product} from my delivered order that are cheaper than what I paid.",
                "Of the {product} in my delivered order, how many versions in stock cost less than I was charged?",
            ),
            opens=True,
        ),
    ),
    lambda facts: [
        Reading(
            "sold-out versions count too", _count_cheaper(facts, stock=False), "wish"
        )
    ],
    existential=True,
)


# --- I2: what was paid -----------------------------------------------------------------------------------------------------------------------


def _total_paid(facts: Facts, *, statuses: tuple[str, ...] = ("delivered",)) -> Query:
    paid = Aggregate(
        op="sum",
        over=orders_where("order", has_status("order", *statuses)),
        value=ref("order.payment_history.0.amount"),
    )
    return request(facts, Tell(what="total paid for delivered orders", value=paid))


def _fit_orders(session: Session, user: Record, rng: random.Random) -> Proposal | None:
    """Several delivered orders, each with a single payment, among several orders."""
    delivered = orders_of(session, user, "delivered")
    if len(user["orders"]) < 3 or len(delivered) < 2:
        return None
    if any(len(order["payment_history"]) > 1 for order in delivered):
        return None
    return proposal_for(user, rng, {}, "wish")


I2 = Archetype(
    "I2",
    "What was paid for all delivered orders",
    TaskClass.INFORMATION,
    whoever(_fit_orders),
    _total_paid,
    (
        Clause(
            "wish",
            (
                "How much have I paid in total for my delivered orders?",
                "[I'd like|I want] to know what all my delivered orders cost me together.",
                "[Please add|Add] up for me what I paid for the orders that were delivered.",
                "What do my delivered orders come to, all in all?",
            ),
            opens=True,
        ),
        DELIVERED_ONLY,
    ),
    lambda facts: [
        Reading(
            "what is on its way back was delivered, too",
            _total_paid(facts, statuses=SOUNDS_LIKE["delivered"]),
            "strict",
        ),
    ],
)


# --- I3: what the best version would cost more --------------------------------------------------------------------------------------------------


def _rise_to_best(facts: Facts, *, stock: bool = True) -> Query:
    available = [in_stock("top")] if stock else []
    top = Aggregate(
        op="max",
        over=other_variant("item", *available, name="top"),
        value=ref("top.price"),
    )
    rise = Arithmetic(op="-", left=top, right=ref("item.price"))
    return request(
        facts,
        item_in("delivered"),
        Tell(what="price difference to the most expensive other version", value=rise),
    )


def _fit_rise(session: Session, user: Record, rng: random.Random) -> Proposal | None:
    found = describe(session, user, "delivered", rng)
    if found is None:
        return None
    line = line_called(*found)
    others = others_in_stock(session, line)
    if len(others) < 2 or others[-1]["price"] <= line["price"]:
        return None
    return proposal_for(user, rng, {"product": found[1]}, "wish", "stock")


I3 = Archetype(
    "I3",
    "What the most expensive version would cost more than a thing",
    TaskClass.INFORMATION,
    whoever(_fit_rise),
    _rise_to_best,
    (
        Clause(
            "wish",
            (
                "How much more than I paid for the {product} delivered to me does the most expensive other version cost?",
                "[I'd like|I want] to know the price difference between the {product} I received and the dearest other version.",
                "[Please compare|Compare] what I paid for the {product} in my delivered order with the price of the most expensive other version.",
                "What would I have to add to the price of the {product} I received to get the most expensive other version?",
            ),
            opens=True,
        ),
        Clause(
            "stock",
            (
                "Only versions of the {product} that are in stock count for that comparison.",
                "For that comparison leave out versions of the {product} that are sold out.",
            ),
        ),
    ),
    lambda facts: [
        Reading(
            "sold-out versions count too", _rise_to_best(facts, stock=False), "stock"
        )
    ],
    existential=True,
)
