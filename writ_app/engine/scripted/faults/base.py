"""What a fault is, and the pieces that faults are made of."""

import random
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from environments.core.environment import Environment
from environments.core.tools import ToolCall
from writ_app.engine.scripted.first_wish import first_wish
from writ_app.engine.scripted.script import Script, Step
from writ_app.engine.types import Ledger, Owner, Task


class NotApplicable(ValueError):
    """The task leaves no room for the fault: planted, it would make no difference."""


@dataclass(frozen=True)
class Stage:
    """What a fault is planted in. `rng` is the fault's own."""

    environment: Environment
    task: Task
    ledger: Ledger
    rng: random.Random


@dataclass(frozen=True)
class UserTurn:
    """What the user is about to say, and what was said before: `own` and `heard` texts, oldest first."""

    text: str
    own: Sequence[str]
    heard: Sequence[str]


type Edit = Callable[[Script, Stage], Script]
type Turns = Callable[[tuple[Step, ...], Stage], tuple[Step, ...]]
type Speech = Callable[[UserTurn, Stage], str]


@dataclass(frozen=True)
class Fault:
    """`check` is the name of the check that has to catch it, `owner` the one to whom the rejection has to be attributed.

    What it is made by: `edit` changes the agent's script, `turns` the script once it is laid out as turns, `speech` what the user
    says, `world` wraps the environment in which the conversation is held. Each raises NotApplicable if the task leaves no room for it.
    """

    name: str
    title: str
    check: str
    owner: Owner = Owner.AGENT
    edit: Edit | None = None
    turns: Turns | None = None
    speech: Speech | None = None
    world: Callable[[Stage], Environment] | None = None
    fits: Callable[[Stage], bool] = lambda stage: True
    """Whether there is room for what `speech` does, which only shows later."""


# --- ids -----------------------------------------------------------------------------------------------------------------------

_NUMBERED = re.compile(r"[#\w]*\d{4,}")


def ids(call: ToolCall) -> list[tuple[str, int | None, str]]:
    """(argument, place in its list or None, id), the likeliest to be mistaken first."""
    found: list[tuple[str, int | None, str]] = []
    for name, value in reversed(call.arguments.items()):
        parts = list(enumerate(value)) if isinstance(value, list) else [(None, value)]
        for place, part in parts:
            if isinstance(part, str) and name != "zip" and _is_id(name, part):
                found.append((name, place, part))
    return sorted(found, key=lambda spot: "new" not in spot[0])


def _is_id(name: str, value: str) -> bool:
    named = name.endswith(("_id", "_ids")) and bool(re.search(r"\d", value))
    return named or bool(_NUMBERED.fullmatch(value))


def with_id(call: ToolCall, name: str, place: int | None, value: str) -> ToolCall:
    """The call with another id in that place."""
    new: Any = value
    if place is not None:
        new = list(call.arguments[name])
        new[place] = value
    return ToolCall(name=call.name, arguments={**call.arguments, name: new})


def siblings(stage: Stage, script: Script, value: str) -> list[str]:
    """Ids of the same form in what the script's reads show."""
    form = re.compile(re.sub(r"\d+", r"\\d+", re.escape(value)))
    words = re.compile(r"#?\w+")
    found = {
        word: None
        for text in shown(stage, script)
        for word in words.findall(text)
        if form.fullmatch(word) and word != value and len(word) == len(value)
    }
    return list(found)


def shown(stage: Stage, script: Script) -> list[str]:
    """The results of all reads that are made, those for a first wish included."""
    first = first_wish(stage.environment, stage.ledger)
    reads = [*(first.reads if first else ())]
    reads += [read for part in script.rounds for read in part.reads]
    results = stage.environment.session().replay(reads)
    return [result.content for result in results if not result.error]


def unknown(value: str, rng: random.Random) -> str:
    """An id of the same form that nobody gave out."""
    while True:
        other = re.sub(r"\d", lambda _: str(rng.randrange(10)), value)
        if other != value:
            return other


# --- places in a script --------------------------------------------------------------------------------------------------------


def writing(script: Script) -> list[int]:
    """Numbers of the rounds that lead to a write. Raises NotApplicable if none does."""
    found = [n for n, part in enumerate(script.rounds) if part.write is not None]
    if not found:
        raise NotApplicable("Nothing is written.")
    return found


def write_of(script: Script, number: int) -> ToolCall:
    write = script.rounds[number].write
    assert write is not None
    return write


def same_reads(task: Task, call: ToolCall) -> set[str]:
    """Keys of the reads that show what this one shows."""
    read = next((one for one in task.certificate if one.call == call), None)
    others = read.equivalents if read else ()
    return {call.key, *(other.key for other in others)}


def made_before(stage: Stage) -> set[str]:
    """Keys of the reads that are made for the first of two wishes: to leave them out later makes no difference."""
    first = first_wish(stage.environment, stage.ledger)
    return {read.key for read in first.reads} if first else set()


def needed(stage: Stage, places: Iterable[int]) -> list[ToolCall]:
    """The reads of the certificate at these places that finding the account does not rest on."""
    known = made_before(stage)
    reads = [stage.task.certificate[n] for n in sorted(places)]
    return [
        read.call
        for read in reads
        if read.role != "identity" and not same_reads(stage.task, read.call) & known
    ]
