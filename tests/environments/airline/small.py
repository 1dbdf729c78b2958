"""A small airline, made for one test at a time: three flights, one customer, and the trips that the test wants."""

from collections.abc import Callable, Iterable
from typing import Any

from environments.airline import build, read_state
from environments.core.environment import Environment
from environments.core.policy import Breach, Event, PolicyTrace
from environments.core.tools import Mode, ToolCall

type Json = dict[str, Any]

WHO = "ada_lane_1001"
PRICES = {"basic_economy": 80, "economy": 120, "business": 300}
DAY: dict[str, Json] = {
    "available": {
        "status": "available",
        "available_seats": {"basic_economy": 9, "economy": 9, "business": 9},
        "prices": PRICES,
    },
    "delayed": {
        "status": "delayed",
        "estimated_departure_time_est": "2024-05-15T20:00:00",
        "estimated_arrival_time_est": "2024-05-15T22:00:00",
    },
    "landed": {
        "status": "landed",
        "actual_departure_time_est": "2024-05-13T10:00:00",
        "actual_arrival_time_est": "2024-05-13T12:00:00",
    },
    "cancelled": {"status": "cancelled"},
}
ROUTES = {
    "HAT001": ("SFO", "JFK"),
    "HAT002": ("JFK", "SFO"),
    "HAT003": ("SFO", "BOS"),
    "HAT004": ("SFO", "JFK"),
}
LEFT, LATE, GONE, SOON, LATER = (f"2024-05-{day}" for day in (13, 15, 16, 20, 25))
"""Days on which flights have landed, are delayed, are cancelled, and can be booked."""


def passenger(number: int = 0) -> Json:
    return {
        "first_name": "Ada",
        "last_name": "Lane",
        "dob": f"19{70 + number}-02-03",
    }


def leg(number: str, date: str, price: int = 120) -> Json:
    origin, destination = ROUTES[number]
    return {
        "flight_number": number,
        "origin": origin,
        "destination": destination,
        "date": date,
        "price": price,
    }


def trip(key: str = "1AAAAA", **changes: Any) -> Json:
    """A one-way trip of one passenger in economy, booked long ago, without bags or insurance."""
    made: Json = {
        "reservation_id": key,
        "user_id": WHO,
        "origin": "SFO",
        "destination": "JFK",
        "flight_type": "one_way",
        "cabin": "economy",
        "flights": [leg("HAT001", SOON)],
        "passengers": [passenger()],
        "payment_history": [{"payment_id": "credit_card_1000001", "amount": 120}],
        "created_at": "2024-05-01T09:00:00",
        "total_baggages": 0,
        "nonfree_baggages": 0,
        "insurance": "no",
        "status": None,
    }
    return made | changes


def airline(*trips: Json, membership: str = "regular") -> Environment:
    methods: dict[str, Json] = {
        f"credit_card_100000{n}": {
            "source": "credit_card",
            "id": f"credit_card_100000{n}",
            "brand": "visa",
            "last_four": f"000{n}",
        }
        for n in (1, 2)
    }
    for kind, worth in (("gift_card", 400.0), ("certificate", 50.0)):
        for n in range(1, 5):
            key = f"{kind}_200000{n}"
            methods[key] = {"source": kind, "id": key, "amount": worth}
    who = {
        "user_id": WHO,
        "name": {"first_name": "Ada", "last_name": "Lane"},
        "address": {
            "address1": "1 Fern Street",
            "address2": "",
            "city": "Omaha",
            "country": "USA",
            "state": "NE",
            "zip": "68102",
        },
        "email": "ada.lane@example.com",
        "dob": "1970-02-03",
        "payment_methods": methods,
        "saved_passengers": [passenger(1)],
        "membership": membership,
        "reservations": [made["reservation_id"] for made in trips],
    }
    other = {**who, "user_id": "bo_hart_1002", "reservations": []}
    days = dict(
        zip(
            (LEFT, LATE, GONE, SOON, LATER),
            ("landed", "delayed", "cancelled", "available", "available"),
            strict=True,
        )
    )
    flights = {
        number: {
            "flight_number": number,
            "origin": origin,
            "destination": destination,
            "scheduled_departure_time_est": "10:00:00",
            "scheduled_arrival_time_est": "12:00:00",
            "dates": {date: DAY[status] for date, status in days.items()},
        }
        for number, (origin, destination) in ROUTES.items()
    }
    raw = {
        "flights": flights,
        "users": {WHO: who, "bo_hart_1002": other},
        "reservations": {made["reservation_id"]: made for made in trips},
    }
    return build(state=read_state(raw), version="small", mode=Mode.CORRECTED)


class Scene:
    """A conversation in the making, on a real session."""

    def __init__(self, *trips: Json, membership: str = "regular"):
        self.airline = airline(*trips, membership=membership)
        self.session = self.airline.session()
        self.events: list[Event] = []

    def hear(self, text: str) -> "Scene":
        return self._add(Event(len(self.events), "user", text))

    def say(self, text: str) -> "Scene":
        return self._add(Event(len(self.events), "agent", text))

    def call(self, name: str, **arguments: Any) -> "Scene":
        call = ToolCall(name=name, arguments=arguments)
        tool = self.airline.tools.get(name)
        event = Event(
            len(self.events),
            "agent",
            call=call,
            result=self.session.call(call),
            kind=tool.kind if tool else None,
        )
        return self._add(event)

    def write(self, name: str, **arguments: Any) -> "Scene":
        """A call that the tool lets through: what is judged is no slip of the test."""
        self.call(name, **arguments)
        result = self.events[-1].result
        assert result is not None
        assert self.events[-1].wrote, result.content
        return self

    def book(self, **changes: Any) -> "Scene":
        """A one-way trip of one passenger, paid with a card."""
        arguments: Json = {
            "user_id": WHO,
            "origin": "SFO",
            "destination": "JFK",
            "flight_type": "one_way",
            "cabin": "economy",
            "flights": [{"flight_number": "HAT001", "date": SOON}],
            "passengers": [passenger()],
            "payment_methods": [{"payment_id": "credit_card_1000001", "amount": 120}],
            "total_baggages": 0,
            "nonfree_baggages": 0,
            "insurance": "no",
        }
        return self.write("book_reservation", **arguments | changes)

    def cancel(self, key: str = "1AAAAA") -> "Scene":
        return self.write("cancel_reservation", reservation_id=key)

    def add_bags(self, total: int, nonfree: int, key: str = "1AAAAA") -> "Scene":
        return self.write(
            "update_reservation_baggages",
            reservation_id=key,
            total_baggages=total,
            nonfree_baggages=nonfree,
            payment_id="credit_card_1000001",
        )

    def change(
        self, *flights: tuple[str, str], cabin: str = "economy", key: str = "1AAAAA"
    ) -> "Scene":
        return self.write(
            "update_reservation_flights",
            reservation_id=key,
            cabin=cabin,
            flights=[
                {"flight_number": number, "date": date} for number, date in flights
            ],
            payment_id="credit_card_1000001",
        )

    def look_up(self, key: str = "1AAAAA") -> "Scene":
        """Profile, reservation and the status of its first flight."""
        self.call("get_user_details", user_id=WHO)
        self.call("get_reservation_details", reservation_id=key)
        found: Any = self.session.state.get("reservations", key)
        first = found["flights"][0]
        return self.call(
            "get_flight_status",
            flight_number=first["flight_number"],
            date=first["date"],
        )

    def judge(self, judge: Callable[[PolicyTrace], Iterable[Breach]]) -> list[Breach]:
        trace = PolicyTrace(
            tuple(self.events),
            self.airline.session().state,
            self.airline.domain.lexicon,
        )
        return list(judge(trace))

    def _add(self, event: Event) -> "Scene":
        self.events.append(event)
        return self
