import random
from statistics import fmean

from hypothesis import given
from hypothesis import strategies as st

from writ_app.engine.reports.spread import BARS, Sample, Tally, entropy


def tally_of(values: list[int]) -> Tally:
    tally = Tally()
    for value in values:
        tally.add(value)
    return tally


class TestATally:
    @given(st.lists(st.integers(0, 100_000), min_size=1))
    def test_says_what_a_sorted_list_says(self, values: list[int]) -> None:
        found, ordered = tally_of(values).result(), sorted(values)

        assert found["count"] == len(values)
        assert abs(found["mean"] - fmean(values)) <= 0.00051
        assert (found["least"], found["most"]) == (ordered[0], ordered[-1])
        assert found["median"] == ordered[-(-len(values) // 2) - 1]
        assert sum(count for _, count in found["histogram"]) == len(values)
        assert len(found["histogram"]) <= BARS + 1

    def test_of_nothing_says_so(self) -> None:
        assert Tally().result() == {"count": 0, "histogram": []}


class TestEntropy:
    def test_of_equal_shares_is_the_bits_that_name_one(self) -> None:
        assert entropy([5, 5, 5, 5]) == 2.0

    def test_of_one_thing_is_none(self) -> None:
        assert entropy([7, 0]) == 0.0


class TestASample:
    def test_is_the_same_whatever_the_order(self) -> None:
        keys = [str(n) for n in range(500)]
        one, other = Sample[str](20), Sample[str](20)
        for key in keys:
            one.add(key, key)
        random.Random(1).shuffle(keys)
        for key in keys:
            other.add(key, key)

        assert one.values() == other.values()
        assert len(one.values()) == 20

    def test_with_another_seed_is_another(self) -> None:
        samples = [Sample[str](20, seed) for seed in (0, 1)]
        for sample in samples:
            for n in range(500):
                sample.add(str(n), str(n))

        assert samples[0].values() != samples[1].values()

    def test_holds_what_comes_again_once(self) -> None:
        sample = Sample[str](5)
        for _ in range(3):
            sample.add("same", "text")

        assert sample.values() == ["text"]
        assert sample.offered == 3

    def test_favours_nobody(self) -> None:
        """Of a thousand, each half has about half of the places."""
        sample = Sample[int](400)
        for n in range(1000):
            sample.add(str(n), n)

        assert 160 < sum(n < 500 for n in sample.values()) < 240
