import json
import os
import subprocess
import sys
from collections import Counter
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import get_args

import pytest

from environments.airline import read_state
from environments.airline.airports import CITIES, STRICT_AIRPORTS
from environments.airline.generator import generate
from environments.airline.generator.calendar import CABINS, NOW
from environments.airline.generator.network import CITY_OF, PLACES, TRAFFIC
from environments.airline.generator.people import TOWNS
from environments.airline.generator.reservations import FREE_BAGS
from environments.airline.state import MembershipLevel

ROOT = Path(__file__).parents[3]
SEEDS = (1, 2, 3)
TODAY = NOW.date()


@pytest.fixture(scope="module", params=SEEDS)
def airline(request):
    return generate(seed=request.param)


def bytes_made_elsewhere(hash_seed):
    program = (
        "import json; from environments.airline.generator import generate;"
        "print(json.dumps(generate(seed=7, users=40, flights=50)))"
    )
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        check=True,
    ).stdout


def minutes(clock):
    """Minutes from midnight of the day of departure."""
    hours, rest = int(clock[:2]), int(clock[3:5])
    return hours * 60 + rest + 1440 * clock.endswith("+1")


def duration(flight):
    return minutes(flight["scheduled_arrival_time_est"]) - minutes(
        flight["scheduled_departure_time_est"]
    )


def days_of(airline):
    """(flight, date, what is known of it on that day)."""
    return [
        (flight, date.fromisoformat(text), day)
        for flight in airline["flights"].values()
        for text, day in flight["dates"].items()
    ]


def departure(airline, segment):
    flight = airline["flights"][segment["flight_number"]]
    midnight = datetime.fromisoformat(segment["date"])
    return midnight + timedelta(minutes=minutes(flight["scheduled_departure_time_est"]))


def arrival(airline, segment):
    flight = airline["flights"][segment["flight_number"]]
    return departure(airline, segment) + timedelta(minutes=duration(flight))


def reservations_of(airline):
    return list(airline["reservations"].values())


class TestGenerate:
    def test_makes_the_same_bytes_in_two_processes(self):
        first, second = bytes_made_elsewhere("1"), bytes_made_elsewhere("4242")

        assert first == second
        assert json.loads(first) == generate(seed=7, users=40, flights=50)

    def test_makes_another_airline_from_another_seed(self):
        one, other = (generate(seed=n, users=30, flights=60) for n in (1, 2))

        for collection in ("reservations", "users"):
            assert not one[collection].keys() & other[collection].keys()
        assert one["flights"] != other["flights"]

    def test_tells_a_negative_seed_from_a_positive_one(self):
        assert generate(seed=-1, users=5) != generate(seed=1, users=5)

    def test_begins_a_larger_airline_with_the_smaller_one(self):
        small, large = generate(seed=1, users=5), generate(seed=1, users=50)

        assert small["flights"] == large["flights"]
        assert list(small["users"].values()) == list(large["users"].values())[:5]
        assert small["reservations"].items() <= large["reservations"].items()

    @pytest.mark.parametrize(
        ("users", "flights"), [(1, 1), (3, 7), (321, 40), (9, 1200)]
    )
    def test_makes_as_much_as_asked(self, users, flights):
        made = generate(seed=1, users=users, flights=flights)

        assert len(made["users"]) == users
        assert len(made["flights"]) == flights
        read_state(made)

    @pytest.mark.parametrize("sizes", [{"users": 0}, {"flights": 0}])
    def test_refuses_an_airline_without_users_or_flights(self, sizes):
        with pytest.raises(ValueError, match="at least one user and one flight"):
            generate(seed=1, **sizes)

    def test_is_plain_ascii_json_in_declared_order(self, airline):
        text = json.dumps(airline, ensure_ascii=False, allow_nan=False)

        assert text.isascii()
        assert json.loads(text) == airline
        # Reading puts every field where it is declared and fills in what is missing: there is nothing to do.
        read = read_state(airline).collections
        assert all(json.dumps(read[name]) == json.dumps(airline[name]) for name in read)

    def test_shares_no_lists_or_objects_between_two_places(self, airline):
        seen = set()

        def visit(part):
            if isinstance(part, dict | list):
                assert id(part) not in seen
                seen.add(id(part))
                for child in part.values() if isinstance(part, dict) else part:
                    visit(child)

        visit(airline)

    def test_files_everything_under_its_own_id(self, airline):
        for collection, field in (
            ("flights", "flight_number"),
            ("reservations", "reservation_id"),
            ("users", "user_id"),
        ):
            assert all(
                key == thing[field] for key, thing in airline[collection].items()
            )


class TestNetwork:
    def test_knows_every_airport_and_city(self):
        assert TRAFFIC.keys() == CITY_OF.keys()
        assert PLACES.keys() == CITIES.keys()
        assert {airport["iata"] for airport in STRICT_AIRPORTS} <= CITY_OF.keys()

    def test_flies_between_cities_from_several_of_their_airports(self, airline):
        pairs = {(f["origin"], f["destination"]) for f in airline["flights"].values()}
        cities = Counter((CITY_OF[a], CITY_OF[b]) for a, b in pairs)

        assert all(here != there for here, there in cities)
        assert sum(count > 1 for count in cities.values()) >= 10
        assert {a for a, _ in pairs} >= {"JFK", "LGA", "EWR"}
        assert len({a for a, _ in pairs}) >= 20

    def test_has_several_flights_on_most_routes_and_ways_back(self, airline):
        routes = Counter(
            (f["origin"], f["destination"]) for f in airline["flights"].values()
        )

        assert sum(count > 1 for count in routes.values()) > len(routes) / 2
        assert all((there, here) in routes for here, there in routes)

    def test_has_one_fastest_flight_between_any_two_cities(self, airline):
        durations = Counter(
            (CITY_OF[f["origin"]], CITY_OF[f["destination"]], duration(f))
            for f in airline["flights"].values()
        )

        assert set(durations.values()) == {1}
        assert all(50 <= length <= 8 * 60 for _, _, length in durations)

    def test_marks_arrivals_on_the_next_day(self, airline):
        late = [
            f["scheduled_arrival_time_est"].endswith("+1")
            for f in airline["flights"].values()
        ]

        assert 0.05 <= sum(late) / len(late) <= 0.3
        assert all(duration(f) > 0 for f in airline["flights"].values())


class TestDates:
    def test_are_the_thirty_days(self, airline):
        days = [f"2024-05-{day:02}" for day in range(1, 31)]

        assert all(list(f["dates"]) == days for f in airline["flights"].values())

    def test_have_the_statuses_of_their_time(self, airline):
        mix = {True: Counter(), False: Counter(), None: Counter()}
        for _, day, known in days_of(airline):
            mix[None if day == TODAY else day < TODAY][known["status"]] += 1

        past, later, today = mix[True], mix[False], mix[None]
        assert past.keys() == {"landed", "cancelled"}
        assert past["landed"] > 9 * past["cancelled"]
        assert later.keys() == {"available", "cancelled"}
        assert later["available"] > 30 * later["cancelled"]
        assert today.keys() == {"landed", "cancelled", "flying", "delayed", "on time"}

    def test_tell_times_that_fit_the_status(self, airline):
        for _, day, known in days_of(airline):
            times = {
                name.split("_")[0] + name.split("_")[1]: datetime.fromisoformat(text)
                for name, text in known.items()
                if name.endswith("_est")
            }
            for name, moment in times.items():
                assert (moment <= NOW) == name.startswith("actual")
                assert day - timedelta(days=1) <= moment.date() <= day + timedelta(1)
            if times:
                left, landed = times.values()
                assert left < landed

    def test_price_better_cabins_higher(self, airline):
        for _, _, known in days_of(airline):
            if known["status"] == "available":
                assert list(known["prices"]) == list(CABINS)
                prices = list(known["prices"].values())
                assert all(lower < higher for lower, higher in pairwise(prices))
                assert prices[0] > 20
                assert prices[-1] < 2000

    def test_are_sometimes_sold_out(self, airline):
        seats = [
            number
            for _, _, known in days_of(airline)
            for number in known.get("available_seats", {}).values()
        ]

        assert 0.08 <= seats.count(0) / len(seats) <= 0.2
        assert max(seats) == 24


class TestUsers:
    def test_have_an_id_made_of_their_name(self, airline):
        for user_id, user in airline["users"].items():
            first, last, number = user_id.split("_")

            assert first == user["name"]["first_name"].lower()
            assert last == user["name"]["last_name"].lower()
            assert len(number) == 4
            assert number.isdigit()

    def test_have_their_own_email(self, airline):
        emails = [user["email"] for user in airline["users"].values()]

        assert len(set(emails)) == len(emails)

    def test_live_where_their_zip_code_is(self, airline):
        towns = {(town.name, town.state): town for town in TOWNS}

        for address in (user["address"] for user in airline["users"].values()):
            town = towns[address["city"], address["state"]]
            assert len(address["zip"]) == 5
            assert town.first_zip <= int(address["zip"]) <= town.last_zip

    def test_have_every_membership(self, airline):
        mix = Counter(user["membership"] for user in airline["users"].values())

        assert mix.keys() == set(get_args(MembershipLevel))
        assert min(mix.values()) > 30

    def test_have_cards_gift_cards_and_certificates(self, airline):
        methods = [
            m for u in airline["users"].values() for m in u["payment_methods"].values()
        ]
        holders = Counter(
            source
            for user in airline["users"].values()
            for source in {m["source"] for m in user["payment_methods"].values()}
        )

        assert len({m["id"] for m in methods}) == len(methods)
        assert all(m["id"].startswith(m["source"]) for m in methods)
        assert holders["credit_card"] == len(airline["users"])
        assert 0.4 <= holders["gift_card"] / len(airline["users"]) <= 0.8
        assert 0.35 <= holders["certificate"] / len(airline["users"]) <= 0.75
        for method in methods:
            amount = method.get("amount", 1.0)
            assert type(amount) is float
            assert amount == int(amount) > 0

    def test_save_some_of_the_people_they_travel_with(self, airline):
        saved = [len(user["saved_passengers"]) for user in airline["users"].values()]

        assert set(saved) == {0, 1, 2, 3}


class TestReservations:
    def test_belong_to_exactly_one_user(self, airline):
        owned = [
            (rid, uid)
            for uid, user in airline["users"].items()
            for rid in user["reservations"]
        ]

        assert len(owned) == len(airline["reservations"])
        assert all(airline["reservations"][rid]["user_id"] == uid for rid, uid in owned)

    def test_come_in_every_kind(self, airline):
        made = reservations_of(airline)

        assert {r["cabin"] for r in made} == set(CABINS)
        assert {len(r["passengers"]) for r in made} == {1, 2, 3, 4, 5}
        assert {r["insurance"] for r in made} == {"yes", "no"}
        assert {len(r["flights"]) for r in made} >= {1, 2, 3}
        assert {r["flight_type"] for r in made} == {"one_way", "round_trip"}
        cancelled = sum(r["status"] == "cancelled" for r in made)
        assert 0.04 <= cancelled / len(made) <= 0.13
        assert {len(u["reservations"]) for u in airline["users"].values()} >= set(
            range(8)
        )

    def test_fly_on_flights_that_connect(self, airline):
        for reservation in reservations_of(airline):
            segments = reservation["flights"]
            for segment in segments:
                flight = airline["flights"][segment["flight_number"]]
                assert segment["date"] in flight["dates"]
                assert segment["origin"] == flight["origin"]
                assert segment["destination"] == flight["destination"]
                assert type(segment["price"]) is int
            for one, other in pairwise(segments):
                assert one["destination"] == other["origin"]
                assert arrival(airline, one) < departure(airline, other)

    def test_go_where_they_say(self, airline):
        for reservation in reservations_of(airline):
            first, last = reservation["flights"][0], reservation["flights"][-1]
            stops = [segment["destination"] for segment in reservation["flights"]]
            back = reservation["flight_type"] == "round_trip"

            assert reservation["origin"] == first["origin"]
            assert reservation["destination"] in stops
            assert last["destination"] == (
                reservation["origin"] if back else reservation["destination"]
            )

    def test_lie_behind_ahead_and_in_between(self, airline):
        statuses = Counter(
            airline["flights"][s["flight_number"]]["dates"][s["date"]]["status"]
            for r in reservations_of(airline)
            for s in r["flights"]
        )
        under_way = [
            r
            for r in reservations_of(airline)
            if departure(airline, r["flights"][0])
            < NOW
            < departure(airline, r["flights"][-1])
        ]

        assert statuses.keys() >= {"available", "landed", "cancelled", "delayed"}
        assert statuses["available"] > statuses["landed"] > statuses["cancelled"]
        assert len(under_way) >= 5

    def test_were_booked_before_now_and_before_they_leave(self, airline):
        recent = 0
        for reservation in reservations_of(airline):
            booked = datetime.fromisoformat(reservation["created_at"])
            assert booked < NOW
            assert booked < departure(airline, reservation["flights"][0])
            recent += NOW - booked <= timedelta(days=1)

        assert recent >= 10

    def test_carry_different_people(self, airline):
        for reservation in reservations_of(airline):
            people = [tuple(p.values()) for p in reservation["passengers"]]
            assert len(set(people)) == len(people)

    def test_have_the_free_bags_of_the_membership(self, airline):
        paid = 0
        for reservation in reservations_of(airline):
            membership = airline["users"][reservation["user_id"]]["membership"]
            free = FREE_BAGS[membership][reservation["cabin"]] * len(
                reservation["passengers"]
            )
            extra = max(0, reservation["total_baggages"] - free)
            assert reservation["nonfree_baggages"] == extra
            paid += extra > 0

        assert paid >= 20

    def test_are_paid_to_the_dollar(self, airline):
        for reservation in reservations_of(airline):
            passengers = len(reservation["passengers"])
            total = passengers * sum(s["price"] for s in reservation["flights"])
            total += 30 * passengers * (reservation["insurance"] == "yes")
            total += 50 * reservation["nonfree_baggages"]
            amounts = [line["amount"] for line in reservation["payment_history"]]

            assert all(type(amount) is int for amount in amounts)
            cancelled = reservation["status"] == "cancelled"
            assert sum(amounts) == (0 if cancelled else total)
            assert sum(amount for amount in amounts if amount > 0) == total

    def test_are_paid_with_methods_of_their_user_or_certificates_used_up(self, airline):
        kinds = Counter()
        for reservation in reservations_of(airline):
            methods = airline["users"][reservation["user_id"]]["payment_methods"]
            for line in reservation["payment_history"]:
                kind = line["payment_id"].rpartition("_")[0]
                kinds[kind] += 1
                assert (line["payment_id"] in methods) == (kind != "certificate")

        assert kinds.keys() == {"credit_card", "gift_card", "certificate"}
        assert kinds["credit_card"] > kinds["gift_card"] > kinds["certificate"] > 20
