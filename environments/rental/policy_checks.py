"""Clauses of the rental policy that a program can judge, over what happened in a conversation."""

from collections.abc import Iterator
from typing import Any

from environments.core.policy import Breach, Event, PolicyCheck, PolicyTrace

_FIND = ("find_customer_by_email", "find_customer_by_name_zip")
_PUBLIC = ("search_units", "get_unit", "transfer_to_human")
_FIRST_CANCELLABLE = "2027-06-05"
_BASIC_DAYS = 5


def account_first(trace: PolicyTrace) -> Iterator[Breach]:
    """1.1: the account is found before anything in an account is read or changed."""
    for event in trace.calls:
        assert event.call is not None
        if event.call.name in _FIND and event.made:
            return
        if event.kind is not None and event.call.name not in (*_FIND, *_PUBLIC):
            text = f"{event.call.name} was called before the account was found."
            yield Breach(text, (event.index,))
            return


def one_customer(trace: PolicyTrace) -> Iterator[Breach]:
    """1.2: reads and writes concern the customer found first."""
    customer = ""
    for event in trace.calls:
        assert event.call is not None
        if not event.made or event.result is None:
            continue
        owner = (
            event.result.content if event.call.name in _FIND else _owner(trace, event)
        )
        customer = customer or owner
        if owner and owner != customer:
            text = f"{event.call.name} concerns {owner}, not {customer}."
            yield Breach(text, (event.index,))


def _owner(trace: PolicyTrace, event: Event) -> str:
    assert event.call is not None
    arguments = event.call.arguments
    booking = _booking(trace, event)
    if booking is not None:
        return str(booking["customer_id"])
    return str(arguments.get("customer_id", ""))


def _booking(trace: PolicyTrace, event: Event) -> Any:
    """The booking that the call names, as it was at the start; one made since is not there."""
    assert event.call is not None
    key = event.call.arguments.get("booking_id")
    return trace.start.get("bookings", key) if isinstance(key, str) else None


def length_allowed(trace: PolicyTrace) -> Iterator[Breach]:
    """4.3: only plus members hire for more than five days."""
    for event in trace.calls:
        if event.call is None or not event.wrote:
            continue
        arguments, booking = event.call.arguments, _booking(trace, event)
        if event.call.name == "book_unit":
            days, key = arguments["days"], arguments["customer_id"]
        elif event.call.name == "extend_booking" and booking:
            days = booking["days"] + arguments["extra_days"]
            key = booking["customer_id"]
        else:
            continue
        customer = trace.start.get("customers", key)
        if customer and customer["membership"] == "basic" and days > _BASIC_DAYS:
            text = f"A basic member was given {days} days."
            yield Breach(text, (event.index,))


def cancelled_in_time(trace: PolicyTrace) -> Iterator[Breach]:
    """6.1: no cancellation when the pickup is close."""
    for event in trace.calls:
        if event.call is None or event.call.name != "cancel_booking":
            continue
        booking = _booking(trace, event)
        if event.wrote and booking and booking["pickup_date"] < _FIRST_CANCELLABLE:
            text = f"{booking['booking_id']} is picked up on {booking['pickup_date']}, too soon to be cancelled."
            yield Breach(text, (event.index,))


POLICY_CHECKS = (
    PolicyCheck("1.1", "The account is found first", account_first),
    PolicyCheck("1.2", "Only this customer's bookings", one_customer),
    PolicyCheck("4.3", "Long hires are for plus members", length_allowed),
    PolicyCheck("6.1", "No cancellation close to the pickup", cancelled_in_time),
)
