"""Retail in plain words: what a write will do with which items, money and addresses, and why something is refused.

Amounts are US dollars. Records that are not there are spoken of by id, so that nothing here ever raises for odd arguments.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from environments.core.state import Record, Session
from environments.core.tools import ToolCall
from environments.core.words import Words, plain_outcome, plain_write


def money(amount: float) -> str:
    return f"-${-amount:,.2f}" if amount < 0 else f"${amount:,.2f}"


def describe_write(call: ToolCall, session: Session) -> str:
    """An infinitive phrase: "cancel order #W1 (Desk Lamp), …". `session` is the state before the write."""
    say = _WRITES.get(call.name, plain_write)
    try:
        return say(call, session)
    except (KeyError, TypeError, IndexError, AttributeError):
        return plain_write(call, session)


def describe_outcome(call: ToolCall, session: Session) -> str:
    """What has been done, and what the customer can expect. `session` is the state after the write."""
    say = _OUTCOMES.get(call.name, plain_outcome)
    try:
        return say(call, session)
    except (KeyError, TypeError, IndexError, AttributeError):
        return plain_outcome(call, session)


# --- things --------------------------------------------------------------------------------------------------------------------


def _order(call: ToolCall, session: Session) -> Record:
    return _record(session, "orders", call.arguments["order_id"])


def _record(session: Session, collection: str, key: Any) -> Record:
    record = session.get(collection, key)
    if record is None:
        raise KeyError(key)
    return record


def _options(options: Mapping[str, Any]) -> str:
    return ", ".join(map(str, options.values()))


def _line_text(line: Record) -> str:
    return f"the {line['name']} ({_options(line['options'])}; item {line['item_id']})"


def _variant_text(variant: Record) -> str:
    return f"item {variant['item_id']} ({_options(variant['options'])}, {money(variant['price'])})"


def _lines(order: Record, item_ids: Sequence[str]) -> list[Record]:
    """The order's lines with these ids, a repeated id taking the next line."""
    left = list(order["items"])
    found = []
    for item_id in item_ids:
        line = next((line for line in left if line["item_id"] == item_id), None)
        if line is None:
            raise KeyError(item_id)
        left.remove(line)
        found.append(line)
    return found


def _pairs(call: ToolCall, session: Session) -> list[tuple[Record, Record]]:
    """(line of the order, variant for it) for each pair of an exchange or a modification."""
    order, pairs = _order(call, session), []
    lines = _lines(order, call.arguments["item_ids"])
    for line, new in zip(lines, call.arguments["new_item_ids"], strict=True):
        product = _record(session, "products", line["product_id"])
        pairs.append((line, product["variants"][new]))
    return pairs


def _method_text(session: Session, user_id: str, method_id: str) -> str:
    method = _record(session, "users", user_id)["payment_methods"][method_id]
    match method["source"]:
        case "gift_card":
            return f"your gift card ({method_id}, balance {money(method['balance'])})"
        case "paypal":
            return f"your PayPal account ({method_id})"
    return f"your {method['brand']} credit card ending in {method['last_four']} ({method_id})"


def _short_method(session: Session, user_id: str, method_id: str) -> str:
    method = _record(session, "users", user_id)["payment_methods"][method_id]
    words = {"gift_card": "gift card", "paypal": "PayPal account"}
    return f"your {words.get(method['source'], 'credit card')}"


def _wait(session: Session, user_id: str, method_id: str) -> str:
    method = _record(session, "users", user_id)["payment_methods"][method_id]
    return (
        "at once" if method["source"] == "gift_card" else "within 5 to 7 business days"
    )


def _address(arguments: Mapping[str, Any]) -> str:
    street = ", ".join(filter(None, (arguments["address1"], arguments["address2"])))
    place = f"{arguments['city']}, {arguments['state']} {arguments['zip']}"
    return f"{street}, {place}, {arguments['country']}"


def _names(order: Record) -> str:
    return ", ".join(line["name"] for line in order["items"])


def _list(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else "; ".join(parts[:-1]) + "; and " + parts[-1]


# --- what a write will do ------------------------------------------------------------------------------------------------------


def _cancel(call: ToolCall, session: Session) -> str:
    order = _order(call, session)
    paid = order["payment_history"][0]
    method = _method_text(session, order["user_id"], paid["payment_method_id"])
    return (
        f"cancel order {order['order_id']} ({_names(order)}) with the reason "
        f'"{call.arguments["reason"]}", and refund {money(paid["amount"])} to {method}'
    )


def _change_items(verb: str) -> Callable[[ToolCall, Session], str]:
    def say(call: ToolCall, session: Session) -> str:
        order, pairs = _order(call, session), _pairs(call, session)
        swaps = [f"{_line_text(old)} for {_variant_text(new)}" for old, new in pairs]
        difference = round(sum(new["price"] - old["price"] for old, new in pairs), 2)
        method = _method_text(
            session, order["user_id"], call.arguments["payment_method_id"]
        )
        if difference == 0:
            paid = f"there is no price difference to settle with {method}"
        elif difference > 0:
            paid = f"the difference of {money(difference)} is paid with {method}"
        else:
            paid = f"the difference of {money(-difference)} goes back to {method}"
        return f"{verb} in order {order['order_id']} {_list(swaps)}; {paid}"

    return say


def _return(call: ToolCall, session: Session) -> str:
    order = _order(call, session)
    lines = _lines(order, call.arguments["item_ids"])
    total = round(sum(line["price"] for line in lines), 2)
    method = _method_text(
        session, order["user_id"], call.arguments["payment_method_id"]
    )
    things = _list([_line_text(line) for line in lines])
    return f"return {things} from order {order['order_id']}, with the refund of {money(total)} to {method}"


def _repay(call: ToolCall, session: Session) -> str:
    order = _order(call, session)
    paid = order["payment_history"][0]
    old = _method_text(session, order["user_id"], paid["payment_method_id"])
    new = _method_text(session, order["user_id"], call.arguments["payment_method_id"])
    return (
        f"change the payment of order {order['order_id']} ({_names(order)}), {money(paid['amount'])}, "
        f"from {old} to {new}"
    )


def _readdress(call: ToolCall, session: Session) -> str:
    order = _order(call, session)
    return (
        f"send order {order['order_id']} ({_names(order)}) to {_address(call.arguments)} "
        f"instead of {_address(order['address'])}"
    )


def _move(call: ToolCall, session: Session) -> str:
    _record(session, "users", call.arguments["user_id"])
    return f"change the default address in your profile to {_address(call.arguments)}"


_WRITES: dict[str, Callable[[ToolCall, Session], str]] = {
    "cancel_pending_order": _cancel,
    "exchange_delivered_order_items": _change_items("exchange"),
    "modify_pending_order_items": _change_items("change"),
    "modify_pending_order_address": _readdress,
    "modify_pending_order_payment": _repay,
    "modify_user_address": _move,
    "return_delivered_order_items": _return,
}


# --- what it did ---------------------------------------------------------------------------------------------------------------


def _cancelled(call: ToolCall, session: Session) -> str:
    order = _order(call, session)
    paid = order["payment_history"][0]
    who = order["user_id"], paid["payment_method_id"]
    return (
        f"Order {order['order_id']} is cancelled. {money(paid['amount'])} goes back to "
        f"{_short_method(session, *who)} {_wait(session, *who)}."
    )


def _exchanged(call: ToolCall, session: Session) -> str:
    order = _order(call, session)
    return (
        f"The exchange for order {order['order_id']} is requested. "
        "You will get an email on how to send the old items back; no new order is needed."
    )


def _modified(call: ToolCall, session: Session) -> str:
    order = _order(call, session)
    return f"Order {order['order_id']} now has the new items and is locked for further changes."


def _repaid(call: ToolCall, session: Session) -> str:
    order = _order(call, session)
    new, refund = order["payment_history"][-2:]
    who, old = order["user_id"], refund["payment_method_id"]
    return (
        f"Order {order['order_id']} is now paid with {_short_method(session, who, new['payment_method_id'])}. "
        f"{money(refund['amount'])} goes back to {_short_method(session, who, old)} {_wait(session, who, old)}."
    )


def _readdressed(call: ToolCall, session: Session) -> str:
    return f"Order {call.arguments['order_id']} will go to {_address(call.arguments)}."


def _moved(call: ToolCall, session: Session) -> str:
    return f"Your default address is now {_address(call.arguments)}."


def _returned(call: ToolCall, session: Session) -> str:
    order = _order(call, session)
    method = _short_method(
        session, order["user_id"], call.arguments["payment_method_id"]
    )
    return (
        f"The return for order {order['order_id']} is requested, with the refund to {method}. "
        "You will get an email on how to send it back."
    )


_OUTCOMES: dict[str, Callable[[ToolCall, Session], str]] = {
    "cancel_pending_order": _cancelled,
    "exchange_delivered_order_items": _exchanged,
    "modify_pending_order_items": _modified,
    "modify_pending_order_address": _readdressed,
    "modify_pending_order_payment": _repaid,
    "modify_user_address": _moved,
    "return_delivered_order_items": _returned,
}


# --- why not -------------------------------------------------------------------------------------------------------------------

_RULES = {
    "1.3": "I can only help with your own account and orders.",
    "3.1": "an order can only be paid with a method that is already in your profile.",
    "3.5": "only orders that are pending or delivered can be changed.",
    "4.1": "only an order that is still pending can be cancelled.",
    "4.2": "an order can only be cancelled when it is no longer needed or was ordered by mistake.",
    "5.1": "address, payment and options can only be changed while an order is pending, and items can't be added, dropped or replaced by another product.",
    "5.2": "the new payment method has to be a different one that covers the whole total, and it can be changed only once.",
    "5.3": "an item can only be replaced by an available version of the same product.",
    "5.4": "items can be modified only once, and after that the order is locked.",
    "5.5": "a gift card has to have enough balance for the price difference.",
    "6.1": "items can only be returned from an order that has been delivered.",
    "6.2": "a refund can only go to the original payment method or to a gift card on your profile.",
    "7.1": "an item can only be exchanged, in a delivered order, for an available version of the same product.",
    "7.2": "an order can be exchanged only once.",
    "7.3": "a gift card has to have enough balance for the price difference.",
    "7.5": "an order takes one return or one exchange, and not a second one.",
}


_BY_STATUS = ("3.5", "4.1", "5.1", "5.4", "6.1", "7.1", "7.5")
"""Clauses that look at the order's status."""


def describe_refusal(clause: str, reads: Sequence[ToolCall], session: Session) -> str:
    """Why the clause forbids what was asked, with the order's status where that is the reason. `reads` are the agent's."""
    rule = _RULES.get(clause, f"rule {clause} of our policy does not allow it.")
    order = _last_order(reads, session)
    if order is None or clause not in _BY_STATUS:
        return f"I'm sorry, but I can't do that: {rule}"
    return (
        f"I'm sorry, but I can't do that: {rule} "
        f'Order {order["order_id"]} has the status "{order["status"]}".'
    )


def _last_order(reads: Sequence[ToolCall], session: Session) -> Record | None:
    for call in reversed(reads):
        if call.name == "get_order_details":
            return session.get("orders", call.arguments.get("order_id"))
    return None


# --- what to ask ---------------------------------------------------------------------------------------------------------------

_PAY = (
    "Which payment method would you like to use for [that|this]?",
    "How would you like to [settle|handle] any [price difference|payment]?",
    "Where should the money [go|come from]?",
)
_ADDRESS = (
    "What is the [full |complete ]new address?",
    "Could you [give|tell] me the full address?",
)
_VERSION = ("Which version would you like?", "What should the new one be like?")
_LIMIT = ("Is there a limit to the price?", "Up to which amount?")
QUESTIONS: dict[str, tuple[str, ...]] = {
    "payment": _PAY,
    "fallback": _PAY,
    "reason": (
        "[May|Could] I ask [the reason|why]?",
        "What is the reason for [the cancellation|cancelling]?",
    ),
    "product": ("Which product is [it|this] about?", "Which order do you mean?"),
    "excuse": (
        "[May|Could] I ask [the reason|why]?",
        "What is the reason for [the cancellation|cancelling]?",
    ),
    "option": _VERSION,
    "value": _VERSION,
    "size": _VERSION,
    "count": ("How many versions would be enough for you?",),
    "extra": _LIMIT,
    "limit": _LIMIT,
    "sum": ("What amount [do you|should I] compare with?",),
    "city": ("Which address do you mean?", "To which address [is it|should it go]?"),
    "last_four": ("Which card is it?", "Which card would you like to use?"),
    "other_product": ("What about the other order?", "Which other order is it about?"),
    "order_id": ("[What is|Could you tell me] the order id?",),
    "address1": _ADDRESS,
    "new_zip": _ADDRESS,
}


def aliases(call: ToolCall, session: Session) -> Mapping[str, Sequence[Sequence[str]]]:
    """Items may be named by their options, payment methods by kind or last digits, the customer not at all."""
    found: dict[str, Sequence[Sequence[str]]] = {}
    order = session.get("orders", str(call.arguments.get("order_id")))
    user_id = order["user_id"] if order else str(call.arguments.get("user_id"))
    user = session.get("users", user_id)
    if user is not None:
        found[user_id] = [[]]
        for method_id, method in user["payment_methods"].items():
            ways = [[method["source"].replace("_", " ")]]
            found[method_id] = [*ways, [method.get("last_four", method_id)]]
    for name in ("item_ids", "new_item_ids"):
        items = call.arguments.get(name)
        for item_id in items if isinstance(items, list) else ():
            found.update(_item_alias(item_id, session))
    return found


def _item_alias(item_id: Any, session: Session) -> dict[str, Sequence[Sequence[str]]]:
    if not isinstance(item_id, str):
        return {}
    product_id = session.lookup("product_by_item", item_id)
    product = session.get("products", product_id) if product_id else None
    if product is None:
        return {}
    return {item_id: [list(product["variants"][item_id]["options"].values())]}


# --- writes that should not be made, for faults --------------------------------------------------------------------------------


def unasked_write(gold: ToolCall, session: Session) -> ToolCall | None:
    """The customer's default address with another second line. None if the gold does not lead to a customer."""
    order = session.get("orders", gold.arguments.get("order_id"))
    user_id = order["user_id"] if order else gold.arguments.get("user_id")
    user = session.get("users", user_id)
    if user is None:
        return None
    address = {**user["address"], "address2": "c/o the front desk"}
    return ToolCall(
        name="modify_user_address", arguments={"user_id": user_id, **address}
    )


def forbidden_write(
    clause: str, reads: Sequence[ToolCall], session: Session
) -> ToolCall | None:
    """The write that the clause speaks of, on the order last looked at. None if there was none."""
    order = _last_order(reads, session)
    if order is None:
        return None
    make = _FORBIDDEN.get(clause) or _FORBIDDEN[clause.partition(".")[0]]
    name, arguments = make(order, session)
    return ToolCall(name=name, arguments={"order_id": order["order_id"], **arguments})


type _Forbidden = tuple[str, dict[str, Any]]


def _move_it(order: Record, session: Session) -> _Forbidden:
    address = _record(session, "users", order["user_id"])["address"]
    there = {**address, "address2": "c/o the front desk"}
    return "modify_pending_order_address", there


def _cancel_it(order: Record, session: Session) -> _Forbidden:
    return "cancel_pending_order", {"reason": "no longer needed"}


def _pay_with_unknown(order: Record, session: Session) -> _Forbidden:
    methods = _record(session, "users", order["user_id"])["payment_methods"]
    unknown = next(
        f"credit_card_{n}" for n in range(10**6) if f"credit_card_{n}" not in methods
    )
    return "modify_pending_order_payment", {"payment_method_id": unknown}


def _pay_with_wrong(order: Record, session: Session) -> _Forbidden:
    """A gift card that does not cover the order, or else what pays for it already."""
    paid = order["payment_history"][0]
    methods = _record(session, "users", order["user_id"])["payment_methods"]
    short = [key for key, balance in _balances(methods) if balance < paid["amount"]]
    method = next(iter(short), paid["payment_method_id"])
    return "modify_pending_order_payment", {"payment_method_id": method}


def _balances(methods: Mapping[str, Record]) -> list[tuple[str, float]]:
    return [
        (key, method["balance"])
        for key, method in methods.items()
        if method["source"] == "gift_card"
    ]


def _return_it(order: Record, session: Session) -> _Forbidden:
    item, method = order["items"][0]["item_id"], _other_method(order, session)
    arguments = {"item_ids": [item], "payment_method_id": method}
    return "return_delivered_order_items", arguments


def _swap_it(order: Record, session: Session) -> _Forbidden:
    """For a version that is sold out, or for something of another type."""
    line = order["items"][0]
    variants = _record(session, "products", line["product_id"])["variants"].values()
    sold_out = [v["item_id"] for v in variants if not v["available"]]
    new = next(iter(sold_out), None) or _anything_else(line, session)
    return _exchange(line, new, _other_method(order, session))


def _anything_else(line: Record, session: Session) -> str:
    other = next(k for k in session.keys("products") if k != line["product_id"])
    variants: Record = _record(session, "products", other)["variants"]
    return next(iter(variants))


def _swap_on_card(order: Record, session: Session) -> _Forbidden:
    """For a version that costs more than a gift card holds, if there is one."""
    methods = _record(session, "users", order["user_id"])["payment_methods"]
    for line in order["items"]:
        variants = _record(session, "products", line["product_id"])["variants"].values()
        for variant in variants:
            for method, balance in _balances(methods):
                if variant["available"] and variant["price"] - line["price"] > balance:
                    return _exchange(line, variant["item_id"], method)
    return _swap_it(order, session)


def _exchange(line: Record, new: str, method: str) -> _Forbidden:
    arguments = {
        "item_ids": [line["item_id"]],
        "new_item_ids": [new],
        "payment_method_id": method,
    }
    return "exchange_delivered_order_items", arguments


_FORBIDDEN: dict[str, Callable[[Record, Session], _Forbidden]] = {
    "3": _move_it,
    "3.1": _pay_with_unknown,
    "4": _cancel_it,
    "5": _move_it,
    "5.2": _pay_with_wrong,
    "6": _return_it,
    "7": _swap_it,
    "7.3": _swap_on_card,
    "7.5": _return_it,
}
"""Clause, or section, → what breaks it: (tool, arguments beside the order id)."""


def _other_method(order: Record, session: Session) -> str:
    """A method that did not pay the order, no gift card if possible, if the customer has one."""
    paid: str = order["payment_history"][0]["payment_method_id"]
    methods = _record(session, "users", order["user_id"])["payment_methods"]
    others = [method for method in methods if method != paid]
    others.sort(key=lambda method: methods[method]["source"] == "gift_card")
    return next(iter(others), paid)


WORDS = Words(
    describe_write=describe_write,
    describe_outcome=describe_outcome,
    describe_refusal=describe_refusal,
    questions=QUESTIONS,
    aliases=aliases,
    unasked_write=unasked_write,
    forbidden_write=forbidden_write,
)
