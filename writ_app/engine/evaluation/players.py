"""Who plays without a model in an evaluation, and what a model that plays the user of a benchmark's task is told.

The scripts are controls: one does what the gold does and should succeed everywhere, one does nothing and should succeed only where
nothing was to be done. A measurement in which they come out otherwise is wrong.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

from writ_app.engine.behaviour import STOP
from writ_app.engine.benchmark_tasks import BenchmarkTask
from writ_app.engine.llm import Completion
from writ_app.engine.simulation.prompts import user_prompt_of
from writ_app.engine.types import Message, MessageCall


class Script(StrEnum):
    """Agents that are no models."""

    GOLD = "gold"
    """Makes the gold's calls in order, says what is to be communicated, and no more."""
    IDLE = "idle"
    """Says one sentence and does nothing."""


IDLE_WORDS = "I am sorry, I cannot do anything about that."
DONE_WORDS = "That is done."
HELP_WORDS = "Hello, I need help with something."


class GoldAgent:
    """Plays a benchmark's task by its gold actions, one call in each turn."""

    name = "scripted-gold"

    def __init__(self, task: BenchmarkTask):
        criteria = task.get("evaluation_criteria") or {}
        self._actions: Sequence[Mapping[str, Any]] = [
            one
            for one in criteria.get("actions") or ()
            if (one.get("requestor") or "assistant") == "assistant"
        ]
        self._told: Sequence[str] = criteria.get("communicate_info") or ()

    def complete(
        self,
        *,
        system: str,
        messages: Sequence[Message],
        tools: Sequence[dict[str, Any]],
        seed: int,
    ) -> Completion:
        made = sum(len(one.tool_calls) for one in messages)
        if made >= len(self._actions):
            return Completion(content=" ".join([DONE_WORDS, *self._told]))
        action = self._actions[made]
        call = MessageCall(
            id=f"gold_{made}", name=action["name"], arguments=dict(action["arguments"])
        )
        return Completion(tool_calls=(call,))


class IdleAgent:
    name = "scripted-idle"

    def complete(
        self,
        *,
        system: str,
        messages: Sequence[Message],
        tools: Sequence[dict[str, Any]],
        seed: int,
    ) -> Completion:
        return Completion(content=IDLE_WORDS)


class BriefUser:
    """Asks for help, hears one answer, and leaves. Only for scripts, which need to be told nothing."""

    name = "scripted-brief"

    def complete(
        self,
        *,
        system: str,
        messages: Sequence[Message],
        tools: Sequence[dict[str, Any]],
        seed: int,
    ) -> Completion:
        spoken = any(one.role == "assistant" for one in messages)
        return Completion(content=STOP if spoken else HELP_WORDS)


# --- what a user is told -------------------------------------------------------------------------------------------------------

_LABELS = {
    "reason_for_call": "Reason for call:",
    "known_info": "Known info:",
    "unknown_info": "Unknown info:",
    "task_instructions": "Task instructions:",
}


def scenario_prompt(task: BenchmarkTask) -> str:
    """System prompt of a model that plays the user of a benchmark's task (SPEC §10)."""
    return user_prompt_of(scenario_text(task))


def scenario_text(task: BenchmarkTask) -> str:
    """The scenario in the reference's layout: labels, and their texts one tab further in; blank lines stay blank."""
    scenario = task.get("user_scenario") or {}
    parts: list[str] = []
    if persona := scenario.get("persona"):
        parts += ["Persona:", *_indented(str(persona), 1)]
    parts.append("Instructions:")
    instructions = scenario.get("instructions") or ""
    if not isinstance(instructions, Mapping):
        return "\n".join([*parts, *_indented(str(instructions), 1)])
    if domain := instructions.get("domain"):
        parts.append(f"\tDomain: {domain}")
    for key, label in _LABELS.items():
        if text := instructions.get(key):
            parts += [f"\t{label}", *_indented(str(text), 2)]
    return "\n".join(parts)


def _indented(text: str, tabs: int) -> Iterator[str]:
    for line in text.splitlines():
        yield "\t" * tabs + line if line.strip() else line
