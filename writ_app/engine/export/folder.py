"""A dataset as a folder of its three canonical files: written from any dataset, and read as one.

Reading streams: a pass holds one line. Every line is checked as it is read; an error names the file and the line.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property, partial
from math import isinf
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from writ_app.engine.errors import WritError
from writ_app.engine.export.chunks import in_chunks
from writ_app.engine.export.records import (
    Dataset,
    Json,
    Record,
    World,
    compact,
    content_hash_of,
    is_whole,
    trajectory_json,
)
from writ_app.engine.export.writing import File
from writ_app.engine.types import Task

TRAJECTORIES = "trajectories.jsonl"
TASKS = "tasks.jsonl"
ENVIRONMENTS = "environments.jsonl"
CANONICAL = "canonical"
"""What the three files have in place of a format's slug."""

LONGEST_LINE = 1 << 26
"""Bytes: a line is read whole."""
OWN_KEYS = frozenset(("id", "task", "split", "environment", "messages"))
"""Keys of a line that are no facts."""


class BadFolder(WritError):
    """A file is missing, or a line of one is not what it should be; the text says which."""

    def __init__(self, file: str, line: int, text: str):
        super().__init__(f"{file}, line {line}: {text}" if line else f"{file}: {text}")
        self.file = file
        self.line = line
        """Counted from 1; 0: it is about the whole file."""


# --- writing -------------------------------------------------------------------------------------------------------------------


def write_canonical(dataset: Dataset) -> Iterator[File]:
    """The three files, environments first: whoever reads the folder in this order knows what a line speaks of."""

    def counted(file: File, lines: Iterator[str]) -> Iterator[bytes]:
        def each() -> Iterator[bytes]:
            for line in lines:
                file.rows += 1
                yield (line + "\n").encode()

        return in_chunks(each())

    def environments(file: File) -> Iterator[bytes]:
        return counted(
            file, (compact(world.as_json) for world in dataset.worlds.values())
        )

    def tasks(file: File) -> Iterator[bytes]:
        return counted(file, (task_line(key, task) for key, task in dataset.tasks()))

    def trajectories(file: File) -> Iterator[bytes]:
        return counted(file, (record.line for record in dataset.records()))

    yield File(ENVIRONMENTS, CANONICAL, "", environments)
    yield File(TASKS, CANONICAL, "", tasks)
    yield File(TRAJECTORIES, CANONICAL, "", trajectories)


def task_line(key: str, task: Task) -> str:
    """One line of `tasks.jsonl`: the task's hash, then the task as it is stored."""
    return compact({"id": key, "content": task.model_dump(mode="json")})


# --- reading -------------------------------------------------------------------------------------------------------------------


class FolderDataset:
    """The dataset in a folder. `hashes`: file name → SHA-256 (hex) that a whole pass over it must give, e.g. a manifest's.

    Everything raises BadFolder, at the line that is wrong.
    """

    def __init__(self, path: Path, hashes: Mapping[str, str] | None = None):
        self.path = path
        self._hashes = dict(hashes or {})

    @cached_property
    def worlds(self) -> Mapping[str, World]:
        worlds: dict[str, World] = {}
        for number, value in self._lines(ENVIRONMENTS):
            world = self._read(ENVIRONMENTS, number, partial(_world, value))
            if world.key in worlds:
                raise BadFolder(ENVIRONMENTS, number, f"{world.key} is there twice.")
            worlds[world.key] = world
        return dict(sorted(worlds.items()))

    @cached_property
    def splits(self) -> tuple[str, ...]:
        """In the order in which their first records stand."""
        seen: dict[str, None] = {}
        for _, value in self._lines(TRAJECTORIES):
            seen.setdefault(str(value.get("split")))
        return tuple(seen)

    def records(self, split: str | None = None) -> Iterator[Record]:
        for number, value in self._lines(TRAJECTORIES):
            if split is None or value.get("split") == split:
                yield self._read(
                    TRAJECTORIES, number, partial(parse_record, value, self.worlds)
                )

    def tasks(self, world: str | None = None) -> Iterator[tuple[str, Task]]:
        last = ""
        for number, value in self._lines(TASKS):
            key, task = self._read(TASKS, number, partial(_task, value))
            if key <= last:
                raise BadFolder(
                    TASKS,
                    number,
                    "Tasks have to stand once each, in order of their ids.",
                )
            last = key
            if world in (None, f"{task.environment}/{task.environment_version}"):
                yield key, task

    def _lines(self, name: str) -> Iterator[tuple[int, Json]]:
        """(number, object) of each line; at the end the whole file's hash is compared."""
        whole = hashlib.sha256()
        try:
            with (self.path / name).open("rb") as file:
                lines = iter(lambda: file.readline(LONGEST_LINE + 1), b"")
                for number, line in enumerate(lines, start=1):
                    whole.update(line)
                    yield number, self._object(name, number, line)
        except OSError as error:
            raise BadFolder(name, 0, error.strerror or str(error)) from error
        if whole.hexdigest() != self._hashes.get(name, whole.hexdigest()):
            raise BadFolder(
                name,
                0,
                "The file is not the one that was written: its SHA-256 is another.",
            )

    def _object(self, name: str, number: int, line: bytes) -> Json:
        if len(line) > LONGEST_LINE:
            raise BadFolder(name, number, f"It has more than {LONGEST_LINE:,} bytes.")
        try:
            value = json.loads(line, parse_constant=_no_number, parse_float=_finite)
        except (ValueError, RecursionError) as error:
            raise BadFolder(
                name, number, f"This is no JSON in UTF-8: {error}."
            ) from error
        if not isinstance(value, dict):
            raise BadFolder(name, number, "This is no object.")
        return value

    def _read[T](self, name: str, number: int, read: Callable[[], T]) -> T:
        try:
            return read()
        except BadLine as error:
            raise BadFolder(name, number, str(error)) from error


def _finite(text: str) -> float:
    number = float(text)
    if isinf(number):
        raise ValueError(f"{text[:40]} is larger than a number may be")
    return number


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


class BadLine(WritError):
    """One line is not what it should be."""


def parse_record(value: Json, worlds: Mapping[str, World]) -> Record:
    """The record of a line of `trajectories.jsonl`; its id is checked if the line tells all that it rests on. Raises BadLine."""
    for key in ("id", "task", "split", "environment"):
        if not isinstance(value.get(key), str):
            raise BadLine(f"There is no text for “{key}”.")
    if value["environment"] not in worlds:
        raise BadLine(f"There is no environment {value['environment']}.")
    check_messages(value.get("messages"))
    record = Record(
        id=value["id"],
        task=value["task"],
        split=value["split"],
        world=worlds[value["environment"]],
        messages=value["messages"],
        facts={key: one for key, one in value.items() if key not in OWN_KEYS},
    )
    if is_whole(record) and content_hash_of(trajectory_json(record)) != record.id:
        raise BadLine("The content is not what the id says (SHA-256).")
    return record


KEYS = {
    "user": {"role", "content"},
    "assistant": {"role", "content", "tool_calls"},
    "tool": {"role", "tool_call_id", "content", "error"},
}
"""What a canonical message may hold."""


def check_messages(messages: Any) -> None:
    """Raises BadLine unless these are canonical messages."""
    if not isinstance(messages, list):
        raise BadLine("There is no list of messages.")
    for n, message in enumerate(messages, start=1):
        role = message.get("role") if isinstance(message, dict) else None
        if not isinstance(role, str) or not KEYS.get(role, set()).issuperset(message):
            raise BadLine(f"Message {n} has an unknown role or key.")
        if not isinstance(
            message.get("content", "" if role == "assistant" else None), str
        ):
            raise BadLine(f"The content of message {n} is not a text.")
        if role == "tool" and not isinstance(message.get("tool_call_id"), str):
            raise BadLine(f"Message {n} does not say which call it answers.")
        calls = message.get("tool_calls", [])
        if not isinstance(calls, list):
            raise BadLine(f"The calls of message {n} are no list.")
        for made in calls:
            if not _is_call(made):
                raise BadLine(
                    f"Message {n} holds a call without id, name or arguments."
                )


def _is_call(made: Any) -> bool:
    return (
        isinstance(made, dict)
        and made.keys() == {"id", "name", "arguments"}
        and isinstance(made["id"], str)
        and isinstance(made["name"], str)
        and isinstance(made["arguments"], dict)
    )


def _world(value: Json) -> World:
    names = ("name", "version", "content_hash", "state_hash", "policy", "system")
    tools = value.get("tools")
    if not isinstance(tools, list) or not all(
        isinstance(value.get(n), str) for n in names
    ):
        raise BadLine(
            f"An environment has texts for {', '.join(names)}, and a list of tools."
        )
    for tool in tools:
        try:
            named = isinstance(tool["function"]["name"], str)
        except (KeyError, TypeError):
            named = False
        if not named:
            raise BadLine("A tool has no function with a name.")
    return World(**{name: value[name] for name in names}, tools=tuple(tools))


def _task(value: Json) -> tuple[str, Task]:
    content = value.get("content")
    if not isinstance(content, dict) or content_hash_of(content) != value.get("id"):
        raise BadLine("The task is not what its id says (SHA-256).")
    try:
        return value["id"], Task.model_validate(content)
    except ValidationError as error:
        raise BadLine(f"This is no task: {error.errors()[0]['msg']}.") from error
