"""What a scripted agent will do once it has all details: reads and writes in order, and what it says around them.

A `Script` is made from a task's proof, may be edited by a fault, and is then laid out as steps that are ticked off one by one.
"""

import itertools
import json
import random
import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from environments.core.environment import Environment, EnvironmentSession
from environments.core.evaluate import answer
from environments.core.query import Query
from environments.core.state import Session
from environments.core.tools import ToolCall
from writ_app.engine.behaviour import phrase
from writ_app.engine.composition import without_number
from writ_app.engine.scripted import phrases
from writ_app.engine.types import CandidateLine, CandidateTable, Task, ToldFact


@dataclass(frozen=True)
class Round:
    """The way to one write: reads, the question, the write. What follows `confirm` is for faults."""

    reads: tuple[ToolCall, ...] = ()
    write: ToolCall | None = None
    confirm: bool = True
    listed: ToolCall | None = None
    """What the question lists instead of the write."""
    pretended: bool = False
    """The write is reported, and not made."""
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
    told: tuple[ToldFact, ...] = ()
    """What is told at the end."""
    verified: bool = True
    """Find out who it is before anything else."""
    hasty: bool = False
    """Make the write of a first wish before the user has said which wish counts."""
    pauses: Mapping[int, int] = field(default_factory=dict)
    """Number of a round → part of the request for which the user is waited for after it."""
    beside: bool = False
    """Say something beside the last read of the round that has most reads."""
    parallel: bool = False
    """Make the last two reads of that round in one turn."""
    malformed: str = ""
    """Instead of the first read: "garbage", "unknown_tool" or "unknown_argument"."""


@dataclass(frozen=True)
class Step:
    """One turn. A question (`asks`) has to be answered with a yes before the next step."""

    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    asks: bool = False
    write: ToolCall | None = None
    """What is asked for."""
    proposal: str = ""
    """The part of the text that is the question: what it comes down to when it has to be asked again."""
    pause: int = 0
    """The part of the request that has to be told before the next step."""
    hands_over: bool = False
    failure: Literal["", "garbage", "down"] = ""
    """What comes instead of an answer: one that cannot be read, or none."""
    endless: bool = False
    """Taken again and again."""


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
        alone = _looking_around([Round(tuple(reads))], task)
        return Script(alone, told=task.told)
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
    return Script(_looking_around(rounds, task), told=task.told)


def pauses(environment: Environment, task: Task) -> dict[int, int]:
    """Number of the last write of each part of a request but the last → number of the part after it."""
    kinds = {kind.slug: kind for kind in environment.domain.archetypes}
    domain, end, found = environment.domain, 0, {}
    for part, slug in enumerate(task.parts[:-1]):
        own = dict(task.facts)
        for name, value in task.facts.items():
            if without_number(name)[1] == part:
                own[without_number(name)[0]] = value
        end += len(kinds[slug].query(own).steps)
        source = domain.from_state(environment.session().state)
        so_far = Query(steps=task.query.steps[:end])
        gold = answer(so_far, task.facts, source, domain, delta=0.0, bare=True).gold
        found[len(gold) - 1] = part + 1
    return found


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
    for number, part in enumerate(script.rounds):
        steps += _read_turns(part.reads, script if part is most else None)
        steps += [Step(calls=(call,)) for call in part.before]
        if script.refusal:
            break
        if part.write is not None:
            if part.confirm:
                found = "" if part.listed else _comparison(task, part.write, rng)
                proposal = _proposal(part.listed or part.write, session, rng)
                text = _join(report, found, proposal)
                listed = part.listed or part.write
                steps.append(Step(text, asks=True, write=listed, proposal=proposal))
                report = ""
            if not part.pretended:
                steps.append(Step(calls=(part.write,)))
            report = _join(report, _report(part.write, session, rng))
        steps += [Step(calls=(call,)) for call in part.after]
        if number in script.pauses:
            more = phrase(phrases.ANYTHING_ELSE, rng)
            steps.append(Step(_join(report, more), pause=script.pauses[number]))
            report = ""
    if script.transfer:  # its sentence stands alone
        handing = Step(calls=(script.transfer,), hands_over=True)
        return (*steps, handing, Step(text=words.after_transfer))
    told = (words.describe_told(one.what, one.value) for one in script.told)
    said = script.refusal or _join(report, *told)
    more = phrase(phrases.ANYTHING_ELSE, rng)
    return (*steps, Step(text=_join(said, more)))


def _malformed(script: Script) -> Iterator[Step]:
    match script.malformed:
        case "garbage":
            yield Step(failure="garbage")
        case "unknown_tool":
            yield Step(calls=(ToolCall(name="look_up_everything"),))
        case "unknown_argument":
            reads = (read for part in script.rounds for read in part.reads)
            for read in itertools.islice(reads, 1):
                wrong = {**read.arguments, "verbose": "true"}
                yield Step(calls=(ToolCall(name=read.name, arguments=wrong),))


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
    field = path.rpartition(".")[2]
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
        field=field.replace("_", " "),
        value=_amount(field, gold.objective[0]),
        runner=_called(others[0]),
        other=_amount(field, others[0].objective[0]),
    )


def _called(line: CandidateLine) -> str:
    """ "5700864906 · fine, steel" as it is said."""
    name, _, rest = line.label.partition(" · ")
    return f"{name} ({rest})" if rest else name


_MONEY = re.compile(r"price|rate$|cost|total|amount|balance|fare|deposit|fee")


def _amount(field: str, value: Any) -> str:
    """Amounts of money as such, everything else as it is."""
    if isinstance(value, float) and _MONEY.search(field):
        return f"${value:,.2f}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def runner_up(
    task: Task, write: ToolCall | None, made: Container[str], rng: random.Random
) -> str:
    """What else fits, beside what was chosen for the write, as far as its read was made; "" if nothing does."""
    for table in task.tables:
        gold = next((line for line in table.lines if line.gold), None)
        if gold is None or write is None or not _rests_on(write, gold):
            continue
        others = [
            line
            for line in table.lines
            if not line.why_not and line is not gold and line.read in made
        ]
        if others:
            return phrase(
                phrases.RUNNER_UP, rng, gold=_called(gold), runner=_called(others[0])
            )
    return ""


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
