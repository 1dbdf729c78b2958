"""What the airline policy wants to be so before each write, and where a reader sees whether it is."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from environments.airline.policy_checks import (
    FLOWN,
    FOR_CANCELLED,
    FOR_DELAYED,
    MOST_METHODS,
    MOST_PASSENGERS,
    booked_lately,
    entitled,
    free_bags,
    makes_the_trip,
)
from environments.airline.tools import BAG_PRICE, INSURANCE_PRICE
from environments.core.policy import FactPlace, Precondition
from environments.core.state import Record, Session
from environments.core.tools import ToolCall


def preconditions(call: ToolCall, session: Session) -> Iterator[Precondition]:
    """In the order in which somebody would look: the trip, its flights, the money."""
    arguments = call.arguments
    if call.name == "book_reservation":
        yield from _booking(arguments, session)
    elif call.name == "send_certificate":
        yield from _certificate(arguments, session)
    else:
        before = session.get("reservations", arguments.get("reservation_id"))
        if before is not None and call.name in _CHANGES:
            yield from _CHANGES[call.name](arguments, before, session)


# --- flights -------------------------------------------------------------------------------------------------------------------


def _day(session: Session, number: Any, date: Any) -> Record:
    """The flight on that day; empty if it does not fly."""
    flight = session.get("flights", number)
    day: Record = flight["dates"].get(date, {}) if flight else {}
    return day


def _seats(
    session: Session, number: str, date: str, cabin: str, passengers: int
) -> Precondition:
    day = _day(session, number, date)
    free = day.get("available_seats", {}).get(cabin, 0)
    bookable = day.get("status") == "available"
    return Precondition(
        "2.2",
        f"{number} on {date} has {passengers} in {cabin.replace('_', ' ')}",
        f"{free} seats" if bookable else day.get("status", "no flight that day"),
        bookable and free >= passengers,
        (
            FactPlace(
                {"flight_number": number, "date": date}, f"/available_seats/{cabin}"
            ),
        ),
    )


def _trip(
    session: Session, clause: str, trip: Mapping[str, Any], flights: Sequence[Any]
) -> Precondition:
    legs = [session.get("flights", chosen["flight_number"]) for chosen in flights]
    known = [leg for leg in legs if leg is not None]
    stops = [leg["origin"] for leg in known] + [leg["destination"] for leg in known][
        -1:
    ]
    return Precondition(
        clause,
        f"the flights make the trip {trip['origin']} to {trip['destination']}, {trip['flight_type'].replace('_', ' ')}",
        " → ".join(stops),
        len(known) == len(legs) and makes_the_trip(trip, known),
        tuple(
            FactPlace(
                {"flight_number": chosen["flight_number"], "date": chosen["date"]},
                "/flight_number",
            )
            for chosen in flights
        ),
    )


def _not_flown(
    session: Session, clause: str, wanted: str, before: Record
) -> Precondition:
    legs = [(leg["flight_number"], leg["date"]) for leg in before["flights"]]
    flown = [
        number
        for number, date in legs
        if _day(session, number, date).get("status") in FLOWN
    ]
    return Precondition(
        clause,
        wanted,
        f"flown: {', '.join(flown)}" if flown else "none was flown",
        not flown,
        tuple(
            FactPlace({"flight_number": number, "date": date}, "/status")
            for number, date in legs
        ),
    )


def _in_trip(before: Record, pointer: str) -> FactPlace:
    return FactPlace({"reservation_id": before["reservation_id"]}, pointer)


# --- money ---------------------------------------------------------------------------------------------------------------------


def _methods(user: Record, ids: Sequence[str]) -> Precondition:
    methods = user["payment_methods"]
    lacking = [key for key in ids if key not in methods]
    return Precondition(
        "2.1",
        "the payment methods are in the profile",
        f"not there: {', '.join(lacking)}"
        if lacking
        else ", ".join(methods[key]["source"].replace("_", " ") for key in ids),
        not lacking,
        tuple(_in_profile(user, f"/payment_methods/{key}/id") for key in ids),
    )


def _in_profile(user: Record, pointer: str) -> FactPlace:
    return FactPlace({"user_id": user["user_id"]}, pointer)


def _bags(
    user: Record, cabin: str, passengers: int, arguments: Mapping[str, Any], paid: int
) -> Precondition:
    """`paid`: bags that were paid for before; they may stay paid."""
    free = free_bags(user, cabin, passengers)
    total, given = arguments["total_baggages"], arguments["nonfree_baggages"]
    needed = max(0, total - free)
    return Precondition(
        "3.3",
        f"{needed} of {total} bags are paid for",
        f"{given} non-free; {user['membership']}, {cabin.replace('_', ' ')}, {passengers} passengers: {free} free",
        needed <= given <= max(needed, paid),
        (_in_profile(user, "/membership"),),
    )


# --- booking -------------------------------------------------------------------------------------------------------------------


def _booking(arguments: Mapping[str, Any], session: Session) -> Iterator[Precondition]:
    flights, cabin = arguments["flights"], arguments["cabin"]
    count = len(arguments["passengers"])
    yield Precondition(
        "3.1", "at most five passengers", str(count), count <= MOST_PASSENGERS
    )
    yield _trip(session, "3.1", arguments, flights)
    for chosen in flights:
        yield _seats(session, chosen["flight_number"], chosen["date"], cabin, count)
    user = session.get("users", arguments["user_id"])
    if user is None:
        return
    payments = arguments["payment_methods"]
    yield _methods(user, [one["payment_id"] for one in payments])
    yield _few(user, payments)
    yield _sum(arguments, session, count)
    yield from _balances(user, payments)
    yield _bags(user, cabin, count, arguments, paid=0)


def _few(user: Record, payments: Sequence[Mapping[str, Any]]) -> Precondition:
    methods = user["payment_methods"]
    used = {one["payment_id"] for one in payments if one["payment_id"] in methods}
    kinds = Counter(methods[key]["source"] for key in used)
    return Precondition(
        "3.2",
        "at most one certificate, one credit card and three gift cards",
        ", ".join(f"{n} {kind.replace('_', ' ')}" for kind, n in kinds.items()),
        all(kinds[kind] <= most for kind, most in MOST_METHODS.items()),
    )


def _sum(arguments: Mapping[str, Any], session: Session, count: int) -> Precondition:
    """The parts make the price: fares, insurance and bags."""
    cabin = arguments["cabin"]
    legs = [(one["flight_number"], one["date"]) for one in arguments["flights"]]
    fares = [
        _day(session, number, date).get("prices", {}).get(cabin, 0)
        for number, date in legs
    ]
    parts = [f"{count} × {'+'.join(map(str, fares))}"]
    total = sum(fares) * count
    if arguments["insurance"] == "yes":
        total += INSURANCE_PRICE * count
        parts.append(f"{INSURANCE_PRICE * count} insurance")
    if arguments["nonfree_baggages"]:
        total += BAG_PRICE * arguments["nonfree_baggages"]
        parts.append(f"{BAG_PRICE * arguments['nonfree_baggages']} bags")
    paid = sum(one["amount"] for one in arguments["payment_methods"])
    return Precondition(
        "3.2",
        f"${total} are paid: {' + '.join(parts)}",
        f"${paid}",
        paid == total,
        tuple(
            FactPlace({"flight_number": number, "date": date}, f"/prices/{cabin}")
            for number, date in legs
        ),
    )


def _balances(
    user: Record, payments: Sequence[Mapping[str, Any]]
) -> Iterator[Precondition]:
    for one in payments:
        method = user["payment_methods"].get(one["payment_id"], {})
        if "amount" in method:
            yield Precondition(
                "3.2",
                f"{one['payment_id']} covers ${one['amount']}",
                f"${method['amount']:g}",
                method["amount"] >= one["amount"],
                (_in_profile(user, f"/payment_methods/{one['payment_id']}/amount"),),
            )


# --- changes -------------------------------------------------------------------------------------------------------------------


def _flights(
    arguments: Mapping[str, Any], before: Record, session: Session
) -> Iterator[Precondition]:
    flights, cabin = arguments["flights"], arguments["cabin"]
    held = {(leg["flight_number"], leg["date"]) for leg in before["flights"]}
    wanted = [(one["flight_number"], one["date"]) for one in flights]
    replaced = set(wanted) != held
    if replaced:
        basic = before["cabin"] == "basic_economy"
        yield Precondition(
            "4.1",
            "it is not in basic economy, as flights are replaced",
            before["cabin"].replace("_", " "),
            not basic,
            (_in_trip(before, "/cabin"),),
        )
    yield _trip(session, "4.1", before, flights)
    if cabin != before["cabin"]:
        yield _not_flown(
            session, "4.2", "no flight was flown, as the cabin changes", before
        )
    for number, date in wanted:
        if (number, date) not in held or cabin != before["cabin"]:
            yield _seats(session, number, date, cabin, len(before["passengers"]))
    user = session.get("users", before["user_id"])
    if user is not None:
        key = arguments["payment_id"]
        method = user["payment_methods"].get(key, {})
        source = method.get("source", "not in the profile")
        yield Precondition(
            "4.3",
            "a gift card or credit card of the profile settles it",
            source.replace("_", " "),
            source in ("gift_card", "credit_card"),
            (_in_profile(user, f"/payment_methods/{key}/id"),),
        )


def _more_bags(
    arguments: Mapping[str, Any], before: Record, session: Session
) -> Iterator[Precondition]:
    yield Precondition(
        "4.4",
        "bags are added, not removed",
        f"{before['total_baggages']} → {arguments['total_baggages']}",
        arguments["total_baggages"] >= before["total_baggages"],
        (_in_trip(before, "/total_baggages"),),
    )
    user = session.get("users", before["user_id"])
    if user is not None:
        yield _bags(
            user,
            before["cabin"],
            len(before["passengers"]),
            arguments,
            before["nonfree_baggages"],
        )
        yield _methods(user, [arguments["payment_id"]])


def _passengers(
    arguments: Mapping[str, Any], before: Record, session: Session
) -> Iterator[Precondition]:
    was, now = len(before["passengers"]), len(arguments["passengers"])
    yield Precondition(
        "4.5",
        "the number of passengers stays",
        f"{was} → {now}",
        was == now,
        (_in_trip(before, "/passengers/0/first_name"),),
    )


def _cancelling(
    arguments: Mapping[str, Any], before: Record, session: Session
) -> Iterator[Precondition]:
    yield _not_flown(session, "5.2", "no flight of it was flown", before)
    dropped = [
        leg
        for leg in before["flights"]
        if _day(session, leg["flight_number"], leg["date"]).get("status") == "cancelled"
    ]
    grounds = {
        "booked within 24 hours": booked_lately(before),
        "in business": before["cabin"] == "business",
        "a flight was cancelled": bool(dropped),
    }
    insured = before["insurance"] == "yes"
    found = [words for words, so in grounds.items() if so]
    places = [_in_trip(before, f"/{n}") for n in ("created_at", "cabin", "insurance")]
    yield Precondition(
        "5.3",
        "a rule lets it be cancelled",
        ", ".join(found)
        or (
            "insured: if the reason is health or weather"
            if insured
            else "none of the four"
        ),
        True if found else None if insured else False,
        (
            *places,
            *(
                FactPlace(
                    {"flight_number": leg["flight_number"], "date": leg["date"]},
                    "/status",
                )
                for leg in dropped
            ),
        ),
    )


def _certificate(
    arguments: Mapping[str, Any], session: Session
) -> Iterator[Precondition]:
    user = session.get("users", arguments["user_id"])
    if user is None:
        return
    trips = [session.get("reservations", key) for key in user["reservations"]]
    hit: list[tuple[Record, str, FactPlace]] = []
    for trip in trips:
        for leg in trip["flights"] if trip else ():
            number, date = leg["flight_number"], leg["date"]
            status = _day(session, number, date).get("status")
            if trip and status in ("cancelled", "delayed"):
                shown = FactPlace({"flight_number": number, "date": date}, "/status")
                hit.append((trip, status, shown))
    able = [one for one in hit if entitled(user, one[0])]
    yield Precondition(
        "6.2",
        "silver, gold, insured or in business",
        user["membership"]
        + "".join(
            f"; {trip['reservation_id']} {trip['cabin'].replace('_', ' ')}, insurance {trip['insurance']}"
            for trip, _, _ in hit[:2]
        ),
        bool(able),
        (
            _in_profile(user, "/membership"),
            *(_in_trip(trip, "/insurance") for trip, _, _ in hit[:2]),
        ),
    )
    due = {
        (FOR_CANCELLED if status == "cancelled" else FOR_DELAYED)
        * len(trip["passengers"]): (trip, status, shown)
        for trip, status, shown in able
    }
    amount = arguments["amount"]
    status = due[amount][1] if amount in due else ""
    words = [
        f"${each}: {trip['reservation_id']} {status}, {len(trip['passengers'])} passengers"
        for each, (trip, status, _) in due.items()
    ]
    yield Precondition(
        "6.3" if status == "cancelled" else "6.4" if status else "6.5",
        f"${amount} are due",
        ", ".join(words) or "nothing is",
        amount in due,
        tuple(shown for _, _, shown in due.values()),
    )


_CHANGES = {
    "update_reservation_flights": _flights,
    "update_reservation_baggages": _more_bags,
    "update_reservation_passengers": _passengers,
    "cancel_reservation": _cancelling,
}
