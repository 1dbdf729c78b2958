"""The scripted agent: follows a task's certificate and gold, and talks in between as an agent would."""

import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

from environments.core.environment import Environment
from environments.core.tools import ToolCall
from environments.core.words import asked_identity
from writ_app.engine.behaviour import (
    as_known,
    phrase,
    says_yes,
    was_said,
    was_told_wrong,
    wrong_lookup,
    wrong_values,
)
from writ_app.engine.errors import MalformedCompletion
from writ_app.engine.llm import Completion
from writ_app.engine.scripted import phrases
from writ_app.engine.scripted.faults import edited
from writ_app.engine.scripted.script import Script, Step, lay_out, make_script
from writ_app.engine.types import Ledger, LedgerLine, Message, MessageCall, Task


class ScriptedAgent:
    """Plays the agent of one task. Raises ValueError at once for a fault that does not apply."""

    name = "scripted"

    def __init__(
        self, environment: Environment, task: Task, ledger: Ledger, fault: str = ""
    ):
        self._environment = environment
        self._task = as_known(task, ledger)
        self._ledger = ledger
        self._fault = fault
        self._steps: dict[int, tuple[Step, ...]] = {}
        if fault:
            self._script(0)

    def complete(
        self,
        *,
        system: str,
        messages: Sequence[Message],
        tools: Sequence[dict[str, Any]],
        seed: int,
    ) -> Completion:
        """The next turn. Raises MalformedCompletion if that is the fault asked for."""
        talk = _Talk(
            messages, random.Random(f"agent {seed} {len(messages)} {self._task.text}")
        )
        return self._identify(talk) or self._inquire(talk) or self._follow(talk, seed)

    # --- who, and what ---

    def _identify(self, talk: "_Talk") -> Completion | None:
        """Ask who it is, look it up, come back to what was not found. None once the account is known."""
        line = next((x for x in self._ledger.lines if x.kind == "identity"), None)
        find = self._task.certificate[0].call if self._task.certificate else None
        if line is None or find is None or talk.made[find.key]:
            return None
        if was_said(line, talk.told):
            return talk.call(find)
        if not was_told_wrong(line, talk.told):
            asked = asked_identity(line.tells)
            return talk.say(phrase(phrases.ASK_IDENTITY, talk.rng, asked=asked))
        wrong = wrong_lookup(self._task, line) or find
        if not talk.made[wrong.key]:
            return talk.call(wrong)
        value = " ".join(map(str, wrong.arguments.values()))
        asked = asked_identity(line.tells)
        return talk.say(phrase(phrases.NOT_FOUND, talk.rng, value=value, asked=asked))

    def _inquire(self, talk: "_Talk") -> Completion | None:
        """Come back to a wrong detail, ask for what was not said yet. None once everything is known."""
        missing = [
            line
            for line in self._ledger.lines
            if line.kind == "request" and not was_said(line, talk.told)
        ]
        if not missing:
            return None
        wrong = next((x for x in missing if was_told_wrong(x, talk.told)), None)
        if wrong is not None:
            value = ", ".join(map(str, wrong_values(wrong)))
            return talk.say(phrase(phrases.REPEAT_BACK, talk.rng, value=value))
        opener = phrases.FOUND_YOU if talk.after_call else phrases.ACKNOWLEDGE
        question = phrase(self._questions(missing[0]), talk.rng)
        return talk.say(f"{phrase(opener, talk.rng)} {question}")

    def _questions(self, line: LedgerLine) -> Sequence[str]:
        asked = self._environment.domain.words.questions
        for name in line.tells:
            if name in asked:
                return asked[name]
        return phrases.ASK_DETAIL

    # --- the work ---

    def _follow(self, talk: "_Talk", seed: int) -> Completion:
        """The first step of the script that was not taken yet."""
        counts: Counter[str] = Counter()
        for step in self._steps_for(seed):
            if step.garbage:
                raise MalformedCompletion(
                    "The arguments of the call are not an object."
                )
            if step.calls:
                counts.update(call.key for call in step.calls)
                if any(talk.made[call.key] < counts[call.key] for call in step.calls):
                    return talk.call(*step.calls, beside=step.text)
            elif step.text not in talk.said:
                return talk.say(step.text)
            elif step.asks and not talk.agreed(step.text):
                return talk.say(f"{phrase(phrases.AGAIN, talk.rng)} {step.text}")
        return talk.say(phrase(phrases.FAREWELL, talk.rng))

    def _steps_for(self, seed: int) -> tuple[Step, ...]:
        if seed not in self._steps:
            rng = random.Random(f"script {seed} {self._task.text}")
            self._steps[seed] = lay_out(
                self._script(seed), self._environment, self._task, rng
            )
        return self._steps[seed]

    def _script(self, seed: int) -> Script:
        script = make_script(self._environment, self._task)
        if not self._fault:
            return script
        rng = random.Random(f"fault {seed} {self._task.text}")
        return edited(self._fault, script, self._environment, self._task, rng)


class _Talk:
    """What the messages say: what was told, said, called."""

    def __init__(self, messages: Sequence[Message], rng: random.Random):
        self.rng = rng
        self.messages = messages
        self.told = "\n".join(m.content for m in messages if m.role == "user")
        self.said = [
            m.content for m in messages if m.role == "assistant" and not m.tool_calls
        ]
        self.made: Counter[str] = Counter(
            made.call.key for m in messages for made in m.tool_calls
        )
        self.after_call = bool(messages) and messages[-1].role == "tool"

    def agreed(self, question: str) -> bool:
        """Whether any answer since the question was a yes."""
        asked = next(n for n, m in enumerate(self.messages) if m.content == question)
        return any(
            m.role == "user" and says_yes(m.content) for m in self.messages[asked:]
        )

    def say(self, text: str) -> Completion:
        return Completion(content=text)

    def call(self, *calls: ToolCall, beside: str = "") -> Completion:
        start = sum(self.made.values()) + 1
        made = tuple(
            MessageCall(id=f"call_{start + n}", name=c.name, arguments=c.arguments)
            for n, c in enumerate(calls)
        )
        return Completion(content=beside, tool_calls=made)
