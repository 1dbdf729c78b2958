"""Why a trial failed: one kind each, with who is to answer for it and a sentence for a person.

Of a task of our own the certificate says which reads were needed; of a benchmark's task the gold lists some. Everything else is
told from the parts of the reward and from the writes, so that both are counted alike.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from environments.core.environment import Environment
from environments.core.tools import ToolCall
from writ_app.engine.alignment import PlayedCall
from writ_app.engine.behaviour import STOP_TOKENS, refuses
from writ_app.engine.benchmark_scoring import COUNTED, RewardInfo
from writ_app.engine.benchmark_tasks import BenchmarkTask
from writ_app.engine.evaluation.repeats import is_success
from writ_app.engine.types import Frozen, Message, Owner, Verification


class Kind(StrEnum):
    """What went wrong. The first that applies, in this order."""

    PROVIDER = "provider"
    BUDGET = "no_end"
    ENVIRONMENT = "environment"
    FORM = "malformed"
    USER = "user_fault"
    PREMATURE_WRITE = "premature_write"
    MISSING_EVIDENCE = "missing_evidence"
    POLICY = "policy"
    WRONG_ARGUMENT = "wrong_argument"
    EXTRA_WRITE = "extra_write"
    MISSING_WRITE = "missing_write"
    OTHER_STATE = "other_state"
    NOT_TOLD = "not_told"
    NOT_MET = "judged_not_met"


TITLES = {
    Kind.PROVIDER: "the provider gave no answer",
    Kind.BUDGET: "no end within the limits",
    Kind.ENVIRONMENT: "the environment broke",
    Kind.FORM: "answers or calls that cannot be used",
    Kind.USER: "the user did not do as told",
    Kind.PREMATURE_WRITE: "wrote before reading what it rests on",
    Kind.MISSING_EVIDENCE: "never read what it rests on",
    Kind.POLICY: "against the policy",
    Kind.WRONG_ARGUMENT: "wrote something else",
    Kind.EXTRA_WRITE: "a write that nobody asked for",
    Kind.MISSING_WRITE: "a write left out",
    Kind.OTHER_STATE: "the same writes, another end",
    Kind.NOT_TOLD: "did not tell what was asked",
    Kind.NOT_MET: "the judge found something unmet",
}


class Failure(Frozen):
    kind: Kind
    owner: Owner
    finding: str
    where: tuple[int, ...] = ()
    """Indexes of messages."""


_ENDINGS = {
    "infrastructure_error": (Kind.PROVIDER, Owner.PROVIDER),
    "max_steps": (Kind.BUDGET, Owner.BUDGET),
    "timeout": (Kind.BUDGET, Owner.BUDGET),
    "too_many_errors": (Kind.FORM, Owner.AGENT),
    "agent_error": (Kind.FORM, Owner.AGENT),
    "context_window_exceeded": (Kind.BUDGET, Owner.AGENT),
    "user_error": (Kind.USER, Owner.USER),
    "unexpected_error": (Kind.ENVIRONMENT, Owner.ENVIRONMENT),
}


@dataclass(frozen=True)
class Trial:
    """What is known of one trial. `needed`: reads that the answer rests on, as far as somebody said so."""

    environment: Environment
    task: BenchmarkTask
    messages: Sequence[Message]
    ended_by: str
    reward: RewardInfo
    needed: Sequence[ToolCall] = ()
    verification: Verification | None = None
    """Of a task of our own."""
    note: str = ""


def failure_of(trial: Trial) -> Failure | None:
    """None of a trial that succeeded."""
    if is_success(trial.reward["reward"]):
        return None
    if trial.ended_by not in COUNTED:
        kind, owner = _ENDINGS.get(
            trial.ended_by, (Kind.ENVIRONMENT, Owner.ENVIRONMENT)
        )
        finding = trial.note or f"It ended by {trial.ended_by.replace('_', ' ')}."
        last = (len(trial.messages) - 1,) if trial.messages else ()
        return Failure(kind=kind, owner=owner, finding=finding, where=last)
    return _users(trial) or _agents(trial)


def listed_reads(environment: Environment, task: BenchmarkTask) -> list[ToolCall]:
    """Reads among the gold actions, each once."""
    calls = [_call(one) for one in _actions(task)]
    return list(dict.fromkeys(c for c in calls if environment.is_read(c.name)))


# --- the user's ----------------------------------------------------------------------------------------------------------------


def _users(trial: Trial) -> Failure | None:
    for check in trial.verification.checks if trial.verification else ():
        if check.owner is Owner.USER and _was_turned_away(trial):
            continue
        if not check.passed and check.owner in (Owner.USER, Owner.ENVIRONMENT):
            kind = Kind.USER if check.owner is Owner.USER else Kind.ENVIRONMENT
            return Failure(
                kind=kind, owner=check.owner, finding=check.finding, where=check.where
            )
    _, transfer, out_of_scope = STOP_TOKENS
    place = max(
        (n for n, one in enumerate(trial.messages) if one.role == "user"), default=0
    )
    last = trial.messages[place].content if trial.messages else ""
    if out_of_scope in last:
        words = "The user left because the scenario gave nothing to answer with."
    elif transfer in last and not _handed_over(trial):
        words = "The user left as if transferred, but nobody transferred them."
    else:
        return None
    return Failure(kind=Kind.USER, owner=Owner.USER, finding=words, where=(place,))


def _was_turned_away(trial: Trial) -> bool:
    """Whether the agent refused what it should have done: who leaves then has not told everything, and need not."""
    criteria = trial.task.get("evaluation_criteria") or {}
    wanted = bool(criteria.get("actions"))
    return wanted and any(
        refuses(one.content) for one in trial.messages if one.role == "assistant"
    )


def _handed_over(trial: Trial) -> bool:
    tool = trial.environment.domain.words.transfer_tool
    return any(made.name == tool for one in trial.messages for made in one.tool_calls)


# --- the agent's ---------------------------------------------------------------------------------------------------------------


def _agents(trial: Trial) -> Failure:
    parts: dict[str, float] = trial.reward["reward_breakdown"] or {}
    if parts.get("DB") == 0 or parts.get("ENV_ASSERTION") == 0:
        kind, finding, where = _state(trial)
    elif parts.get("ACTION") == 0:
        kind, finding, where = _action(trial)
    elif parts.get("COMMUNICATE") == 0:
        kind, finding, where = _untold(trial)
    else:
        kind, finding, where = _unmet(trial)
    return Failure(kind=kind, owner=Owner.AGENT, finding=finding, where=where)


type _Found = tuple[Kind, str, tuple[int, ...]]


def _state(trial: Trial) -> _Found:
    """The database is not as the gold leaves it."""
    made = list(_played(trial))
    wrote = [one for one in made if one.wrote]
    gold = [PlayedCall(0, call) for call in _gold_writes(trial)]
    odd = _without(wrote, gold)
    lacking = _without(gold, wrote)
    if not odd and not lacking:
        return Kind.OTHER_STATE, "The gold's writes, and yet another end.", ()
    if odd:
        return _odd_write(trial, odd, lacking, made)
    names = ", ".join(one.tool for one in lacking)
    if _handed_over(trial):
        return Kind.POLICY, f"Handed over instead of {names}.", ()
    return Kind.MISSING_WRITE, f"Never made: {names}.", ()


def _odd_write(
    trial: Trial,
    odd: Sequence[PlayedCall],
    lacking: Sequence[PlayedCall],
    made: Sequence[PlayedCall],
) -> _Found:
    first = odd[0]
    where = tuple(one.step for one in odd)
    before = {one.key for one in made if one.step < first.step}
    after = {one.key for one in made if one.step > first.step}
    unread = [
        one for one in _keyed(trial.needed) if one.key not in before and not one.error
    ]
    twin = next((one for one in lacking if one.tool == first.tool), None)
    if unread and _may_have_read(trial, first):
        late = [one for one in unread if one.key in after]
        told = "; ".join(f"{one.tool} {one.brief}" for one in (late or unread)[:3])
        if late:
            return (
                Kind.PREMATURE_WRITE,
                f"{first.tool} came before {told}.",
                where,
            )
        return Kind.MISSING_EVIDENCE, f"{first.tool} without reading {told}.", where
    if not _gold_writes(trial):
        return (
            Kind.POLICY,
            f"{first.tool}, though nothing was to be written.",
            where,
        )
    if twin is not None:
        return (
            Kind.WRONG_ARGUMENT,
            f"{first.tool} {first.brief} instead of {twin.brief}.",
            where,
        )
    return Kind.EXTRA_WRITE, f"{first.tool} {first.brief} was not asked for.", where


def _may_have_read(trial: Trial, write: PlayedCall) -> bool:
    """A task's certificate names only reads that are needed; a gold list may name some that are not."""
    return trial.verification is not None or bool(_gold_writes(trial))


def _action(trial: Trial) -> _Found:
    lacking = [
        one["action"]["name"]
        for one in trial.reward["action_checks"] or ()
        if not one["action_match"]
    ]
    return Kind.POLICY, f"Never called: {', '.join(lacking)}.", ()


def _untold(trial: Trial) -> _Found:
    lacking = [
        one["info"]
        for one in trial.reward["communicate_checks"] or ()
        if not one["met"]
    ]
    read = {one.key for one in _played(trial)}
    unread = [one for one in _keyed(trial.needed) if one.key not in read]
    if unread and trial.verification is not None:
        told = "; ".join(f"{one.tool} {one.brief}" for one in unread[:3])
        return Kind.MISSING_EVIDENCE, f"Answered without reading {told}.", ()
    return Kind.NOT_TOLD, f"Never said: {'; '.join(lacking)}.", ()


def _unmet(trial: Trial) -> _Found:
    unmet = [
        one["nl_assertion"]
        for one in trial.reward["nl_assertions"] or ()
        if not one["met"]
    ]
    return Kind.NOT_MET, f"Not met: {'; '.join(unmet)}", ()


# --- calls ---------------------------------------------------------------------------------------------------------------------


def _played(trial: Trial) -> Iterable[PlayedCall]:
    """Calls with the index of the message that made them as their step."""
    failed = {one.tool_call_id for one in trial.messages if one.error}
    for place, message in enumerate(trial.messages):
        for made in message.tool_calls:
            yield PlayedCall(
                step=place,
                call=made.call,
                error=made.id in failed,
                writes=trial.environment.is_write(made.name),
            )


def _keyed(calls: Iterable[ToolCall]) -> list[PlayedCall]:
    return [PlayedCall(0, call) for call in calls]


def _actions(task: BenchmarkTask) -> Sequence[dict[str, Any]]:
    criteria = task.get("evaluation_criteria") or {}
    return criteria.get("actions") or ()


def _call(action: dict[str, Any]) -> ToolCall:
    return ToolCall(name=action["name"], arguments=action["arguments"])


def _gold_writes(trial: Trial) -> list[ToolCall]:
    calls = [_call(one) for one in _actions(trial.task)]
    return [call for call in calls if trial.environment.is_write(call.name)]


def _without(
    calls: Iterable[PlayedCall], others: Iterable[PlayedCall]
) -> list[PlayedCall]:
    """Those that the others do not have, however often."""
    left = Counter(one.key for one in others)
    found = []
    for one in calls:
        if left[one.key]:
            left[one.key] -= 1
        else:
            found.append(one)
    return found
