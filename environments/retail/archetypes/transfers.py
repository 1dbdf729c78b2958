"""Requests with which only a person can help, as far as what is read says so."""

import random

from environments.core.domain import Archetype, Clause, Facts, Proposal, TaskClass
from environments.core.query import Branch, Query, Transfer, compare, fact, ref
from environments.core.state import Record, Session
from environments.retail.archetypes.draws import (
    describe,
    line_called,
    proposal_for,
    whoever,
)
from environments.retail.archetypes.parts import (
    cancel,
    has_status,
    item_in,
    order_with,
    request,
    return_item,
)
from environments.retail.archetypes.wording import LEXICON, LIMITS, reason, refund

# --- T1: an order that did not come ------------------------------------------------------------------------------------------------------------


def _cancel_or_trace(facts: Facts) -> Query:
    return request(
        facts,
        order_with(""),
        Branch(
            condition=has_status("order", "pending"),
            then=(cancel("order"),),
            otherwise=(Transfer(clause="2.5"),),
        ),
    )


def _fit_missing(session: Session, user: Record, rng: random.Random) -> Proposal | None:
    found = describe(session, user, "", rng)
    if found is None or found[0]["status"] != "delivered":
        return None
    wishes = {"product": found[1], "reason": rng.choice(list(LEXICON["reason"]))}
    return proposal_for(user, rng, wishes, "wish", "branch", "reason")


T1 = Archetype(
    "T1",
    "Trace a parcel that never came",
    TaskClass.TRANSFER,
    whoever(_fit_missing),
    _cancel_or_trace,
    (
        Clause(
            "wish",
            (
                "My order with the {product} has never come.",
                "I am still waiting for the order with the {product}.",
                "The order in which I bought the {product} has not arrived here.",
                "Nobody has brought me the order with the {product} so far.",
            ),
            opens=True,
        ),
        Clause(
            "branch",
            (
                "If the order with the {product} is still pending, cancel that order. If not, have the parcel traced by the carrier.",
                "Cancel the order with the {product} if that is still possible, and otherwise have the carrier search for the parcel.",
            ),
        ),
        reason("the order with the {product}"),
    ),
    existential=True,
)


# --- T2: a repair ------------------------------------------------------------------------------------------------------------------------------------


def _return_or_repair(facts: Facts) -> Query:
    cheap = compare(ref("item.price"), "lt", fact("limit"))
    return request(
        facts,
        item_in("delivered"),
        Branch(
            condition=cheap,
            then=(return_item(),),
            otherwise=(Transfer(clause="2.5"),),
        ),
    )


def _fit_repair(session: Session, user: Record, rng: random.Random) -> Proposal | None:
    """The thing cost more than the customer says, by at least $5 and not by very much."""
    found = describe(session, user, "delivered", rng)
    if found is None:
        return None
    price = line_called(*found)["price"]
    limits = [limit for limit in LIMITS if limit + 5 <= price]
    if not limits:
        return None
    wishes = {"product": found[1], "limit": limits[-1]}
    return proposal_for(user, rng, wishes, "wish", "branch", "refund")


T2 = Archetype(
    "T2",
    "Have a thing repaired",
    TaskClass.TRANSFER,
    whoever(_fit_repair),
    _return_or_repair,
    (
        Clause(
            "wish",
            (
                "The {product} that was delivered to me has stopped working.",
                "There is a defect in the {product} I received.",
                "The {product} from my delivered order is broken.",
                "Something is wrong with the {product} you delivered, which no longer works.",
            ),
            opens=True,
        ),
        Clause(
            "branch",
            (
                "If I paid less than {limit} for the {product}, take the {product} back. If not, I want the {product} repaired.",
                "Take the {product} back in case the price was under {limit}, and otherwise arrange a repair of the {product}.",
            ),
        ),
        refund("a returned {product}"),
    ),
    existential=True,
)
