"""What a dataset holds, in its one canonical form: every file for a trainer is a pure function of it.

A dataset's canonical files are `trajectories.jsonl` (one `Record` a line), `tasks.jsonl` (every task they speak of, once) and
`environments.jsonl` (one `World` a line). A database and a folder of those files are the same `Dataset` to everything that
writes formats or reports, so that whoever has the folder can make every other file again, byte for byte.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from writ_app.engine.types import Task

type Json = dict[str, Any]


@dataclass(frozen=True)
class World:
    """What all records of one version of an environment share. Formats write it from here, encoded once."""

    name: str
    version: str
    content_hash: str
    state_hash: str
    policy: str
    system: str
    """The agent's system prompt, with the policy in it and without tool schemas."""
    tools: tuple[Json, ...]
    """OpenAI tool schemas, in the order in which the agent had them."""

    @property
    def key(self) -> str:
        """What records call it by."""
        return f"{self.name}/{self.version}"

    @cached_property
    def tools_json(self) -> str:
        """The schemas as compact JSON, for rows that hold them as text and for encoders that paste them in."""
        return compact(list(self.tools))


@dataclass(frozen=True)
class Record:
    """One trajectory of a dataset.

    Messages are plain JSON, keys that would be empty left out: {role: user, content}, {role: assistant, content?,
    tool_calls?: [{id, name, arguments: object}]}, {role: tool, tool_call_id, content, error?: true}; arguments in the order of
    the tool's signature. They are the whole conversation: stop tokens and greetings are the formats' business.
    """

    id: str
    """SHA-256 (hex) of the trajectory's content (`Trajectory.content_hash`)."""
    task: str
    """SHA-256 (hex) of the task's content (`Task.content_hash`)."""
    split: str
    world: World
    messages: Sequence[Json]
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What it is told apart and counted by: archetype, class, plan, writes, burden, agent, user, seed, scripted …"""

    @property
    def line(self) -> str:
        """The record as one line of `trajectories.jsonl`, without its line feed."""
        return compact(
            {
                "id": self.id,
                "task": self.task,
                "split": self.split,
                "environment": self.world.key,
                **self.facts,
                "messages": list(self.messages),
            }
        )


class Dataset(Protocol):
    """Records to write, wherever they are kept. Each call reads anew, in the same order."""

    @property
    def worlds(self) -> Mapping[str, World]:
        """By key, in order of the keys."""

    @property
    def splits(self) -> tuple[str, ...]:
        """Names of the splits that hold something, in order."""

    def records(self, split: str | None = None) -> Iterator[Record]:
        """Those of one split, or all; few in memory at a time."""

    def tasks(self, world: str | None = None) -> Iterator[tuple[str, Task]]:
        """(content hash, task) of every task that a record speaks of (of that world), once each, in order of the hashes."""


def compact(value: Any) -> str:
    """JSON without spaces, in the order of the keys, other scripts as they are: the same text for the same value, always."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def digest(text: str) -> str:
    """SHA-256 (hex) of the text in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()
