"""Two runs on the same tasks, told in pairs: what differs between the agents, and not between the tasks.

Tasks that only one of them has are left out, and counted. Differences are right − left.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from statistics import fmean
from typing import Any

from writ_app.engine.alignment import Decisive, Pair, PlayedCall, align, first_decisive
from writ_app.engine.evaluation.bootstrap import RESAMPLES, Interval, paired_interval
from writ_app.engine.evaluation.repeats import is_success, pass_k
from writ_app.engine.evaluation.summary import (
    READINGS,
    Reading,
    TaskFacts,
    TrialFacts,
    successes,
)

type Json = dict[str, Any]


def compare(
    tasks: Sequence[TaskFacts],
    left: Iterable[TrialFacts],
    right: Iterable[TrialFacts],
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Json:
    """`tasks` are those of both runs. Plain JSON."""
    ours, theirs = _by_task(left), _by_task(right)
    return {
        "seed": seed,
        "resamples": resamples,
        "readings": {
            name: _reading(tasks, ours, theirs, reading, seed, resamples)
            for name, reading in READINGS.items()
        },
        "tokens": _tokens(tasks, ours, theirs, seed, resamples),
        "rows": [
            _row(task, ours.get(task.key, ()), theirs.get(task.key, ()))
            for task in tasks
        ],
    }


type _ByTask = Mapping[str, Sequence[TrialFacts]]


def _by_task(trials: Iterable[TrialFacts]) -> _ByTask:
    found: defaultdict[str, list[TrialFacts]] = defaultdict(list)
    for one in trials:
        if one.counted:
            found[one.task].append(one)
    return found


def _reading(
    tasks: Sequence[TaskFacts],
    ours: _ByTask,
    theirs: _ByTask,
    reading: Reading,
    seed: int,
    resamples: int,
) -> Json:
    """pass^k of both on the tasks that both decide, each with the interval of the difference."""
    pairs = []
    for task in tasks:
        one = successes(ours.get(task.key, ()), reading)
        other = successes(theirs.get(task.key, ()), reading)
        if one[0] and other[0]:
            pairs.append((one, other))
    most = min((min(one[0], other[0]) for one, other in pairs), default=0)
    lines = []
    for k in range(1, most + 1):
        lefts = [pass_k(*one, k) for one, _ in pairs]
        rights = [pass_k(*other, k) for _, other in pairs]
        found = paired_interval(lefts, rights, seed=seed, resamples=resamples)
        lines.append(
            {
                "k": k,
                "left": fmean(lefts),
                "right": fmean(rights),
                "difference": _json(found),
            }
        )
    better = [other[1] / other[0] - one[1] / one[0] for one, other in pairs]
    return {
        "tasks": len(pairs),
        "pass": lines,
        "right_better": sum(value > 0 for value in better),
        "left_better": sum(value < 0 for value in better),
        "even": sum(value == 0 for value in better),
    }


def _json(found: Interval | None) -> Json | None:
    return asdict(found) if found else None


def _tokens(
    tasks: Sequence[TaskFacts],
    ours: _ByTask,
    theirs: _ByTask,
    seed: int,
    resamples: int,
) -> Json | None:
    """Output tokens of the agent on tasks that both have solved at least once, of solved trials alone: who fails early saves nothing."""
    lefts, rights = [], []
    for task in tasks:
        one = _solved_tokens(ours.get(task.key, ()))
        other = _solved_tokens(theirs.get(task.key, ()))
        if one and other:
            lefts.append(fmean(one))
            rights.append(fmean(other))
    if not lefts:
        return None
    found = paired_interval(lefts, rights, seed=seed, resamples=resamples)
    return {
        "tasks": len(lefts),
        "left": fmean(lefts),
        "right": fmean(rights),
        "difference": _json(found),
    }


def _solved_tokens(trials: Sequence[TrialFacts]) -> list[int]:
    return [
        one.agent_tokens
        for one in trials
        if one.agent_tokens is not None and _solved(one)
    ]


def _solved(one: TrialFacts) -> bool:
    reward = one.reward_without if one.reward is None else one.reward
    return is_success(reward)


def _row(
    task: TaskFacts, left: Sequence[TrialFacts], right: Sequence[TrialFacts]
) -> Json:
    """One line of the table. Counts are (trials, successes) without the judge where it has not spoken."""
    sides: Json = {}
    for name, held in (("left", left), ("right", right)):
        solved = sum(map(_solved, held))
        sides[name] = {
            "trials": len(held),
            "solved": solved,
            "rate": solved / len(held) if held else None,
            "failures": sorted({one.failure for one in held if one.failure}),
            "tokens": fmean(told) if (told := _solved_tokens(held)) else None,
        }
    both = sides["left"]["rate"], sides["right"]["rate"]
    known = None not in both
    return {
        "task": task.key,
        "writes": task.axes.writes,
        "burden": task.axes.burden,
        **sides,
        "difference": both[1] - both[0] if known else None,
    }


def differing(
    left: Sequence[PlayedCall], right: Sequence[PlayedCall]
) -> tuple[tuple[Pair, ...], Decisive | None]:
    """Calls of two conversations about one task side by side, and the first difference that decided."""
    pairs = align(left, right)
    return pairs, first_decisive(pairs)
