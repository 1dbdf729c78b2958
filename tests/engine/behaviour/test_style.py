import random
import time

import pytest

from writ_app.engine.behaviour import mentions, rejoined, styled
from writ_app.engine.behaviour.style import spelled

SENTENCE = (
    "Please send the Wi-Fi Router of order #W2297809 to zip 37220, because I want to keep the total at $1,000.50 "
    "and you can reach me under soren.greenwood77@example.net."
)
FACTS = ["Wi-Fi Router", "#W2297809", "37220", "soren.greenwood77@example.net"]
MANNERS = [
    {"verbosity": "minimal"},
    {"tone": "curt"},
    {"language": "learner"},
    {"language": "informal"},
    {"language": "code_mix"},
    {"channel": "voice"},
    {"channel": "voice", "language": "informal", "verbosity": "minimal"},
]


class TestStyled:
    @pytest.mark.parametrize("manner", MANNERS)
    def test_changes_the_words_and_leaves_the_facts(
        self, manner: dict[str, str]
    ) -> None:
        said = styled(SENTENCE, manner, random.Random(1), FACTS)
        assert said != SENTENCE
        assert all(mentions(said, fact) for fact in FACTS)
        assert "$1,000.50" in said

    def test_shortens_to_the_matter(self) -> None:
        said = styled(
            "Could you cancel the order that has the Leather Belt in it?",
            {"verbosity": "minimal"},
            random.Random(1),
        )
        assert said == "Cancel the order that has the Leather Belt in it."

    def test_drops_articles_as_learners_do(self) -> None:
        text = "The order with the belt goes to a friend in the city."
        said = styled(text, {"language": "learner"}, random.Random(2))
        assert len(said.split()) < len(text.split())

    def test_has_no_punctuation_in_a_transcript_but_keeps_abbreviations(self) -> None:
        said = styled(
            "Charlotte, NC 28203, USA!", {"channel": "voice"}, random.Random()
        )
        assert said == "charlotte NC two eight two zero three USA"


class TestRejoined:
    @pytest.mark.parametrize(
        "value",
        [
            "moreau.walter7678@example.net",
            "mia@example.com",
            "#W2297809",
            "6N0YNK",
            "soren_greenwood_6128",
            "2009-09-08",
            "37220",
        ],
    )
    def test_takes_back_what_was_spelled(self, value: str) -> None:
        said = spelled(value)
        assert said != value
        assert rejoined(f"it is {said} thanks") == f"it is {value.lower()} thanks"

    @pytest.mark.parametrize(
        "text",
        [
            "one of the two at home is blue, i have one or two more",
            "meet me at noon. a b",
            "that is four or five in all",
        ],
    )
    def test_leaves_ordinary_talk_alone(self, text: str) -> None:
        assert rejoined(text) == text

    @pytest.mark.parametrize("piece", ["one ", "dot ", "a at b dot ", "@", "x" * 50])
    def test_is_quick_on_hostile_text(self, piece: str) -> None:
        text = piece * (20_000 // len(piece))
        started = time.process_time()
        rejoined(text)
        assert time.process_time() - started < 1.0
