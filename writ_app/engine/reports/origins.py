"""What a set was made by: models, versions of prompts, seeds, environments; and how stable outcomes are over trials of one task."""

import hashlib
from collections import Counter, defaultdict
from math import comb
from typing import Any

from writ_app.engine.reports.notes import short_hash
from writ_app.engine.reports.source import Observed
from writ_app.engine.reports.spread import most_common, ratio

NAMED = ("agent", "user", "prompt_version", "archetype", "class")


class Origins:
    def __init__(self) -> None:
        self._counts: dict[str, Counter[str]] = {name: Counter() for name in NAMED}
        self._worlds: Counter[str] = Counter()
        self._endings: Counter[str] = Counter()
        self._seeds: set[int] = set()
        self._seed_sum = 0
        self._scripted = self._known = self._count = 0

    def add(self, one: Observed) -> None:
        record, facts = one.record, one.record.facts
        self._count += 1
        self._worlds[record.world.key] += 1
        for name, counter in self._counts.items():
            if facts.get(name):
                counter[str(facts[name])] += 1
        if facts.get("ended_by"):
            self._endings[str(facts["ended_by"])] += 1
        if "scripted" in facts:
            self._known += 1
            self._scripted += bool(facts["scripted"])
        if "seed" in facts:
            seed = short_hash(str(facts["seed"]))
            if seed not in self._seeds:
                self._seeds.add(seed)
                self._seed_sum = (self._seed_sum + seed) % 2**64

    def result(self) -> dict[str, Any]:
        """`seeds_hash` stands for the set of seeds, whatever their order. `scripted` is None where nobody says who made it."""
        text = f"{len(self._seeds)} {self._seed_sum}"
        return {
            "scripted": self._scripted if self._known else None,
            "worlds": most_common(self._worlds, 50),
            "endings": most_common(self._endings, 20),
            "seeds": len(self._seeds),
            "seeds_hash": hashlib.sha256(text.encode()).hexdigest()
            if self._seeds
            else "",
            **{
                name: most_common(counter, 200)
                for name, counter in self._counts.items()
            },
        }


TRIALS = (1, 2, 3, 4, 8)


class Trials:
    """Takes accepted and rejected ones. A success is an accepted one, or a reward of 1."""

    def __init__(self) -> None:
        self._tried: Counter[int] = Counter()
        self._succeeded: Counter[int] = Counter()
        self._rewards = 0

    def add(self, one: Observed, *, accepted: bool) -> None:
        facts = one.record.facts
        if "reward" in facts and facts["reward"] is not None:
            accepted = facts["reward"] >= 1
            self._rewards += 1
        elif "accepted" not in facts:
            return
        task = short_hash(one.record.task)
        self._tried[task] += 1
        self._succeeded[task] += accepted

    def result(self) -> dict[str, Any]:
        """`pass`: [[k, pass^k, tasks]] (Yao et al. 2024): the chance that k trials of a task, drawn from those made, all succeed,
        on average over tasks with k trials or more. `spread` counts tasks by [trials, successes]."""
        spread: defaultdict[tuple[int, int], int] = defaultdict(int)
        for task, tried in self._tried.items():
            spread[tried, self._succeeded[task]] += 1
        passed = []
        for k in TRIALS:
            chances = [
                (comb(succeeded, k) / comb(tried, k), tasks)
                for (tried, succeeded), tasks in spread.items()
                if tried >= k
            ]
            tasks = sum(count for _, count in chances)
            if tasks:
                mean = sum(chance * count for chance, count in chances) / tasks
                passed.append([k, round(mean, 4), tasks])
        mixed = sum(n for (tried, won), n in spread.items() if 0 < won < tried)
        several = sum(n for (tried, _), n in spread.items() if tried > 1)
        return {
            "tasks": len(self._tried),
            "by_reward": bool(self._rewards),
            "several": several,
            "mixed": ratio(mixed, several),
            "pass": passed,
            "spread": [[*pair, count] for pair, count in sorted(spread.items())][:60],
        }
