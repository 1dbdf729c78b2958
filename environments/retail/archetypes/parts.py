"""What queries and draws of retail archetypes are put together from."""

import random
from collections.abc import Callable, Sequence
from typing import Any

from environments.core.domain import (
    Facts,
    Proposal,
)
from environments.core.query import (
    AnyOf,
    Branch,
    Condition,
    Exists,
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


def orders_where(name: str, *conditions: Condition) -> Selection:
    where = conditions[0] if len(conditions) == 1 else all_of(*conditions)
    return Selection(name=name, relation="orders", of=ref("profile"), where=where)


def has_status(order: str, *statuses: str) -> Condition:
    checks = [
        compare(ref(f"{order}.status"), "eq", const(status)) for status in statuses
    ]
    return checks[0] if len(checks) == 1 else AnyOf(conditions=tuple(checks))


def holds_product(order: str, name: str) -> Condition:
    line = f"{order}_line"
    here = compare(ref(f"{line}.name"), "eq", fact(name))
    return Exists(
        selection=Selection(name=line, relation="items", of=ref(order), where=here)
    )


def the_method(name: str, source: Any) -> The:
    where = compare(ref(f"{name}.source"), "eq", source)
    return The(
        selection=Selection(
            name=name, relation="methods", of=ref("profile"), where=where
        )
    )


def other_variant(of: str, *conditions: Condition) -> Selection:
    other = compare(ref("new.item_id"), "ne", ref(f"{of}.item_id"))
    return Selection(
        name="new", relation="variants", of=ref(of), where=all_of(*conditions, other)
    )


IN_STOCK = compare(ref("new.available"), "eq", const(True))


def exchange(order: str, items: Any, new: Any, method: Any) -> Write:
    arguments = {
        "order_id": ref(f"{order}.order_id"),
        "item_ids": items,
        "new_item_ids": new,
        "payment_method_id": method,
    }
    return Write(tool="exchange_delivered_order_items", arguments=arguments)


def return_item(method: Any) -> Write:
    """Return the row called `item` of the row called `order`."""
    arguments = {
        "order_id": ref("order.order_id"),
        "item_ids": ListOf(values=(ref("item.item_id"),)),
        "payment_method_id": method,
    }
    return Write(tool="return_delivered_order_items", arguments=arguments)


ORIGINAL_METHOD = ref("order.payment_history.0.payment_method_id")


def item_in(status: str) -> The:
    """The thing called $product in an order with that status; names `order` and `item`."""
    return The(
        selection=Selection(
            name="item",
            relation="items",
            of=orders_where("order", has_status("order", status)),
            where=compare(ref("item.name"), "eq", fact("product")),
        )
    )


def repay(order: str, method: str) -> Write:
    arguments: dict[str, Any] = {
        "order_id": ref(f"{order}.order_id"),
        "payment_method_id": ref(f"{method}.id"),
    }
    return Write(tool="modify_pending_order_payment", arguments=arguments)


def cancel(order: str) -> Write:
    return Write(
        tool="cancel_pending_order",
        arguments={"order_id": ref(f"{order}.order_id"), "reason": fact("reason")},
    )


def request(facts: Facts, *steps: Step) -> Query:
    return Query(steps=(*_account(facts), *steps))


# --- parts of draws ------------------------------------------------------------------------------------------------------------


def draw_user(
    session: Session, rng: random.Random, people: Sequence[str]
) -> Record | None:
    return session.get("users", rng.choice(people))


def draw_payer(
    session: Session, rng: random.Random, people: Sequence[str], orders: int
) -> tuple[Record, str] | None:
    """Somebody with one gift card and another way to pay, who has that many pending orders paid with neither.

    Such people are rare, so that up to 300 are looked at.
    """
    for key in rng.sample(people, min(300, len(people))):
        user: Any = session.get("users", key)
        others = [source for source in single_sources(user) if source != "gift_card"]
        if "gift_card" not in single_sources(user) or not others:
            continue
        fallback = rng.choice(others)
        if len(repayable(session, user, fallback)) >= orders:
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


def orders_of(session: Session, user: Record, *statuses: str) -> list[Record]:
    found = [session.get("orders", order_id) for order_id in user["orders"]]
    return [
        order
        for order in found
        if order is not None and (not statuses or order["status"] in statuses)
    ]


def product_names(order: Record) -> list[str]:
    return [line["name"] for line in order["items"]]


SOUNDS_LIKE = {
    "delivered": ("delivered", "exchange requested", "return requested"),
    "pending": ("pending", "pending (item modified)"),
}
"""Status → statuses of the orders that its plain word also describes to a customer."""


def describe(
    session: Session, user: Record, status: str, rng: random.Random
) -> tuple[Record, str] | None:
    """An order with that status ("" for any), and a product that tells it from all orders that the word describes."""
    sounding = orders_of(session, user, *SOUNDS_LIKE[status] if status else ())
    pairs = [
        (order, name)
        for order in sounding
        if order["status"] == status or not status
        for name in dict.fromkeys(product_names(order))
        if product_names(order).count(name) == 1
        and not any(
            name in product_names(other) for other in sounding if other is not order
        )
    ]
    return rng.choice(pairs) if pairs else None


def single_sources(user: Record) -> list[str]:
    """Kinds of payment methods of which the user has exactly one."""
    sources = [method["source"] for method in user["payment_methods"].values()]
    return [source for source in dict.fromkeys(sources) if sources.count(source) == 1]


def proposal_for(
    user: Record, rng: random.Random, wishes: dict[str, Any], *clauses: str
) -> Proposal:
    return Proposal({**_identity(user, rng), **wishes}, clauses)


def two_described(
    session: Session, user: Record, rng: random.Random
) -> tuple[tuple[Record, str], tuple[Record, str]] | None:
    """Two different pending orders, each described by a product."""
    first, second = (describe(session, user, "pending", rng) for _ in range(2))
    return (first, second) if first and second and first[0] is not second[0] else None


def repayable(session: Session, user: Record, fallback: str) -> list[Record]:
    """Pending orders that are paid with neither the gift card nor the fallback, so that both branches are open."""
    taken = {
        key
        for key, method in user["payment_methods"].items()
        if method["source"] in ("gift_card", fallback)
    }
    return [
        order
        for order in orders_of(session, user, "pending")
        if len(order["payment_history"]) == 1
        and order["payment_history"][0]["payment_method_id"] not in taken
    ]


def propose_scan(
    least: int, *statuses: str
) -> Callable[[Session, random.Random, Sequence[str]], Proposal | None]:
    """People with several orders, at least two of them with one of the statuses."""

    def propose(
        session: Session, rng: random.Random, people: Sequence[str]
    ) -> Proposal | None:
        user = draw_user(session, rng, people)
        if (
            user is None
            or len(user["orders"]) < least
            or len(orders_of(session, user, *statuses)) < 2
        ):
            return None
        wishes: dict[str, Any] = {}
        clauses = ["wish", "refund"]
        if statuses == ("pending",):
            wishes["reason"] = rng.choice(["no longer needed", "ordered by mistake"])
            clauses = ["wish", "total", "reason"]
        return proposal_for(user, rng, wishes, *clauses)

    return propose


# --- addresses ---

ADDRESS_PARTS = ("address1", "address2", "city", "state", "country", "zip")
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


def new_address(rng: random.Random) -> dict[str, str]:
    city, state, new_zip = rng.choice(_PLACES)
    return {
        "address1": f"{rng.randrange(12, 989)} {rng.choice(_STREETS)} {rng.choice(('Street', 'Avenue', 'Lane'))}",
        "address2": f"Apt {rng.randrange(2, 60)}",
        "city": city,
        "state": state,
        "country": "USA",
        "new_zip": new_zip,
    }


def address_arguments() -> dict[str, Any]:
    return {
        name: const("USA")
        if name == "country"
        else fact("new_zip" if name == "zip" else name)
        for name in ADDRESS_PARTS
    }


def pay_branch(order: str, card: str) -> Branch:
    covers = compare(
        ref(f"{card}.balance"), "ge", ref(f"{order}.payment_history.0.amount")
    )
    return Branch(
        condition=covers,
        then=(repay(order, card),),
        otherwise=(repay(order, "other"),),
    )
