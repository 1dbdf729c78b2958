"""τ²-bench's own files, a folder per environment: results.json with simulations, tasks.json with what they were asked.

Its loader reads them and its evaluator scores them (tau2 SPEC §7, §11). Greeting and stop stay: they are part of a simulation.
Records tell in their facts how they came about: who played, when, with which seed.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

from environments import registry
from environments.core.state import State
from environments.core.tools import Mode
from environments.core.words import PLAIN, Words
from writ_app.engine.benchmark_results import (
    Player,
    Run,
    Simulated,
    simulation_of,
    write_results,
)
from writ_app.engine.benchmark_tasks import BenchmarkTask, benchmark_task
from writ_app.engine.export.chunks import in_chunks
from writ_app.engine.export.fixed import Row
from writ_app.engine.export.formats.base import Conversation, Format, Written
from writ_app.engine.export.formats.chat import (
    USER_TOOLS,
    listed,
    listed_if_any,
    parse_function,
    part,
    text,
)
from writ_app.engine.export.options import Options
from writ_app.engine.export.records import (
    Dataset,
    Json,
    Record,
    World,
    is_whole,
    spoken,
    tool_message,
    trajectory_of,
)
from writ_app.engine.export.unfit import UnfitRow
from writ_app.engine.simulation import agent_prompt
from writ_app.engine.types import Task

LONGEST_ID = 100
"""Characters of a task's id; a longer one is its hash."""


def rows(record: Record, options: Options) -> Iterator[Row]:
    """One simulation, as it stands in a file of its own."""
    run = _run(record.world, _Summary().with_record(record))
    task_id = record.facts.get("slug", record.task)
    yield simulation_of(run, simulated(record, task_id, record.facts.get("trial", 0)))


def simulated(record: Record, task_id: str, trial: int) -> Simulated:
    """Raises UnfitRow for a record that does not tell how it was simulated, or when."""
    if not is_whole(record):
        raise UnfitRow("no_run", "The record does not tell how it was simulated.")
    started, finished = _moment(record, "started_at"), _moment(record, "finished_at")
    return Simulated(trajectory_of(record), task_id, trial, started, finished)


def _moment(record: Record, name: str) -> datetime:
    """In UTC."""
    try:
        moment = datetime.fromisoformat(record.facts[name])
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (KeyError, TypeError, ValueError):
        raise UnfitRow("no_times", f"The record has no moment for {name}.") from None


def parse(row: Mapping[str, Any]) -> Conversation:
    """A simulation. Raises UnfitRow for one in which the user calls tools."""
    policy = text(row, "policy")
    return Conversation(
        agent_prompt(policy) if policy else "",
        [_parse_message(one) for one in listed(row, "messages")],
        [],
    )


def _parse_message(one: Any) -> Json:
    role = part(one, "role")
    if role == "tool":
        made = tool_message(part(one, "id"), text(one, "content"))
        return {**made, "error": True} if one.get("error") else made
    if role not in ("user", "assistant"):
        raise UnfitRow("bad_message", f"A message has the role {role!r}.")
    calls = [_parse_call(made) for made in listed_if_any(one, "tool_calls")]
    if calls and role == "user":
        raise UnfitRow("user_tools", USER_TOOLS)
    return spoken(role, text(one, "content"), calls)


def _parse_call(made: Any) -> Json:
    return {"id": part(made, "id"), **parse_function(made)}


# --- a file --------------------------------------------------------------------------------------------------------------------


@dataclass
class _Summary:
    """What the head of a file tells of its simulations."""

    agents: set[str] = field(default_factory=set)
    users: set[str] = field(default_factory=set)
    seeds: set[int] = field(default_factory=set)
    of_task: Counter[str] = field(default_factory=Counter)
    finished: datetime | None = None
    """When the last of them was."""

    def with_record(self, record: Record) -> "_Summary":
        """Raises UnfitRow like `simulated`."""
        if not is_whole(record):
            raise UnfitRow("no_run", "The record does not tell how it was simulated.")
        self.agents.add(record.facts["agent"])
        self.users.add(record.facts["user"])
        self.seeds.add(record.facts["seed"])
        self.of_task[record.task] += 1
        finished = _moment(record, "finished_at")
        self.finished = max(self.finished or finished, finished)
        return self


def _run(world: World, summary: _Summary) -> Run:
    assert summary.finished is not None
    return Run(
        environment=world,
        agent=_player(summary.agents),
        user=_player(summary.users),
        seed=min(summary.seeds),
        trials=max(summary.of_task.values()),
        made_at=summary.finished,
    )


def _player(names: set[str]) -> Player:
    return Player(", ".join(sorted(names)), scripted=names == {"scripted"})


def write(dataset: Dataset, options: Options) -> Iterator[Written]:
    """One results.json per environment that has records."""

    @cache
    def summaries() -> Mapping[str, _Summary]:
        found: dict[str, _Summary] = {}
        for record in dataset.records():
            found.setdefault(record.world.key, _Summary()).with_record(record)
        return found

    def results(world: World, counted: Callable[[], None]) -> Iterator[bytes]:
        ids: dict[str, str] = {}
        trials: Counter[str] = Counter()

        def simulations() -> Iterator[Simulated]:
            for record in dataset.records():
                if record.world.key == world.key:
                    if record.task not in ids:
                        raise UnfitRow("no_task", f"There is no task {record.task}.")
                    counted()
                    yield simulated(record, ids[record.task], trials[record.task])
                    trials[record.task] += 1

        run = _run(world, summaries()[world.key])
        parts = write_results(run, _tasks(dataset, world, ids), simulations())
        return in_chunks(part.encode() for part in parts)

    for world in dataset.worlds.values():
        yield Written(f"{folder_of(world)}/results.json", "", partial(results, world))


def _tasks(
    dataset: Dataset, world: World, ids: dict[str, str]
) -> Iterator[BenchmarkTask]:
    """The tasks of a file; `ids` is filled with their ids by their hashes: the slug, or the hash if that is taken or too long."""
    taken: set[str] = set()
    for key, task in dataset.tasks(world.key):
        slug = task.slug
        ids[key] = key if slug in taken or len(slug) > LONGEST_ID else slug
        taken.add(slug)
        yield benchmark_task(task, words_of(task), task_id=ids[key])


def words_of(task: Task) -> Words:
    return _words(task.environment)


@cache
def _words(name: str) -> Words:
    """A world's words do not depend on its database; one that is not known here has plain ones."""
    if name not in registry.names():
        return PLAIN
    empty = registry.world(name).build(
        state=State({}), version="empty", mode=Mode.CORRECTED
    )
    return empty.domain.words


def folder_of(world: World) -> str:
    """A folder's name, whatever an environment is called."""
    return re.sub(r"[^A-Za-z0-9._-]+|^\.+", "-", f"{world.name}-{world.version}")


TAU2_RESULTS = Format(
    slug="tau2_results",
    title="τ²-bench results",
    folder="tau2",
    suffix="json",
    rows=rows,
    parse=parse,
    loss=(
        "Tool schemas stand in the benchmark, not in the file.",
        "The system prompt is the policy alone; read back, it is the policy in the agent's instructions.",
        "Of the facts those remain that a simulation has; what was not recorded is null.",
    ),
    load="tau2 view --file tau2/<environment>/results.json",
    load_language="sh",
    flags=False,
    write=write,
)


# --- tasks ---------------------------------------------------------------------------------------------------------------------


def no_rows(record: Record, options: Options) -> Iterator[Row]:
    """A tasks file is of tasks, not of records."""
    return iter(())


def parse_nothing(row: Mapping[str, Any]) -> Conversation:
    raise UnfitRow("no_conversation", "A tasks file holds no conversations.")


def write_tasks(dataset: Dataset, options: Options) -> Iterator[Written]:
    """tasks.json and split_tasks.json per environment; its split `base` holds all, the others what the dataset's hold."""

    def tasks(world: World, counted: Callable[[], None]) -> Iterator[bytes]:
        def parts() -> Iterator[str]:
            separator = "[\n"
            for task in _tasks(dataset, world, {}):
                counted()
                yield separator + json.dumps(task)
                separator = ",\n"
            yield "[]\n" if separator == "[\n" else "\n]\n"

        return in_chunks(part.encode() for part in parts())

    @cache
    def held() -> Mapping[str, Mapping[str, set[str]]]:
        """Environment → split → hashes of its tasks."""
        found: dict[str, dict[str, set[str]]] = {}
        for record in dataset.records():
            splits = found.setdefault(record.world.key, {})
            splits.setdefault(record.split, set()).add(record.task)
        return found

    def splits(world: World, counted: Callable[[], None]) -> Iterator[bytes]:
        ids: dict[str, str] = {}
        base = [task["id"] for task in _tasks(dataset, world, ids)]
        named = {
            split: [ids[key] for key in ids if key in own]
            for split, own in held().get(world.key, {}).items()
        }
        yield (json.dumps({"base": base} | named) + "\n").encode()

    for world in dataset.worlds.values():
        folder = folder_of(world)
        yield Written(f"{folder}/tasks.json", "", partial(tasks, world))
        yield Written(f"{folder}/split_tasks.json", "", partial(splits, world))


TAU2_TASKS = Format(
    slug="tau2_tasks",
    title="τ²-bench tasks",
    folder="tau2",
    suffix="json",
    rows=no_rows,
    parse=parse_nothing,
    loss=(
        "Tasks without conversations; of a task, what the benchmark's evaluator needs.",
    ),
    load="tau2 run --domain <domain> --task-split-name base  # with the files in the domain's data folder",
    load_language="sh",
    write=write_tasks,
)
