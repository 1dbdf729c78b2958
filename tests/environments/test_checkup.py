"""The check-up names every fault that is planted in a copy of the rental world."""

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from environments import checkup
from environments.core.domain import Archetype, Clause, Proposal
from environments.core.environment import Environment
from environments.core.policy import PolicyCheck
from environments.core.query import (
    Branch,
    Decline,
    Query,
    Selection,
    The,
    Write,
    compare,
    const,
    fact,
)
from environments.core.state import Record
from environments.core.tools import ToolCall, ToolKind, Toolkit, tool
from environments.rental import generated
from environments.rental.archetypes import N1, N2
from environments.rental.oracle import StateRows
from environments.rental.tools import RentalTools


@pytest.fixture(scope="module")
def rental() -> Environment:
    return generated(seed=1, users=30)


def with_tool(environment: Environment, toolkit: type[Toolkit]) -> Environment:
    """The world with one tool replaced by another of its name."""
    toolkit.tools = {**RentalTools.tools, **toolkit.tools}
    return replace(environment, toolkit=toolkit)


def with_domain(environment: Environment, **changes: Any) -> Environment:
    return replace(environment, domain=replace(environment.domain, **changes))


def calls_of(environment: Environment) -> Any:
    return checkup._Calls(environment)


def proved(slug: str, seed: int) -> tuple[str, ...]:
    return ()


class UndescribedParameter(RentalTools):
    @tool(ToolKind.READ)
    def get_unit(self, unit_id: str) -> Record:
        """Get a unit."""
        return {}


class ReadThatWrites(RentalTools):
    @tool(ToolKind.READ)
    def get_booking(self, booking_id: str) -> Record:
        """
        Get a booking.

        Args:
            booking_id: The booking id.
        """
        booking = self.session.edit("bookings", booking_id)
        booking["insured"] = not booking["insured"]
        return booking


class WriteThatDoesNothing(RentalTools):
    @tool(ToolKind.WRITE)
    def add_insurance(self, booking_id: str) -> Record:
        """
        Insure a booking.

        Args:
            booking_id: The booking id.
        """
        return self._upcoming(booking_id)


class ToolThatThrowsDice(RentalTools):
    @tool(ToolKind.READ)
    def get_unit(self, unit_id: str) -> Record:
        """
        Get a unit.

        Args:
            unit_id: The unit id.
        """
        return {"unit_id": unit_id, "rating": random.random()}


class ToolThatBreaks(RentalTools):
    @tool(ToolKind.WRITE)
    def add_insurance(self, booking_id: str) -> Record:
        """
        Insure a booking.

        Args:
            booking_id: The booking id.
        """
        raise KeyError("insurance")


class WrongOracle(StateRows):
    def apply(self, call: ToolCall) -> None:
        super().apply(call)
        if call.name == "add_insurance":
            self._upcoming(**call.arguments)["deposit"] = 0.0


class StrictOracle(StateRows):
    def apply(self, call: ToolCall) -> None:
        if call.name == "cancel_booking":
            raise checkup.Unidentifiable("illegal", "never")
        super().apply(call)


def with_write(name: str, **arguments: Any) -> Archetype:
    """A kind of request whose seldom branch makes this write."""
    write = Write(tool=name, arguments={n: const(v) for n, v in arguments.items()})
    seldom = Branch(
        condition=compare(const(1), "eq", const(2)),
        then=(write,),
        otherwise=(Decline(clause="6.1"),),
    )
    return replace(N1, query=lambda facts: Query(steps=(seldom,)))


def with_account(**facts: str) -> Archetype:
    """A kind of request that finds the account by these facts."""
    by: dict[str, Any] = {name: fact(name) for name in facts}
    account = The(selection=Selection(name="account", relation="account", by=by))
    return replace(
        N1,
        propose=lambda session, rng, avoid: Proposal(
            {**facts, "category": "tent"}, ("wish",)
        ),
        query=lambda facts: Query(steps=(account,)),
    )


class TestCheckWorld:
    def test_finds_nothing_wrong_with_a_good_world(self, rental: Environment) -> None:
        findings = list(checkup.check_world(rental, tests="", prove=proved))

        assert [str(f) for f in findings if f.level == "wrong"] == []
        assert {f.name for f in findings} >= {"schemas", "kinds", "oracle", "words"}
        wanted = len(rental.domain.archetypes) + 12
        assert (
            checkup.summary(findings) == f"{wanted} checks: {wanted - 1} ok, 1 warning"
        )

    def test_says_that_nothing_can_be_asked(self, rental: Environment) -> None:
        silent = with_domain(rental, archetypes=())

        *_, last = checkup.check_world(silent, tests="", prove=proved)

        assert (last.name, last.level) == ("archetypes", "warning")


FAULTS: list[tuple[Callable[[Environment], checkup.Finding], str]] = [
    (
        lambda world: checkup.check_schemas(with_tool(world, UndescribedParameter)),
        "get_unit: parameter unit_id is not described",
    ),
    (
        lambda world: checkup.check_kinds(
            with_tool(world, ReadThatWrites), calls_of(world)
        ),
        "get_booking is a read and changed the state",
    ),
    (
        lambda world: checkup.check_kinds(
            with_tool(world, WriteThatDoesNothing), calls_of(world)
        ),
        "add_insurance is a write and never changed anything",
    ),
    (
        lambda world: checkup.check_determinism(
            with_tool(world, ToolThatThrowsDice), calls_of(world)
        ),
        "get_unit answered the same call in two ways",
    ),
    (
        lambda world: checkup.check_clauses(
            with_domain(
                world, policy_checks=(PolicyCheck("9.9", "", lambda trace: ()),)
            ),
            "",
        ),
        "no clause 9.9 in the policy",
    ),
    (
        lambda world: checkup.check_clauses(
            with_domain(world, reader_judged={"9.9": "for no reason"}), ""
        ),
        "no clause 9.9 in the policy",
    ),
    (
        lambda world: checkup.check_clauses(
            with_domain(world, reader_judged={"6.1": "though a program can"}), ""
        ),
        "a reader is to judge 6.1, which a program judges",
    ),
    (
        lambda world: checkup.check_oracle(
            with_domain(world, from_state=WrongOracle), calls_of(world)
        ),
        "add_insurance: oracle and tool leave different states",
    ),
    (
        lambda world: checkup.check_oracle(
            with_domain(world, from_state=StrictOracle), calls_of(world)
        ),
        "cancel_booking: the tool takes what the oracle refuses",
    ),
    (
        lambda world: checkup.check_oracle(
            with_tool(world, ToolThatBreaks), calls_of(world)
        ),
        "add_insurance: the oracle takes what the tool refuses (Error: 'insurance')",
    ),
    (
        lambda world: checkup.check_name(world, "shop"),
        "shop builds an environment called 'rental'",
    ),
    (
        lambda world: checkup.check_writes(
            with_domain(world, archetypes=(with_write("insure"),))
        ),
        "N1: there is no tool insure",
    ),
    (
        lambda world: checkup.check_writes(
            with_domain(world, archetypes=(with_write("get_unit", unit_id="U1"),))
        ),
        "N1: get_unit is a read and writes nothing",
    ),
    (
        lambda world: checkup.check_writes(
            with_domain(world, archetypes=(with_write("cancel_booking", id="B1"),))
        ),
        "N1: cancel_booking has no id",
    ),
    (
        lambda world: checkup.check_writes(
            with_domain(world, archetypes=(with_write("cancel_booking"),))
        ),
        "N1: cancel_booking lacks booking_id",
    ),
    (
        lambda world: checkup.check_facts(
            with_domain(world, archetypes=(with_account(card_number="K1"),))
        ),
        "N1 never says card_number",
    ),
    (
        lambda world: checkup.check_facts(
            with_domain(world, archetypes=(with_account(first_name="Ada"),))
        ),
        "N1 never says first_name",
    ),
    (
        lambda world: checkup.check_relations(with_domain(world, relations={})),
        "account (in E1) has no role",
    ),
    (
        lambda world: checkup.check_words(
            with_domain(
                world,
                archetypes=(
                    replace(N1, clauses=(Clause("wish", ("I want {wish}.",), True),)),
                ),
            )
        ),
        "N1: a clause speaks of 'wish'",
    ),
    (
        lambda world: checkup.check_words(
            with_domain(world, archetypes=(N1, replace(N1, slug="twin")))
        ),
        "do not lead back",
    ),
]


class TestFaults:
    @pytest.mark.parametrize(
        ("check", "text"), FAULTS, ids=[f"{n} {t}" for n, (_, t) in enumerate(FAULTS)]
    )
    def test_are_named(
        self,
        rental: Environment,
        check: Callable[[Environment], checkup.Finding],
        text: str,
    ) -> None:
        finding = check(rental)

        assert finding.level == "wrong"
        assert text in finding.text
        assert finding.hint
        assert str(finding).startswith("✗")


class TestCheckClauses:
    def test_counts_clauses_that_tests_name(self, rental: Environment) -> None:
        before = checkup.check_clauses(rental, "")
        after = checkup.check_clauses(rental, "def test_swap_5_2(self): # and 4.1")

        assert before.level == after.level == "warning"
        assert "5.2" in before.text
        assert "5.2" not in after.text
        assert "4.1" not in after.text

    def test_says_who_judges_which(self, rental: Environment) -> None:
        tests = "3.1 3.2 3.3 4.1 4.2 5.2 5.4 5.5 6.2"

        found = str(checkup.check_clauses(rental, tests))

        assert found == (
            "✓ clauses: 22 clauses, 10 judged by a program, 9 named by tests, "
            "2 decided by requests, 1 left to a reader (2.4)"
        )

    def test_counts_what_is_left_to_a_reader(self, rental: Environment) -> None:
        assert "2.4" not in checkup.check_clauses(rental, "").text
        bare = with_domain(rental, reader_judged={})
        assert "2.4" in checkup.check_clauses(bare, "").text

    def test_counts_clauses_that_a_refusal_cites(self, rental: Environment) -> None:
        assert "4.3" not in checkup.check_clauses(rental, "").text
        bare = with_domain(rental, archetypes=(), policy_checks=())
        assert "4.3" in checkup.check_clauses(bare, "").text


class TestCheckFacts:
    def test_lets_a_clause_say_who_the_user_is(self, rental: Environment) -> None:
        kind = with_account(card_number="K1")
        patterns = ("My card is {card_number}.", "I have the card {card_number}.")
        spoken = replace(kind, clauses=(Clause("wish", patterns, True),))

        finding = checkup.check_facts(with_domain(rental, archetypes=(spoken,)))

        assert finding.level == "ok"

    def test_wants_it_in_every_pattern(self, rental: Environment) -> None:
        kind = with_account(card_number="K1")
        patterns = ("My card is {card_number}.", "You know my card.")
        spoken = replace(kind, clauses=(Clause("wish", patterns, True),))

        finding = checkup.check_facts(with_domain(rental, archetypes=(spoken,)))

        assert finding.level == "wrong"


class TestCheckPeople:
    def test_counts_those_who_can_ask(self, rental: Environment) -> None:
        finding = checkup.check_people(rental)

        assert str(finding) == "✓ people: 30 people can ask"

    def test_wants_a_collection_that_is_there(self, rental: Environment) -> None:
        finding = checkup.check_people(
            replace(rental, domain=replace(rental.domain, people="users"))
        )

        assert finding.level == "wrong"
        assert "'users'" in finding.text


class TestCheckProofs:
    def test_says_which_archetype_cannot_be_proved(self, rental: Environment) -> None:
        world = with_domain(rental, archetypes=(N1, N2))

        def prove(slug: str, seed: int) -> tuple[str, ...]:
            if slug == "N2":
                raise ValueError("nobody fits")
            return ()

        good, bad = checkup.check_proofs(world, prove, 2)

        assert str(good) == "✓ proof N1: 2 tasks proved"
        assert bad.level == "wrong"
        assert "nobody fits" in bad.text

    def test_says_which_reads_are_not_proved(self, rental: Environment) -> None:
        world = with_domain(rental, archetypes=(N1,))

        (finding,) = checkup.check_proofs(
            world, lambda slug, seed: ("get_unit",) if seed == 1 else (), 3
        )

        assert finding.level == "warning"
        assert "3 tasks proved, 1 of them not exact" in finding.text
        assert "get_unit" in finding.text
        assert finding.hint


class TestCheckGenerator:
    def test_is_content_with_one_world_per_seed(self) -> None:
        assert checkup.check_generator("rental").level == "ok"
