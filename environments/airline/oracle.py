"""The oracle of the airline world: rows straight from the state, and its own account of what each write does.

Shares nothing with the toolkit (a test forbids the import), so that the two check each other on every task. What a search shows of the
base is remembered; of a changed state only the searches are made again that the changes can touch.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from operator import is_
from string import ascii_uppercase
from typing import Any

from environments.airline.relations import (
    CABINS,
    DAY,
    DIRECT,
    AirlineRows,
    clock_minutes,
    day_after,
    trip_row,
)
from environments.core.domain import Row, Shown
from environments.core.errors import Unidentifiable
from environments.core.memo import Memo
from environments.core.state import Record, Session
from environments.core.tools import Mode, ToolCall

_BAG, _INSURANCE = 50, 30
_BOOKED_AT = "2024-05-15T15:00:00"
_FIRST_RESERVATION, _FIRST_CERTIFICATE = "HATHAT", 3221322
_STRICT_LIMIT = 3
_PERSON = ("first_name", "last_name", "dob")


# --- searches -------------------------------------------------------------------------------------------------------------------------


def departures(
    session: Session, origin: str | None, destination: str | None, date: str
) -> Iterator[tuple[Record, Record]]:
    """(flight, its day) of flights that can be booked, in file order; None is any airport."""
    for number in session.lookup_all("flights_by_route", (origin, destination)):
        flight: Any = session.get("flights", number)
        day = flight["dates"].get(date)
        if day is not None and day["status"] == "available":
            yield flight, day


def onward(flight: Record, date: str, *, corrected: bool) -> tuple[str, str]:
    """(date, time) from which a flight of that date can be changed from, as a one-stop search writes and compares them."""
    arrival = flight["scheduled_arrival_time_est"]
    if clock_minutes(arrival) < DAY:
        return date, arrival
    if corrected:
        return day_after(date, 1), arrival.removesuffix("+1")
    day = date[-2:]
    return (f"2024-05-{int(day) + 1}" if day.isdigit() else ""), arrival


type _Leg = tuple[Record, Record, str]
"""(flight, its day, the date)"""


def _direct(
    session: Session, origin: str, destination: str, date: str
) -> Iterator[tuple[_Leg, ...]]:
    for flight, day in departures(session, origin, destination, date):
        yield ((flight, day, date),)


def _one_stop(
    session: Session, origin: str, destination: str, date: str, corrected: bool
) -> Iterator[tuple[_Leg, ...]]:
    for flight, day in departures(session, origin, None, date):
        yield from _connections(session, (flight, day, date), destination, corrected)


def _connections(
    session: Session, first: _Leg, destination: str, corrected: bool
) -> Iterator[tuple[_Leg, ...]]:
    """Itineraries that begin with that flight."""
    flight, _, date = first
    next_date, ready = onward(flight, date, corrected=corrected)
    stop = flight["destination"]
    for second, day in departures(session, stop, destination, next_date):
        if second["scheduled_departure_time_est"] >= ready:
            yield first, (second, day, next_date)


def _changed_one_stop(
    session: Session,
    known: Iterable[tuple[_Leg, ...]],
    origin: str,
    destination: str,
    date: str,
    corrected: bool,
) -> list[tuple[_Leg, ...]]:
    """The same for a changed session, from those of its base: only what begins or ends with a changed flight is looked for."""
    changed = session.changed_keys("flights")
    found = [
        legs
        for legs in known
        if not any(flight["flight_number"] in changed for flight, _, _ in legs)
    ]
    for number in changed:
        flight: Any = session.get("flights", number)
        if flight is None:
            continue
        if flight["origin"] == origin:
            day = flight["dates"].get(date)
            if day is not None and day["status"] == "available":
                leg = flight, day, date
                found += _connections(session, leg, destination, corrected)
        if flight["destination"] == destination:
            stop = flight["origin"]
            for first, first_day in departures(session, origin, stop, date):
                if first["flight_number"] not in changed:
                    leg = first, first_day, date
                    found += [
                        legs
                        for legs in _connections(session, leg, destination, corrected)
                        if legs[1][0] is flight
                    ]
    positions = session.base.positions
    added = {number: (len(positions), place) for place, number in enumerate(changed)}

    def place(legs: tuple[_Leg, ...]) -> list[tuple[int, int]]:
        """In file order, added flights last, as `departures` gives them."""
        numbers = [flight["flight_number"] for flight, _, _ in legs]
        return [
            (positions["flights", number], 0)
            if ("flights", number) in positions
            else added[number]
            for number in numbers
        ]

    return sorted(found, key=place)


def _shown_leg(leg: _Leg) -> Record:
    flight, day, date = leg
    offer = {"prices": day["prices"], "available_seats": day["available_seats"]}
    return {**flight, **offer, "date": date}


@dataclass(frozen=True, slots=True)
class _Cell:
    """What a search shows, and each itinerary with its row (None: it has none), in order."""

    shown: Shown
    trips: list[tuple[tuple[_Leg, ...], Row | None]]


def _cell(session: Session, call: ToolCall, corrected: bool) -> _Cell:
    """Of a changed session only the rows are made that the base does not have at the same place: what is judged of others holds."""
    search = call.arguments
    ends = search["origin"], search["destination"], search["date"]
    before: _Cell | None = None
    known: list[tuple[tuple[_Leg, ...], Row | None]] = []
    if session.affected():
        before = _CELLS[corrected].of(Session(session.base), call)
        known = before.trips
    found: Iterable[tuple[_Leg, ...]]
    if call.name == DIRECT:
        found = _direct(session, *ends)
    elif before is None:
        found = _one_stop(session, *ends, corrected)
    else:
        ours = [legs for legs, _ in known]
        found = _changed_one_stop(session, ours, *ends, corrected)
    trips = []
    for number, legs in enumerate(found):
        if number < len(known) and _are_same(known[number][0], legs):
            trips.append(known[number])
        else:
            trips.append((legs, trip_row(call, number, list(map(_shown_leg, legs)))))
    if before and len(trips) == len(known) and all(map(is_, trips, known)):
        return before
    return _Cell(Shown(call, [row for _, row in trips if row is not None]), trips)


def _are_same(one: tuple[_Leg, ...], other: tuple[_Leg, ...]) -> bool:
    """Whether these are the very same records."""
    return all(
        mine[0] is theirs[0] and mine[2] == theirs[2]
        for mine, theirs in zip(one, other, strict=True)
    )


_CELLS: Mapping[bool, Memo[ToolCall, _Cell]] = {
    False: Memo(lambda session, call: _cell(session, call, False)),
    True: Memo(lambda session, call: _cell(session, call, True)),
}


# --- rows and writes --------------------------------------------------------------------------------------------------------------------


class _Records(AirlineRows):
    """Rows of one session as it stands."""

    def __init__(self, session: Session, corrected: bool = False):
        self.session = session
        self.corrected = corrected
        self._base = Session(session.base)
        self._days: tuple[frozenset[tuple[str, Any]], frozenset[str]] | None = None

    def record(self, call: ToolCall) -> Record | None:
        collection = {"user_id": "users", "reservation_id": "reservations"}
        ((name, value),) = call.arguments.items()
        return self.session.get(collection[name], value)

    def status(self, call: ToolCall) -> str | None:
        flight = self.session.get("flights", call.arguments["flight_number"])
        day = flight["dates"].get(call.arguments["date"]) if flight else None
        status: str | None = day["status"] if day else None
        return status

    def trips(self, call: ToolCall) -> list[Row]:
        return self._cell(call).rows

    def _cell(self, call: ToolCall) -> Shown:
        state = self.session
        if state.affected() and self._moved_days().isdisjoint(
            _days_of(call.arguments["date"])
        ):
            state = self._base
        return _CELLS[self.corrected].of(state, call).shown

    def _moved_days(self) -> frozenset[str]:
        """Dates on which a changed flight differs from the base; kept as long as the session's changes are the same."""
        changed = self.session.affected()
        if self._days is None or self._days[0] is not changed:
            flights = self.session.changed_keys("flights")
            days = (
                day for key in flights for day in _differing_days(self.session, key)
            )
            self._days = changed, frozenset(days)
        return self._days[1]


@lru_cache(64)
def _days_of(date: str) -> frozenset[str]:
    """Dates that a search for this one looks at, as flights write them; a date that is none is its own."""
    try:
        return frozenset((date, day_after(date, 1)))
    except ValueError:
        return frozenset((date,))


def _differing_days(session: Session, number: str) -> Iterator[str]:
    before: Any = session.base.collections["flights"].get(number)
    after: Any = session.get("flights", number)
    if before and after and _schedule(before) == _schedule(after):
        for day in {*before["dates"], *after["dates"]}:
            if before["dates"].get(day) != after["dates"].get(day):
                yield day
    else:
        for flight in (before, after):
            yield from flight["dates"] if flight else ()


def _schedule(flight: Record) -> Record:
    return {name: value for name, value in flight.items() if name != "dates"}


_ONE = Memo[ToolCall, Shown](lambda session, call: _Records(session)._one(call))
_RESERVATION = Memo[str, Shown](
    lambda session, key: _Records(session)._reservation(key)
)


class StateRows(_Records):
    """Rows of a session of its own, which writes change."""

    def __init__(self, session: Session, mode: Mode = Mode.STRICT):
        super().__init__(session.fork(), mode == Mode.CORRECTED)

    def _one(self, call: ToolCall) -> Shown:
        return _ONE.of(self.session, call)

    def _reservation(self, reservation_id: str) -> Shown:
        return _RESERVATION.of(self.session, reservation_id)

    def effect(self) -> str:
        return self.session.effect()

    def has_effect_of(self, other: "StateRows") -> bool:
        return self.session.equals(other.session)

    def apply(self, call: ToolCall) -> None:
        """Take the effect of a legal write (SPEC §3.2). Raises Unidentifiable("illegal") for any other."""
        before = self.session
        self.session = before.fork()  # rows given out before stay as they were
        try:
            self._apply(call)
        except Unidentifiable:
            self.session = before
            raise

    def _apply(self, call: ToolCall) -> None:
        match call.name:
            case "book_reservation":
                self._book(**call.arguments)
            case "cancel_reservation":
                self._cancel(**call.arguments)
            case "update_reservation_baggages":
                self._change_bags(**call.arguments)
            case "update_reservation_flights":
                self._change_flights(**call.arguments)
            case "update_reservation_passengers":
                self._change_passengers(**call.arguments)
            case "send_certificate":
                self._send_certificate(**call.arguments)
            case _:
                raise Unidentifiable("illegal", f"{call.name} is not a write.")

    def _book(
        self,
        *,
        user_id: str,
        origin: str,
        destination: str,
        flight_type: str,
        cabin: str,
        flights: list[Record],
        passengers: list[Record],
        payment_methods: list[Record],
        total_baggages: int,
        nonfree_baggages: int,
        insurance: str,
    ) -> None:
        _legal(self.session.get("users", user_id) is not None, "no such user")
        _legal(
            flight_type in ("one_way", "round_trip")
            and cabin in CABINS
            and insurance in ("yes", "no"),
            "no such type, cabin or insurance",
        )
        self._check_bags(total_baggages, nonfree_baggages)
        people = self._people(passengers)
        _legal(bool(people) or not self.corrected, "nobody travels")
        segments = [
            self._new_segment(flight, cabin, len(people))
            for flight in self._wanted(flights)
        ]
        fares = sum(segment["price"] for segment in segments) * len(people)
        insured = _INSURANCE * len(people) if insurance == "yes" else 0
        total = fares + insured + _BAG * nonfree_baggages
        lines = _payments(payment_methods)
        reservation_id = self._free_reservation_id()
        self._pay(user_id, lines, total)
        reservation = {
            "reservation_id": reservation_id,
            "user_id": user_id,
            "origin": origin,
            "destination": destination,
            "flight_type": flight_type,
            "cabin": cabin,
            "flights": segments,
            "passengers": people,
            "payment_history": lines,
            "created_at": _BOOKED_AT,
            "total_baggages": total_baggages,
            "nonfree_baggages": nonfree_baggages,
            "insurance": insurance,
            "status": None,
        }
        self._seats(reservation, -1)
        self.session.put("reservations", reservation_id, reservation)
        user: Any = self.session.get("users", user_id)
        reservations = [*user["reservations"], reservation_id]
        self.session.put("users", user_id, {**user, "reservations": reservations})

    def _cancel(self, *, reservation_id: str) -> None:
        reservation = self._changeable(reservation_id)
        lines = reservation["payment_history"]
        back = [{**line, "amount": -line["amount"]} for line in lines]
        if self.corrected:
            self._seats(reservation, +1)
            methods = self._methods(reservation["user_id"])
            for line in lines:
                method = methods.setdefault(
                    line["payment_id"],
                    {
                        "source": "certificate",
                        "id": line["payment_id"],
                        "amount": 0.0,
                    },
                )
                if method["source"] != "credit_card":
                    method["amount"] = round(method["amount"] + line["amount"], 2)
        reservation["payment_history"] = lines + back
        reservation["status"] = "cancelled"

    def _change_bags(
        self,
        *,
        reservation_id: str,
        total_baggages: int,
        nonfree_baggages: int,
        payment_id: str,
    ) -> None:
        reservation = self._changeable(reservation_id)
        self._check_bags(total_baggages, nonfree_baggages)
        more = max(0, nonfree_baggages - reservation["nonfree_baggages"])
        self._charge(reservation, payment_id, _BAG * more)
        reservation["total_baggages"] = total_baggages
        reservation["nonfree_baggages"] = nonfree_baggages

    def _change_flights(
        self, *, reservation_id: str, cabin: str, flights: list[Record], payment_id: str
    ) -> None:
        reservation = self._changeable(reservation_id)
        wanted = self._wanted(flights)
        _legal(cabin in CABINS or not wanted, "no such cabin")
        party = len(reservation["passengers"])
        kept = {}
        if cabin == reservation["cabin"]:
            for segment in reversed(reservation["flights"]):
                kept[segment["flight_number"], segment["date"]] = dict(segment)
        segments = [
            kept.get(flight) or self._new_segment(flight, cabin, party)
            for flight in wanted
        ]
        dearer = sum(segment["price"] for segment in segments) - sum(
            segment["price"] for segment in reservation["flights"]
        )
        self._charge(reservation, payment_id, dearer * party)
        if self.corrected:
            self._seats(reservation, +1)
        reservation.update(flights=segments, cabin=cabin)
        if self.corrected:
            self._seats(reservation, -1)

    def _change_passengers(
        self, *, reservation_id: str, passengers: list[Record]
    ) -> None:
        reservation = self._changeable(reservation_id)
        people = self._people(passengers)
        _legal(
            len(people) == len(reservation["passengers"]),
            "another number of passengers",
        )
        reservation["passengers"] = people

    def _send_certificate(self, *, user_id: str, amount: float) -> None:
        _legal(self.session.get("users", user_id) is not None, "no such user")
        whole = isinstance(amount, int) and not isinstance(amount, bool)
        _legal(
            whole and amount >= 1 if self.corrected else _is_number(amount),
            "no such amount",
        )
        methods = self._methods(user_id)
        numbers = count() if self.corrected else range(_STRICT_LIMIT)
        ids = (f"certificate_{_FIRST_CERTIFICATE + n}" for n in numbers)
        free = next((one for one in ids if one not in methods), None)
        _legal(free is not None, "too many certificates")
        assert free is not None
        methods[free] = {"source": "certificate", "id": free, "amount": float(amount)}

    # what several writes do

    def _changeable(self, reservation_id: str) -> Record:
        found = self.session.get("reservations", reservation_id)
        _legal(
            found is not None
            and not (self.corrected and found["status"] == "cancelled"),
            "no reservation that can be changed",
        )
        assert found is not None
        _legal(
            self.session.get("users", found["user_id"]) is not None, "it is nobody's"
        )
        return self.session.put("reservations", reservation_id, dict(found))

    def _methods(self, user_id: str) -> dict[str, Record]:
        """Ways to pay, to be changed in place."""
        user: Any = self.session.get("users", user_id)
        methods = {key: dict(one) for key, one in user["payment_methods"].items()}
        self.session.put("users", user_id, {**user, "payment_methods": methods})
        return methods

    def _wanted(self, flights: list[Record]) -> list[tuple[str, str]]:
        wanted = [(flight["flight_number"], flight["date"]) for flight in flights]
        if self.corrected:
            _legal(
                bool(wanted) and len(set(wanted)) == len(wanted),
                "no flights, or one of them twice",
            )
        return wanted

    def _people(self, passengers: list[Record]) -> list[Record]:
        return [{part: person[part] for part in _PERSON} for person in passengers]

    def _new_segment(self, wanted: tuple[str, str], cabin: str, party: int) -> Record:
        number, date = wanted
        flight = self.session.get("flights", number)
        day = flight["dates"].get(date) if flight else None
        _legal(
            day is not None and day["status"] == "available", "no flight to be booked"
        )
        assert flight is not None
        assert day is not None
        _legal(day["available_seats"][cabin] >= party, "not enough seats")
        return {
            "flight_number": number,
            "origin": flight["origin"],
            "destination": flight["destination"],
            "date": date,
            "price": day["prices"][cabin],
        }

    def _check_bags(self, total: int, nonfree: int) -> None:
        _legal(isinstance(total, int) and isinstance(nonfree, int), "no number of bags")
        _legal(0 <= nonfree <= total or not self.corrected, "no such bags")

    def _pay(self, user_id: str, lines: Sequence[Record], total: int) -> None:
        methods = self._methods(user_id)
        asked: Counter[str] = Counter()
        for line in lines:
            method, amount = methods.get(line["payment_id"]), line["amount"]
            _legal(method is not None, "no such payment method")
            assert method is not None
            once = line["payment_id"] not in asked or method["source"] != "certificate"
            _legal(once, "a certificate twice")
            asked[line["payment_id"]] += amount
            needed = asked[line["payment_id"]] if self.corrected else amount
            _legal(amount >= 1 or not self.corrected, "no amount")
            _legal(
                method["source"] == "credit_card" or method["amount"] >= needed,
                "not covered",
            )
        _legal(sum(line["amount"] for line in lines) == total, "it does not add up")
        for line in lines:
            if methods[line["payment_id"]]["source"] == "certificate":
                del methods[line["payment_id"]]
            else:
                self._take(methods[line["payment_id"]], line["amount"])

    def _charge(self, reservation: Record, payment_id: str, price: int) -> None:
        methods = self._methods(reservation["user_id"])
        method = methods.get(payment_id)
        _legal(
            method is not None and method["source"] != "certificate",
            "not a method that can pay",
        )
        assert method is not None
        _legal(
            method["source"] != "gift_card" or method["amount"] >= price,
            "the gift card does not cover it",
        )
        if price:
            self._take(method, price)
            reservation["payment_history"] = [
                *reservation["payment_history"],
                {"payment_id": payment_id, "amount": price},
            ]

    def _take(self, method: Record, amount: int) -> None:
        if method["source"] == "gift_card":
            left = method["amount"] - amount
            method["amount"] = round(left, 2) if self.corrected else left

    def _seats(self, reservation: Record, sign: int) -> None:
        """Give back (+1) or take (−1) seats where they are still counted."""
        for segment in reservation["flights"]:
            found = self.session.get("flights", segment["flight_number"])
            day = found["dates"].get(segment["date"]) if found else None
            if found and day is not None and day["status"] == "available":
                cabin, seats = reservation["cabin"], day["available_seats"]
                left = seats[cabin] + sign * len(reservation["passengers"])
                # A timetable is long: only what is on the way to the one number is made anew, and nothing of it is edited after
                day = {**day, "available_seats": {**seats, cabin: left}}
                flight = {**found, "dates": {**found["dates"], segment["date"]: day}}
                self.session.put("flights", found["flight_number"], flight)

    def _free_reservation_id(self) -> str:
        names = _names_from(_FIRST_RESERVATION, None if self.corrected else 3)
        free = (
            name for name in names if self.session.get("reservations", name) is None
        )
        found = next(free, None)
        _legal(found is not None, "too many reservations")
        assert found is not None
        return found


def _names_from(first: str, limit: int | None) -> Iterator[str]:
    """`first` and what follows it in the alphabet, its last three letters going up to ZZZ."""
    letters = ascii_uppercase
    start = 0
    for letter in first[-3:]:
        start = start * len(letters) + letters.index(letter)
    stop = len(letters) ** 3
    for n in range(start, stop if limit is None else start + limit):
        tail = letters[n // 676] + letters[n // 26 % 26] + letters[n % 26]
        yield first[:-3] + tail


def _payments(lines: Iterable[Record]) -> list[Record]:
    read = []
    for line in lines:
        amount = line["amount"]
        _legal(_is_number(amount) and amount == int(amount), "no whole dollars")
        read.append({"payment_id": line["payment_id"], "amount": int(amount)})
    return read


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _legal(condition: bool, text: str) -> None:
    if not condition:
        raise Unidentifiable("illegal", f"The world refuses the write: {text}.")
