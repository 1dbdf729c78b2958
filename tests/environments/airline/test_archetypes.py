"""Airline bookings and questions: answers reckoned again without the request language, and kinds that no lint may let through."""

import json
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from environments.airline import generated
from environments.airline.archetypes import ARCHETYPES
from environments.airline.archetypes.lexicon import AIRPORTS, LEXICON
from environments.airline.archetypes.parts import (
    FREE_BAGS,
    booking,
    fare,
    method,
    payment,
    plus,
    query,
    trips,
)
from environments.airline.clauses import CLAUSES
from environments.core.domain import Archetype
from environments.core.environment import Environment
from environments.core.errors import Unidentifiable
from environments.core.evaluate import Answer, answer
from environments.core.grammar import say
from environments.core.query import Best, Branch, Key, Query, Value, compare, ref
from environments.core.state import Session
from environments.core.tools import ToolCall
from tests.understanding import understood_as

BY_SLUG = {archetype.slug: archetype for archetype in ARCHETYPES}
type Trip = list[dict[str, Any]]
"""One flight as a search shows it, or two."""


@pytest.fixture(scope="module")
def world() -> Environment:
    return generated(seed=7, users=80)


def drawn(
    world: Environment, slug: str, wanted: int, seed: int = 0
) -> Iterator[tuple[Mapping[str, Any], Answer]]:
    """Facts and answers of draws that have one."""
    archetype, rng = BY_SLUG[slug], random.Random(f"{slug}/{seed}")
    found = 0
    for _ in range(600):
        proposal = archetype.propose(Session(world.state), rng, world.people)
        if proposal is None:
            continue
        source = world.domain.from_state(Session(world.state))
        query = archetype.query(proposal.facts)
        try:
            result = answer(query, proposal.facts, source, world.domain)
        except Unidentifiable:
            continue
        yield proposal.facts, result
        found += 1
        if found == wanted:
            return
    raise AssertionError(f"{slug}: only {found} draws in 600 have an answer")


def read(world: Environment, name: str, **arguments: str) -> Any:
    call = ToolCall(name=name, arguments=arguments)
    return json.loads(world.session().call(call).content)


def offers(world: Environment, facts: Mapping[str, Any], *kinds: str) -> list[Trip]:
    """Everything that the searches of the facts show, with its date on every flight."""
    found: list[Trip] = []
    for date in facts["days"].split(","):
        for start in (facts[name] for name in facts if name.startswith("from_")):
            for goal in (facts[name] for name in facts if name.startswith("to_")):
                ends = {"origin": start, "destination": goal, "date": date}
                if "direct" in kinds:
                    shown = read(world, "search_direct_flight", **ends)
                    found += [[{**flight, "date": date}] for flight in shown]
                if "onestop" in kinds:
                    found += read(world, "search_onestop_flight", **ends)
    return found


def price(trip: Trip, cabin: str) -> int:
    return sum(flight["prices"][cabin] for flight in trip)


def room(trip: Trip, cabin: str) -> int:
    return min(flight["available_seats"][cabin] for flight in trip)


def lands_next_day(trip: Trip) -> bool:
    return any("+1" in flight["scheduled_arrival_time_est"] for flight in trip)


def booked(result: Answer) -> list[tuple[str, str]]:
    (call,) = result.gold
    flights = call.arguments["flights"]
    return [(flight["flight_number"], flight["date"]) for flight in flights]


def named(trip: Trip) -> list[tuple[str, str]]:
    return [(flight["flight_number"], flight["date"]) for flight in trip]


class TestBookings:
    @pytest.mark.parametrize(
        ("slug", "kinds", "rank"),
        [
            ("A1", ("direct",), 0),
            ("A2", ("direct", "onestop"), 0),
            ("A4", ("direct", "onestop"), 1),
            ("A7", ("direct", "onestop"), 0),
        ],
    )
    def test_takes_the_cheapest_or_the_next(
        self, world: Environment, slug: str, kinds: tuple[str, ...], rank: int
    ) -> None:
        for facts, result in drawn(world, slug, 8):
            cabin = facts["cabin"]
            free = [one for one in offers(world, facts, *kinds) if room(one, cabin)]
            free.sort(key=lambda trip: price(trip, cabin))

            assert booked(result) == named(free[rank])
            (paid,) = result.gold[0].arguments["payment_methods"]
            assert paid["amount"] == price(free[rank], cabin)

    def test_avoids_two_places_and_the_night(self, world: Environment) -> None:
        for facts, result in drawn(world, "A23", 6):
            cabin = facts["cabin"]
            avoided = (facts["avoid_1"], facts["avoid_2"])
            free = [
                one
                for one in offers(world, facts, "direct", "onestop")
                if room(one, cabin)
            ]
            good = [
                one
                for one in free
                if not lands_next_day(one)
                and not (len(one) > 1 and one[0]["destination"] in avoided)
            ]

            best = min(good, key=lambda trip: price(trip, cabin))
            assert booked(result) == named(best)
            assert price(min(free, key=lambda trip: price(trip, cabin)), cabin) < price(
                best, cabin
            )

    def test_leaves_early_enough(self, world: Environment) -> None:
        for facts, result in drawn(world, "A5", 6):
            latest = f"{facts['latest'] // 60:02}:{facts['latest'] % 60:02}:00"
            good = [
                one
                for one in offers(world, facts, "direct", "onestop")
                if room(one, facts["cabin"])
                and one[0]["scheduled_departure_time_est"] <= latest
            ]

            best = min(good, key=lambda trip: price(trip, facts["cabin"]))
            assert booked(result) == named(best)

    def test_seats_a_party_and_names_it_in_order(self, world: Environment) -> None:
        for facts, result in drawn(world, "A9", 6):
            cabin, people = facts["cabin"], result.gold[0].arguments["passengers"]
            good = [
                one
                for one in offers(world, facts, "direct")
                if room(one, cabin) >= len(people)
            ]
            best = min(good, key=lambda trip: price(trip, cabin))
            user: Any = world.state.collections["users"][facts["user_id"]]
            names = [f"{one['first_name']} {one['last_name']}" for one in people]
            guests = [facts[name] for name in facts if name.startswith("guest_")]

            assert booked(result) == named(best)
            assert 3 <= len(people) <= 5
            assert people[0]["dob"] == user["dob"]
            assert names[1 : 1 + len(guests)] == guests
            (paid,) = result.gold[0].arguments["payment_methods"]
            assert paid["amount"] == len(people) * price(best, cabin)

    def test_names_a_party_in_words_that_are_read_one_way(
        self, world: Environment
    ) -> None:
        """No name and no birthday goes on into the next one, however many come along."""
        archetype, domain = BY_SLUG["A9"], world.domain
        rng, parties = random.Random(2), set[str]()
        for _ in range(60):
            proposal = archetype.propose(Session(world.state), rng, world.people)
            if proposal is None:
                continue
            parties |= set(proposal.clauses)
            text = " ".join(
                say(clause, proposal.facts, domain.lexicon, rng).text
                for clause in archetype.clauses
                if clause.name in proposal.clauses
            )
            way = understood_as("A9", text, proposal.facts, domain)
            told = {name: proposal.facts[name] for name in way.facts}

            assert way.facts == told
            assert set(way.clauses) == set(proposal.clauses)
        assert {"saved_1", "saved_2"} <= parties
        assert {"friends_1", "friends_2", "friends_3"} <= parties

    def test_takes_the_best_cabin_that_the_budget_allows(
        self, world: Environment
    ) -> None:
        cabins = Counter[str]()
        for facts, result in drawn(world, "A10", 25):
            arguments = result.gold[0].arguments
            user: Any = world.state.collections["users"][facts["user_id"]]
            for cabin in ("business", "economy", "basic_economy"):
                free = [o for o in offers(world, facts, "direct") if room(o, cabin)]
                extra = facts["bags"] - FREE_BAGS[f"{user['membership']}/{cabin}"]
                best = min(free, key=lambda trip: price(trip, cabin))
                total = price(best, cabin) + 50 * max(0, extra)
                total += 30 * (facts.get("insurance") == "yes")
                if total <= facts["budget"] or cabin == "basic_economy":
                    break
            cabins[cabin] += 1

            assert arguments["cabin"] == cabin
            assert booked(result) == named(best)
            assert arguments["payment_methods"][0]["amount"] == total
            assert arguments["nonfree_baggages"] == max(0, extra)

        assert len(cabins) == 3

    def test_wastes_as_little_of_a_certificate_as_it_can(
        self, world: Environment
    ) -> None:
        parts = Counter[int]()
        for facts, result in drawn(world, "A11", 15):
            user: Any = world.state.collections["users"][facts["user_id"]]
            paid = result.gold[0].arguments["payment_methods"]
            total = sum(line["amount"] for line in paid)
            worth = {
                one["id"]: one["amount"]
                for one in user["payment_methods"].values()
                if one["source"] == "certificate"
            }
            best = min(worth, key=lambda one: (max(0, worth[one] - total), -worth[one]))
            parts[len(paid)] += 1

            assert paid[0]["payment_id"] == best
            assert paid[0]["amount"] == min(worth[best], total)
            if len(paid) > 1:
                other = user["payment_methods"][paid[1]["payment_id"]]
                assert other["source"] == "credit_card"

        assert parts.keys() == {1, 2}

    def test_pairs_the_cheapest_flights_there_and_back(
        self, world: Environment
    ) -> None:
        for facts, result in drawn(world, "A8", 6):
            cabin, days = facts["cabin"], facts["days"].split(",")
            later = dict(zip(days, facts["back_days"].split(","), strict=True))
            pairs = []
            for (out,) in offers(world, facts, "direct"):
                ends = {"origin": out["destination"], "destination": out["origin"]}
                date = later[out["date"]]
                for back in read(world, "search_direct_flight", **ends, date=date):
                    both = [out, {**back, "date": date}]
                    if room(both, cabin):
                        pairs.append(both)

            best = min(pairs, key=lambda pair: price(pair, cabin))
            assert booked(result) == named(best)
            assert result.gold[0].arguments["flight_type"] == "round_trip"

    @pytest.mark.parametrize(
        "slug", [one.slug for one in ARCHETYPES if "book" in one.title.lower()]
    )
    def test_is_taken_by_the_tools(self, world: Environment, slug: str) -> None:
        for _, result in drawn(world, slug, 2, seed=1):
            session = world.session()
            for call in result.gold:
                assert not session.call(call).error


class TestQuestions:
    def test_tells_the_lowest_total_and_writes_nothing(
        self, world: Environment
    ) -> None:
        for facts, result in drawn(world, "I1", 6):
            cabin = facts["cabin"]
            user: Any = world.state.collections["users"][facts["user_id"]]
            extra = facts["bags"] - FREE_BAGS[f"{user['membership']}/{cabin}"]
            free = [one for one in offers(world, facts, "direct") if room(one, cabin)]
            lowest = min(price(one, cabin) for one in free)

            (told,) = result.told
            assert told.value == lowest + 50 * max(0, extra)
            assert result.gold == ()

    def test_tells_when_the_first_flight_leaves(self, world: Environment) -> None:
        for facts, result in drawn(world, "I3", 6):
            free = [
                one
                for one in offers(world, facts, "direct", "onestop")
                if room(one, facts["cabin"])
            ]
            first = min(one[0]["scheduled_departure_time_est"] for one in free)

            assert result.told[0].value == first[:5]


def always_equal(facts: Mapping[str, Any]) -> Query:
    """A26: two one-way tickets or one round trip, whichever is cheaper. Fares add up, so that both always cost the same."""
    pair = plus(fare(facts, "trip"), fare(facts, "back"))
    there = trips(facts, "direct")
    back = trips({**facts, "days": facts["back_days"]}, "direct", name="back")
    turned = {"origins": back.by["destinations"], "destinations": back.by["origins"]}
    back = back.model_copy(update={"by": {**back.by, **turned}})
    paid = payment(ref("method.id"), ref("together"))
    cheapest = [
        Best(selection=there, objective=(Key(value=fare(facts)),)),
        Best(selection=back, objective=(Key(value=fare(facts, "back")),)),
    ]
    both = plus(ref("trip.flights"), ref("back.flights"))
    round_trip = booking(facts, [paid], flights=both, flight_type="round_trip")
    return query(
        *cheapest,
        Value(name="together", value=pair),
        Value(name="apart", value=plus(fare(facts, "back"), fare(facts, "trip"))),
        method(facts),
        Branch(
            condition=compare(ref("apart"), "lt", ref("together")),
            then=(booking(facts, [paid]),),
            otherwise=(round_trip,),
        ),
    )


class TestLints:
    def test_a_choice_between_what_always_costs_the_same_is_refused(
        self, world: Environment
    ) -> None:
        reasons = Counter[str]()
        for facts, _ in drawn(world, "A8", 6):
            told = {name: facts[name] for name in facts if name != "from_2"}
            source = world.domain.from_state(Session(world.state))
            with pytest.raises(Unidentifiable) as caught:
                answer(always_equal(told), told, source, world.domain)
            reasons[caught.value.reason] += 1

        assert reasons["threshold"] >= 4
        assert reasons.keys() <= {"threshold", "tie", "too_few"}

    def test_no_two_kinds_share_a_slug(self) -> None:
        assert Counter(one.slug for one in ARCHETYPES).most_common(1)[0][1] == 1

    @pytest.mark.parametrize("archetype", ARCHETYPES, ids=lambda one: one.slug)
    def test_openers_can_be_said_in_several_ways(self, archetype: Archetype) -> None:
        openers = [clause for clause in archetype.clauses if clause.opens]

        assert openers
        assert all(
            len(set(clause.patterns)) == len(clause.patterns) for clause in openers
        )


class TestWords:
    @pytest.mark.parametrize("slot", sorted(LEXICON))
    def test_no_two_values_of_a_slot_sound_alike(self, slot: str) -> None:
        ways = [way.lower() for ways in LEXICON[slot].values() for way in ways]

        assert len(set(ways)) == len(ways)

    def test_every_airport_has_a_name_with_which_none_else_is_meant(
        self, world: Environment
    ) -> None:
        flown = {one["origin"] for one in world.state.collections["flights"].values()}

        assert flown <= AIRPORTS.keys()

    def test_free_bags_are_the_policys(self) -> None:
        text = CLAUSES["3.3"]
        for membership in ("regular", "silver", "gold"):
            free = [
                FREE_BAGS[f"{membership}/{cabin}"]
                for cabin in ("basic_economy", "economy", "business")
            ]
            assert f"{membership} members {', '.join(map(str, free))}" in text
