"""The scripted agent: follows a task's certificate and gold, and talks in between as an agent would.

It asks for what is missing, explains why when asked, comes back to what was wrong, sums up and compares on request, answers what lies
beside the matter without doing anything, refuses what is forbidden, and writes nothing before it knows what is wanted in the end.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from environments.core.environment import Environment
from environments.core.words import asked_identity
from writ_app.engine.behaviour import (
    as_known,
    phrase,
    was_said,
    was_told_wrong,
    wrong_lookup,
    wrong_values,
)
from writ_app.engine.errors import MalformedCompletion, ModelUnavailable
from writ_app.engine.llm import Completion
from writ_app.engine.scripted import phrases
from writ_app.engine.scripted.faults import FAULTS, planted, stage_of
from writ_app.engine.scripted.first_wish import first_wish
from writ_app.engine.scripted.script import (
    Script,
    Step,
    lay_out,
    make_script,
    pauses,
    runner_up,
)
from writ_app.engine.scripted.talk import Talk
from writ_app.engine.types import Ledger, LedgerLine, Message, Task

PATIENCE = 4
"""So many questions in a row may remain without an answer; then the agent gives up."""


class ScriptedAgent:
    """Plays the agent of one task. Raises NotApplicable (a ValueError) at once for a fault that does not apply."""

    name = "scripted"

    def __init__(
        self, environment: Environment, task: Task, ledger: Ledger, fault: str = ""
    ):
        self._environment = environment
        self._task = as_known(task, ledger)
        self._ledger = ledger
        self._fault = fault
        self._first = first_wish(environment, ledger)
        self._laid_out: dict[int, tuple[Script, tuple[Step, ...]]] = {}
        if fault:
            self._plan(0)

    def complete(
        self,
        *,
        system: str,
        messages: Sequence[Message],
        tools: Sequence[dict[str, Any]],
        seed: int,
    ) -> Completion:
        """The next turn. Raises MalformedCompletion or ModelUnavailable if that is the fault asked for."""
        rng = random.Random(f"agent {seed} {len(messages)} {self._task.text}")
        talk = Talk(messages, self._ledger, rng)
        script, steps = self._plan(seed)
        ways: list[Callable[[Talk], Completion | None]] = [
            self._identify,
            self._inquire,
            partial(self._hear_out, hasty=script.hasty),
        ]
        if not script.verified:  # opens the account at once, and asks later
            ways = ways[1:] if talk.made else []
        for way in ways:
            answer = way(talk)
            if answer is not None:
                return answer
        return self._follow(steps, talk)

    # --- who ---

    def _identify(self, talk: Talk) -> Completion | None:
        """Ask who it is, look it up, come back to what was not found. None once the account is known."""
        line = next((x for x in self._ledger.lines if x.kind == "identity"), None)
        find = self._task.certificate[0].call if self._task.certificate else None
        if line is None or find is None or talk.made[find.key]:
            return None
        if was_said(line, talk.told):
            return talk.call(find)
        if self._in_vain(talk):
            return talk.say(phrase(phrases.GIVE_UP, talk.rng))
        asked = asked_identity(line.tells)
        if not (line.wrong_tells and was_told_wrong(line, talk.told)):
            if talk.remarked("why"):
                return talk.say(phrase(phrases.EXPLAIN, talk.rng, asked=asked))
            asking = phrase(phrases.ASK_IDENTITY, talk.rng, asked=asked)
            return talk.say(_joined(self._aside(talk), asking))
        wrong = wrong_lookup(self._task, line) or find
        if not talk.made[wrong.key]:
            return talk.call(wrong)
        value = " ".join(map(str, wrong.arguments.values()))
        return talk.say(phrase(phrases.NOT_FOUND, talk.rng, value=value, asked=asked))

    # --- what ---

    def _inquire(self, talk: Talk) -> Completion | None:
        """Come back to a wrong detail, ask for what was not said yet. None once everything is known that can be by now."""
        missing = talk.due()
        if not missing:
            return None
        if self._in_vain(talk):
            return talk.say(phrase(phrases.GIVE_UP, talk.rng))
        aside = self._aside(talk)
        wrong = (x for x in missing if was_told_wrong(x, talk.told))
        line = next(wrong, None)
        if line is not None:
            value = ", ".join(map(str, wrong_values(line)))
            back = phrase(phrases.REPEAT_BACK, talk.rng, value=value)
            return talk.say(_joined(aside, back))
        opener = self._found_you(talk) if talk.after_call else phrases.ACKNOWLEDGE
        question = phrase(self._questions(missing[0]), talk.rng)
        return talk.say(_joined(aside or phrase(opener, talk.rng), question))

    def _found_you(self, talk: Talk) -> Sequence[str]:
        """What is spelled out is read back."""
        line = next((x for x in self._ledger.lines if x.kind == "identity"), None)
        if line is None or self._ledger.behaviour.get("channel") != "voice":
            return phrases.FOUND_YOU
        value = " ".join(map(str, line.tells.values()))
        return [pattern.replace("{value}", value) for pattern in phrases.READ_BACK]

    def _in_vain(self, talk: Talk) -> bool:
        """Whether the last answers told nothing that was still missing."""
        counts = talk.unsaid_counts()
        return counts[-PATIENCE - 1 :].count(counts[-1]) > PATIENCE

    def _questions(self, line: LedgerLine) -> Sequence[str]:
        asked = self._environment.domain.words.questions
        for name in line.tells:
            if name in asked:
                return asked[name]
        return phrases.ASK_DETAIL

    # --- the first of two wishes ---

    def _hear_out(self, talk: Talk, hasty: bool) -> Completion | None:
        """Until the user says what they really want: listen, propose, or refuse. None once they have, or if there is only one wish.

        A `hasty` agent makes the first wish's write instead.
        """
        first, shift = self._first, talk.hearing.shift_line
        if first is None or shift is None or talk.hearing.shifted:
            return None
        if self._in_vain(talk):
            return talk.say(phrase(phrases.GIVE_UP, talk.rng))
        aside = self._aside(talk)
        early = first.write if hasty else None
        if early is not None or shift.release != "details_told":
            for call in (*first.reads, *filter(None, [early])):
                if not talk.made[call.key]:
                    return talk.call(call)
        if shift.release == "details_told":
            said = phrase(phrases.CHECK_IN, talk.rng)
        elif first.refusal:
            more = phrase(phrases.ANYTHING_ELSE, talk.rng)
            said = _joined(first.refusal, more)
        else:
            said = phrase(phrases.PROPOSE, talk.rng, change=first.change)
        return talk.say(_joined(aside, said))

    # --- the work ---

    def _follow(self, steps: Sequence[Step], talk: Talk) -> Completion:
        """The first step that was not taken yet."""
        for step in steps:
            if step.failure == "garbage":
                raise MalformedCompletion(
                    "The arguments of the call are not an object."
                )
            if step.failure == "down":
                raise ModelUnavailable("The provider is down.", retryable=False)
            if step.calls:
                if step.endless or not talk.take(step.calls):
                    return talk.call(*step.calls, beside=step.text)
            elif not talk.has_said(step.text):
                return talk.say(_joined(self._aside(talk), step.text))
            elif step.asks and not talk.agreed(step.text):
                return talk.say(self._asked_again(step, talk))
            elif step.pause and talk.waits_for_part(step.pause):
                return talk.say(phrase(phrases.ANYTHING_ELSE, talk.rng))
        return talk.say(self._last_words(steps[-1], talk))

    def _asked_again(self, step: Step, talk: Talk) -> str:
        """The same question once more, with what the user wanted to hear before it."""
        if talk.remarked("comparison"):
            other = runner_up(self._task, step.write, talk.made, talk.rng)
            lead = other or phrase(phrases.NO_OTHER, talk.rng)
            return _joined(lead, step.proposal)
        if talk.remarked("recap"):
            return _joined(phrase(phrases.RECAP, talk.rng), step.proposal)
        return _joined(phrase(phrases.AGAIN, talk.rng), step.proposal)

    def _last_words(self, step: Step, talk: Talk) -> str:
        """After everything: what was said last once more, if the user doubts or objects."""
        if talk.remarked("doubt"):
            return _joined(phrase(phrases.ASSURE, talk.rng), step.text)
        if talk.objected:
            return _joined(phrase(phrases.STAND_BY, talk.rng), step.text)
        return phrase(phrases.FAREWELL, talk.rng)

    def _aside(self, talk: Talk) -> str:
        """A word on what the user said beside the matter."""
        for remark in talk.remarks:
            value = self._ledger.behaviour.get(remark.dimension, "")
            if value in phrases.ASIDES:
                return phrase(phrases.ASIDES[value], talk.rng)
        return ""

    # --- the script ---

    def _plan(self, seed: int) -> tuple[Script, tuple[Step, ...]]:
        """What is to be done, and how it is said: made once per seed."""
        if seed not in self._laid_out:
            self._laid_out[seed] = self._made(seed)
        return self._laid_out[seed]

    def _made(self, seed: int) -> tuple[Script, tuple[Step, ...]]:
        environment, task = self._environment, self._task
        script = make_script(environment, task)
        if any(line.release == "after_write" for line in self._ledger.lines):
            script = replace(script, pauses=pauses(environment, task))
        rng = random.Random(f"script {seed} {task.text}")
        if not self._fault:
            return script, lay_out(script, environment, task, rng)
        stage = stage_of(self._fault, environment, task, self._ledger, seed)
        return planted(FAULTS[self._fault], script, stage, rng)


def _joined(*texts: str) -> str:
    return " ".join(filter(None, texts))
