import random

import pytest

from tests.engine.talks import edited, ledger_of, said, small_shop, talk, task_of
from writ_app.engine.behaviour import (
    PLANS,
    STOP,
    UserAudit,
    asks_confirmation,
    audit_user,
    instructions,
    make_ledger,
    mentions,
    says_yes,
)
from writ_app.engine.types import Ledger, LedgerLine, Message

GREETING = said("assistant", "Hi! How can I help you today?")
EMAIL = LedgerLine(
    name="email",
    kind="identity",
    text="My email is mia@example.com.",
    tells={"email": "mia@example.com"},
)
WISH = LedgerLine(
    name="wish",
    kind="request",
    text="Please cancel the order with the Desk Lamp.",
    tells={"product": "Desk Lamp"},
)
ASKED = EMAIL.model_copy(update={"release": "asked"})
CORRECTED = EMAIL.model_copy(
    update={
        "release": "after_agent_repeats",
        "text": "Sorry, that was a typo. My email is mia@example.com.",
        "wrong_text": "My email is miaa@example.com.",
        "wrong_tells": {"email": "miaa@example.com"},
    }
)


def audit(*lines: LedgerLine, talk: list[tuple[str, str]]) -> UserAudit:
    messages = [GREETING, *(said(role, text) for role, text in talk)]
    return audit_user(Ledger(plan="upfront", lines=lines), messages)


def kinds(result: UserAudit) -> list[str]:
    return [finding.kind for finding in result.findings]


class TestMakeLedger:
    def test_says_everything_at_once_when_upfront(self) -> None:
        ledger = ledger_of("W1", "upfront")
        assert {line.release for line in ledger.lines} == {"opening"}
        requests = [line.text for line in ledger.lines if line.kind == "request"]
        assert requests == [clause.text for clause in task_of("W1").clauses]

    def test_opens_only_with_what_it_is_about_when_incremental(self) -> None:
        ledger = ledger_of("W1", "incremental")
        opening = [line.name for line in ledger.lines if line.release == "opening"]
        assert opening == ["wish"]

    def test_has_one_wrong_value_when_corrected(self) -> None:
        for seed in range(4):
            ledger = ledger_of("W1", "corrected", seed)
            [line] = [line for line in ledger.lines if line.wrong_tells]
            wrong = [n for n, v in line.tells.items() if line.wrong_tells[n] != v]
            assert len(wrong) == 1
            assert str(line.wrong_tells[wrong[0]]) in line.wrong_text
            assert str(line.tells[wrong[0]]) in line.text

    def test_makes_mistakes_in_identity_and_in_requests(self) -> None:
        task = task_of("W1")
        lines = [
            line.kind
            for n in range(30)
            for line in make_ledger(task, PLANS["corrected"], random.Random(n)).lines
            if line.wrong_text
        ]
        assert {"identity", "request"} == set(lines)

    def test_gives_the_same_ledger_for_the_same_seed(self) -> None:
        ledgers = [
            make_ledger(task_of("R1"), PLANS["corrected"], random.Random(5))
            for _ in range(2)
        ]
        assert ledgers[0] == ledgers[1]

    def test_says_who_the_user_is_in_many_ways(self) -> None:
        ways = {
            make_ledger(task_of("R1"), PLANS["upfront"], random.Random(n)).lines[0].text
            for n in range(40)
        }
        assert len(ways) >= 6


class TestInstructions:
    def test_tells_known_facts_and_when_to_tell_them(self) -> None:
        task, ledger = task_of("R1"), ledger_of("R1", "incremental")
        text = instructions(task, ledger)
        assert text.startswith("Instructions:\n\tDomain: retail\n\tReason for call:")
        for line in ledger.lines:
            assert line.text in text
        assert text.count("Only when asked:") == len(ledger.lines) - 1

    def test_tells_the_wrong_detail_and_its_correction(self) -> None:
        ledger = ledger_of("R1", "corrected")
        text = instructions(task_of("R1"), ledger)
        wrong = next(line for line in ledger.lines if line.wrong_text)
        assert f'First say: "{wrong.wrong_text}"' in text
        assert f'say: "{wrong.text}"' in text

    def test_does_not_give_the_answer_away(self) -> None:
        task = task_of("R1")
        text = instructions(task, ledger_of("R1"))
        for write in task.gold:
            assert write.call.arguments["new_item_ids"][0] not in text


class TestSaysYes:
    @pytest.mark.parametrize(
        "text",
        ["Yes.", "Sure, go ahead", "yep that works", "Okay, please do.", "I confirm."],
    )
    def test_takes_many_ways_for_a_yes(self, text: str) -> None:
        assert says_yes(text)

    @pytest.mark.parametrize(
        "text",
        [
            "No.",
            "Wait, not yet",
            "Don't do that, sure?",
            "Hm.",
            "What does it cost?",
            "Please do not proceed",
        ],
    )
    def test_takes_nothing_else_for_one(self, text: str) -> None:
        assert not says_yes(text)


class TestAsksConfirmation:
    def test_tells_a_question_for_a_yes_from_other_questions(self) -> None:
        assert asks_confirmation("I will cancel #W1. Shall I go ahead (yes/no)?")
        assert not asks_confirmation("What is your email?")


class TestMentions:
    def test_finds_whole_values_whatever_their_case_and_spacing(self) -> None:
        assert mentions("my Gift Card please", "gift_card")
        assert not mentions("order #W1234567", "#W123456")
        assert mentions("a and b", ["a", "b"])


class TestAuditUser:
    def test_passes_a_user_who_told_everything(self) -> None:
        result = audit(
            EMAIL,
            WISH,
            talk=[
                ("user", f"{EMAIL.text} {WISH.text}"),
                ("assistant", "Done. Anything else?"),
                ("user", f"No. {STOP}"),
            ],
        )
        assert kinds(result) == []
        assert result.dimensions["disclosure"] == "upfront"

    def test_passes_a_user_with_words_of_their_own(self) -> None:
        result = audit(
            EMAIL,
            WISH,
            talk=[
                (
                    "user",
                    "hey, i'd like to cancel my order, the one with the desk lamp",
                ),
                ("assistant", "What is your email?"),
                ("user", "mia@example.com"),
                ("assistant", "Done."),
                ("user", STOP),
            ],
        )
        assert kinds(result) == []
        assert result.dimensions["disclosure"] == "asked"

    def test_hears_a_reason_in_other_words_but_not_in_the_words_of_other_lines(
        self,
    ) -> None:
        for reason, good, bad in (
            ("no longer needed", "I don't need it anymore", "it is too long"),
            ("ordered by mistake", "that was a mistake", "one of my orders"),
        ):
            line = LedgerLine(
                name="reason",
                kind="request",
                text=f"The reason: {reason}.",
                tells={"reason": reason},
            )
            for text, expected in ((good, []), (bad, ["missing"])):
                talk = [("user", f"{EMAIL.text} {WISH.text} {text} {STOP}")]
                order = WISH.model_copy(
                    update={"text": WISH.text + " It is a long order."}
                )
                assert kinds(audit(EMAIL, order, line, talk=talk)) == expected

    def test_reports_what_was_never_said(self) -> None:
        result = audit(EMAIL, WISH, talk=[("user", f"{EMAIL.text} {STOP}")])
        assert kinds(result) == ["missing"]
        assert "Desk Lamp" in result.findings[0].text

    @pytest.mark.parametrize(
        "text",
        [
            "My order is #W1234567.",
            "Use credit_card_1234567.",
            "It cost $12.50.",
            "Call 555123456.",
        ],
    )
    def test_reports_values_that_the_user_could_not_know(self, text: str) -> None:
        result = audit(
            EMAIL, WISH, talk=[("user", f"{EMAIL.text} {WISH.text} {text} {STOP}")]
        )
        assert kinds(result) == ["invented"]
        assert result.findings[0].where == (1,)

    def test_lets_the_user_repeat_what_the_agent_said(self) -> None:
        result = audit(
            EMAIL,
            WISH,
            talk=[
                ("user", f"{EMAIL.text} {WISH.text}"),
                ("assistant", "Is it order #W1234567 for $1,012.50?"),
                ("user", "Yes, #W1234567 for $1012.50."),
                ("assistant", "Done."),
                ("user", STOP),
            ],
        )
        assert kinds(result) == []

    def test_reports_a_detail_said_before_it_was_asked_for(self) -> None:
        result = audit(ASKED, WISH, talk=[("user", f"{EMAIL.text} {WISH.text} {STOP}")])
        assert kinds(result) == ["leaked"]

    def test_accepts_a_detail_once_it_was_asked_for(self) -> None:
        result = audit(
            ASKED,
            WISH,
            talk=[
                ("user", WISH.text),
                ("assistant", "What is your email?"),
                ("user", f"{EMAIL.text} {STOP}"),
            ],
        )
        assert kinds(result) == []

    def test_wants_the_wrong_value_first_and_then_its_correction(self) -> None:
        result = audit(
            CORRECTED,
            WISH,
            talk=[
                ("user", f"{CORRECTED.wrong_text} {WISH.text}"),
                ("assistant", "I couldn't find an account with miaa@example.com."),
                ("user", CORRECTED.text),
                ("assistant", "Done."),
                ("user", STOP),
            ],
        )
        assert kinds(result) == []
        assert result.dimensions["correction"] == "wrong_id"

    def test_reports_a_wrong_value_that_was_never_said(self) -> None:
        result = audit(
            CORRECTED, WISH, talk=[("user", f"{EMAIL.text} {WISH.text} {STOP}")]
        )
        assert kinds(result) == ["uncorrected"]

    def test_reports_a_correction_that_came_unprompted(self) -> None:
        result = audit(
            CORRECTED,
            WISH,
            talk=[
                ("user", f"{CORRECTED.wrong_text} {WISH.text}"),
                ("assistant", "One moment."),
                ("user", f"{CORRECTED.text} {STOP}"),
            ],
        )
        assert kinds(result) == ["leaked"]

    def test_reports_a_stop_while_the_agent_waits_for_a_yes(self) -> None:
        result = audit(
            EMAIL,
            WISH,
            talk=[
                ("user", f"{EMAIL.text} {WISH.text}"),
                ("assistant", "I will cancel it. Do you confirm (yes/no)?"),
                ("user", f"Bye. {STOP}"),
            ],
        )
        assert kinds(result) == ["stop"]

    def test_reports_a_stop_that_was_not_the_end(self) -> None:
        result = audit(
            EMAIL,
            WISH,
            talk=[
                ("user", f"{EMAIL.text} {WISH.text} {STOP}"),
                ("assistant", "Done."),
                ("user", "Thanks."),
            ],
        )
        assert kinds(result) == ["stop"]

    @pytest.mark.parametrize("plan", list(PLANS))
    def test_realises_the_dimensions_that_the_plan_asks_for(self, plan: str) -> None:
        for archetype in ("R1", "W1", "N1"):
            trajectory = talk(archetype, plan)
            result = audit_user(ledger_of(archetype, plan), trajectory.messages)
            assert result.findings == ()
            assert result.dimensions == ledger_of(archetype, plan).behaviour

    def test_never_looks_at_what_only_the_agent_saw(self) -> None:
        trajectory = talk("R1")
        order = next(
            m for m in trajectory.messages if "#W" in m.content and m.role == "tool"
        )
        order_id = order.content[order.content.index("#W") :][:9]

        def tell(messages: list[Message]) -> list[Message]:
            messages[1] = said("user", f"{messages[1].content} It is {order_id}.")
            return messages

        result = audit_user(ledger_of("R1"), edited(trajectory, tell).messages)
        assert kinds(result) == ["invented"]
        assert small_shop().state.collections["orders"][order_id]
