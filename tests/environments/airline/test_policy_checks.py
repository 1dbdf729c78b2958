"""Each judge passes a right trace and fails its near miss: the tools let through all writes in here."""

import sys
from collections.abc import Callable
from typing import Any

import pytest

from environments.airline import generated
from environments.airline.clauses import CLAUSES
from environments.airline.generator.reservations import FREE_BAGS as GENERATED_BAGS
from environments.airline.policy_checks import (
    FREE_BAGS,
    HOLD,
    NOT_JUDGED,
    POLICY_CHECKS,
    asked_who,
    bags_asked_for,
    bags_charged_right,
    bags_stay,
    basic_economy_stays,
    booked_the_trip,
    cabin_before_flying,
    cancelled_amount,
    compensation_asked_for,
    delayed_amount,
    facts_confirmed,
    few_methods,
    few_passengers,
    insurance_asked_about,
    makes_the_trip,
    may_be_cancelled,
    nothing_else_compensated,
    nothing_flown,
    one_customer,
    only_the_entitled,
    reason_asked,
    same_trip,
    transferred_properly,
)
from tests.environments.airline.small import (
    GONE,
    LATE,
    LATER,
    LEFT,
    SOON,
    WHO,
    Scene,
    leg,
    passenger,
    trip,
)

CARD = "credit_card_1000001"


def pay(**amounts: int) -> list[dict[str, Any]]:
    return [{"payment_id": key, "amount": amount} for key, amount in amounts.items()]


class TestPolicyChecks:
    def test_find_nothing_in_an_empty_conversation(self) -> None:
        assert [b for c in POLICY_CHECKS for b in Scene().judge(c.judge)] == []

    def test_every_clause_is_judged_or_enforced_or_left_with_a_reason(self) -> None:
        judged = {check.clause for check in POLICY_CHECKS}

        assert judged | ENFORCED.keys() | NOT_JUDGED.keys() == CLAUSES.keys()
        assert not judged & NOT_JUDGED.keys()
        assert not ENFORCED.keys() & NOT_JUDGED.keys()
        for name in ENFORCED.values():
            group, _, test = name.partition(".")
            assert hasattr(getattr(sys.modules[__name__], group), test), name

    def test_know_the_free_bags_of_the_world(self) -> None:
        assert FREE_BAGS == GENERATED_BAGS


ENFORCED = {
    "2.1": "TestEnforcedByTheTools.test_2_1_only_methods_of_the_profile",
    "2.2": "TestEnforcedByTheTools.test_2_2_only_flights_that_can_be_booked",
    "2.4": "TestEnforcedByTheTools.test_2_4_one_cabin_and_the_same_flights_for_all",
    "3.2": "TestEnforcedByTheTools.test_3_2_amounts_make_the_total",
    "4.3": "TestEnforcedByTheTools.test_4_3_no_certificate_for_a_change",
    "4.4": "TestEnforcedByTheTools.test_4_4_no_tool_adds_insurance",
    "4.5": "TestEnforcedByTheTools.test_4_5_the_number_of_passengers_stays",
    "5.4": "TestEnforcedByTheTools.test_5_4_the_whole_reservation_and_all_the_money",
}
"""Clause → the test that shows how the tools keep it, alone or beside a judge."""


class TestEnforcedByTheTools:
    def refused(self, scene: Scene, name: str, **arguments: Any) -> str:
        scene.call(name, **arguments)
        result = scene.events[-1].result
        assert result is not None
        assert result.error
        return result.content

    def change(self, scene: Scene, **changes: Any) -> str:
        arguments = {
            "reservation_id": "1AAAAA",
            "cabin": "economy",
            "flights": [{"flight_number": "HAT001", "date": LATER}],
            "payment_id": CARD,
        }
        return self.refused(scene, "update_reservation_flights", **arguments | changes)

    def test_2_1_only_methods_of_the_profile(self) -> None:
        text = self.change(Scene(trip()), payment_id="credit_card_9999999")

        assert "Payment method not found" in text

    @pytest.mark.parametrize("date", [LEFT, LATE, GONE])
    def test_2_2_only_flights_that_can_be_booked(self, date: str) -> None:
        flights = [{"flight_number": "HAT001", "date": date}]

        assert "not available" in self.change(Scene(trip()), flights=flights)

    def test_2_4_one_cabin_and_the_same_flights_for_all(self) -> None:
        for name in ("book_reservation", "update_reservation_flights"):
            schema = Scene().airline.tools[name].schema["function"]["parameters"]
            assert schema["properties"]["cabin"]["type"] == "string"
            assert schema["$defs"]["FlightInfo"]["properties"].keys() == {
                "flight_number",
                "date",
            }

    def test_3_2_amounts_make_the_total(self) -> None:
        scene = Scene()
        scene.book()
        arguments = dict(scene.events[-1].call.arguments)  # type: ignore[union-attr]
        arguments["payment_methods"] = pay(**{CARD: 119})
        text = self.refused(scene, "book_reservation", **arguments)

        assert "does not add up" in text

    def test_4_3_no_certificate_for_a_change(self) -> None:
        text = self.change(Scene(trip()), payment_id="certificate_2000001")

        assert "Certificate cannot be used" in text

    def test_4_4_no_tool_adds_insurance(self) -> None:
        for name, tool in Scene().airline.tools.items():
            known = tool.schema["function"]["parameters"].get("properties", {})
            assert name == "book_reservation" or "insurance" not in known

    def test_4_5_the_number_of_passengers_stays(self) -> None:
        people = [passenger(), passenger(1)]
        text = self.refused(
            Scene(trip()),
            "update_reservation_passengers",
            reservation_id="1AAAAA",
            passengers=people,
        )

        assert "does not match" in text

    def test_5_4_the_whole_reservation_and_all_the_money(self) -> None:
        scene = Scene(
            trip(
                payment_history=pay(gift_card_2000001=100, certificate_3000001=20),
            )
        )
        scene.cancel()
        found: Any = scene.session.state.get("reservations", "1AAAAA")
        methods: Any = scene.session.state.get("users", WHO)["payment_methods"]

        assert found["status"] == "cancelled"
        assert sum(line["amount"] for line in found["payment_history"]) == 0
        assert methods["gift_card_2000001"]["amount"] == 500
        assert methods["certificate_3000001"]["amount"] == 20


class TestAskedWho:
    @pytest.mark.parametrize(
        "text", [f"I'm {WHO}.", "My user id is Ada Lane 1001, I think."]
    )
    def test_passes_once_the_customer_said_it(self, text: str) -> None:
        scene = Scene(trip()).hear(text).look_up()

        assert scene.judge(asked_who) == []

    def test_passes_when_an_id_that_the_customer_got_wrong_is_tried(self) -> None:
        scene = Scene().hear("I'm ada_lane_1111.")
        scene.call("get_user_details", user_id="ada_lane_1111")

        assert scene.judge(asked_who) == []

    def test_passes_for_searches(self) -> None:
        scene = Scene()
        scene.call("search_direct_flight", origin="SFO", destination="JFK", date=SOON)

        assert scene.judge(asked_who) == []

    def test_fails_when_a_reservation_is_opened_before(self) -> None:
        scene = Scene(trip()).hear("It's about reservation 1AAAAA.")
        scene.call("get_reservation_details", reservation_id="1AAAAA")

        assert [breach.where for breach in scene.judge(asked_who)] == [(1,)]

    def test_fails_when_another_customer_said_theirs(self) -> None:
        scene = Scene(trip()).hear("I'm bo_hart_1002.").look_up()

        assert len(scene.judge(asked_who)) == 1

    def test_fails_when_the_id_comes_after(self) -> None:
        scene = Scene().call("get_user_details", user_id=WHO).hear(f"I'm {WHO}.")

        assert len(scene.judge(asked_who)) == 1


class TestOneCustomer:
    def test_passes_for_one(self) -> None:
        assert Scene(trip()).look_up().judge(one_customer) == []

    def test_passes_after_an_id_that_nobody_has(self) -> None:
        scene = Scene(trip()).call("get_user_details", user_id="ada_lane_1111")

        assert scene.look_up().judge(one_customer) == []

    def test_fails_for_the_trip_of_another_one(self) -> None:
        scene = Scene(trip()).call("get_user_details", user_id="bo_hart_1002")
        scene.call("get_reservation_details", reservation_id="1AAAAA")

        assert [breach.where for breach in scene.judge(one_customer)] == [(1,)]


class TestTransferredProperly:
    def test_passes_with_the_sentence(self) -> None:
        scene = Scene().call("transfer_to_human_agents", summary="x").say(HOLD)

        assert scene.judge(transferred_properly) == []

    @pytest.mark.parametrize("text", ["Please hold on.", "I'm transferring you now."])
    def test_fails_with_other_words(self, text: str) -> None:
        scene = Scene().call("transfer_to_human_agents", summary="x").say(text)

        assert len(scene.judge(transferred_properly)) == 1

    def test_fails_when_something_is_called_in_between(self) -> None:
        scene = Scene(trip()).call("transfer_to_human_agents", summary="x")
        scene.call("cancel_reservation", reservation_id="1AAAAA").say(HOLD)

        assert len(scene.judge(transferred_properly)) == 1


class TestBooking:
    def test_five_may_travel_and_six_may_not(self) -> None:
        for count, breaches in ((5, 0), (6, 1)):
            people = [passenger(n) for n in range(count)]
            scene = Scene().book(
                passengers=people, payment_methods=pay(**{CARD: 120 * count})
            )
            assert len(scene.judge(few_passengers)) == breaches

    def test_flights_make_the_trip(self) -> None:
        there, back = (
            {"flight_number": number, "date": SOON} for number in ("HAT001", "HAT002")
        )
        both = {"flights": [there, back], "payment_methods": pay(**{CARD: 240})}

        assert Scene().book().judge(booked_the_trip) == []
        assert (
            Scene().book(flight_type="round_trip", **both).judge(booked_the_trip) == []
        )
        assert len(Scene().book(flight_type="round_trip").judge(booked_the_trip)) == 1
        assert len(Scene().book(**both).judge(booked_the_trip)) == 1
        assert len(Scene().book(destination="BOS").judge(booked_the_trip)) == 1

    def test_every_reservation_that_there_is_makes_its_trip(self) -> None:
        reservations = generated(seed=5, users=60).state.collections["reservations"]

        assert reservations
        for found in reservations.values():
            assert makes_the_trip(found, found["flights"]), found

    @pytest.mark.parametrize(
        ("payments", "breaches"),
        [
            (pay(certificate_2000001=50, **{CARD: 70}), 0),
            (pay(certificate_2000001=50, certificate_2000002=50, **{CARD: 20}), 1),
            (pay(credit_card_1000001=60, credit_card_1000002=60), 1),
            (pay(gift_card_2000001=40, gift_card_2000002=40, gift_card_2000003=40), 0),
            (pay(**{f"gift_card_200000{n}": 30 for n in range(1, 5)}), 1),
        ],
    )
    def test_few_methods_pay(self, payments: list[Any], breaches: int) -> None:
        scene = Scene().book(payment_methods=payments)

        assert len(scene.judge(few_methods)) == breaches

    @pytest.mark.parametrize(
        ("text", "insurance", "breaches"),
        [
            ("No insurance, please.", "no", 0),
            ("With travel insurance, please.", "yes", 0),
            ("I don't want insurance.", "yes", 1),
            ("Just the flight.", "no", 1),
        ],
    )
    def test_insurance_is_spoken_of(
        self, text: str, insurance: str, breaches: int
    ) -> None:
        total = 150 if insurance == "yes" else 120
        scene = Scene().hear(text)
        scene.book(insurance=insurance, payment_methods=pay(**{CARD: total}))

        assert len(scene.judge(insurance_asked_about)) == breaches

    def test_insurance_may_be_the_agents_question(self) -> None:
        scene = Scene().say("Would you like travel insurance?").hear("No.").book()

        assert scene.judge(insurance_asked_about) == []


class TestBags:
    @pytest.mark.parametrize("membership", FREE_BAGS)
    @pytest.mark.parametrize("cabin", ["basic_economy", "economy", "business"])
    def test_exactly_those_are_free_that_the_policy_names(
        self, membership: str, cabin: str
    ) -> None:
        free = FREE_BAGS[membership][cabin] * 2
        for total, nonfree in ((free, 0), (free + 1, 1), (free, 1), (free + 1, 0)):
            if nonfree > total:
                continue
            made = trip(cabin=cabin, passengers=[passenger(), passenger(1)])
            scene = Scene(made, membership=membership).add_bags(total, nonfree)
            right = nonfree == max(0, total - free)
            assert (scene.judge(bags_charged_right) == []) == right

    def test_a_free_bag_that_is_booked_as_paid_fails(self) -> None:
        scene = Scene(membership="gold").book(
            total_baggages=1, nonfree_baggages=1, payment_methods=pay(**{CARD: 170})
        )

        assert len(scene.judge(bags_charged_right)) == 1

    def test_membership_is_that_of_who_books_and_not_of_the_cabin_before(self) -> None:
        scene = Scene(trip()).change(("HAT001", SOON), cabin="business")
        scene.add_bags(2, 0)

        assert scene.judge(bags_charged_right) == []
        assert len(scene.add_bags(3, 0).judge(bags_charged_right)) == 1

    def test_a_bag_once_paid_may_stay_paid(self) -> None:
        made = trip(cabin="business", total_baggages=2, nonfree_baggages=1)

        assert Scene(made).add_bags(2, 1).judge(bags_charged_right) == []
        assert len(Scene(made).add_bags(2, 2).judge(bags_charged_right)) == 1

    def test_only_who_speaks_of_bags_gets_some(self) -> None:
        asked = Scene(trip()).hear("One more suitcase, please.").add_bags(1, 0)
        unasked = Scene(trip()).hear("Anything that is free, please.").add_bags(1, 0)

        assert asked.judge(bags_asked_for) == []
        assert len(unasked.judge(bags_asked_for)) == 1

    def test_bags_are_not_removed(self) -> None:
        made = trip(total_baggages=1)

        assert Scene(made).add_bags(2, 1).judge(bags_stay) == []
        assert len(Scene(made).add_bags(0, 0).judge(bags_stay)) == 1
        # what the conversation added cannot be taken back either
        assert len(Scene(made).add_bags(2, 1).add_bags(1, 0).judge(bags_stay)) == 1


class TestChanges:
    def test_basic_economy_may_change_its_cabin_but_not_its_flights(self) -> None:
        made = trip(cabin="basic_economy")
        same, other = ("HAT001", SOON), ("HAT001", LATER)

        assert Scene(made).change(same).judge(basic_economy_stays) == []
        assert len(Scene(made).change(other).judge(basic_economy_stays)) == 1
        stays = Scene(made).change(other, cabin="basic_economy")
        assert len(stays.judge(basic_economy_stays)) == 1

    def test_economy_may_change_both(self) -> None:
        scene = Scene(trip()).change(("HAT001", LATER), cabin="business")

        assert scene.judge(basic_economy_stays) == []
        assert scene.judge(same_trip) == []

    def test_the_trip_stays(self) -> None:
        both = trip(
            flight_type="round_trip", flights=[leg("HAT001", SOON), leg("HAT002", SOON)]
        )
        there, back = ("HAT001", SOON), ("HAT002", LATER)

        assert Scene(trip()).change(("HAT004", SOON)).judge(same_trip) == []
        assert len(Scene(trip()).change(("HAT003", SOON)).judge(same_trip)) == 1
        assert len(Scene(trip()).change(there, back).judge(same_trip)) == 1
        assert Scene(both).change(there, back).judge(same_trip) == []
        assert len(Scene(both).change(there).judge(same_trip)) == 1
        assert len(Scene(both).change(back, there).judge(same_trip)) == 1

    def test_the_cabin_stays_once_a_flight_was_flown(self) -> None:
        made = trip(
            flight_type="round_trip", flights=[leg("HAT001", LEFT), leg("HAT002", SOON)]
        )
        kept = Scene(made).change(("HAT001", LEFT), ("HAT002", LATER))
        # the tool refuses to price a flight that has landed, but not to leave it out
        without = Scene(made).change(("HAT002", SOON), cabin="business")

        assert kept.judge(cabin_before_flying) == []
        assert len(without.judge(cabin_before_flying)) == 1
        assert (
            Scene(trip())
            .change(("HAT001", SOON), cabin="business")
            .judge(cabin_before_flying)
            == []
        )


class TestCancelling:
    @pytest.mark.parametrize(
        ("text", "changes", "breaches"),
        [
            ("My plans changed.", {"created_at": "2024-05-14T15:00:00"}, 0),
            ("My plans changed.", {"created_at": "2024-05-14T14:00:00"}, 1),
            ("You cancelled it.", {"flights": [leg("HAT001", GONE)]}, 0),
            ("It is delayed.", {"flights": [leg("HAT001", LATE)]}, 1),
            ("My plans changed.", {"cabin": "business"}, 0),
            ("My plans changed.", {"cabin": "economy"}, 1),
            ("I'm sick.", {"insurance": "yes"}, 0),
            ("There's a storm coming.", {"insurance": "yes"}, 0),
            ("My plans changed.", {"insurance": "yes"}, 1),
            ("I'm sick.", {"insurance": "no"}, 1),
        ],
    )
    def test_takes_a_rule(
        self, text: str, changes: dict[str, Any], breaches: int
    ) -> None:
        scene = Scene(trip(**changes)).hear(text).cancel()

        assert len(scene.judge(may_be_cancelled)) == breaches
        assert scene.judge(nothing_flown) == []

    def test_a_reason_of_health_that_comes_after_does_not_count(self) -> None:
        scene = Scene(trip(insurance="yes")).cancel().hear("I'm sick.")

        assert len(scene.judge(may_be_cancelled)) == 1

    def test_who_books_anew_can_cancel_that(self) -> None:
        scene = Scene().book().hear("Changed my mind.").cancel("HATHAT")

        assert scene.judge(may_be_cancelled) == []

    @pytest.mark.parametrize("cabin", ["economy", "business"])
    def test_nothing_flown_is_cancelled_not_even_in_business(self, cabin: str) -> None:
        made = trip(
            cabin=cabin,
            flight_type="round_trip",
            flights=[leg("HAT001", LEFT), leg("HAT002", SOON)],
        )

        assert len(Scene(made).cancel().judge(nothing_flown)) == 1

    def test_the_reason_is_asked_for_or_given(self) -> None:
        made = trip(cabin="business")
        given = Scene(made).hear("I can't make it to the meeting.").cancel()
        asked = Scene(made).hear("Cancel it.").say("May I ask the reason?").cancel()
        late = Scene(made).hear("Drop my trip.").cancel().say("What was the reason?")

        assert given.judge(reason_asked) == []
        assert asked.judge(reason_asked) == []
        assert len(late.judge(reason_asked)) == 1


class TestCompensation:
    CANCELLED = trip(flights=[leg("HAT001", GONE)], insurance="yes")
    DELAYED = trip(flights=[leg("HAT001", LATE)], insurance="yes")
    AMOUNTS = (cancelled_amount, delayed_amount, nothing_else_compensated)

    def send(self, scene: Scene, amount: int) -> Scene:
        return scene.write("send_certificate", user_id=WHO, amount=amount)

    def clauses(self, scene: Scene) -> list[str]:
        judges: tuple[Callable[..., Any], ...] = self.AMOUNTS
        numbers = {check.judge: check.clause for check in POLICY_CHECKS}
        return [numbers[judge] for judge in judges for _ in scene.judge(judge)]

    def test_6_3_gives_a_hundred_for_each_passenger_of_a_cancelled_flight(self) -> None:
        two = self.CANCELLED | {"passengers": [passenger(), passenger(1)]}

        assert self.clauses(self.send(Scene(self.CANCELLED), 100)) == []
        assert self.clauses(self.send(Scene(two), 200)) == []
        assert self.clauses(self.send(Scene(two), 100)) == ["6.3"]
        assert self.clauses(self.send(Scene(self.CANCELLED), 150)) == ["6.3"]

    def test_6_4_gives_fifty_for_a_delay_once_the_trip_was_changed(self) -> None:
        changed = Scene(self.DELAYED).change(("HAT001", SOON))

        assert self.clauses(self.send(changed, 50)) == []
        assert self.clauses(self.send(Scene(self.DELAYED), 50)) == ["6.4"]
        hundred = Scene(self.DELAYED).change(("HAT001", SOON))
        assert self.clauses(self.send(hundred, 100)) == ["6.4"]

    def test_6_4_comes_after_the_change(self) -> None:
        scene = self.send(Scene(self.DELAYED), 50).change(("HAT001", SOON))

        assert self.clauses(scene) == ["6.4"]

    def test_6_5_gives_nothing_else_and_nothing_twice(self) -> None:
        twice = self.send(self.send(Scene(self.CANCELLED), 100), 100)

        assert self.clauses(self.send(Scene(trip(insurance="yes")), 50)) == ["6.5"]
        assert self.clauses(twice) == ["6.5"]

    @pytest.mark.parametrize(
        ("membership", "changes", "breaches"),
        [
            ("regular", {"insurance": "no"}, 1),
            ("regular", {"insurance": "yes"}, 0),
            ("silver", {"insurance": "no"}, 0),
            ("regular", {"insurance": "no", "cabin": "business"}, 0),
        ],
    )
    def test_6_2_leaves_out_who_is_not_entitled(
        self, membership: str, changes: dict[str, Any], breaches: int
    ) -> None:
        scene = Scene(self.CANCELLED | changes, membership=membership)

        assert len(self.send(scene, 100).judge(only_the_entitled)) == breaches
        assert self.clauses(scene) == []

    def test_6_2_looks_at_the_cabin_in_which_the_flight_was_late(self) -> None:
        made = self.DELAYED | {"insurance": "no"}
        scene = Scene(made).change(("HAT001", SOON), cabin="business")

        assert len(self.send(scene, 50).judge(only_the_entitled)) == 1

    def test_6_1_is_asked_for(self) -> None:
        asked = Scene(self.CANCELLED).hear("I want to be compensated.")
        unasked = Scene(self.CANCELLED).hear("My flight was cancelled, how annoying.")

        assert self.send(asked, 100).judge(compensation_asked_for) == []
        assert len(self.send(unasked, 100).judge(compensation_asked_for)) == 1

    def test_6_1_takes_confirmed_facts(self) -> None:
        known = Scene(self.CANCELLED).look_up()
        believed = Scene(self.CANCELLED).call("get_user_details", user_id=WHO)
        believed.call("get_reservation_details", reservation_id="1AAAAA")

        assert self.send(known, 100).judge(facts_confirmed) == []
        assert len(self.send(believed, 100).judge(facts_confirmed)) == 1
