"""What queries of retail archetypes are put together from.

Every request begins with the account and the profile, called `account` and `profile`, so that requests of one customer can be joined.
"""

from collections.abc import Mapping
from typing import Any, Literal

from environments.core.domain import (
    Facts,
)
from environments.core.query import (
    Aggregate,
    AnyOf,
    Best,
    Branch,
    Condition,
    Exists,
    Expr,
    Key,
    ListOf,
    Not,
    Query,
    Ref,
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
    """The customer's orders that meet all conditions."""
    where = all_of(*conditions) if len(conditions) > 1 else next(iter(conditions), None)
    return Selection(name=name, relation="orders", of=ref("profile"), where=where)


def has_status(order: str, *statuses: str) -> Condition:
    checks = [
        compare(ref(f"{order}.status"), "eq", const(status)) for status in statuses
    ]
    return checks[0] if len(checks) == 1 else AnyOf(conditions=tuple(checks))


def holds_product(order: str, name: str, line: str = "") -> Condition:
    """Whether the thing of that fact is in the order; `line` is what its rows are called on the way."""
    line = line or f"{order}_line"
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


def other_variant(
    of: str, *conditions: Condition, name: str = "new", relation: str = "variants"
) -> Selection:
    """Other versions of the row called `of`."""
    other = compare(ref(f"{name}.item_id"), "ne", ref(f"{of}.item_id"))
    return Selection(
        name=name, relation=relation, of=ref(of), where=all_of(*conditions, other)
    )


def in_stock(name: str) -> Condition:
    return compare(ref(f"{name}.available"), "eq", const(True))


IN_STOCK = in_stock("new")


def differences(new: str, item: str, where: Condition | None = None) -> Selection:
    """Options in which the row `new` differs from the row `item`; names each of them `change`."""
    return Selection(
        name="change",
        relation="differences",
        of=ref(new),
        by={"options": ref(f"{item}.options")},
        where=where,
    )


def number_of_differences(new: str, item: str) -> Aggregate:
    return Aggregate(
        op="count", over=differences(new, item), value=ref("change.option")
    )


def only_differs_in(new: str, item: str, option: Expr) -> Condition:
    """Every option but that one is the same."""
    another = compare(ref("change.option"), "ne", option)
    return Not(condition=Exists(selection=differences(new, item, another)))


def option_of(name: str, option: str) -> Ref:
    """The value of that option of the row called `name`."""
    return Ref(name=name, path=("options", option))


def best(
    selection: Selection, *keys: str | Key, rank: int = 0, dearest: bool = False
) -> Best:
    """The one that comes first by price, or by these keys (names of values, smallest first)."""
    direction: Literal["asc", "desc"] = "desc" if dearest else "asc"
    objective = [
        key if isinstance(key, Key) else Key(value=ref(key), direction=direction)
        for key in keys or (f"{selection.name}.price",)
    ]
    return Best(selection=selection, objective=tuple(objective), rank=rank)


def exchange(order: str, items: Any, new: Any, method: Any) -> Write:
    arguments = {
        "order_id": ref(f"{order}.order_id"),
        "item_ids": items,
        "new_item_ids": new,
        "payment_method_id": method,
    }
    return Write(tool="exchange_delivered_order_items", arguments=arguments)


def exchange_one(method: Any = None) -> Write:
    """Exchange the row called `item` of the row called `order` for the row called `new`."""
    return exchange(
        "order",
        ListOf(values=(ref("item.item_id"),)),
        ListOf(values=(ref("new.item_id"),)),
        method or ref("method.id"),
    )


def modify_items(items: Any, new: Any) -> Write:
    """Change items of the row called `order`, paid with the row called `method`."""
    arguments = {
        "order_id": ref("order.order_id"),
        "item_ids": items,
        "new_item_ids": new,
        "payment_method_id": ref("method.id"),
    }
    return Write(tool="modify_pending_order_items", arguments=arguments)


def modify_one() -> Write:
    """Change the row called `item` to the row called `new`."""
    return modify_items(
        ListOf(values=(ref("item.item_id"),)), ListOf(values=(ref("new.item_id"),))
    )


def readdress(order: str, arguments: Mapping[str, Any]) -> Write:
    return Write(
        tool="modify_pending_order_address",
        arguments={"order_id": ref(f"{order}.order_id"), **arguments},
    )


ORIGINAL_METHOD = ref("order.payment_history.0.payment_method_id")


def return_items(items: Any, method: Any = ORIGINAL_METHOD) -> Write:
    """Return items of the row called `order`."""
    arguments = {
        "order_id": ref("order.order_id"),
        "item_ids": items,
        "payment_method_id": method,
    }
    return Write(tool="return_delivered_order_items", arguments=arguments)


def return_item(method: Any = ORIGINAL_METHOD) -> Write:
    """Return the row called `item` of the row called `order`."""
    return return_items(ListOf(values=(ref("item.item_id"),)), method)


def item_in(status: str, *conditions: Condition) -> The:
    """The thing called $product in an order with that status ("" for any); names `order` and `item`."""
    orders = (
        orders_where("order", has_status("order", status))
        if status
        else orders_where("order")
    )
    called = compare(ref("item.name"), "eq", fact("product"))
    return The(
        selection=Selection(
            name="item",
            relation="items",
            of=orders,
            where=all_of(called, *conditions) if conditions else called,
        )
    )


def order_with(status: str, name: str = "order", product: str = "product") -> The:
    """The order with that status ("" for any) that has the thing of that fact in it."""
    holds = holds_product(name, product)
    conditions = (has_status(name, status), holds) if status else (holds,)
    return The(selection=orders_where(name, *conditions))


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


ADDRESS_PARTS = ("address1", "address2", "city", "state", "country", "zip")


def address_arguments() -> dict[str, Any]:
    return {
        name: const("USA")
        if name == "country"
        else fact("new_zip" if name == "zip" else name)
        for name in ADDRESS_PARTS
    }


def address_of(row: str) -> dict[str, Any]:
    """Arguments from the address of the row of that name."""
    return {name: ref(f"{row}.address.{name}") for name in ADDRESS_PARTS}


def pay_branch(order: str, card: str) -> Branch:
    covers = compare(
        ref(f"{card}.balance"), "ge", ref(f"{order}.payment_history.0.amount")
    )
    return Branch(
        condition=covers,
        then=(repay(order, card),),
        otherwise=(repay(order, "other"),),
    )
