"""Clauses of the retail policy that a program can judge, over what happened in a conversation.

Calls that failed are not breaches by themselves: the tools refused them. What the tools let through against the policy is.
"""

from collections.abc import Iterator
from typing import Any

from environments.core.policy import Breach, Event, PolicyCheck, PolicyTrace
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
    PolicyCheck("2.5", "A transfer is announced", transferred_properly),
    PolicyCheck("3.5", "The status is looked up before acting", status_looked_up),
    PolicyCheck("4.2", "The reason for cancelling is the customer's", reason_given),
    PolicyCheck("5.4", "Nothing after an item modification", locked_after_items),
    PolicyCheck("6.2", "Refund to an allowed method", refund_method),
    PolicyCheck("7.1", "Exchanged for another version", same_product),
    PolicyCheck("7.5", "One return or one exchange", one_return_or_exchange),
)
