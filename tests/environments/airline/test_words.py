from typing import Any

import pytest

from environments.airline.words import (
    aliases,
    describe_outcome,
    describe_refusal,
    describe_write,
    forbidden_write,
    money,
    unasked_write,
)
from environments.core.pointers import leaves
from environments.core.tools import ToolCall, ToolKind
from tests.environments.airline.small import (
    LATER,
    SOON,
    WHO,
    Scene,
    airline,
    leg,
    passenger,
    trip,
)

BACK = trip(
    "2BBBBB",
    flight_type="round_trip",
    cabin="basic_economy",
    flights=[leg("HAT001", SOON, 70), leg("HAT002", LATER, 90)],
    passengers=[passenger(), passenger(1)],
    total_baggages=2,
    nonfree_baggages=2,
    insurance="yes",
    payment_history=[
        {"payment_id": "certificate_3000001", "amount": 150},
        {"payment_id": "gift_card_2000002", "amount": 330},
    ],
)
BOOKING: dict[str, Any] = {
    "user_id": WHO,
    "origin": "SFO",
    "destination": "JFK",
    "flight_type": "round_trip",
    "cabin": "economy",
    "flights": [
        {"flight_number": "HAT001", "date": SOON},
        {"flight_number": "HAT002", "date": LATER},
    ],
    "passengers": [passenger(), passenger(1)],
    "payment_methods": [
        {"payment_id": "certificate_2000001", "amount": 50},
        {"payment_id": "credit_card_1000001", "amount": 590},
    ],
    "total_baggages": 4,
    "nonfree_baggages": 2,
    "insurance": "yes",
}
CHANGE: dict[str, Any] = {
    "reservation_id": "1AAAAA",
    "cabin": "business",
    "flights": [{"flight_number": "HAT004", "date": LATER}],
    "payment_id": "credit_card_1000002",
}
BAGS: dict[str, Any] = {
    "reservation_id": "1AAAAA",
    "total_baggages": 3,
    "nonfree_baggages": 2,
    "payment_id": "gift_card_2000003",
}
WRITES = {
    "book_reservation": BOOKING,
    "cancel_reservation": {"reservation_id": "2BBBBB"},
    "send_certificate": {"user_id": WHO, "amount": 200},
    "update_reservation_baggages": BAGS,
    "update_reservation_flights": CHANGE,
    "update_reservation_passengers": {
        "reservation_id": "2BBBBB",
        "passengers": [passenger(1), passenger(2)],
    },
}
CALLS = [ToolCall(name=name, arguments=told) for name, told in WRITES.items()]
WORLD = airline(trip(), BACK)
STATE = WORLD.session().state


def read(key: str) -> ToolCall:
    return ToolCall(name="get_reservation_details", arguments={"reservation_id": key})


def test_money_is_whole_where_it_can_be() -> None:
    assert [money(1204), money(12.5), money(-30)] == ["$1,204", "$12.50", "-$30"]


class TestDescribeWrite:
    def test_covers_every_write_of_the_world(self) -> None:
        kinds = {n for n, tool in WORLD.tools.items() if tool.kind is ToolKind.WRITE}

        assert WRITES.keys() == kinds
        assert all(not WORLD.session().call(call).error for call in CALLS)

    @pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
    def test_names_every_text_and_every_person(self, call: ToolCall) -> None:
        text = describe_write(call, STATE)

        for place, value in leaves(call.arguments):
            plain = {"yes": "with travel insurance", "round_trip": "round trip"}
            if isinstance(value, str) and place != "/user_id":  # it is their own
                assert plain.get(value, value) in text, place

    def test_tells_the_parts_of_a_bookings_price(self) -> None:
        text = describe_write(CALLS[0], STATE)

        for part in ("$120", "$50 each", "$30 each", "$640", "$590", "4 checked bags"):
            assert part in text

    def test_refunds_what_was_paid_with_what_paid_it(self) -> None:
        text = describe_write(CALLS[1], STATE)

        assert "$150 to your certificate (certificate_3000001)" in text
        assert "$330 to your gift card (gift_card_2000002" in text

    def test_says_what_bags_cost(self) -> None:
        free = BAGS | {"total_baggages": 1, "nonfree_baggages": 0}

        assert "$100 for 2 bags" in describe_write(CALLS[3], STATE)
        call = ToolCall(name="update_reservation_baggages", arguments=free)
        assert "nothing is charged" in describe_write(call, STATE)

    @pytest.mark.parametrize(
        ("changes", "told"),
        [
            ({}, "the difference of $180 is paid with"),
            ({"cabin": "basic_economy"}, "the difference of $40 goes back to"),
            ({"cabin": "economy"}, "there is no difference"),
        ],
    )
    def test_tells_which_way_the_difference_goes(
        self, changes: dict[str, Any], told: str
    ) -> None:
        call = ToolCall(name="update_reservation_flights", arguments=CHANGE | changes)

        assert told in describe_write(call, STATE)

    def test_keeps_the_price_of_a_kept_flight(self) -> None:
        flights = [{"flight_number": "HAT001", "date": SOON}]
        made = trip(flights=[leg("HAT001", SOON, 99)])
        for cabin, told in (("economy", "at $99"), ("business", "at $300")):
            call = ToolCall(
                name="update_reservation_flights",
                arguments=CHANGE | {"cabin": cabin, "flights": flights},
            )
            assert told in describe_write(call, airline(made).session().state)

    @pytest.mark.parametrize(
        "arguments",
        [
            {},
            {"reservation_id": "X"},
            {"reservation_id": "1AAAAA", "flights": 3},
            {"reservation_id": None, "passengers": [1]},
            {"user_id": ["x"], "amount": "much"},
        ],
    )
    def test_speaks_of_odd_arguments_without_failing(
        self, arguments: dict[str, Any]
    ) -> None:
        for name in WORLD.tools:
            call = ToolCall(name=name, arguments=arguments)
            assert describe_write(call, STATE)
            assert describe_outcome(call, STATE)


class TestDescribeOutcome:
    @pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
    def test_says_what_was_done(self, call: ToolCall) -> None:
        session = WORLD.session()
        session.call(call)
        text = describe_outcome(call, session.state)

        assert text.endswith(".")
        assert not text.startswith("I have made this change")
        assert call.arguments.get("reservation_id", "") in text

    def test_gives_the_id_of_a_new_booking(self) -> None:
        session = WORLD.session()
        session.call(CALLS[0])

        assert "HATHAT" in describe_outcome(CALLS[0], session.state)


class TestDescribeRefusal:
    def test_gives_the_rule_and_what_it_looks_at(self) -> None:
        text = describe_refusal("5.3", [read("2BBBBB")], STATE)

        assert text.startswith("I'm sorry, but I can't")
        for part in ("24 hours", "2BBBBB", "basic economy", "with insurance"):
            assert part in text

    def test_has_words_for_a_clause_that_it_does_not_know(self) -> None:
        assert "rule 9.9" in describe_refusal("9.9", [], STATE)


class TestAliases:
    def test_name_a_card_by_its_digits_and_a_method_by_its_kind_if_it_is_one(
        self,
    ) -> None:
        found = aliases(CALLS[4], STATE)

        assert found["credit_card_1000002"] == [["0002"]]  # there are two cards
        assert found["gift_card_2000003"] == []
        assert found[WHO] == [[]]

    def test_know_nothing_of_what_is_not_there(self) -> None:
        assert aliases(ToolCall(name="x", arguments={"user_id": []}), STATE) == {}


class TestUnaskedWrite:
    @pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
    def test_is_legal_and_changes_something(self, call: ToolCall) -> None:
        session = WORLD.session()
        session.call(call)
        before = session.state.effect()
        extra = unasked_write(call, session.state)

        assert extra is not None
        assert not session.call(extra).error
        assert session.state.effect() != before

    def test_charges_for_the_bag_what_the_policy_charges(self) -> None:
        extra = unasked_write(CALLS[1], STATE)

        assert extra is not None
        assert extra.arguments["total_baggages"] == 3
        assert extra.arguments["nonfree_baggages"] == 3

    def test_is_none_without_a_reservation(self) -> None:
        assert unasked_write(CALLS[2], Scene().session.state) is None


class TestForbiddenWrite:
    @pytest.mark.parametrize(
        ("clause", "tool"),
        [
            ("5.3", "cancel_reservation"),
            ("5.2", "cancel_reservation"),
            ("6.2", "send_certificate"),
            ("4.1", "update_reservation_flights"),
            ("4.4", "update_reservation_baggages"),
        ],
    )
    def test_is_the_one_that_the_clause_speaks_of_and_goes_through(
        self, clause: str, tool: str
    ) -> None:
        made = trip("3CCCCC", total_baggages=1)
        world = airline(made)
        call = forbidden_write(clause, [read("3CCCCC")], world.session().state)

        assert call is not None
        assert call.name == tool
        assert not world.session().call(call).error

    def test_is_refused_by_the_tool_where_the_tool_counts(self) -> None:
        call = forbidden_write("4.5", [read("2BBBBB")], STATE)

        assert call is not None
        assert WORLD.session().call(call).error

    def test_is_none_without_a_reservation_or_a_tool_for_it(self) -> None:
        assert forbidden_write("5.3", [], STATE) is None
        assert forbidden_write("3.1", [read("1AAAAA")], STATE) is None
