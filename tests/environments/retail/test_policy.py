from pathlib import Path

import pytest

from environments.retail import clauses
from environments.retail.clauses import CLAUSES, parse_clauses
from environments.retail.generator.assortment import ASSORTMENT
from environments.retail.generator.orders import CANCEL_REASONS, STATUS_DECK

POLICY = Path(clauses.__file__).with_name("policy.md").read_text(encoding="utf-8")


class TestParseClauses:
    def test_finds_numbered_paragraphs_and_nothing_else(self):
        policy = (
            "# Title\n\nWords.\n\n## 1. Part\n\n1.1 First.\n\n1.2 Second, 2.5 times.\n"
        )

        assert parse_clauses(policy) == {"1.1": "First.", "1.2": "Second, 2.5 times."}

    def test_refuses_a_number_used_twice(self):
        with pytest.raises(ValueError, match=r"two clauses 1\.1"):
            parse_clauses("1.1 First.\n\n1.1 Second.\n")


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

    def test_spells_statuses_as_the_tools_do(self):
        for status in STATUS_DECK:
            assert f"`{status}`" in CLAUSES["3.4"]

    def test_spells_cancel_reasons_as_the_tools_do(self):
        for reason in CANCEL_REASONS:
            assert f"`{reason}`" in CLAUSES["4.2"]

    def test_gives_the_sentence_that_follows_a_transfer(self):
        assert "`transfer_to_human_agents`" in CLAUSES["2.5"]
        assert (
            "`YOU ARE BEING TRANSFERRED TO A HUMAN AGENT. PLEASE HOLD ON.`"
            in CLAUSES["2.5"]
        )

    def test_counts_the_product_types_that_are_sold(self):
        assert f"{len(ASSORTMENT)} product types" in CLAUSES["3.2"]
