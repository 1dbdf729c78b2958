"""Records for reports, made of scripted conversations over a small shop."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from tests.engine.talks import small_shop, talk, task_of
from writ_app.engine.export.records import Json, Record, World
from writ_app.engine.reports import Observed, Options, TaskNote, note_of_task
from writ_app.engine.types import Task


def by_words(texts: Sequence[str]) -> list[int]:
    return [len(text.split()) for text in texts]


WORDS = Options(by_words, "words")


@cache
def world() -> World:
    shop = small_shop()
    return World(
        name=shop.name,
        version=shop.version,
        content_hash=shop.content_hash,
        state_hash=shop.state.content_hash,
        policy=shop.policy,
        system="",
        tools=tuple(shop.schemas),
    )


@cache
def note_of(archetype: str, seed: int = 0) -> TaskNote:
    task = task_of(archetype, seed)
    return note_of_task(task.content_hash, task.model_dump(mode="json"))


@cache
def messages_of(archetype: str, fault: str = "", seed: int = 0) -> tuple[Json, ...]:
    found = []
    for message in talk(archetype, fault=fault, seed=seed).messages:
        plain: Json = {"role": message.role}
        if message.role == "tool":
            plain["tool_call_id"] = message.tool_call_id
        if message.content or message.role != "assistant":
            plain["content"] = message.content
        if message.tool_calls:
            plain["tool_calls"] = [
                {"id": one.id, "name": one.name, "arguments": one.arguments}
                for one in message.tool_calls
            ]
        if message.error:
            plain["error"] = True
        found.append(plain)
    return tuple(found)


def observed(
    archetype: str = "R1",
    *,
    seed: int = 0,
    fault: str = "",
    key: str = "",
    **facts: Any,
) -> Observed:
    task = task_of(archetype, seed)
    return Observed(
        Record(
            id=key or f"{archetype} {seed} {fault}",
            task=task.content_hash,
            split="",
            world=world(),
            messages=messages_of(archetype, fault, seed),
            facts={
                "archetype": archetype,
                "writes": task.writes,
                "burden": task.burden.total,
                **facts,
            },
        ),
        note_of(archetype, seed),
    )


def said(
    *messages: Json, key: str = "talk", note: TaskNote | None = None, **facts: Any
) -> Observed:
    """A conversation with these messages and nothing else."""
    record = Record(
        id=key, task="task", split="", world=world(), messages=messages, facts=facts
    )
    return Observed(record, note)


def call(name: str, key: str = "", **arguments: Any) -> Json:
    made = {"id": key or name, "name": name, "arguments": arguments}
    return {"role": "assistant", "tool_calls": [made]}


@dataclass(frozen=True)
class Listed:
    """A source that is a list."""

    found: Sequence[Observed]
    known: Sequence[Task] = ()
    worlds: Mapping[str, World] = field(default_factory=lambda: {world().key: world()})

    def observed(self) -> Iterator[Observed]:
        return iter(self.found)

    def tasks(self) -> Iterator[Task]:
        return iter(self.known)
