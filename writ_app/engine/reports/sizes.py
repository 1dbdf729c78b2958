"""How large conversations are: messages, turns and calls; tokens by role; how many ask the same, and for whom."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from environments.core.tools import ToolKind
from writ_app.engine.export.records import compact
from writ_app.engine.reports.notes import short_hash
from writ_app.engine.reports.source import Observed, tool_kinds
from writ_app.engine.reports.spread import Tally

type CountTokens = Callable[[Sequence[str]], list[int]]
"""As export.tokens has it."""

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
        self._count = count
        self._known: dict[str, int] = {}
        self._tokenizer = tokenizer
        self._parts = {name: Tally() for name in PARTS}
        self._tokens = {name: Tally() for name in (*ROLES, "whole")}
        self._tasks: Counter[int] = Counter()
        self._people: Counter[int] = Counter()
        self._characters = 0

    def add(self, one: Observed) -> None:
        record, parts = one.record, dict.fromkeys(PARTS, 0)
        texts: list[tuple[str, str]] = []
        kinds = tool_kinds(record.world.name)
        for message in record.messages:
            parts["messages"] += 1
            role, said = message["role"], message.get("content") or ""
            if said:
                texts.append((role if role in ROLES else "tool", said))
            if role == "tool":
                parts["failed_calls"] += bool(message.get("error"))
            elif role in parts and (role == "user" or said):
                parts[role] += 1
            for call in message.get("tool_calls") or ():
                parts["calls"] += 1
                parts["reads"] += kinds.get(call["name"]) is ToolKind.READ
                parts["writes"] += kinds.get(call["name"]) is ToolKind.WRITE
                text = compact({"name": call["name"], "arguments": call["arguments"]})
                texts.append(("calls", text))
        self._characters += sum(len(text) for _, text in texts)
        tokens = dict.fromkeys(ROLES, 0)
        for (role, _), count in zip(texts, self._counted(texts), strict=True):
            tokens[role] += count
        for name, value in parts.items():
            self._parts[name].add(value)
        for name, value in tokens.items():
            self._tokens[name].add(value)
        self._tokens["whole"].add(sum(tokens.values()))
        self._tasks[short_hash(record.task)] += 1
        if one.note is not None and one.note.person:
            self._people[short_hash(one.note.person)] += 1

    def _counted(self, texts: Sequence[tuple[str, str]]) -> list[int]:
        """Tokens of each; what comes again and again is counted once."""
        new = [text for _, text in texts if text not in self._known]
        if len(self._known) > REPEATED:
            self._known.clear()
            new = [text for _, text in texts]
        self._known.update(zip(new, self._count(new) if new else (), strict=True))
        return [self._known[text] for _, text in texts]

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
