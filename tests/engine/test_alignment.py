"""Calls of trajectories side by side: the alignment is the longest there is, and the difference that decided has words."""

import random
from difflib import SequenceMatcher

import pytest
from hypothesis import given
from hypothesis import strategies as st

from environments.core.tools import ToolCall
from writ_app.engine.alignment import (
    NOTHING,
    Pair,
    PlayedCall,
    align,
    align_all,
    first_decisive,
    normalised,
)


def call(step: int, name: str, answer: str = "", **arguments) -> PlayedCall:
    return PlayedCall(
        step,
        ToolCall(name=name, arguments=arguments),
        answer=answer,
        writes=name in ("book", "cancel"),
    )


def played(text: str) -> list[PlayedCall]:
    """One call per word: a letter for the tool, the rest is its argument."""
    return [call(n, word[0], a=word[1:]) for n, word in enumerate(text.split(), 1)]


def kinds(pairs) -> list[str]:
    return [pair.difference for pair in pairs]


def longest_common(left: list[str], right: list[str]) -> int:
    """By trying everything: what the alignment is measured against."""
    if not left or not right:
        return 0
    if left[0] == right[0]:
        return 1 + longest_common(left[1:], right[1:])
    return max(longest_common(left[1:], right), longest_common(left, right[1:]))


some_calls = st.lists(st.sampled_from(["a1", "a2", "b1", "b2", "c1"]), max_size=8).map(
    lambda words: played(" ".join(words))
)


class TestAlign:
    @given(some_calls, some_calls)
    def test_keeps_every_call_of_both_in_order(self, left, right):
        pairs = align(left, right)

        assert [pair.left for pair in pairs if pair.left] == left
        assert [pair.right for pair in pairs if pair.right] == right

    @given(some_calls, some_calls)
    def test_pairs_as_many_equal_calls_as_there_can_be(self, left, right):
        equal = kinds(align(left, right)).count("same")

        assert equal == longest_common(
            [one.key for one in left], [one.key for one in right]
        )

    @given(some_calls, some_calls)
    def test_finds_as_much_the_other_way_round(self, left, right):
        there, back = kinds(align(left, right)), kinds(align(right, left))

        assert there.count("same") == back.count("same")
        assert there.count("changed") == back.count("changed")
        assert there.count("left_out") == back.count("put_in")

    def test_of_equal_ones_is_equal(self):
        calls = played("a1 b2 a1 c3")

        assert set(kinds(align(calls, calls))) == {"same"}
        assert align([], []) == ()

    def test_pairs_a_call_with_other_arguments_by_its_tool(self):
        pairs = align(played("a1 b2 c3"), played("a1 b9 c3"))

        assert kinds(pairs) == ["same", "changed", "same"]
        assert [
            (change.name, change.left, change.right) for change in pairs[1].changes
        ] == [("a", "2", "9")]

    def test_never_gives_up_an_equal_pair_for_pairs_by_tool(self):
        # pairing crosswise by tool would make four pairs, the equal one three
        pairs = align(played("a1 a2 a3 a4"), played("a4 a5 a6 a7"))

        assert kinds(pairs).count("same") == 1

    def test_sees_an_argument_that_only_one_has(self):
        (pair,) = align([call(1, "a", x=1)], [call(1, "a", x=1, y=[2])])

        assert [(c.pointer, c.left, c.right) for c in pair.changes] == [
            ("/y/0", None, "2")
        ]

    def test_tells_the_same_call_with_another_answer(self):
        (pair,) = align([call(1, "a", answer="yes")], [call(1, "a", answer="no")])

        assert pair.difference == "answer"

    def test_is_quick_with_long_conversations(self):
        rng = random.Random(1)
        calls = played(" ".join(rng.choice("abcdef") + "1" for _ in range(200)))
        other = played(" ".join(rng.choice("abcdef") + "1" for _ in range(200)))

        matched = kinds(align(calls, other)).count("same")

        blocks = SequenceMatcher(None, [c.key for c in calls], [c.key for c in other])
        assert matched >= sum(block.size for block in blocks.get_matching_blocks())


class TestNormalised:
    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("  Economy ", "economy"),
            (2.0, 2),
            ({"b": 1, "a": ["X"]}, {"a": ["x"], "b": 1.0}),
        ],
    )
    def test_is_the_same_for_what_makes_no_difference(self, one, other):
        assert call(1, "a", x=one).key == call(1, "a", x=other).key

    @pytest.mark.parametrize(("one", "other"), [("W1", "W2"), (1, "1"), ([1, 2], [2])])
    def test_keeps_what_makes_one(self, one, other):
        assert normalised(one) != normalised(other)


class TestAlignAll:
    def test_gives_each_trajectory_a_column_and_shares_rows(self):
        reference = played("a1 b2 c3")
        rows = align_all(reference, [played("a1 c3"), played("a1 x9 b2 c3")])

        assert [[one and one.tool for one in row.cells] for row in rows] == [
            ["a", "a", "a"],
            [None, None, "x"],
            ["b", None, "b"],
            ["c", "c", "c"],
        ]
        assert [row.same for row in rows] == [True, False, False, True]

    def test_puts_what_two_put_in_alike_into_one_row(self):
        rows = align_all(played("a1"), [played("x1 y2 a1"), played("y2 z3 a1")])

        assert [[one and one.tool for one in row.cells] for row in rows] == [
            [None, "x", None],
            [None, "y", "y"],
            [None, None, "z"],
            ["a", "a", "a"],
        ]

    @given(st.lists(some_calls, min_size=1, max_size=4))
    def test_loses_no_call_and_no_order(self, columns):
        rows = align_all(columns[0], columns[1:])

        for number, calls in enumerate(columns):
            assert [row.cells[number] for row in rows if row.cells[number]] == calls


class TestFirstDecisive:
    def test_is_none_if_both_write_the_same(self):
        left = [call(1, "read", a=1), call(2, "book", item=1)]
        right = [call(1, "book", item=1)]

        assert first_decisive(align(left, right)) is None

    def test_names_the_read_that_shows_what_was_written(self):
        left = [
            call(1, "look", answer="[]", at="x"),
            call(2, "get_order", answer='{"item": "111"}', id="W1"),
            call(3, "book", item="111"),
        ]
        right = [call(1, "book", item="222")]

        found = first_decisive(align(left, right))

        assert str(found) == "never read get_order W1; writes item 222 instead of 111"

    def test_else_the_read_that_the_answer_rests_on(self):
        left = [call(1, "look"), call(2, "get_order", id="W1"), call(3, "book", n=1)]
        right = [call(1, "book", n=2)]

        found = first_decisive(align(left, right), needed={left[1].key})

        assert found is not None
        assert found.cause == Pair(left[1], None)

    def test_tells_a_read_of_something_else(self):
        left = [call(1, "get_order", id="W1"), call(2, "book", item=1, n=2)]
        right = [call(1, "get_order", id="W2"), call(2, "book", item=3, n=4)]

        assert (
            str(first_decisive(align(left, right)))
            == "read get_order W2 instead of W1; writes item 3 instead of 1 and 1 more"
        )

    def test_tells_writes_that_only_one_makes(self):
        book, cancel = call(1, "book", item=1), call(2, "cancel", id="R1")

        assert str(first_decisive(align([book, cancel], [book]))) == (
            "never writes cancel"
        )
        assert str(first_decisive(align([book], [book, cancel]))) == "writes cancel R1"

    def test_tells_a_write_that_fails(self):
        failed = PlayedCall(
            1, call(1, "book", item=1).call, "no seats", error=True, writes=True
        )

        found = first_decisive(align([call(1, "book", item=1)], [failed]))

        assert str(found) == "fails to write book"

    def test_tells_another_order(self):
        left = [call(1, "book", item=1), call(2, "cancel", id="R1")]

        found = first_decisive(align(left, left[::-1]))

        assert str(found) == "makes the same writes in another order"

    def test_says_that_an_argument_is_not_there(self):
        found = first_decisive(
            align([call(1, "book", item=1, bag=2)], [call(1, "book", item=1)])
        )

        assert str(found) == f"writes bag {NOTHING} instead of 2"
