"""A conversation as numbered steps."""

import pytest

from tests.samples import sample_environment
from writ_app.engine.types import Message, MessageCall
from writ_app.services.review.leaves import element_words
from writ_app.services.review.steps import make_steps, number_steps


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
