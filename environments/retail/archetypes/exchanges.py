"""Exchanges of delivered things for another version."""

import random
from collections.abc import Callable, Sequence
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
    Best,
    Collect,
    Condition,
    Each,
    Key,
    ListOf,
    Query,
    Selection,
    The,
    fact,
    ref,
)
from environments.core.state import Session
from environments.retail.archetypes.parts import (
    IN_STOCK,
    describe,
    draw_user,
    exchange,
    has_status,
    holds_product,
    item_in,
    orders_where,
    other_variant,
    product_names,
    proposal_for,
    request,
    single_sources,
    the_method,
)
from environments.retail.archetypes.wording import PAY

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


def _propose_swap(
    session: Session, rng: random.Random, people: Sequence[str]
) -> Proposal | None:
    user = draw_user(session, rng, people)
    if user is None or not single_sources(user):
        return None
    described = describe(session, user, "delivered", rng)
    if described is None:
        return None
    wishes = {"product": described[1], "payment": rng.choice(single_sources(user))}
    return proposal_for(user, rng, wishes, "wish", "target", "pay")


_SWAP_WISH = Clause(
    "wish",
    (
        "[I'd like|I would like|I want] to [exchange|swap] the {product} [I received|that was delivered to me].",
        "[Can|Could] you help me exchange the {product} from one of my delivered orders?",
        "The {product} [you delivered|that arrived] isn't right for me, so I'd like to exchange it.",
        "I have [a question about|an issue with] a delivered order: the {product} in it should be exchanged.",
    ),
    opens=True,
)

R1 = Archetype(
    "R1",
    "Exchange one thing for the cheapest other version in stock",
    TaskClass.READ_HEAVY,
    _propose_swap,
    _swap(0),
    (
        _SWAP_WISH,
        Clause(
            "target",
            (
                "[I want|Give me|I'd like] the cheapest other [version|variant|option] [that you have in stock|that is available].",
                "[Of the other versions|Among the other versions] in stock, I'll take the [cheapest|least expensive] one.",
                "[Any|Whichever] other version will do, as long as it is in stock and the cheapest [there is|you have].",
            ),
        ),
        PAY,
    ),
    _swap_readings(0),
    existential=True,
)
R13 = Archetype(
    "R13",
    "Exchange one thing for the second cheapest other version in stock",
    TaskClass.READ_HEAVY,
    _propose_swap,
    _swap(1),
    (
        _SWAP_WISH,
        Clause(
            "target",
            (
                "[I want|Give me|I'd like] the second cheapest other [version|variant|option] [that you have in stock|that is available].",
                "[Of the other versions|Among the other versions] in stock, I'll take the second cheapest[| one].",
                "Not the cheapest of the other versions in stock, but the [next one up|second cheapest].",
            ),
        ),
        PAY,
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


def _propose_swap_all(
    session: Session, rng: random.Random, people: Sequence[str]
) -> Proposal | None:
    user = draw_user(session, rng, people)
    if user is None or not single_sources(user):
        return None
    described = describe(session, user, "delivered", rng)
    if described is None:
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
        {"product": product, "payment": rng.choice(single_sources(user))},
        "wish",
        "target",
        "pay",
    )


R2 = Archetype(
    "R2",
    "Exchange everything in one order, each for the cheapest other version in stock",
    TaskClass.READ_HEAVY,
    _propose_swap_all,
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
                "For [each of them|each item], I want the cheapest other version [in stock|you have in stock].",
                "Each one should become the [cheapest|least expensive] other version of itself that is in stock.",
                "[In each case|Every time], take the cheapest other version in stock[| of the same product].",
            ),
        ),
        PAY,
    ),
    lambda facts: [
        Reading("sold-out versions count too", _swap_all(facts, stock=False), "target")
    ],
    existential=True,
)
