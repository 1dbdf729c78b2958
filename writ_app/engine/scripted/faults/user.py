"""Mistakes of the user: each looks at what the user is about to say and says something else."""

import random
import re
from collections.abc import Iterator, Sequence
from typing import Any

from writ_app.engine.behaviour import (
    STOP,
    asks,
    asks_confirmation,
    mentions,
    mistyped,
    offers_more,
    phrase,
    says_yes,
)
from writ_app.engine.llm import ChatModel, Completion
from writ_app.engine.scripted import phrases
from writ_app.engine.scripted.faults.base import (
    Fault,
    NotApplicable,
    Stage,
    UserTurn,
)
from writ_app.engine.types import LedgerLine, Message


class FaultyUser:
    """A user model with a fault: what the model says goes through the fault's `speech`. Raises NotApplicable at once."""

    def __init__(self, user: ChatModel, fault: Fault, stage: Stage):
        if fault.speech is None or not fault.fits(stage):
            raise NotApplicable(f"The fault {fault.name} leaves this user as it is.")
        self._user, self._stage, self._speech = user, stage, fault.speech

    @property
    def name(self) -> str:
        return self._user.name

    def complete(
        self,
        *,
        system: str,
        messages: Sequence[Message],
        tools: Sequence[dict[str, Any]],
        seed: int,
    ) -> Completion:
        answer = self._user.complete(
            system=system, messages=messages, tools=tools, seed=seed
        )
        turn = UserTurn(
            text=answer.content,
            own=[m.content for m in messages if m.role == "assistant"],
            heard=[m.content for m in messages if m.role == "user"],
        )
        return answer.model_copy(update={"content": self._speech(turn, self._stage)})


def _chance(turn: UserTurn, stage: Stage) -> random.Random:
    return random.Random(f"speech {len(turn.own)} {stage.task.text}")


# --- leaving -------------------------------------------------------------------------------------------------------------------


def has_writes(stage: Stage) -> bool:
    return bool(stage.task.gold)


def early_stop(turn: UserTurn, stage: Stage) -> str:
    """Leaves while the agent waits for a yes or no."""
    heard = turn.heard[-1] if turn.heard else ""
    if turn.own and asks_confirmation(heard) and not offers_more(heard):
        return f"{phrase(phrases.LEAVING, _chance(turn, stage))} {STOP}"
    return turn.text


def hasty_stop(turn: UserTurn, stage: Stage) -> str:
    """Says what it is about and leaves."""
    return turn.text if turn.own else f"{turn.text} {STOP}"


# --- saying too much -----------------------------------------------------------------------------------------------------------


def invented_fact(turn: UserTurn, stage: Stage) -> str:
    """A number that nobody gave the user, in the opening."""
    if turn.own:
        return turn.text
    rng = _chance(turn, stage)
    number = rng.randrange(10_000_000, 100_000_000)
    return f"{turn.text} {phrase(phrases.INVENTED, rng, number=number)}"


def leaked(turn: UserTurn, stage: Stage) -> str:
    """Something that waits to be asked for, in the opening."""
    if turn.own:
        return turn.text
    line = _chance(turn, stage).choice(_waiting(stage))
    return f"{turn.text} {line.spoken}"


def has_waiting(stage: Stage) -> bool:
    return bool(_waiting(stage))


def _waiting(stage: Stage) -> list[LedgerLine]:
    return [line for line in stage.ledger.lines if line.release == "asked"]


def contradicted(turn: UserTurn, stage: Stage) -> str:
    """What was told before comes again, with another value."""
    if len(turn.own) != 1:
        return turn.text
    rng = _chance(turn, stage)
    line, value = next(_contradictable(stage))
    given = {
        str(told)
        for other in stage.ledger.lines
        for told in (*other.tells.values(), *other.wrong_tells.values())
    }
    wrong = mistyped(value, rng)
    while wrong in given:
        wrong = mistyped(wrong, rng)
    again = phrase(
        phrases.CONTRADICTED, rng, what=_called(line, value, stage), value=wrong
    )
    return f"{again} {turn.text}"


def _called(line: LedgerLine, value: Any, stage: Stage) -> str:
    names = (name for name, told in line.tells.items() if told == value)
    return next(names).replace("_", " ")


def has_contradictable(stage: Stage) -> bool:
    return next(_contradictable(stage), None) is not None


def _contradictable(stage: Stage) -> Iterator[tuple[LedgerLine, str]]:
    """Lines with a value that has a format, so that another one is certainly another."""
    for line in stage.ledger.lines:
        for value in line.tells.values():
            if isinstance(value, str) and re.search(r"@|\d{4,}", value):
                yield line, value


def meddled(turn: UserTurn, stage: Stage) -> str:
    """Speaks as if it were the agent, with the name of a tool."""
    if len(turn.own) != 1:
        return turn.text
    rng = _chance(turn, stage)
    tool = rng.choice(sorted(name for name in stage.environment.tools if "_" in name))
    return f"{phrase(phrases.MEDDLING, rng, tool=tool)} {turn.text}"


# --- saying too little ---------------------------------------------------------------------------------------------------------


def withheld(turn: UserTurn, stage: Stage) -> str:
    """One thing is never told, however often the agent asks."""
    line = next(_tellable(stage))
    return _unsaid(turn, stage, line, phrases.WITHHELD)


def has_tellable(stage: Stage) -> bool:
    return next(_tellable(stage), None) is not None


def _tellable(stage: Stage) -> Iterator[LedgerLine]:
    """Lines with a value that nothing else tells, and that are not what opens the conversation."""
    opening = {clause.name for clause in stage.task.clauses if clause.opens}
    for line in stage.ledger.lines:
        others = "\n".join(x.text for x in stage.ledger.lines if x is not line)
        own = any(
            re.search(r"[\dA-Z@]", str(value)) and not mentions(others, value)
            for value in line.tells.values()
        )
        kept = line.required and line.kind != "shift" and line.name not in opening
        if own and kept and not line.wrong_text:
            yield line


def uncorrected(turn: UserTurn, stage: Stage) -> str:
    """The wrong detail is never corrected."""
    line = next(line for line in stage.ledger.lines if line.wrong_text)
    return _unsaid(turn, stage, line, phrases.INSISTING)


def has_mistake(stage: Stage) -> bool:
    return any(line.wrong_text for line in stage.ledger.lines)


def _unsaid(
    turn: UserTurn, stage: Stage, line: LedgerLine, instead: Sequence[str]
) -> str:
    """The text without the line, or something else if nothing is left. Once the agent gives up asking, the user leaves."""
    rng = _chance(turn, stage)
    spoken = re.compile(re.escape(line.spoken), re.IGNORECASE)
    rest = " ".join(spoken.sub("", turn.text).split())
    if rest == " ".join(turn.text.split()) and not _tells(turn, line):
        return turn.text
    if turn.own and not asks(turn.heard[-1]):
        return f"{phrase(phrases.LEAVING, rng)} {STOP}"
    if not turn.own or (len(rest.split()) > 3 and not _tells(turn, line, rest)):
        return rest
    return phrase(instead, rng)


def _tells(turn: UserTurn, line: LedgerLine, text: str = "") -> bool:
    values = line.tells.values()
    return bool(line.tells) and all(mentions(text or turn.text, v) for v in values)


# --- no mistake ----------------------------------------------------------------------------------------------------------------


def hesitating(turn: UserTurn, stage: Stage) -> str:
    """The first yes becomes a no: what the agent does then is the agent's."""
    heard = turn.heard[-1] if turn.heard else ""
    asked = "yes/no" in heard or "yes or no" in heard
    if asked and says_yes(turn.text) and not set(turn.own) & set(phrases.NOT_YET):
        return _chance(turn, stage).choice(phrases.NOT_YET)
    return turn.text
