"""The oracle against the toolkit: two accounts of the same world."""

import ast
import json
import random
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from environments.airline import build, generated, oracle
from environments.airline.relations import (
    CABINS,
    DIRECT,
    ONE_STOP,
    AirlineRows,
    flight_search,
    flight_status,
)
from environments.core.domain import Source
from environments.core.environment import Environment, EnvironmentSession
from environments.core.errors import Unidentifiable
from environments.core.state import Session, State
from environments.core.tools import Mode, ToolCall


def imported_modules(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    named = {
        node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
    }
    return named | {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }


class TestIndependence:
    @pytest.mark.parametrize(
        "module",
        [
            "oracle.py",
            "relations.py",
            "open_reads.py",
            "mutations/*.py",
            "archetypes/*.py",
        ],
    )
    def test_the_oracle_knows_nothing_of_the_tools_that_act(self, module: str) -> None:
        paths = list(Path(oracle.__file__).parent.glob(module))

        imported = {name for path in paths for name in imported_modules(path)}

        assert paths
        assert not imported & {
            "environments.airline.desk",
            "environments.airline.tools",
            "environments.airline.solver",
            "environments.airline",
        }


@pytest.fixture(scope="module")
def world() -> Environment:
    return generated(seed=7, users=60, flights=150)


@pytest.fixture(scope="module", params=Mode)
def either(world: Environment, request: pytest.FixtureRequest) -> Environment:
    """A small airline in each mode."""
    return build(state=world.state, version="either", mode=request.param)


def agree(session: EnvironmentSession, source: Source, call: ToolCall) -> bool:
    """Whether both take the write; fails if only one does, or if they then differ."""
    result = session.call(call)
    try:
        source.apply(call)
        taken = True
    except Unidentifiable:
        taken = False
    assert taken is not result.error, (call, result.content)
    assert source.effect() == session.state.effect(), call
    return taken


def random_flights(session: Session, rng: random.Random) -> list[dict[str, str]]:
    """One or two flights on days at hand; seldom one that has left."""
    numbers = list(session.keys("flights"))
    return [
        {
            "flight_number": rng.choice(numbers),
            "date": f"2024-05-{rng.choice([*range(16, 31), 3]):02}",
        }
        for _ in range(rng.randint(1, 2))
    ]


def random_booking(session: Session, rng: random.Random) -> ToolCall:
    """Paid to the dollar more often than not, in one part or in two."""
    user: Any = session.get("users", rng.choice(list(session.keys("users"))))
    methods = list(user["payment_methods"])
    party = rng.randint(1, 3)
    cabin, bags = rng.choice(CABINS), rng.randint(0, 2)
    flights = random_flights(session, rng)
    insurance = rng.choice(["yes", "no"])
    total = 50 * bags + (30 * party if insurance == "yes" else 0)
    for wanted in flights:
        flight: Any = session.get("flights", wanted["flight_number"])
        day = flight["dates"].get(wanted["date"], {})
        total += party * day.get("prices", {}).get(cabin, 0)
    parts = [total]
    if rng.random() < 0.5 and total > 1:
        first = rng.randrange(1, total)
        parts = [first, total - first]
    if rng.random() < 0.1:
        parts[0] += 1
    person = {"first_name": "Ann", "last_name": "Vale", "dob": "1980-01-02"}
    return ToolCall(
        name="book_reservation",
        arguments={
            "user_id": user["user_id"],
            "origin": "BOS",
            "destination": "DEN",
            "flight_type": rng.choice(["one_way", "round_trip"]),
            "cabin": cabin,
            "flights": flights,
            "passengers": [person] * party,
            "payment_methods": [
                {"payment_id": rng.choice(methods), "amount": part} for part in parts
            ],
            "total_baggages": bags + rng.randint(0, 1),
            "nonfree_baggages": bags,
            "insurance": insurance,
        },
    )


def random_write(session: Session, rng: random.Random) -> ToolCall:
    """A write with plausible arguments; many are legal."""
    key = rng.choice(list(session.keys("reservations")))
    reservation: Any = session.get("reservations", key)
    user: Any = session.get("users", reservation["user_id"])
    here = {"reservation_id": key}
    paid = {"payment_id": rng.choice(list(user["payment_methods"]))}
    bags = reservation["total_baggages"] + rng.randint(-1, 2)
    kept = [
        {name: segment[name] for name in ("flight_number", "date")}
        for segment in reservation["flights"]
    ]
    people = reservation["passengers"]
    match rng.randrange(8):
        case 0:
            return ToolCall(name="cancel_reservation", arguments=here)
        case 1:
            counts = {"total_baggages": bags, "nonfree_baggages": rng.randint(0, 3)}
            arguments = {**here, **counts, **paid}
            return ToolCall(name="update_reservation_baggages", arguments=arguments)
        case 2 | 3:
            flights = [*kept[:1], *random_flights(session, rng)[1:]]
            cabin = rng.choice([reservation["cabin"], *CABINS])
            arguments = {**here, "cabin": cabin, "flights": flights, **paid}
            return ToolCall(name="update_reservation_flights", arguments=arguments)
        case 4:
            renamed = [{**person, "first_name": "Zoe"} for person in people]
            arguments = {**here, "passengers": renamed[: rng.randint(1, 5)]}
            return ToolCall(name="update_reservation_passengers", arguments=arguments)
        case 5:
            arguments = {"user_id": user["user_id"], "amount": rng.choice([50, 200])}
            return ToolCall(name="send_certificate", arguments=arguments)
    return random_booking(session, rng)


class TestApply:
    def test_agrees_with_the_tools_on_every_write_and_every_refusal(
        self, either: Environment
    ) -> None:
        rng = random.Random(11)
        legal: dict[str, int] = {}
        refused = 0

        for _ in range(900):
            session = either.session()
            source = either.domain.from_state(session.state)
            for _ in range(3):
                call = random_write(session.state, rng)
                if half_done(call, session.state):
                    continue
                if agree(session, source, call):
                    legal[call.name] = legal.get(call.name, 0) + 1
                else:
                    refused += 1

        assert len(legal) == 6
        assert min(legal.values()) >= 20
        assert refused >= 300

    def test_agrees_on_as_many_bookings_as_there_are_ids(
        self, either: Environment
    ) -> None:
        rng = random.Random(12)
        session = either.session()
        source = either.domain.from_state(session.state)
        booked = 0

        for _ in range(150):
            call = random_booking(session.state, rng)
            if not half_done(call, session.state):
                booked += agree(session, source, call)

        assert booked == 3 if either.mode == Mode.STRICT else booked > 20

    def test_refuses_what_is_no_write(self, either: Environment) -> None:
        source = either.domain.from_state(either.session().state)

        with pytest.raises(Unidentifiable, match="is not a write"):
            source.apply(ToolCall(name="list_all_airports"))


def half_done(call: ToolCall, session: Session) -> bool:
    """Whether a certificate is listed twice: in strict mode such a call fails and leaves something behind."""
    ids = [line["payment_id"] for line in call.arguments.get("payment_methods", [])]
    return len(set(ids)) < len(ids) and any("certificate" in one for one in ids)


class TestSearches:
    def rows(self, source: Any, call: ToolCall) -> Any:
        assert isinstance(source, AirlineRows)
        return source.trips(call)

    def test_shows_what_the_tools_show(self, either: Environment) -> None:
        rng = random.Random(3)
        session = either.session()
        ours = either.domain.from_state(session.state)
        theirs = either.domain.from_tools(session.call, None)
        airports = sorted(
            flight["origin"] for flight in either.state.collections["flights"].values()
        )
        shown = dict.fromkeys((DIRECT, ONE_STOP), 0)

        for _ in range(300):
            origin, destination = rng.sample(airports, 2)
            date = f"2024-05-{rng.randint(14, 31)}"
            for name in (DIRECT, ONE_STOP):
                call = flight_search(name, origin, destination, date)
                found = self.rows(ours, call)
                assert found == self.rows(theirs, call)
                shown[name] += len(found)

        assert min(shown.values()) > 50

    def test_shows_a_changed_timetable_and_forgets_it_again(
        self, either: Environment
    ) -> None:
        rng = random.Random(4)
        flights = either.state.collections["flights"]
        changed = 0

        for number in rng.sample(sorted(flights), 25):
            flight, date = flights[number], f"2024-05-{rng.randint(16, 30)}"
            calls = [
                flight_search(name, flight["origin"], other, date)
                for name, other in (
                    (DIRECT, flight["destination"]),
                    *((ONE_STOP, one["destination"]) for one in flights.values()),
                )
                if other != flight["origin"]
            ]
            before = either.domain.from_state(Session(either.state))
            was = [self.rows(before, call) for call in calls]
            state = Session(either.state)
            state.edit("flights", number)["dates"][date] = {"status": "cancelled"}
            ours = either.domain.from_state(state)
            theirs = either.domain.from_tools(either.session(state).call, None)
            after = [self.rows(ours, call) for call in calls]

            assert after == [self.rows(theirs, call) for call in calls]
            changed += after != was
            again = either.domain.from_state(Session(either.state))
            assert [self.rows(again, call) for call in calls] == was

        assert changed > 15

    def test_status_as_the_tools_tell_it(self, either: Environment) -> None:
        session = either.session()
        ours: Any = either.domain.from_state(session.state)
        theirs: Any = either.domain.from_tools(session.call, None)
        number = next(iter(either.state.collections["flights"]))

        told = {}
        for day in range(1, 33):
            call = flight_status(number, f"2024-05-{day:02}")
            told[day] = ours.status(call)
            assert told[day] == theirs.status(call)

        assert told[31] is None
        assert "available" in told.values()


class TestTrips:
    def test_times_fares_and_seats_are_those_of_all_flights(
        self, either: Environment
    ) -> None:
        """Told again from the raw result, by adding up clock times instead of minutes."""
        rng = random.Random(5)
        session = either.session()
        source: Any = either.domain.from_tools(session.call, None)
        airports = sorted(
            {
                flight["origin"]
                for flight in either.state.collections["flights"].values()
            }
        )
        overnight = 0

        for origin, destination in pairwise(
            rng.sample(airports * 4, 4 * len(airports))
        ):
            call = flight_search(ONE_STOP, origin, destination, "2024-05-22")
            result: Any = json.loads(session.call(call).content)
            for row in source.trips(call):
                legs = result[int(row.pointer[1:])]
                prices = [leg["prices"]["economy"] for leg in legs]
                seats = [leg["available_seats"]["economy"] for leg in legs]
                nights = sum(
                    leg["scheduled_arrival_time_est"].endswith("+1") for leg in legs
                )
                assert row.values["fare"]["economy"] == sum(prices)
                assert row.values["seats"]["economy"] == min(seats)
                assert row.values["arrives"] // 1440 == nights
                assert row.values["elapsed"] > 0
                assert row.values["wait"] >= 0
                assert row.values["flights"] == [
                    {"flight_number": leg["flight_number"], "date": leg["date"]}
                    for leg in legs
                ]
                overnight += nights

        assert overnight


class TestChangedTimetable:
    def test_has_the_rows_that_it_would_have_as_a_base(
        self, either: Environment
    ) -> None:
        """What is taken over from the base is what all of it would give, in the same places."""
        rng = random.Random(8)
        flights = either.state.collections["flights"]
        places = sorted({flight["origin"] for flight in flights.values()})
        others = 0

        for _ in range(40):
            origin, destination = rng.sample(places, 2)
            date = f"2024-05-{rng.randint(17, 29)}"
            calls = [
                flight_search(name, origin, destination, date)
                for name in (DIRECT, ONE_STOP)
            ]
            patches = [
                patch
                for call in calls
                for patch in either.domain.mutations(Session(either.state), call, rng)
            ]
            changed = Session(either.state)
            for patch in rng.sample(patches, 3):
                changed.apply_patch(patch)
            gone, moved = rng.sample(sorted(flights), 2)
            changed.remove("flights", gone)
            changed.edit("flights", moved)["origin"] = origin
            alone = State(_collections(changed), either.state.indexes)

            for call in (*calls, flight_search(ONE_STOP, origin, places[0], date)):
                ours = oracle.StateRows(changed, either.mode).trips(call)
                fresh = oracle.StateRows(Session(alone), either.mode).trips(call)
                base = oracle.StateRows(Session(either.state), either.mode).trips(call)
                assert [(row.values, row.pointer) for row in ours] == [
                    (row.values, row.pointer) for row in fresh
                ]
                others += ours != base
        assert others > 40


def _collections(session: Session) -> dict[str, dict[str, Any]]:
    return {
        name: {key: session.get(name, key) for key in session.keys(name)}
        for name in session.base.collections
    }
