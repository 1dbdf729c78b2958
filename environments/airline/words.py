"""The airline in plain words: what a write will do with which flights, people, bags and money, and why something is refused.

Amounts are US dollars. Whatever odd arguments are given, nothing here raises: what cannot be looked up is spoken of by its arguments.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from environments.airline.policy_checks import FOR_CANCELLED, free_bags
from environments.airline.tools import BAG_PRICE, INSURANCE_PRICE
from environments.core.state import Record, Session
from environments.core.tools import ToolCall
from environments.core.words import Words, plain_outcome, plain_write

_ODD = (KeyError, TypeError, IndexError, AttributeError, ValueError)
"""What looking up odd arguments may raise."""
_WAIT = "within 5 to 7 business days"


def money(amount: float) -> str:
    """ "$1,204", "$12.50", "-$30"."""
    text = f"{abs(amount):,.2f}".removesuffix(".00")
    return f"-${text}" if amount < 0 else f"${text}"


def describe_write(call: ToolCall, session: Session) -> str:
    """An infinitive phrase: "cancel reservation 4WQ150 (…), …". `session` is the state before the write."""
    say = _WRITES.get(call.name, plain_write)
    try:
        return say(call, session)
    except _ODD:
        return plain_write(call, session)


def describe_outcome(call: ToolCall, session: Session) -> str:
    """What has been done, and what the customer can expect. `session` is the state after the write."""
    say = _OUTCOMES.get(call.name, plain_outcome)
    try:
        return say(call, session)
    except _ODD:
        return plain_outcome(call, session)


# --- things --------------------------------------------------------------------------------------------------------------------


def _record(session: Session, collection: str, key: Any) -> Record:
    record = session.get(collection, key)
    if record is None:
        raise KeyError(key)
    return record


def _reservation(call: ToolCall, session: Session) -> Record:
    return _record(session, "reservations", call.arguments["reservation_id"])


def _list(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _cabin(cabin: str) -> str:
    return cabin.replace("_", " ")


def _trip(reservation: Mapping[str, Any]) -> str:
    """ "round trip from DFW to LAX in business"."""
    kind = "round trip" if reservation["flight_type"] == "round_trip" else "trip"
    return (
        f"{kind} from {reservation['origin']} to {reservation['destination']} "
        f"in {_cabin(reservation['cabin'])}"
    )


def _people(passengers: Iterable[Mapping[str, Any]]) -> str:
    return _list(
        [
            f"{person['first_name']} {person['last_name']} (born {person['dob']})"
            for person in passengers
        ]
    )


def _method(session: Session, user_id: str, payment_id: str) -> str:
    """With its balance, as far as it has one; a certificate that was used up is in no profile any more."""
    method = _record(session, "users", user_id)["payment_methods"].get(payment_id)
    if method is None:
        return f"your {_kind(payment_id)} ({payment_id})"
    match method["source"]:
        case "gift_card":
            return f"your gift card ({payment_id}, balance {money(method['amount'])})"
        case "certificate":
            return f"your certificate ({payment_id}, worth {money(method['amount'])})"
    return f"your {method['brand']} credit card ending in {method['last_four']} ({payment_id})"


def _kind(payment_id: str) -> str:
    return payment_id.rpartition("_")[0].replace("_", " ")


def _fare(session: Session, flight: Mapping[str, Any], cabin: str) -> int:
    """Today's price for one passenger."""
    day = _record(session, "flights", flight["flight_number"])["dates"][flight["date"]]
    price: int = day["prices"][cabin]
    return price


def _flight_text(session: Session, flight: Mapping[str, Any], price: int) -> str:
    """ "HAT170 (DFW to LAX) on 2024-05-22 at $883"."""
    route = _record(session, "flights", flight["flight_number"])
    return (
        f"{flight['flight_number']} ({route['origin']} to {route['destination']}) "
        f"on {flight['date']} at {money(price)}"
    )


# --- what a write will do ------------------------------------------------------------------------------------------------------


def _book(call: ToolCall, session: Session) -> str:
    told = call.arguments
    people, cabin = told["passengers"], told["cabin"]
    fares = [_fare(session, flight, cabin) for flight in told["flights"]]
    flights = [
        _flight_text(session, flight, fare)
        for flight, fare in zip(told["flights"], fares, strict=True)
    ]
    bags, paid = told["total_baggages"], told["nonfree_baggages"]
    insured = told["insurance"] == "yes"
    total = sum(fares) * len(people) + BAG_PRICE * paid
    total += INSURANCE_PRICE * len(people) if insured else 0
    payments = [
        f"{money(payment['amount'])} from {_method(session, told['user_id'], payment['payment_id'])}"
        for payment in told["payment_methods"]
    ]
    insurance = (
        f"with travel insurance at {money(INSURANCE_PRICE)} each"
        if insured
        else "without travel insurance"
    )
    return (
        f"book a {_trip(told)} for {_people(people)}: {_list(flights)} per passenger, with {_bags(bags, paid)}, {insurance}. "
        f"The total of {money(total)} is paid with {_list(payments)}"
    )


def _bags(total: int, paid: int) -> str:
    if not total:
        return "no checked bags"
    cost = (
        "free of charge"
        if not paid
        else f"{paid} of them at {money(BAG_PRICE)} each, which makes {money(BAG_PRICE * paid)}"
    )
    return f"{_count(total, 'checked bag')} ({cost})"


def _cancel(call: ToolCall, session: Session) -> str:
    found = _reservation(call, session)
    refunds = [
        f"{money(line['amount'])} to {_method(session, found['user_id'], line['payment_id'])}"
        for line in found["payment_history"]
        if line["amount"]
    ]
    back = f", and refund {_list(refunds)}" if refunds else ""
    return (
        f"cancel the whole reservation {found['reservation_id']} ({_trip(found)}){back}"
    )


def _add_bags(call: ToolCall, session: Session) -> str:
    found, told = _reservation(call, session), call.arguments
    paid = max(0, told["nonfree_baggages"] - found["nonfree_baggages"])
    method = _method(session, found["user_id"], told["payment_id"])
    cost = (
        f"{money(BAG_PRICE * paid)} for {_count(paid, 'bag')} that {'is' if paid == 1 else 'are'} not free "
        f"is paid with {method}"
        if paid
        else f"nothing is charged to {method}"
    )
    return (
        f"change the checked bags of reservation {found['reservation_id']} ({_trip(found)}) from {found['total_baggages']} "
        f"to {told['total_baggages']}, {told['nonfree_baggages']} of them non-free; {cost}"
    )


def _change_flights(call: ToolCall, session: Session) -> str:
    found, told = _reservation(call, session), call.arguments
    cabin = told["cabin"]
    prices = [_new_price(session, found, flight, cabin) for flight in told["flights"]]
    flights = [
        _flight_text(session, flight, price)
        for flight, price in zip(told["flights"], prices, strict=True)
    ]
    each = sum(prices) - sum(flight["price"] for flight in found["flights"])
    difference = each * len(found["passengers"])
    method = _method(session, found["user_id"], told["payment_id"])
    if difference > 0:
        cost = f"the difference of {money(difference)} is paid with {method}"
    elif difference < 0:
        cost = f"the difference of {money(-difference)} goes back to {method}"
    else:
        cost = f"there is no difference to settle with {method}"
    moved = (
        f"from {_cabin(found['cabin'])} to {_cabin(cabin)}"
        if cabin != found["cabin"]
        else f"within {_cabin(cabin)}"
    )
    return (
        f"change reservation {found['reservation_id']} ({_trip(found)}) {moved}, with the flights {_list(flights)} "
        f"per passenger, for {_count(len(found['passengers']), 'passenger')}; {cost}"
    )


def _new_price(
    session: Session, found: Mapping[str, Any], flight: Mapping[str, Any], cabin: str
) -> int:
    """4.1: a kept flight keeps its price; in another cabin, or new, it costs what it costs today."""
    for segment in found["flights"]:
        same = (segment["flight_number"], segment["date"]) == (
            flight["flight_number"],
            flight["date"],
        )
        if same and found["cabin"] == cabin:
            price: int = segment["price"]
            return price
    return _fare(session, flight, cabin)


def _change_people(call: ToolCall, session: Session) -> str:
    found = _reservation(call, session)
    return (
        f"change the passengers of reservation {found['reservation_id']} ({_trip(found)}) "
        f"from {_people(found['passengers'])} to {_people(call.arguments['passengers'])}, at no cost"
    )


def _compensate(call: ToolCall, session: Session) -> str:
    user = _record(session, "users", call.arguments["user_id"])
    return f"send a certificate worth {money(call.arguments['amount'])} to your account {user['user_id']}"


_WRITES: dict[str, Callable[[ToolCall, Session], str]] = {
    "book_reservation": _book,
    "cancel_reservation": _cancel,
    "send_certificate": _compensate,
    "update_reservation_baggages": _add_bags,
    "update_reservation_flights": _change_flights,
    "update_reservation_passengers": _change_people,
}


# --- what it did ---------------------------------------------------------------------------------------------------------------


def _booked(call: ToolCall, session: Session) -> str:
    user = _record(session, "users", call.arguments["user_id"])
    found = _record(session, "reservations", user["reservations"][-1])
    return f"Your {_trip(found)} is booked. The reservation id is {found['reservation_id']}."


def _cancelled(call: ToolCall, session: Session) -> str:
    found = _reservation(call, session)
    return (
        f"Reservation {found['reservation_id']} is cancelled. "
        f"The money goes back the way it was paid, {_WAIT}."
    )


def _bags_added(call: ToolCall, session: Session) -> str:
    found = _reservation(call, session)
    bags = _count(found["total_baggages"], "checked bag")
    return f"Reservation {found['reservation_id']} now has {bags}."


def _changed(call: ToolCall, session: Session) -> str:
    found = _reservation(call, session)
    flights = [f"{leg['flight_number']} on {leg['date']}" for leg in found["flights"]]
    return f"Reservation {found['reservation_id']} is now in {_cabin(found['cabin'])}, with {_list(flights)}."


def _people_changed(call: ToolCall, session: Session) -> str:
    found = _reservation(call, session)
    return f"Reservation {found['reservation_id']} is now for {_people(found['passengers'])}."


def _compensated(call: ToolCall, session: Session) -> str:
    return (
        f"A certificate worth {money(call.arguments['amount'])} is in your profile now."
    )


_OUTCOMES: dict[str, Callable[[ToolCall, Session], str]] = {
    "book_reservation": _booked,
    "cancel_reservation": _cancelled,
    "send_certificate": _compensated,
    "update_reservation_baggages": _bags_added,
    "update_reservation_flights": _changed,
    "update_reservation_passengers": _people_changed,
}


# --- why not -------------------------------------------------------------------------------------------------------------------

_RULES = {
    "1.1": "I can only help with your own profile and reservations.",
    "3.1": "a reservation has at most five passengers.",
    "3.2": "a reservation takes at most one certificate, one credit card and three gift cards.",
    "3.3": "bags beyond the free ones of your membership and cabin cost $50 each.",
    "4.1": "basic economy flights can't be replaced, and origin, destination and trip type of a reservation stay as they are.",
    "4.2": "the cabin can't be changed once one of the flights has been flown.",
    "4.3": "a change of flights or cabin takes one gift card or credit card.",
    "4.4": "bags can be added but not removed, and insurance can't be added after booking.",
    "4.5": "the number of passengers of a reservation can't be changed, not by a human agent either.",
    "5.2": "a reservation with a flight that has been flown can only be handled by a human agent.",
    "5.3": "a reservation can only be cancelled within 24 hours of booking, if the airline cancelled a flight, in business, "
    "or with insurance for reasons of health or weather.",
    "5.4": "a reservation can only be cancelled as a whole.",
    "6.2": "regular members without insurance in economy or basic economy can't be compensated.",
    "6.3": "a certificate is only given for a flight that was cancelled.",
    "6.4": "a delayed flight is only compensated after the reservation was changed or cancelled.",
    "6.5": "only cancelled flights, and delayed ones after a change or cancellation, are compensated.",
}


def describe_refusal(clause: str, reads: Sequence[ToolCall], session: Session) -> str:
    """Why the clause forbids what was asked, with the reservation it is about. `reads` are the agent's."""
    rule = _RULES.get(clause, f"rule {clause} of our policy does not allow it.")
    text = f"I'm sorry, but I can't do that: {rule}"
    found = _last_reservation(reads, session)
    if found is None or clause[:2] not in ("4.", "5.", "6."):
        return text
    insured = "with" if found["insurance"] == "yes" else "without"
    return (
        f"{text} Reservation {found['reservation_id']} is a {_trip(found)}, {insured} insurance, "
        f"booked on {found['created_at'][:10]}."
    )


def _last_reservation(reads: Sequence[ToolCall], session: Session) -> Record | None:
    for call in reversed(reads):
        if call.name == "get_reservation_details":
            return session.get("reservations", call.arguments.get("reservation_id"))
    return None


# --- what to ask ---------------------------------------------------------------------------------------------------------------

_PAY = (
    "Which payment method would you like to use for [that|this]?",
    "How would you like to [pay|settle any difference]?",
    "Which [card|payment method] should I use?",
)
_PEOPLE = (
    "[Who is|Who is it that's] travelling, and when [were they|was each of them] born?",
    "[Could|May] I have the full name and date of birth of every passenger?",
)
_WHERE = ("Where would you like to [fly|go], and from where?",)
_WHICH = ("Which [trip|reservation] do you mean?", "Which of your trips is it about?")
_WHEN = ("When would you like to fly?", "[On which|Which] date?")
QUESTIONS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("payment", "fallback", "payment_id"), _PAY),
    **dict.fromkeys(("first_name", "last_name", "dob"), _PEOPLE),
    **dict.fromkeys(("origin", "destination", "home", "place"), _WHERE),
    **dict.fromkeys(("trip_place", "other_place", "trip_date"), _WHICH),
    **dict.fromkeys(("date", "first_day", "last_day", "day"), _WHEN),
    "reason": (
        "[May|Could] I ask [the reason|why]?",
        "What is the reason for [the cancellation|cancelling]?",
    ),
    "cabin": ("Which cabin would you like?", "In which cabin?"),
    "bags": ("How many checked bags [would you like|do you need]?",),
    "insurance": ("Would you like travel insurance? It costs $30 per passenger.",),
}


def aliases(call: ToolCall, session: Session) -> Mapping[str, Sequence[Sequence[str]]]:
    """Payment methods may be named by kind or last digits, the customer not at all."""
    found: dict[str, Sequence[Sequence[str]]] = {}
    reservation = session.get("reservations", str(call.arguments.get("reservation_id")))
    user_id = (
        reservation["user_id"] if reservation else str(call.arguments.get("user_id"))
    )
    user = session.get("users", user_id)
    if user is not None:
        found[user_id] = [[]]
        methods = user["payment_methods"]
        kinds = [method["source"] for method in methods.values()]
        for payment_id, method in methods.items():
            ways = [[method["last_four"]]] if "last_four" in method else []
            if kinds.count(method["source"]) == 1:
                ways.append([method["source"].replace("_", " ")])
            found[payment_id] = ways
    return found


# --- writes that should not be made, for faults --------------------------------------------------------------------------------


def unasked_write(gold: ToolCall, session: Session) -> ToolCall | None:
    """One bag more in a reservation of the customer's. None if there is none to which it can be added."""
    user = _customer(gold, session)
    keys = [gold.arguments.get("reservation_id"), *(user or {}).get("reservations", ())]
    for found in (session.get("reservations", key) for key in keys):
        if user is None or found is None or found["status"] == "cancelled":
            continue
        bags = found["total_baggages"] + 1
        free = free_bags(user, found["cabin"], len(found["passengers"]))
        paid = max(found["nonfree_baggages"], bags - free)
        payer = _payer(user, BAG_PRICE * (paid - found["nonfree_baggages"]))
        if payer:
            arguments = {
                "reservation_id": found["reservation_id"],
                "total_baggages": bags,
                "nonfree_baggages": paid,
                "payment_id": payer,
            }
            return ToolCall(name="update_reservation_baggages", arguments=arguments)
    return None


def _customer(call: ToolCall, session: Session) -> Record | None:
    found = session.get("reservations", call.arguments.get("reservation_id"))
    key = found["user_id"] if found else call.arguments.get("user_id")
    return session.get("users", key)


def _payer(user: Mapping[str, Any], amount: float) -> str:
    """A card or gift card that covers the amount; "" if there is none."""
    for key, method in user["payment_methods"].items():
        if method["source"] == "credit_card" or (
            method["source"] == "gift_card" and method["amount"] >= amount
        ):
            return str(key)
    return ""


def forbidden_write(
    clause: str, reads: Sequence[ToolCall], session: Session
) -> ToolCall | None:
    """The write that the clause speaks of, on the reservation last looked at. None if there was none, or no tool does it."""
    found = _last_reservation(reads, session)
    user = session.get("users", found["user_id"]) if found else None
    if found is None or user is None:
        return None
    key, people = {"reservation_id": found["reservation_id"]}, found["passengers"]
    payer = _payer(user, 10_000) or next(iter(user["payment_methods"]), "")
    if clause.startswith("5."):
        return ToolCall(name="cancel_reservation", arguments=key)
    if clause.startswith("6."):
        sent = {"user_id": user["user_id"], "amount": FOR_CANCELLED * len(people)}
        return ToolCall(name="send_certificate", arguments=sent)
    if clause == "4.1":
        flights = _later_flights(found, session)
        more = {"cabin": found["cabin"], "flights": flights, "payment_id": payer}
        name = "update_reservation_flights"
        return ToolCall(name=name, arguments={**key, **more}) if flights else None
    if clause == "4.4" and found["total_baggages"]:
        bags = found["total_baggages"] - 1
        more = {
            "total_baggages": bags,
            "nonfree_baggages": min(bags, found["nonfree_baggages"]),
            "payment_id": payer,
        }
        name = "update_reservation_baggages"
        return ToolCall(name=name, arguments={**key, **more})
    if clause == "4.5":
        name = "update_reservation_passengers"
        return ToolCall(name=name, arguments={**key, "passengers": people[:-1]})
    return None


def _later_flights(found: Record, session: Session) -> list[dict[str, str]]:
    """The reservation's flights, each on the next day on which it can be booked; none if one of them cannot be."""
    later = []
    for leg in found["flights"]:
        flight: Any = session.get("flights", leg["flight_number"])
        days = [
            date
            for date, day in flight["dates"].items()
            if date > leg["date"]
            and day["status"] == "available"
            and day["available_seats"][found["cabin"]] >= len(found["passengers"])
        ]
        if not days:
            return []
        later.append({"flight_number": leg["flight_number"], "date": min(days)})
    return later


WORDS = Words(
    describe_write=describe_write,
    describe_outcome=describe_outcome,
    describe_refusal=describe_refusal,
    questions=QUESTIONS,
    aliases=aliases,
    unasked_write=unasked_write,
    forbidden_write=forbidden_write,
)
