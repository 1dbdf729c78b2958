"""New flights and other statuses: what else a search or the status of a flight could have shown.

A new flight shows in the direct search between its airports, and in every one-stop search that can change from or to it. So its times
are chosen for the timetable around it: a direct flight that leaves before anything arrives where it starts, and arrives after everything
has left from where it ends, shows in one search alone. A connection of two new flights changes at an airport at a time when as few
others as possible can change to the second or from the first.
"""

import random
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from environments.airline.oracle import departures, onward
from environments.airline.relations import CABINS, DAY, clock_minutes, day_after
from environments.core.domain import Patch
from environments.core.memo import Memo
from environments.core.pointers import pointer
from environments.core.state import Record, Session
from environments.core.tools import Mode

SEATS = 20
CHEAPEST, CHEAP, DEAR = 1, (11, 40), 9000
"""Dollars: less than any flight costs, and more."""
SINGLE = 6
"""Connections with only one new flight that are tried, of either kind."""
ALWAYS = (5 * 60 + 30, 22 * 60 + 30)
"""Minutes at which a change of planes is always looked at."""
FIRST, LAST = 0, DAY - 1
"""The minutes at which what shall not be seen leaves and lands: none leaves earlier or lands later that day."""
QUICK = 42
"""Minutes that a quick flight takes, or two with a change between them."""
HOURS = (5, 12, 22, 9, 17, 14, 19, 7, 20, 11, 15, 21, 8, 10, 13, 16, 18, 6)
"""At which a quick flight leaves (just after): first those that are early, usual and late, then what lies between."""
BETTER = 7
"""Minutes by which a flight leaves later and arrives earlier than another one."""
TRIPS = 3
"""Trips of a search that a new one is made to beat in times too."""

type Step = dict[str, Any]
"""One of a patch."""


# --- direct flights -----------------------------------------------------------------------------------------------------------------------


def direct(
    session: Session,
    rng: random.Random,
    mode: Mode,
    *,
    origin: str,
    destination: str,
    date: str,
) -> Iterator[Patch]:
    """A flight on that day alone: cheap, then quick and cheap at several times, then at other prices.

    The first shows in no other search; the second in none by one stop to the same place, the third in none from the same place.
    """
    new = partial(_new_flight, session, rng, origin, destination, date)
    starts = _before_arrivals(session, origin, date, mode)
    ends = _after_departures(session, destination, date)
    hidden = min(starts, FIRST), max(ends, LAST)
    cheap = rng.randrange(*CHEAP)
    yield [new(*hidden, cheap)]
    yield [_with_dear_business(new(*hidden, cheap))]
    offers = list(departures(session, origin, destination, date))
    yield [new(starts, starts + QUICK, cheap)]
    yield [new(ends - QUICK, ends, cheap)]
    for hour in HOURS[:2]:
        yield [new(*_quick(hour), cheap)]
    for flight, _ in offers[:TRIPS]:
        times = _within(
            clock_minutes(flight["scheduled_departure_time_est"]),
            clock_minutes(flight["scheduled_arrival_time_est"]),
        )
        yield [new(*times, cheap)]
    prices = sorted(day["prices"]["economy"] for _, day in offers)
    if len(prices) > 1:
        yield [new(*hidden, (prices[0] + prices[-1]) // 2)]
    yield [new(*hidden, DEAR)]
    if offers:
        yield [_sold_out(flight["flight_number"], date) for flight, _ in offers]
    for hour in HOURS[2:]:
        yield [new(*_quick(hour), cheap)]


def _with_dear_business(step: Step) -> Step:
    """The new flight, so dear in business that its other cabins are cheap all the same."""
    for day in step["value"]["dates"].values():
        day["prices"]["business"] = DEAR
    return step


def _sold_out(flight_number: str, date: str) -> Step:
    path = pointer("flights", flight_number, "dates", date, "available_seats")
    return {"op": "replace", "path": path, "value": dict.fromkeys(CABINS, 0)}


def _quick(hour: int) -> tuple[int, int]:
    return hour * 60 + 11, hour * 60 + 11 + QUICK


def _within(leaves: int, lands: int) -> tuple[int, int]:
    """Times of a flight that leaves later and lands earlier; at least a minute apart."""
    if lands - leaves <= 2 * BETTER:
        return leaves, leaves + 1
    return leaves + BETTER, lands - BETTER


def _before_arrivals(session: Session, airport: str, date: str, mode: Mode) -> int:
    """The last minute at which nothing that arrives at `airport` can be changed from, at the latest noon.

    In strict mode what arrives on the next day cannot be changed from in the very minute of its arrival (tau2 SPEC §14.1 no. 8).
    """
    last = DAY // 2
    for at, _ in _ARRIVALS.of(session, (airport, date)):
        last = min(last, at - 1)
    for at, _ in _ARRIVALS.of(session, (airport, day_after(date, -1))):
        if at >= DAY:
            last = min(last, at - DAY - (mode == Mode.CORRECTED))
    return max(0, last)


def _after_departures(session: Session, airport: str, date: str) -> int:
    """The first minute after which nothing leaves from `airport`, at the earliest 14:00."""
    leaving = [at + 1 for at, _ in _departures(session, airport, date)]
    return min(max([14 * 60, *leaving]), DAY - 1)


# --- connections --------------------------------------------------------------------------------------------------------------------------


def one_stop(
    session: Session,
    rng: random.Random,
    mode: Mode,
    *,
    origin: str,
    destination: str,
    date: str,
) -> Iterator[Patch]:
    """New connections, those first that the fewest other searches show: two new flights by way of some airport, or one with one there is.

    Whoever does without this search needs, for each of them, one of the searches that show it: so they go by many airports.
    """
    stops = [one for one in _airports(session) if one not in (origin, destination)]
    rng.shuffle(stops)
    stays = {
        stop: _Stay(stop, _TIMES.of(session, (stop, date)), origin, destination)
        for stop in stops
    }
    starts = _before_arrivals(session, origin, date, mode)
    ends = _after_departures(session, destination, date)
    new = partial(_new_flight, session, rng)

    def first(change: _Change, price: int) -> Step:
        leaves = min(starts, FIRST)
        return new(origin, change.stop, date, leaves, change.at, price)

    def second(change: _Change, price: int) -> Step:
        lands = max(ends, LAST)
        return new(change.stop, destination, date, change.at, lands, price)

    def both(change: _Change, price: int) -> Patch:
        step = first(change, price)
        other = step
        while other["path"] == step["path"]:
            other = second(change, price)
        return [step, other]

    def quick(leaves: int, lands: int) -> Patch:
        middle = (leaves + lands) // 2
        change = min(stay.change(middle) for stay in stays.values())
        price = rng.randrange(*CHEAP) // 2
        step = new(origin, change.stop, date, leaves, middle, price)
        other = step
        while other["path"] == step["path"]:
            other = new(change.stop, destination, date, middle, lands, price)
        return [step, other]

    changes = sorted(
        (stay.best_change() for stay in stays.values()), key=lambda one: one.readers
    )
    for change in changes[:2]:
        yield both(change, CHEAPEST)
    for change in _onward(session, stays, origin, date)[:SINGLE]:
        yield [second(change, CHEAPEST)]
    for change in _feeding(session, stays, destination, date)[:SINGLE]:
        yield [first(change, CHEAPEST)]
    for change in changes[2:]:
        yield both(change, CHEAPEST)
    for price in (400, DEAR):
        yield both(changes[0], price)
    for hour in HOURS[:2]:
        yield quick(*_quick(hour))
    for trip in _trips(session, origin, destination, date, mode)[:TRIPS]:
        leaves, lands = _within(*trip)
        if lands - leaves > 1:
            yield quick(leaves, lands)
    for stay in stays.values():
        for change in stay.one_sided():
            yield both(change, CHEAPEST)


@dataclass(frozen=True, order=True)
class _Change:
    """A change of planes: at which minute and airport, and how many other one-stop searches would show one of its flights."""

    readers: int
    at: int
    stop: str


@dataclass(frozen=True)
class _Times:
    """When others arrive and leave at an airport on one day, in minutes: by whom it can be changed there."""

    first: Mapping[str, int]
    """Whence → the first arrival from there."""
    last: Mapping[str, int]
    """Whither → the last departure to there."""
    firsts: Sequence[int]
    lasts: Sequence[int]
    """The same minutes, sorted."""
    moves: Sequence[tuple[int, int, frozenset[tuple[bool, str]]]]
    """(minute, how many come before or go after, what makes it one): right before an arrival, or right after a departure.

    What makes it one is (whether it arrives, the airport at the other end); of two minutes that are always there it is somebody else.
    """


def _make_times(session: Session, key: tuple[str, str]) -> _Times:
    coming, going = _arrivals(session, *key), _departures(session, *key)
    first: dict[str, int] = {}
    for when, whence in coming:
        first[whence] = min(when, first.get(whence, when))
    last: dict[str, int] = {}
    for when, whither in going:
        last[whither] = max(when, last.get(whither, when))
    moves = {when: {(True, "")} for when in ALWAYS}
    for arrives, when, place in (
        *((True, when - 1, whence) for when, whence in coming),
        *((False, when + 1, whither) for when, whither in going),
    ):
        if FIRST < when < LAST:
            moves.setdefault(when, set()).add((arrives, place))
    firsts, lasts = sorted(first.values()), sorted(last.values())
    counted = [
        (when, _others(firsts, lasts, when), frozenset(ends))
        for when, ends in moves.items()
    ]
    return _Times(first, last, firsts, lasts, counted)


def _others(firsts: Sequence[int], lasts: Sequence[int], at: int) -> int:
    """Airports from which others come by that minute, and to which others go from then on."""
    return bisect_right(firsts, at) + len(lasts) - bisect_left(lasts, at)


@dataclass(frozen=True)
class _Stay:
    """An airport at which to change on the way from `origin` to `destination`, whose own flights do not count."""

    stop: str
    times: _Times
    origin: str
    destination: str

    def comers(self, at: int) -> int:
        """Airports from which others come by that minute."""
        own = self.times.first.get(self.origin, DAY) <= at
        return bisect_right(self.times.firsts, at) - own

    def goers(self, at: int) -> int:
        """Airports to which others go from that minute on."""
        lasts = self.times.lasts
        own = self.times.last.get(self.destination, -1) >= at
        return len(lasts) - bisect_left(lasts, at) - own

    def change(self, at: int) -> _Change:
        """A change at that minute: others can change to its second flight from before, from its first to what leaves later."""
        return _Change(self.comers(at) + self.goers(at), at, self.stop)

    def best_change(self) -> _Change:
        """Few others fit in right before one arrives, or right after one has left."""
        first = self.times.first.get(self.origin, DAY)
        last = self.times.last.get(self.destination, -1)
        own = {(True, self.origin), (False, self.destination)}
        readers, at = min(
            (others - (first <= when) - (last >= when), when)
            for when, others, ends in self.times.moves
            if not ends <= own
        )
        return _Change(readers, at, self.stop)

    def one_sided(self) -> Iterator[_Change]:
        """Changes that show to nobody who comes from elsewhere, or to nobody who goes on elsewhere."""
        coming, going = self.times.first, self.times.last
        first = (when - 1 for place, when in coming.items() if place != self.origin)
        last = (when + 1 for place, when in going.items() if place != self.destination)
        for time in (min([DAY // 2, *first]), max([DAY // 2, *last])):
            if FIRST < time < LAST:
                yield self.change(time)


def _onward(
    session: Session, stays: Mapping[str, _Stay], origin: str, date: str
) -> list[_Change]:
    """Changes from a flight that there is: a new second flight is enough."""
    found = [
        min(_Change(stays[stop].comers(at), at, stop) for at in landings)
        for stop, landings in _by_place(
            (flight["destination"], clock_minutes(flight["scheduled_arrival_time_est"]))
            for flight, _ in departures(session, origin, None, date)
        )
        if stop in stays
    ]
    return sorted(found)


def _feeding(
    session: Session, stays: Mapping[str, _Stay], destination: str, date: str
) -> list[_Change]:
    """Changes to a flight that there is: a new first flight is enough."""
    found = [
        min(_Change(stays[stop].goers(at), at, stop) for at in leaving)
        for stop, leaving in _by_place(
            (flight["origin"], clock_minutes(flight["scheduled_departure_time_est"]))
            for flight, _ in departures(session, None, destination, date)
        )
        if stop in stays
    ]
    return sorted(found)


def _by_place(moves: Iterable[tuple[str, int]]) -> Iterator[tuple[str, list[int]]]:
    """Minutes of one day, by airport."""
    found: dict[str, list[int]] = {}
    for place, at in moves:
        if FIRST < at < LAST:
            found.setdefault(place, []).append(at)
    yield from found.items()


def _trips(
    session: Session, origin: str, destination: str, date: str, mode: Mode
) -> list[tuple[int, int]]:
    """(leaves, lands) of connections on one day."""
    found = []
    for first, _ in departures(session, origin, None, date):
        when, ready = onward(first, date, corrected=mode == Mode.CORRECTED)
        for second, _ in departures(session, first["destination"], destination, when):
            lands = second["scheduled_arrival_time_est"]
            if when == date and second["scheduled_departure_time_est"] >= ready:
                leaves = clock_minutes(first["scheduled_departure_time_est"])
                found.append((leaves, clock_minutes(lands)))
    return found


# --- the timetable around ---------------------------------------------------------------------------------------------------------------


def _arrivals(session: Session, airport: str, date: str) -> list[tuple[int, str]]:
    """(minute of `date`, whence) of flights that can be changed from at `airport` on that date."""
    previous = day_after(date, -1)
    return [
        (at % DAY, whence)
        for day, overnight in ((date, False), (previous, True))
        for at, whence in _ARRIVALS.of(session, (airport, day))
        if (at >= DAY) == overnight
    ]


def _departures(session: Session, airport: str, date: str) -> list[tuple[int, str]]:
    """(minute, whither)"""
    return _DEPARTURES.of(session, (airport, date))


def _make_arrivals(session: Session, key: tuple[str, str]) -> list[tuple[int, str]]:
    return [
        (clock_minutes(flight["scheduled_arrival_time_est"]), flight["origin"])
        for flight, _ in departures(session, None, *key)
    ]


def _make_departures(session: Session, key: tuple[str, str]) -> list[tuple[int, str]]:
    airport, date = key
    return [
        (clock_minutes(flight["scheduled_departure_time_est"]), flight["destination"])
        for flight, _ in departures(session, airport, None, date)
    ]


def _make_airports(session: Session, key: str) -> list[str]:
    flights = (session.get("flights", number) for number in session.keys(key))
    return sorted({flight[end] for flight in flights if flight for end in _ENDS})


_ENDS = ("origin", "destination")
_ARRIVALS = Memo(_make_arrivals)
_DEPARTURES = Memo(_make_departures)
_TIMES = Memo(_make_times)
_AIRPORTS = Memo(_make_airports)


def _airports(session: Session) -> list[str]:
    return list(_AIRPORTS.of(session, "flights"))


# --- one flight --------------------------------------------------------------------------------------------------------------------------


def _new_flight(
    session: Session,
    rng: random.Random,
    origin: str,
    destination: str,
    date: str,
    leaves: int,
    lands: int,
    price: int,
) -> Step:
    """A step that adds a flight on one day, with seats in every cabin, each cabin dearer than the last."""
    prefix = next(iter(session.base.collections["flights"]), "HAT000")[:3]
    number = ""
    while not number or session.get("flights", number) is not None:
        number = f"{prefix}{rng.randrange(1000):03}"
    prices = {cabin: price + rank for rank, cabin in enumerate(CABINS)}
    flight: Record = {
        "flight_number": number,
        "origin": origin,
        "destination": destination,
        "scheduled_departure_time_est": _clock(leaves),
        "scheduled_arrival_time_est": _clock(lands),
        "dates": {
            date: {
                "status": "available",
                "available_seats": dict.fromkeys(CABINS, SEATS),
                "prices": prices,
            }
        },
    }
    return {"op": "add", "path": pointer("flights", number), "value": flight}


def _clock(minutes: int) -> str:
    text = f"{minutes % DAY // 60:02}:{minutes % 60:02}:00"
    return f"{text}+1" if minutes >= DAY else text


# --- status -------------------------------------------------------------------------------------------------------------------------------


def changed_status(session: Session, flight_number: str, date: str) -> Iterator[Patch]:
    """Each other status; that it could be booked comes last, for then searches show it too."""
    flight = session.get("flights", flight_number)
    if flight is None or date not in flight["dates"]:
        return
    begin, end = (
        f"{date}T{flight[f'scheduled_{what}_time_est'][:8]}"
        for what in ("departure", "arrival")
    )
    days: list[Record] = [
        {"status": "cancelled"},
        {
            "status": "delayed",
            "estimated_departure_time_est": begin,
            "estimated_arrival_time_est": end,
        },
        {
            "status": "landed",
            "actual_departure_time_est": begin,
            "actual_arrival_time_est": end,
        },
        {
            "status": "on time",
            "estimated_departure_time_est": begin,
            "estimated_arrival_time_est": end,
        },
        {
            "status": "available",
            "available_seats": dict.fromkeys(CABINS, SEATS),
            "prices": dict.fromkeys(CABINS, DEAR),
        },
    ]
    path = pointer("flights", flight_number, "dates", date)
    for day in days:
        if day["status"] != flight["dates"][date]["status"]:
            yield [{"op": "replace", "path": path, "value": day}]
