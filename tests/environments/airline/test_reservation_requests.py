"""Requests about reservations, without proofs: what is drawn fits, what is said leads back, and the answers are what the records say."""

import json
import random
from typing import Any

import pytest

from environments.airline import generated
from environments.airline.archetypes import (
    ARCHETYPES,
    LEXICON,
    both,
    cabins,
    endings,
    fares,
    refusals,
    trips,
)
from environments.airline.policy_checks import FREE_BAGS, booked_lately
from environments.airline.words import QUESTIONS
from environments.core.domain import Archetype, Proposal
from environments.core.errors import Unidentifiable
from environments.core.evaluate import Answer, answer
from environments.core.grammar import say
from environments.core.state import Session
from environments.core.tools import ToolCall
from tests.understanding import understood_as

AIRLINE = generated(seed=4, users=200)
PEOPLE = AIRLINE.people
MODULES = (both, cabins, endings, fares, refusals, trips)
OURS = {a.slug: a for module in MODULES for a in module.ARCHETYPES}
TODAY = "2024-05-15"
FEW = {"N4"}
"""Need somebody whom a small world may lack."""


def proposals(archetype: Archetype, count: int = 3) -> list[Proposal]:
    rng = random.Random(archetype.slug)
    drawn = [
        archetype.propose(Session(AIRLINE.state), rng, PEOPLE) for _ in range(count)
    ]
    return [proposal for proposal in drawn if proposal is not None]


def answers(slug: str, count: int = 4) -> list[tuple[dict[str, Any], Answer]]:
    """Facts and answers of some draws, those left out in which the words fit nothing or too much."""
    found = []
    for proposal in proposals(OURS[slug], count):
        source = AIRLINE.domain.from_state(Session(AIRLINE.state))
        query = OURS[slug].query(proposal.facts)
        try:
            got = answer(query, proposal.facts, source, AIRLINE.domain)
        except Unidentifiable:
            continue
        found.append((proposal.facts, got))
    assert found
    return found


def owned(facts: dict[str, Any]) -> list[dict[str, Any]]:
    keys = user(facts)["reservations"]
    return [AIRLINE.state.collections["reservations"][key] for key in keys]


def user(facts: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = AIRLINE.state.collections["users"][facts["user_id"]]
    return found


def record(key: str) -> dict[str, Any]:
    found: dict[str, Any] = AIRLINE.state.collections["reservations"][key]
    return found


def begins(trip: dict[str, Any]) -> str:
    return min(str(leg["date"]) for leg in trip["flights"])


def paid(trip: dict[str, Any]) -> int:
    return sum(line["amount"] for line in trip["payment_history"])


def ahead(facts: dict[str, Any]) -> list[dict[str, Any]]:
    return [t for t in owned(facts) if not t["status"] and begins(t) > TODAY]


def free(trip: dict[str, Any]) -> int:
    level = user(trip)["membership"]
    return FREE_BAGS[level][trip["cabin"]] * len(trip["passengers"])


def statuses(trip: dict[str, Any]) -> list[str]:
    flights = AIRLINE.state.collections["flights"]
    return [
        flights[leg["flight_number"]]["dates"][leg["date"]]["status"]
        for leg in trip["flights"]
    ]


class TestWords:
    def test_every_slug_is_one_archetypes(self) -> None:
        slugs = [archetype.slug for archetype in ARCHETYPES]

        assert len(set(slugs)) == len(slugs)
        assert OURS.keys() <= set(slugs)

    @pytest.mark.parametrize("slug", OURS)
    def test_there_are_several_ways_to_say_it(self, slug: str) -> None:
        for clause in OURS[slug].clauses:
            assert len(clause.patterns) >= (4 if clause.opens else 2), clause.name
        assert [clause.opens for clause in OURS[slug].clauses].count(True) == 1

    @pytest.mark.parametrize("slug", OURS)
    def test_what_is_said_leads_back_to_it_alone(self, slug: str) -> None:
        archetype, rng = OURS[slug], random.Random(1)
        drawn = proposals(archetype)

        assert drawn or slug in FEW
        for proposal in drawn:
            # with every clause, also those that only rule out another reading
            for _ in range(4):
                said = [say(c, proposal.facts, LEXICON, rng) for c in archetype.clauses]
                text = " ".join(part.text for part in said)
                facts = proposal.facts
                told = understood_as(slug, text, facts, AIRLINE.domain).facts
                assert told == {name: proposal.facts[name] for name in told}
                assert {*told, "user_id"} == proposal.facts.keys()

    def test_what_has_to_be_asked_for_has_a_question(self) -> None:
        assert {
            "payment",
            "reason",
            "trip_from",
            "bags",
            "new_cabin",
        } <= QUESTIONS.keys()


class TestWhichTrip:
    @pytest.mark.parametrize("slug", ["A13", "A41", "I5"])
    def test_the_dearest_is_the_one_that_was_paid_most_for(self, slug: str) -> None:
        for facts, got in answers(slug):
            best = max(ahead(facts), key=paid)
            [choice] = got.choices
            assert choice.candidates[choice.chosen].label == best["reservation_id"]

    @pytest.mark.parametrize("slug", ["A19", "A40", "N5", "I6"])
    def test_the_next_is_the_one_that_begins_first(self, slug: str) -> None:
        for facts, got in answers(slug):
            best = min(ahead(facts), key=begins)
            [choice] = got.choices
            assert choice.candidates[choice.chosen].label == best["reservation_id"]


class TestBags:
    def test_a19_takes_what_is_free_and_no_more(self) -> None:
        for _, got in answers("A19"):
            told = got.gold[0].arguments
            assert told["total_baggages"] == free(record(told["reservation_id"]))
            assert told["nonfree_baggages"] == 0

    def test_i5_tells_what_is_left(self) -> None:
        for facts, got in answers("I5"):
            trip = max(ahead(facts), key=paid)
            left = max(0, free(trip) - trip["total_baggages"])
            assert [one.value for one in got.told] == [left]

    def test_w3_spends_the_gift_card_once(self) -> None:
        for facts, got in answers("W3"):
            methods = user(facts)["payment_methods"]
            kinds = [
                methods[call.arguments["payment_id"]]["source"] for call in got.gold
            ]
            assert kinds == ["gift_card", "credit_card"]


class TestPassengers:
    def test_a20_leaves_out_the_youngest_of_the_largest_party(self) -> None:
        for facts, got in answers("A20"):
            trip = max(ahead(facts), key=lambda one: len(one["passengers"]))
            told = got.gold[0].arguments
            youngest = max(trip["passengers"], key=lambda one: one["dob"])
            left = [one for one in trip["passengers"] if one != youngest]
            assert told["reservation_id"] == trip["reservation_id"]
            assert told["passengers"][:-1] == left
            assert told["passengers"][-1] in user(facts)["saved_passengers"]


class TestEndings:
    def covered(self, trip: dict[str, Any], reason: str) -> bool:
        return bool(
            booked_lately(trip)
            or trip["cabin"] == "business"
            or (trip["insurance"] == "yes" and reason in ("illness", "weather"))
            or "cancelled" in statuses(trip)
        )

    def test_w1_cancels_what_a_rule_covers_and_nothing_else(self) -> None:
        for facts, got in answers("W1"):
            want = [
                trip["reservation_id"]
                for trip in ahead(facts)
                if self.covered(trip, facts["reason"])
            ]
            assert [call.arguments["reservation_id"] for call in got.gold] == want

    def test_a15_cancels_the_dearest_of_those(self) -> None:
        for facts, got in answers("A15"):
            some = [t for t in ahead(facts) if self.covered(t, facts["reason"])]
            best = max(some, key=paid)
            assert got.gold[0].arguments == {"reservation_id": best["reservation_id"]}

    @pytest.mark.parametrize(("slug", "yes"), [("A41", True), ("N1", False)])
    def test_sisters_differ_by_what_is_read(self, slug: str, yes: bool) -> None:
        for facts, got in answers(slug):
            trip = max(ahead(facts), key=paid)
            assert self.covered(trip, facts["reason"]) == yes
            assert got.declined == ("" if yes else "5.3")

    def test_w4_sends_a_hundred_for_each_passenger_of_a_trip_that_lost_a_flight(
        self,
    ) -> None:
        for facts, got in answers("W4"):
            level = user(facts)["membership"]
            want = [
                100 * len(trip["passengers"])
                for trip in owned(facts)
                if not trip["status"]
                and "cancelled" in statuses(trip)
                and (
                    level != "regular"
                    or trip["insurance"] == "yes"
                    or trip["cabin"] == "business"
                )
            ]
            assert [call.arguments["amount"] for call in got.gold] == want

    @pytest.mark.parametrize("slug", ["T1", "T2"])
    def test_what_has_begun_is_left_to_a_person(self, slug: str) -> None:
        for _, got in answers(slug):
            assert got.transferred == "5.2"
            assert not got.gold


class TestFares:
    def lowest(self, trip: dict[str, Any], cabin: str) -> int:
        """Of the day, nonstop or with one stop, through the tools."""
        session = AIRLINE.session()
        leg = {key: trip[key] for key in ("origin", "destination")}
        leg["date"] = trip["flights"][0]["date"]
        prices = []
        for name in ("search_direct_flight", "search_onestop_flight"):
            result = session.call(ToolCall(name=name, arguments=leg))
            for flights in json.loads(result.content):
                some = flights if isinstance(flights, list) else [flights]
                seats = min(one["available_seats"][cabin] for one in some)
                if seats >= len(trip["passengers"]):
                    prices.append(sum(one["prices"][cabin] for one in some))
        return min(prices)

    def test_a22_moves_the_trip_that_saves_more(self) -> None:
        for facts, got in answers("A22"):
            saved = {}
            for which in ("trip", "other"):
                ends = facts[f"{which}_from"], facts[f"{which}_to"]
                [trip] = [
                    t for t in owned(facts) if (t["origin"], t["destination"]) == ends
                ]
                price = sum(leg["price"] for leg in trip["flights"])
                each = price - self.lowest(trip, "economy")
                saved[trip["reservation_id"]] = each * len(trip["passengers"])
            best = max(saved, key=lambda key: saved[key])
            assert got.gold[0].arguments["reservation_id"] == best

    def test_a17_takes_business_only_within_the_limit(self) -> None:
        for facts, got in answers("A17", 8):
            trip = record(got.gold[0].arguments["reservation_id"])
            price = sum(leg["price"] for leg in trip["flights"])
            extra = self.lowest(trip, "business") - price
            cheap = extra * len(trip["passengers"]) <= facts["limit"]
            assert (got.gold[0].name == "update_reservation_flights") == cheap

    def test_a18_keeps_the_way_out(self) -> None:
        for facts, got in answers("A18"):
            trip = record(got.gold[0].arguments["reservation_id"])
            first, *back = got.gold[0].arguments["flights"]
            assert first["flight_number"] == trip["flights"][0]["flight_number"]
            assert first["date"] == trip["flights"][0]["date"]
            assert back[0]["date"] in (facts["day_1"], facts["day_2"])
