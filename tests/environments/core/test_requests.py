"""Parts that the requests of most worlds share."""

import random

import pytest

from environments.core.query import Query, const
from environments.core.requests import (
    account_steps,
    identity_facts,
    method_step,
    texts_in,
    told_apart,
)

ADA = {"first_name": "Ada", "last_name": "Abel"}


class TestAccountSteps:
    def test_look_up_the_email_if_it_is_said(self) -> None:
        query = Query(steps=account_steps({"email": "a@example.com", "zip": "1"}))

        assert str(query).splitlines() == [
            "the     account in account(email=$email)",
            "the     profile in profile of account",
        ]

    def test_else_look_up_name_and_zip(self) -> None:
        query = Query(steps=account_steps({**ADA, "zip": "10000"}))

        assert str(query).startswith(
            "the     account in account(first_name=$first_name, last_name=$last_name, zip=$zip)"
        )


class TestMethodStep:
    def test_names_the_one_of_that_kind(self) -> None:
        step = method_step("card", const("credit_card"), of="again")

        assert step.lines() == [
            'the     card in methods of again where card.source = "credit_card"'
        ]


class TestIdentityFacts:
    def test_are_the_email_or_name_and_zip(self) -> None:
        drawn = [
            identity_facts(email="a@x", name=ADA, zip="1", rng=random.Random(seed))
            for seed in range(20)
        ]

        assert {frozenset(facts) for facts in drawn} == {
            frozenset({"email"}),
            frozenset({"first_name", "last_name", "zip"}),
        }


class TestToldApart:
    @pytest.mark.parametrize("by", ["kind", lambda row: row["kind"].lower()])
    def test_keeps_what_no_other_row_shares(self, by: object) -> None:
        rows = [{"kind": "tent"}, {"kind": "bike"}, {"kind": "tent"}]

        assert told_apart(rows, by) == [{"kind": "bike"}]  # type: ignore[arg-type]

    def test_asks_the_function_and_not_the_field(self) -> None:
        rows = [{"kind": "tent"}, {"kind": "Tent"}]

        assert told_apart(rows, "kind") == rows
        assert told_apart(rows, lambda row: row["kind"].lower()) == []


class TestTextsIn:
    def test_goes_into_lists_and_objects(self) -> None:
        facts = {"email": "a@x", "named": [{"booking_id": "B1", "days": 3}, ("U1",)]}

        assert list(texts_in(facts.values())) == ["a@x", "B1", "3", "U1"]
