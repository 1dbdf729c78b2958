"""Requests that take one of two ways, by what is read."""

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
    Branch,
    Query,
    Selection,
    Write,
    compare,
    fact,
    ref,
)
from environments.core.state import Record, Session
from environments.retail.archetypes.draws import (
    SOUNDS_LIKE,
    address_facts,
    describe,
    draw_source,
    line_called,
    orders_of,
    others_in_stock,
    proposal_for,
    whoever,
)
from environments.retail.archetypes.parts import (
    IN_STOCK,
    address_arguments,
    best,
    exchange_one,
    has_status,
    in_stock,
    item_in,
    orders_where,
    other_variant,
    request,
    return_item,
    the_method,
)
from environments.retail.archetypes.wording import (
    DELIVERED_ONLY,
    LEXICON,
    TOTALS,
    pay,
    refund,
)

# --- R20: exchange if enough versions are in stock, else return -----------------------------------------------------------------------


def _swap_or_return(facts: Facts) -> Query:
    others = Aggregate(
        op="count",
        over=other_variant("item", in_stock("version"), name="version"),
        value=ref("version.item_id"),
    )
    return request(
        facts,
        item_in("delivered"),
        Branch(
            condition=compare(others, "gt", fact("count")),
            then=(
                best(other_variant("item", IN_STOCK)),
                the_method("method", fact("payment")),
                exchange_one(),
            ),
            otherwise=(return_item(),),
        ),
    )


def _fit_swap_or_return(
    session: Session, user: Record, rng: random.Random
) -> Proposal | None:
    """Never as many versions as the customer says, so that "more than" and "at least" come to the same."""
    found, source = describe(session, user, "delivered", rng), draw_source(user, rng)
    if found is None or source is None:
        return None
    count = len(others_in_stock(session, line_called(*found)))
    said = count + rng.choice((-2, -1, 1, 2))
    if said not in LEXICON["count"] or (said < count and count < 2):
        return None
    wishes = {"product": found[1], "count": said, "payment": source}
    return proposal_for(user, rng, wishes, "wish", "branch", "pay", "refund")


R20 = Archetype(
    "R20",
    "Exchange one thing if there is enough choice, else return it",
    TaskClass.READ_HEAVY,
    whoever(_fit_swap_or_return),
    _swap_or_return,
    (
        Clause(
            "wish",
            (
                "The {product} that was delivered to me isn't what I need, so either an exchange or a return.",
                "[I'd like|I want] to exchange or else return the {product} from a delivered order, depending on your choice of versions.",
                "Depending on how many versions you have, the {product} I received should be exchanged or returned.",
                "[Can|Could] you exchange the {product} I received, or take it back if there is little choice?",
            ),
            opens=True,
        ),
        Clause(
            "branch",
            (
                "If you have more than {count} other versions of the {product} in stock, exchange mine for the cheapest of these, otherwise return mine.",
                "Exchange the {product} for the cheapest other version in stock, provided that more than {count} other versions are in stock. If not, return the {product}.",
                "With more than {count} other versions of the {product} in stock I take the cheapest of those in exchange. With fewer I return the {product}.",
            ),
        ),
        pay("an exchange of the {product}"),
        refund("a returned {product}"),
    ),
    existential=True,
)


# --- R21: by what the delivered orders come to --------------------------------------------------------------------------------------------


def _by_total(facts: Facts, *, statuses: tuple[str, ...] = ("delivered",)) -> Query:
    paid = Aggregate(
        op="sum",
        over=orders_where("paid", has_status("paid", *statuses)),
        value=ref("paid.payment_history.0.amount"),
    )
    item = Selection(
        name="item",
        relation="items",
        of=orders_where("order", has_status("order", *statuses)),
    )
    move = Write(
        tool="modify_user_address",
        arguments={"user_id": ref("account.user_id"), **address_arguments()},
    )
    return request(
        facts,
        Branch(
            condition=compare(paid, "gt", fact("sum")),
            then=(best(item, dearest=True), return_item()),
            otherwise=(move,),
        ),
    )


def _fit_total(session: Session, user: Record, rng: random.Random) -> Proposal | None:
    """The sum the customer names is near what was paid, and at least $25 away from it."""
    delivered = orders_of(session, user, "delivered")
    if len(delivered) < 2 or any(len(o["payment_history"]) > 1 for o in delivered):
        return None
    paid = sum(order["payment_history"][0]["amount"] for order in delivered)
    apart = sorted((abs(paid - total), total) for total in TOTALS)
    near = [total for gap, total in apart if 25 <= gap <= 0.5 * paid][:2]
    if not near:
        return None
    wishes = {"sum": rng.choice(near), **address_facts(rng)}
    return proposal_for(user, rng, wishes, "wish", "then", "refund", "else")


R21 = Archetype(
    "R21",
    "Return the most expensive thing or change the address, by what all delivered orders cost",
    TaskClass.READ_HEAVY,
    whoever(_fit_total),
    _by_total,
    (
        Clause(
            "wish",
            (
                "[I'd like|I want] to know whether I have paid more than {sum} in total for my delivered orders, and act on that.",
                "What I do next depends on whether all my delivered orders together cost me more than {sum}.",
                "[Please add|Add] up what I paid for all my delivered orders, and see whether that is more than {sum}.",
                "[Can|Could] you check whether what I paid for all delivered orders comes to more than {sum}?",
            ),
            opens=True,
        ),
        Clause(
            "then",
            (
                "If the total for delivered orders is above that, take back the most expensive item in any of them.",
                "Should the delivered orders come to more, the most expensive item of all of them goes back.",
            ),
        ),
        refund("the most expensive delivered item"),
        Clause(
            "else",
            (
                "If the total for delivered orders is not above that, just make {address1}, {address2}, {city}, {state} {new_zip}, USA my default address.",
                "Should the delivered orders not come to more, then only change my default address to {address1}, {address2}, {city}, {state} {new_zip}, USA.",
            ),
        ),
        DELIVERED_ONLY,
    ),
    lambda facts: [
        Reading(
            "what is on its way back was delivered, too",
            _by_total(facts, statuses=SOUNDS_LIKE["delivered"]),
            "strict",
        ),
    ],
)
