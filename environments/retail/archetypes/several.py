"""Requests for several writes, some of which depend on earlier ones."""

import random

from environments.core.domain import (
    Archetype,
    Clause,
    Facts,
    Proposal,
    TaskClass,
)
from environments.core.query import (
    Best,
    Key,
    ListOf,
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
    gift_card_of,
    new_address,
    proposal_for,
    repayable,
    single_sources,
    two_described,
    whoever,
)
from environments.retail.archetypes.parts import (
    IN_STOCK,
    ORIGINAL_METHOD,
    address_arguments,
    cancel,
    has_status,
    holds_product,
    item_in,
    orders_where,
    other_variant,
    pay_branch,
    repay,
    request,
    return_item,
    the_method,
)
from environments.retail.archetypes.wording import reason, refund

# --- W1: moved house: default address, address of a pending order, cancel another --------------------------------------------------------


def _moved(facts: Facts) -> Query:
    home = {"user_id": ref("account.user_id"), **address_arguments()}
    there = {"order_id": ref("first.order_id"), **address_arguments()}
    return request(
        facts,
        The(
            selection=orders_where(
                "first",
                has_status("first", "pending"),
                holds_product("first", "product"),
            )
        ),
        The(
            selection=orders_where(
                "second",
                has_status("second", "pending"),
                holds_product("second", "other_product"),
            )
        ),
        Write(tool="modify_user_address", arguments=home),
        Write(tool="modify_pending_order_address", arguments=there),
        cancel("second"),
    )


def _fit_moved(session: Session, user: Record, rng: random.Random) -> Proposal | None:
    """With fewer orders than four, what is in the two that are meant could be told from what is not in the others."""
    pair = two_described(session, user, rng)
    if pair is None or len(user["orders"]) < 4:
        return None
    reason = rng.choice(["no longer needed", "ordered by mistake"])
    address = {
        name: value for name, value in new_address(rng).items() if name != "country"
    }
    wishes = {
        "product": pair[0][1],
        "other_product": pair[1][1],
        "reason": reason,
        **address,
    }
    return proposal_for(user, rng, wishes, "wish", "home", "there", "cancel", "reason")


W1 = Archetype(
    "W1",
    "Moved: new default address, new address of one order, another cancelled",
    TaskClass.WRITE_INTENSIVE,
    whoever(_fit_moved),
    _moved,
    (
        Clause(
            "wish",
            (
                "I've [|just |recently ]moved and need a few things changed.",
                "I'm moving[| soon], so a few things have to change.",
                "I have a new address[| now], and some orders to sort out.",
                "[Can|Could] you help me with what has to change now that I have moved?",
            ),
            opens=True,
        ),
        Clause(
            "home",
            (
                "My new default address is {address1}, {address2}, {city}, {state} {new_zip}, USA.",
                "Please make {address1}, {address2}, {city}, {state} {new_zip}, USA my default address.",
            ),
        ),
        Clause(
            "there",
            (
                "The pending order with the {product} should [go|be sent] there too.",
                "[Please send|Send] the pending order with the {product} to the new address as well.",
            ),
        ),
        Clause(
            "cancel",
            (
                "And [|please ]cancel my pending order with the {other_product}.",
                "My pending order with the {other_product} [can be|should be] cancelled.",
            ),
        ),
        reason("the order with the {other_product}"),
    ),
    existential=True,
)


# --- W2: return one thing, cancel an order ---------------------------------------------------------------------------------------------------


def _return_and_cancel(facts: Facts) -> Query:
    return request(
        facts,
        item_in("delivered"),
        The(
            selection=orders_where(
                "second",
                has_status("second", "pending"),
                holds_product("second", "other_product"),
            )
        ),
        return_item(ORIGINAL_METHOD),
        cancel("second"),
    )


def _fit_return_and_cancel(
    session: Session, user: Record, rng: random.Random
) -> Proposal | None:
    """Of two orders, each could be told from the other."""
    delivered = describe(session, user, "delivered", rng)
    pending = describe(session, user, "pending", rng)
    if delivered is None or pending is None or len(user["orders"]) < 3:
        return None
    reason = rng.choice(["no longer needed", "ordered by mistake"])
    wishes = {"product": delivered[1], "other_product": pending[1], "reason": reason}
    return proposal_for(user, rng, wishes, "wish", "refund", "cancel", "reason")


W2 = Archetype(
    "W2",
    "Return one thing and cancel another order",
    TaskClass.WRITE_INTENSIVE,
    whoever(_fit_return_and_cancel),
    _return_and_cancel,
    (
        Clause(
            "wish",
            (
                "[I'd like|I want] to send back the {product} [that was delivered|I received].",
                "[I'd like|I want] to return the {product} from a delivered order.",
                "The {product} from a delivered order goes back, and another order should go as well.",
                "[Can|Could] you take back the {product} that I received, and do one more thing?",
            ),
            opens=True,
        ),
        refund("the {product}"),
        Clause(
            "cancel",
            (
                "[Also|Besides], [|please ]cancel my pending order with the {other_product}.",
                "And the pending order that has the {other_product} in it should be cancelled.",
            ),
        ),
        reason("the order with the {other_product}"),
    ),
    existential=True,
)


# --- W3: a new payment method before the one change of items locks the order ------------------------------------------------------------


def _repay_and_swap(facts: Facts, *, items_first: bool = False) -> Query:
    swap = Write(
        tool="modify_pending_order_items",
        arguments={
            "order_id": ref("order.order_id"),
            "item_ids": ListOf(values=(ref("item.item_id"),)),
            "new_item_ids": ListOf(values=(ref("new.item_id"),)),
            "payment_method_id": ref("method.id"),
        },
    )
    writes = [repay("order", "method"), swap]
    return request(
        facts,
        item_in("pending"),
        Best(
            selection=other_variant("item", IN_STOCK),
            objective=(Key(value=ref("new.price")),),
        ),
        the_method("method", fact("payment")),
        *(reversed(writes) if items_first else writes),
    )


def _fit_repay_and_swap(
    session: Session, user: Record, rng: random.Random
) -> Proposal | None:
    described = describe(session, user, "pending", rng)
    if described is None:
        return None
    order, product = described
    paid = order["payment_history"][0]["payment_method_id"]
    others = [
        method["source"]
        for key, method in user["payment_methods"].items()
        if key != paid and method["source"] in single_sources(user)
    ]
    if not others:
        return None
    return proposal_for(
        user,
        rng,
        {"product": product, "payment": rng.choice(others)},
        "wish",
        "target",
        "also",
    )


W3 = Archetype(
    "W3",
    "Change an item and the payment of one order, in the order that works",
    TaskClass.WRITE_INTENSIVE,
    whoever(_fit_repay_and_swap),
    _repay_and_swap,
    (
        Clause(
            "wish",
            (
                "[I'd like|I want] another version of the {product} in my pending order.",
                "[Can|Could] you replace the {product} in a pending order of mine with another version?",
                "The {product} in my pending order should be another version.",
                "[Please swap|Swap] the {product} in a pending order of mine for another version.",
            ),
            opens=True,
        ),
        Clause(
            "target",
            (
                "[Take|I want] the cheapest other version of the {product} [in stock|that is in stock].",
                "For the {product}, it should be the cheapest of the other versions in stock.",
            ),
        ),
        Clause(
            "also",
            (
                "Also, move the payment of that whole order to {payment}, and settle the price difference there too.",
                "And that whole order should be paid with {payment}, the difference in price included.",
            ),
        ),
    ),
    existential=True,
    dependent=True,
    permuted=lambda facts: [_repay_and_swap(facts, items_first=True)],
)


# --- W4: two orders, one gift card: the second payment depends on what the first left ------------------------------------------------------


def _both_by_card(
    facts: Facts, *, first: str = "product", second: str = "other_product"
) -> Query:
    after = Selection(name="profile_after", relation="profile", of=ref("account"))
    card_after = Selection(
        name="card_after",
        relation="methods",
        of=ref("profile_after"),
        where=compare(ref("card_after.source"), "eq", const("gift_card")),
    )
    return request(
        facts,
        The(
            selection=orders_where(
                "first", has_status("first", "pending"), holds_product("first", first)
            )
        ),
        The(
            selection=orders_where(
                "second",
                has_status("second", "pending"),
                holds_product("second", second),
            )
        ),
        the_method("card", const("gift_card")),
        the_method("other", fact("fallback")),
        pay_branch("first", "card"),
        The(selection=after),
        The(selection=card_after),
        pay_branch("second", "card_after"),
    )


def _fit_both_by_card(
    session: Session, user: Record, rng: random.Random
) -> Proposal | None:
    """The gift card covers either of the orders, and what one leaves of it does not cover the other."""
    card = gift_card_of(user)
    others = [source for source in single_sources(user) if source != "gift_card"]
    if card is None or not others:
        return None
    fallback = rng.choice(others)
    pair = two_described(session, user, rng)
    payable = repayable(session, user, fallback)
    if pair is None or any(order not in payable for order, _ in pair):
        return None
    first, second = (order["payment_history"][0]["amount"] for order, _ in pair)
    if not max(first, second) < card["balance"] < first + second:
        return None
    wishes = {"product": pair[0][1], "other_product": pair[1][1], "fallback": fallback}
    return proposal_for(user, rng, wishes, "wish", "first", "second")


W4 = Archetype(
    "W4",
    "Pay two orders with one gift card as far as it goes",
    TaskClass.WRITE_INTENSIVE,
    whoever(_fit_both_by_card, 300),
    _both_by_card,
    (
        Clause(
            "wish",
            (
                "[I'd like|I want] to pay for two of my pending orders differently.",
                "[Can|Could] you change the payment of two pending orders of mine?",
                "[Please move|Move] two of my pending orders to other payment methods.",
                "Two pending orders of mine should be paid in another way.",
            ),
            opens=True,
        ),
        Clause(
            "first",
            (
                "First the one with the {product}: use my gift card if it covers all of it, otherwise {fallback}.",
                "Start with the order that has the {product}: gift card if that is enough for the total, else {fallback}.",
            ),
        ),
        Clause(
            "second",
            (
                "Then the same for the one with the {other_product}, with what is left on the gift card.",
                "After that do the same with the order that has the {other_product}, going by what is left on the gift card.",
            ),
        ),
    ),
    existential=True,
    dependent=True,
    permuted=lambda facts: [
        _both_by_card(facts, first="other_product", second="product")
    ],
)
