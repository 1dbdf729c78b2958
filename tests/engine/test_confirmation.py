"""A write needs a yes to just that, and the user is only blamed for what they had occasion to do."""

from collections.abc import Sequence

import pytest

from tests.engine.talks import (
    check,
    edited,
    first,
    judged,
    ledger_of,
    said,
    small_shop,
    talk,
    task_of,
)
from writ_app.engine.behaviour.listing import listing
from writ_app.engine.types import Check, Ending, Message, Owner


def question(messages: Sequence[Message]) -> int:
    return first(messages, lambda m: m.role == "assistant" and "yes" in m.content)


def answered(*texts: tuple[str, str]) -> Check:
    """The verdict if these messages, (role, text), come between the question and the write."""

    def replace(messages: list[Message]) -> Sequence[Message]:
        n = question(messages)
        between = [said(role, text) for role, text in texts]
        return [*messages[: n + 1], *between, *messages[n + 2 :]]

    return check("confirmation", judged(edited(talk("R1"), replace), "R1"))


class TestCheckConfirmation:
    def test_takes_a_yes_to_the_question_when_it_is_asked_once_more(self) -> None:
        assert answered(
            ("user", "Hm, what does the difference come to?"),
            ("assistant", "It is what I said. Shall I go ahead (yes/no)?"),
            ("user", "Yes, please."),
        ).passed

    @pytest.mark.parametrize(
        "texts",
        [
            [("user", "No, not yet.")],
            [("user", "I read that twice, and of course the phone rang.")],
            [
                ("user", "Yes."),
                ("assistant", "One moment."),
                ("user", "Wait, don't do that."),
            ],
            [
                ("user", "No."),
                ("assistant", "Shall I send a voucher (yes/no)?"),
                ("user", "Yes."),
            ],
            [
                ("user", "Hm."),
                ("assistant", "Shall I cancel #W7654321 (yes/no)?"),
                ("user", "Yes."),
            ],
        ],
    )
    def test_fails_without_a_yes_to_just_that(
        self, texts: list[tuple[str, str]]
    ) -> None:
        assert not answered(*texts).passed


class TestListing:
    def test_wants_every_id_and_something_beside_the_payment(self) -> None:
        call = task_of("R1").gold[0].call
        needed = listing(small_shop(), call)
        told = small_shop().domain.words.describe_write(
            call, small_shop().session().state
        )
        assert needed.in_text(told)
        assert not needed.in_text("How would you like to pay, by credit card?")
        assert not needed.in_text(told.replace(call.arguments["order_id"], "the order"))


class TestCheckUser:
    def verdict(self, messages: Sequence[Message], **changes: object) -> Check:
        trajectory = talk("W1", "incremental").model_copy(
            update={"messages": tuple(messages), **changes}
        )
        return check("user", judged(trajectory, "W1", "incremental"))

    def test_blames_nobody_for_what_was_never_asked(self) -> None:
        opening = talk("W1", "incremental").messages[:2]
        end = [said("assistant", "That is done."), said("user", "Thanks. ###STOP###")]
        assert self.verdict([*opening, *end]).passed

    def test_blames_the_user_who_was_asked_and_left(self) -> None:
        opening = talk("W1", "incremental").messages[:2]
        end = [
            said("assistant", "What is your email, and what should be changed?"),
            said("user", "Never mind. ###STOP###"),
        ]
        found = self.verdict([*opening, *end])
        assert not found.passed
        assert found.owner is Owner.USER

    def test_blames_nobody_for_what_a_broken_off_conversation_left_unsaid(self) -> None:
        opening = talk("W1", "incremental").messages[:3]
        assert self.verdict(
            opening, ended_by=Ending.PROVIDER_ERROR, owner=Owner.PROVIDER
        ).passed

    def test_fails_for_names_of_tools_and_for_a_stop_before_any_answer(self) -> None:
        messages = list(talk("R1").messages)
        messages[1] = said("user", f"{messages[1].content} Use get_order_details.")
        found = check("user", judged(edited(talk("R1"), lambda _: messages), "R1"))
        assert "get_order_details" in found.finding
        stopped = [*talk("R1").messages[:1], said("user", "Bye. ###STOP###")]
        found = check("user", judged(edited(talk("R1"), lambda _: stopped), "R1"))
        assert "before the agent could do anything" in found.finding


class TestCheckRefusal:
    def test_fails_if_another_rule_is_cited(self) -> None:
        def cite(messages: list[Message]) -> Sequence[Message]:
            text = "I'm sorry, but I can't do that because of rule 7.3."
            return [*messages[:-2], said("assistant", text), messages[-1]]

        found = check("refusal", judged(edited(talk("N1"), cite), "N1"))
        assert not found.passed
        assert "7.3" in found.finding

    def test_hears_no_refusal_in_an_apology_before_anything_was_found(self) -> None:
        def sorry(messages: list[Message]) -> Sequence[Message]:
            apology = [said("assistant", "Sorry, but nothing was found."), messages[1]]
            done = said("assistant", "That is arranged. Anything else?")
            return [*messages[:2], *apology, *messages[2:-2], done, messages[-1]]

        found = check("refusal", judged(edited(talk("N1"), sorry), "N1"))
        assert "never said no" in found.finding


class TestCheckPhases:
    def test_does_not_apply_to_a_single_wish(self) -> None:
        assert ledger_of("R1").first is None
        found = check("phases", judged(talk("R1"), "R1"))
        assert found.passed
        assert "Does not apply" in found.finding
