import math

from tests.engine.reports.made import said
from writ_app.engine.reports.texts import (
    Texts,
    at_length,
    openings,
    self_bleu,
    self_repetition,
    vendi,
)

VARIED = [tuple(f"w{n}x{k}" for k in range(12)) for n in range(30)]
SAME = [tuple(f"w{k}" for k in range(12))] * 30


class TestSelfBleu:
    def test_of_the_same_text_again_and_again_is_one(self) -> None:
        assert math.isclose(self_bleu(SAME), 1.0)

    def test_of_texts_with_nothing_in_common_is_nearly_none(self) -> None:
        assert self_bleu(VARIED) < 0.01

    def test_grows_with_what_is_shared(self) -> None:
        half = [(*SAME[0][:6], *text[6:]) for text in VARIED]

        assert self_bleu(VARIED) < self_bleu(half) < self_bleu(SAME)

    def test_of_one_text_is_none(self) -> None:
        assert self_bleu(SAME[:1]) == 0.0


class TestVendi:
    def test_is_the_number_of_texts_with_nothing_in_common(self) -> None:
        assert math.isclose(vendi(VARIED), 30)
        assert math.isclose(vendi(SAME), 1)
        assert math.isclose(vendi([*SAME, *VARIED[:1] * 30]), 2)

    def test_falls_with_what_is_shared(self) -> None:
        half = [(*SAME[0][:6], *text[6:]) for text in VARIED]

        assert 1 < vendi(half) < 30

    def test_is_worked_out_by_hand_for_two(self) -> None:
        """Cosines 1/2 of words and 0 of pairs make K = [[1, 1/4], [1/4, 1]]: eigenvalues 5/8 and 3/8 of K / 2."""
        texts = [("a", "b"), ("b", "c")]
        expected = math.exp(-5 / 8 * math.log(5 / 8) - 3 / 8 * math.log(3 / 8))

        assert math.isclose(vendi(texts), expected)

    def test_of_nothing_is_none(self) -> None:
        assert vendi([]) == 0.0


class TestSelfRepetition:
    def test_counts_other_texts_with_the_same_four_words(self) -> None:
        """Twelve words are nine runs of four, each in 29 other texts."""
        assert math.isclose(self_repetition(SAME), math.log(1 + 9 * 29))
        assert self_repetition(VARIED) == 0.0


class TestLengths:
    def test_are_matched_so_that_more_text_is_no_less_varied(self) -> None:
        texts = [f"{a} and {b}" for a in range(40) for b in range(40)]
        split = [text.split() for text in texts]

        few, all_ = (at_length(texts[:n], split[:n], 500) for n in (400, 1600))

        assert few == all_

    def test_compression_is_higher_of_what_repeats(self) -> None:
        same, other = ([" ".join(text) for text in texts] for texts in (SAME, VARIED))
        measured = [
            at_length(texts, [text.split() for text in texts], 300)
            for texts in (same, other)
        ]

        assert measured[0]["compression"] > 2 * measured[1]["compression"]
        assert measured[0]["distinct_1"] == 12 / 300
        assert measured[1]["distinct_1"] == 1.0


class TestOpenings:
    def test_are_the_first_three_words(self) -> None:
        found = openings([["hi", "i", "am", "ann"], ["hi", "i", "am", "bob"], ["no"]])

        assert found["listed"][0] == ["hi i am", 2]
        assert found["most"] == round(2 / 3, 4)
        assert found["distinct"] == round(2 / 3, 4)


class TestTexts:
    def test_of_users_assistants_and_requests_are_told_apart(self) -> None:
        texts = Texts()
        texts.add(
            said(
                {"role": "user", "content": "I want it."},
                {"role": "assistant", "content": "Done. Anything else?"},
                {"role": "tool", "tool_call_id": "1", "content": "{}"},
            )
        )

        found = texts.result()

        assert {kind: one["words"] for kind, one in found.items()} == {
            "instructions": 0,
            "user": 3,
            "assistant": 3,
        }
        assert found["user"]["by_words"] == {}
