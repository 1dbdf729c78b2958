"""Rental in plain words: what a write will do, what it did, why something is refused."""

from collections.abc import Mapping, Sequence
from typing import Any

from environments.core.state import Session
from environments.core.tools import ToolCall
from environments.core.words import Words, plain_outcome, plain_write
from environments.rental.state import LONGEST_FOR, insurance_per_day


def money(amount: float) -> str:
    return f"${amount:,.2f}"


def _method(session: Session, customer_id: str, method_id: str) -> str:
    customer: Any = session.get("customers", customer_id)
    method = customer["payment_methods"][method_id]
    if method["source"] == "store_credit":
        return f"store credit ({method_id})"
    return f"credit card ending in {method['last_four']} ({method_id})"


def _paid_by(session: Session, booking: Any) -> str:
    first = booking["payments"][0]["payment_method_id"]
    return _method(session, booking["customer_id"], first)


def describe_write(call: ToolCall, session: Session) -> str:
    """An infinitive phrase that names every identifier; odd arguments are told as they are."""
    try:
        return _told(call, session)
    except (KeyError, TypeError, IndexError):
        return plain_write(call, session)


def _told(call: ToolCall, session: Session) -> str:
    arguments = call.arguments
    if call.name == "book_unit":
        unit: Any = session.get("units", arguments["unit_id"])
        rate = unit["offers"][arguments["pickup_date"]]["daily_rate"]
        method = _method(
            session, arguments["customer_id"], arguments["payment_method_id"]
        )
        return (
            f"book the {unit['model']} ({unit['unit_id']}) at {unit['depot']} from {arguments['pickup_date']} for "
            f"{arguments['days']} day(s) at {money(rate)} a day, {money(rate * arguments['days'])} in all, paid with your {method}"
        )
    booking: Any = session.get("bookings", arguments["booking_id"])
    what = f"booking {booking['booking_id']} ({booking['model']}, from {booking['pickup_date']})"
    if call.name == "swap_unit":
        unit = session.get("units", arguments["new_unit_id"])
        rate = unit["offers"][booking["pickup_date"]]["daily_rate"]
        return (
            f"swap the unit of {what} for the {unit['model']} ({unit['unit_id']}) at {unit['depot']}, "
            f"at {money(rate)} a day, the difference settled with your {_paid_by(session, booking)}"
        )
    if call.name == "add_insurance":
        customer: Any = session.get("customers", booking["customer_id"])
        per_day = insurance_per_day(customer["membership"], booking["category"])
        price = money(per_day * booking["days"])
        return f"insure {what} for {price}, paid with your {_paid_by(session, booking)}"
    if call.name == "extend_booking":
        return f"make {what} longer by {arguments['extra_days']} day(s), paid with your {_paid_by(session, booking)}"
    return f"cancel {what} and pay everything back to your {_paid_by(session, booking)}"


def describe_outcome(call: ToolCall, session: Session) -> str:
    arguments = call.arguments
    key = arguments.get("booking_id", "")
    match call.name:
        case "book_unit":
            return f"Your booking of {arguments['unit_id']} from {arguments['pickup_date']} is made."
        case "swap_unit":
            return f"Booking {key} is now for {arguments['new_unit_id']}."
        case "add_insurance":
            return f"Booking {key} is insured."
        case "extend_booking":
            return f"Booking {key} is now {arguments['extra_days']} day(s) longer."
        case "cancel_booking":
            return f"Booking {key} is cancelled and paid back."
    return plain_outcome(call, session)


_RULES = {
    "4.3": "a hire of more than 5 days is for plus members only.",
    "5.1": "only an upcoming booking can be changed.",
    "5.3": "an insured booking cannot be swapped.",
    "6.1": "a booking cannot be cancelled when its pickup is before 2027-06-05.",
    "6.3": "one of your bookings was cancelled this season already, and a second one cannot be.",
    "7.2": "the hire was not insured, so that its damage is yours to bear.",
}


def describe_refusal(clause: str, reads: Sequence[ToolCall], session: Session) -> str:
    rule = _RULES.get(clause, f"rule {clause} of our policy does not allow it.")
    return f"I'm sorry, but I can't do that: {rule}"


def describe_told(what: str, value: Any) -> str:
    """Everything that is told in this world is a sum of dollars."""
    return f"The {what} is {money(value)}."


def describe_transfer(clause: str, reads: Sequence[ToolCall], session: Session) -> str:
    """Only damage is left to a person: which hire it was, and that it was insured."""
    for call in reads:
        booking = session.get("bookings", call.arguments.get("booking_id"))
        if booking and booking["insured"] and booking["status"] == "returned":
            return (
                f"Damage to the {booking['model']} ({booking['unit_id']}) of booking {booking['booking_id']}, "
                "which was insured, is to be settled."
            )
    return f"Left to a person by rule {clause} of the policy."


HOLD_ON = "You are being transferred to a person, please hold on."
"""What policy 7.1 has the agent say."""

QUESTIONS: dict[str, tuple[str, ...]] = {
    "payment": ("How would you like to pay?", "Which payment method should I use?"),
    "category": ("What kind of equipment is it about?",),
    "depot": ("Which depot would you like to use?", "Where should the pickup be?"),
    "other_category": ("Which of your bookings do you mean?",),
    "model": ("Is there one that you do not want?",),
    "budget": ("How much may it cost in all?",),
    "extra_cap": ("How much may the extra days cost?",),
    "total_cap": ("Where would you draw the line?",),
    "first_day": ("When should the hire start?", "On which days could you start?"),
    "day": ("On which day should the hire start?",),
    "days": ("For how many days?",),
    "rate_cap": ("Is there a limit for the price, and what matters to you?",),
    "deposit_cap": ("Is there a limit for the deposit?",),
}


def aliases(call: ToolCall, session: Session) -> Mapping[str, Sequence[Sequence[str]]]:
    """Payment methods may be named by kind or last digits, units by model, the customer not at all."""
    found: dict[str, Sequence[Sequence[str]]] = {}
    arguments = call.arguments
    customer = session.get("customers", str(arguments.get("customer_id")))
    if customer is not None:
        found[customer["customer_id"]] = [[]]
        for key, method in customer["payment_methods"].items():
            found[key] = [
                [method["source"].replace("_", " ")],
                [method.get("last_four", key)],
            ]
    for name in ("unit_id", "new_unit_id"):
        unit = session.get("units", str(arguments.get(name)))
        if unit is not None:
            found[unit["unit_id"]] = [[unit["model"]]]
    return found


def unasked_write(gold: ToolCall, session: Session) -> ToolCall | None:
    """Insurance that nobody wanted, on an upcoming booking of the customer; if none can pay for it, a cancellation."""
    booking = session.get("bookings", gold.arguments.get("booking_id"))
    key = booking["customer_id"] if booking else gold.arguments.get("customer_id")
    customer = session.get("customers", key)
    if customer is None:
        return None
    bookings: list[Any] = [session.get("bookings", key) for key in customer["bookings"]]
    upcoming = [b for b in reversed(bookings) if b["status"] == "upcoming"]
    for other in upcoming:
        if not other["insured"] and _can_be_insured(other, customer):
            return _on(other, "add_insurance")
    return _on(next(iter(upcoming), None), "cancel_booking")


def _can_be_insured(booking: Any, customer: Any) -> bool:
    method = customer["payment_methods"][booking["payments"][0]["payment_method_id"]]
    per_day = insurance_per_day(customer["membership"], booking["category"])
    return bool(
        method.get("balance", per_day * booking["days"]) >= per_day * booking["days"]
    )


def forbidden_write(
    clause: str, reads: Sequence[ToolCall], session: Session
) -> ToolCall | None:
    """The write that the clause forbids, on what the reads were about.

    For 7.2, which no tool could settle, it is an attempt to pay the hire back.
    """
    bookings: list[Any] = [
        session.get("bookings", call.arguments["booking_id"])
        for call in reads
        if call.name == "get_booking"
    ]
    match clause:
        case "4.3":
            return _too_long(bookings, reads, session)
        case "5.1":
            over = (b for b in bookings if b["status"] != "upcoming")
            return _on(next(over, None), "add_insurance")
        case "5.3":
            insured = next((b for b in bookings if b["insured"]), None)
            return _swap(insured, reads, session)
        case "6.1" | "6.3":
            mine = (b for b in reversed(bookings) if b["status"] == "upcoming")
            return _on(next(mine, None), "cancel_booking")
        case "7.2":
            returned = (b for b in bookings if b["status"] == "returned")
            return _on(next(returned, None), "cancel_booking")
    return None


def _on(booking: Any, tool: str, **more: Any) -> ToolCall | None:
    if booking is None:
        return None
    arguments = {"booking_id": booking["booking_id"], **more}
    return ToolCall(name=tool, arguments=arguments)


def _swap(booking: Any, reads: Sequence[ToolCall], session: Session) -> ToolCall | None:
    """For whatever else is to be had that day, wherever it is."""
    if booking is None:
        return None
    for unit_id in session.keys("units"):
        unit: Any = session.get("units", unit_id)
        offer = unit["offers"].get(booking["pickup_date"])
        fits = unit["category"] == booking["category"] and offer
        if fits and offer["longest"] >= booking["days"]:
            return _on(booking, "swap_unit", new_unit_id=unit_id)
    return None


def _too_long(
    bookings: Sequence[Any], reads: Sequence[ToolCall], session: Session
) -> ToolCall | None:
    """One of the bookings made six days long, or else a new hire of so many days."""
    for booking in bookings:
        if booking["status"] == "upcoming" and booking["days"] < _TOO_LONG:
            more = _TOO_LONG - booking["days"]
            return _on(booking, "extend_booking", extra_days=more)
    for call in reads:
        customer = session.get("customers", call.arguments.get("customer_id"))
        if customer is not None:
            return _long_hire(customer, session)
    return None


_TOO_LONG = LONGEST_FOR["basic"] + 1


def _long_hire(customer: Any, session: Session) -> ToolCall | None:
    for unit_id in session.keys("units"):
        unit: Any = session.get("units", unit_id)
        for day, offer in unit["offers"].items():
            if offer["longest"] >= _TOO_LONG:
                arguments = {
                    "customer_id": customer["customer_id"],
                    "unit_id": unit_id,
                    "pickup_date": day,
                    "days": _TOO_LONG,
                    "payment_method_id": next(iter(customer["payment_methods"])),
                }
                return ToolCall(name="book_unit", arguments=arguments)
    return None


WORDS = Words(
    describe_write=describe_write,
    describe_outcome=describe_outcome,
    describe_refusal=describe_refusal,
    describe_told=describe_told,
    describe_transfer=describe_transfer,
    transfer_tool="transfer_to_human",
    after_transfer=HOLD_ON,
    questions=QUESTIONS,
    aliases=aliases,
    unasked_write=unasked_write,
    forbidden_write=forbidden_write,
)
