"""Whether the tasks of somebody's file can be reckoned with."""

from collections.abc import Mapping, Sequence
from typing import Any

from writ_app.adapters import tau2_shapes
from writ_app.services.evaluation.sets import BadRun


def check_task(task: Mapping[str, Any], *, place: str) -> None:
    """Raises BadRun, which names the place of what is wrong: `place` and the path below it."""
    if fault := tau2_shapes.fault_of(task):
        raise BadRun(f"{place}{fault}")


def check_names(names: Sequence[str], *, file: str) -> None:
    """Raises BadRun for two tasks of one name, of which nobody could tell whose conversation is whose."""
    seen: set[str] = set()
    for place, name in enumerate(names):
        if name in seen:
            raise BadRun(f"{file}, $.tasks[{place}].id: two tasks are called {name!r}.")
        seen.add(name)
