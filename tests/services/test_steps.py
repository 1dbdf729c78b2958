"""A conversation as numbered steps."""

import pytest

from tests.samples import sample_environment
from writ_app.engine.types import Check, Message, MessageCall, Provenance, Verification
from writ_app.services.review.leaves import element_words
from writ_app.services.review.steps import (
    counted_in_steps,
    in_steps,
    make_steps,
    move_messages,
    number_steps,
)


def call(id: str) -> MessageCall:
    return MessageCall(
        id=id, name="get_order_details", arguments={"order_id": f"#{id}"}
    )


TALK = (
    Message(role="assistant", content="Hi!"),
    Message(role="user", content="Hello."),
    Message(role="assistant", tool_calls=(call("a"),)),
    Message(role="tool", content="{}", tool_call_id="a"),
    Message(role="assistant", content="And now.", tool_calls=(call("b"), call("c"))),
    Message(role="tool", content="{}", tool_call_id="c"),
    Message(role="tool", content="{}", tool_call_id="b"),
    Message(role="assistant", content=""),
    Message(role="user", content="Bye."),
)


class TestNumbers:
    def test_count_a_call_with_its_result_as_one_step(self):
        assert list(number_steps(TALK).values()) == [1, 2, 3, 3, 4, 6, 5, 7, 8]

    def test_are_those_of_the_desk(self):
        numbers = number_steps(TALK)
        steps = make_steps(TALK, sample_environment())
        first = {step.message: step.number for step in reversed(steps)}

        assert {numbers[n] for n in first} == set(first.values())
        assert all(numbers[n] == number for n, number in first.items())
        assert all(numbers[s.answer] == s.number for s in steps if s.answer is not None)


@pytest.mark.parametrize(
    ("element", "words"),
    [
        ("s4", "step 4"),
        ("w1-a3", "write 1, argument 3"),
        ("e2", "read 2"),
        ("<b>", "<b>"),
    ],
)
def test_an_element_of_the_desk_has_a_name_that_people_know(element, words):
    assert element_words(element) == words


class TestStoredSentences:
    def test_name_the_step_that_the_desk_counts(self):
        numbers = number_steps(TALK)

        assert in_steps("message 6 shows 12 there", numbers) == "step 5 shows 12 there"
        assert in_steps("message 5 has changed it", numbers) == "step 6 has changed it"
        assert in_steps("message 99 has changed it", numbers) == (
            "message 99 has changed it"
        )
        assert in_steps("The user's message 5 is rude.", numbers) == (
            "The user's message 5 is rude."
        )

    def test_are_counted_in_checks_and_in_provenance(self):
        told = "message 6 shows it no more"
        verification = Verification(
            checks=(Check(name="provenance", passed=True, finding=told),),
            provenance=(
                Provenance(
                    message=4, write=0, pointer="/x", value=1, kind="stale", detail=told
                ),
            ),
            version="1",
        )

        found = counted_in_steps(verification, TALK)

        assert found.checks[0].finding == "step 5 shows it no more"
        assert found.provenance[0].detail == "step 5 shows it no more"

    def test_follow_messages_that_moved(self):
        moved = {6: 8, 5: None}.get

        assert move_messages("message 6 shows 1 there", moved) == (
            "message 8 shows 1 there"
        )
        assert move_messages("message 5 has changed it", moved) == (
            "message 5 has changed it"
        )
