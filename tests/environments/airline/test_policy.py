from pathlib import Path
from typing import get_args

from environments.airline import clauses
from environments.airline.clauses import CLAUSES
from environments.airline.generator.calendar import CABINS, NOW
from environments.airline.generator.reservations import FREE_BAGS
from environments.airline.state import FlightType, MembershipLevel
from environments.airline.tools import BAG_PRICE, INSURANCE_PRICE
from environments.airline.tools import NOW as TOOLS_NOW

POLICY = Path(clauses.__file__).with_name("policy.md").read_text(encoding="utf-8")


class TestPolicy:
    def test_is_short_enough_to_be_read(self):
        assert 4_000 <= len(POLICY.encode()) <= 7_000
        assert POLICY.isascii()

    def test_numbers_everything_but_headings_and_the_opening(self):
        paragraphs = [part.strip() for part in POLICY.split("\n\n")]
        _opening, *rest = [part for part in paragraphs if not part.startswith("#")]

        assert rest == [f"{number} {text}" for number, text in CLAUSES.items()]

    def test_counts_its_sections_and_clauses_without_gaps(self):
        numbers = [tuple(map(int, number.split("."))) for number in CLAUSES]
        sections = sorted({section for section, _ in numbers})

        assert numbers == sorted(numbers)
        assert sections == list(range(1, len(sections) + 1))
        for section in sections:
            clauses_of_it = [clause for part, clause in numbers if part == section]
            assert clauses_of_it == list(range(1, len(clauses_of_it) + 1))
            assert f"\n## {section}. " in POLICY

    def test_has_the_time_of_the_tools_and_of_the_generator(self):
        assert f"{NOW:%Y-%m-%d, %H:%M} EST" in POLICY
        assert NOW.isoformat() == TOOLS_NOW

    def test_spells_words_as_the_tools_do(self):
        spelled = {
            "2.1": [*get_args(MembershipLevel), "credit_card", "gift_card"],
            "2.2": ["available", "on time", "delayed", "flying", "landed", "cancelled"],
            "2.3": CABINS,
            "2.4": [*get_args(FlightType), "cancelled"],
            "1.6": [
                "transfer_to_human_agents",
                "YOU ARE BEING TRANSFERRED TO A HUMAN AGENT. PLEASE HOLD ON.",
            ],
        }
        for number, words in spelled.items():
            assert all(f"`{word}`" in CLAUSES[number] for word in words)

    def test_asks_the_prices_that_the_tools_ask(self):
        assert f"costs {BAG_PRICE} dollars" in CLAUSES["3.3"]
        assert f"costs {INSURANCE_PRICE} dollars per passenger" in CLAUSES["3.4"]

    def test_gives_the_free_bags_of_the_generator(self):
        for membership, bags in FREE_BAGS.items():
            allowance = ", ".join(str(bags[cabin]) for cabin in CABINS)
            assert f"{membership} members {allowance}" in CLAUSES["3.3"]
