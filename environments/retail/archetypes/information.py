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
from environments.core.query import Aggregate, Arithmetic, Query, Selection, Tell, ref
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

# --- I1: how many versions -----------------------------------------------------------------------------------------------------------------


def _count_versions(facts: Facts, *, other: bool = True) -> Query:
    in_store = in_stock("version")
    versions = (
        other_variant("item", in_store, name="version")
        if other
        else Selection(
            name="version", relation="variants", of=ref("item"), where=in_store
        )
    )
    count = Aggregate(op="count", over=versions, value=ref("version.item_id"))
    return request(
        facts,
        item_in("delivered"),
        Tell(what="number of other versions in stock", value=count),
    )


def _fit_thing(session: Session, user: Record, rng: random.Random) -> Proposal | None:
    found = describe(session, user, "delivered", rng)
    if found is None or len(others_in_stock(session, line_called(*found))) < 2:
        return None
    return proposal_for(user, rng, {"product": found[1]}, "wish")


I1 = Archetype(
    "I1",
    "How many other versions of a thing are in stock",
    TaskClass.INFORMATION,
    whoever(_fit_thing),
    _count_versions,
    (
        Clause(
            "wish",
            (
                "How many other versions of the {product} that was delivered to me do you have in stock?",
                "[I'd like|I want] to know how many versions other than mine you have in stock of the {product} I received.",
                "[Please count|Count] for me the other versions in stock of the {product} from my delivered order.",
                "Of the {product} in my delivered order, how many other versions can be had right now?",
            ),
            opens=True,
        ),
    ),
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
