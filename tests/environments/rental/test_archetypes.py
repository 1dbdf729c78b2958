"""Rental's kinds of requests: the answers, reckoned again without the request language; pairs that one read tells apart."""

import random
from collections.abc import Iterator
from typing import Any

import pytest

from environments.core.domain import Archetype, Facts, TaskClass
from environments.core.environment import Environment
from environments.core.errors import Unidentifiable
from environments.core.evaluate import Answer, answer
from environments.core.state import Session
from environments.rental import generated
from environments.rental.archetypes import ARCHETYPES
from environments.rental.state import DAYS, DEPOTS, LONGEST_FOR, insurance_per_day

BY_SLUG: dict[str, Archetype] = {archetype.slug: archetype for archetype in ARCHETYPES}
PLACES = ("depot", "other_depot", "third_depot")


@pytest.fixture(scope="module")
def shop() -> Environment:
    return generated(seed=4, users=80)


def ask(shop: Environment, slug: str, facts: Facts, *patch: dict[str, Any]) -> Answer:
    """The oracle's answer to the request, in a shop that is patched."""
    state = Session(shop.state)
    state.apply_patch(patch)
    query = BY_SLUG[slug].query(facts)
    return answer(query, facts, shop.domain.from_state(state), shop.domain)


def asked(shop: Environment, slug: str, count: int) -> Iterator[tuple[Any, Answer]]:
    """Facts and answers of so many draws."""
    rng = random.Random(slug)
    for _ in range(200):
        proposal = BY_SLUG[slug].propose(Session(shop.state), rng, shop.people)
        if proposal is None:
            continue
        try:
            yield proposal.facts, ask(shop, slug, proposal.facts)
        except Unidentifiable:
            continue
        count -= 1
        if not count:
            return
    raise AssertionError(f"{slug} is drawn too seldom.")


def customer_of(shop: Environment, facts: Facts) -> Any:
    return next(
        row
        for row in shop.state.collections["customers"].values()
        if row["email"] == facts.get("email")
        or (row["zip"] == facts.get("zip") and row["name"].items() <= facts.items())
    )


def bookings_of(shop: Environment, facts: Facts, *statuses: str) -> list[Any]:
    found = [
        shop.state.collections["bookings"][key]
        for key in customer_of(shop, facts)["bookings"]
    ]
    return [row for row in found if not statuses or row["status"] in statuses]


def units(
    shop: Environment,
    category: str,
    depots: Any,
    first: str,
    last: str,
    days: int,
) -> list[Any]:
    """(rate, unit, day) of everything that is to be had for so long."""
    return [
        (unit["offers"][day]["daily_rate"], unit, day)
        for unit in shop.state.collections["units"].values()
        if unit["category"] == category and unit["depot"] in depots
        for day in DAYS
        if first <= day <= last
        and unit["offers"].get(day, {}).get("longest", 0) >= days
    ]


def wanted(shop: Environment, facts: Any, **other: Any) -> list[Any]:
    said = [facts[name] for name in PLACES if name in facts]
    spec = {
        "category": facts["category"],
        "depots": said or DEPOTS,
        "first": facts["first_day"],
        "last": facts["last_day"],
        "days": facts.get("days"),
    }
    return units(shop, **{**spec, **other})


def booked(found: Answer) -> tuple[str, str]:
    arguments = found.gold[0].arguments
    return arguments["unit_id"], arguments["pickup_date"]


class TestAnswers:
    def test_the_cheapest_in_a_window_e1(self, shop: Environment) -> None:
        for facts, found in asked(shop, "E1", 15):
            _, unit, day = min(wanted(shop, facts), key=lambda row: row[0])
            assert booked(found) == (unit["unit_id"], day)

    def test_least_to_lay_out_e6(self, shop: Environment) -> None:
        decoys = 0
        for facts, found in asked(shop, "E6", 25):
            depots = [depot for depot in DEPOTS if depot != facts["depot"]]
            ranked = sorted(
                wanted(shop, facts, depots=depots),
                key=lambda row: row[0] * facts["days"] + row[1]["deposit"],
            )
            decoys += ranked[0][1]["model"] == facts["model"]
            allowed = [row for row in ranked if row[1]["model"] != facts["model"]]
            assert booked(found) == (allowed[0][1]["unit_id"], allowed[0][2])
        assert decoys >= 8

    def test_either_of_two_categories_e7(self, shop: Environment) -> None:
        won = set()
        for facts, found in asked(shop, "E7", 20):
            both = [
                row
                for name in ("category", "other_category")
                for row in wanted(shop, facts, category=facts[name])
            ]
            _, unit, day = min(both, key=lambda row: row[0])
            assert booked(found) == (unit["unit_id"], day)
            won.add(unit["category"] == facts["category"])
        assert won == {True, False}

    def test_as_long_as_the_membership_allows_e8(self, shop: Environment) -> None:
        lengths = set()
        for facts, found in asked(shop, "E8", 15):
            days = LONGEST_FOR[customer_of(shop, facts)["membership"]]
            _, unit, day = min(wanted(shop, facts, days=days), key=lambda row: row[0])
            assert booked(found) == (unit["unit_id"], day)
            assert found.gold[0].arguments["days"] == days
            lengths.add(days)
        assert lengths == {5, 7}

    def test_best_rated_in_a_budget_with_insurance_e9(self, shop: Environment) -> None:
        for facts, found in asked(shop, "E9", 20):
            membership = customer_of(shop, facts)["membership"]
            more = insurance_per_day(membership, facts["category"])
            fits = [
                row
                for row in wanted(shop, facts)
                if facts["days"] * (row[0] + more) <= facts["budget"]
            ]
            _, unit, day = min(fits, key=lambda row: (-row[1]["rating"], row[0]))
            assert booked(found) == (unit["unit_id"], day)

    def test_best_rated_that_the_credit_covers_e10(self, shop: Environment) -> None:
        for facts, found in asked(shop, "E10", 15):
            methods = customer_of(shop, facts)["payment_methods"].values()
            [credit] = [m for m in methods if m["source"] == "store_credit"]
            fits = [
                row
                for row in wanted(shop, facts)
                if facts["days"] * row[0] <= credit["balance"]
            ]
            _, unit, day = min(fits, key=lambda row: (-row[1]["rating"], row[0]))
            assert booked(found) == (unit["unit_id"], day)
            assert found.gold[0].arguments["payment_method_id"] == credit["id"]

    def test_joined_with_another_booking_e11_e12(self, shop: Environment) -> None:
        for slug, rank in (("E11", 0), ("E12", 1)):
            for facts, found in asked(shop, slug, 10):
                [other] = [
                    row
                    for row in bookings_of(shop, facts)
                    if row["category"] == facts["other_category"]
                ]
                depots = {"depots": [other["depot"]]} if slug == "E11" else {}
                ranked = sorted(wanted(shop, facts, **depots), key=lambda row: row[0])
                assert booked(found) == (ranked[rank][1]["unit_id"], ranked[rank][2])
                if slug == "E12":
                    method = other["payments"][0]["payment_method_id"]
                    assert found.gold[0].arguments["payment_method_id"] == method

    def test_credit_if_it_is_enough_else_the_card_e13(self, shop: Environment) -> None:
        kinds = set()
        for facts, found in asked(shop, "E13", 20):
            methods = customer_of(shop, facts)["payment_methods"]
            [credit] = [m for m in methods.values() if m["source"] == "store_credit"]
            rate, unit, day = min(wanted(shop, facts), key=lambda row: row[0])
            assert booked(found) == (unit["unit_id"], day)
            method = methods[found.gold[0].arguments["payment_method_id"]]
            enough = facts["days"] * rate <= credit["balance"]
            assert (method["source"] == "store_credit") is enough
            kinds.add(method["source"])
        assert kinds == {"store_credit", "credit_card"}

    def test_best_rated_for_no_more_e14(self, shop: Environment) -> None:
        for facts, found in asked(shop, "E14", 15):
            [mine] = [
                row
                for row in bookings_of(shop, facts)
                if row["category"] == facts["category"]
            ]
            day = mine["pickup_date"]
            there = units(shop, mine["category"], DEPOTS, day, day, mine["days"])
            fits = [row for row in there if row[0] <= mine["daily_rate"]]
            _, unit, _ = min(fits, key=lambda row: (-row[1]["rating"], row[0]))
            assert found.gold[0].arguments == {
                "booking_id": mine["booking_id"],
                "new_unit_id": unit["unit_id"],
            }

    def test_the_swap_that_saves_most_e15(self, shop: Environment) -> None:
        for facts, found in asked(shop, "E15", 15):
            saved = [
                (mine["days"] * (mine["daily_rate"] - rate), mine, unit)
                for mine in bookings_of(shop, facts, "upcoming")
                if not mine["insured"]
                for rate, unit, _ in units(
                    shop,
                    mine["category"],
                    [facts["depot"]],
                    mine["pickup_date"],
                    mine["pickup_date"],
                    mine["days"],
                )
            ]
            _, mine, unit = max(saved, key=lambda row: row[0])
            assert found.gold[0].arguments == {
                "booking_id": mine["booking_id"],
                "new_unit_id": unit["unit_id"],
            }

    def test_the_longest_without_insurance_e16(self, shop: Environment) -> None:
        for facts, found in asked(shop, "E16", 15):
            open_ = [
                row
                for row in bookings_of(shop, facts, "upcoming")
                if not row["insured"]
            ]
            longest = max(open_, key=lambda row: (row["days"], row["daily_rate"]))
            assert found.gold[0].name == "add_insurance"
            assert found.gold[0].arguments == {"booking_id": longest["booking_id"]}

    def test_longer_if_it_costs_little_e17(self, shop: Environment) -> None:
        lengths, insured = set(), set()
        for facts, found in asked(shop, "E17", 25):
            mine = min(
                bookings_of(shop, facts, "upcoming"), key=lambda row: row["daily_rate"]
            )
            per_day = mine["daily_rate"]
            if mine["insured"]:
                membership = customer_of(shop, facts)["membership"]
                per_day += insurance_per_day(membership, mine["category"])
            cheap = facts["days"] * per_day <= facts["extra_cap"]
            assert found.gold[0].arguments == {
                "booking_id": mine["booking_id"],
                "extra_days": facts["days"] if cheap else 1,
            }
            lengths.add(cheap)
            insured.add(mine["insured"])
        assert lengths == insured == {True, False}

    def test_all_bookings_together_decide_e18(self, shop: Environment) -> None:
        seen = set()
        for facts, found in asked(shop, "E18", 20):
            rows = bookings_of(shop, facts, "upcoming")
            total = sum(row["days"] * row["daily_rate"] for row in rows)
            if total > facts["total_cap"]:
                one, name = max(rows, key=lambda r: r["daily_rate"]), "cancel_booking"
            else:
                open_ = [row for row in rows if not row["insured"]]
                one, name = max(open_, key=lambda r: r["deposit"]), "add_insurance"
            assert found.gold[0].name == name
            assert found.gold[0].arguments == {"booking_id": one["booking_id"]}
            seen.add(name)
        assert len(seen) == 2

    def test_what_is_told_i1_i2_i3(self, shop: Environment) -> None:
        for facts, found in asked(shop, "I1", 8):
            customer = customer_of(shop, facts)
            more = insurance_per_day(customer["membership"], facts["category"])
            lowest = min(row[0] for row in wanted(shop, facts)) + more
            assert found.told[0].value == pytest.approx(facts["days"] * lowest)
        for facts, found in asked(shop, "I2", 8):
            rows = bookings_of(shop, facts, "upcoming")
            total = sum(row["days"] * row["daily_rate"] for row in rows)
            assert found.told[0].value == pytest.approx(total)
        for facts, found in asked(shop, "I3", 8):
            methods = customer_of(shop, facts)["payment_methods"].values()
            balance = sum(method.get("balance", 0) for method in methods)
            lowest = facts["days"] * min(row[0] for row in wanted(shop, facts))
            assert found.told[0].value == pytest.approx(balance - lowest)
            assert not found.gold


FLIPS = [
    ("E19", "decline 6.1", "bookings", {"pickup_date": "2027-06-04"}),
    ("E23", "decline 5.1", "bookings", {"status": "returned"}),
    ("E21", "decline 5.3", "bookings", {"insured": True}),
    ("E20", "decline 4.3", "customers", {"membership": "basic"}),
    ("E22", "decline 4.3", "customers", {"membership": "basic"}),
    ("E24", "decline 4.3", "customers", {"membership": "basic"}),
    ("T1", "decline 7.2", "bookings", {"insured": False}),
    ("N2", "book_unit", "customers", {"membership": "plus"}),
    ("N3", "swap_unit", "bookings", {"insured": False}),
    ("N4", "extend_booking", "customers", {"membership": "plus"}),
    ("N6", "transfer 7.1", "bookings", {"insured": True}),
]


def outcome(found: Answer) -> str:
    if found.declined:
        return f"decline {found.declined}"
    return f"transfer {found.transferred}" if found.transferred else found.gold[0].name


class TestPairs:
    @pytest.mark.parametrize(
        "slugs",
        [
            "E5 N8",
            "E19 N1 N7",
            "E20 N2",
            "E21 N3",
            "E22 N4",
            "E23 N5",
            "T1 N6",
        ],
    )
    def test_ask_the_same(self, shop: Environment, slugs: str) -> None:
        """From the same facts the same query: nothing in it gives away whether the policy allows it."""
        first, *others = slugs.split()
        facts, _ = next(asked(shop, first, 1))

        for other in others:
            assert BY_SLUG[other].query(facts) == BY_SLUG[first].query(facts)
            assert outcome(next(asked(shop, other, 1))[1]).startswith("decline ")
            assert BY_SLUG[other].task_class is TaskClass.REFUSAL

    @pytest.mark.parametrize(("slug", "wanted", "collection", "other"), FLIPS)
    def test_are_told_apart_by_one_value(
        self,
        shop: Environment,
        slug: str,
        wanted: str,
        collection: str,
        other: dict[str, Any],
    ) -> None:
        flipped = 0
        for facts, found in asked(shop, slug, 6):
            customer = customer_of(shop, facts)
            if collection == "bookings":
                [key] = [
                    row["booking_id"]
                    for row in bookings_of(shop, facts)
                    if row["category"] == facts["category"]
                    and (slug not in ("T1", "N6") or row["status"] == "returned")
                ]
            else:
                key = customer["customer_id"]
            patch = [
                {"op": "replace", "path": f"/{collection}/{key}/{name}", "value": value}
                for name, value in other.items()
            ]
            assert outcome(found) != wanted
            flipped += outcome(ask(shop, slug, facts, *patch)) == wanted
        assert flipped >= 5

    def test_a_second_cancellation_is_told_apart_by_another_booking(
        self, shop: Environment
    ) -> None:
        flipped = 0
        for facts, found in asked(shop, "E19", 10):
            others = [
                row
                for row in bookings_of(shop, facts)
                if row["category"] != facts["category"]
            ]
            assert outcome(found) == "cancel_booking"
            for row in others:
                path = f"/bookings/{row['booking_id']}/status"
                patch = {"op": "replace", "path": path, "value": "cancelled"}
                assert outcome(ask(shop, "E19", facts, patch)) == "decline 6.3"
                flipped += 1
        assert flipped >= 10


class TestWords:
    @pytest.mark.parametrize("archetype", ARCHETYPES, ids=lambda one: one.slug)
    def test_there_are_many_ways_to_say_it(self, archetype: Archetype) -> None:
        openers = [clause for clause in archetype.clauses if clause.opens]

        assert len(openers) == 1
        assert len(openers[0].patterns) >= 4
        assert all(len(clause.patterns) >= 2 for clause in archetype.clauses)

    @pytest.mark.parametrize("archetype", ARCHETYPES, ids=lambda one: one.slug)
    def test_every_request_begins_with_who_asks(
        self, shop: Environment, archetype: Archetype
    ) -> None:
        facts, _ = next(asked(shop, archetype.slug, 1))

        lines = str(archetype.query(facts)).splitlines()

        assert lines[0].startswith("the     account in account(")
        assert lines[1] == "the     profile in profile of account"

    def test_there_is_something_of_every_class(self) -> None:
        counts = {
            kind: sum(archetype.task_class is kind for archetype in ARCHETYPES)
            for kind in TaskClass
        }

        assert counts[TaskClass.READ_HEAVY] >= 13
        assert all(counts.values())
