"""What the rental policy wants to be so before each write, and where a reader sees whether it is."""

from collections.abc import Iterator
from typing import Any

from environments.core.policy import FactPlace, Precondition
from environments.core.state import Record, Session
from environments.core.tools import ToolCall
from environments.rental.state import (
    FIRST_CANCELLABLE,
    LONGEST_FOR,
    LONGEST_HIRE,
    days_from,
    insurance_per_day,
)


def preconditions(call: ToolCall, session: Session) -> Iterator[Precondition]:
    """In the order in which somebody would look: the booking, the unit, the customer, the money."""
    arguments = call.arguments
    if call.name == "book_unit":
        yield from _new(arguments, session)
        return
    booking = session.get("bookings", arguments.get("booking_id"))
    if booking is None:
        return
    yield Precondition(
        "5.1",
        "the booking is upcoming",
        booking["status"],
        booking["status"] == "upcoming",
        (_in_booking(booking, "/status"),),
    )
    if call.name == "swap_unit":
        yield _insured("5.3", booking)
        yield from _swap(booking, arguments["new_unit_id"], session)
    elif call.name == "extend_booking":
        yield from _longer(booking, arguments["extra_days"], session)
    elif call.name == "add_insurance":
        yield _insured("5.4", booking)
        customer = session.get("customers", booking["customer_id"]) or {}
        daily = insurance_per_day(customer["membership"], booking["category"])
        yield from _credit(booking, daily * booking["days"], session)
    elif call.name == "cancel_booking":
        yield from _cancelling(booking, session)


def _in_booking(booking: Record, pointer: str) -> FactPlace:
    return FactPlace({"booking_id": booking["booking_id"]}, pointer)


def _insured(clause: str, booking: Record) -> Precondition:
    return Precondition(
        clause,
        "the booking is not insured",
        "insured" if booking["insured"] else "not insured",
        not booking["insured"],
        (_in_booking(booking, "/insured"),),
    )


def _new(arguments: Any, session: Session) -> Iterator[Precondition]:
    unit = session.get("units", arguments["unit_id"]) or {"offers": {}}
    day, days = arguments["pickup_date"], arguments["days"]
    yield _free("4.2", unit, arguments["unit_id"], day, days)
    customer = session.get("customers", arguments["customer_id"])
    if customer is None:
        return
    yield _length(customer, days)
    rate = unit["offers"].get(day, {}).get("daily_rate", 0)
    yield from _method(customer, arguments["payment_method_id"], days * rate)


def _free(clause: str, unit: Record, unit_id: str, day: str, days: int) -> Precondition:
    longest = unit["offers"].get(day, {}).get("longest", 0)
    return Precondition(
        clause,
        f"{unit_id} is free for {days} days from {day}",
        f"for at most {longest} days" if longest else "not on that day",
        1 <= days <= min(longest, LONGEST_HIRE),
        (FactPlace({"unit_id": unit_id, "pickup_date": day}, "/longest_hire"),),
    )


def _length(customer: Record, days: int) -> Precondition:
    longest = LONGEST_FOR[customer["membership"]]
    return Precondition(
        "4.3",
        f"the membership allows {days} days",
        f"{customer['membership']}: at most {longest}",
        days <= longest,
        (FactPlace({"customer_id": customer["customer_id"]}, "/membership"),),
    )


def _method(customer: Record, method_id: str, due: float) -> Iterator[Precondition]:
    method = customer["payment_methods"].get(method_id, {})
    place = f"/payment_methods/{method_id}"
    shown = {"customer_id": customer["customer_id"]}
    yield Precondition(
        "3.3",
        "the payment method is in the profile",
        method.get("source", "not there").replace("_", " "),
        bool(method),
        (FactPlace(shown, f"{place}/id"),),
    )
    if method.get("source") == "store_credit" and due > 0:
        yield Precondition(
            "3.3",
            f"the store credit covers ${due:,.2f}",
            f"${method['balance']:,.2f}",
            method["balance"] >= round(due, 2),
            (FactPlace(shown, f"{place}/balance"),),
        )


def _credit(booking: Record, due: float, session: Session) -> Iterator[Precondition]:
    """Of a booking's own method only the balance is in question."""
    customer = session.get("customers", booking["customer_id"])
    method_id = booking["payments"][0]["payment_method_id"]
    for one in _method(customer, method_id, due) if customer else ():
        if "covers" in one.wanted:
            yield one


def _swap(booking: Record, unit_id: str, session: Session) -> Iterator[Precondition]:
    unit: Record = session.get("units", unit_id) or {"category": "", "offers": {}}
    same = unit["category"] == booking["category"]
    yield Precondition(
        "5.2",
        f"{unit_id} is another {booking['category']}",
        "the booked one" if unit_id == booking["unit_id"] else unit["category"],
        same and unit_id != booking["unit_id"],
        (
            FactPlace({"unit_id": unit_id}, "/category"),
            _in_booking(booking, "/category"),
        ),
    )
    day, days = booking["pickup_date"], booking["days"]
    yield _free("5.2", unit, unit_id, day, days)
    rate = unit["offers"].get(day, {}).get("daily_rate", 0)
    yield from _credit(booking, days * (rate - booking["daily_rate"]), session)


def _longer(booking: Record, extra: int, session: Session) -> Iterator[Precondition]:
    unit = session.get("units", booking["unit_id"]) or {"offers": {}}
    last = days_from(booking["pickup_date"], booking["days"] + 1)[-1]
    taken = [day for day in days_from(last, extra) if day not in unit["offers"]]
    yield Precondition(
        "5.5",
        f"the unit is free for {extra} more days from {last}",
        f"out on {', '.join(taken)}" if taken else "free",
        not taken,
        tuple(
            FactPlace({"unit_id": booking["unit_id"], "pickup_date": day}, "/unit_id")
            for day in days_from(last, extra)
        ),
    )
    customer = session.get("customers", booking["customer_id"])
    if customer is None:
        return
    yield _length(customer, booking["days"] + extra)
    rate = booking["daily_rate"]
    if booking["insured"]:
        rate += insurance_per_day(customer["membership"], booking["category"])
    yield from _credit(booking, extra * rate, session)


def _cancelling(booking: Record, session: Session) -> Iterator[Precondition]:
    yield Precondition(
        "6.1",
        f"the pickup is on {FIRST_CANCELLABLE} or later",
        booking["pickup_date"],
        booking["pickup_date"] >= FIRST_CANCELLABLE,
        (_in_booking(booking, "/pickup_date"),),
    )
    customer = session.get("customers", booking["customer_id"]) or {"bookings": []}
    others = [key for key in customer["bookings"] if key != booking["booking_id"]]
    gone = [
        key
        for key in others
        if (session.get("bookings", key) or {}).get("status") == "cancelled"
    ]
    yield Precondition(
        "6.3",
        "no other booking was cancelled this season",
        f"{', '.join(gone)} was cancelled" if gone else "none of the others was",
        not gone,
        tuple(FactPlace({"booking_id": key}, "/status") for key in gone or others),
    )
