"""What the scripted agent says is heard for what it is: a word in passing is no question, no refusal and no report."""

import itertools
import random

import pytest

from writ_app.engine.behaviour import (
    asks,
    asks_confirmation,
    asks_identity,
    offers_more,
    phrase,
    refuses,
    reports_done,
    reports_nothing_found,
)
from writ_app.engine.scripted import phrases
from writ_app.engine.verification.trace import says_no


def said(bank: tuple[str, ...], **slots: str) -> set[str]:
    """Ways to say it, by many draws of each pattern."""
    rng = random.Random(1)
    return {phrase((pattern,), rng, **slots) for pattern in bank for _ in range(60)}


EMAIL = "your email, or your full name and zip code"


class TestPhrases:
    def test_are_hundreds(self) -> None:
        slots = dict.fromkeys(
            ("asked", "value", "change", "outcome", "count", "gold", "place", "field"),
            "x",
        )
        more = ("runner", "other", "clause", "amount", "number", "what", "tool")
        slots |= dict.fromkeys(more, "x")
        banks = [bank for bank in vars(phrases).values() if isinstance(bank, tuple)]
        banks += phrases.ASIDES.values()
        ways = set(itertools.chain(*(said(bank, **slots) for bank in banks)))
        assert len(ways) > 500

    @pytest.mark.parametrize("value", list(phrases.ASIDES))
    def test_in_passing_ask_refuse_and_report_nothing(self, value: str) -> None:
        for text in said(phrases.ASIDES[value]):
            assert not asks(text)
            assert not offers_more(text)
            assert not refuses(text)
            assert not says_no(text)
            assert not reports_nothing_found(text)
            assert not reports_done(text)

    def test_that_ask_who_it_is_wait_for_no_yes(self) -> None:
        for text in said(phrases.ASK_IDENTITY + phrases.EXPLAIN, asked=EMAIL):
            assert asks_identity(text)
            assert not asks_confirmation(text)
            assert not refuses(text)

    def test_that_propose_wait_for_a_yes(self) -> None:
        for text in said(phrases.PROPOSE, change="cancel order #W1"):
            assert asks_confirmation(text)
            assert not offers_more(text)

    def test_that_listen_wait_for_no_yes_and_offer_nothing(self) -> None:
        for text in said(phrases.CHECK_IN + phrases.ASK_DETAIL):
            assert not asks_confirmation(text)
            assert not offers_more(text)
            assert not asks_identity(text)

    def test_that_give_up_ask_for_nothing_more(self) -> None:
        assert not any(map(asks, said(phrases.GIVE_UP)))
        assert not any(map(offers_more, said(phrases.GIVE_UP)))

    def test_that_end_a_piece_of_work_offer_more(self) -> None:
        assert all(map(offers_more, said(phrases.ANYTHING_ELSE)))

    def test_that_refuse_say_no(self) -> None:
        assert all(map(says_no, said(phrases.WRONG_REFUSAL)))
        assert all(map(says_no, said(phrases.BY_RULE, clause="4.1")))
        assert not any(map(says_no, said(phrases.PROMISED)))
