"""Clauses of the retail policy that a program can judge, over what happened in a conversation.

Calls that failed are not breaches by themselves: the tools refused them. What the tools let through against the policy is.
At the end stands what becomes of every other clause: a tool enforces it, or only a reader can judge it.
"""

from collections.abc import Callable, Iterator
from typing import Any

from environments.core.policy import (
    Breach,
    Event,
    PolicyCheck,
    PolicyTrace,
    says_yes,
)
from environments.core.state import Record
from environments.core.tools import ToolKind

_FIND = ("find_user_id_by_email", "find_user_id_by_name_zip")
_ONCE = ("return_delivered_order_items", "exchange_delivered_order_items")
_REASONS: dict[str, tuple[str, ...]] = {
    "no longer needed": (
        "no longer need",
        "not needed",
        "don't need",
        "do not need",
        "changed my mind",
    ),
    "ordered by mistake": ("mistake", "accident", "didn't mean to order"),
}


def authenticated_first(trace: PolicyTrace) -> Iterator[Breach]:
    """1.1: a find tool gave an account before any other call but arithmetic and the transfer."""
    for event in trace.calls:
        assert event.call is not None
        if event.call.name in _FIND:
            if event.made:
                return
        elif event.kind is not ToolKind.GENERIC and event.kind is not None:
            yield Breach(
                f"{event.call.name} was called before the customer's account was found.",
                (event.index,),
            )
            return


def one_customer(trace: PolicyTrace) -> Iterator[Breach]:
    """1.3: reads and writes touch the profile and orders of the customer found first, and of nobody else."""
    customer: str | None = None
    for event in trace.calls:
        assert event.call is not None
        assert event.result is not None
        if not event.made:
            continue
        if event.call.name in _FIND:
            customer = customer or event.result.content
            owner: Any = event.result.content
        else:
            owner = _owner(trace, event)
        if customer and owner and owner != customer:
            yield Breach(
                f"{event.call.name} concerns {owner}, but the customer is {customer}.",
                (event.index,),
            )


def _owner(trace: PolicyTrace, event: Event) -> str | None:
    """Whose profile or order the call is about; None if nobody's."""
    assert event.call is not None
    arguments = event.call.arguments
    if "user_id" in arguments:
        return str(arguments["user_id"])
    order = _order(trace, arguments.get("order_id"))
    return None if order is None else str(order["user_id"])


def _order(trace: PolicyTrace, order_id: Any) -> Record | None:
    return trace.start.get("orders", order_id) if isinstance(order_id, str) else None


def confirmed(trace: PolicyTrace) -> Iterator[Breach]:
    """2.1: the agent listed order and items, or address, of the write, and the customer said yes to that, once per write."""
    spent: set[tuple[int, str]] = set()
    for event in trace.calls:
        if not event.wrote or event.call is None:
            continue
        fresh = [n for n in _agreed(trace, event) if (n, event.call.key) not in spent]
        if fresh:
            spent.add((fresh[-1], event.call.key))
        else:
            text = f"{event.call.name} was made without a yes to just that."
            yield Breach(text, (event.index,))


def _agreed(trace: PolicyTrace, write: Event) -> list[int]:
    """Indexes of answers that are a yes to a text that lists what the write changes."""
    texts = [e for e in trace.events if e.call is None and e.index < write.index]
    found = []
    for n, event in enumerate(texts):
        if event.by == "agent" and _lists(trace, event.text, write):
            answer = next((e for e in texts[n:] if e.by == "user"), None)
            if answer is not None and says_yes(answer.text):
                found.append(answer.index)
    return found


def _lists(trace: PolicyTrace, text: str, write: Event) -> bool:
    """Whether the text names order and address of the write, and its items by id or by their options."""
    assert write.call is not None
    arguments = write.call.arguments
    told = [str(arguments[key]) for key in ("order_id", "address1") if key in arguments]
    items = [
        item
        for key in ("item_ids", "new_item_ids")
        for item in arguments.get(key, [])
        if isinstance(item, str)
    ]
    return all(word in text for word in told) and all(
        item in text or _described(trace, item, text) for item in items
    )


def _described(trace: PolicyTrace, item_id: str, text: str) -> bool:
    product_id = trace.start.lookup("product_by_item", item_id)
    product = trace.start.get("products", product_id)
    options = product["variants"][item_id]["options"].values() if product else ()
    return bool(options) and all(option.lower() in text.lower() for option in options)


def one_thing_per_turn(trace: PolicyTrace) -> Iterator[Breach]:
    """2.2: a turn is a text or one call."""
    turns: dict[int, list[Event]] = {}
    for event in trace.events:
        if event.by == "agent" and (event.call is not None or event.text.strip()):
            turns.setdefault(event.index, []).append(event)
    for index, events in turns.items():
        if len(events) > 1:
            what = "a text and a call" if any(not e.call for e in events) else "calls"
            yield Breach(f"One turn holds {len(events)} things: {what}.", (index,))


def reason_given(trace: PolicyTrace) -> Iterator[Breach]:
    """4.2: the reason of a cancellation is the customer's, said before it."""
    for event in trace.calls:
        assert event.call is not None
        if not event.wrote or event.call.name != "cancel_pending_order":
            continue
        reason = event.call.arguments["reason"]
        ways = (*trace.lexicon.get("reason", {}).get(reason, ()), reason)
        told = trace.said_by_user(event.index)
        if not any(way.lower() in told for way in (*ways, *_REASONS.get(reason, ()))):
            yield Breach(
                f'The customer never gave the reason "{reason}".', (event.index,)
            )


def status_looked_up(trace: PolicyTrace) -> Iterator[Breach]:
    """3.5: the order was read, with success, before the agent tries to change it."""
    seen: set[Any] = set()
    for event in trace.calls:
        assert event.call is not None
        order_id = event.call.arguments.get("order_id")
        if not isinstance(order_id, str):
            continue
        if event.call.name == "get_order_details" and event.made:
            seen.add(order_id)
        elif event.wrote and order_id not in seen:
            yield Breach(
                f"{event.call.name} changed order {order_id} before its status was looked up.",
                (event.index,),
            )


_SAID_AS = {
    "credit_card": ("credit card", "card ending", "visa", "mastercard", "my card"),
    "paypal": ("paypal",),
    "gift_card": ("gift card", "giftcard"),
}


def method_named(tool: str) -> Callable[[PolicyTrace], Iterator[Breach]]:
    """5.5, 7.3: the method that settles the difference was named by the customer, or listed and agreed to."""

    def judge(trace: PolicyTrace) -> Iterator[Breach]:
        for event in trace.calls:
            assert event.call is not None
            if not event.wrote or event.call.name != tool:
                continue
            method = str(event.call.arguments["payment_method_id"])
            if not _chosen(trace, event, method):
                text = f"The customer never chose {method} for the difference."
                yield Breach(text, (event.index,))

    return judge


def _chosen(trace: PolicyTrace, write: Event, method_id: str) -> bool:
    said = trace.said_by_user(write.index)
    source = method_id.rpartition("_")[0]
    if method_id in said or any(way in said for way in _SAID_AS.get(source, ())):
        return True
    listed = any(
        e.by == "agent" and e.index < write.index and method_id in e.text
        for e in trace.events
    )
    return listed and bool(_agreed(trace, write))


def locked_after_items(trace: PolicyTrace) -> Iterator[Breach]:
    """5.4: after its items were modified, nothing more is done to an order (the tools let address and payment through)."""
    locked = {
        order_id
        for order_id in _orders_named(trace)
        if (_order(trace, order_id) or {}).get("status") == "pending (item modified)"
    }
    for event in trace.calls:
        assert event.call is not None
        if not event.wrote:
            continue
        order_id = event.call.arguments.get("order_id")
        if order_id in locked:
            yield Breach(
                f"{event.call.name} changed order {order_id} after its items were modified.",
                (event.index,),
            )
        if event.call.name == "modify_pending_order_items":
            locked.add(str(order_id))


def _orders_named(trace: PolicyTrace) -> set[str]:
    named = (
        event.call.arguments.get("order_id") for event in trace.calls if event.call
    )
    return {order_id for order_id in named if isinstance(order_id, str)}


def one_return_or_exchange(trace: PolicyTrace) -> Iterator[Breach]:
    """6.3, 7.2, 7.5: an order takes one return or one exchange; a second one is not even tried."""
    done: dict[str, int] = {}
    for event in trace.calls:
        assert event.call is not None
        order_id = event.call.arguments.get("order_id")
        if event.call.name not in _ONCE or not isinstance(order_id, str):
            continue
        if order_id in done:
            yield Breach(
                f"Order {order_id} was already returned or exchanged.",
                (done[order_id], event.index),
            )
        elif event.wrote:
            done[order_id] = event.index


def refund_method(trace: PolicyTrace) -> Iterator[Breach]:
    """6.2: a refund goes to the order's original method or to a gift card of the profile."""
    for event in trace.calls:
        assert event.call is not None
        if event.call.name != "return_delivered_order_items" or not event.wrote:
            continue
        order = _order(trace, event.call.arguments["order_id"])
        if order is None:
            continue
        method = event.call.arguments["payment_method_id"]
        methods = (trace.start.get("users", order["user_id"]) or {})["payment_methods"]
        if methods[method]["source"] == "gift_card":
            continue
        if method != order["payment_history"][0]["payment_method_id"]:
            yield Breach(
                f"The refund goes to {method}, which did not pay for the order.",
                (event.index,),
            )


def same_product(trace: PolicyTrace) -> Iterator[Breach]:
    """5.3, 7.1: an exchanged item becomes another one, not itself."""
    for event in trace.calls:
        assert event.call is not None
        if event.call.name != "exchange_delivered_order_items" or not event.wrote:
            continue
        arguments = event.call.arguments
        for old, new in zip(
            arguments["item_ids"], arguments["new_item_ids"], strict=False
        ):
            if old == new:
                yield Breach(f"Item {old} was exchanged for itself.", (event.index,))


def transferred_properly(trace: PolicyTrace) -> Iterator[Breach]:
    """2.5: after a transfer the agent's next message is the fixed sentence."""
    events = trace.events
    for n, event in enumerate(events):
        if event.call is None or event.call.name != "transfer_to_human_agents":
            continue
        after = next((e for e in events[n + 1 :] if e.by == "agent"), None)
        if event.made and after is not None and _HOLD not in after.text:
            yield Breach(
                "After the transfer the customer was not told to hold on.",
                (event.index, after.index),
            )


_HOLD = "YOU ARE BEING TRANSFERRED TO A HUMAN AGENT. PLEASE HOLD ON."

POLICY_CHECKS = (
    PolicyCheck(
        "1.1", "The account is found before anything else", authenticated_first
    ),
    PolicyCheck("1.3", "Only this customer's account and orders", one_customer),
    PolicyCheck("2.1", "A yes to just this change, before each change", confirmed),
    PolicyCheck("2.2", "A text or one call per turn", one_thing_per_turn),
    PolicyCheck("2.5", "A transfer is announced", transferred_properly),
    PolicyCheck("3.5", "The status is looked up before acting", status_looked_up),
    PolicyCheck("4.2", "The reason for cancelling is the customer's", reason_given),
    PolicyCheck("5.4", "Nothing after an item modification", locked_after_items),
    PolicyCheck(
        "5.5",
        "The customer says how a changed item is paid",
        method_named("modify_pending_order_items"),
    ),
    PolicyCheck("6.2", "Refund to an allowed method", refund_method),
    PolicyCheck("7.1", "Exchanged for another version", same_product),
    PolicyCheck(
        "7.3",
        "The customer says how an exchange is paid",
        method_named("exchange_delivered_order_items"),
    ),
    PolicyCheck("7.5", "One return or one exchange", one_return_or_exchange),
)

ENFORCED = {
    "3.1": "A write with a method that is not in the profile is refused.",
    "3.3": "A product id where an item id belongs, or the other way round, is refused.",
    "3.6": "A new default address leaves the orders as they are.",
    "4.1": "An order that is not pending is not cancelled.",
    "4.2": "Other reasons are refused (that the reason is the customer's is a check).",
    "4.3": "Cancelling sets the status and refunds a gift card at once.",
    "5.1": "Nothing changes in an order that is not pending; other product types are refused.",
    "5.2": "The same method, a second change and a gift card that is too small are refused.",
    "5.3": "What is sold out, the same or of another type is refused.",
    "5.4": "Items are changed once and lock the order (that its address stays is a check).",
    "5.5": "A gift card that does not cover the difference is refused.",
    "6.1": "Nothing is returned from an order that was not delivered.",
    "6.2": "A refund to another method is refused (a check looks at it, too).",
    "6.3": "A return sets the status.",
    "7.1": "Nothing is exchanged that was not delivered, or for what is sold out or of another type.",
    "7.2": "A second exchange is refused.",
    "7.3": "A gift card that does not cover the difference is refused.",
    "7.4": "An exchange sets the status and makes no new order.",
    "7.5": "A return after an exchange is refused, and the other way round.",
}
"""Clauses that the tools enforce, at least in part: what they do. A test of each bears its number."""

FOR_READERS = {
    "1.2": "It allows something; what may be told is the customer's own, and 1.3 is checked.",
    "2.3": "Whether a sentence is a fact, an opinion or an invention takes somebody who understands it.",
    "2.4": "That a request goes against the policy is judged by what was written; the words of a refusal need a reader.",
    "3.2": "It tells what the shop sells; there is nothing to follow.",
    "3.4": "It tells what an order has; there is nothing to follow.",
}
"""Clauses that only a reader can judge, and why."""
