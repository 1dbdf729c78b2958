"""The scripted user: follows a ledger and its triggers, says yes in many ways, ends with thanks."""

import random
from collections.abc import Sequence
from typing import Any

from writ_app.engine.behaviour import (
    STOP,
    asks,
    asks_confirmation,
    asks_identity,
    offers_more,
    phrase,
    reports_nothing_found,
    was_said,
    was_told_wrong,
)
from writ_app.engine.llm import Completion
from writ_app.engine.scripted import phrases
from writ_app.engine.scripted.faults import FAULTS, applicable
from writ_app.engine.types import Ledger, LedgerLine, Message, Owner, Task


class ScriptedUser:
    """Plays the user of one task. Raises ValueError at once for a fault that does not apply."""

    name = "scripted"

    def __init__(self, task: Task, ledger: Ledger, fault: str = ""):
        if fault and (
            FAULTS[fault].owner is not Owner.USER or not applicable(fault, task)
        ):
            raise ValueError(f"The fault {fault} is not one of this task's user.")
        self._task = task
        self._ledger = ledger
        self._fault = fault

    def complete(
        self,
        *,
        system: str,
        messages: Sequence[Message],
        tools: Sequence[dict[str, Any]],
        seed: int,
    ) -> Completion:
        """The next turn. The user's own messages are the assistant's here, the agent's are the user's."""
        rng = random.Random(f"user {seed} {len(messages)} {self._task.text}")
        own = [m.content for m in messages if m.role == "assistant"]
        heard = messages[-1].content if messages else ""
        text = self._answer(own, heard, rng) if own else self._open(rng)
        return Completion(content=self._with_invention(text, own, rng))

    def _open(self, rng: random.Random) -> str:
        """Greeting, what it is about, and whatever else the plan says at once."""
        lines = self._ledger.lines
        requests = [x for x in lines if x.kind == "request" and x.release != "asked"]
        who = [x for x in lines if x.kind == "identity" and x.release != "asked"]
        ordered = [*who, *requests] if rng.random() < 0.4 else [*requests, *who]
        hello = _spoken(phrases.HELLO, rng)
        return " ".join(
            filter(None, [hello, *(x.wrong_text or x.text for x in ordered)])
        )

    def _answer(self, own: Sequence[str], heard: str, rng: random.Random) -> str:
        told = "\n".join(own)
        unsaid = [line for line in self._ledger.lines if not was_said(line, told)]
        correction = self._correction(unsaid, told, heard)
        if correction is not None:
            return correction.text
        line = self._asked_for(unsaid, heard)
        who = line is not None and line.kind == "identity"
        if asks_confirmation(heard) and not offers_more(heard) and not who:
            return self._confirm(rng)
        if line is not None:
            return phrase(phrases.REPLY, rng, text=line.text)
        if offers_more(heard) or not asks(heard):
            return self._leave(rng)
        return phrase(phrases.NOTHING_TO_SAY, rng)

    def _correction(
        self, unsaid: Sequence[LedgerLine], told: str, heard: str
    ) -> LedgerLine | None:
        for line in unsaid:
            waiting = bool(line.wrong_tells) and was_told_wrong(line, told)
            if waiting and (
                was_told_wrong(line, heard) or reports_nothing_found(heard)
            ):
                return line
        return None

    def _asked_for(self, unsaid: Sequence[LedgerLine], heard: str) -> LedgerLine | None:
        """The line that the question is after: who the user is, or else the next detail."""
        who = next((line for line in unsaid if line.kind == "identity"), None)
        if who is not None and asks_identity(heard, who.tells):
            return who
        if not asks(heard):
            return None
        return next((line for line in unsaid if line.kind == "request"), None)

    def _confirm(self, rng: random.Random) -> str:
        if self._fault == "early_stop":
            return f"{phrase(phrases.LEAVING, rng)} {STOP}"
        return phrase(phrases.YES, rng)

    def _leave(self, rng: random.Random) -> str:
        patterns = (
            phrases.ACCEPTED
            if self._task.declined or self._task.transferred
            else phrases.THANKS
        )
        return f"{phrase(patterns, rng)} {STOP}"

    def _with_invention(self, text: str, own: Sequence[str], rng: random.Random) -> str:
        """The fault `invented_fact`: a number that nobody gave the user, in the opening."""
        if self._fault != "invented_fact" or own:
            return text
        number = rng.randrange(10_000_000, 100_000_000)
        return f"{text} {phrase(phrases.INVENTED, rng, number=number)}"


def _spoken(patterns: Sequence[str], rng: random.Random) -> str:
    """Like `phrase`, for patterns of which some are empty."""
    chosen = rng.choice(patterns)
    return phrase((chosen,), rng) if chosen else ""
