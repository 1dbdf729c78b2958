"""What a dataset holds, in its one canonical form: every file for a trainer is a pure function of it.

A dataset's canonical files are `trajectories.jsonl` (one `Record` a line), `tasks.jsonl` (every task they speak of, once) and
`environments.jsonl` (one `World` a line). A database and a folder of those files are the same `Dataset` to everything that
writes formats or reports, so that whoever has the folder can make every other file again, byte for byte.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol, cast

from environments.core.environment import Environment
from environments.core.tools import ordered
from writ_app.engine.simulation import agent_prompt
from writ_app.engine.types import Task, Trajectory, Usage

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
        """The schemas as compact JSON, for rows that hold them as text."""
        return compact(list(self.tools))

    @cached_property
    def parameters(self) -> Mapping[str, tuple[str, ...]]:
        """Names of the parameters of each tool, in the order of its signature."""
        return {
            tool["function"]["name"]: tuple(
                tool["function"].get("parameters", {}).get("properties", ())
            )
            for tool in self.tools
        }

    def once[T](self, make: Callable[["World"], T]) -> T:
        """What `make` makes of this world, made at the first call."""
        if make not in self._made:
            self._made[make] = make(self)
        return cast(T, self._made[make])

    @cached_property
    def _made(self) -> dict[Callable[["World"], Any], Any]:
        return {}

    @property
    def as_json(self) -> Json:
        """One line of `environments.jsonl`."""
        return {
            "name": self.name,
            "version": self.version,
            "content_hash": self.content_hash,
            "state_hash": self.state_hash,
            "policy": self.policy,
            "system": self.system,
            "tools": list(self.tools),
        }


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
    linted: bool = field(default=False, compare=False)
    """Whether `lint` found nothing in it: whoever asks several formats asks that once."""

    @property
    def as_json(self) -> Json:
        return {
            "id": self.id,
            "task": self.task,
            "split": self.split,
            "environment": self.world.key,
            **self.facts,
            "messages": list(self.messages),
        }

    @property
    def line(self) -> str:
        """The record as one line of `trajectories.jsonl`, without its line feed."""
        return compact(self.as_json)


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


# --- from the engine -----------------------------------------------------------------------------------------------------------


def world_of(environment: Environment) -> World:
    return World(
        name=environment.name,
        version=environment.version,
        content_hash=environment.content_hash,
        state_hash=environment.state.content_hash,
        policy=environment.policy,
        system=agent_prompt(environment.policy),
        tools=tuple(environment.schemas),
    )


def record_of(
    world: World,
    task: Task,
    trajectory: Trajectory,
    *,
    split: str = "train",
    facts: Mapping[str, Any] | None = None,
) -> Record:
    """A trajectory with what the engine knows of it; `facts` come on top."""
    content = trajectory.model_dump(mode="json")
    return Record(
        id=trajectory.content_hash,
        task=task.content_hash,
        split=split,
        world=world,
        messages=messages_of(world, content["messages"]),
        facts=task_facts(task) | trajectory_facts(content) | dict(facts or {}),
    )


def messages_of(world: World, stored: Sequence[Mapping[str, Any]]) -> list[Json]:
    """Canonical messages of a trajectory's as they are stored (`Trajectory.model_dump`): its keys may be in any order."""
    return [_message(world, one) for one in stored]


def _message(world: World, one: Mapping[str, Any]) -> Json:
    if one["role"] == "tool":
        answer = tool_message(one["tool_call_id"], one["content"])
        return {**answer, "error": True} if one["error"] else answer
    calls = [
        {
            "id": made["id"],
            "name": made["name"],
            "arguments": ordered(
                world.parameters.get(made["name"], ()), made["arguments"]
            ),
        }
        for made in one["tool_calls"]
    ]
    return spoken(one["role"], one["content"], calls)


def tool_message(tool_call_id: str, content: str) -> Json:
    return {"role": "tool", "tool_call_id": tool_call_id, "content": content}


def spoken(role: str, content: str, calls: Sequence[Json] = ()) -> Json:
    """What user or assistant says; an assistant's text that is empty has no key."""
    made: Json = {"role": role}
    if content or role != "assistant":
        made["content"] = content
    if calls:
        made["tool_calls"] = list(calls)
    return made


def task_facts(task: Task) -> Json:
    """What records are told apart by of their task."""
    return {
        "slug": task.slug,
        "archetype": task.archetype,
        "class": task.task_class.value,
        "writes": task.writes,
        "burden": task.burden.total,
    }


def trajectory_facts(stored: Mapping[str, Any]) -> Json:
    """Everything of a stored trajectory but its task and messages; what is empty is left out."""
    facts = {name: stored[name] for name in _TOLD}
    more = {name: stored[name] for name in _TOLD_IF_ANY if stored[name]}
    if stored["usage"] != _NO_USAGE:
        more["usage"] = stored["usage"]
    return facts | more


_TOLD = ("plan", "seed", "agent", "user", "prompt_version", "ended_by")
_TOLD_IF_ANY = ("owner", "note", "fault")
_NO_USAGE = Usage().model_dump(mode="json")


# --- and back ------------------------------------------------------------------------------------------------------------------


def trajectory_of(record: Record) -> Trajectory:
    """The engine's own form of the record. Raises KeyError if the record does not tell all of it (see `is_whole`)."""
    return Trajectory.model_validate(trajectory_json(record))


def is_whole(record: Record) -> bool:
    """Whether the record tells all that the trajectory held, so that its id can be told from it."""
    return all(name in record.facts for name in _TOLD)


def trajectory_json(record: Record) -> Json:
    """`Trajectory.model_dump(mode="json")` of what the record was made from. Raises KeyError."""
    facts = record.facts
    return {
        "task_hash": record.task,
        **{name: facts[name] for name in _TOLD},
        "messages": [_stored(one) for one in record.messages],
        "owner": facts.get("owner"),
        "note": facts.get("note", ""),
        "usage": facts.get("usage") or _NO_USAGE,
        "fault": facts.get("fault", ""),
    }


def _stored(one: Json) -> Json:
    return {
        "role": one["role"],
        "content": one.get("content", ""),
        "tool_calls": one.get("tool_calls", []),
        "tool_call_id": one.get("tool_call_id", ""),
        "error": one.get("error", False),
    }


def content_hash_of(value: Mapping[str, Any]) -> str:
    """What `Task.content_hash` and `Trajectory.content_hash` are, of their plain JSON."""
    return digest(json.dumps(value, sort_keys=True))


# --- text ----------------------------------------------------------------------------------------------------------------------

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def compact(value: Any) -> str:
    """JSON without spaces, in the order of the keys, other scripts as they are: the same text for the same value, always."""
    return _ENCODER.encode(value)


def digest(text: str) -> str:
    """SHA-256 (hex) of the text in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()
