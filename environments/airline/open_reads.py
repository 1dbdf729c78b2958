"""Reads that anybody can make at any time, in which a change of flights may show.

Airports and days are known to all, so that every search is open: too many to list (20 airports make 11,400 of them), hence only those are
given that a change can touch.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from environments.airline.oracle import departures, onward
from environments.airline.relations import (
    DIRECT,
    ONE_STOP,
    flight_search,
    flight_status,
)
from environments.core.state import Record, Session
from environments.core.tools import Mode, ToolCall


def open_reads(session: Session, mode: Mode = Mode.STRICT) -> Iterable[ToolCall]:
    """Searches that show a changed flight in the base or in `session`, and statuses of changed flights that the base has.

    The status of a new flight is not among them: nobody knows its number before a search shows it.
    """
    corrected = mode == Mode.CORRECTED
    found: dict[str, ToolCall] = {}
    base = Session(session.base)
    for number in session.changed_keys("flights"):
        before, after = (state.get("flights", number) for state in (base, session))
        for date in _changed_dates(before, after):
            if before is not None:
                call = flight_status(number, date)
                found[call.key] = call
            for state, flight in ((base, before), (session, after)):
                if flight is not None:
                    for call in _showing(state, flight, date, corrected=corrected):
                        found[call.key] = call
    return list(found.values())


def _changed_dates(before: Record | None, after: Record | None) -> list[str]:
    ours, theirs = (flight["dates"] if flight else {} for flight in (before, after))
    dates = list(dict.fromkeys([*ours, *theirs]))
    if before and after and _schedule(before) != _schedule(after):
        return dates
    return [date for date in dates if ours.get(date) != theirs.get(date)]


def _schedule(flight: Record) -> list[Any]:
    return [value for name, value in flight.items() if name != "dates"]


def _showing(
    state: Session, flight: Record, date: str, *, corrected: bool
) -> Iterator[ToolCall]:
    """Searches of `state` that show the flight of that date."""
    day = flight["dates"].get(date)
    if day is None or day["status"] != "available":
        return
    origin, destination = flight["origin"], flight["destination"]
    yield flight_search(DIRECT, origin, destination, date)
    next_date, ready = onward(flight, date, corrected=corrected)
    for second, _ in departures(state, destination, None, next_date):
        if second["scheduled_departure_time_est"] >= ready:
            yield flight_search(ONE_STOP, origin, second["destination"], date)
    leaves = flight["scheduled_departure_time_est"]
    for number in state.lookup_all("flights_by_route", (None, origin)):
        first: Any = state.get("flights", number)
        overnight = "+1" in first["scheduled_arrival_time_est"]
        for earlier in first["dates"] if overnight else [date]:
            came = first["dates"].get(earlier)
            if came is None or came["status"] != "available":
                continue
            when, ready = onward(first, earlier, corrected=corrected)
            if when == date and leaves >= ready:
                yield flight_search(ONE_STOP, first["origin"], destination, earlier)
