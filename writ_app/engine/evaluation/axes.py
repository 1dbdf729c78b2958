"""Where a task lies on the two axes, and which tasks are hard: known before anybody is evaluated on them."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from environments.core.environment import Environment
from environments.core.tools import ToolCall
from writ_app.engine.benchmark_tasks import BenchmarkTask
from writ_app.engine.types import Frozen, burden_band, write_band

type BurdenSource = Literal["proved", "listed", "unknown"]
"""How the burden is known:

- `proved`: by the certificate of a task of our own;
- `listed`: different reads among the gold actions of a benchmark's task: what its author looked up, not proved to be needed;
- `unknown`: its gold lists no reads.
"""

UNKNOWN = "unknown"
"""In place of a band."""


class Axes(Frozen):
    """Writes in the gold, and reads that they rest on; None: nobody knows."""

    writes: int
    burden: int | None
    source: BurdenSource

    @property
    def write_band(self) -> str:
        return write_band(self.writes)

    @property
    def burden_band(self) -> str:
        return UNKNOWN if self.burden is None else burden_band(self.burden)


def axes_of_benchmark(environment: Environment, task: BenchmarkTask) -> Axes:
    """Of a task of a benchmark, by its gold actions."""
    criteria = task.get("evaluation_criteria") or {}
    actions: Sequence[Mapping[str, Any]] = criteria.get("actions") or ()
    reads = {
        ToolCall(name=one["name"], arguments=one["arguments"]).key
        for one in actions
        if environment.is_read(one["name"])
    }
    writes = sum(environment.is_write(one["name"]) for one in actions)
    if not reads:
        return Axes(writes=writes, burden=None, source="unknown")
    return Axes(writes=writes, burden=len(reads), source="listed")


class HardSubset(Frozen):
    """The tasks of a set with at least so much burden. Those whose burden nobody knows are never in it."""

    least: int
    tasks: tuple[str, ...]
    """Their keys, sorted."""
    content_hash: str
    """SHA-256 (hex) of the rule and the keys: who has it before a run can tell afterwards that nothing was picked."""

    @property
    def name(self) -> str:
        return f"burden ≥ {self.least}"


def hard_subset(least: int, burdens: Iterable[tuple[str, int | None]]) -> HardSubset:
    """`burdens` of (key of the task, burden)."""
    keys = sorted(key for key, burden in burdens if (burden or 0) >= least)
    told = json.dumps({"burden": {"least": least}, "tasks": keys}, sort_keys=True)
    return HardSubset(
        least=least,
        tasks=tuple(keys),
        content_hash=hashlib.sha256(told.encode()).hexdigest(),
    )
