import pytest
from hypothesis import given
from hypothesis import strategies as st

from writ_app.services.review.word_diff import distance, shortened, word_diff

TEXTS = st.lists(st.sampled_from(["a", "b", "c ", " ", "\n", "dd"]), max_size=30).map(
    " ".join
)


@given(TEXTS, TEXTS)
def test_both_texts_can_be_read_off(before, after):
    parts = word_diff(before, after)

    assert "".join(one.text for one in parts if one.kind != "ins") == before
    assert "".join(one.text for one in parts if one.kind != "del") == after


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("one two", "one two", 0),
        ("one two", "one three", 1),
        ("", "one two", 2),
        ("one two three", "one", 2),
        ("a b c d", "x b c y", 2),
    ],
)
def test_distance_counts_words(before, after, words):
    assert distance(before, after) == words


def test_what_stayed_the_same_far_away_is_left_out():
    long = " ".join(f"word{n}" for n in range(100))

    parts = shortened(word_diff(f"{long} old {long}", f"{long} new {long}"))

    assert [one.kind for one in parts] == ["gap", "same", "del", "ins", "same", "gap"]
    assert "word99" in parts[1].text


def test_a_huge_text_is_replaced_as_a_whole():
    parts = word_diff("a " * 4_000, "b")

    assert [one.kind for one in parts] == ["del", "ins"]
