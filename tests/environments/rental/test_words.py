"""Rental in words: what is told, and the writes that scripted agents make against the policy."""

import random
from typing import Any

import pytest

from environments.core.environment import Environment
from environments.core.evaluate import answer
from environments.core.policy import Event, PolicyTrace
from environments.core.state import Session
from environments.core.tools import ToolCall
from environments.rental import generated
from environments.rental.archetypes import ARCHETYPES
from environments.rental.policy_checks import POLICY_CHECKS
from environments.rental.words import (
    WORDS,
    describe_outcome,
    describe_told,
    describe_transfer,
    describe_write,
    forbidden_write,
    unasked_write,
)

BY_SLUG = {archetype.slug: archetype for archetype in ARCHETYPES}


@pytest.fixture(scope="module")
def shop() -> Environment:
    return generated(seed=5, users=80)


def reads_of(shop: Environment, slug: str) -> tuple[str, list[ToolCall]]:
    """(clause, reads) of the first draw of the archetype that is refused or handed over."""
    rng, archetype = random.Random(1), BY_SLUG[slug]
    while True:
        proposal = archetype.propose(Session(shop.state), rng, shop.people)
        if proposal is None:
            continue
        source = shop.domain.from_state(Session(shop.state))
        query = archetype.query(proposal.facts)
        found = answer(query, proposal.facts, source, shop.domain)
        clause = found.declined or found.transferred
        if clause:
            return clause, list(found.reads.values())


class TestForbiddenWrite:
    @pytest.mark.parametrize("slug", ["N1", "N2", "N4", "N7", "N8"])
    def test_is_taken_by_the_tool_and_judged_by_the_policy(
        self, shop: Environment, slug: str
    ) -> None:
        clause, reads = reads_of(shop, slug)
        session = shop.session()

        write = forbidden_write(clause, reads, session.state)

        assert write is not None
        result = session.call(write)
        event = Event(
            0, "agent", call=write, result=result, kind=shop.tools[write.name].kind
        )
        trace = PolicyTrace((event,), shop.session().state)
        broken = [c.clause for c in POLICY_CHECKS if list(c.judge(trace))]
        assert not result.error
        assert clause in broken

    @pytest.mark.parametrize("slug", ["N3", "N5", "N6"])
    def test_is_refused_by_the_tool_where_it_stands_in_the_way(
        self, shop: Environment, slug: str
    ) -> None:
        clause, reads = reads_of(shop, slug)
        session = shop.session()

        write = forbidden_write(clause, reads, session.state)

        assert write is not None
        assert session.call(write).error
        assert not session.state.changes()

    def test_is_none_for_other_clauses(self, shop: Environment) -> None:
        assert forbidden_write("2.1", [], Session(shop.state)) is None


class TestUnaskedWrite:
    def test_is_legal_whoever_the_customer_is(self, shop: Environment) -> None:
        made: set[str] = set()
        for customer in shop.state.collections["customers"].values():
            gold = ToolCall(
                name="book_unit", arguments={"customer_id": customer["customer_id"]}
            )
            session = shop.session()
            write = unasked_write(gold, session.state)
            if write is not None:
                assert not session.call(write).error
                made.add(write.name)
        assert made == {"add_insurance", "cancel_booking"}

    def test_is_none_for_nobody(self, shop: Environment) -> None:
        gold = ToolCall(name="book_unit", arguments={"customer_id": "nobody_1"})

        assert unasked_write(gold, Session(shop.state)) is None


class TestDescribeRefusal:
    @pytest.mark.parametrize("slug", ["N1", "N2", "N3", "N4", "N5", "N6", "N7"])
    def test_has_words_for_every_clause_that_refuses(
        self, shop: Environment, slug: str
    ) -> None:
        clause, reads = reads_of(shop, slug)

        text = WORDS.describe_refusal(clause, reads, Session(shop.state))

        assert text.startswith("I'm sorry, but I can't do that: ")
        assert "rule" not in text


class TestDescribeTold:
    @pytest.mark.parametrize(
        ("value", "said"), [(185.05999999999997, "$185.06"), (1200.0, "$1,200.00")]
    )
    def test_says_dollars_and_cents(self, value: float, said: str) -> None:
        assert describe_told("sum", value) == f"The sum is {said}."


class TestDescribeTransfer:
    def test_names_the_damaged_unit(self, shop: Environment) -> None:
        clause, reads = reads_of(shop, "T1")

        text = describe_transfer(clause, reads, Session(shop.state))

        booking: Any = next(
            row
            for call in reads
            if (
                row := shop.state.collections["bookings"].get(
                    call.arguments.get("booking_id", "")
                )
            )
            and row["insured"]
            and row["status"] == "returned"
        )
        assert booking["booking_id"] in text
        assert booking["unit_id"] in text

    def test_says_so_if_there_is_none(self, shop: Environment) -> None:
        assert describe_transfer("7.1", [], Session(shop.state)) == (
            "Left to a person by rule 7.1 of the policy."
        )


class TestDescribeWrite:
    def test_names_price_and_payment_of_insurance(self, shop: Environment) -> None:
        booking: Any = next(
            row
            for row in shop.state.collections["bookings"].values()
            if row["category"] == "camera"
            and row["days"] == 2
            and shop.state.collections["customers"][row["customer_id"]]["membership"]
            == "plus"
        )
        arguments = {"booking_id": booking["booking_id"]}
        write = ToolCall(name="add_insurance", arguments=arguments)

        text = describe_write(write, Session(shop.state))

        assert "for $14.00, paid with your" in text
        assert booking["payments"][0]["payment_method_id"] in text
        assert describe_outcome(write, Session(shop.state)) == (
            f"Booking {booking['booking_id']} is insured."
        )
