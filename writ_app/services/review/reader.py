"""Reading a conversation part by part: one step opened, words found in all of it, one replay tried otherwise."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from environments.core.display import Display
from environments.core.environment import Environment
from writ_app.engine.errors import WritError
from writ_app.engine.types import Task, Trajectory
from writ_app.models import catalog, synthesis
from writ_app.models.prepared import Joined
from writ_app.models.review import ReviewItem
from writ_app.services.catalog import load_environment
from writ_app.services.review.replay import Difference, compare, left_out, swapped
from writ_app.services.review.steps import Step, make_steps

SHOWN = 250_000
"""Characters of one text that reach a page; more is downloaded."""
PARSED = 8_000_000
"""Characters of one result that are laid out as a record; more is text."""
HITS = 200
"""Steps listed of one search."""
SNIPPET = 60
"""Characters on each side of what was found."""


class NoSuchStep(WritError):
    """The conversation has no step, or no write, of that number."""


_ITEM = Joined(
    """
    FROM writ_app_reviewitem AS item
    JOIN writ_app_trajectory AS trajectory ON trajectory.id = item.trajectory_id
    JOIN writ_app_simulation AS simulation ON simulation.id = trajectory.simulation_id
    JOIN writ_app_task AS task ON task.id = item.task_id
    JOIN writ_app_environment AS environment ON environment.id = task.environment_id
    JOIN writ_app_batch AS batch ON batch.id = item.batch_id
    WHERE item.id = %(item)s
    """,
    {
        "item": (
            ReviewItem,
            "id trajectory_id number canary content verification edited_by_id team_id batch_id task_id scripted accepted ready "
            "reason failed wanted status",
        ),
        "trajectory": (synthesis.Trajectory, "id simulation_id content verification"),
        "simulation": (synthesis.Simulation, "id batch_id task_id plan seed ledger"),
        "task": (catalog.Task, "id environment_id content"),
        "environment": (catalog.Environment, "id name version content_hash"),
        "batch": (synthesis.Batch, "id team_id name"),
    },
)
"""What a page shows of an item, without the environment's state."""


def load_item(item_id: int) -> ReviewItem:
    """The item with everything upstream of it. Raises ReviewItem.DoesNotExist."""
    found = _ITEM.rows({"item": item_id})
    if not found:
        raise ReviewItem.DoesNotExist(f"There is no item {item_id}.")
    row, trajectory, simulation, task, environment, batch = found[0]
    row.trajectory, row.task, row.batch = trajectory, task, batch
    trajectory.simulation, simulation.task, task.environment = (
        simulation,
        task,
        environment,
    )
    loaded: ReviewItem = row
    return loaded


def _steps_of(row: ReviewItem) -> tuple[Environment, tuple[Step, ...]]:
    environment = load_environment(row.task.environment)
    trajectory = Trajectory.model_validate(row.stored_content)
    return environment, make_steps(trajectory.messages, environment)


# --- one step ------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class OpenStep:
    """One step in full, as far as a page can bear it."""

    row: ReviewItem
    step: Step
    display: Display
    last: int
    """Number of the last step."""

    @property
    def text(self) -> str:
        return self.step.text[:SHOWN]

    @property
    def hidden(self) -> int:
        """Characters that are not shown."""
        return max(0, len(self.step.text) - SHOWN)

    @property
    def pretty(self) -> bool:
        """Whether the raw result is indented; of a longer one the beginning is shown as it came."""
        return not self.hidden

    @property
    def is_record(self) -> bool:
        """Whether the result is data that can be laid out."""
        step = self.step
        return len(step.text) <= PARSED and isinstance(step.result, dict | list)


def open_step(*, item_id: int, number: int) -> OpenStep:
    """Raises NoSuchStep, ReviewItem.DoesNotExist."""
    row = load_item(item_id)
    environment, steps = _steps_of(row)
    if not 1 <= number <= len(steps):
        raise NoSuchStep(f"There are {len(steps)} steps.")
    return OpenStep(row, steps[number - 1], environment.domain.display, len(steps))


# --- finding words -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Hit:
    step: Step
    count: int
    before: str
    match: str
    after: str


@dataclass(frozen=True)
class Found:
    query: str
    hits: tuple[Hit, ...]
    total: int
    """Times that it stands anywhere, also in steps that are not listed."""
    steps: int


def find_words(*, item_id: int, query: str) -> Found:
    """Every step that has these words in what was said, called or answered, in any case. Raises ReviewItem.DoesNotExist."""
    _, steps = _steps_of(load_item(item_id))
    hits = tuple(_hits(steps, query)) if query.strip() else ()
    return Found(query, hits[:HITS], sum(hit.count for hit in hits), len(hits))


def _hits(steps: Sequence[Step], query: str) -> Iterator[Hit]:
    pattern = re.compile(re.escape(query.strip()), re.IGNORECASE)
    for step in steps:
        text = step.text
        if step.name:
            called = json.dumps(step.arguments, ensure_ascii=False)
            text = f"{step.name} {called}\n{text}"
        first = pattern.search(text)
        if first:
            start, end = first.span()
            yield Hit(
                step,
                sum(1 for _ in pattern.finditer(text)),
                text[max(0, start - SNIPPET) : start],
                first[0],
                text[end : end + SNIPPET],
            )


# --- replays -------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Otherwise:
    """The writes that were made, replayed in another way, beside the gold."""

    number: int
    how: Literal["without", "swapped"]
    name: str
    difference: Difference
    refused: tuple[tuple[str, str], ...]
    """(tool, what the environment said) of each write that it then refuses."""


def replay_otherwise(
    *, item_id: int, number: int, how: Literal["without", "swapped"]
) -> Otherwise:
    """Leave out the `number`-th write that was made (from 1), or make it after the next one. Raises NoSuchStep, ReviewItem.DoesNotExist."""
    row = load_item(item_id)
    environment, steps = _steps_of(row)
    made = [step.call for step in steps if step.kind == "write"]
    if not 1 <= number <= len(made) - (how == "swapped"):
        raise NoSuchStep("There is no such write.")
    calls = (left_out if how == "without" else swapped)(made, number)
    gold = [write.call for write in Task.model_validate(row.task.content).gold]
    results = environment.session().replay(calls)
    refused = (
        (call.name, result.content)
        for call, result in zip(calls, results, strict=True)
        if result.error
    )
    return Otherwise(
        number=number,
        how=how,
        name=made[number - 1].name,
        difference=compare(environment, gold, calls, ("gold", "then")),
        refused=tuple(islice(refused, 20)),
    )
