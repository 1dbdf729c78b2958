"""The floor of the burden: the same writes with every argument named by the user."""

from collections.abc import Sequence
from typing import Any

from environments.core.query import (
    Branch,
    Decline,
    ListOf,
    Query,
    Selection,
    Step,
    The,
    Write,
    const,
)
from environments.core.tools import ToolCall
from environments.retail.archetypes.parts import has_status

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
        allowed = has_status(order, _STATUS_FOR[call.name])
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
