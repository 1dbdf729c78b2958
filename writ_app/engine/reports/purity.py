"""How clean a set is of benchmarks: what is shared and must not be, and how near the rest comes (knowledge of reports, §7.2)."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from writ_app.engine.decontamination import BenchmarkIndex, Nearest, distances
from writ_app.engine.reports.source import Observed
from writ_app.engine.reports.spread import most_common, ratio
from writ_app.engine.types import Task

EXAMPLES = 20
MEASURES = ("containment", "long_containment", "likeness", "resemblance")


class Purity:
    """Holds tasks (`add_task`), and what users say (`add`), against the benchmarks of their world."""

    def __init__(self, indexes: Mapping[str, BenchmarkIndex]):
        self._against = {name: _Against(index) for name, index in indexes.items()}

    def add_task(self, task: Task) -> None:
        for against in self._against.values():
            if against.index.environment == task.environment:
                against.add_task(task)

    def add(self, one: Observed) -> None:
        for against in self._against.values():
            if against.index.environment == one.record.world.name:
                against.add(one)

    def result(self) -> list[dict[str, Any]]:
        """One entry for each benchmark, those that nothing was compared with included."""
        return [
            {"benchmark": name, **against.result()}
            for name, against in self._against.items()
        ]


class _Against:
    def __init__(self, index: BenchmarkIndex):
        self.index = index
        self._nearest: list[Nearest] = []
        self._kinds: Counter[str] = Counter()
        self._gated = self._conversations = self._said = 0
        self._examples: list[dict[str, Any]] = []
        self._things: set[tuple[str, str]] = set()

    def add_task(self, task: Task) -> None:
        found = self.index.check(task)
        self._nearest.append(found.nearest)
        self._things |= self.index.things_of(task)
        if found.shared:
            self._gated += 1
            self._note(f"task {task.slug}", found.shared)

    def add(self, one: Observed) -> None:
        self._conversations += 1
        said = [
            message["content"]
            for message in one.record.messages
            if message["role"] == "user" and message.get("content")
        ]
        if shared := self.index.check_said(said):
            self._said += 1
            self._note(f"conversation {one.record.id[:12]}", shared)

    def _note(self, where: str, shared: Any) -> None:
        self._kinds.update({one.kind for one in shared})
        if len(self._examples) < EXAMPLES:
            self._examples.append(
                {"where": where, "shared": [str(one) for one in shared[:3]]}
            )

    def result(self) -> dict[str, Any]:
        theirs = self.index.things
        measured = distances(self._nearest, len(self.index)).model_dump(mode="json")
        same_shape = sum(bool(one.same_shape) for one in self._nearest)
        return {
            "world": self.index.environment,
            "benchmark_tasks": len(self.index),
            "tasks": len(self._nearest),
            "gated": self._gated,
            "conversations": self._conversations,
            "said": self._said,
            "kinds": most_common(self._kinds, 10),
            "examples": self._examples,
            "same_shape": same_shape,
            "same_shape_share": ratio(same_shape, len(self._nearest)),
            "nearest": {name: measured[name] for name in MEASURES},
            "things": {
                collection: {
                    "ours": sum(c == collection for c, _ in self._things),
                    "theirs": sum(c == collection for c, _ in theirs),
                    "shared": sum(c == collection for c, _ in self._things & theirs),
                }
                for collection in sorted({c for c, _ in self._things | theirs})
            },
        }
