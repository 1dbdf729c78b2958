"""Seeds of trials, and the estimator of pass^k."""

from fractions import Fraction
from itertools import combinations

import pytest

from writ_app.engine.evaluation.repeats import (
    is_success,
    pass_hats,
    pass_k,
    trial_seeds,
)


class TestPassK:
    @pytest.mark.parametrize("trials", [1, 3, 5])
    def test_is_the_share_of_draws_of_k_trials_that_are_all_solved(
        self, trials: int
    ) -> None:
        for good in range(trials + 1):
            outcomes = [True] * good + [False] * (trials - good)
            for k in range(1, trials + 1):
                draws = list(combinations(outcomes, k))
                counted = Fraction(sum(map(all, draws)), len(draws))
                assert pass_k(trials, good, k) == pytest.approx(float(counted))

    def test_of_more_trials_than_there_were_is_refused(self) -> None:
        with pytest.raises(ValueError, match="1 to 4"):
            pass_k(4, 2, 5)


class TestPassHats:
    def test_go_as_far_as_the_task_with_fewest_trials(self) -> None:
        assert pass_hats([(4, 4), (2, 1)]) == [0.75, 0.5]

    def test_are_none_of_no_tasks(self) -> None:
        assert pass_hats([]) == []

    def test_never_grow_with_k(self) -> None:
        rates = pass_hats([(5, good) for good in range(6)])

        assert rates == sorted(rates, reverse=True)
        assert rates[0] == pytest.approx(0.5)


class TestTrialSeeds:
    def test_begin_as_the_reference_begins(self) -> None:
        assert trial_seeds(300, 4)[0] == 626729

    def test_of_more_trials_begin_with_those_of_fewer(self) -> None:
        assert trial_seeds(5, 8)[:3] == trial_seeds(5, 3)


def test_a_reward_counts_as_success_within_a_millionth() -> None:
    assert is_success(1 - 1e-7)
    assert not is_success(1 - 1e-5)
