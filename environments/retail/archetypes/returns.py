"""Returns of delivered things."""

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
    AnyOf,
    Best,
    Branch,
    Collect,
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
    Fit,
    describe,
    orders_of,
    paid_with,
    product_names,
    proposal_for,
    whoever,
)
from environments.retail.archetypes.parts import (
    ORIGINAL_METHOD,
    best,
    has_status,
    item_in,
    order_with,
    orders_where,
    request,
    return_item,
    return_items,
)
from environments.retail.archetypes.wording import DELIVERED_ONLY, refund

# --- R5: return the most expensive thing ever received ----------------------------------------------------------------------------


def _return_dearest(
    facts: Facts, *, statuses: tuple[str, ...] = ("delivered",)
) -> Query:
    item = Selection(
        name="item",
        relation="items",
        of=orders_where("order", has_status("order", *statuses)),
    )
    return request(
        facts,
        Best(
            selection=item, objective=(Key(value=ref("item.price"), direction="desc"),)
        ),
        return_item(ORIGINAL_METHOD),
    )


def _fit_dearest(session: Session, user: Record, rng: random.Random) -> Proposal | None:
    if len(user["orders"]) < 3 or len(orders_of(session, user, "delivered")) < 2:
        return None
    return proposal_for(user, rng, {}, "wish", "refund")


R5 = Archetype(
    "R5",
    "Return the most expensive thing ever received",
    TaskClass.READ_HEAVY,
    whoever(_fit_dearest),
    _return_dearest,
    (
        Clause(
            "wish",
            (
                "[I'd like|I want] to return [one thing|one item]: the most expensive [item|thing] I have ever [received|had delivered] from you.",
                "Of everything you have [|ever ]delivered to me, I want to return the [|single ]most expensive item.",
                "Please take back the priciest item among all [my delivered orders|the orders that were delivered to me].",
                "Can you take back the priciest item among all [my delivered orders|the orders that were delivered to me]?",
            ),
            opens=True,
        ),
        refund("that most expensive item"),
        Clause(
            "received",
            (
                "For the most expensive item, [only count|count only] what has actually [arrived|been delivered].",
                "By the most expensive item I only mean things that have [|already ]been delivered.",
            ),
        ),
        DELIVERED_ONLY,
    ),
    lambda facts: [
        Reading(
            "everything ever ordered",
            _return_dearest(facts, statuses=("delivered", "pending", "processed")),
            "received",
        ),
        Reading(
            "what is on its way back was received, too",
            _return_dearest(facts, statuses=SOUNDS_LIKE["delivered"]),
            "strict",
        ),
    ],
)


# --- R7: everything in one order but the cheapest ---------------------------------------------------------------------------------


def _return_all_but(facts: Facts) -> Query:
    items = Selection(name="least", relation="items", of=ref("order"))
    rest = Selection(
        name="item",
        relation="items",
        of=ref("order"),
        where=compare(ref("item.item_id"), "ne", ref("least.item_id")),
    )
    return request(
        facts,
        order_with("delivered"),
        best(items),
        Each(selection=rest),
        return_items(Collect(each="item", value=ref("item.item_id"))),
    )


def _fit_all_but(session: Session, user: Record, rng: random.Random) -> Proposal | None:
    """No two lines of the order are the same item: which of them stays would be anybody's guess."""
    found = describe(session, user, "delivered", rng)
    if found is None:
        return None
    items = [line["item_id"] for line in found[0]["items"]]
    if len(items) < 3 or len(set(items)) < len(items):
        return None
    return proposal_for(user, rng, {"product": found[1]}, "wish", "but", "refund")


R7 = Archetype(
    "R7",
    "Return everything in one order but the cheapest thing",
    TaskClass.READ_HEAVY,
    whoever(_fit_all_but),
    _return_all_but,
    (
        Clause(
            "wish",
            (
                "[I'd like|I want] to send back nearly everything from the delivered order with the {product}.",
                "[Please take|Take] back almost all of my delivered order that has the {product} in it.",
                "Almost everything in the delivered order with the {product} should be returned.",
                "[Can|Could] I return most of the things in my delivered order with the {product}?",
            ),
            opens=True,
        ),
        Clause(
            "but",
            (
                "From that order with the {product} I only keep what I paid least for, and return all the rest.",
                "Of the order with the {product}, everything goes back except for the one thing that cost the least.",
                "The cheapest thing in the order with the {product} stays with me, and all others go back.",
            ),
        ),
        refund("what I return from the order with the {product}"),
    ),
    existential=True,
)


# --- R19: the dearest of several of one product --------------------------------------------------------------------------------------


def _return_dearest_of(
    facts: Facts, *, statuses: tuple[str, ...] = ("delivered",)
) -> Query:
    item = Selection(
        name="item",
        relation="items",
        of=orders_where("order", has_status("order", *statuses)),
        where=compare(ref("item.name"), "eq", fact("product")),
    )
    return request(facts, best(item, dearest=True), return_item(ORIGINAL_METHOD))


def _fit_several(session: Session, user: Record, rng: random.Random) -> Proposal | None:
    delivered = orders_of(session, user, "delivered")
    names = [name for order in delivered for name in product_names(order)]
    several = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if not several or len(delivered) < 2:
        return None
    return proposal_for(user, rng, {"product": rng.choice(several)}, "wish", "refund")


R19 = Archetype(
    "R19",
    "Return the most expensive of several of one product",
    TaskClass.READ_HEAVY,
    whoever(_fit_several, 300),
    _return_dearest_of,
    (
        Clause(
            "wish",
            (
                "I have had more than one {product} delivered, and [I'd like|I want] to return the most expensive of them all.",
                "Of all the products of the type {product} in my delivered orders, the one that cost me most should go back.",
                "Please take back whichever {product} was the most expensive in all of my delivered orders.",
                "[Can|Could] I return the {product} that I paid most for, of all those delivered to me?",
            ),
            opens=True,
        ),
        refund("that {product}"),
        DELIVERED_ONLY,
    ),
    lambda facts: [
        Reading(
            "what is on its way back was received, too",
            _return_dearest_of(facts, statuses=SOUNDS_LIKE["delivered"]),
            "strict",
        ),
    ],
)


# --- R23, N13: the refund goes where another order was paid from ----------------------------------------------------------------------


def _refund_like(facts: Facts) -> Query:
    paid = compare(
        ref("method.id"), "eq", ref("model.payment_history.0.payment_method_id")
    )
    method = Selection(name="method", relation="methods", of=ref("profile"), where=paid)
    gift_card = compare(ref("method.source"), "eq", const("gift_card"))
    original = compare(ref("method.id"), "eq", ORIGINAL_METHOD)
    return request(
        facts,
        item_in("delivered"),
        order_with("", "model", "other_product"),
        The(selection=method),
        Branch(
            condition=AnyOf(conditions=(gift_card, original)),
            then=(return_item(ref("method.id")),),
            otherwise=(Decline(clause="6.2"),),
        ),
    )


def _fit_refund_like(*, allowed: bool) -> Fit:
    """The other order was paid with a gift card, or (not `allowed`) with another method that did not pay this one."""

    def fit(session: Session, user: Record, rng: random.Random) -> Proposal | None:
        if len(user["orders"]) < 2 or len(user["payment_methods"]) < 2:
            return None
        found = describe(session, user, "delivered", rng)
        model = describe(session, user, "", rng) if found else None
        if found is None or model is None or found[0] is model[0]:
            return None
        paid = [paid_with(order) for order, _ in (found, model)]
        method = user["payment_methods"].get(paid[1])
        if not method or paid[0] == paid[1]:
            return None
        if (method["source"] == "gift_card") != allowed:
            return None
        wishes = {"product": found[1], "other_product": model[1]}
        return proposal_for(user, rng, wishes, "wish", "refund")

    return fit


_RETURN_WISH = Clause(
    "wish",
    (
        "[I'd like|I want] to return the {product} [that was delivered to me|I received].",
        "[Please take|Take] back the {product} from one of my delivered orders.",
        "The {product} from a delivered order should go back.",
        "[Can|Could] I send the {product} back that was delivered to me?",
        "The {product} that was delivered to me goes back, and I have my own idea about the refund.",
        "[I'd like|I want] to send back the {product} I received, with the refund to where another order was paid from.",
        "[Please arrange|Arrange] a return of the {product} from my delivered order, with a certain method for the refund.",
        "[Can|Could] you take the {product} back that I received, and refund a method that I used before?",
    ),
    opens=True,
)
_REFUND_LIKE = Clause(
    "refund",
    (
        "Refund the {product} to whatever I paid my order with the {other_product} with.",
        "The money for the {product} should go to the payment method that I used for the order with the {other_product}.",
        "As the place for the refund of the {product}, take the method that paid for my order with the {other_product}.",
        "The {product} should be refunded to the very method with which I paid for the order that has the {other_product}.",
        "What paid for my order with the {other_product} should also get the refund for the {product}.",
        "For the refund of the {product}, look up how I paid for the order with the {other_product}, and use just that.",
    ),
)

R23 = Archetype(
    "R23",
    "Return one thing, with the refund to the method that paid another order",
    TaskClass.READ_HEAVY,
    whoever(_fit_refund_like(allowed=True), 200),
    _refund_like,
    (_RETURN_WISH, _REFUND_LIKE),
    existential=True,
)
N13 = Archetype(
    "N13",
    "Refund to the method that paid another order, where the policy does not allow it",
    TaskClass.REFUSAL,
    whoever(_fit_refund_like(allowed=False), 200),
    _refund_like,
    R23.clauses,
    existential=True,
)
