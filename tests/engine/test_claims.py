"""What the agent says of the world, and what it looks up: only what is certainly invented is held against it."""

from collections.abc import Sequence

import pytest

from environments.core.tools import ToolCall
from tests.engine.talks import (
    called,
    check,
    edited,
    judged,
    said,
    small_shop,
    talk,
    task_of,
)
from writ_app.engine.types import Check, Message
from writ_app.engine.verification.claims import claimed_change, squashed


def saying(text: str, archetype: str = "R1") -> Check:
    """The verdict on a conversation in which the agent says this before its last words."""

    def insert(messages: list[Message]) -> Sequence[Message]:
        extra = [said("assistant", text), said("user", "I see.")]
        return [*messages[:-2], *extra, *messages[-2:]]

    return check("claims", judged(edited(talk(archetype), insert), archetype))


class TestCheckClaims:
    @pytest.mark.parametrize(
        "text",
        [
            "Your order #W9999999 is on its way.",
            "Your case number is 4711471147.",
            "Please write to claims@shop.example about it.",
            "I changed it for john_doe_1234.",
            "A handling fee of $48,213.37 applies.",
        ],
    )
    def test_fails_for_what_nothing_shows(self, text: str) -> None:
        found = saying(text)
        assert not found.passed
        assert "Nothing" in found.finding

    def test_passes_what_was_shown_said_or_reckoned(self) -> None:
        gold = task_of("R1").gold[0].call.arguments
        assert saying(
            f"Order {gold['order_id']}, item {gold['new_item_ids'][0]}."
        ).passed
        prices = [line.objective[0] for line in task_of("R1").tables[0].lines[:2]]
        assert saying(f"Together that would be ${sum(prices):,.2f}.").passed
        assert saying(f"For three of them ${3 * prices[0]:.2f}.").passed
        assert saying("It takes 5 to 7 business days, in 2026 as well.").passed

    def test_fails_for_a_change_that_was_never_made(self) -> None:
        found = saying("I've cancelled your order as well.", "N1")
        assert not found.passed
        assert "nothing was written" in found.finding
        assert saying("I've cancelled your order as well.", "R1").passed


class TestClaimedChange:
    @pytest.mark.parametrize(
        "text",
        [
            "I have now updated your address.",
            "Good news, I’ve successfully refunded it!",
            "I have gone ahead and cancelled the trip.",
        ],
    )
    def test_hears_a_claim(self, text: str) -> None:
        assert claimed_change(text)

    @pytest.mark.parametrize(
        "text",
        [
            "Once I have cancelled it, you get an email.",
            "I have not cancelled anything.",
            "Your order was cancelled last week.",
            "I have looked everything up.",
            "Only after I've changed the address can it be sent.",
        ],
    )
    def test_hears_none_in_what_is_yet_to_come_or_not_the_agents(
        self, text: str
    ) -> None:
        assert not claimed_change(text)


class TestCheckLookups:
    def verdict(self, call: ToolCall) -> Check:
        result = small_shop().session().call(call)

        def insert(messages: list[Message]) -> Sequence[Message]:
            extra = called(call, 99, result.content, result.error)
            return [*messages[:-2], *extra, *messages[-2:]]

        return check("lookups", judged(edited(talk("R1"), insert), "R1"))

    def test_fails_for_an_id_that_nobody_gave(self) -> None:
        found = self.verdict(
            ToolCall(name="get_order_details", arguments={"order_id": "#W0000001"})
        )
        assert not found.passed
        assert "Nobody gave #W0000001" in found.finding

    def test_passes_reads_that_nobody_needed(self) -> None:
        read = task_of("R1").certificate[-1].call
        assert self.verdict(read).passed
        assert self.verdict(ToolCall(name="list_all_product_types")).passed


class TestSquashed:
    def test_makes_what_is_spelled_out_comparable(self) -> None:
        assert squashed("# W 12-34") == squashed("#w1234")
        assert squashed("sofia_kim_7287") == squashed("Sofia Kim 7287")
