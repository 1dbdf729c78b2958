"""Kinds of retail requests: how to draw one, its query, its words.

Orders are described by what is in them, not by number: a customer rarely knows the number, and a number would give the account
away (an order's details name its owner), so that nothing would force the look-up by email. Slugs follow the catalogue of archetypes.
"""

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
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
    AnyOf,
    Best,
    Branch,
    Collect,
    Condition,
    Decline,
    Each,
    Exists,
    Key,
    ListOf,
    Query,
    Selection,
    Step,
    The,
    Write,
    all_of,
    compare,
    const,
    fact,
    ref,
)
from environments.core.state import Record, Session
from environments.core.tools import ToolCall

LEXICON: dict[str, dict[Any, tuple[str, ...]]] = {
    "payment": {
        "gift_card": ("my gift card", "the gift card on my account"),
        "paypal": ("my PayPal account", "my PayPal"),
        "credit_card": ("my credit card", "the credit card on file"),
    },
    "reason": {
        "no longer needed": ("I no longer need it", "it is no longer needed"),
        "ordered by mistake": ("I ordered it by mistake", "it was ordered by mistake"),
    },
}
LEXICON["fallback"] = {
    key: LEXICON["payment"][key] for key in ("paypal", "credit_card")
}


# --- parts of queries ----------------------------------------------------------------------------------------------------------


def _account(facts: Facts) -> list[Step]:
    names = ["email"] if "email" in facts else ["first_name", "last_name", "zip"]
    account = Selection(
        name="account", relation="account", by={name: fact(name) for name in names}
    )
    return [
        The(selection=account),
        The(selection=Selection(name="profile", relation="profile", of=ref("account"))),
    ]


def _orders(name: str, *conditions: Condition) -> Selection:
    where = conditions[0] if len(conditions) == 1 else all_of(*conditions)
    return Selection(name=name, relation="orders", of=ref("profile"), where=where)


def _status(order: str, *statuses: str) -> Condition:
    checks = [
        compare(ref(f"{order}.status"), "eq", const(status)) for status in statuses
    ]
    return checks[0] if len(checks) == 1 else AnyOf(conditions=tuple(checks))


def _holds_product(order: str, name: str) -> Condition:
    line = f"{order}_line"
    here = compare(ref(f"{line}.name"), "eq", fact(name))
    return Exists(
        selection=Selection(name=line, relation="items", of=ref(order), where=here)
    )


def _method(name: str, source: Any) -> The:
    where = compare(ref(f"{name}.source"), "eq", source)
    return The(
        selection=Selection(
            name=name, relation="methods", of=ref("profile"), where=where
        )
    )


def _other_variant(of: str, *conditions: Condition) -> Selection:
    other = compare(ref("new.item_id"), "ne", ref(f"{of}.item_id"))
    return Selection(
        name="new", relation="variants", of=ref(of), where=all_of(*conditions, other)
    )


_IN_STOCK = compare(ref("new.available"), "eq", const(True))


def _exchange(order: str, items: Any, new: Any, method: Any) -> Write:
    arguments = {
        "order_id": ref(f"{order}.order_id"),
        "item_ids": items,
        "new_item_ids": new,
        "payment_method_id": method,
    }
    return Write(tool="exchange_delivered_order_items", arguments=arguments)


def _return(method: Any) -> Write:
    """Return the row called `item` of the row called `order`."""
    arguments = {
        "order_id": ref("order.order_id"),
        "item_ids": ListOf(values=(ref("item.item_id"),)),
        "payment_method_id": method,
    }
    return Write(tool="return_delivered_order_items", arguments=arguments)


_ORIGINAL_METHOD = ref("order.payment_history.0.payment_method_id")


def _item_in(status: str) -> The:
    """The thing called $product in an order with that status; names `order` and `item`."""
    return The(
        selection=Selection(
            name="item",
            relation="items",
            of=_orders("order", _status("order", status)),
            where=compare(ref("item.name"), "eq", fact("product")),
        )
    )


def _repay(order: str, method: str) -> Write:
    arguments: dict[str, Any] = {
        "order_id": ref(f"{order}.order_id"),
        "payment_method_id": ref(f"{method}.id"),
    }
    return Write(tool="modify_pending_order_payment", arguments=arguments)


def _cancel(order: str) -> Write:
    return Write(
        tool="cancel_pending_order",
        arguments={"order_id": ref(f"{order}.order_id"), "reason": fact("reason")},
    )


def _query(facts: Facts, *steps: Step) -> Query:
    return Query(steps=(*_account(facts), *steps))


# --- parts of draws ------------------------------------------------------------------------------------------------------------


def _draw_user(
    session: Session, rng: random.Random, people: Sequence[str]
) -> Record | None:
    return session.get("users", rng.choice(people))


def _draw_payer(
    session: Session, rng: random.Random, people: Sequence[str], orders: int
) -> tuple[Record, str] | None:
    """Somebody with one gift card and another way to pay, who has that many pending orders paid with neither.

    Such people are rare, so that up to 300 are looked at.
    """
    for key in rng.sample(people, min(300, len(people))):
        user: Any = session.get("users", key)
        others = [source for source in _sources(user) if source != "gift_card"]
        if "gift_card" not in _sources(user) or not others:
            continue
        fallback = rng.choice(others)
        if len(_repayable(session, user, fallback)) >= orders:
            return user, fallback
    return None


def _identity(user: Record, rng: random.Random) -> dict[str, Any]:
    if rng.random() < 0.5:
        return {"email": user["email"]}
    name = user["name"]
    return {
        "first_name": name["first_name"],
        "last_name": name["last_name"],
        "zip": user["address"]["zip"],
    }


def _user_orders(session: Session, user: Record, *statuses: str) -> list[Record]:
    found = [session.get("orders", order_id) for order_id in user["orders"]]
    return [
        order
        for order in found
        if order is not None and (not statuses or order["status"] in statuses)
    ]


def _products(order: Record) -> list[str]:
    return [line["name"] for line in order["items"]]


_SOUNDS_LIKE = {
    "delivered": ("delivered", "exchange requested", "return requested"),
    "pending": ("pending", "pending (item modified)"),
}
"""Status → statuses of the orders that its plain word also describes to a customer."""


def _described(
    session: Session, user: Record, status: str, rng: random.Random
) -> tuple[Record, str] | None:
    """An order with that status ("" for any), and a product that tells it from all orders that the word describes."""
    sounding = _user_orders(session, user, *_SOUNDS_LIKE[status] if status else ())
    pairs = [
        (order, name)
        for order in sounding
        if order["status"] == status or not status
        for name in dict.fromkeys(_products(order))
        if _products(order).count(name) == 1
        and not any(
            name in _products(other) for other in sounding if other is not order
        )
    ]
    return rng.choice(pairs) if pairs else None


def _sources(user: Record) -> list[str]:
    """Kinds of payment methods of which the user has exactly one."""
    sources = [method["source"] for method in user["payment_methods"].values()]
    return [source for source in dict.fromkeys(sources) if sources.count(source) == 1]


def _proposal(
    user: Record, rng: random.Random, wishes: dict[str, Any], *clauses: str
) -> Proposal:
    return Proposal({**_identity(user, rng), **wishes}, clauses)


# --- words that several archetypes share ---------------------------------------------------------------------------------------

_PAY = Clause(
    "pay",
    (
        "[Please put|Put] any difference in price on {payment}.",
        "[If there is|Should there be] a price difference, [use|settle it with] {payment}.",
        "[I'd say that ]{payment} can [cover|take] the difference[|, whichever way it goes].",
        "The difference[| in price] [should|can] go to {payment}.",
        "[For the difference in price|As for the price difference], [|please ]use {payment}.",
    ),
)
_REASON = Clause(
    "reason",
    (
        "[The reason is that|Reason:|It's because] {reason}.",
        "[Simply put|Honestly], {reason}.",
        "[Why? Because|As to why:] {reason}.",
    ),
)
_IN_TOTAL = Clause(
    "total",
    (
        "[By largest I mean|With largest I mean] the [highest|biggest] amount I paid[|, not the number of things in it].",
        "What counts is [what I paid for the order|the amount paid].",
    ),
)


# --- R1, R13: one thing for the n-th cheapest other version ----------------------------------------------------------------------


def _swap(rank: int) -> Callable[[Facts], Query]:
    def query(facts: Facts, *, stock: bool = True, other: bool = True) -> Query:
        conditions: list[Condition] = [_IN_STOCK] if stock else []
        new = (
            _other_variant("item", *conditions)
            if other
            else Selection(
                name="new", relation="variants", of=ref("item"), where=_IN_STOCK
            )
        )
        return _query(
            facts,
            _item_in("delivered"),
            Best(selection=new, objective=(Key(value=ref("new.price")),), rank=rank),
            _method("method", fact("payment")),
            _exchange(
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
    user = _draw_user(session, rng, people)
    if user is None or not _sources(user):
        return None
    described = _described(session, user, "delivered", rng)
    if described is None:
        return None
    wishes = {"product": described[1], "payment": rng.choice(_sources(user))}
    return _proposal(user, rng, wishes, "wish", "target", "pay")


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
        _PAY,
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
        _PAY,
    ),
    _swap_readings(1),
    existential=True,
)


# --- R2: everything in one order, each for the cheapest ---------------------------------------------------------------------------


def _swap_all(facts: Facts, *, stock: bool = True) -> Query:
    order = _orders(
        "order", _status("order", "delivered"), _holds_product("order", "product")
    )
    new = Best(
        selection=_other_variant("item", *([_IN_STOCK] if stock else [])),
        objective=(Key(value=ref("new.price")),),
    )
    items = Selection(name="item", relation="items", of=ref("order"))
    return _query(
        facts,
        The(selection=order),
        Each(selection=items, steps=(new,)),
        _method("method", fact("payment")),
        _exchange(
            "order",
            Collect(each="item", value=ref("item.item_id")),
            Collect(each="item", value=ref("new.item_id")),
            ref("method.id"),
        ),
    )


def _propose_swap_all(
    session: Session, rng: random.Random, people: Sequence[str]
) -> Proposal | None:
    user = _draw_user(session, rng, people)
    if user is None or not _sources(user):
        return None
    described = _described(session, user, "delivered", rng)
    if described is None:
        return None
    order, product = described
    names = _products(order)
    if len(names) < 2 or len(set(names)) < len(
        names
    ):  # two of one product would be one read and one target
        return None
    return _proposal(
        user,
        rng,
        {"product": product, "payment": rng.choice(_sources(user))},
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
        _PAY,
    ),
    lambda facts: [
        Reading("sold-out versions count too", _swap_all(facts, stock=False), "target")
    ],
    existential=True,
)


# --- R5: return the most expensive thing ever received ----------------------------------------------------------------------------


def _return_dearest(
    facts: Facts, *, statuses: tuple[str, ...] = ("delivered",)
) -> Query:
    item = Selection(
        name="item", relation="items", of=_orders("order", _status("order", *statuses))
    )
    return _query(
        facts,
        Best(
            selection=item, objective=(Key(value=ref("item.price"), direction="desc"),)
        ),
        _return(_ORIGINAL_METHOD),
    )


def _propose_scan(
    least: int, *statuses: str
) -> Callable[[Session, random.Random, Sequence[str]], Proposal | None]:
    """People with several orders, at least two of them with one of the statuses."""

    def propose(
        session: Session, rng: random.Random, people: Sequence[str]
    ) -> Proposal | None:
        user = _draw_user(session, rng, people)
        if (
            user is None
            or len(user["orders"]) < least
            or len(_user_orders(session, user, *statuses)) < 2
        ):
            return None
        wishes: dict[str, Any] = {}
        clauses = ["wish", "refund"]
        if statuses == ("pending",):
            wishes["reason"] = rng.choice(["no longer needed", "ordered by mistake"])
            clauses = ["wish", "total", "reason"]
        return _proposal(user, rng, wishes, *clauses)

    return propose


R5 = Archetype(
    "R5",
    "Return the most expensive thing ever received",
    TaskClass.READ_HEAVY,
    _propose_scan(3, "delivered"),
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
        Clause(
            "refund",
            (
                "The [refund|money] should go back [to the payment method I used|the way I paid] for [it|that order].",
                "[Please refund|Refund] [it|me] to the original payment method.",
                "[I'd like|I want] the money back on whatever I paid [that order|it] with.",
            ),
        ),
        Clause(
            "received",
            (
                "[Only count|Count only] what has actually [arrived|been delivered].",
                "[I'm only talking|I only talk] about things that have [|already ]been delivered.",
            ),
        ),
    ),
    lambda facts: [
        Reading(
            "everything ever ordered",
            _return_dearest(facts, statuses=("delivered", "pending", "processed")),
            "received",
        ),
        Reading(
            "what is on its way back was received, too",
            _return_dearest(facts, statuses=_SOUNDS_LIKE["delivered"]),
            "",
        ),
    ],
)


# --- R6: cancel the largest pending order -------------------------------------------------------------------------------------------


def _cancel_largest(facts: Facts, *, statuses: tuple[str, ...] = ("pending",)) -> Query:
    return _query(
        facts,
        Best(
            selection=_orders("order", _status("order", *statuses)),
            objective=(
                Key(value=ref("order.payment_history.0.amount"), direction="desc"),
            ),
        ),
        _cancel("order"),
    )


def _cancel_longest(facts: Facts) -> Query:
    count = Aggregate(
        op="count",
        over=Selection(name="line", relation="items", of=ref("order")),
        value=ref("line.item_id"),
    )
    return _query(
        facts,
        Best(
            selection=_orders("order", _status("order", "pending")),
            objective=(Key(value=count, direction="desc"),),
        ),
        _cancel("order"),
    )


R6 = Archetype(
    "R6",
    "Cancel the largest pending order",
    TaskClass.READ_HEAVY,
    _propose_scan(3, "pending"),
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
        _IN_TOTAL,
        _REASON,
    ),
    lambda facts: [
        Reading("largest by number of things", _cancel_longest(facts), "total"),
        Reading(
            "an order with modified items is pending, too",
            _cancel_largest(facts, statuses=_SOUNDS_LIKE["pending"]),
            "",
        ),
    ],
)


# --- R10: gift card if it covers the order --------------------------------------------------------------------------------------------


def _pay_branch(order: str, card: str) -> Branch:
    covers = compare(
        ref(f"{card}.balance"), "ge", ref(f"{order}.payment_history.0.amount")
    )
    return Branch(
        condition=covers,
        then=(_repay(order, card),),
        otherwise=(_repay(order, "other"),),
    )


def _gift_card_if(facts: Facts) -> Query:
    return _query(
        facts,
        The(
            selection=_orders(
                "order", _status("order", "pending"), _holds_product("order", "product")
            )
        ),
        _method("card", const("gift_card")),
        _method("other", fact("fallback")),
        _pay_branch("order", "card"),
    )


def _repayable(session: Session, user: Record, fallback: str) -> list[Record]:
    """Pending orders that are paid with neither the gift card nor the fallback, so that both branches are open."""
    taken = {
        key
        for key, method in user["payment_methods"].items()
        if method["source"] in ("gift_card", fallback)
    }
    return [
        order
        for order in _user_orders(session, user, "pending")
        if len(order["payment_history"]) == 1
        and order["payment_history"][0]["payment_method_id"] not in taken
    ]


def _propose_gift_card(
    session: Session, rng: random.Random, people: Sequence[str]
) -> Proposal | None:
    drawn = _draw_payer(session, rng, people, 1)
    if drawn is None:
        return None
    user, fallback = drawn
    described = _described(session, user, "pending", rng)
    if described is None or described[0] not in _repayable(session, user, fallback):
        return None
    return _proposal(
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


# --- W1: moved house: default address, address of a pending order, cancel another --------------------------------------------------------

_ADDRESS = ("address1", "address2", "city", "state", "country", "zip")
_PLACES = (
    ("Denver", "CO", "80205"),
    ("Austin", "TX", "78704"),
    ("Seattle", "WA", "98109"),
    ("Columbus", "OH", "43206"),
    ("Charlotte", "NC", "28203"),
    ("Portland", "OR", "97214"),
    ("Madison", "WI", "53703"),
    ("Tucson", "AZ", "85719"),
    ("Richmond", "VA", "23220"),
    ("Omaha", "NE", "68102"),
)
_STREETS = (
    "Alder",
    "Birchwood",
    "Clover",
    "Dogwood",
    "Fern",
    "Hazel",
    "Juniper",
    "Linden",
    "Quarry",
    "Tamarack",
)


def _new_address(rng: random.Random) -> dict[str, str]:
    city, state, new_zip = rng.choice(_PLACES)
    return {
        "address1": f"{rng.randrange(12, 989)} {rng.choice(_STREETS)} {rng.choice(('Street', 'Avenue', 'Lane'))}",
        "address2": f"Apt {rng.randrange(2, 60)}",
        "city": city,
        "state": state,
        "country": "USA",
        "new_zip": new_zip,
    }


def _address_arguments() -> dict[str, Any]:
    return {
        name: const("USA")
        if name == "country"
        else fact("new_zip" if name == "zip" else name)
        for name in _ADDRESS
    }


def _moved(facts: Facts) -> Query:
    home = {"user_id": ref("account.user_id"), **_address_arguments()}
    there = {"order_id": ref("first.order_id"), **_address_arguments()}
    return _query(
        facts,
        The(
            selection=_orders(
                "first", _status("first", "pending"), _holds_product("first", "product")
            )
        ),
        The(
            selection=_orders(
                "second",
                _status("second", "pending"),
                _holds_product("second", "other_product"),
            )
        ),
        Write(tool="modify_user_address", arguments=home),
        Write(tool="modify_pending_order_address", arguments=there),
        _cancel("second"),
    )


def _two_described(
    session: Session, user: Record, rng: random.Random
) -> tuple[tuple[Record, str], tuple[Record, str]] | None:
    """Two different pending orders, each described by a product."""
    first, second = (_described(session, user, "pending", rng) for _ in range(2))
    return (first, second) if first and second and first[0] is not second[0] else None


def _propose_moved(
    session: Session, rng: random.Random, people: Sequence[str]
) -> Proposal | None:
    user = _draw_user(session, rng, people)
    pair = _two_described(session, user, rng) if user else None
    if user is None or pair is None:
        return None
    reason = rng.choice(["no longer needed", "ordered by mistake"])
    address = {
        name: value for name, value in _new_address(rng).items() if name != "country"
    }
    wishes = {
        "product": pair[0][1],
        "other_product": pair[1][1],
        "reason": reason,
        **address,
    }
    return _proposal(user, rng, wishes, "wish", "home", "there", "cancel", "reason")


W1 = Archetype(
    "W1",
    "Moved: new default address, new address of one order, another cancelled",
    TaskClass.WRITE_INTENSIVE,
    _propose_moved,
    _moved,
    (
        Clause(
            "wish",
            (
                "I've [|just |recently ]moved and need a few things changed.",
                "I'm moving[| soon], so a few things have to change.",
                "I have a new address[| now], and some orders to sort out.",
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
        _REASON,
    ),
    existential=True,
)


# --- W2: return one thing, cancel an order ---------------------------------------------------------------------------------------------------


def _return_and_cancel(facts: Facts) -> Query:
    return _query(
        facts,
        _item_in("delivered"),
        The(
            selection=_orders(
                "second",
                _status("second", "pending"),
                _holds_product("second", "other_product"),
            )
        ),
        _return(_ORIGINAL_METHOD),
        _cancel("second"),
    )


def _propose_return_and_cancel(
    session: Session, rng: random.Random, people: Sequence[str]
) -> Proposal | None:
    user = _draw_user(session, rng, people)
    if user is None:
        return None
    delivered = _described(session, user, "delivered", rng)
    pending = _described(session, user, "pending", rng)
    if delivered is None or pending is None:
        return None
    reason = rng.choice(["no longer needed", "ordered by mistake"])
    wishes = {"product": delivered[1], "other_product": pending[1], "reason": reason}
    return _proposal(user, rng, wishes, "wish", "refund", "cancel", "reason")


W2 = Archetype(
    "W2",
    "Return one thing and cancel another order",
    TaskClass.WRITE_INTENSIVE,
    _propose_return_and_cancel,
    _return_and_cancel,
    (
        Clause(
            "wish",
            (
                "[I'd like|I want] to send back the {product} [that was delivered|I received].",
                "[I'd like|I want] to return the {product} from a delivered order.",
            ),
            opens=True,
        ),
        Clause(
            "refund",
            (
                "The [refund|money] for it should go back the way I paid.",
                "[Please refund|Refund] it to the original payment method.",
            ),
        ),
        Clause(
            "cancel",
            (
                "[Also|Besides], [|please ]cancel my pending order with the {other_product}.",
                "And the pending order that has the {other_product} in it should be cancelled.",
            ),
        ),
        _REASON,
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
    writes = [_repay("order", "method"), swap]
    return _query(
        facts,
        _item_in("pending"),
        Best(
            selection=_other_variant("item", _IN_STOCK),
            objective=(Key(value=ref("new.price")),),
        ),
        _method("method", fact("payment")),
        *(reversed(writes) if items_first else writes),
    )


def _propose_repay_and_swap(
    session: Session, rng: random.Random, people: Sequence[str]
) -> Proposal | None:
    user = _draw_user(session, rng, people)
    described = _described(session, user, "pending", rng) if user else None
    if user is None or described is None:
        return None
    order, product = described
    paid = order["payment_history"][0]["payment_method_id"]
    others = [
        method["source"]
        for key, method in user["payment_methods"].items()
        if key != paid and method["source"] in _sources(user)
    ]
    if not others:
        return None
    return _proposal(
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
    _propose_repay_and_swap,
    _repay_and_swap,
    (
        Clause(
            "wish",
            (
                "[I'd like|I want] another version of the {product} in my pending order.",
                "[Can|Could] you replace the {product} in a pending order of mine with another version?",
                "The {product} in my pending order should be another version.",
            ),
            opens=True,
        ),
        Clause(
            "target",
            (
                "[Take|Make it] the cheapest other version [in stock|that is in stock].",
                "It should be the cheapest of the other versions in stock.",
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
    return _query(
        facts,
        The(
            selection=_orders(
                "first", _status("first", "pending"), _holds_product("first", first)
            )
        ),
        The(
            selection=_orders(
                "second", _status("second", "pending"), _holds_product("second", second)
            )
        ),
        _method("card", const("gift_card")),
        _method("other", fact("fallback")),
        _pay_branch("first", "card"),
        The(selection=after),
        The(selection=card_after),
        _pay_branch("second", "card_after"),
    )


def _propose_both_by_card(
    session: Session, rng: random.Random, people: Sequence[str]
) -> Proposal | None:
    drawn = _draw_payer(session, rng, people, 2)
    if drawn is None:
        return None
    user, fallback = drawn
    pair = _two_described(session, user, rng)
    if pair is None or any(
        order not in _repayable(session, user, fallback) for order, _ in pair
    ):
        return None
    wishes = {"product": pair[0][1], "other_product": pair[1][1], "fallback": fallback}
    return _proposal(user, rng, wishes, "wish", "first", "second")


W4 = Archetype(
    "W4",
    "Pay two orders with one gift card as far as it goes",
    TaskClass.WRITE_INTENSIVE,
    _propose_both_by_card,
    _both_by_card,
    (
        Clause(
            "wish",
            (
                "[I'd like|I want] to pay for two of my pending orders differently.",
                "[Can|Could] you change the payment of two pending orders of mine?",
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


# --- N1, N2: what the policy refuses -------------------------------------------------------------------------------------------------------------


def _cancel_if_pending(facts: Facts) -> Query:
    return _query(
        facts,
        The(selection=_orders("order", _holds_product("order", "product"))),
        Branch(
            condition=_status("order", "pending"),
            then=(_cancel("order"),),
            otherwise=(Decline(clause="4.1"),),
        ),
    )


def _propose_late_cancel(
    session: Session, rng: random.Random, people: Sequence[str]
) -> Proposal | None:
    user = _draw_user(session, rng, people)
    described = _described(session, user, "", rng) if user else None
    if (
        user is None
        or described is None
        or described[0]["status"] not in ("processed", "delivered")
    ):
        return None
    reason = rng.choice(["no longer needed", "ordered by mistake"])
    return _proposal(
        user, rng, {"product": described[1], "reason": reason}, "wish", "reason"
    )


N1 = Archetype(
    "N1",
    "Cancel an order that can no longer be cancelled",
    TaskClass.REFUSAL,
    _propose_late_cancel,
    _cancel_if_pending,
    (
        Clause(
            "wish",
            (
                "[Please cancel|I want to cancel|I'd like to cancel] my order with the {product}.",
                "[Can|Could] you cancel the order that has the {product} in it?",
            ),
            opens=True,
        ),
        _REASON,
    ),
    existential=True,
)


def _return_elsewhere(facts: Facts) -> Query:
    write = _return(ref("method.id"))
    original = compare(
        ref("method.id"), "eq", ref("order.payment_history.0.payment_method_id")
    )
    return _query(
        facts,
        _item_in("delivered"),
        _method("method", fact("fallback")),
        Branch(condition=original, then=(write,), otherwise=(Decline(clause="6.2"),)),
    )


def _propose_return_elsewhere(
    session: Session, rng: random.Random, people: Sequence[str]
) -> Proposal | None:
    user = _draw_user(session, rng, people)
    described = _described(session, user, "delivered", rng) if user else None
    if user is None or described is None:
        return None
    order, product = described
    paid = user["payment_methods"].get(order["payment_history"][0]["payment_method_id"])
    others = [
        source
        for source in _sources(user)
        if source != "gift_card" and paid and source != paid["source"]
    ]
    if not others:
        return None
    return _proposal(
        user,
        rng,
        {"product": product, "fallback": rng.choice(others)},
        "wish",
        "refund",
    )


N2 = Archetype(
    "N2",
    "Refund to a method that the policy does not allow",
    TaskClass.REFUSAL,
    _propose_return_elsewhere,
    _return_elsewhere,
    (
        Clause(
            "wish",
            (
                "[I'd like|I want] to return the {product} [that was delivered|I received], with the refund to one particular place.",
                "[I'd like|I want] to send the {product} from a delivered order back, and I care where the refund goes.",
            ),
            opens=True,
        ),
        Clause(
            "refund",
            (
                "The refund has to go to {fallback}, nowhere else.",
                "I only accept the refund on {fallback}.",
            ),
        ),
    ),
    existential=True,
)

ARCHETYPES = (R1, R2, R5, R6, R10, R13, W1, W2, W3, W4, N1, N2)


# --- the floor of the burden ---------------------------------------------------------------------------------------------------------------------

_STATUS_FOR = {
    "cancel_pending_order": "pending",
    "modify_pending_order_address": "pending",
    "modify_pending_order_items": "pending",
    "modify_pending_order_payment": "pending",
    "exchange_delivered_order_items": "delivered",
    "return_delivered_order_items": "delivered",
}


def named(calls: Sequence[ToolCall]) -> Query:
    """The same writes with every argument named: all that is left is whether the orders' statuses allow them."""
    steps: list[Step] = []
    for number, call in enumerate(calls):
        write = Write(
            tool=call.name,
            arguments={name: _literal(value) for name, value in call.arguments.items()},
        )
        if call.name not in _STATUS_FOR:
            steps.append(write)
            continue
        order = f"order_{number}"
        steps.append(
            The(
                selection=Selection(
                    name=order,
                    relation="order",
                    by={"order_id": const(call.arguments["order_id"])},
                )
            )
        )
        allowed = _status(order, _STATUS_FOR[call.name])
        steps.append(
            Branch(condition=allowed, then=(write,), otherwise=(Decline(clause="3.5"),))
        )
    return Query(steps=tuple(steps))


def _literal(value: Any) -> Any:
    return (
        ListOf(values=tuple(const(part) for part in value))
        if isinstance(value, list)
        else const(value)
    )


def people_in(session: Session, text: str) -> frozenset[str]:
    """Keys of the users whom `text` names by id, email, order, or name with zip."""
    return frozenset(_named_users(session, text))


def _named_users(session: Session, text: str) -> Iterator[str]:
    lowered = text.lower()
    for key in session.keys("users"):
        user: Any = session.get("users", key)
        full_name = f"{user['name']['first_name']} {user['name']['last_name']}".lower()
        marks: Iterable[str] = (key, user["email"], *user["orders"])
        if any(mark.lower() in lowered for mark in marks) or (
            full_name in lowered and user["address"]["zip"] in text
        ):
            yield key
