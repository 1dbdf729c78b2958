"""Rows of the airline world: what they hold, and that every pointer leads to what a value is made from."""

import json
import random
from typing import Any

import pytest

from environments.airline import build, generated
from environments.airline.relations import (
    DIRECT,
    ONE_STOP,
    RELATIONS,
    clock_minutes,
    clock_text,
    day_after,
    derivable_reads,
    first_reads,
    flight_search,
    searches,
    trip_rows,
)
from environments.core.domain import Row, Source
from environments.core.environment import Environment
from environments.core.pointers import MISSING, at
from environments.core.state import Session
from environments.core.tools import Mode


@pytest.fixture(scope="module")
def world() -> Environment:
    return generated(seed=7, users=40, flights=150)


@pytest.fixture(params=["state", "tools"])
def source(world: Environment, request: pytest.FixtureRequest) -> Source:
    if request.param == "state":
        return world.domain.from_state(Session(world.state))
    return world.domain.from_tools(world.session().call, None)


def rows(source: Source, relation: str, parent: Row | None = None, **by: Any) -> Any:
    return [row for shown in source.expand(relation, parent, by) for row in shown.rows]


def all_rows(world: Environment, source: Source) -> list[Row]:
    """Rows of every relation: those of some customers and of one day's searches."""
    found: list[Row] = []
    for user_id in list(world.state.collections["users"])[:12]:
        (profile,) = rows(source, "profile", user_id=user_id)
        reservations = rows(source, "reservations", profile)
        found += [profile, *reservations]
        for relation in ("methods", "certificates", "saved"):
            found += rows(source, relation, profile)
        for reservation in reservations:
            for relation in ("segments", "travelers", "payments"):
                found += rows(source, relation, reservation)
            for segment in rows(source, "segments", reservation):
                found += rows(source, "flight_status", segment)
    ends = ["BOS", "DEN", "ORD", "JFK", "SEA", "ATL"]
    return found + rows(
        source,
        "trips",
        origins=ends[:3],
        destinations=ends[3:],
        dates=["2024-05-20", "2024-05-21"],
        routing="any",
    )


class TestRows:
    def test_every_value_stands_where_it_is_said_to_stand(
        self, world: Environment, source: Source
    ) -> None:
        session = world.session()
        found = all_rows(world, source)
        derived = set()

        for row in found:
            assert row.read is not None
            content = session.call(row.read).content
            if row.bare:
                assert list(row.values.values()) == [content]
                continue
            whole = at(json.loads(content), row.pointer)
            assert whole is not MISSING
            for name, value in row.values.items():
                if name in row.derived:
                    derived.add(name)
                    places = row.derived[name]
                    assert all(at(whole, place) is not MISSING for place in places)
                else:
                    assert whole[name] == value

        assert {"whole", "paid", "legs", "flights", "elapsed", "full_name"} <= derived

    def test_every_relation_has_a_role(
        self, world: Environment, source: Source
    ) -> None:
        with pytest.raises(KeyError):
            source.expand("pilots", all_rows(world, source)[0], {})
        assert world.domain.relations == RELATIONS

    def test_a_reservation_says_what_it_comes_to(
        self, world: Environment, source: Source
    ) -> None:
        for user_id in list(world.state.collections["users"])[:12]:
            (profile,) = rows(source, "profile", user_id=user_id)
            for row in rows(source, "reservations", profile):
                values = row.values
                paid = [line["amount"] for line in values["payment_history"]]
                dates = [segment["date"] for segment in values["flights"]]
                assert values["paid"] == sum(paid)
                assert values["party"] == len(rows(source, "travelers", row))
                assert [values["first_date"], values["last_date"]] == [
                    min(dates),
                    max(dates),
                ]
                assert [one.values["flight"] for one in rows(source, "segments", row)]
                assert values["legs"] == [
                    one.values["flight"] for one in rows(source, "segments", row)
                ]

    def test_what_is_not_there_has_no_rows(self, source: Source) -> None:
        assert rows(source, "profile", user_id="no_body_1") == []
        assert rows(source, "reservation", reservation_id="NOSUCH") == []
        by = {"flight_number": "XXX999", "date": "2024-05-20"}
        assert rows(source, "flight_status", **by) == []

    def test_what_may_not_be_read_is_marked(self, world: Environment) -> None:
        user_id = next(iter(world.state.collections["users"]))
        blind = world.domain.from_tools(world.session().call, [])

        (shown,) = blind.expand("profile", None, {"user_id": user_id})

        assert shown.unread
        assert shown.rows == []


class TestTrips:
    def test_one_search_for_each_place_day_and_number_of_stops(self) -> None:
        by = {
            "origins": ["BOS", "JFK"],
            "destinations": ["DEN"],
            "dates": ["2024-05-20", "2024-05-21"],
        }

        assert len(list(searches({**by, "routing": "direct"}))) == 4
        assert len(list(searches({**by, "routing": "any"}))) == 8
        names = {call.name for call in searches({**by, "routing": "onestop"})}
        assert names == {ONE_STOP}

    def test_a_flight_back_so_many_days_later(self) -> None:
        by = {"origins": ["DEN"], "destinations": ["BOS"], "routing": "direct"}

        (call,) = searches({**by, "after": "2024-05-30", "days": 3})

        assert call.arguments["date"] == "2024-06-02"

    def test_leaves_out_what_the_strict_search_dates_wrongly(
        self, world: Environment
    ) -> None:
        """The second flight leaves "2024-05-6": a day on which only a broken database has flights (SPEC §14.1 no. 8)."""
        state = Session(world.state)
        flight: Any = next(
            one
            for one in world.state.collections["flights"].values()
            if "+1" in one["scheduled_arrival_time_est"]
        )
        day = {
            "status": "available",
            "available_seats": dict.fromkeys(
                ("basic_economy", "economy", "business"), 5
            ),
            "prices": dict.fromkeys(("basic_economy", "economy", "business"), 90),
        }
        late = {
            **flight,
            "flight_number": "ZZZ998",
            "origin": flight["destination"],
            "destination": "QQQ",
            "scheduled_departure_time_est": "23:00:00",
            "scheduled_arrival_time_est": "23:50:00",
            "dates": {"2024-05-6": day, "2024-05-06": day},
        }
        state.put("flights", "ZZZ998", late)
        edited = state.edit("flights", flight["flight_number"])
        edited["dates"]["2024-05-05"] = day
        call = flight_search(ONE_STOP, flight["origin"], "QQQ", "2024-05-05")
        found = {}
        for mode in Mode:
            environment = build(state=world.state, version="x", mode=mode)
            result = json.loads(environment.session(state).call(call).content)
            ours: Any = environment.domain.from_state(state)
            found[mode] = [one[1]["date"] for one in result]
            assert ours.trips(call) == trip_rows(call, result)
            assert len(trip_rows(call, result)) == (mode == Mode.CORRECTED)

        assert found[Mode.STRICT] == ["2024-05-6"]
        assert found[Mode.CORRECTED] == ["2024-05-06"]


class TestTimes:
    def test_minutes_and_back(self) -> None:
        assert clock_minutes("06:05:00") == 365
        assert clock_minutes("01:30:00+1") == 24 * 60 + 90
        assert clock_text(365) == "06:05"
        assert clock_text(24 * 60 + 90) == "01:30+1"

    def test_days_later(self) -> None:
        assert day_after("2024-05-31", 1) == "2024-06-01"
        assert day_after("2024-05-20", -1) == "2024-05-19"
        assert day_after("2024-05-6", 1) == ""


class TestReads:
    def test_what_the_facts_lead_to(self) -> None:
        facts = {"user_id": "mia_li_3668", "n": 3, "trip": ["ABC123"]}

        keys = [call.name for call in first_reads(facts)]

        assert keys == [
            "list_all_airports",
            "get_user_details",
            "get_reservation_details",
        ]

    def test_a_flight_and_a_day_lead_to_its_status_and_a_birthday_to_nothing(
        self,
    ) -> None:
        told = ["HAT001", "HAT002", "2024-05-11", "1990-01-02"]

        found = [c for c in derivable_reads(told) if c.name == "get_flight_status"]

        assert [call.arguments for call in found] == [
            {"flight_number": number, "date": "2024-05-11"} for number in told[:2]
        ]

    def test_searches_are_open_to_all(self, world: Environment) -> None:
        call = flight_search(DIRECT, "BOS", "DEN", "2024-05-20")

        assert world.domain.is_open(call)
        assert not any(map(world.domain.is_open, first_reads({"a": "BOS"})))


def test_swapping_the_order_of_questions_changes_nothing(world: Environment) -> None:
    """What is remembered of the base does not depend on who asked first."""
    rng = random.Random(1)
    by = {
        "origins": ["BOS", "ORD", "JFK"],
        "destinations": ["DEN", "SEA"],
        "dates": ["2024-05-20"],
    }
    calls = list(searches({**by, "routing": "any"}))
    one: Any = world.domain.from_state(Session(world.state))
    first = {call.key: one.trips(call) for call in calls}
    rng.shuffle(calls)
    other: Any = world.domain.from_state(Session(world.state))

    assert {call.key: other.trips(call) for call in calls} == first
