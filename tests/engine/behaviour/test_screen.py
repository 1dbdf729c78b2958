import time

import pytest

from tests.engine.behaviour.played import ledger_for, named, play
from tests.engine.talks import said
from writ_app.engine.behaviour import STOP, audit_user, screen_turn
from writ_app.engine.types import Ledger, LedgerLine, Message

GREETING = said("assistant", "Hi! How can I help you today?")
EMAIL = LedgerLine(
    name="email",
    kind="identity",
    text="My email is mia@example.com.",
    tells={"email": "mia@example.com"},
    release="asked",
)
WISH = LedgerLine(
    name="wish",
    kind="request",
    text="Please cancel the order with the Desk Lamp.",
    tells={"product": "Desk Lamp"},
)
PAY = LedgerLine(
    name="pay",
    kind="request",
    text="The refund goes to my PayPal.",
    tells={"payment": "paypal"},
)
LEDGER = Ledger(
    plan="upfront",
    lines=(EMAIL, WISH, PAY),
    contrary={"payment": ("credit card", "gift card")},
    behaviour={"verbosity": "standard"},
)
ASKED = [GREETING, said("user", f"{WISH.text} {PAY.text}")]


def kinds(text: str, *before: Message, ledger: Ledger = LEDGER) -> list[str]:
    messages = before or (GREETING,)
    return [finding.kind for finding in screen_turn(ledger, messages, text)]


class TestScreenTurn:
    def test_passes_what_the_ledger_says(self) -> None:
        assert kinds(f"{WISH.text} {PAY.text}") == []
        asked = said("assistant", "What is your email?")
        assert kinds(EMAIL.text, *ASKED, asked) == []

    @pytest.mark.parametrize(
        ("text", "kind"),
        [
            (f"{WISH.text} {EMAIL.text}", "leaked"),
            ("It is order #W7654321.", "invented"),
            ("The refund goes to my credit card.", "contradicted"),
            ("Please call cancel_pending_order for me.", "tool"),
            ("I have cancelled your order. How can I help you?", "agent_voice"),
            ("You idiots, cancel it.", "abuse"),
            (f"{WISH.text} {STOP}", "stop"),
            ("word " * 400, "style"),
        ],
    )
    def test_finds_what_is_against_it(self, text: str, kind: str) -> None:
        assert kind in kinds(text)

    def test_lets_the_user_take_up_what_the_agent_said(self) -> None:
        offer = said("assistant", "Order #W7654321: to your credit card instead?")
        assert kinds("Not the credit card, for #W7654321.", *ASKED, offer) == []

    def test_forbids_to_stop_before_a_question_is_answered(self) -> None:
        everything = said("user", f"{WISH.text} {PAY.text} {EMAIL.text}")
        question = said("assistant", "I will cancel it. Shall I go ahead (yes/no)?")
        done = said("assistant", "It is cancelled. Anything else?")
        assert kinds(f"Bye. {STOP}", GREETING, everything, question) == ["stop"]
        assert kinds(f"Bye. {STOP}", GREETING, everything, done) == []

    def test_hears_values_that_are_spelled_out(self) -> None:
        text = "it is hash w seven six five four three two one"
        assert kinds(text) == ["invented"]

    def test_forbids_the_second_wish_before_its_time(self) -> None:
        ledger = ledger_for("W1", goal_shift="replace")
        second = next(
            x for x in ledger.lines if x.phase == "second" and "home" in x.name
        )
        assert "leaked" in kinds(second.text, ledger=ledger)

    @pytest.mark.parametrize(
        "piece", ["a@", "#", "_a", "1", "dot ", "one ", "Ä", "yes no ", "$1,", "\n"]
    )
    def test_is_quick_on_hostile_text(self, piece: str) -> None:
        text = piece * (200_000 // len(piece))
        started = time.process_time()
        screen_turn(LEDGER, [GREETING], text)
        audit_user(LEDGER, [GREETING, said("user", text)])
        assert time.process_time() - started < 2.0


class TestAuditOfTwoPhases:
    def test_wants_the_first_wish_to_be_given_up(self) -> None:
        ledger = ledger_for("R1", goal_shift="replace")
        first = " ".join(x.text for x in ledger.lines if x.phase != "second")
        who = next(x.text for x in ledger.lines if x.kind == "identity")
        talk = [GREETING, said("user", f"{who} {first} {STOP}")]
        without = ledger.model_copy(
            update={"lines": tuple(x for x in ledger.lines if x.kind != "shift")}
        )
        only_first = " ".join(x.text for x in without.lines if x.phase == "first")
        never = [GREETING, said("user", f"{who} {only_first} {STOP}")]

        assert "unshifted" not in [f.kind for f in audit_user(ledger, talk).findings]
        assert "unshifted" in [f.kind for f in audit_user(ledger, never).findings]

    @pytest.mark.parametrize("kind", ["replace", "threshold", "drop"])
    def test_finds_nothing_against_a_user_who_plays_it(self, kind: str) -> None:
        ledger = ledger_for("R1", goal_shift=kind)
        trajectory = play(named("R1"), ledger)
        audit = audit_user(ledger, trajectory.messages)
        assert audit.findings == ()
        assert audit.dimensions["goal_shift"] == kind

    def test_announces_the_shift_before_any_write(self) -> None:
        ledger = ledger_for("R1", goal_shift="replace")
        messages = play(named("R1"), ledger).messages
        [turn] = [x for x in ledger.lines if x.kind == "shift"]
        announced = next(
            n
            for n, m in enumerate(messages)
            if m.role == "user" and turn.spoken in m.content
        )
        writes = [
            n
            for n, m in enumerate(messages)
            for made in m.tool_calls
            if made.name.startswith(("exchange", "modify", "cancel", "return"))
        ]
        assert writes
        assert announced < min(writes)
