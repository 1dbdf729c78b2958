"""Agreement beyond chance, against published figures."""

import krippendorff
import numpy as np
import pytest

from writ_app.engine.statistics.agreement import _alphas, alpha, kappa


def pairs(**table: int) -> list[tuple[str, str]]:
    return [(cell[0], cell[1]) for cell, n in table.items() for _ in range(n)]


class TestKappa:
    def test_gives_the_textbook_value_and_its_large_sample_interval(self):
        found = kappa(pairs(yy=20, yn=5, ny=10, nn=15))

        assert found.value == pytest.approx(0.4)
        assert (found.low, found.high) == pytest.approx((0.151, 0.649), abs=0.001)

    def test_is_one_for_two_who_always_agree_and_below_zero_for_contraries(self):
        assert kappa(pairs(aa=3, bb=4)).value == 1
        assert kappa(pairs(ab=5, ba=5)).value == -1

    def test_says_why_there_is_none(self):
        assert "nothing in common" in kappa([]).why
        always = kappa(pairs(aa=7))
        assert (always.value, always.items) == (None, 7)
        assert "always said “a”" in always.why


class TestAlpha:
    def test_gives_the_textbook_value_with_missing_judgements(self):
        """Krippendorff 2011, "Computing Krippendorff's alpha-reliability", part C: four people, twelve units, nominal."""
        people = [
            [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
            [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
            [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
            [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
        ]
        units = [
            [value for value in unit if value is not None]
            for unit in zip(*people, strict=True)
        ]

        found = alpha(units)

        assert found.value == pytest.approx(0.743, abs=0.001)
        assert found.items == 11

    def test_is_the_same_for_draws_as_the_library_has_it_for_each(self):
        given = np.array([[2, 0, 0], [1, 1, 0], [0, 1, 2], [0, 2, 0]])
        drawn = np.random.default_rng(3).multinomial(30, [0.4, 0.2, 0.1, 0.3], size=5)

        found = _alphas(given, drawn)

        assert found == pytest.approx(
            [
                krippendorff.alpha(
                    value_counts=np.repeat(given, times, axis=0),
                    level_of_measurement="nominal",
                )
                for times in drawn
            ]
        )

    def test_has_an_interval_that_narrows_with_more_items(self):
        mixed = [["a", "a"], ["b", "b"], ["a", "b"], ["b", "b"], ["a", "a"]]

        few, many = alpha(mixed * 4), alpha(mixed * 40)

        assert few.low < few.value < few.high
        assert few.high - few.low > 2 * (many.high - many.low)
        assert alpha(mixed * 4) == few

    def test_says_why_there_is_none(self):
        assert "two people" in alpha([["a"], ["b"]]).why
        always = alpha([["a", "a"]] * 9)
        assert (always.value, always.items) == (None, 9)
        assert "always said “a”" in always.why
