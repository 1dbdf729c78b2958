import random
import time
from collections.abc import Sequence
from typing import Any

import pytest

from environments.core.tools import ToolCall, ToolKind
from tests.engine.talks import (
    called,
    calls_of,
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
from writ_app.engine.types import Ending, Message, Owner, Trajectory
from writ_app.engine.verification import CHECKS, VERSION, read_task, verify
from writ_app.engine.verification.provenance import Traced, trace_arguments
from writ_app.engine.verification.sources import Sources, policy_constants
from writ_app.engine.verification.trace import says_no


def is_write(message: Message) -> bool:
    return any(small_shop().is_write(made.name) for made in message.tool_calls)


def write_place(trajectory: Trajectory) -> int:
    return first(trajectory.messages, is_write)


def without_calls(trajectory: Trajectory, key: str) -> Trajectory:
    """The conversation as if a read had never been made."""

    def cut(messages: list[Message]) -> Sequence[Message]:
        n = first(
            messages, lambda m: any(made.call.key == key for made in m.tool_calls)
        )
        return [*messages[:n], *messages[n + 2 :]]

    return edited(trajectory, cut)


def finding(
    name: str, trajectory: Trajectory, archetype: str = "R1", plan: str = "upfront"
) -> str:
    failed = check(name, judged(trajectory, archetype, plan))
    assert not failed.passed
    return failed.finding


def spoil(messages: list[Message], rng: random.Random, odd: list[Any]) -> None:
    """Drop, repeat or move a message, or put something odd into a call or a text."""
    n = rng.randrange(len(messages))
    act = rng.randrange(5)
    if act == 0:
        messages.pop(n)
    elif act == 1:
        messages.insert(rng.randrange(len(messages)), messages[n])
    elif act == 2:
        messages[n] = said(
            rng.choice(["user", "assistant"]), rng.choice(["", "no", "[{"])
        )
    else:
        places = [n for n, message in enumerate(messages) if message.tool_calls]
        n = rng.choice(places or [0])
        calls = [
            made.model_copy(
                update={
                    "arguments": {
                        rng.choice([name, "x"]): rng.choice([*odd, value])
                        for name, value in made.arguments.items()
                    }
                }
            )
            for made in messages[n].tool_calls
        ]
        messages[n] = messages[n].model_copy(update={"tool_calls": tuple(calls)})
    messages[:] = messages or [said("user", "")]


class TestVerify:
    def test_accepts_a_good_conversation(self) -> None:
        verification = judged(talk("W1"), "W1")
        assert verification.accepted
        assert verification.reason == ""
        assert verification.version == VERSION
        assert None not in verification.coverage

    def test_gives_every_check_a_name_of_its_own_and_a_finding(self) -> None:
        verification = judged(talk("R1"), "R1")
        names = [check.name for check in verification.checks]
        assert len(set(names)) == len(names) == len(CHECKS)
        assert all(check.finding.endswith(".") for check in verification.checks)

    def test_says_of_checks_that_do_not_apply_that_they_do_not(self) -> None:
        assert "Does not apply" in check("refusal", judged(talk("R1"), "R1")).finding
        for name in ("confirmation", "provenance"):
            found = check(name, judged(talk("N1"), "N1"))
            assert found.passed
            assert "Does not apply" in found.finding

    def test_takes_the_reason_from_the_first_check_that_failed(self) -> None:
        assert judged(talk("W1", "upfront", "early_stop"), "W1").reason == "user"
        assert judged(talk("R1", "upfront", "missing_read"), "R1").reason == "evidence"
        assert (
            judged(talk("N1", "upfront", "forbidden_write"), "N1").reason == "refusal"
        )

    def test_reads_back_from_its_own_json(self) -> None:
        verification = judged(talk("W1"), "W1")
        again = type(verification).model_validate_json(verification.model_dump_json())
        assert again == verification

    def test_reports_repeated_and_needless_reads_without_punishing_them(self) -> None:
        def look_again(messages: list[Message]) -> Sequence[Message]:
            n = first(messages, is_write)
            call = task_of("R1").certificate[1].call
            result = small_shop().session().call(call)
            return [*messages[:n], *called(call, 1, result.content), *messages[n:]]

        trajectory = edited(talk("R1"), look_again)
        verification = judged(trajectory, "R1")
        assert verification.accepted
        looked_around = judged(talk("R1"), "R1").superfluous
        assert verification.superfluous == (
            *looked_around,
            write_place(trajectory) - 2,
        )

    @pytest.mark.parametrize("archetype", ["R1", "W1", "N1"])
    def test_needs_no_witnesses_of_a_stored_task(self, archetype: str) -> None:
        task = task_of(archetype)

        read = read_task(task.model_dump_json())

        assert judged(talk(archetype), archetype, task=read) == judged(
            talk(archetype), archetype
        )
        assert [one.call for one in read.certificate] == [
            one.call for one in task.certificate
        ]
        assert {one.witness for one in read.certificate} == {None}

    def test_judges_whatever_it_is_given_without_failing(self) -> None:
        odd = [None, 3, [], {}, "", ["#W1"], {"a": [None]}, "#W0000000", True]
        rng = random.Random(4)
        for round_ in range(150):
            archetype = rng.choice(["R1", "R2", "W1", "W3", "N1"])
            messages = list(talk(archetype).messages)
            for _ in range(rng.randrange(1, 4)):
                spoil(messages, rng, odd)
            trajectory = edited(talk(archetype), lambda m, new=messages: new)
            verification = judged(trajectory, archetype)
            assert len(verification.checks) == len(CHECKS), round_

    def test_judges_hundreds_of_conversations_a_second(self) -> None:
        trajectory, task, ledger = talk("W1"), task_of("W1"), ledger_of("W1")
        started = time.process_time()
        for _ in range(50):
            verify(
                environment=small_shop(),
                task=task,
                trajectory=trajectory,
                ledger=ledger,
            )
        assert time.process_time() - started < 1.0


class TestCheckEnded:
    def test_fails_with_the_owner_of_the_ending(self) -> None:
        cut = talk("R1").model_copy(
            update={
                "ended_by": Ending.PROVIDER_ERROR,
                "owner": Owner.PROVIDER,
                "note": "429",
            }
        )
        failed = check("ended", judged(cut, "R1"))
        assert not failed.passed
        assert failed.owner is Owner.PROVIDER
        assert "429" in failed.finding

    def test_fails_if_the_last_message_is_no_stop(self) -> None:
        cut = edited(talk("R1"), lambda messages: messages[:-1])
        assert "does not end" in finding("ended", cut)

    def test_fails_without_any_message(self) -> None:
        assert not check("ended", judged(edited(talk("R1"), lambda m: []), "R1")).passed


class TestCheckUser:
    def test_fails_for_a_user_who_says_too_much(self) -> None:
        trajectory = talk("R1", "upfront", "invented_fact")
        assert "could not know" in finding("user", trajectory)

    def test_passes_a_user_who_corrects_a_mistake(self) -> None:
        assert check("user", judged(talk("W1", "corrected"), "W1", "corrected")).passed


class TestCheckCalls:
    @pytest.mark.parametrize(
        ("call", "text"),
        [
            (ToolCall(name="fly"), "There is no tool fly."),
            (ToolCall(name="calculate"), "calculate lacks expression."),
            (
                ToolCall(name="calculate", arguments={"expression": "1", "x": 1}),
                "has no x",
            ),
        ],
    )
    def test_fails_for_calls_that_fit_no_tool(self, call: ToolCall, text: str) -> None:
        result = small_shop().session().call(call)

        def insert(messages: list[Message]) -> Sequence[Message]:
            return [
                *messages[:2],
                *called(call, 1, result.content, True),
                *messages[2:],
            ]

        assert text in finding("calls", edited(talk("R1"), insert))


class TestCheckOneCall:
    def test_fails_for_two_calls_and_for_text_beside_one(self) -> None:
        assert "Several" in finding("one_call", talk("R1", "upfront", "parallel_calls"))
        assert "beside" in finding(
            "one_call", talk("R1", "upfront", "text_beside_call")
        )


class TestCheckReplay:
    def test_fails_if_a_result_was_touched(self) -> None:
        def touch(messages: list[Message]) -> Sequence[Message]:
            n = first(messages, lambda m: m.role == "tool")
            messages[n] = messages[n].model_copy(update={"content": "someone_else_1"})
            return messages

        failed = check("replay", judged(edited(talk("R1"), touch), "R1"))
        assert not failed.passed
        assert failed.owner is Owner.ENVIRONMENT
        assert failed.where == (2,)

    def test_fails_if_a_result_is_missing(self) -> None:
        cut = edited(talk("R1"), lambda m: [x for x in m if x.role != "tool"])
        assert not check("replay", judged(cut, "R1")).passed


class TestCheckRefusal:
    def test_passes_a_refusal_without_an_attempt(self) -> None:
        for archetype in ("N1", "N2"):
            assert check("refusal", judged(talk(archetype), archetype)).passed

    def test_fails_for_an_attempt_that_the_tool_refused(self) -> None:
        text = finding("refusal", talk("N1", "upfront", "forbidden_write"), "N1")
        assert "cancel_pending_order was called" in text

    def test_fails_if_the_agent_never_says_no(self) -> None:
        def agree(messages: list[Message]) -> Sequence[Message]:
            return [*messages[:-2], said("assistant", "All done!"), messages[-1]]

        assert "never said no" in finding("refusal", edited(talk("N1"), agree), "N1")


class TestSaysNo:
    @pytest.mark.parametrize(
        "text",
        [
            "I'm sorry, but no.",
            "That is not possible.",
            "I can’t do that.",
            "Unfortunately, no.",
        ],
    )
    def test_hears_a_refusal(self, text: str) -> None:
        assert says_no(text)

    def test_hears_none_in_other_texts(self) -> None:
        assert not says_no("Order #W1 is cancelled. Anything else?")


class TestCheckWrites:
    def test_says_which_argument_is_wrong(self) -> None:
        text = finding("writes", talk("R1", "upfront", "wrong_argument"))
        assert "/new_item_ids/0 is" in text
        assert "instead of" in text

    def test_says_what_was_too_much_and_what_was_left_out(self) -> None:
        extra = finding("writes", talk("W2", "upfront", "extra_write"), "W2")
        assert "modify_user_address was not asked for." in extra
        assert "was not made" in finding(
            "writes", talk("R1", "upfront", "wrongly_refused")
        )

    def test_mentions_attempts_that_failed(self) -> None:
        verification = judged(talk("R1", "upfront", "ungrounded_argument"), "R1")
        found = check("writes", verification)
        assert found.passed
        assert "1 more were refused by the tool" in found.finding

    def test_takes_pairs_of_an_exchange_in_any_order(self) -> None:
        gold = task_of("R2").gold[0].call
        turned = {
            name: list(reversed(value)) if isinstance(value, list) else value
            for name, value in gold.arguments.items()
        }

        def turn(messages: list[Message]) -> Sequence[Message]:
            n = first(messages, is_write)
            call = ToolCall(name=gold.name, arguments=turned)
            content = messages[n + 1].content
            return [*messages[:n], *called(call, 1, content), *messages[n + 2 :]]

        verification = judged(edited(talk("R2"), turn), "R2")
        assert turned != gold.arguments
        assert verification.accepted

    def test_wants_dependent_writes_in_order(self) -> None:
        task = task_of("W1").model_copy(
            update={"dependent": True, "gold": tuple(reversed(task_of("W1").gold))}
        )
        failed = check("writes", judged(talk("W1"), "W1", task=task))
        assert not failed.passed
        assert "another order" in failed.finding


class TestCheckFinalState:
    def test_says_what_was_changed(self) -> None:
        text = finding("final_state", talk("R1", "upfront", "wrong_argument"))
        assert "orders #W" in text

    def test_fails_if_nothing_was_changed(self) -> None:
        text = finding("final_state", talk("R1", "upfront", "wrongly_refused"))
        assert "nothing was changed" in text


class TestCheckEvidence:
    @pytest.mark.parametrize("archetype", ["R1", "R2", "R5", "W1"])
    def test_rejects_a_guess_for_want_of_any_single_read(self, archetype: str) -> None:
        for n, read in enumerate(task_of(archetype).certificate):
            guess = without_calls(talk(archetype), read.call.key)
            verification = judged(guess, archetype)
            failed = check("evidence", verification)
            assert not failed.passed
            assert read.call.key in failed.finding
            assert verification.coverage[n] is None
            assert check("final_state", verification).passed

    def test_rejects_a_read_that_came_too_late(self) -> None:
        trajectory = talk("R1", "upfront", "late_read")
        late = calls_of(trajectory)[-1].key
        assert late in finding("evidence", trajectory)

    def test_credits_a_read_that_tells_the_same(self) -> None:
        read = task_of("R1").certificate[0]
        [other] = read.equivalents

        def swap(messages: list[Message]) -> Sequence[Message]:
            content = messages[3].content
            return [*messages[:2], *called(other, 1, content), *messages[4:]]

        verification = judged(edited(talk("R1"), swap), "R1")
        assert check("evidence", verification).passed
        assert verification.coverage[0] == 2

    def test_does_not_credit_a_read_that_failed(self) -> None:
        verification = judged(talk("R1", "corrected"), "R1", "corrected")
        assert check("evidence", verification).passed
        messages = talk("R1", "corrected").messages
        failed = [n for n, m in enumerate(messages) if m.error]
        assert all(n - 1 not in verification.coverage for n in failed)

    def test_wants_the_reads_before_a_refusal_too(self) -> None:
        read = task_of("N1").certificate[-1].call.key
        text = finding("evidence", without_calls(talk("N1"), read), "N1")
        assert "before the refusal" in text
        assert read in text


class TestCheckConfirmation:
    def test_fails_for_a_write_that_nobody_confirmed(self) -> None:
        trajectory = talk("R1", "upfront", "no_confirmation")
        assert "exchange_delivered_order_items" in finding("confirmation", trajectory)

    def test_fails_if_the_answer_was_no_yes(self) -> None:
        def doubt(messages: list[Message]) -> Sequence[Message]:
            n = first(messages, is_write)
            return [*messages[: n - 1], said("user", "Hm, wait."), *messages[n:]]

        assert not check("confirmation", judged(edited(talk("R1"), doubt), "R1")).passed

    def test_fails_if_the_listing_left_an_id_out(self) -> None:
        order = task_of("R1").gold[0].call.arguments["order_id"]

        def shorten(messages: list[Message]) -> Sequence[Message]:
            n = first(messages, is_write)
            text = messages[n - 2].content.replace(order, "your order")
            return [*messages[: n - 2], said("assistant", text), *messages[n - 1 :]]

        assert not check(
            "confirmation", judged(edited(talk("R1"), shorten), "R1")
        ).passed

    def test_takes_options_and_kinds_for_ids_of_items_and_methods(self) -> None:
        arguments = task_of("R1").gold[0].call.arguments
        ids = [
            *arguments["item_ids"],
            *arguments["new_item_ids"],
            arguments["payment_method_id"],
        ]

        def speak(messages: list[Message]) -> Sequence[Message]:
            n = first(messages, is_write)
            text = messages[n - 2].content
            for value in ids:
                text = text.replace(value, "")
            return [*messages[: n - 2], said("assistant", text), *messages[n - 1 :]]

        assert check("confirmation", judged(edited(talk("R1"), speak), "R1")).passed

    def test_lets_one_yes_cover_a_list(self) -> None:
        def list_all(messages: list[Message]) -> Sequence[Message]:
            asked = [
                m
                for n, m in enumerate(messages)
                if m.role == "assistant" and "yes" in m.content.lower()
            ]
            start = first(messages, is_write)
            kept = [m for m in messages[start:-1] if m.tool_calls or m.role == "tool"]
            text = " ".join(m.content for m in asked)
            yes = said("user", "Yes to all of it.")
            return [
                *messages[: start - 2],
                said("assistant", text),
                yes,
                *kept,
                messages[-2],
                messages[-1],
            ]

        assert check("confirmation", judged(edited(talk("W1"), list_all), "W1")).passed


class TestCheckProvenance:
    def test_traces_every_argument_to_where_it_stands(self) -> None:
        trajectory = talk("R1")
        for part in judged(trajectory, "R1").provenance:
            assert part.kind == "exact"
            assert part.source is not None
            assert part.source < part.message
            assert str(part.value) in trajectory.messages[part.source].content

    def test_traces_what_the_user_said_and_what_the_policy_names(self) -> None:
        parts = {
            p.pointer: p
            for p in judged(talk("W1"), "W1").provenance
            if p.write == 0 and p.side == "actual"
        }
        assert parts["/address1"].kind == "said"
        assert parts["/address1"].source == 1
        # what the user wants is the user's to say, though the policy names the values and says how the user's words are meant
        trajectory = talk("R6")
        (reason,) = (
            part
            for part in judged(trajectory, "R6").provenance
            if part.pointer == "/reason" and part.side == "actual"
        )
        assert reason.kind == "normalised"
        assert trajectory.messages[reason.source].role == "user"

    @pytest.mark.parametrize(
        ("told", "kind"),
        [
            ("Make it three days longer.", "said"),
            ("Make it 3 days longer.", "said"),
            ("Make it thirteen days longer.", "not_found"),
            ("Make it longer.", "not_found"),
        ],
    )
    def test_takes_numbers_in_words(self, told: str, kind: str) -> None:
        write = ToolCall(name="extend_booking", arguments={"extra_days": 3})
        sources = Sources(small_shop(), shown=[], user=[(1, told)], agent=[])
        (part,) = trace_arguments(sources, [Traced(2, write)])
        assert part.kind == kind

    def test_fails_for_an_id_that_nobody_showed(self) -> None:
        trajectory = talk("R1", "upfront", "ungrounded_argument")
        assert "/new_item_ids/0" in finding("provenance", trajectory)

    def test_does_not_take_the_users_echo_for_a_source(self) -> None:
        write = write_place(talk("R1"))
        value = task_of("R1").gold[0].call.arguments["new_item_ids"][0]
        product = task_of("R1").certificate[-1].call.key
        guess = without_calls(talk("R1"), product)

        def echo(messages: list[Message]) -> Sequence[Message]:
            n = write - 2
            return [*messages[: n - 1], said("user", f"Yes, {value}."), *messages[n:]]

        lost = [
            p.pointer
            for p in judged(edited(guess, echo), "R1").provenance
            if p.kind == "not_found" and p.side == "actual"
        ]
        assert lost == ["/new_item_ids/0"]

    def test_looks_at_earlier_messages_only(self) -> None:
        trajectory = talk("R1", "upfront", "late_read")
        parts = judged(trajectory, "R1").provenance
        assert any(p.kind == "not_found" for p in parts)

    def test_does_not_take_a_common_word_for_a_short_value(self) -> None:
        task = task_of("W1", 3)
        assert task.facts["state"]
        verification = judged(talk("W1", "incremental", "", 3), "W1", "incremental", 3)
        assert verification.accepted


class TestPolicyConstants:
    def test_are_quoted_values_and_never_examples(self) -> None:
        constants = policy_constants(small_shop())
        assert {"no longer needed", "ordered by mistake", "pending"} <= constants
        assert not {"CA", "12345", "#W0000000"} & constants


class TestCheckPolicy:
    def test_cites_the_clause(self) -> None:
        read = next(
            r.call
            for r in task_of("W2").certificate
            if r.call.name == "get_order_details"
        )
        text = finding("policy", without_calls(talk("W2"), read.key), "W2")
        assert "Policy 3.5" in text

    def test_passes_conversations_that_keep_to_it(self) -> None:
        assert check("policy", judged(talk("W1"), "W1")).passed


class TestTrace:
    def test_calls_of_tools_that_do_not_exist_have_no_kind(self) -> None:
        assert small_shop().tools["calculate"].kind is ToolKind.GENERIC
        verification = judged(talk("R1", "upfront", "malformed_call", 2), "R1", seed=2)
        assert not verification.accepted


class TestLongTexts:
    @pytest.mark.parametrize(
        "text", ["a" * 300_000, "a.b_c-1@" * 40_000, "#a1_" * 75_000, "$1,2" * 75_000]
    )
    def test_are_judged_without_crawling(self, text: str) -> None:
        """A model may answer with anything; the suite's time limit is what a hang would meet."""
        trajectory = talk("R1", "upfront")
        messages = list(trajectory.messages)
        messages[1] = messages[1].model_copy(
            update={"content": messages[1].content + " " + text}
        )
        odd = trajectory.model_copy(update={"messages": tuple(messages)})

        assert judged(odd, "R1").checks
