"""Exchanges of delivered things for another version."""

import random
from collections.abc import Callable
from typing import Any

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
    Each,
    Key,
    ListOf,
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
from environments.retail.archetypes.draws import (
    describe,
    draw_source,
    gift_card_of,
    line_called,
    others_in_stock,
    product_names,
    proposal_for,
    whoever,
)
from environments.retail.archetypes.parts import (
    IN_STOCK,
    best,
    exchange,
    exchange_one,
    has_status,
    holds_product,
    in_stock,
    item_in,
    orders_where,
    other_variant,
    request,
    the_method,
)
from environments.retail.archetypes.wording import SWAP_WISH, pay

# --- R1, R13: one thing for the n-th cheapest other version ----------------------------------------------------------------------


def _swap(rank: int) -> Callable[[Facts], Query]:
    def query(facts: Facts, *, stock: bool = True, other: bool = True) -> Query:
        conditions: list[Condition] = [IN_STOCK] if stock else []
        new = (
            other_variant("item", *conditions)
            if other
            else Selection(
                name="new", relation="variants", of=ref("item"), where=IN_STOCK
            )
        )
        return request(
            facts,
            item_in("delivered"),
            Best(selection=new, objective=(Key(value=ref("new.price")),), rank=rank),
            the_method("method", fact("payment")),
            exchange(
                "order",
                ListOf(values=(ref("item.item_id"),)),
                ListOf(values=(ref("new.item_id"),)),
                ref("method.id"),
            ),
        )

    return query


def _swap_readings(rank: int) -> Callable[[Facts], list[Reading]]:
    query: Any = _swap(rank)
    return lambda facts: [
        Reading("sold-out versions count too", query(facts, stock=False), "target"),
        Reading("the present version counts too", query(facts, other=False), "target"),
    ]


def _fit_swap(session: Session, user: Record, rng: random.Random) -> Proposal | None:
    described, source = (
        describe(session, user, "delivered", rng),
        draw_source(user, rng),
    )
    if described is None or source is None:
        return None
    wishes = {"product": described[1], "payment": source}
    return proposal_for(user, rng, wishes, "wish", "target", "pay")


R1 = Archetype(
    "R1",
    "Exchange one thing for the cheapest other version in stock",
    TaskClass.READ_HEAVY,
    whoever(_fit_swap),
    _swap(0),
    (
        SWAP_WISH,
        Clause(
            "target",
            (
                "[I want|Give me|I'd like] the cheapest other [version|variant] of the {product} [that you have in stock|that is available].",
                "[Of the other versions|Among the other versions] of the {product} in stock, I'll take the [cheapest|least expensive] one.",
                "[Any|Whichever] other version of the {product} will do, as long as it is in stock and the cheapest [there is|you have].",
            ),
        ),
        pay("the {product}"),
    ),
    _swap_readings(0),
    existential=True,
)
R13 = Archetype(
    "R13",
    "Exchange one thing for the second cheapest other version in stock",
    TaskClass.READ_HEAVY,
    whoever(_fit_swap),
    _swap(1),
    (
        SWAP_WISH,
        Clause(
            "target",
            (
                "[I want|Give me|I'd like] the second cheapest other [version|variant] of the {product} [that you have in stock|that is available].",
                "[Of the other versions|Among the other versions] of the {product} in stock, I'll take the second cheapest[| one].",
                "Not the cheapest of the other versions of the {product} in stock, but the [next one up|second cheapest].",
            ),
        ),
        pay("the {product}"),
    ),
    _swap_readings(1),
    existential=True,
)


# --- R2: everything in one order, each for the cheapest ---------------------------------------------------------------------------


def _swap_all(facts: Facts, *, stock: bool = True) -> Query:
    order = orders_where(
        "order", has_status("order", "delivered"), holds_product("order", "product")
    )
    new = Best(
        selection=other_variant("item", *([IN_STOCK] if stock else [])),
        objective=(Key(value=ref("new.price")),),
    )
    items = Selection(name="item", relation="items", of=ref("order"))
    return request(
        facts,
        The(selection=order),
        Each(selection=items, steps=(new,)),
        the_method("method", fact("payment")),
        exchange(
            "order",
            Collect(each="item", value=ref("item.item_id")),
            Collect(each="item", value=ref("new.item_id")),
            ref("method.id"),
        ),
    )


def _fit_swap_all(
    session: Session, user: Record, rng: random.Random
) -> Proposal | None:
    described, source = (
        describe(session, user, "delivered", rng),
        draw_source(user, rng),
    )
    if described is None or source is None:
        return None
    order, product = described
    names = product_names(order)
    if len(names) < 2 or len(set(names)) < len(
        names
    ):  # two of one product would be one read and one target
        return None
    return proposal_for(
        user,
        rng,
        {"product": product, "payment": source},
        "wish",
        "target",
        "pay",
    )


R2 = Archetype(
    "R2",
    "Exchange everything in one order, each for the cheapest other version in stock",
    TaskClass.READ_HEAVY,
    whoever(_fit_swap_all),
    _swap_all,
    (
        Clause(
            "wish",
            (
                "[I'd like|I want] to exchange everything in the delivered order [that has the {product} in it|with the {product}].",
                "[Please exchange all the things|Exchange all items] in my delivered order with the {product}.",
                "Can you exchange all [the things|items] in my delivered order with the {product}?",
                "There's a delivered order of mine with [a|one] {product} in it, and I'd like every item of it exchanged.",
            ),
            opens=True,
        ),
        Clause(
            "target",
            (
                "For [each thing|each item] in that order with the {product}, I want the cheapest other version [in stock|you have in stock].",
                "Each item in that order with the {product} should become the [cheapest|least expensive] other version of itself that is in stock.",
                "For every item in the order with the {product}, take the cheapest other version in stock[| of the same product].",
            ),
        ),
        pay("that order with the {product}"),
    ),
    lambda facts: [
        Reading("sold-out versions count too", _swap_all(facts, stock=False), "target")
    ],
    existential=True,
)


# --- R14: the dearest version for which the gift card is enough ---------------------------------------------------------------------


def _swap_within_card(facts: Facts, *, whole: bool = False) -> Query:
    rise = Arithmetic(op="-", left=ref("new.price"), right=ref("item.price"))
    affordable = compare(
        ref("new.price") if whole else rise, "le", ref("method.balance")
    )
    return request(
        facts,
        item_in("delivered"),
        the_method("method", const("gift_card")),
        best(other_variant("item", IN_STOCK, affordable), dearest=True),
        exchange_one(),
    )


def _fit_within_card(
    session: Session, user: Record, rng: random.Random
) -> Proposal | None:
    """The balance lies strictly between what the versions cost more, with a dearer one that it does not reach."""
    card = gift_card_of(user)
    found = describe(session, user, "delivered", rng) if card else None
    if card is None or found is None:
        return None
    line = line_called(*found)
    rises = [new["price"] - line["price"] for new in others_in_stock(session, line)]
    slack = [abs(rise - card["balance"]) for rise in rises]
    within = sum(rise < card["balance"] for rise in rises)
    if not 2 <= within < len(rises) or min(slack) < 1:
        return None
    return proposal_for(
        user, rng, {"product": found[1]}, "wish", "target", "difference"
    )


R14 = Archetype(
    "R14",
    "Exchange one thing for the dearest version for which the gift card is enough",
    TaskClass.READ_HEAVY,
    whoever(_fit_within_card, 200),
    _swap_within_card,
    (
        SWAP_WISH,
        Clause(
            "target",
            (
                "I want the most expensive other version of the {product} in stock for which my gift card is enough.",
                "[Of|Among] the other versions of the {product} in stock, take the dearest that my gift card can pay for.",
                "As far as the balance of my gift card goes, give me the most expensive other version of the {product} you have in stock.",
            ),
        ),
        Clause(
            "difference",
            (
                "My gift card only has to cover what the new {product} costs more than the old one, and that is how I pay.",
                "What my gift card pays is just the difference to the price of the {product} I have.",
            ),
        ),
    ),
    lambda facts: [
        Reading(
            "the card must cover the whole price",
            _swap_within_card(facts, whole=True),
            "difference",
        )
    ],
    existential=True,
)


# --- R15: whichever of two things costs less to upgrade -----------------------------------------------------------------------------


def _upgrade(facts: Facts, *, stock: bool = True) -> Query:
    in_order = orders_where(
        "order",
        has_status("order", "delivered"),
        holds_product("order", "product"),
        holds_product("order", "other_product", line="order_other_line"),
    )
    return request(
        facts,
        The(selection=in_order),
        _line_of("item", "product"),
        _line_of("other", "other_product"),
        the_method("method", fact("payment")),
        Branch(
            condition=compare(
                _rise_to_top("item", stock), "lt", _rise_to_top("other", stock)
            ),
            then=_swap_for_top("item", stock),
            otherwise=_swap_for_top("other", stock),
        ),
    )


def _line_of(name: str, product: str) -> The:
    called = compare(ref(f"{name}.name"), "eq", fact(product))
    items = Selection(name=name, relation="items", of=ref("order"), where=called)
    return The(selection=items)


def _rise_to_top(item: str, stock: bool) -> Arithmetic:
    """What the most expensive other version costs more."""
    available = [in_stock("top")] if stock else []
    top = other_variant(item, *available, name="top")
    dearest = Aggregate(op="max", over=top, value=ref("top.price"))
    return Arithmetic(op="-", left=dearest, right=ref(f"{item}.price"))


def _swap_for_top(item: str, stock: bool) -> tuple[Step, ...]:
    return (
        best(other_variant(item, *([IN_STOCK] if stock else [])), dearest=True),
        exchange(
            "order",
            ListOf(values=(ref(f"{item}.item_id"),)),
            ListOf(values=(ref("new.item_id"),)),
            ref("method.id"),
        ),
    )


def _fit_upgrade(session: Session, user: Record, rng: random.Random) -> Proposal | None:
    found = describe(session, user, "delivered", rng)
    source = draw_source(user, rng)
    if found is None or source is None:
        return None
    order, product = found
    others = [
        name
        for name in dict.fromkeys(product_names(order))
        if name != product and product_names(order).count(name) == 1
    ]
    rng.shuffle(others)
    for other in others:
        lines = [line_called(order, name) for name in (product, other)]
        tops = [others_in_stock(session, line) for line in lines]
        if all(
            len(top) > 1 and top[-1]["price"] > line["price"]
            for top, line in zip(tops, lines, strict=True)
        ):
            wishes = {"product": product, "other_product": other, "payment": source}
            return proposal_for(user, rng, wishes, "wish", "target", "pay")
    return None


R15 = Archetype(
    "R15",
    "Upgrade whichever of two things costs less to upgrade",
    TaskClass.READ_HEAVY,
    whoever(_fit_upgrade),
    _upgrade,
    (
        Clause(
            "wish",
            (
                "[I'd like|I want] to upgrade one thing in my delivered order, either the {product} or the {other_product}.",
                "Of the two things I have from one delivered order, the {product} and the {other_product}, I want to upgrade one.",
                "[Can|Could] you upgrade either the {product} or the {other_product} from my delivered order?",
                "From one delivered order, the {product} or the {other_product} should be exchanged for a better one.",
            ),
            opens=True,
        ),
        Clause(
            "target",
            (
                "Each of them, the {product} and the {other_product}, would become the most expensive other version in stock, and I want the one exchange that costs me less extra.",
                "Compare the most expensive other version in stock of the {product} and of the {other_product} with what I paid, and exchange just the one with the smaller difference.",
            ),
        ),
        pay("the upgrade of the {product} or the {other_product}"),
    ),
    lambda facts: [
        Reading("sold-out versions count too", _upgrade(facts, stock=False), "target")
    ],
    existential=True,
)
