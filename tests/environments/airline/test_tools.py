"""Strict mode keeps the reference's bugs, corrected mode does not: one class for each departure that corrections.py names.

What strict mode does elsewhere is proved by the recorded vectors (tests/environments/test_conformance.py).
"""

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from environments.airline import build, generated, read_state
from environments.core.environment import Environment, EnvironmentSession
from environments.core.state import State
from environments.core.tools import Mode, ToolCall

ANN = {"first_name": "Ann", "last_name": "Vale", "dob": "1980-01-02"}
BEN = {"first_name": "Ben", "last_name": "Vale", "dob": "1982-03-04"}
OUT = {"flight_number": "NWD101", "date": "2024-05-20"}
LATER = {"flight_number": "NWD102", "date": "2024-05-20"}


def day(seats: int = 5, price: int = 100) -> dict[str, Any]:
    return {
        "status": "available",
        "available_seats": {
            "basic_economy": seats,
            "economy": seats,
            "business": seats,
        },
        "prices": {"basic_economy": price - 40, "economy": price, "business": 300},
    }


def flight(number: str, ends: str, leaves: str, arrives: str, *dates: str) -> Any:
    return {
        "flight_number": number,
        "origin": ends[:3],
        "destination": ends[3:],
        "scheduled_departure_time_est": leaves,
        "scheduled_arrival_time_est": arrives,
        "dates": {date: day() for date in dates},
    }


def small_airline() -> dict[str, Any]:
    """Ann with a reservation for two on NWD101, and flights from Boston to Denver by way of Chicago."""
    early, late = "2024-05-20", "2024-05-21"
    flights = [
        flight("NWD101", "BOSDEN", "08:00:00", "12:00:00", early),
        flight("NWD102", "BOSDEN", "14:00:00", "18:30:00", early),
        flight("NWD201", "BOSORD", "22:50:00", "01:30:00+1", early, "2024-05-05"),
        flight("NWD202", "ORDDEN", "01:30:00", "04:00:00", late, "2024-05-06"),
        flight("NWD203", "BOSORD", "22:00:00", "00:40:00+1", "2024-05-31"),
        flight("NWD204", "ORDDEN", "09:00:00", "11:30:00", "2024-06-01"),
    ]
    flights[0]["dates"][early]["available_seats"]["business"] = 0
    methods = [
        {"source": "credit_card", "id": "card", "brand": "visa", "last_four": "1111"},
        {"source": "gift_card", "id": "gift", "amount": 150.0},
        {"source": "certificate", "id": "voucher", "amount": 100.0},
    ]
    segment = {**OUT, "origin": "BOS", "destination": "DEN", "price": 90}
    reservation = {
        "reservation_id": "1AAAAA",
        "user_id": "ann_vale_1",
        "origin": "BOS",
        "destination": "DEN",
        "flight_type": "one_way",
        "cabin": "economy",
        "flights": [segment],
        "passengers": [ANN, BEN],
        "payment_history": [
            {"payment_id": "gift", "amount": 120},
            {"payment_id": "used_voucher", "amount": 50},
            {"payment_id": "card", "amount": 10},
        ],
        "created_at": "2024-05-10T10:00:00",
        "total_baggages": 2,
        "nonfree_baggages": 0,
        "insurance": "no",
    }
    user = {
        "user_id": "ann_vale_1",
        "name": {"first_name": "Ann", "last_name": "Vale"},
        "address": {"address1": "1 Elm", "city": "Boston", "country": "USA"}
        | {"state": "MA", "zip": "02108"},
        "email": "ann@example.com",
        "dob": "1980-01-02",
        "payment_methods": {method["id"]: method for method in methods},
        "saved_passengers": [],
        "membership": "gold",
        "reservations": ["1AAAAA"],
    }
    return {
        "flights": {f["flight_number"]: f for f in flights},
        "users": {"ann_vale_1": user},
        "reservations": {"1AAAAA": reservation},
    }


def session_in(mode: Mode) -> EnvironmentSession:
    state = read_state(small_airline())
    return build(state=state, version="small", mode=mode).session()


@pytest.fixture
def strict() -> EnvironmentSession:
    return session_in(Mode.STRICT)


@pytest.fixture
def corrected() -> EnvironmentSession:
    return session_in(Mode.CORRECTED)


def make(session: EnvironmentSession, name: str, **arguments: Any) -> Any:
    """What a call gives: plain data, or its text."""
    result = session.call(ToolCall(name=name, arguments=arguments))
    try:
        return json.loads(result.content)
    except json.JSONDecodeError:
        return result.content


def book(session: EnvironmentSession, **changed: Any) -> Any:
    """One passenger on NWD102 in economy, 100 dollars by card, unless `changed`."""
    arguments = {
        "user_id": "ann_vale_1",
        "origin": "BOS",
        "destination": "DEN",
        "flight_type": "one_way",
        "cabin": "economy",
        "flights": [LATER],
        "passengers": [ANN],
        "payment_methods": paid(card=100),
        "total_baggages": 0,
        "nonfree_baggages": 0,
        "insurance": "no",
    }
    return make(session, "book_reservation", **{**arguments, **changed})


def paid(*more: tuple[str, int], **amounts: int) -> list[dict[str, Any]]:
    pairs = [*amounts.items(), *more]
    return [{"payment_id": key, "amount": amount} for key, amount in pairs]


def seats(session: EnvironmentSession, number: str, cabin: str = "economy") -> int:
    found = session.state.get("flights", number)
    assert found
    return int(found["dates"]["2024-05-20"]["available_seats"][cabin])


def methods(session: EnvironmentSession) -> Any:
    user = session.state.get("users", "ann_vale_1")
    assert user
    return user["payment_methods"]


class TestBookReservation:
    def test_is_alike_in_both_modes_when_all_is_well(self, strict, corrected):
        wanted = {"payment_methods": paid(voucher=60, gift=40)}

        assert book(strict, **wanted) == book(corrected, **wanted)
        assert strict.state.diff() == corrected.state.diff()
        assert seats(corrected, "NWD102") == 4
        assert "voucher" not in methods(corrected)
        assert methods(corrected)["gift"]["amount"] == 110.0

    def test_checks_a_certificate_listed_twice_before_anything_changes(
        self, strict, corrected
    ):
        wanted = {"payment_methods": paid(("voucher", 20), gift=60, voucher=20)}

        assert book(strict, **wanted) == "Error: 'voucher'"
        assert methods(strict)["gift"]["amount"] == 90.0
        assert "voucher" not in methods(strict)

        assert (
            book(corrected, **wanted) == "Error: Certificate voucher can be used once"
        )
        assert corrected.state.changes() == {}

    def test_adds_up_what_a_gift_card_pays(self, strict, corrected):
        wanted = {
            "passengers": [ANN, BEN],
            "payment_methods": paid(("gift", 100), gift=100),
        }

        book(strict, **wanted)
        assert methods(strict)["gift"]["amount"] == -50.0

        said = book(corrected, **wanted)
        assert said == "Error: Not enough balance in payment method gift"
        assert corrected.state.changes() == {}

    def test_takes_no_negative_payment(self, strict, corrected):
        wanted = {"payment_methods": paid(("gift", -50), card=150)}

        assert book(strict, **wanted)["status"] is None
        assert methods(strict)["gift"]["amount"] == 200.0
        said = book(corrected, **wanted)
        assert said == "Error: amount must be a whole number, 1 or more"

    def test_takes_a_flight_once(self, strict, corrected):
        wanted = {"flights": [LATER, LATER], "payment_methods": paid(card=200)}

        book(strict, **wanted)
        assert seats(strict, "NWD102") == 3

        assert book(corrected, **wanted) == "Error: Flight NWD102 is listed twice"

    @pytest.mark.parametrize("empty", ["flights", "passengers"])
    def test_needs_flights_and_passengers(self, strict, corrected, empty):
        wanted = {empty: [], "payment_methods": []}

        assert book(strict, **wanted)[empty] == []
        said = book(corrected, **wanted)
        assert said == f"Error: A reservation needs at least one {empty[:-1]}"

    @pytest.mark.parametrize(
        ("bags", "cost"), [((0, 1), 150), ((-1, -1), 50), ((2, 1.0), 150)]
    )
    def test_counts_bags_in_whole_numbers(self, strict, corrected, bags, cost):
        wanted = {
            "total_baggages": bags[0],
            "nonfree_baggages": bags[1],
            "payment_methods": paid(card=cost),
        }

        assert book(strict, **wanted)["status"] is None
        assert "baggages must" in book(corrected, **wanted)

    def test_does_not_run_out_of_ids(self, strict, corrected):
        def ids(session: EnvironmentSession) -> list[Any]:
            booked = [book(session) for _ in range(5)]
            return [b["reservation_id"] if isinstance(b, dict) else b for b in booked]

        first = ["HATHAT", "HATHAU", "HATHAV"]
        assert ids(strict) == [*first, *["Error: Too many reservations"] * 2]
        assert ids(corrected) == [*first, "HATHAW", "HATHAX"]


class TestCancelReservation:
    def test_gives_seats_and_money_back(self, strict, corrected):
        one, other = (
            make(session, "cancel_reservation", reservation_id="1AAAAA")
            for session in (strict, corrected)
        )

        assert one == other
        assert one["status"] == "cancelled"
        assert sum(line["amount"] for line in one["payment_history"]) == 0
        assert (seats(strict, "NWD101"), seats(corrected, "NWD101")) == (5, 7)
        assert methods(strict)["gift"]["amount"] == 150.0
        assert methods(corrected)["gift"]["amount"] == 270.0
        assert "used_voucher" not in methods(strict)
        assert methods(corrected)["used_voucher"] == {
            "source": "certificate",
            "id": "used_voucher",
            "amount": 50.0,
        }

    def test_undoes_a_booking_but_for_the_rest_of_a_certificate(self, corrected):
        book(corrected, payment_methods=paid(voucher=60, gift=40))

        make(corrected, "cancel_reservation", reservation_id="HATHAT")

        assert seats(corrected, "NWD102") == 5
        assert methods(corrected)["gift"]["amount"] == 150.0
        assert methods(corrected)["voucher"]["amount"] == 60.0

    @pytest.mark.parametrize(
        ("name", "arguments"),
        [
            ("cancel_reservation", {}),
            ("update_reservation_passengers", {"passengers": [BEN, ANN]}),
            (
                "update_reservation_flights",
                {"cabin": "economy", "flights": [LATER], "payment_id": "card"},
            ),
            (
                "update_reservation_baggages",
                {"total_baggages": 3, "nonfree_baggages": 0, "payment_id": "card"},
            ),
        ],
    )
    def test_is_the_last_change(self, strict, corrected, name, arguments):
        for session in (strict, corrected):
            make(session, "cancel_reservation", reservation_id="1AAAAA")

        again = make(strict, name, reservation_id="1AAAAA", **arguments)
        refused = make(corrected, name, reservation_id="1AAAAA", **arguments)

        assert again["status"] == "cancelled"
        assert refused == "Error: Reservation 1AAAAA is already cancelled"


class TestUpdateReservationFlights:
    def change(self, session: EnvironmentSession, **changed: Any) -> Any:
        arguments = {"cabin": "economy", "flights": [LATER], "payment_id": "card"}
        return make(
            session,
            "update_reservation_flights",
            reservation_id="1AAAAA",
            **{**arguments, **changed},
        )

    def test_moves_the_seats(self, strict, corrected):
        assert self.change(strict) == self.change(corrected)

        assert (seats(strict, "NWD101"), seats(strict, "NWD102")) == (5, 5)
        assert (seats(corrected, "NWD101"), seats(corrected, "NWD102")) == (7, 3)

    def test_moves_the_seats_from_cabin_to_cabin(self, corrected):
        self.change(corrected, flights=[OUT], cabin="basic_economy")

        assert seats(corrected, "NWD101", "economy") == 7
        assert seats(corrected, "NWD101", "basic_economy") == 3

    def test_leaves_the_seats_of_kept_flights(self, corrected):
        self.change(corrected, flights=[OUT])

        assert corrected.state.changes() == {}

    def test_takes_no_seats_that_are_not_there(self, corrected):
        said = self.change(corrected, flights=[OUT], cabin="business")

        assert said == "Error: Not enough seats on flight NWD101"
        assert corrected.state.changes() == {}

    def test_stores_no_unknown_cabin(self, strict, corrected):
        assert self.change(strict, flights=[], cabin="first")["cabin"] == "first"

        assert self.change(corrected, cabin="first") == "Error: Cabin first not found"
        assert "at least one flight" in self.change(corrected, flights=[])


class TestUpdateReservationBaggages:
    def change(self, session: EnvironmentSession, total: Any, nonfree: Any) -> Any:
        return make(
            session,
            "update_reservation_baggages",
            reservation_id="1AAAAA",
            total_baggages=total,
            nonfree_baggages=nonfree,
            payment_id="gift",
        )

    def test_charges_nothing_for_a_fraction_of_a_bag(self, strict, corrected):
        assert "validation error for Payment" in self.change(strict, 3, 0.33)
        assert methods(strict)["gift"]["amount"] == 133.5

        said = self.change(corrected, 3, 0.33)
        assert said == "Error: nonfree_baggages must be a whole number, 0 or more"
        assert corrected.state.changes() == {}

    @pytest.mark.parametrize("total", ["3", None, -1, 2.0, True, [1]])
    def test_stores_only_whole_numbers(self, strict, corrected, total):
        assert self.change(strict, total, 0)["total_baggages"] == total

        said = self.change(corrected, total, 0)
        assert said == "Error: total_baggages must be a whole number, 0 or more"

    def test_has_no_more_paid_bags_than_bags(self, strict, corrected):
        assert self.change(strict, 0, 1)["nonfree_baggages"] == 1
        assert "must not be more" in self.change(corrected, 0, 1)


class TestUpdateReservationPassengers:
    @pytest.mark.parametrize(
        "passengers", [["Ann", "Ben"], [ANN, "Ben"], {"first_name": "A", "dob": "B"}]
    )
    def test_stores_only_passengers(self, strict, corrected, passengers):
        one, other = (
            make(
                session,
                "update_reservation_passengers",
                reservation_id="1AAAAA",
                passengers=passengers,
            )
            for session in (strict, corrected)
        )

        assert one["passengers"] == passengers
        assert "validation error for Passenger" in other
        assert corrected.state.changes() == {}

    def test_keeps_nothing_that_belongs_to_the_caller(self, strict):
        raw = ["Ann", {"name": "Ben"}]
        call = ToolCall(
            name="update_reservation_passengers",
            arguments={"reservation_id": "1AAAAA", "passengers": raw},
        )
        strict.call(call)
        stored = strict.state.get("reservations", "1AAAAA")

        raw[1]["name"] = "Eve"  # type: ignore[index]

        assert stored
        assert stored["passengers"] == ["Ann", {"name": "Ben"}]


class TestSendCertificate:
    def send(self, session: EnvironmentSession, amount: Any) -> Any:
        return make(session, "send_certificate", user_id="ann_vale_1", amount=amount)

    @pytest.mark.parametrize("amount", ["50", 50.5, True, 0, -10])
    def test_takes_whole_dollars_only(self, strict, corrected, amount):
        assert str(self.send(strict, amount)).startswith("Certificate certificate_")
        said = self.send(corrected, amount)
        assert said == "Error: amount must be a whole number, 1 or more"

    def test_does_not_run_out_of_ids(self, strict, corrected):
        for session in (strict, corrected):
            for _ in range(3):
                self.send(session, 10)

        assert self.send(strict, 10) == "Error: Too many certificates"
        assert "certificate_3221325" in self.send(corrected, 10)


class TestSearchOnestopFlight:
    def search(self, session: EnvironmentSession, date: str) -> list[list[Any]]:
        found = make(
            session,
            "search_onestop_flight",
            origin="BOS",
            destination="DEN",
            date=date,
        )
        return [[(leg["flight_number"], leg["date"]) for leg in way] for way in found]

    def test_catches_a_flight_that_leaves_on_arrival_past_midnight(
        self, strict, corrected
    ):
        assert self.search(strict, "2024-05-20") == []
        assert self.search(corrected, "2024-05-20") == [
            [("NWD201", "2024-05-20"), ("NWD202", "2024-05-21")]
        ]

    def test_goes_on_to_the_sixth_of_a_month(self, corrected):
        assert self.search(corrected, "2024-05-05") == [
            [("NWD201", "2024-05-05"), ("NWD202", "2024-05-06")]
        ]

    def test_goes_on_to_the_next_month(self, strict, corrected):
        assert self.search(strict, "2024-05-31") == []
        assert self.search(corrected, "2024-05-31") == [
            [("NWD203", "2024-05-31"), ("NWD204", "2024-06-01")]
        ]


class TestSearchDirectFlight:
    def search(self, session: EnvironmentSession, **changed: Any) -> list[str]:
        arguments = {"origin": "BOS", "destination": "DEN", "date": "2024-05-20"}
        found = make(session, "search_direct_flight", **{**arguments, **changed})
        return [flight["flight_number"] for flight in found]

    def test_takes_null_for_no_airport(self, strict, corrected):
        null = {"destination": None}

        assert self.search(strict, **null) == ["NWD101", "NWD102", "NWD201"]
        assert self.search(corrected, **null) == []

    @pytest.mark.parametrize("changed", [{"origin": ["BOS"]}, {"date": {"day": 20}}])
    def test_finds_nothing_for_garbage(self, strict, corrected, changed):
        assert self.search(strict, **changed) == []
        assert self.search(corrected, **changed) == []

    def test_follows_the_session_and_says_what_it_depended_on(self, strict):
        strict.state.touched = set()
        self.search(strict)
        before = set(strict.state.touched)

        book(strict)

        assert ("flights", "NWD102") in before & strict.state.affected()
        assert self.search(strict) == ["NWD101", "NWD102"]

    @pytest.mark.parametrize("mode", list(Mode))
    def test_lists_flights_without_seats(self, mode):
        session = session_in(mode)
        for cabin in ("basic_economy", "economy", "business"):
            flight = session.state.edit("flights", "NWD101")
            flight["dates"]["2024-05-20"]["available_seats"][cabin] = 0

        assert self.search(session) == ["NWD101", "NWD102"]


class TestListAllAirports:
    def test_names_cities_with_several_airports_in_our_own_worlds(
        self, strict, corrected
    ):
        named = {
            mode: {a["iata"]: a["city"] for a in make(session, "list_all_airports")}
            for mode, session in (("strict", strict), ("corrected", corrected))
        }

        assert len(named["strict"]) == 20
        assert named["strict"]["LGA"] == "LaGuardia"
        assert named["strict"].keys() < named["corrected"].keys()
        for iata in ("JFK", "LGA", "EWR"):
            assert named["corrected"][iata] == "New York"


class TestMode:
    def test_is_part_of_the_content(self):
        state = read_state(small_airline())
        hashes = [
            build(state=state, version="small", mode=mode).content_hash for mode in Mode
        ]

        assert len(set(hashes)) == 2

    def test_is_corrected_for_generated_worlds_only(self):
        state = read_state(small_airline())

        assert generated(seed=1, users=1, flights=1).mode is Mode.CORRECTED
        assert build(state=state, version="small").mode is Mode.STRICT


@pytest.fixture(scope="module", params=list(Mode))
def airline(request: pytest.FixtureRequest) -> Environment:
    made = generated(seed=7, users=25, flights=40)
    return build(state=made.state, version=made.version, mode=request.param)


def calls(airline: Environment) -> st.SearchStrategy[ToolCall]:
    """Calls as a model may make them: real tools, with fitting, foreign and garbage arguments."""
    state = airline.state.collections
    users = list(state["users"].values())[:12]
    numbers = list(state["flights"])[:15]
    texts = [*(key for user in users for key in user["payment_methods"]), "", "BOS"]
    texts += ["economy", "business", "yes", "one_way", "2024-05-20", "2024-05-16"]
    texts += [*(u["user_id"] for u in users), *numbers]
    texts += [key for user in users for key in user["reservations"]]
    scalar: st.SearchStrategy[Any] = st.one_of(
        st.sampled_from(texts), st.none(), st.integers(-3, 300), st.floats(-2, 2)
    )
    objects: st.SearchStrategy[Any] = st.one_of(
        st.builds(
            lambda number, date: {"flight_number": number, "date": f"2024-05-{date}"},
            st.sampled_from(numbers),
            st.integers(15, 25),
        ),
        st.just(ANN),
        st.builds(
            lambda key, amount: {"payment_id": key, "amount": amount},
            st.sampled_from(texts),
            st.integers(-10, 500),
        ),
        scalar,
    )
    value = st.one_of(scalar, scalar, st.lists(objects, max_size=3), objects)

    def arguments(name: str) -> st.SearchStrategy[dict[str, Any]]:
        fitting: dict[str, st.SearchStrategy[Any]] = {
            "user_id": st.sampled_from([user["user_id"] for user in users]),
            "reservation_id": st.sampled_from(
                [key for user in users for key in user["reservations"]] + ["HATHAT"]
            ),
            "cabin": st.sampled_from(["economy", "business", "basic_economy"]),
            "passengers": st.lists(st.just(ANN), max_size=3),
        }
        wanted = airline.tools[name].schema["function"]["parameters"]["properties"]
        return st.fixed_dictionaries(
            {key: st.one_of(fitting.get(key, value), value) for key in wanted}
        )

    return st.sampled_from(sorted(airline.tools)).flatmap(
        lambda name: arguments(name).map(
            lambda given: ToolCall(name=name, arguments=given)
        )
    )


class TestAnySequenceOfCalls:
    @settings(max_examples=60, deadline=None)
    @given(drawn=st.data())
    def test_never_crashes_and_never_changes_the_base(
        self, airline: Environment, drawn: st.DataObject
    ) -> None:
        base = airline.state.content_hash
        session = airline.session()

        for call in drawn.draw(st.lists(calls(airline), max_size=6)):
            before = session.state.content_hash()
            result = session.call(call)
            after = session.state.content_hash()
            assert isinstance(result.content, str)
            if not airline.tools[call.name].mutates:
                assert after == before
            if result.error and airline.mode is Mode.CORRECTED:
                assert after == before

        whole = {
            name: {
                key: session.state.get(name, key) for key in session.state.keys(name)
            }
            for name in airline.state.collections
        }
        assert State(copy.deepcopy(whole)).content_hash == session.state.content_hash()  # type: ignore[arg-type]
        if airline.mode is Mode.CORRECTED:
            # Nothing raw was stored: read again, it is the same.
            assert read_state(whole).content_hash == session.state.content_hash()  # type: ignore[arg-type]
        assert State(airline.state.collections).content_hash == base
        session.state.reset()
        assert session.state.content_hash() == base

    @settings(max_examples=40, deadline=None)
    @given(drawn=st.data())
    def test_leaves_what_no_read_depended_on(
        self, airline: Environment, drawn: st.DataObject
    ) -> None:
        session, seen = airline.session(), []
        reads = calls(airline).filter(lambda call: airline.is_read(call.name))
        for call in drawn.draw(st.lists(reads, max_size=4)):
            session.state.touched = set()
            seen.append((call, session.call(call), session.state.touched))

        session.replay(drawn.draw(st.lists(calls(airline), max_size=4)))

        moved = session.state.affected()
        for call, result, touched in seen:
            if not touched & moved:
                assert session.call(call) == result
