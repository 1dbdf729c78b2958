"""Several trials of each task: their seeds, and pass^k (tau2 SPEC §8.5, §12)."""

import random
from collections.abc import Iterable, Sequence
from math import comb

SEED = 300
"""Of a run, if nobody says otherwise."""
_MOST = 1_000_000
CLOSE = 1e-6


def trial_seeds(seed: int, trials: int) -> list[int]:
    """One per trial, the same for all tasks: who evaluates the same run elsewhere gets the same."""
    rng = random.Random(seed)
    return [rng.randint(0, _MOST) for _ in range(trials)]


def is_success(reward: float) -> bool:
    return abs(reward - 1.0) <= CLOSE


def pass_k(trials: int, successes: int, k: int) -> float:
    """Chance that k trials drawn from these without putting back are all successes: C(c, k) / C(n, k). Unbiased.

    Raises ValueError for k outside 1…n.
    """
    if not 1 <= k <= trials:
        raise ValueError(f"k is 1 to {trials}, not {k}.")
    return comb(successes, k) / comb(trials, k)


def pass_hats(counts: Iterable[tuple[int, int]]) -> list[float]:
    """pass^1, pass^2, … of tasks given as (trials, successes): means over tasks, as far as the task with fewest trials goes.

    Nothing of no tasks, or if one of them has no trial.
    """
    held: Sequence[tuple[int, int]] = list(counts)
    most = min((trials for trials, _ in held), default=0)
    return [
        sum(pass_k(trials, good, k) for trials, good in held) / len(held)
        for k in range(1, most + 1)
    ]
