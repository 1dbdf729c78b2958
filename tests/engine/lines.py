"""Lines of task files that tests share: designed once, handed out as copies."""

import copy
import json
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from environments.core.environment import Environment
from environments.registry import world
from writ_app.engine.errors import InvalidTask
from writ_app.engine.proving import FalseClaim, Prover
from writ_app.engine.task_design import Designer
from writ_app.engine.task_file import line_of, read_line
from writ_app.engine.types import Task

type Line = dict[str, Any]


@dataclass
class Desk:
    """One small world, with who designs tasks in it and who proves them."""

    environment: Environment
    designer: Designer = field(init=False)
    prover: Prover = field(init=False)
    tasks: dict[str, Task] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.designer = Designer(self.environment)
        self.prover = Prover(self.environment)

    def task(self, slug: str) -> Task:
        """The task of an archetype; "joined" and "in order" are compositions, without and with an order that matters.

        "one way" is one of two parts of which the other order cannot be done.
        """
        if slug not in self.tasks:
            self.tasks[slug] = (
                self.designer.design(slug, 7)
                if slug in self.designer.archetypes
                else self._composed(slug)
            )
        return self.tasks[slug]

    def line(self, slug: str) -> Line:
        line: Line = json.loads(line_of(self.task(slug)))
        return copy.deepcopy(line)

    def refute(self, line: Line) -> FalseClaim | None:
        return self.prover.refute(read_line(json.dumps(line)))

    def _composed(self, kind: str) -> Task:
        for seed in range(40):
            writes = 2 if kind == "one way" else 2 + seed % 2
            try:
                task = self.designer.compose(writes, seed, draws=6)
            except InvalidTask:
                continue
            assert task.orders is not None
            if {
                "joined": not task.dependent,
                "in order": task.dependent,
                "one way": bool(task.orders.illegal),
            }[kind]:
                return task
        raise AssertionError("No composition of that kind in forty tries.")


@cache
def desk(name: str) -> Desk:
    return Desk(world(name).generated(seed=3, users=60))
