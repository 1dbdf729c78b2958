"""Changes of orders that are still pending."""

import random
from collections.abc import Sequence
from itertools import combinations

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
    Collect,
    Condition,
    Decline,
    Each,
    Key,
    Query,
    Selection,
    The,
    compare,
    const,
    fact,
    ref,
)
from environments.core.state import Record, Session
from environments.retail.archetypes.draws import (
    SOUNDS_LIKE,
    describe,
    draw_source,
    gift_card_of,
    line_called,
    orders_of,
    others_in_stock,
    product_names,
    proposal_for,
    repayable,
    single_sources,
    whoever,
)
from environments.retail.archetypes.parts import (
    IN_STOCK,
    best,
    cancel,
    has_status,
    holds_product,
    item_in,
    modify_items,
    modify_one,
    order_with,
    orders_where,
    other_variant,
    pay_branch,
    request,
    the_method,
)
from environments.retail.archetypes.wording import (
    EXTRAS,
    IN_TOTAL,
    LEXICON,
    PENDING_ONLY,
    pay,
    reason,
)

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


def _fit_largest(session: Session, user: Record, rng: random.Random) -> Proposal | None:
    if len(user["orders"]) < 3 or len(orders_of(session, user, "pending")) < 2:
        return None
    wishes = {"reason": rng.choice(list(LEXICON["reason"]))}
    return proposal_for(user, rng, wishes, "wish", "total", "reason")


R6 = Archetype(
    "R6",
    "Cancel the largest pending order",
    TaskClass.READ_HEAVY,
    whoever(_fit_largest),
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
        PENDING_ONLY,
        reason("my largest pending order"),
    ),
    lambda facts: [
        Reading("largest by number of things", _cancel_longest(facts), "total"),
        Reading(
            "an order with modified items is pending, too",
            _cancel_largest(facts, statuses=SOUNDS_LIKE["pending"]),
            "strict",
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


def _fit_gift_card(
    session: Session, user: Record, rng: random.Random
) -> Proposal | None:
    """A gift card and another way to pay, neither of which pays the order by now."""
    others = [source for source in single_sources(user) if source != "gift_card"]
    if gift_card_of(user) is None or not others:
        return None
    fallback = rng.choice(others)
    found = describe(session, user, "pending", rng)
    if found is None or found[0] not in repayable(session, user, fallback):
        return None
    wishes = {"product": found[1], "fallback": fallback}
    return proposal_for(user, rng, wishes, "wish", "branch")


R10 = Archetype(
    "R10",
    "Pay with the gift card if it covers the order, else another way",
    TaskClass.READ_HEAVY,
    whoever(_fit_gift_card, 300),
    _gift_card_if,
    (
        Clause(
            "wish",
            (
                "[I'd like|I want] to change how I pay for my pending order with the {product}.",
                "[Can|Could] you change the payment of the pending order that has the {product} in it?",
                "[I need|I'd like] another payment method on the pending order with the {product}.",
                "The pending order with the {product} should be paid in another way.",
            ),
            opens=True,
        ),
        Clause(
            "branch",
            (
                "For the order with the {product}, [use|take] my gift card if it covers the whole [amount|total], otherwise {fallback}.",
                "If my gift card is enough for all of the order with the {product}, use that; if not, use {fallback}.",
                "Should my gift card cover the full amount of the order with the {product}, take the card, and otherwise take {fallback}.",
                "Pay the order with the {product} with my gift card if the balance is enough for the full amount; if not, with {fallback}.",
            ),
        ),
    ),
    existential=True,
)


# --- R3: every item of an order, each for the dearest within a limit ------------------------------------------------------------------


def _upgrade_all(facts: Facts, *, stock: bool = True) -> Query:
    limit = Arithmetic(op="+", left=ref("item.price"), right=fact("extra"))
    within = compare(ref("new.price"), "le", limit)
    available: list[Condition] = [IN_STOCK] if stock else []
    items = Selection(name="item", relation="items", of=ref("order"))
    new = best(other_variant("item", *available, within), dearest=True)
    return request(
        facts,
        order_with("pending"),
        Each(selection=items, steps=(new,)),
        the_method("method", fact("payment")),
        modify_items(
            Collect(each="item", value=ref("item.item_id")),
            Collect(each="item", value=ref("new.item_id")),
        ),
    )


def _fit_upgrade_all(
    session: Session, user: Record, rng: random.Random
) -> Proposal | None:
    """For each item the limit lies strictly between the prices of two versions, with a choice below it."""
    found, source = describe(session, user, "pending", rng), draw_source(user, rng)
    if found is None or source is None:
        return None
    lines = found[0]["items"]
    names = product_names(found[0])
    if not 2 <= len(lines) <= 4 or len(set(names)) < len(names):
        return None
    rises = [
        [new["price"] - line["price"] for new in others_in_stock(session, line)]
        for line in lines
    ]
    limits = [limit for limit in EXTRAS if all(_between(limit, r) for r in rises)]
    if not limits:
        return None
    wishes = {"product": found[1], "extra": rng.choice(limits), "payment": source}
    return proposal_for(user, rng, wishes, "wish", "target", "sequence", "pay")


def _between(limit: float, rises: Sequence[float]) -> bool:
    apart = min((abs(limit - rise) for rise in rises), default=0.0)
    return apart >= 0.5 and 2 <= sum(rise < limit for rise in rises) < len(rises)


R3 = Archetype(
    "R3",
    "Change every item of a pending order to the dearest version within a limit",
    TaskClass.READ_HEAVY,
    whoever(_fit_upgrade_all, 200),
    _upgrade_all,
    (
        Clause(
            "wish",
            (
                "[I'd like|I want] better versions of everything in my pending order with the {product}.",
                "[Please upgrade|Upgrade] each item in my pending order that has the {product} in it.",
                "Everything in the pending order with the {product} should become a better version.",
                "[Can|Could] you upgrade all items of my pending order with the {product}?",
            ),
            opens=True,
        ),
        Clause(
            "target",
            (
                "For each item in the order with the {product}, take the most expensive other version in stock that costs at most {extra} more than what I ordered.",
                "Each item in the order with the {product} should become the dearest other version in stock, as long as that one costs no more than {extra} above the present one.",
                "No item in the order with the {product} may get more than {extra} dearer, and within that I want the most expensive other version in stock of each.",
            ),
        ),
        Clause(
            "sequence",
            (
                "Go through the items of the order with the {product} in the sequence in which they are listed.",
                "Please name the items in the same sequence as the order with the {product} lists them.",
            ),
        ),
        pay("all items of the order with the {product}"),
    ),
    lambda facts: [
        Reading(
            "sold-out versions count too", _upgrade_all(facts, stock=False), "target"
        )
    ],
    existential=True,
)


# --- R22: the dearest version there is ------------------------------------------------------------------------------------------------


def _dearest_version(facts: Facts, *, stock: bool = True) -> Query:
    conditions: list[Condition] = [IN_STOCK] if stock else []
    return request(
        facts,
        item_in("pending"),
        best(other_variant("item", *conditions), dearest=True),
        the_method("method", fact("payment")),
        modify_one(),
    )


def _fit_dearest_version(
    session: Session, user: Record, rng: random.Random
) -> Proposal | None:
    """What was ordered is not the dearest version anyway."""
    found, source = describe(session, user, "pending", rng), draw_source(user, rng)
    if found is None or source is None:
        return None
    line = line_called(*found)
    others = others_in_stock(session, line)
    if len(others) < 2 or others[-1]["price"] <= line["price"]:
        return None
    wishes = {"product": found[1], "payment": source}
    return proposal_for(user, rng, wishes, "wish", "target", "pay")


R22 = Archetype(
    "R22",
    "Change one thing in a pending order to the dearest version in stock",
    TaskClass.READ_HEAVY,
    whoever(_fit_dearest_version),
    _dearest_version,
    (
        Clause(
            "wish",
            (
                "[I'd like|I want] to upgrade the {product} in my pending order.",
                "[Please upgrade|Upgrade] the {product} that is in one of my pending orders.",
                "The {product} in my pending order should become a better one.",
                "[Can|Could] you change the options of the {product} in a pending order of mine?",
            ),
            opens=True,
        ),
        Clause(
            "target",
            (
                "Only the best is good enough for the {product}, which means all options as in the most expensive other version in stock.",
                "Give the {product} the options of the most expensive other version that you have in stock.",
                "The {product} should have just the options of the dearest other version in stock.",
            ),
        ),
        pay("the {product}"),
    ),
    lambda facts: [
        Reading(
            "sold-out versions count too",
            _dearest_version(facts, stock=False),
            "target",
        )
    ],
    existential=True,
)


# --- R9: the order that has both -------------------------------------------------------------------------------------------------------


def _cancel_both(facts: Facts) -> Query:
    both = orders_where(
        "order",
        holds_product("order", "product"),
        holds_product("order", "other_product", line="order_other_line"),
    )
    return request(
        facts,
        The(selection=both),
        Branch(
            condition=has_status("order", "pending"),
            then=(cancel("order"),),
            otherwise=(Decline(clause="4.1"),),
        ),
    )


def _fit_both(session: Session, user: Record, rng: random.Random) -> Proposal | None:
    """Neither of the two things tells the order by itself, or at least one of them does not."""
    orders = orders_of(session, user)
    held = [set(product_names(order)) for order in orders]
    pairs = [
        (first, second)
        for order, names in zip(orders, held, strict=True)
        for first, second in combinations(sorted(names), 2)
        if order["status"] == "pending"
        and sum({first, second} <= other for other in held) == 1
        and (
            sum(first in other for other in held) > 1
            or sum(second in other for other in held) > 1
        )
    ]
    if not pairs:
        return None
    pair = list(rng.choice(pairs))
    rng.shuffle(pair)
    wishes = {
        "product": pair[0],
        "other_product": pair[1],
        "reason": rng.choice(list(LEXICON["reason"])),
    }
    return proposal_for(user, rng, wishes, "wish", "reason")


R9 = Archetype(
    "R9",
    "Cancel the order that has both of two things",
    TaskClass.READ_HEAVY,
    whoever(_fit_both, 300),
    _cancel_both,
    (
        Clause(
            "wish",
            (
                "[Please cancel|I want to cancel] the order in which I bought both the {product} and the {other_product}.",
                "I have more than one order with such things, and the one that has the {product} as well as the {other_product} should be cancelled.",
                "[Can|Could] you cancel the one order of mine in which both the {product} and the {other_product} are?",
                "The order that contains the {product} and also the {other_product} has to be cancelled.",
            ),
            opens=True,
        ),
        reason("the order with both the {product} and the {other_product}"),
    ),
    existential=True,
)
