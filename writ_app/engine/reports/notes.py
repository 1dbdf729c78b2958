"""What a report keeps of a task: a few numbers and hashes instead of the proof, so that ten thousand tasks are ten megabytes."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from environments.core.tools import ToolCall

type Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ReadNote:
    """One read of a certificate: any of `ways` (hashes of calls) is it. `needed_by`: places of gold writes."""

    ways: tuple[int, ...]
    needed_by: frozenset[int]


@dataclass(frozen=True, slots=True)
class TaskNote:
    """`key` is the task's content hash, or its id in a benchmark. What is not known is None."""

    key: str
    text: str = ""
    """The request, or the instructions of a benchmark's user."""
    person: str = ""
    writes: int | None = None
    burden: int | None = None
    lift: int | None = None
    candidates: int | None = None
    feasible: int | None = None
    decoys: int | None = None
    margin: float | None = None
    evidence_tokens: int | None = None
    hit: tuple[int, int] | None = None
    """(place of the candidate read that shows the gold, candidate reads), counted from 1."""
    reads: tuple[ReadNote, ...] = ()
    """Of the certificate; empty if there is none to hold a conversation to."""
    gold: tuple[tuple[str, int], ...] = ()
    """(name of the tool, hash of the call) of every gold write."""


def note_of_task(key: str, content: Json) -> TaskNote:
    """Of an engine's Task as JSON. It is not validated: it was when it was stored."""
    companions = content["companions"]
    return TaskNote(
        key=key,
        text=content["text"],
        person=content.get("person") or "",
        writes=len(content["gold"]),
        burden=content["burden"]["total"],
        lift=companions["lift"],
        candidates=companions["candidates"],
        feasible=companions["feasible"],
        decoys=companions["decoys"],
        margin=companions["margin"],
        evidence_tokens=companions["evidence_tokens"],
        hit=_hit(content),
        reads=tuple(_reads(content)),
        gold=tuple(
            (call["name"], call_hash(call["name"], call["arguments"]))
            for call in (write["call"] for write in content["gold"])
        ),
    )


def note_of_benchmark(task: Json, is_write: frozenset[str]) -> TaskNote:
    """Of a task in the form of a tasks.json (tau2 SPEC §7.1); `is_write`: names of the tools that write."""
    criteria = task.get("evaluation_criteria") or {}
    actions = [action["name"] for action in criteria.get("actions") or ()]
    return TaskNote(
        key=str(task["id"]),
        text=" ".join(_strings(task.get("user_scenario"))),
        writes=sum(name in is_write for name in actions) if is_write else None,
    )


def call_hash(name: str, arguments: Json) -> int:
    """Equal calls have equal hashes (64 bits), in every process."""
    text = json.dumps([name, arguments], sort_keys=True, ensure_ascii=False)
    return short_hash(text)


def short_hash(text: str) -> int:
    """64 bits of BLAKE2b."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())


def _reads(content: Json) -> Iterator[ReadNote]:
    needed: dict[int, set[int]] = {}
    for place, write in enumerate(content["gold"]):
        for position in write["needs"]:
            needed.setdefault(position, set()).add(place)
    for position, read in enumerate(content["certificate"]):
        calls = [read["call"], *read["equivalents"]]
        ways = tuple(call_hash(call["name"], call["arguments"]) for call in calls)
        yield ReadNote(ways, frozenset(needed.get(position, ())))


def _hit(content: Json) -> tuple[int, int] | None:
    """Of the first choice among candidates that more than one read shows."""
    order = [
        ToolCall(name=read["call"]["name"], arguments=read["call"]["arguments"]).key
        for read in content["certificate"]
        if read["role"] == "candidates"
    ]
    if len(order) < 2:
        return None
    for table in content["tables"]:
        for line in table["lines"]:
            if line["gold"] and line["read"] in order:
                return order.index(line["read"]) + 1, len(order)
    return None


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, Sequence):
        for inner in value:
            yield from _strings(inner)
