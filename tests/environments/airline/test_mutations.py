"""Patches keep to the schema, show in the read they are for, and hide from other reads as they promise."""

import random
from collections import Counter
from typing import Any

import pytest

from environments.airline import build, generated
from environments.airline.relations import (
    DIRECT,
    ONE_STOP,
    flight_search,
    flight_status,
    reservation_details,
    user_details,
)
from environments.airline.state import AirlineDatabase
from environments.core.environment import Environment
from environments.core.state import Session
from environments.core.tools import Mode, ToolCall


@pytest.fixture(scope="module")
def world() -> Environment:
    return generated(seed=7, users=40, flights=150)


@pytest.fixture(scope="module", params=Mode)
def either(world: Environment, request: pytest.FixtureRequest) -> Environment:
    return build(state=world.state, version="either", mode=request.param)


def airports(world: Environment) -> list[str]:
    flights = world.state.collections["flights"].values()
    return sorted({flight["origin"] for flight in flights})


def all_searches(world: Environment, date: str) -> list[ToolCall]:
    """Those from a place to itself too: by one stop they show flights there and back."""
    places = airports(world)
    return [
        flight_search(name, origin, destination, date)
        for name in (DIRECT, ONE_STOP)
        for origin in places
        for destination in places
    ]


def some_reads(world: Environment, rng: random.Random) -> list[ToolCall]:
    collections = world.state.collections
    flights = rng.sample(sorted(collections["flights"]), 3)
    origin, destination = rng.sample(airports(world), 2)
    date = f"2024-05-{rng.randint(16, 30)}"
    return [
        *(map(user_details, rng.sample(sorted(collections["users"]), 3))),
        *(map(reservation_details, rng.sample(sorted(collections["reservations"]), 3))),
        *(
            flight_status(number, f"2024-05-{day}")
            for number in flights
            for day in (14, 20)
        ),
        flight_search(DIRECT, origin, destination, date),
        flight_search(ONE_STOP, origin, destination, date),
    ]


def patched(world: Environment, patch: Any) -> Session:
    state = Session(world.state)
    state.apply_patch(patch)
    return state


def changed(state: Session) -> dict[str, dict[str, Any]]:
    """The changed records alone, in the shape of a database."""
    found: dict[str, dict[str, Any]] = {name: {} for name in state.base.collections}
    for (name, key), record in state.changes().items():
        found[name][key] = record
    return found


class TestMutations:
    def test_keep_to_the_schema_and_show_in_the_read_they_are_for(
        self, either: Environment
    ) -> None:
        rng = random.Random(1)
        seen: Counter[str] = Counter()

        for call in some_reads(either, rng) + some_reads(either, rng):
            ours = either.session().call(call).content
            for patch in either.domain.mutations(Session(either.state), call, rng):
                state = patched(either, patch)
                assert either.session(state).call(call).content != ours, (call, patch)
                AirlineDatabase.model_validate(changed(state))
                seen[call.name] += 1

        assert seen.keys() == {
            "get_user_details",
            "get_reservation_details",
            "get_flight_status",
            DIRECT,
            ONE_STOP,
        }

    def test_can_put_any_trip_on_a_flight_that_was_cancelled(
        self, world: Environment
    ) -> None:
        """Also a trip whose own flights never were."""
        flights = world.state.collections["flights"]
        kinds: Counter[bool] = Counter()
        for key, reservation in world.state.collections["reservations"].items():
            ever = any(
                day["status"] == "cancelled"
                for leg in reservation["flights"]
                for day in flights[leg["flight_number"]]["dates"].values()
            )
            kinds[ever] += 1
            if kinds[ever] > 3:
                continue
            call = reservation_details(key)
            domain, base = world.domain, Session(world.state)
            hit = 0
            for patch in domain.mutations(base, call, random.Random(1)):
                made = patched(world, patch).get("reservations", key)
                assert made is not None
                for leg in made["flights"]:
                    flight = flights[leg["flight_number"]]
                    day = flight["dates"].get(leg["date"], {"status": ""})
                    ends = (flight["origin"], flight["destination"])
                    hit += day["status"] == "cancelled" and ends == (
                        leg["origin"],
                        leg["destination"],
                    )
            assert hit
        assert len(kinds) == 2

    def test_leave_nothing_to_change_where_there_is_nothing(
        self, either: Environment
    ) -> None:
        for call in (
            user_details("no_body_1"),
            reservation_details("NOSUCH"),
            flight_status("HAT999", "2024-05-20"),
        ):
            assert not list(
                either.domain.mutations(Session(either.state), call, random.Random(1))
            )

    def test_the_first_new_direct_flight_shows_in_one_search_alone(
        self, either: Environment
    ) -> None:
        rng = random.Random(2)

        for date in ("2024-05-16", "2024-05-23", "2024-05-30"):
            searches = all_searches(either, date)
            origin, destination = rng.sample(airports(either), 2)
            call = flight_search(DIRECT, origin, destination, date)
            patch = next(
                iter(either.domain.mutations(Session(either.state), call, rng))
            )
            ours, theirs = either.session(), either.session(patched(either, patch))

            changed = [
                one.key
                for one in searches
                if ours.call(one).content != theirs.call(one).content
            ]

            assert changed == [call.key]

    def test_a_new_flight_can_be_dear_in_business_alone(
        self, either: Environment
    ) -> None:
        rng = random.Random(5)
        origin, destination = rng.sample(airports(either), 2)
        call = flight_search(DIRECT, origin, destination, "2024-05-22")
        offers = [
            day["prices"]
            for patch in either.domain.mutations(Session(either.state), call, rng)
            for step in patch
            if step["op"] == "add"
            for day in step["value"]["dates"].values()
        ]

        assert any(one["business"] > 100 * one["economy"] for one in offers)

    def test_the_first_connections_show_in_few_searches_but_their_own(
        self, either: Environment
    ) -> None:
        """At most the two direct searches, and a few by one stop: never as many as the airports around."""
        rng = random.Random(3)
        others = []

        for _ in range(12):
            origin, destination = rng.sample(airports(either), 2)
            call = flight_search(
                ONE_STOP, origin, destination, f"2024-05-{rng.randint(16, 30)}"
            )
            patches = either.domain.mutations(Session(either.state), call, rng)
            state = patched(either, next(iter(patches)))
            others += [
                one
                for one in either.domain.open_reads(state)
                if one.name == ONE_STOP and one.key != call.key
            ]

        assert len(others) <= 12

    def test_connections_can_be_told_apart_by_different_searches_only(
        self, either: Environment
    ) -> None:
        """Whoever makes none of the search needs as many other searches as there are of these."""
        rng = random.Random(6)

        for _ in range(6):
            origin, destination = rng.sample(airports(either), 2)
            call = flight_search(ONE_STOP, origin, destination, "2024-05-22")
            apart: set[str] = set()
            count = 0
            for patch in either.domain.mutations(Session(either.state), call, rng):
                reads = either.domain.open_reads(patched(either, patch))
                keys = {one.key for one in reads} - {call.key}
                if keys.isdisjoint(apart):
                    apart |= keys
                    count += 1
            assert count >= 6


class TestOpenReads:
    def test_are_exactly_the_searches_in_which_a_change_shows(
        self, either: Environment
    ) -> None:
        """Found again by making every search there is, on the days around."""
        rng = random.Random(4)
        shown = 0

        for _ in range(4):
            date = rng.randint(17, 29)
            origin, destination = rng.sample(airports(either), 2)
            call = flight_search(ONE_STOP, origin, destination, f"2024-05-{date}")
            patches = list(either.domain.mutations(Session(either.state), call, rng))
            state = patched(either, rng.choice(patches))
            searches = [
                one
                for day in range(date - 1, date + 2)
                for one in all_searches(either, f"2024-05-{day}")
            ]
            ours, theirs = either.session(), either.session(state)
            changed = {
                one.key
                for one in searches
                if ours.call(one).content != theirs.call(one).content
            }

            assert {one.key for one in either.domain.open_reads(state)} == changed
            shown += len(changed)

        assert shown

    def test_a_flight_that_is_cancelled_shows_in_its_status_and_all_its_searches(
        self, either: Environment
    ) -> None:
        rng = random.Random(5)
        days = range(18, 23)
        searches = [
            one for day in days for one in all_searches(either, f"2024-05-{day}")
        ]

        for number in rng.sample(sorted(either.state.collections["flights"]), 3):
            state = Session(either.state)
            state.edit("flights", number)["dates"]["2024-05-20"] = {
                "status": "cancelled"
            }
            ours, theirs = either.session(), either.session(state)
            changed = {
                one.key
                for one in (*searches, flight_status(number, "2024-05-20"))
                if ours.call(one).content != theirs.call(one).content
            }

            assert {one.key for one in either.domain.open_reads(state)} >= changed
            assert len(changed) >= 2

    def test_nothing_changed_nothing_to_read(self, either: Environment) -> None:
        assert not list(either.domain.open_reads(Session(either.state)))


class TestSwaps:
    def test_two_reservations_of_one_customer_trade_places(
        self, world: Environment
    ) -> None:
        users = world.state.collections["users"].values()
        user = next(user for user in users if len(user["reservations"]) > 1)
        one, other = map(reservation_details, user["reservations"][:2])

        (patch,) = world.domain.swaps(Session(world.state), one, other)
        state = patched(world, patch)

        ours: Any = world.state.collections["reservations"]
        here, there = user["reservations"][:2]
        assert state.get("reservations", here) == {
            **ours[there],
            "reservation_id": here,
        }

    def test_of_two_customers_nothing(self, world: Environment) -> None:
        users = list(world.state.collections["users"].values())
        mine, yours, *_ = (
            user["reservations"] for user in users if user["reservations"]
        )

        found = world.domain.swaps(
            Session(world.state),
            reservation_details(mine[0]),
            reservation_details(yours[0]),
        )

        assert not list(found)
