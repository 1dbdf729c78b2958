import re

import pytest

from writ_app.engine.behaviour.reading import holds_word, without_mere_words


class TestHoldsWord:
    @pytest.mark.parametrize("word", ["or", "#w12", "12", "é", "$5.", "a b", "_x", ""])
    @pytest.mark.parametrize(
        "text",
        [
            "",
            "or",
            "for or",
            "nor",
            "#w12",
            "#w123 #w12",
            "x12_ 12",
            "é",
            "éa é",
            "$5.",
            "$5.0",
            "a b",
            "aa b",
            "_x",
            "y_x",
        ],
    )
    def test_says_what_a_pattern_would(self, text: str, word: str) -> None:
        pattern = rf"(?<!\w){re.escape(word)}(?!\w)"

        assert holds_word(text, word) == bool(word and re.search(pattern, text))


def test_words_with_a_digit_or_sign_stay_without_the_others() -> None:
    text = "Hello,\nmy order #W12 of ann_li_4 is mia@example.net's"

    assert without_mere_words(text) == "Hello, #W12 ann_li_4 mia@example.net's"
