"""What is left of a request's burden when every argument is named, and whom a text speaks of."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from environments.core.query import (
    AnyOf,
    Branch,
    Condition,
    Decline,
    ListOf,
    ObjectOf,
    Query,
    Selection,
    Step,
    The,
    Write,
    compare,
    const,
    ref,
)
from environments.core.state import Session
from environments.core.tools import ToolCall

A_DAY_AGO = "2024-05-14T15:00:00"
"""The world's clock stands at 15:00 on the 15th: what was booked since then was booked within the last 24 hours."""


def named(calls: Sequence[ToolCall]) -> Query:
    """The same writes with every argument named: all that is left is whether what the reservations say allows them."""
    steps: list[Step] = []
    for number, call in enumerate(calls):
        write = Write(
            tool=call.name,
            arguments={name: _literal(value) for name, value in call.arguments.items()},
        )
        if "reservation_id" not in call.arguments:
            steps.append(write)
            continue
        name = f"reservation_{number}"
        by: dict[str, Any] = {"reservation_id": const(call.arguments["reservation_id"])}
        clause, allowed = _rule(name, call)
        steps.append(The(selection=Selection(name=name, relation="reservation", by=by)))
        decline = Decline(clause=clause)
        steps.append(Branch(condition=allowed, then=(write,), otherwise=(decline,)))
    return Query(steps=tuple(steps))


def _rule(name: str, call: ToolCall) -> tuple[str, Condition]:
    """(clause of the policy, condition of the reservation called `name`) that decides whether the write is allowed."""
    match call.name:
        case "cancel_reservation":
            reasons = (
                compare(ref(f"{name}.cabin"), "eq", const("business")),
                compare(ref(f"{name}.insurance"), "eq", const("yes")),
                compare(ref(f"{name}.created_at"), "ge", const(A_DAY_AGO)),
            )
            return "5.3", AnyOf(conditions=reasons)
        case "update_reservation_baggages":
            bags = const(call.arguments["total_baggages"])
            return "4.4", compare(ref(f"{name}.total_baggages"), "le", bags)
        case "update_reservation_passengers":
            party = const(len(call.arguments["passengers"]))
            return "4.5", compare(ref(f"{name}.party"), "eq", party)
    other_cabin = compare(ref(f"{name}.cabin"), "ne", const(call.arguments["cabin"]))
    replaceable = compare(ref(f"{name}.cabin"), "ne", const("basic_economy"))
    return "4.1", AnyOf(conditions=(replaceable, other_cabin))


def _literal(value: Any) -> Any:
    if isinstance(value, list):
        return ListOf(values=tuple(map(_literal, value)))
    if isinstance(value, Mapping):
        return ObjectOf(fields={name: _literal(part) for name, part in value.items()})
    return const(value)


def people_in(session: Session, text: str) -> frozenset[str]:
    """Keys of the users whom `text` names by id, email, reservation, or full name."""
    return frozenset(_named_users(session, text))


def _named_users(session: Session, text: str) -> Iterator[str]:
    lowered = text.lower()
    for key in session.keys("users"):
        user: Any = session.get("users", key)
        full_name = f"{user['name']['first_name']} {user['name']['last_name']}"
        marks: Iterable[str] = (key, user["email"], full_name, *user["reservations"])
        if any(mark.lower() in lowered for mark in marks):
            yield key
