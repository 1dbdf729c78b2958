"""Errors in what is written."""

import json
import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from environments.core.pointers import MISSING, at, leaves, split
from environments.core.tools import ToolCall
from writ_app.engine.behaviour import STOP, phrase
from writ_app.engine.canaries.copying import (
    Canary,
    Made,
    Original,
    differences,
    saying,
    with_call,
    without_call,
)
from writ_app.engine.scripted import phrases, user_phrases
from writ_app.engine.scripted.faults.base import ids, with_id
from writ_app.engine.types import CandidateLine, CandidateTable, Message
from writ_app.engine.verification.results import parsed
from writ_app.engine.verification.trace import says_no


def sibling_id(original: Original) -> Canary | None:
    """One id of a write becomes another that was shown before; not one of the candidates', that is another class."""
    chosen = {
        part
        for table in original.task.tables
        for line in table.lines
        for part in split(line.pointer)[-1:]
    }
    for write in original.shuffled(original.writes):
        for name, place, value in original.shuffled(ids(write.call)):
            if value in chosen:
                continue
            for other in original.shuffled(_siblings(original, write, value) - chosen):
                found = _rewritten(
                    original, write, with_id(write.call, name, place, other)
                )
                if found is not None:
                    return found
    return None


def _siblings(original: Original, write: Made, value: str) -> set[str]:
    """Ids of the same form that were shown before the write."""
    if value.isupper():  # booking codes: letters and digits in any order
        form = rf"[A-Z\d]{{{len(value)}}}"
    else:
        form = re.sub(r"\d", r"\\d", re.escape(value))
    shown = original.shown_before(write.index)
    found = {one for text in shown for one in re.findall(rf"(?<!\w){form}(?!\w)", text)}
    return {one for one in found if re.search(r"\d", one)} - {value}


def rival_chosen(original: Original) -> Canary | None:
    """A write takes what another candidate has in the places where it took the winner's."""
    for table in original.shuffled(original.task.tables):
        gold = next((line for line in table.lines if line.gold), None)
        if gold is None:
            continue
        for rival in _rivals(original, table):
            taken = _instead(original, gold, rival)
            for write in original.writes:
                new = _with_values(write.call, taken)
                found = _rewritten(original, write, new) if new else None
                if found is not None:
                    return found
    return None


def _rivals(original: Original, table: CandidateTable) -> list[CandidateLine]:
    """Those that fit first, then those that do not; the nearest to the winner are what people mistake for it."""
    place = next(n for n, line in enumerate(table.lines) if line.gold)
    near = sorted(
        (line for line in table.lines if not line.gold),
        key=lambda line: abs(table.lines.index(line) - place),
    )
    return sorted(near, key=lambda line: bool(line.why_not))


def _instead(
    original: Original, gold: CandidateLine, rival: CandidateLine
) -> dict[str, Any]:
    """JSON of a value of the winner's → the rival's: its key, what it was asked for by, and its fields."""
    results = {m.call.key: m for m in original.reads}
    mine, theirs = results.get(gold.read), results.get(rival.read)
    if mine is None or theirs is None:
        return {}
    pairs = list(zip(split(gold.pointer)[-1:], split(rival.pointer)[-1:], strict=False))
    pairs += [(one, two) for _, one, two in differences(mine.call, theirs.call)]
    fields = dict(_fields(original, mine, gold)), dict(_fields(original, theirs, rival))
    pairs += [
        (value, fields[1][name])
        for name, value in fields[0].items()
        if name in fields[1]
    ]
    return {json.dumps(one): two for one, two in reversed(pairs) if one != two}


def _fields(
    original: Original, read: Made, line: CandidateLine
) -> Iterator[tuple[str, Any]]:
    record = at(parsed(original.messages[read.answer].content), line.pointer)
    return iter(()) if record is MISSING else leaves(record)


def _with_values(call: ToolCall, taken: Mapping[str, Any]) -> ToolCall | None:
    """The call with other values where it has those; None if it has none. Yes, no and small numbers say nothing."""

    def swap(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: swap(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [swap(inner) for inner in value]
        telling = isinstance(value, str | int | float) and len(str(value)) > 2
        return taken.get(json.dumps(value), value) if telling else value

    arguments = swap(call.arguments)
    if arguments == call.arguments:
        return None
    return ToolCall(name=call.name, arguments=arguments)


def _rewritten(original: Original, write: Made, new: ToolCall) -> Canary | None:
    """None if the write is the same in the world's one spelling, or refused."""
    canonical = original.environment.domain.canonical_write
    if canonical(new).key == canonical(write.call).key:
        return None
    messages = original.with_write(write, new)
    if messages is None:
        return None
    changes = list(differences(write.call, new))
    told = "; ".join(f"{place[1:]} was {one}, now {two}" for place, one, two in changes)
    return original.canary(
        messages, f"{new.name}: {told}.", write.index, changes[0][0] if changes else ""
    )


def dropped_write(original: Original) -> Canary | None:
    """A write is gone, with its result; what the agent said of it stays."""
    for write in original.shuffled(original.writes):
        messages = original.replayed(without_call(original.messages, write))
        if messages is not None:
            told = f"{write.call.name} was taken out; the agent still reports it."
            return original.canary(messages, told, min(write.index, len(messages) - 1))
    return None


def repeated_write(original: Original) -> Canary | None:
    """Writes that depend on each other change places, or one is made once more, if the tools let it through."""
    if original.task.dependent:
        for one, other in original.shuffled(pairwise(original.writes)):
            messages = list(original.messages)
            messages[one.index] = with_call(messages[one.index], one.place, other.call)
            messages[other.index] = with_call(
                messages[other.index], other.place, one.call
            )
            found = original.replayed(messages)
            if found is not None and one.call != other.call:
                told = f"{one.call.name} and {other.call.name} changed places."
                return original.canary(found, told, one.index)
    for write in original.shuffled(original.writes):
        after = write.answer + 1
        messages = [
            *original.messages[:after],
            *original.new_call(write.call),
            *original.messages[after:],
        ]
        found = original.replayed(messages)
        if found is not None:
            return original.canary(found, f"{write.call.name} was made twice.", after)
    return None


def policy_breach(original: Original) -> Canary | None:
    """What the policy refuses is done; or, after what was asked for, something is changed that the user never agreed to."""
    if original.task.declined:
        return _done_instead(original)
    if not original.writes:
        return None
    last = original.writes[-1]
    session = original.state_before(last.answer + 1)
    words = original.environment.domain.words
    extra = words.unasked_write(last.call, session.state)
    if extra is None:
        return None
    after = last.answer + 1
    messages = [
        *original.messages[:after],
        *original.new_call(extra),
        *original.messages[after:],
    ]
    told = f"{extra.name} was added: nobody asked for it or agreed to it."
    found = original.replayed(messages)
    return original.canary(found, told, after) if found else None


def _done_instead(original: Original) -> Canary | None:
    """The forbidden write, its report instead of the refusal, and a user who leaves content."""
    first = next((m.index for m in original.reads), len(original.messages))
    refused = next(
        (n for n, text in original.agent_texts(first) if says_no(text)), None
    )
    if refused is None:
        return None
    words, clause = original.environment.domain.words, original.task.declined
    session = original.state_before(refused)
    reads = [read.call for read in original.task.certificate]
    forbidden = words.forbidden_write(clause, reads, session.state)
    if forbidden is None or session.call(forbidden).error:
        return None
    outcome = words.describe_outcome(forbidden, session.state)
    report = phrase(phrases.DONE, original.rng, outcome=outcome)
    more = phrase(phrases.ANYTHING_ELSE, original.rng)
    thanks = phrase(user_phrases.THANKS, original.rng)
    messages = [
        *original.messages[:refused],
        *original.new_call(forbidden),
        saying(original.messages[refused], f"{report} {more}"),
        Message(role="user", content=f"{thanks} {STOP}"),
    ]
    found = original.replayed(messages)
    told = f"{forbidden.name} was made, which policy {clause} forbids, instead of refusing."
    return original.canary(found, told, refused) if found else None
