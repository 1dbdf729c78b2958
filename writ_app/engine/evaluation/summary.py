"""What came of a run: pass^k, per band of both axes, on the hard subsets; tokens on solved tasks; failures by kind and owner.

Two readings stand side by side: with the judge's opinion, where it counts, and without it, as if the judge had found everything met.
Plain JSON, so that what is stored, printed and drawn is the same.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any

from writ_app.engine.evaluation.axes import UNKNOWN, Axes, HardSubset
from writ_app.engine.evaluation.bootstrap import mean_interval
from writ_app.engine.evaluation.repeats import is_success, pass_hats
from writ_app.engine.types import BURDEN_BANDS, WRITE_BANDS, Ending

type Json = dict[str, Any]

LEFT_OUT = frozenset({Ending.PROVIDER_ERROR.value})
"""Endings that no metric counts (SPEC §8.5)."""


@dataclass(frozen=True)
class TaskFacts:
    """One task of a set. `key` is its name within the set."""

    key: str
    axes: Axes


@dataclass(frozen=True)
class TrialFacts:
    """One finished trial. Tokens are those that a side's model wrote, None: nobody counted."""

    task: str
    trial: int
    ended_by: str
    reward: float | None
    """None: the judge has not spoken, or there is none."""
    reward_without: float
    failure: str = ""
    owner: str = ""
    agent_tokens: int | None = None
    grounded: bool | None = None
    """Whether the verification accepts it, too; None of tasks without a certificate."""
    matched: tuple[int, int, int, int] = (0, 0, 0, 0)
    """Gold reads made, gold reads, gold writes made, gold writes."""
    key: int = 0
    """For whoever wants to lead to it."""

    @property
    def counted(self) -> bool:
        return self.ended_by not in LEFT_OUT


type Reading = Callable[[TrialFacts], float | None]


def with_judge(one: TrialFacts) -> float | None:
    return one.reward


def without_judge(one: TrialFacts) -> float | None:
    return one.reward_without


READINGS: Mapping[str, Reading] = {"with": with_judge, "without": without_judge}


def summarise(
    tasks: Sequence[TaskFacts],
    trials: Iterable[TrialFacts],
    hard: Sequence[HardSubset] = (),
    *,
    seed: int = 0,
) -> Json:
    """Everything that is told of a run. Seeded for the intervals alone."""
    held = list(trials)
    counted = [one for one in held if one.counted]
    by_task: defaultdict[str, list[TrialFacts]] = defaultdict(list)
    for one in counted:
        by_task[one.task].append(one)
    return {
        "tasks": len(tasks),
        "trials": len(held),
        "counted": len(counted),
        "left_out": len(held) - len(counted),
        "undecided": sum(one.reward is None for one in counted),
        "readings": {
            name: _reading(tasks, by_task, reading, seed)
            for name, reading in READINGS.items()
        },
        "cells": _cells(tasks, by_task),
        "bands": {
            "writes": _bands(tasks, by_task, lambda a: a.write_band, WRITE_BANDS),
            "burden": _bands(
                tasks, by_task, lambda a: a.burden_band, (*BURDEN_BANDS, UNKNOWN)
            ),
        },
        "hard": [_hard(one, tasks, by_task, seed) for one in hard],
        "tokens": _tokens(counted),
        "failures": _failures(counted),
        "endings": dict(Counter(one.ended_by for one in held).most_common()),
        "actions": _actions(counted),
        "grounded": _grounded(counted),
    }


def successes(trials: Sequence[TrialFacts], reading: Reading) -> tuple[int, int]:
    """(trials, successes) of those that the reading decides."""
    rewards = [r for r in map(reading, trials) if r is not None]
    return len(rewards), sum(map(is_success, rewards))


# --- parts ---------------------------------------------------------------------------------------------------------------------

type _ByTask = Mapping[str, Sequence[TrialFacts]]


def _reading(
    tasks: Sequence[TaskFacts], by_task: _ByTask, reading: Reading, seed: int
) -> Json:
    """Tasks without a decided trial are left out, and counted."""
    counts = [successes(by_task.get(task.key, ()), reading) for task in tasks]
    decided = [pair for pair in counts if pair[0]]
    rewards = [
        value
        for held in by_task.values()
        for value in map(reading, held)
        if value is not None
    ]
    interval = mean_interval([good / n for n, good in decided], seed=seed)
    return {
        "tasks": len(decided),
        "trials": sum(n for n, _ in decided),
        "solved": sum(good for _, good in decided),
        "average": fmean(rewards) if rewards else None,
        "pass": pass_hats(decided),
        "low": interval.low if interval else None,
        "high": interval.high if interval else None,
    }


def _cells(tasks: Sequence[TaskFacts], by_task: _ByTask) -> list[Json]:
    """Per cell of the grid, in order; cells without tasks are left out."""
    found = []
    for writes in WRITE_BANDS:
        for burden in (*BURDEN_BANDS, UNKNOWN):
            here = [
                task
                for task in tasks
                if (task.axes.write_band, task.axes.burden_band) == (writes, burden)
            ]
            if here:
                found.append(
                    {"writes": writes, "burden": burden, **_rates(here, by_task)}
                )
    return found


def _bands(
    tasks: Sequence[TaskFacts],
    by_task: _ByTask,
    band: Callable[[Axes], str],
    names: Iterable[str],
) -> list[Json]:
    found = []
    for name in names:
        here = [task for task in tasks if band(task.axes) == name]
        if here:
            found.append({"band": name, **_rates(here, by_task)})
    return found


def _rates(tasks: Sequence[TaskFacts], by_task: _ByTask) -> Json:
    """pass^1 in both readings; None where no trial is decided."""
    rates: Json = {"tasks": len(tasks)}
    for name, reading in READINGS.items():
        counts = [successes(by_task.get(task.key, ()), reading) for task in tasks]
        decided = [(n, good) for n, good in counts if n]
        rates[name] = fmean(good / n for n, good in decided) if decided else None
    rates["trials"] = sum(len(by_task.get(task.key, ())) for task in tasks)
    return rates


def _hard(
    subset: HardSubset, tasks: Sequence[TaskFacts], by_task: _ByTask, seed: int
) -> Json:
    inside = set(subset.tasks)
    parts = {
        "inside": [task for task in tasks if task.key in inside],
        "rest": [task for task in tasks if task.key not in inside],
    }
    return {
        "name": subset.name,
        "least": subset.least,
        "hash": subset.content_hash,
        "tasks": len(subset.tasks),
        **{
            part: {
                name: _reading(here, by_task, reading, seed)
                for name, reading in READINGS.items()
            }
            for part, here in parts.items()
        },
    }


def _tokens(trials: Sequence[TrialFacts]) -> Json | None:
    """What the agent wrote, in tokens: on solved trials, which alone can be compared, and on all. None: nobody counted."""
    told = [one for one in trials if one.agent_tokens is not None]
    if not told:
        return None
    return {
        "solved": spread([t.agent_tokens or 0 for t in told if _solved(t)]),
        "all": spread([t.agent_tokens or 0 for t in told]),
    }


def spread(values: Sequence[int]) -> Json | None:
    if not values:
        return None
    return {
        "trials": len(values),
        "mean": fmean(values),
        "median": median(values),
        "most": max(values),
        "sum": sum(values),
    }


def _solved(one: TrialFacts) -> bool:
    """By the reading with the judge, where it has spoken."""
    reward = one.reward_without if one.reward is None else one.reward
    return is_success(reward)


def _failures(trials: Sequence[TrialFacts]) -> list[Json]:
    """By kind, most first, each with an example."""
    found: dict[tuple[str, str], list[TrialFacts]] = {}
    for one in trials:
        if one.failure:
            found.setdefault((one.failure, one.owner), []).append(one)
    return [
        {
            "kind": kind,
            "owner": owner,
            "count": len(held),
            "tasks": len({one.task for one in held}),
            "example": held[0].key,
        }
        for (kind, owner), held in sorted(found.items(), key=lambda i: -len(i[1]))
    ]


def _actions(trials: Sequence[TrialFacts]) -> Json:
    """Gold actions that were made, whether or not they count."""
    reads, all_reads, writes, all_writes = (
        sum(one.matched[place] for one in trials) for place in range(4)
    )
    return {
        "reads": {"matched": reads, "total": all_reads},
        "writes": {"matched": writes, "total": all_writes},
    }


def _grounded(trials: Sequence[TrialFacts]) -> Json | None:
    """Of the solved ones those that the verification accepts, too: not lucky guesses. None without certificates."""
    judged = [one for one in trials if one.grounded is not None]
    if not judged:
        return None
    solved = [one for one in judged if _solved(one)]
    return {
        "trials": len(judged),
        "solved": len(solved),
        "accepted": sum(one.grounded is True for one in solved),
    }
