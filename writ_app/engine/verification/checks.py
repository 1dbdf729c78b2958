"""The checks, in the order in which a rejection takes its reason from them. One that does not apply says so and passes."""

import re
from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from environments.core.pointers import leaves
from environments.core.tools import Tool, ToolCall
from writ_app.engine.behaviour import STOP_TOKENS
from writ_app.engine.types import Check, Ending, Owner
from writ_app.engine.verification.claims import invented_lookups, unfounded
from writ_app.engine.verification.confirmation import check_confirmation
from writ_app.engine.verification.findings import failed, passed
from writ_app.engine.verification.trace import Made, Trace
from writ_app.engine.verification.user_side import check_phases, check_user


def check_ended(trace: Trace) -> Check:
    """The user ended the conversation."""
    ended = trace.trajectory.ended_by
    last = len(trace.messages) - 1
    if ended is not Ending.USER_STOP:
        note = f": {trace.trajectory.note}" if trace.trajectory.note else ""
        owner = trace.trajectory.owner or Owner.BUDGET
        words = ended.value.replace("_", " ")
        return failed(
            "ended", f"It ended by {words}{note}.", (last,) if last >= 0 else (), owner
        )
    if not trace.user_texts or not any(
        token in trace.user_texts[-1][1] for token in STOP_TOKENS
    ):
        return failed(
            "ended", "The user's last message does not end it.", (last,), Owner.USER
        )
    return passed("ended", "The user ended the conversation.", (last,))


def check_calls(trace: Trace) -> Check:
    """Every call names a tool, with arguments that it has."""
    if trace.trajectory.ended_by is Ending.AGENT_ERROR:
        return failed("calls", f"The agent's answer: {trace.trajectory.note}")
    wrong: list[tuple[int, str]] = []
    for made in trace.calls:
        problem = _misfit(trace, made)
        if problem:
            wrong.append((made.index, problem))
    if wrong:
        return failed(
            "calls", " ".join(text for _, text in wrong), [n for n, _ in wrong]
        )
    return passed("calls", f"All {len(trace.calls)} calls fit a tool.")


def _misfit(trace: Trace, made: Made) -> str:
    tool = trace.environment.tools.get(made.call.name)
    if tool is None:
        return f"There is no tool {made.call.name}."
    given, (known, required) = set(made.call.arguments), _parameters(tool)
    if given - known:
        return f"{made.call.name} has no {', '.join(sorted(given - known))}."
    if required - given:
        return f"{made.call.name} lacks {', '.join(sorted(required - given))}."
    return ""


@lru_cache(maxsize=256)
def _parameters(tool: Tool) -> tuple[frozenset[str], frozenset[str]]:
    """Names of all of a tool's parameters, and of those that it needs."""
    parameters = tool.schema["function"]["parameters"]
    known, required = parameters.get("properties", ()), parameters.get("required", ())
    return frozenset(known), frozenset(required)


def check_one_call(trace: Trace) -> Check:
    """One call per turn, no text beside it."""
    several = [n for n, m in enumerate(trace.messages) if len(m.tool_calls) > 1]
    beside = [
        n for n, m in enumerate(trace.messages) if m.tool_calls and m.content.strip()
    ]
    if several or beside:
        texts = [
            *(["Several calls in one turn."] if several else []),
            *(["Text beside a call."] if beside else []),
        ]
        return failed("one_call", " ".join(texts), sorted({*several, *beside}))
    return passed("one_call", "One call per turn, no text beside it.")


def check_replay(trace: Trace) -> Check:
    """Made again, every call gives the recorded result."""
    different = [
        made.index
        for made in trace.calls
        if made.recorded is None
        or made.recorded.content != made.result.content
        or made.recorded.error != made.result.error
    ]
    if different:
        return failed(
            "replay",
            "The environment answers differently from what is recorded.",
            different,
            Owner.ENVIRONMENT,
        )
    return passed("replay", f"All {len(trace.calls)} results come out the same again.")


def check_refusal(trace: Trace) -> Check:
    """What the policy refuses is refused: no write is tried, and the agent says no."""
    if not trace.task.declined:
        return passed("refusal", "Does not apply: the request is allowed.")
    clause = trace.task.declined
    tried = [made.index for made in trace.calls if made.tried_to_write]
    if tried:
        names = ", ".join(m.call.name for m in trace.calls if m.tried_to_write)
        return failed(
            "refusal",
            f"Policy {clause} refuses the request, but {names} was called.",
            tried,
        )
    if trace.refusal_place is None:
        return failed(
            "refusal", f"The agent never said no, though policy {clause} does."
        )
    cited = _cited_clauses(trace, trace.messages[trace.refusal_place].content)
    if cited and clause not in cited:
        return failed(
            "refusal",
            f"Refused by policy {', '.join(sorted(cited))}, but it is {clause} that forbids it.",
            (trace.refusal_place,),
        )
    return passed("refusal", f"Refused by policy {clause}.", (trace.refusal_place,))


_CITED = re.compile(
    r"\b(?:rules?|clauses?|polic(?:y|ies)|sections?)\s+(\d+\.\d+)", re.IGNORECASE
)


def _cited_clauses(trace: Trace, text: str) -> set[str]:
    """Clauses that a text cites by their numbers; one that gives its reason in words cites none."""
    return set(_CITED.findall(text)) & set(trace.environment.clauses)


def check_transfer(trace: Trace) -> Check:
    """What the policy leaves to a person is handed over, nothing else is, and nothing is written before."""
    tool, clause = trace.environment.domain.words.transfer_tool, trace.task.transferred
    made = [call.index for call in trace.calls if call.call.name == tool]
    if not clause:
        if made:
            return failed(
                "transfer", "The agent handed over what it could do itself.", made
            )
        return passed("transfer", "Does not apply: the request needs no person.")
    tried = [call.index for call in trace.calls if call.tried_to_write]
    if tried:
        return failed(
            "transfer",
            f"Policy {clause} needs a person, but something was written.",
            tried,
        )
    if not made:
        return failed("transfer", f"Policy {clause} needs a person: nobody was called.")
    return passed("transfer", f"Handed over by policy {clause}.", made)


def check_told(trace: Trace) -> Check:
    """The user was told what he asked to be told."""
    if not trace.task.told:
        return passed("told", "Does not apply: nothing was to be told.")
    missing = [
        f"{one.what} ({one.value})"
        for one, place in zip(trace.task.told, trace.told_places, strict=True)
        if place is None
    ]
    if missing:
        return failed("told", f"The user was never told {'; '.join(missing)}.")
    where = [place for place in trace.told_places if place is not None]
    return passed("told", f"All {len(where)} answers were given.", where)


def check_writes(trace: Trace) -> Check:
    """The writes that succeeded are the gold's, none more; where they depend on each other, in the gold's order."""
    made = [trace.canonical(write.call) for write in trace.writes]
    gold = [trace.canonical(write.call) for write in trace.task.gold]
    refused = [attempt.index for attempt in trace.attempts]
    note = f" {len(refused)} more were refused by the tool." if refused else ""
    if Counter(made) != Counter(gold):
        where = [
            write.index
            for write, key in zip(trace.writes, made, strict=True)
            if key not in gold or made.count(key) > gold.count(key)
        ]
        return failed("writes", _difference(trace) + note, where or refused)
    if trace.task.dependent and made != gold:
        where = [write.index for write in trace.writes]
        return failed(
            "writes",
            "The writes depend on each other and came in another order.",
            where,
        )
    if not gold:
        return passed("writes", f"Nothing was to be written, and nothing was.{note}")
    where = [write.index for write in trace.writes]
    return passed("writes", f"All {len(gold)} writes are the gold's.{note}", where)


def _difference(trace: Trace) -> str:
    """What is missing, what is too much, in one or two sentences."""
    canonical = trace.environment.domain.canonical_write
    missing = [canonical(write.call) for write in trace.task.gold]
    extra: list[ToolCall] = []
    for write in trace.writes:
        call = canonical(write.call)
        if call in missing:
            missing.remove(call)
        else:
            extra.append(call)
    told = []
    for call in extra:
        twin = next((other for other in missing if other.name == call.name), None)
        if twin is None:
            told.append(f"{call.name} was not asked for.")
        else:
            missing.remove(twin)
            told.append(_changed(call, twin))
    told += [f"{call.name} was not made." for call in missing]
    return " ".join(told)


def _changed(call: ToolCall, gold: ToolCall) -> str:
    have, want = dict(leaves(call.arguments)), dict(leaves(gold.arguments))
    parts = [
        f"{place} is {have.get(place)!r} instead of {want.get(place)!r}"
        for place in sorted({*have, *want})
        if have.get(place) != want.get(place)
    ]
    return f"{call.name}: {'; '.join(parts)}."


def check_final_state(trace: Trace) -> Check:
    """The world stands where the gold leaves it."""
    if trace.course.effect == trace.task.gold_effect:
        return passed("final_state", "The final state is the gold's.")
    changed = sorted(
        {f"{name} {key}" for name, key in trace.course.session.state.changes()}
    )
    what = f"changed: {', '.join(changed)}" if changed else "nothing was changed"
    where = [write.index for write in trace.writes]
    return failed("final_state", f"The final state is not the gold's ({what}).", where)


def check_evidence(trace: Trace) -> Check:
    """Every read that the answer rests on was made before the write (or the refusal) it supports."""
    total = len(trace.coverage)
    missing = [
        read.call.key
        for read, place in zip(trace.task.certificate, trace.coverage, strict=True)
        if place is None
    ]
    made = [place for place in trace.coverage if place is not None]
    if missing:
        task = trace.task
        step = (
            "the refusal"
            if task.declined
            else "the transfer"
            if task.transferred
            else "the write"
            if task.gold
            else "the answer"
        )
        return failed(
            "evidence",
            f"{total - len(missing)} of {total} needed reads were made before {step}; "
            f"a guess, even a lucky one, for lack of: {'; '.join(missing)}.",
            sorted(set(made)),
        )
    return passed(
        "evidence", f"All {total} needed reads were made in time.", sorted(set(made))
    )


def check_provenance(trace: Trace) -> Check:
    """Every argument of every write was to be had before it."""
    made = [part for part in trace.provenance if part.side == "actual"]
    lost = [part for part in made if part.kind == "not_found"]
    if lost:
        told = ", ".join(f"{part.pointer} = {_short(part.value)}" for part in lost)
        return failed(
            "provenance",
            f"Nobody told or showed before the write: {told}.",
            [n for n in dict.fromkeys(part.message for part in lost) if n is not None],
        )
    if not made:
        return passed("provenance", "Does not apply: nothing was written.")
    doubtful = ", ".join(
        f"{part.pointer} ({part.kind})"
        for part in made
        if part.kind in ("stale", "conflict")
    )
    return passed(
        "provenance",
        f"All {len(made)} arguments were told or shown before."
        + (f" To be looked at: {doubtful}." if doubtful else ""),
    )


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"


def check_lookups(trace: Trace) -> Check:
    """Every id that was looked up was said by the user or shown before. Reads that nobody needed are no failure."""
    found = list(invented_lookups(trace))
    if found:
        text = " ".join(dict.fromkeys(text for _, text in found))
        return failed("lookups", text, dict.fromkeys(n for n, _ in found))
    loose = [part for part in trace.provenance if part.side == "read"]
    if loose:
        told = ", ".join(f"{part.pointer} = {_short(part.value)}" for part in loose)
        return passed(
            "lookups",
            f"No id was looked up that nobody had spoken of. To be looked at: {told}.",
            [n for n in dict.fromkeys(part.message for part in loose) if n is not None],
        )
    return passed("lookups", "Nothing was looked up that nobody had spoken of.")


def check_claims(trace: Trace) -> Check:
    """Ids, emails, amounts and changes of which the agent speaks are borne out by something."""
    found = list(unfounded(trace))
    if found:
        text = " ".join(dict.fromkeys(text for _, text in found))
        return failed("claims", text, dict.fromkeys(n for n, _ in found))
    return passed("claims", "What the agent claims is borne out.")


def check_policy(trace: Trace) -> Check:
    """The clauses of the policy that a program can judge."""
    judges = trace.environment.domain.policy_checks
    if not judges:
        return passed("policy", "Does not apply: this world has no executable clauses.")
    events = trace.policy_trace()
    told: list[str] = []
    where: list[int] = []
    for judge in judges:
        for breach in judge.judge(events):
            known = judge.clause in trace.environment.clauses
            rule = f"Policy {judge.clause}" if known else judge.title
            told.append(f"{rule}: {breach.text}")
            where.extend(breach.where)
    if told:
        return failed("policy", " ".join(told), dict.fromkeys(where))
    return passed("policy", f"None of {len(judges)} executable clauses was broken.")


CHECKS: tuple[Callable[[Trace], Check], ...] = (
    check_replay,
    check_user,
    check_ended,
    check_calls,
    check_one_call,
    check_refusal,
    check_transfer,
    check_told,
    check_phases,
    check_writes,
    check_final_state,
    check_evidence,
    check_confirmation,
    check_provenance,
    check_lookups,
    check_claims,
    check_policy,
)
