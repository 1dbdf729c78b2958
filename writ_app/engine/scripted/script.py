"""What a scripted agent will do once it has all details: reads and writes in order, and what it says around them.

A `Script` is made from a task's proof, may be edited by a fault, and is then laid out as steps that are ticked off one by one.
"""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from environments.core.environment import Environment, EnvironmentSession
from environments.core.state import Session
from environments.core.tools import ToolCall
from writ_app.engine.behaviour import phrase
from writ_app.engine.scripted import phrases
from writ_app.engine.types import CandidateLine, CandidateTable, Task


@dataclass(frozen=True)
class Round:
    """The way to one write: reads, the question, the write. `before` and `after` are calls that a fault puts there."""

    reads: tuple[ToolCall, ...] = ()
    write: ToolCall | None = None
    confirm: bool = True
    before: tuple[ToolCall, ...] = ()
    after: tuple[ToolCall, ...] = ()


@dataclass(frozen=True)
class Script:
    """Rounds, or a refusal after the reads of the only round. The flags are for faults."""

    rounds: tuple[Round, ...]
    refusal: str = ""
    """What is said instead of making the writes."""
    transfer: ToolCall | None = None
    """The call that hands over instead."""
    beside: bool = False
    """Say something beside the last read of the round that has most reads."""
    parallel: bool = False
    """Make the last two reads of that round in one turn."""
    malformed: str = ""
    """Instead of the first read: "garbage" or "unknown_tool"."""


@dataclass(frozen=True)
class Step:
    """One turn. A question (`asks`) has to be answered with a yes before the next step."""

    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    asks: bool = False
    garbage: bool = False


def make_script(environment: Environment, task: Task) -> Script:
    """The way that the proof describes: before each write, the reads that it needs."""
    reads = [read.call for read in task.certificate]
    if task.declined:
        words = environment.domain.words
        refusal = words.describe_refusal(
            task.declined, reads, environment.session().state
        )
        return Script(_looking_around([Round(tuple(reads))], task), refusal=refusal)
    if task.transferred:
        words = environment.domain.words
        summary = words.describe_transfer(
            task.transferred, reads, environment.session().state
        )
        call = ToolCall(name=words.transfer_tool, arguments={"summary": summary})
        return Script(_looking_around([Round(tuple(reads))], task), transfer=call)
    if not task.gold:
        return Script(_looking_around([Round(tuple(reads))], task))
    needed = {n for write in task.gold for n in write.needs}
    needed |= {n for one in task.told for n in one.needs}
    left = [n for n in range(len(reads)) if n not in needed]
    rounds, done = [], set[int]()
    for write in task.gold:
        wanted = sorted({*write.needs, *left} - done)
        done.update(wanted)
        rounds.append(Round(tuple(reads[n] for n in wanted), write.call))
    telling = sorted({n for one in task.told for n in one.needs} - done)
    if telling:
        rounds.append(Round(tuple(reads[n] for n in telling)))
    return Script(_looking_around(rounds, task))


def _looking_around(rounds: Sequence[Round], task: Task) -> tuple[Round, ...]:
    """The rounds with the reads of somebody who does not know which order it is: one after the other until it is found."""
    made: set[str] = set()
    result = []
    for part in rounds:
        reads: list[ToolCall] = []
        for read in part.reads:
            same = [call for call in task.spoken_of if call.name == read.name]
            places = [n for n, call in enumerate(same) if call.key == read.key]
            reads += [*same[: places[0]], read] if places else [read]
        fresh = [call for call in dict.fromkeys(reads) if call.key not in made]
        made |= {call.key for call in fresh}
        result.append(replace(part, reads=tuple(fresh)))
    return tuple(result)


def lay_out(
    script: Script, environment: Environment, task: Task, rng: random.Random
) -> tuple[Step, ...]:
    """The script as turns, with everything that will be said."""
    words = environment.domain.words
    steps = list(_malformed(script))
    most = max(script.rounds, key=lambda part: len(part.reads))
    session = environment.session()
    report = phrase(phrases.LOOKED, rng)
    for part in script.rounds:
        steps += _read_turns(part.reads, script if part is most else None)
        if script.refusal or part.write is None:
            steps += [Step(calls=(call,)) for call in part.before]
            break
        steps += [Step(calls=(call,)) for call in part.before]
        if part.confirm:
            found = _comparison(task, part.write, rng)
            proposal = _proposal(part.write, session, rng)
            steps.append(Step(text=_join(report, found, proposal), asks=True))
            report = ""
        steps.append(Step(calls=(part.write,)))
        report = _join(report, _report(part.write, session, rng))
        steps += [Step(calls=(call,)) for call in part.after]
    if script.transfer:  # its sentence stands alone
        return (*steps, Step(calls=(script.transfer,)), Step(text=words.after_transfer))
    told = (words.describe_told(one.what, one.value) for one in task.told)
    said = script.refusal or _join(report, *told)
    more = phrase(phrases.ANYTHING_ELSE, rng)
    return (*steps, Step(text=_join(said, more)))


def _malformed(script: Script) -> Iterator[Step]:
    if script.malformed == "garbage":
        yield Step(garbage=True)
    elif script.malformed:
        yield Step(calls=(ToolCall(name="look_up_everything"),))


def _read_turns(reads: Sequence[ToolCall], faulty: Script | None) -> Iterator[Step]:
    """One turn per read, but for what the flags of a `faulty` script spoil."""
    if faulty and faulty.parallel and len(reads) > 1:
        yield from (Step(calls=(read,)) for read in reads[:-2])
        yield Step(calls=tuple(reads[-2:]))
        return
    for n, read in enumerate(reads, start=1):
        beside = faulty is not None and faulty.beside and n == len(reads)
        yield Step(text=phrases.CHECKING if beside else "", calls=(read,))


def _proposal(call: ToolCall, session: EnvironmentSession, rng: random.Random) -> str:
    change = session.environment.domain.words.describe_write(call, session.state)
    text = phrase(phrases.PROPOSE, rng, change=change)
    if "only be called once" in _description(call, session) or "only once" in (
        _description(call, session)
    ):
        return _join(phrase(phrases.COMPLETE_LIST, rng), text)
    return text


def _description(call: ToolCall, session: EnvironmentSession) -> str:
    schema = session.environment.tools[call.name].schema
    text: str = schema["function"]["description"]
    return text


def _report(call: ToolCall, session: EnvironmentSession, rng: random.Random) -> str:
    """Make the write in the rehearsal, and say what came of it."""
    words = session.environment.domain.words
    result = session.call(call)
    if result.error:
        return f"That did not work: {result.content.removeprefix('Error: ')}."
    outcome = words.describe_outcome(call, session.state)
    return phrase(phrases.DONE, rng, outcome=outcome)


def _join(*texts: str) -> str:
    return " ".join(filter(None, texts))


# --- what the choice was -------------------------------------------------------------------------------------------------------


def _comparison(task: Task, write: ToolCall, rng: random.Random) -> str:
    """The chosen candidate beside the runner-up, if the write rests on a choice by one plain field."""
    for table in task.tables:
        gold = next((line for line in table.lines if line.gold), None)
        if gold and _rests_on(write, gold) and " " in table.objective[0]:
            return _compared(table, gold, rng)
    return ""


def _rests_on(write: ToolCall, gold: CandidateLine) -> bool:
    place = gold.pointer.rsplit("/", 1)[-1]
    arguments = json.dumps(write.arguments, ensure_ascii=False)
    return len(place) > 3 and f'"{place}"' in arguments


def _compared(table: CandidateTable, gold: CandidateLine, rng: random.Random) -> str:
    path, _, direction = table.objective[0].rpartition(" ")
    feasible = [line for line in table.lines if not line.why_not]
    rank = feasible.index(gold)
    others = feasible[rank + 1 :]
    if not others or not all(part.isidentifier() for part in path.split(".")):
        return ""
    ordinal = ("", "second ", "third ")[rank] if rank < 3 else f"{rank + 1}th "
    return phrase(
        phrases.COMPARED,
        rng,
        count=len(feasible),
        gold=_called(gold),
        place=ordinal + ("lowest" if direction == "↑" else "highest"),
        field=path.rpartition(".")[2],
        value=_amount(gold.objective[0]),
        runner=_called(others[0]),
        other=_amount(others[0].objective[0]),
    )


def _called(line: CandidateLine) -> str:
    """ "5700864906 · fine, steel" as it is said."""
    name, _, rest = line.label.partition(" · ")
    return f"{name} ({rest})" if rest else name


def _amount(value: Any) -> str:
    return f"${value:,.2f}" if isinstance(value, float) else str(value)


# --- pieces for faults ---------------------------------------------------------------------------------------------------------


def with_round(script: Script, number: int, **changes: Any) -> Script:
    rounds = list(script.rounds)
    rounds[number] = replace(rounds[number], **changes)
    return replace(script, rounds=tuple(rounds))


def after_gold(environment: Environment, task: Task) -> Session:
    """The state once all gold writes were made."""
    session = environment.session()
    session.replay([write.call for write in task.gold])
    return session.state
