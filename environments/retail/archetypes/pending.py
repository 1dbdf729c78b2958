"""Changes of orders that are still pending."""

import random
from collections.abc import Sequence

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
    Best,
    Key,
    Query,
    Selection,
    The,
    const,
    fact,
    ref,
)
from environments.core.state import Session
from environments.retail.archetypes.parts import (
    SOUNDS_LIKE,
    cancel,
    describe,
    draw_payer,
    has_status,
    holds_product,
    orders_where,
    pay_branch,
    proposal_for,
    propose_scan,
    repayable,
    request,
    the_method,
)
from environments.retail.archetypes.wording import IN_TOTAL, REASON

# --- R6: cancel the largest pending order -------------------------------------------------------------------------------------------


def _cancel_largest(facts: Facts, *, statuses: tuple[str, ...] = ("pending",)) -> Query:
    return request(
        facts,
        Best(
            selection=orders_where("order", has_status("order", *statuses)),
            objective=(
                Key(value=ref("order.payment_history.0.amount"), direction="desc"),
            ),
        ),
        cancel("order"),
    )


def _cancel_longest(facts: Facts) -> Query:
    count = Aggregate(
        op="count",
        over=Selection(name="line", relation="items", of=ref("order")),
        value=ref("line.item_id"),
    )
    return request(
        facts,
        Best(
            selection=orders_where("order", has_status("order", "pending")),
            objective=(Key(value=count, direction="desc"),),
        ),
        cancel("order"),
    )


R6 = Archetype(
    "R6",
    "Cancel the largest pending order",
    TaskClass.READ_HEAVY,
    propose_scan(3, "pending"),
    _cancel_largest,
    (
        Clause(
            "wish",
            (
                "[I'd like|I want|I need] to cancel the largest of my pending orders.",
                "Please cancel my largest order that is still pending.",
                "Could you cancel my largest order that is still pending?",
                "Among my pending orders, the largest one [should be cancelled|has to go].",
            ),
            opens=True,
        ),
        IN_TOTAL,
        REASON,
    ),
    lambda facts: [
        Reading("largest by number of things", _cancel_longest(facts), "total"),
        Reading(
            "an order with modified items is pending, too",
            _cancel_largest(facts, statuses=SOUNDS_LIKE["pending"]),
            "",
        ),
    ],
)


# --- R10: gift card if it covers the order --------------------------------------------------------------------------------------------


def _gift_card_if(facts: Facts) -> Query:
    return request(
        facts,
        The(
            selection=orders_where(
                "order",
                has_status("order", "pending"),
                holds_product("order", "product"),
            )
        ),
        the_method("card", const("gift_card")),
        the_method("other", fact("fallback")),
        pay_branch("order", "card"),
    )


def _propose_gift_card(
    session: Session, rng: random.Random, people: Sequence[str]
) -> Proposal | None:
    drawn = draw_payer(session, rng, people, 1)
    if drawn is None:
        return None
    user, fallback = drawn
    described = describe(session, user, "pending", rng)
    if described is None or described[0] not in repayable(session, user, fallback):
        return None
    return proposal_for(
        user, rng, {"product": described[1], "fallback": fallback}, "wish", "branch"
    )


R10 = Archetype(
    "R10",
    "Pay with the gift card if it covers the order, else another way",
    TaskClass.READ_HEAVY,
    _propose_gift_card,
    _gift_card_if,
    (
        Clause(
            "wish",
            (
                "[I'd like|I want] to change how I pay for my pending order with the {product}.",
                "[Can|Could] you change the payment of the pending order that has the {product} in it?",
                "[I need|I'd like] another payment method on the pending order with the {product}.",
            ),
            opens=True,
        ),
        Clause(
            "branch",
            (
                "[Use|Take] my gift card if it covers the whole [amount|total], otherwise {fallback}.",
                "If the gift card is enough for all of it, use that; if not, use {fallback}.",
                "Should my gift card cover the full amount, take it, and if it doesn't, take {fallback}.",
                "If my gift card is enough for the full amount, take it; if it isn't, take {fallback}.",
            ),
        ),
    ),
    existential=True,
)
