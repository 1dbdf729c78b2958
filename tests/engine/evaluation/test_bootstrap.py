"""Intervals over tasks: that they hold what they promise, and do so quickly."""

import random
import time

import pytest

from writ_app.engine.evaluation.bootstrap import mean_interval, paired_interval


def outcomes(seed: int, tasks: int, rate: float) -> list[float]:
    rng = random.Random(seed)
    return [float(rng.random() < rate) for _ in range(tasks)]


class TestMeanInterval:
    def test_holds_the_truth_about_as_often_as_it_says(self) -> None:
        held = 0
        for seed in range(200):
            found = mean_interval(outcomes(seed, 60, 0.4), resamples=600)
            assert found is not None
            held += found.low <= 0.4 <= found.high

        assert 178 <= held <= 199

    def test_comes_out_again_with_the_same_seed(self) -> None:
        rng = random.Random(1)
        values = [rng.random() for _ in range(50)]

        assert mean_interval(values, seed=3) == mean_interval(values, seed=3)
        assert mean_interval(values, seed=3) != mean_interval(values, seed=4)

    def test_of_one_task_says_nothing_but_the_mean(self) -> None:
        found = mean_interval([0.5])

        assert found is not None
        assert (found.mean, found.resamples) == (0.5, 0)
        assert not found.excludes_zero

    def test_of_nothing_is_none(self) -> None:
        assert mean_interval([]) is None

    def test_is_the_same_whether_values_are_few_or_many(self) -> None:
        few = outcomes(3, 200, 0.3)
        many = [value + 1e-9 * place for place, value in enumerate(few)]

        one, other = mean_interval(few), mean_interval(many)

        assert one is not None
        assert other is not None
        assert one.low == pytest.approx(other.low, abs=0.006)
        assert one.high == pytest.approx(other.high, abs=0.006)


class TestPairedInterval:
    def test_sees_a_small_gain_that_unpaired_means_would_hide(self) -> None:
        left = outcomes(2, 164, 0.5)
        rng = random.Random(9)
        right = [min(1.0, value + (rng.random() < 0.08)) for value in left]

        found = paired_interval(left, right)

        assert found is not None
        assert found.excludes_zero
        assert found.p is not None
        assert found.p < 0.05
        alone = mean_interval(left)
        assert alone is not None
        assert found.high - found.low < (alone.high - alone.low) / 2

    def test_finds_nothing_between_two_that_are_the_same(self) -> None:
        found = paired_interval(outcomes(1, 80, 0.5), outcomes(1, 80, 0.5))

        assert found is not None
        assert (found.mean, found.low, found.high, found.p) == (0, 0, 0, 1)

    def test_is_wrong_about_as_rarely_as_it_says(self) -> None:
        wrong = sum(
            bool(
                (
                    found := paired_interval(
                        outcomes(seed, 60, 0.5), outcomes(seed + 999, 60, 0.5), resamples=600
                    )
                )
                and found.excludes_zero
            )
            for seed in range(200)
        )  # fmt: skip

        assert wrong <= 24

    def test_refuses_values_of_different_tasks(self) -> None:
        with pytest.raises(ValueError, match="cannot be paired"):
            paired_interval([1.0], [1.0, 0.0])

    @pytest.mark.parametrize("tasks", [164, 20_000])
    def test_of_ten_thousand_resamples_takes_under_a_second(self, tasks: int) -> None:
        left, right = outcomes(1, tasks, 0.4), outcomes(2, tasks, 0.5)
        began = time.perf_counter()

        paired_interval(left, right, resamples=10_000)

        assert time.perf_counter() - began < 1.0
