import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from environments.core.pointers import leaves
from tests.engine.talks import (
    check,
    edited,
    first,
    ledger_of,
    small_shop,
    talk,
    task_of,
)
from writ_app.engine.editing import (
    ADVICE,
    MAX_CHANGES,
    AddCall,
    AddMessage,
    BadEdit,
    Changes,
    Remove,
    SetArgument,
    SetResult,
    SetText,
    Validity,
    apply,
    drop,
    dump_changes,
    lay_out,
    put,
    read_changes,
    replay_results,
    revalidate,
)
from writ_app.engine.types import Message, Trajectory
from writ_app.engine.verification import CHECKS

GOOD = talk("R1")
NEW_ITEM = "/new_item_ids/0"


def is_write(message: Message) -> bool:
    return any(small_shop().is_write(made.name) for made in message.tool_calls)


WRITE = first(GOOD.messages, is_write)
CALL = GOOD.messages[WRITE].tool_calls[0]
LISTING = WRITE - 2
"""The agent's message that lists the write and asks for a yes."""


def looked_at(changes: Changes = (), trajectory: Trajectory = GOOD) -> Validity:
    return revalidate(small_shop(), task_of("R1"), ledger_of("R1"), trajectory, changes)


def made(*changes: object) -> Changes:
    found: Changes = ()
    for change in changes:
        found = put(GOOD, found, change)  # type: ignore[arg-type]
    return found


def new_item(value: object) -> SetArgument:
    return SetArgument(message=WRITE, call=CALL.id, pointer=NEW_ITEM, value=value)


def failed(validity: Validity) -> set[str]:
    return set(validity.advice)


def runner_up() -> str:
    table = task_of("R1").tables[0]
    other = next(line for line in table.lines if not line.why_not and not line.gold)
    return other.label.split(" · ")[0]


class TestChanges:
    def test_are_made_on_a_copy(self):
        text = "Hello there!"

        changed = apply(GOOD, made(SetText(message=0, text=text)))

        assert changed.messages[0].content == text
        assert changed.messages[1:] == GOOD.messages[1:]
        assert GOOD.messages[0].content != text

    def test_name_places_of_the_original_whatever_else_was_removed_or_added(self):
        changes = made(
            AddMessage(id="a", after=-1, role="assistant", text="One moment."),
            Remove(message=2),
            new_item("1"),
        )

        placed = lay_out(GOOD, changes)

        write = next(one for one in placed if one.origin == WRITE)
        assert write.message.tool_calls[0].arguments["new_item_ids"] == ["1"]
        assert placed[0].added == "a"
        assert {one.origin for one in placed} == {*range(len(GOOD.messages)), None} - {
            2,
            3,
        }

    def test_of_one_target_replace_each_other_and_are_taken_back_alone(self):
        changes = made(new_item("1"), SetText(message=0, text="Hi"), new_item("2"))

        assert [change.target for change in changes] == [
            new_item("").target,
            "text:0",
        ]
        left = drop(changes, "text:0")
        assert apply(GOOD, left).messages[0] == GOOD.messages[0]
        assert drop(left, new_item("").target) == ()

    def test_back_to_what_was_there_are_none(self):
        changes = made(new_item("1"), new_item(CALL.arguments["new_item_ids"][0]))

        assert changes == ()

    def test_of_a_whole_argument_replace_those_of_its_parts(self):
        whole = SetArgument(
            message=WRITE, call=CALL.id, pointer="/new_item_ids", value=["3", "4"]
        )

        assert made(new_item("1"), whole) == (whole,)
        later = made(whole, new_item("5"))
        arguments = apply(GOOD, later).messages[WRITE].tool_calls[0].arguments
        assert arguments["new_item_ids"] == ["5", "4"]

    def test_inside_of_what_is_removed_go_with_it(self):
        changes = made(new_item("1"), Remove(message=WRITE))

        assert [change.target for change in changes] == [f"remove:{WRITE}:"]

    def test_remove_a_call_with_its_answer_and_leave_what_is_said_beside_it(self):
        talkative = edited(
            GOOD,
            lambda messages: [
                m.model_copy(update={"content": "I look."}) if n == WRITE else m
                for n, m in enumerate(messages)
            ],
        )

        whole = apply(talkative, (Remove(message=WRITE),))
        call = apply(talkative, (Remove(message=WRITE, call=CALL.id),))

        assert len(whole.messages) == len(GOOD.messages) - 2
        assert call.messages[WRITE] == Message(role="assistant", content="I look.")
        assert len(call.messages) == len(GOOD.messages) - 1

    def test_never_put_anything_between_a_call_and_its_answer(self):
        changes = made(AddMessage(id="a", after=WRITE, role="assistant", text="So."))

        roles = [message.role for message in apply(GOOD, changes).messages]

        assert roles[WRITE : WRITE + 3] == ["assistant", "tool", "assistant"]

    def test_read_back_from_their_json(self):
        changes = made(
            new_item("1"),
            SetText(message=0, text="Hi"),
            SetResult(message=WRITE + 1, content="no", error=True),
            AddCall(id="n", after=1, name="calculate", arguments={"expression": "1"}),
            AddMessage(id="a", after=1, role="user", text="So."),
            Remove(message=2),
        )

        assert len(changes) == 6
        assert read_changes(dump_changes(changes)) == changes

    @pytest.mark.parametrize(
        ("change", "advice"),
        [
            (SetText(message=99, text="x"), "open the edit again"),
            (SetText(message=0, text=" "), "remove it instead"),
            (SetText(message=WRITE + 1, text="x"), "replay"),
            (SetResult(message=0, content="x"), "no result"),
            (Remove(message=WRITE + 1), "remove the call"),
            (Remove(message=WRITE, call="other"), "makes no call"),
            (new_item("1").model_copy(update={"call": "other"}), "makes no call"),
            (new_item("1").model_copy(update={"pointer": "/a/b"}), "whole argument"),
            (new_item("1").model_copy(update={"pointer": ""}), "say which"),
            (
                new_item("1").model_copy(update={"pointer": "/item_ids/9"}),
                "whole argument",
            ),
            (new_item("1").model_copy(update={"absent": True}), "whole argument"),
            (AddMessage(id="a", after=99, role="user", text="x"), "add something"),
            (AddMessage(id="a", after=0, role="user", text=""), "write what"),
            (AddCall(id=CALL.id, after=0, name="calculate"), "already"),
        ],
    )
    def test_that_cannot_be_made_say_what_to_do(self, change, advice):
        with pytest.raises(BadEdit, match=advice):
            put(GOOD, (), change)

    def test_of_what_was_removed_are_refused(self):
        with pytest.raises(BadEdit, match="bring it back"):
            made(Remove(message=0), SetText(message=0, text="x"))

    def test_have_an_end(self):
        many = tuple(
            AddMessage(id=str(n), after=0, role="user", text="x")
            for n in range(MAX_CHANGES)
        )

        with pytest.raises(BadEdit, match="save this one"):
            put(GOOD, many, SetText(message=0, text="one more"))

    @settings(max_examples=60, deadline=None)
    @given(st.data())
    def test_can_all_be_taken_back_in_any_order(self, data):
        """Reset per field: whatever was changed, dropping every change gives the original again."""
        changes: Changes = ()
        size = len(GOOD.messages)
        for n in range(data.draw(st.integers(1, 6))):
            place = data.draw(st.integers(0, size - 1))
            change = data.draw(
                st.sampled_from(
                    [
                        SetText(message=place, text="x"),
                        Remove(message=place),
                        AddMessage(id=f"a{n}", after=place, role="user", text="x"),
                        AddCall(id=f"c{n}", after=place, name="calculate"),
                        new_item(str(place)),
                    ]
                )
            )
            try:
                changes = put(GOOD, changes, change)
            except BadEdit:
                continue
        for target in data.draw(st.permutations([c.target for c in changes])):
            changes = drop(changes, target)
            lay_out(GOOD, changes)
        assert apply(GOOD, changes) == GOOD


class TestRevalidate:
    def test_finds_nothing_wrong_with_what_was_right(self):
        found = looked_at()

        assert found.valid
        assert (found.problems, found.hunks, found.advice) == ((), (), {})
        assert [one.origin for one in found.placed] == list(range(len(GOOD.messages)))

    def test_points_at_the_argument_that_the_schema_does_not_allow(self):
        found = looked_at(made(new_item(5)))

        problem = next(one for one in found.problems if one.check == "schema")
        assert (problem.message, problem.pointer) == (WRITE, NEW_ITEM)
        assert "5 is not of type 'string'" in problem.text
        assert not check("schema", found.verification).passed
        assert found.verification.reason == "schema"

    def test_knows_no_other_tools_and_arguments(self):
        changes = made(
            AddCall(id="n", after=1, name="guess"),
            SetArgument(message=WRITE, call=CALL.id, pointer="/note", value="x"),
        )

        texts = [one.text for one in looked_at(changes).problems]

        assert "There is no tool guess." in texts
        assert any("'note' was unexpected" in text for text in texts)

    def test_proposes_the_results_that_a_changed_call_really_has(self):
        found = looked_at(made(new_item("1111111111")))

        (result,) = [hunk for hunk in found.hunks if hunk.kind == "result"]
        assert result.message == WRITE + 1
        assert result.after == "Error: Variant not found"
        assert {"replay", "writes", "final_state", "provenance"} <= failed(found)
        accepted = put(GOOD, made(new_item("1111111111")), result.change)
        assert "replay" not in failed(looked_at(accepted))

    def test_proposes_words_that_still_name_the_old_value(self):
        other = runner_up()

        found = looked_at(made(new_item(other)))

        (words,) = [hunk for hunk in found.hunks if hunk.kind == "words"]
        assert words.message == LISTING
        assert CALL.arguments["new_item_ids"][0] in words.before
        assert CALL.arguments["new_item_ids"][0] not in words.after
        assert other in words.after
        assert "agent still speaks of" in words.why

    def test_proposes_no_words_for_a_value_that_another_write_keeps(self):
        twice = made(
            new_item(runner_up()),
            AddCall(id="n", after=WRITE, name=CALL.name, arguments=CALL.arguments),
        )

        assert all(hunk.kind != "words" for hunk in looked_at(twice).hunks)

    def test_points_at_arguments_that_nothing_grounds(self):
        found = looked_at(made(new_item("1111111111")))

        problem = next(one for one in found.problems if one.check == "provenance")
        assert (problem.message, problem.pointer) == (WRITE, NEW_ITEM)

    def test_points_at_places_of_the_edited_conversation(self):
        longer = made(
            new_item("1111111111"),
            AddMessage(id="a", after=LISTING - 1, role="assistant", text="One moment."),
        )

        problems = looked_at(longer).problems

        assert {one.message for one in problems if one.check == "provenance"} == {
            WRITE + 1
        }

    def test_misses_the_yes_and_the_read_that_were_removed(self):
        unasked = looked_at(made(Remove(message=LISTING), Remove(message=WRITE - 1)))
        unread = looked_at(made(Remove(message=LISTING - 2)))

        assert "confirmation" in failed(unasked)
        assert {"evidence", "provenance"} <= failed(unread)

    def test_becomes_valid_when_a_planted_error_is_mended(self):
        wrong = talk("R1", fault="wrong_argument")
        place = first(wrong.messages, is_write)
        call = wrong.messages[place].tool_calls[0]
        gold = task_of("R1").gold[0].call
        assert not looked_at((), wrong).valid
        changes: Changes = ()
        have = dict(leaves(call.arguments))
        for pointer, value in leaves(gold.arguments):
            if have[pointer] != value:
                changes = put(
                    wrong,
                    changes,
                    SetArgument(
                        message=place, call=call.id, pointer=pointer, value=value
                    ),
                )
        changes = replay_results(small_shop(), wrong, changes)
        for hunk in looked_at(changes, wrong).hunks:
            changes = put(wrong, changes, hunk.change)

        assert failed(looked_at(changes, wrong)) <= {"claims"}

    def test_takes_a_few_milliseconds(self):
        changes = made(new_item("1111111111"))
        looked_at(changes)

        began = time.process_time()
        for _ in range(10):
            looked_at(changes)

        assert (time.process_time() - began) / 10 < 0.03


class TestReplayResults:
    def test_gives_added_and_changed_calls_and_later_ones_their_true_results(self):
        changes = made(
            AddCall(id="n", after=1, name="calculate", arguments={"expression": "1+1"}),
            new_item("1111111111"),
        )

        settled = replay_results(small_shop(), GOOD, changes)

        assert "replay" not in failed(looked_at(settled))
        answers = [m.content for m in apply(GOOD, settled).messages if m.role == "tool"]
        assert answers[0] == "2.0"
        assert answers[-1].startswith("Error")


def test_there_is_advice_for_every_check():
    names = {judge.__name__.removeprefix("check_") for judge in CHECKS}

    assert set(ADVICE) == names | {"schema"}
