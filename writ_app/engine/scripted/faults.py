"""Mistakes on request. Each is one function over a script, or a name that the scripted user knows.

A fault that cannot be made in a task says so (`applicable`); asking for it all the same raises ValueError.
"""

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from environments.core.environment import Environment
from environments.core.tools import ToolCall
from writ_app.engine.scripted import phrases
from writ_app.engine.scripted.script import Round, Script, after_gold, with_round
from writ_app.engine.types import Owner, Task

type Edit = Callable[[Script, Environment, Task, random.Random], Script]


@dataclass(frozen=True)
class Fault:
    """`check` is the name of the check that has to catch it; `edit` is None for what the user does."""

    name: str
    owner: Owner
    title: str
    check: str
    possible: Callable[[Task], bool]
    edit: Edit | None = None


def applicable(fault: str, task: Task) -> bool:
    """Whether the fault can be made in this task. Raises KeyError for a fault that there is not."""
    return FAULTS[fault].possible(task)


def edited(
    fault: str, script: Script, environment: Environment, task: Task, rng: random.Random
) -> Script:
    """The script with the fault in it. Raises ValueError if the task leaves no room for it."""
    edit = FAULTS[fault].edit
    if not applicable(fault, task):
        raise ValueError(f"The fault {fault} is not applicable to {task.slug}.")
    return script if edit is None else edit(script, environment, task, rng)


# --- what a task leaves room for -----------------------------------------------------------------------------------------------


def _any(task: Task) -> bool:
    return True


def _writes(task: Task) -> bool:
    return bool(task.gold)


def _declined(task: Task) -> bool:
    return bool(task.declined)


def _skippable(task: Task) -> bool:
    """A write needs a read beyond those that find the account."""
    return any(_needed(task))


def _needed(task: Task) -> Iterator[ToolCall]:
    """Reads that a write needs, best to skip first: those that finding the account does not rest on."""
    wanted = {n for write in task.gold for n in write.needs}
    for n in sorted(wanted, reverse=True):
        if task.certificate[n].role != "identity":
            yield task.certificate[n].call


def _has_two_reads(task: Task) -> bool:
    return sum(read.role != "identity" for read in task.certificate) >= 2


def _has_ids(task: Task) -> bool:
    return any(_ids(write.call) for write in task.gold)


# --- ids -----------------------------------------------------------------------------------------------------------------------

_ID = re.compile(r"[#\w]*\d{4,}")


def _ids(call: ToolCall) -> list[tuple[str, int | None, str]]:
    """(argument, place in its list or None, id), the likeliest to be mistaken first."""
    found: list[tuple[str, int | None, str]] = []
    for name, value in reversed(call.arguments.items()):
        parts = list(enumerate(value)) if isinstance(value, list) else [(None, value)]
        for place, part in parts:
            if isinstance(part, str) and _ID.fullmatch(part) and name != "zip":
                found.append((name, place, part))
    return sorted(found, key=lambda spot: "new" not in spot[0])


def _with(call: ToolCall, name: str, place: int | None, value: str) -> ToolCall:
    new: Any = value
    if place is not None:
        new = list(call.arguments[name])
        new[place] = value
    return ToolCall(name=call.name, arguments={**call.arguments, name: new})


def _siblings(environment: Environment, script: Script, value: str) -> list[str]:
    """Ids of the same form in what the script's reads show."""
    form = re.compile(re.sub(r"\d+", r"\\d+", re.escape(value)))
    words = re.compile(r"#?\w+")
    texts = environment.session().replay(
        [read for part in script.rounds for read in part.reads]
    )
    found = {
        word: None
        for result in texts
        for word in words.findall(result.content)
        if form.fullmatch(word) and word != value and len(word) == len(value)
    }
    return list(found)


def _unknown(value: str, rng: random.Random) -> str:
    """An id of the same form that nobody gave out."""
    return re.sub(r"\d", lambda _: str(rng.randrange(10)), value)


# --- the faults ----------------------------------------------------------------------------------------------------------------


def wrong_argument(
    script: Script, environment: Environment, task: Task, rng: random.Random
) -> Script:
    """A sibling of the right id, preferably one that the tool accepts."""
    for number, part in reversed(list(enumerate(script.rounds))):
        assert part.write is not None
        before = [earlier.write for earlier in script.rounds[:number] if earlier.write]
        for spot in _ids(part.write):
            for other in _siblings(environment, script, spot[2]):
                wrong = _with(part.write, spot[0], spot[1], other)
                session = environment.session()
                session.replay(before)
                if not session.call(wrong).error:
                    return with_round(script, number, write=wrong)
    number, part = next((n, r) for n, r in enumerate(script.rounds) if _has(r))
    assert part.write is not None
    name, place, value = _ids(part.write)[0]
    wrong = _with(part.write, name, place, _unknown(value, rng))
    return with_round(script, number, write=wrong)


def _has(part: Round) -> bool:
    return part.write is not None and bool(_ids(part.write))


def missing_read(
    script: Script, environment: Environment, task: Task, rng: random.Random
) -> Script:
    """One needed read is skipped and the write is guessed right all the same."""
    skipped = next(_needed(task))
    return _without(script, skipped)


def late_read(
    script: Script, environment: Environment, task: Task, rng: random.Random
) -> Script:
    """One needed read comes after all writes."""
    moved = next(_needed(task))
    script = _without(script, moved)
    return with_round(script, -1, after=(moved,))


def _without(script: Script, read: ToolCall) -> Script:
    for n, part in enumerate(script.rounds):
        kept = tuple(call for call in part.reads if call != read)
        script = with_round(script, n, reads=kept)
    return script


def extra_write(
    script: Script, environment: Environment, task: Task, rng: random.Random
) -> Script:
    """A legal write that nobody asked for, or the last write once more."""
    last = task.gold[-1].call
    unasked = environment.domain.words.unasked_write(
        last, after_gold(environment, task)
    )
    return with_round(script, -1, after=(unasked or last,))


def no_confirmation(
    script: Script, environment: Environment, task: Task, rng: random.Random
) -> Script:
    """The last write is made without asking."""
    return with_round(script, -1, confirm=False)


def malformed_call(
    script: Script, environment: Environment, task: Task, rng: random.Random
) -> Script:
    """An answer that cannot be parsed, or a call of a tool that there is not."""
    return replace(script, malformed=rng.choice(["garbage", "unknown_tool"]))


def text_beside_call(
    script: Script, environment: Environment, task: Task, rng: random.Random
) -> Script:
    return replace(script, beside=True)


def parallel_calls(
    script: Script, environment: Environment, task: Task, rng: random.Random
) -> Script:
    return replace(script, parallel=True)


def ungrounded_argument(
    script: Script, environment: Environment, task: Task, rng: random.Random
) -> Script:
    """Before the right write, one with an id that nobody showed."""
    number, part = next((n, r) for n, r in enumerate(script.rounds) if _has(r))
    assert part.write is not None
    name, place, value = _ids(part.write)[0]
    wrong = _with(part.write, name, place, _unknown(value, rng))
    return with_round(script, number, before=(wrong,))


def wrongly_refused(
    script: Script, environment: Environment, task: Task, rng: random.Random
) -> Script:
    return replace(script, refusal=rng.choice(phrases.WRONG_REFUSAL))


def forbidden_write(
    script: Script, environment: Environment, task: Task, rng: random.Random
) -> Script:
    """What the policy forbids is tried before it is refused; where the tool does not stand in the way, it is done."""
    reads = [read.call for read in task.certificate]
    forbidden = environment.domain.words.forbidden_write(
        task.declined, reads, environment.session().state
    )
    if forbidden is None:
        raise ValueError(f"No write of {environment.name} breaks {task.declined}.")
    return with_round(script, -1, before=(forbidden,))


def _fault(
    name: str,
    title: str,
    check: str,
    possible: Callable[[Task], bool],
    edit: Edit | None = None,
) -> Fault:
    owner = Owner.AGENT if edit else Owner.USER
    return Fault(name, owner, title, check, possible, edit)


FAULTS: dict[str, Fault] = {
    fault.name: fault
    for fault in (
        _fault(
            "wrong_argument",
            "A sibling instead of the right id",
            "writes",
            _has_ids,
            wrong_argument,
        ),
        _fault(
            "missing_read",
            "A needed read skipped, the write guessed right",
            "evidence",
            _skippable,
            missing_read,
        ),
        _fault(
            "late_read",
            "A needed read made after the write",
            "evidence",
            _skippable,
            late_read,
        ),
        _fault(
            "extra_write",
            "A write that nobody asked for",
            "writes",
            _writes,
            extra_write,
        ),
        _fault(
            "no_confirmation",
            "A write without the user's yes",
            "confirmation",
            _writes,
            no_confirmation,
        ),
        _fault(
            "malformed_call",
            "A call that cannot be made",
            "calls",
            _any,
            malformed_call,
        ),
        _fault(
            "text_beside_call",
            "Text beside a call",
            "one_call",
            _any,
            text_beside_call,
        ),
        _fault(
            "parallel_calls",
            "Two calls in one turn",
            "one_call",
            _has_two_reads,
            parallel_calls,
        ),
        _fault(
            "ungrounded_argument",
            "An id that nobody showed",
            "provenance",
            _has_ids,
            ungrounded_argument,
        ),
        _fault(
            "wrongly_refused",
            "A legal request refused",
            "writes",
            _writes,
            wrongly_refused,
        ),
        _fault(
            "forbidden_write",
            "A write that the policy forbids",
            "refusal",
            _declined,
            forbidden_write,
        ),
        _fault("early_stop", "The user leaves before the end", "user", _writes),
        _fault("invented_fact", "The user tells what they cannot know", "user", _any),
    )
}
