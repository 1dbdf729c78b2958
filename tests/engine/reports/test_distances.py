import math
from collections import Counter
from itertools import accumulate
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.engine.reports.made import WORDS, Listed, observed
from writ_app.engine.reports import calibrate, measure
from writ_app.engine.reports.distances import divergence, length_distance

VALUES = st.lists(st.integers(0, 30), min_size=1, max_size=40)


def bars(held: dict[int, int]) -> list[tuple[float, int]]:
    return [(float(value), count) for value, count in sorted(held.items())]


def by_hand(one: dict[int, int], other: dict[int, int]) -> float:
    """Area between the two distribution functions, a step at a time."""
    curves = [
        list(accumulate(held.get(n, 0) / sum(held.values()) for n in range(31)))
        for held in (one, other)
    ]
    return sum(abs(a - b) for a, b in zip(*curves, strict=True))


class TestLengths:
    @given(VALUES, VALUES)
    def test_are_apart_by_the_area_between_their_curves(
        self, first: list[int], second: list[int]
    ) -> None:
        one, other = Counter(first), Counter(second)

        found = length_distance(bars(one), bars(other))

        assert math.isclose(found["wasserstein"][0], by_hand(one, other), abs_tol=1e-3)

    def test_that_are_moved_by_three_are_three_apart(self) -> None:
        found = length_distance([(1, 5), (2, 5)], [(4, 5), (5, 5)])

        assert found["wasserstein"][0] == 3.0
        assert found["ks"][0] == 1.0

    def test_that_are_the_same_are_not_apart_but_for_chance(self) -> None:
        held = [(float(n), 100) for n in range(10)]
        found = length_distance(held, held)

        assert found["ks"][0] == found["wasserstein"][0] == 0.0
        assert 0 < found["ks"][2] < 0.1

    def test_have_an_interval_that_narrows_with_more_of_them(self) -> None:
        few, many = (
            length_distance([(1.0, n), (2.0, n)], [(1.0, n), (3.0, n)])["ks"]
            for n in (10, 1000)
        )

        assert few[0] == many[0] == 0.5
        assert many[2] - many[1] < (few[2] - few[1]) / 4


class TestDivergence:
    def test_of_the_same_shares_is_none_whatever_the_counts(self) -> None:
        assert divergence({"a": 1, "b": 3}, {"a": 10, "b": 30})["divergence"][0] == 0.0

    def test_of_nothing_in_common_is_one_bit(self) -> None:
        found = divergence({"a": 5}, {"b": 5})

        assert found["divergence"][0] == 1.0
        assert (found["only_ours"], found["only_theirs"]) == (1, 1)

    def test_of_half_in_common_is_as_reckoned_by_hand(self) -> None:
        """(a: 1, b: 0) and (a: ½, b: ½) have the middle (a: ¾, b: ¼)."""
        expected = (
            math.log2(4 / 3) / 2 + (0.5 * math.log2(2 / 3) + 0.5 * math.log2(2)) / 2
        )
        found = divergence({"a": 8}, {"a": 4, "b": 4})

        assert found["divergence"][0] == round(expected, 4)
        assert found["most"][0][0] == "b"


class TestCalibration:
    def report(self, *archetypes: str, **facts: Any) -> dict[str, Any]:
        return measure(Listed([observed(slug, **facts) for slug in archetypes]), WORDS)

    def test_with_itself_finds_no_distance(self) -> None:
        one = self.report("R1", "R5", "N1")

        found = calibrate(one, one)

        assert {x["wasserstein"][0] for x in found["lengths"]} == {0.0}
        assert {x["divergence"][0] for x in found["named"]} == {0.0}
        assert not found["missing"]

    def test_finds_that_other_tools_are_called(self) -> None:
        found = calibrate(self.report("R1"), self.report("N1"))

        called = next(x for x in found["named"] if x["place"] == "tools.calls")
        assert called["divergence"][0] > 0
        assert any("exchange" in name for name, *_ in called["most"])

    def test_compares_texts_at_the_same_length_only(self) -> None:
        few, many = self.report("R1"), self.report(*["R1", "R5", "R8", "R13"])

        for kind in calibrate(few, many)["texts"]:
            sizes = {line["at"] for line in kind["lines"]}
            own = few["texts"][kind["kind"]]
            assert sizes <= {f"{int(n):,} words" for n in own["by_words"]} | {
                f"{int(n):,} texts" for n in own["by_texts"]
            }

    def test_says_what_only_one_of_the_two_has(self) -> None:
        known = self.report("R1")
        unknown = {**known, "cells": {**known["cells"], "burden": {"count": 0}}}

        found = calibrate(known, unknown)

        assert found["missing"] == ["evidence burden"]
