"""How large conversations are: messages, turns and calls; tokens by role; how many ask the same, and for whom."""

from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from environments.core.tools import ToolKind
from writ_app.engine.export.records import compact
from writ_app.engine.reports.notes import short_hash
from writ_app.engine.reports.source import Observed, tool_kinds
from writ_app.engine.reports.spread import Tally

type CountTokens = Callable[[str], int]

REPEATED = 20_000
"""Texts whose tokens are remembered: results of the same read, greetings, confirmations."""
PARTS = ("messages", "user", "assistant", "calls", "reads", "writes", "failed_calls")
ROLES = ("user", "assistant", "calls", "tool")


class Sizes:
    """`tokenizer` names what `count` counts by."""

    def __init__(
        self,
        count: CountTokens,
        tokenizer: str,
    ):
        self._count = lru_cache(maxsize=REPEATED)(count)
        self._tokenizer = tokenizer
        self._parts = {name: Tally() for name in PARTS}
        self._tokens = {name: Tally() for name in (*ROLES, "whole")}
        self._tasks: Counter[int] = Counter()
        self._people: Counter[int] = Counter()
        self._characters = 0

    def add(self, one: Observed) -> None:
        record, parts = one.record, dict.fromkeys(PARTS, 0)
        tokens = dict.fromkeys(ROLES, 0)
        kinds = tool_kinds(record.world.name)
        for message in record.messages:
            parts["messages"] += 1
            role, said = message["role"], message.get("content") or ""
            self._characters += len(said)
            if said:
                tokens[role if role in tokens else "tool"] += self._count(said)
            if role == "tool":
                parts["failed_calls"] += bool(message.get("error"))
            elif role == "user" or said:
                parts[role] += 1
            for call in message.get("tool_calls") or ():
                parts["calls"] += 1
                parts["reads"] += kinds.get(call["name"]) is ToolKind.READ
                parts["writes"] += kinds.get(call["name"]) is ToolKind.WRITE
                text = compact({"name": call["name"], "arguments": call["arguments"]})
                self._characters += len(text)
                tokens["calls"] += self._count(text)
        for name, value in parts.items():
            self._parts[name].add(value)
        for name, value in tokens.items():
            self._tokens[name].add(value)
        self._tokens["whole"].add(sum(tokens.values()))
        self._tasks[short_hash(record.task)] += 1
        if one.note is not None and one.note.person:
            self._people[short_hash(one.note.person)] += 1

    def result(self) -> dict[str, Any]:
        """Numbers per conversation. Tokens are of contents and calls, without a template's markers, system prompt and tool schemas."""
        return {
            "trajectories": self._parts["messages"].counts.total(),
            "characters": self._characters,
            "tasks": len(self._tasks),
            "per_task": _counted(self._tasks),
            "people": len(self._people),
            "per_person": _counted(self._people),
            "tokenizer": self._tokenizer,
            "parts": {name: tally.result() for name, tally in self._parts.items()},
            "tokens": {name: tally.result() for name, tally in self._tokens.items()},
        }


def _counted(counts: Counter[int]) -> dict[str, Any]:
    tally = Tally()
    for count in counts.values():
        tally.add(count)
    return tally.result()
