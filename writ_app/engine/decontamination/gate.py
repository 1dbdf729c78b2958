"""The gate: what must not be trained on, because it shares something with a benchmark. And benchmarks made of conversations."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from environments.core.environment import Environment
from writ_app.engine.decontamination.index import (
    WORDS_LONG,
    BenchmarkIndex,
    Shared,
)
from writ_app.engine.types import Frozen, Task


class Reason(Frozen):
    """Why a task is held back: what it shares, with which benchmark."""

    benchmark: str
    shared: Shared

    def __str__(self) -> str:
        return f"{self.shared} ({self.benchmark})"


def gate(
    task: Task, indexes: Mapping[str, BenchmarkIndex], *, said: Sequence[str] = ()
) -> tuple[Reason, ...]:
    """Why a task must be held back, by the name of the benchmark; nothing for a clean one.

    Gated are people, writes, effects, runs of words, and texts that are one another with changes. `said` is what the user says in
    the conversation that would be released. What is shared by design (policy, tools, flights, products) and the abstract
    signature are not gated but reported.
    """
    return tuple(
        Reason(benchmark=name, shared=shared)
        for name, index in indexes.items()
        for shared in index.check(task, said=said).shared
    )


def index_conversations(
    environment: Environment,
    conversations: Iterable[tuple[str, Sequence[Mapping[str, Any]]]],
) -> BenchmarkIndex:
    """An index of (id, messages) such as an imported reference set has: what users say stands in for scenarios, calls for gold.

    Messages are plain JSON with `role`, `content`, `tool_calls` [{name, arguments}]. Runs of WORDS_LONG words count as shared.
    """
    return BenchmarkIndex(
        environment,
        (_as_task(key, messages) for key, messages in conversations),
        run=WORDS_LONG,
    )


def _as_task(key: str, messages: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "id": key,
        "user_scenario": {"instructions": list(_said(messages))},
        "evaluation_criteria": {"actions": list(_called(messages))},
    }


def _said(messages: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for message in messages:
        if message.get("role") == "user" and message.get("content"):
            yield str(message["content"])


def _called(messages: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    failed = {
        message.get("tool_call_id")
        for message in messages
        if message.get("role") == "tool" and message.get("error")
    }
    for message in messages:
        for call in message.get("tool_calls") or ():
            arguments = call.get("arguments")
            if call.get("id") not in failed and isinstance(arguments, dict):
                yield {"name": call["name"], "arguments": arguments}
