"""Relations of the airline world: which rows there are, which read shows each, and where in its result it stands.

`AirlineRows` shapes rows; the oracle and the reference solver give it two independent ways to get at records. The user tells the
user id, so that no read looks the account up. A row of `trips` is an itinerary of one or two flights with what a traveller asks for:
times in minutes since midnight of the day it leaves, fares and seats over all of its flights.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date as Date
from datetime import timedelta
from functools import lru_cache
from itertools import product
from typing import Any

from environments.core.domain import Facts, Role, Row, Shown
from environments.core.memo import KEPT, OfRow
from environments.core.pointers import pointer
from environments.core.state import Record, Session
from environments.core.tools import ToolCall

RELATIONS = {
    "profile": Role.IDENTITY,
    "methods": Role.IDENTITY,
    "certificates": Role.IDENTITY,
    "saved": Role.IDENTITY,
    "reservations": Role.DISCOVERY,
    "reservation": Role.RULES,
    "segments": Role.RULES,
    "travelers": Role.RULES,
    "payments": Role.RULES,
    "flight_status": Role.RULES,
    "trips": Role.CANDIDATES,
}
DIRECT, ONE_STOP = "search_direct_flight", "search_onestop_flight"
ROUTINGS: Mapping[str, tuple[str, ...]] = {
    "direct": (DIRECT,),
    "onestop": (ONE_STOP,),
    "any": (DIRECT, ONE_STOP),
}
"""Routing that a traveller takes → the searches that show it."""
MADE_FROM: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "users": {
        "methods": ("payment_methods",),
        "certificates": ("payment_methods",),
        "saved": ("saved_passengers",),
    },
    "reservations": {
        "party": ("passengers",),
        "paid": ("payment_history",),
        "legs": ("flights",),
        "first_date": ("flights",),
        "last_date": ("flights",),
        "segments": ("flights",),
        "travelers": ("passengers",),
        "payments": ("payment_history",),
    },
}
"""Collection → relation, or field of a row, that is not a field of its records → the fields behind it."""
CABINS = ("basic_economy", "economy", "business")
DAY = 24 * 60


@lru_cache(KEPT)
def user_details(user_id: str) -> ToolCall:
    return ToolCall(name="get_user_details", arguments={"user_id": user_id})


@lru_cache(KEPT)
def reservation_details(reservation_id: str) -> ToolCall:
    arguments = {"reservation_id": reservation_id}
    return ToolCall(name="get_reservation_details", arguments=arguments)


@lru_cache(KEPT)
def flight_status(flight_number: str, date: str) -> ToolCall:
    arguments = {"flight_number": flight_number, "date": date}
    return ToolCall(name="get_flight_status", arguments=arguments)


@lru_cache(KEPT)
def flight_search(name: str, origin: str, destination: str, date: str) -> ToolCall:
    arguments = {"origin": origin, "destination": destination, "date": date}
    return ToolCall(name=name, arguments=arguments)


class AirlineRows(ABC):
    """A `Source` of rows; how a read's result is had is left to the subclass (None: not found, or not to be read)."""

    @abstractmethod
    def record(self, call: ToolCall) -> Record | None: ...

    @abstractmethod
    def status(self, call: ToolCall) -> str | None: ...

    @abstractmethod
    def trips(self, call: ToolCall) -> list[Row] | None: ...

    def may_read(self, call: ToolCall) -> bool:
        return True

    def expand(self, relation: str, parent: Row | None, by: Facts) -> list[Shown]:
        match relation:
            case "profile":
                return [self._one(user_details(by["user_id"]))]
            case "reservation":
                return [self._reservation(by["reservation_id"])]
            case "trips":
                return [self._cell(call) for call in searches(by)]
            case "flight_status":
                told = by or (parent.values if parent else by)
                return [self._status(told["flight_number"], told["date"])]
        if parent is None:
            raise TypeError(f"{relation} needs a parent row")
        match relation:
            case "reservations":
                return [self._reservation(key) for key in parent.values["reservations"]]
            case "certificates":
                methods = _PARTS["methods"].of(parent)
                rows = [row for row in methods if row.values["source"] == relation[:-1]]
                return [Shown(parent.read, rows)]
        return [Shown(parent.read, _PARTS[relation].of(parent))]

    def _one(self, call: ToolCall) -> Shown:
        record = self.record(call)
        label = next(iter(call.arguments.values()))
        rows = [] if record is None else [Row(record, call, "", label)]
        return Shown(call, rows, unread=not self.may_read(call))

    def _reservation(self, reservation_id: str) -> Shown:
        call = reservation_details(reservation_id)
        record = self.record(call)
        rows = [] if record is None else [_reservation(record, call)]
        return Shown(call, rows, unread=not self.may_read(call))

    def _status(self, flight_number: str, date: str) -> Shown:
        call = flight_status(flight_number, date)
        status = self.status(call)
        label = f"{flight_number} on {date}"
        rows = (
            []
            if status is None
            else [Row({"status": status}, call, "", label, bare=True)]
        )
        return Shown(call, rows, unread=not self.may_read(call))

    def _cell(self, call: ToolCall) -> Shown:
        rows = self.trips(call)
        return Shown(call, rows or [], unread=not self.may_read(call))


# --- what a profile and a reservation show -----------------------------------------------------------------------------------------


def _methods(profile: Row) -> Iterator[Row]:
    """`whole`: the dollars of a gift card or certificate that a booking can use, for amounts are whole dollars there."""
    for method_id, method in profile.values["payment_methods"].items():
        values, derived = method, {}
        if "amount" in method:
            values = {**method, "whole": int(method["amount"])}
            derived = {"whole": ("/amount",)}
        place = profile.pointer + pointer("payment_methods", method_id)
        yield Row(values, profile.read, place, method_id, derived=derived)


def _people(parent: Row, field: str) -> Iterator[Row]:
    """`full_name` is what a person is called by; `passenger` is the person as writes take one."""
    for number, person in enumerate(parent.values[field]):
        name = f"{person['first_name']} {person['last_name']}"
        values = {**person, "full_name": name, "passenger": dict(person)}
        place = parent.pointer + pointer(field, number)
        yield Row(values, parent.read, place, name, derived=_DERIVED_PERSON)


_DERIVED_PERSON = {
    "full_name": ("/first_name", "/last_name"),
    "passenger": ("/first_name", "/last_name", "/dob"),
}


def _reservation(record: Record, call: ToolCall) -> Row:
    """The reservation, with what is often asked of it.

    `party`: number of passengers. `paid`: dollars paid less those given back. `legs`: its flights as writes take them.
    `first_date`, `last_date`: when it begins and ends ("" if it has no flights).
    """
    flights, payments = record["flights"], record["payment_history"]
    dates = [segment["date"] for segment in flights]
    values = {
        **record,
        "party": len(record["passengers"]),
        "paid": sum(line["amount"] for line in payments),
        "legs": [_bookable(segment) for segment in flights],
        "first_date": min(dates, default=""),
        "last_date": max(dates, default=""),
    }
    all_dates = tuple(pointer("flights", n, "date") for n in range(len(flights)))
    derived = {
        "party": ("/passengers",),
        "paid": tuple(
            pointer("payment_history", n, "amount") for n in range(len(payments))
        ),
        "legs": ("/flights",),
        "first_date": all_dates,
        "last_date": all_dates,
    }
    return Row(values, call, "", record["reservation_id"], derived=derived)


def _segments(reservation: Row) -> Iterator[Row]:
    """`number`: its place in the reservation, from 0. `flight`: as writes take it."""
    for number, segment in enumerate(reservation.values["flights"]):
        label = f"{segment['flight_number']} on {segment['date']}"
        values = {**segment, "number": number, "flight": _bookable(segment)}
        derived = {
            "number": ("/flight_number",),
            "flight": ("/flight_number", "/date"),
        }
        place = reservation.pointer + pointer("flights", number)
        yield Row(values, reservation.read, place, label, derived=derived)


def _payments(reservation: Row) -> Iterator[Row]:
    for number, line in enumerate(reservation.values["payment_history"]):
        place = reservation.pointer + pointer("payment_history", number)
        yield Row(line, reservation.read, place, line["payment_id"])


def _bookable(flight: Record) -> Record:
    return {"flight_number": flight["flight_number"], "date": flight["date"]}


# --- what searches show ---------------------------------------------------------------------------------------------------------------


def searches(by: Facts) -> Sequence[ToolCall]:
    """The searches over every origin, destination and date, by the routing's kinds.

    `dates`, or the one date that is `days` days after the date `after`: for a flight back.
    """
    dates = by["dates"] if "dates" in by else [day_after(by["after"], by["days"])]
    ends = tuple(by["origins"]), tuple(by["destinations"])
    return _searches(tuple(dates), *ends, by["routing"])


@lru_cache(KEPT)
def _searches(
    dates: tuple[str, ...],
    origins: tuple[str, ...],
    destinations: tuple[str, ...],
    routing: str,
) -> Sequence[ToolCall]:
    return tuple(
        flight_search(name, origin, destination, date)
        for date, origin, destination in product(dates, origins, destinations)
        for name in ROUTINGS[routing]
    )


def trip_rows(call: ToolCall, found: Sequence[Sequence[Record]]) -> list[Row]:
    """Rows of a search's result, one per itinerary; `found` has one flight in each for a direct search, and two for a one-stop search.

    Not every itinerary has one (see `trip_row`).
    """
    rows = (trip_row(call, number, flights) for number, flights in enumerate(found))
    return [row for row in rows if row is not None]


def trip_row(call: ToolCall, number: int, flights: Sequence[Record]) -> Row | None:
    """The row of a search's itinerary with that place in its result.

    An itinerary whose second flight does not leave on the day on which the first arrives is no trip (the reference's search writes
    and compares dates wrongly, tau2 SPEC §14.1 no. 8) and has no row.
    """
    date = call.arguments["date"]
    first, last = flights[0], flights[-1]
    direct = len(flights) == 1
    departs = clock_minutes(first["scheduled_departure_time_est"])
    arrives = clock_minutes(last["scheduled_arrival_time_est"])
    wait = 0
    if not direct:
        landed = clock_minutes(first["scheduled_arrival_time_est"])
        if last["date"] != day_after(date, landed // DAY):
            return None
        leaves = clock_minutes(last["scheduled_departure_time_est"])
        wait = landed // DAY * DAY + leaves - landed
        arrives += landed // DAY * DAY
    dates = [date] if direct else [flight["date"] for flight in flights]
    numbers = [flight["flight_number"] for flight in flights]
    values: Record = {
        "origin": call.arguments["origin"],
        "destination": call.arguments["destination"],
        "date": date,
        "stops": len(flights) - 1,
        "via": "" if direct else first["destination"],
        "flights": [
            {"flight_number": flight_number, "date": day}
            for flight_number, day in zip(numbers, dates, strict=True)
        ],
        "numbers": ", ".join(numbers),
        "departs": departs,
        "arrives": arrives,
        "elapsed": arrives - departs,
        "wait": wait,
        "fare": _over_all(sum, [flight["prices"] for flight in flights]),
        "seats": _over_all(min, [flight["available_seats"] for flight in flights]),
        "departs_text": clock_text(departs),
        "arrives_text": clock_text(arrives),
    }
    label = (
        f"{values['numbers']} · {values['origin']}"
        f"–{values['via'] + '–' if values['via'] else ''}{values['destination']} · "
        f"{date} {values['departs_text']}–{values['arrives_text']}"
    )
    derived = _DERIVED_DIRECT if direct else _DERIVED_ONE_STOP
    return Row(values, call, pointer(number), label, derived=derived)


def _over_all(
    take: Callable[[Iterable[int]], int], numbers: Sequence[Mapping[str, int]]
) -> dict[str, int]:
    """Cabin → sum or minimum of its numbers."""
    if len(numbers) == 1:
        return {cabin: numbers[0][cabin] for cabin in CABINS}
    return {cabin: take([one[cabin] for one in numbers]) for cabin in CABINS}


def _made_from(*legs: str) -> dict[str, tuple[str, ...]]:
    """Value of a trip → pointers, within its row, of what it is made from; `legs` are the places of its flights."""
    first, last = legs[0], legs[-1]
    leaves = f"{first}/scheduled_departure_time_est"
    lands = f"{last}/scheduled_arrival_time_est"
    numbers = tuple(f"{leg}/flight_number" for leg in legs)
    change = (
        f"{first}/scheduled_arrival_time_est",
        f"{last}/scheduled_departure_time_est",
    )
    own: dict[str, tuple[str, ...]] = {
        "origin": (f"{first}/origin",),
        "destination": (f"{last}/destination",),
        "date": (f"{first}/date",) if len(legs) > 1 else (),
        "stops": numbers,
        "via": (f"{first}/destination",) if len(legs) > 1 else (),
        "flights": numbers,
        "numbers": numbers,
        "departs": (leaves,),
        "departs_text": (leaves,),
        "arrives": (lands,),
        "arrives_text": (lands,),
        "elapsed": (leaves, lands),
        "wait": change if len(legs) > 1 else (),
        "fare": tuple(f"{leg}/prices" for leg in legs),
        "seats": tuple(f"{leg}/available_seats" for leg in legs),
    }
    for cabin in CABINS:
        own[f"fare.{cabin}"] = tuple(f"{leg}/prices/{cabin}" for leg in legs)
        own[f"seats.{cabin}"] = tuple(f"{leg}/available_seats/{cabin}" for leg in legs)
    return own


_DERIVED_DIRECT = _made_from("")
_DERIVED_ONE_STOP = _made_from("/0", "/1")


@lru_cache(KEPT)
def clock_minutes(text: str) -> int:
    """Minutes after midnight of "HH:MM:SS", which may end in "+1" for the next day."""
    return int(text[:2]) * 60 + int(text[3:5]) + (DAY if text.endswith("+1") else 0)


@lru_cache(KEPT)
def clock_text(minutes: int) -> str:
    """ "HH:MM", with "+1" for each day that has gone by."""
    text = f"{minutes % DAY // 60:02}:{minutes % 60:02}"
    return f"{text}+{minutes // DAY}" if minutes >= DAY else text


@lru_cache(KEPT)
def day_after(date: str, days: int) -> str:
    """The date that many days later; "" for what is no date."""
    if days == 0:
        return date
    try:
        return (Date.fromisoformat(date) + timedelta(days=days)).isoformat()
    except ValueError:
        return ""


_PARTS: Mapping[str, OfRow[list[Row]]] = {
    "methods": OfRow(lambda profile: list(_methods(profile))),
    "saved": OfRow(lambda profile: list(_people(profile, "saved_passengers"))),
    "travelers": OfRow(lambda reservation: list(_people(reservation, "passengers"))),
    "segments": OfRow(lambda reservation: list(_segments(reservation))),
    "payments": OfRow(lambda reservation: list(_payments(reservation))),
}
"""Relation → rows within a row."""


# --- what can be read at all ----------------------------------------------------------------------------------------------------------

_USER_ID = re.compile(r"[a-z]+(_[a-z]+)*_\d+")
_RESERVATION_ID = re.compile(r"[A-Z0-9]{6}")
_FLIGHT_NUMBER = re.compile(r"[A-Z]{3}\d{3}")
_DATE = re.compile(r"2024-\d\d-\d\d")
"""Of a flight: the world's clock stands in that year, and dates of birth are no dates of flights."""


def derivable_reads(strings: Iterable[str]) -> Iterable[ToolCall]:
    """Every read whose arguments are among the strings, but for searches; generous, since a read that fails tells nothing."""
    numbers, dates = [], []
    for text in strings:
        if _FLIGHT_NUMBER.fullmatch(text):
            numbers.append(text)
        if _RESERVATION_ID.fullmatch(text):
            yield reservation_details(text)
        elif _USER_ID.fullmatch(text):
            yield user_details(text)
        elif _DATE.fullmatch(text):
            dates.append(text)
    for number, date in product(numbers, dates):
        yield flight_status(number, date)


def first_reads(facts: Facts) -> Iterable[ToolCall]:
    """What can be called before anything was read, but for searches, which are open to everybody."""
    yield ToolCall(name="list_all_airports", arguments={})
    yield from derivable_reads(_strings(facts.values()))


def _strings(values: Iterable[Any]) -> Iterable[str]:
    for value in values:
        if isinstance(value, dict):
            yield from _strings(value.values())
        elif isinstance(value, list | tuple):
            yield from _strings(value)
        else:
            yield str(value)


def is_open(call: ToolCall) -> bool:
    """Whether anybody can make the call at any time: airports and days are known to all."""
    return call.name in (DIRECT, ONE_STOP)


def equivalents(call: ToolCall, session: Session) -> list[ToolCall]:
    """No airline read tells the same as another one: a search by one stop shows flights that a direct search shows too, but not all."""
    return []
