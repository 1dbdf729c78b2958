"""τ²-bench's evaluator as its specification tells it (tau2 SPEC §8): what an outside judge would say of a conversation.

It compares states, texts and actions, and so lets pass much that the verification rejects: it is no part of that, but a check of
what is given away, and the reward of evaluation runs. Assertions in words need a model: `evaluate` leaves that part open, and
`with_verdicts` closes it. Knows nothing about databases or files.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

from environments.core.environment import Environment, EnvironmentSession
from environments.core.sides import Assertion, Initialization, Side
from environments.core.tools import ToolCall
from writ_app.engine.benchmark_tasks import BenchmarkTask, is_communicated
from writ_app.engine.errors import WritError
from writ_app.engine.types import Ending, Frozen, Message, MessageCall

type RewardInfo = dict[str, Any]
"""Plain JSON, keys as in SPEC §8.4."""

NO_BASIS = ("DB", "COMMUNICATE")
"""What counts if a task does not say (SPEC §7.1)."""
COUNTED = frozenset({"user_stop", "agent_stop"})
"""Endings of conversations that are evaluated at all (SPEC §8.1)."""
NOT_OF_THE_BENCHMARK = (
    "Scored by WRIT's own reading of the specification, not by tau2-bench."
)
JUDGED = "NL_ASSERTION"


class ReplayDiffers(WritError):
    """A recorded result is not what the environment answers; the reference would end with an error."""


@dataclass(frozen=True)
class Situation:
    """Where a task begins in its world, and what it asserts about the end."""

    initialization: Initialization = field(default_factory=Initialization)
    assertions: tuple[Assertion, ...] = ()


NOWHERE = Situation()


class Verdict(Frozen):
    """A judge's opinion on one assertion in words."""

    assertion: str
    met: bool
    justification: str = ""


def score(
    environment: Environment,
    task: BenchmarkTask,
    messages: Sequence[Message],
    ended_by: Ending,
) -> RewardInfo | None:
    """The reward with what it is made of; None if it rests on a judge's opinion. Raises ReplayDiffers."""
    if ended_by is Ending.USER_STOP and judged_assertions(task):
        return None
    return evaluate(environment, task, messages, ended_by.value)


def evaluate(
    environment: Environment,
    task: BenchmarkTask,
    messages: Sequence[Message],
    ended_by: str,
    *,
    situation: Situation = NOWHERE,
    strict: bool = True,
) -> RewardInfo:
    """Every part but the judge's, which counts as met: see `judged_assertions` for whether it is open.

    Strict: a recorded result that the environment does not give raises ReplayDiffers; else it is passed over (SPEC §8.2).
    """
    if ended_by not in COUNTED:
        return _info(0.0, note=f"The simulation ended by {ended_by}.")
    criteria = task.get("evaluation_criteria")
    if criteria is None:
        return _info(1.0, note="Nothing is to be evaluated.")
    basis = basis_of(task)
    ends = _Ends(environment, task, situation, messages, strict)
    actions = list(_action_checks(environment, criteria.get("actions") or (), messages))
    told = list(_communicate_checks(criteria.get("communicate_info") or (), messages))
    asserted = list(_assertion_checks(ends.predicted, situation.assertions))
    parts = {
        "DB": float(ends.same),
        "ENV_ASSERTION": prod(one["reward"] for one in asserted),
        "ACTION": float(all(one["action_match"] for one in actions)),
        "COMMUNICATE": float(all(one["met"] for one in told)),
    }
    breakdown = {part: float(parts.get(part, 1.0)) for part in basis}
    return _info(prod(breakdown.values())) | {
        "db_check": {"db_match": ends.same, "db_reward": float(ends.same)},
        "env_assertions": asserted,
        "action_checks": actions or None,
        "communicate_checks": told or None,
        "reward_basis": basis,
        "reward_breakdown": breakdown,
    }


def basis_of(task: BenchmarkTask) -> list[str]:
    """Parts that count."""
    criteria = task.get("evaluation_criteria") or {}
    return list(criteria.get("reward_basis") or NO_BASIS)


def judged_assertions(task: BenchmarkTask) -> tuple[str, ...]:
    """What a judge has to be asked, because it counts; nothing if there is nothing to ask (SPEC §8.3)."""
    criteria = task.get("evaluation_criteria") or {}
    if JUDGED not in basis_of(task):
        return ()
    return tuple(criteria.get("nl_assertions") or ())


def with_verdicts(info: RewardInfo, verdicts: Sequence[Verdict]) -> RewardInfo:
    """The reward once the judge has spoken: all met is 1 for its part."""
    if not info["reward_basis"] or JUDGED not in info["reward_basis"]:
        return info
    met = float(all(one.met for one in verdicts))
    breakdown = {**info["reward_breakdown"], JUDGED: met}
    return info | {
        "reward": prod(breakdown.values()),
        "reward_breakdown": breakdown,
        "nl_assertions": [
            {
                "nl_assertion": one.assertion,
                "met": one.met,
                "justification": one.justification,
            }
            for one in verdicts
        ],
    }


def _info(reward: float, note: str = "") -> RewardInfo:
    """Every key of SPEC §8.4, with who says so."""
    return {
        "reward": reward,
        "db_check": None,
        "env_assertions": [],
        "action_checks": None,
        "nl_assertions": None,
        "communicate_checks": None,
        "reward_basis": None,
        "reward_breakdown": None,
        "info": {
            "env": {"note": f"{NOT_OF_THE_BENCHMARK} {note}".strip()},
            "nl": None,
            "communicate": None,
            "action": None,
        },
    }


# --- states --------------------------------------------------------------------------------------------------------------------


class _Ends:
    """Where the conversation leaves the world, and whether the gold actions leave it there, too (SPEC §8.2)."""

    def __init__(
        self,
        environment: Environment,
        task: BenchmarkTask,
        situation: Situation,
        messages: Sequence[Message],
        strict: bool,
    ):
        self.predicted = environment.start(situation.initialization)
        criteria = task["evaluation_criteria"]
        actions = criteria.get("actions")
        self.same = True
        if actions is None and not situation.assertions:
            return
        _replay(self.predicted, messages, strict)
        gold = environment.start(situation.initialization)
        for made in _begun_with(task):
            gold.call(made)
        for action in actions or ():  # failing ones keep what they changed
            by = action.get("requestor") or Side.ASSISTANT
            call = ToolCall(name=action["name"], arguments=action["arguments"])
            gold.call(call, by)
        self.same = self.predicted.effects() == gold.effects()


def _begun_with(task: BenchmarkTask) -> Iterator[ToolCall]:
    """Calls of the messages that a task begins with."""
    state = task.get("initial_state") or {}
    for message in state.get("message_history") or ():
        for made in message.get("tool_calls") or ():
            yield ToolCall(name=made["name"], arguments=made["arguments"])


def _replay(
    session: EnvironmentSession, messages: Sequence[Message], strict: bool
) -> None:
    """Make every call that can change something again."""
    answers = {m.tool_call_id: m.content for m in messages if m.role == "tool"}
    for message in messages:
        by = Side.USER if message.role == "user" else Side.ASSISTANT
        own = by is Side.USER
        tools = session.environment.user_tools if own else session.environment.tools
        for made in message.tool_calls:
            tool = tools.get(made.name)
            if tool is None or not tool.mutates:
                continue
            content = session.call(made.call, by).content
            recorded = answers.get(made.id)
            if strict and (recorded is None or not _same_content(content, recorded)):
                raise ReplayDiffers(f"{made.name} ({made.id}) answers differently now.")


def _calls(messages: Sequence[Message]) -> Iterator[MessageCall]:
    for message in messages:
        yield from message.tool_calls


def _same_content(one: str, other: str) -> bool:
    """As JSON, if both are."""
    try:
        return bool(json.loads(one) == json.loads(other))
    except (ValueError, RecursionError):
        return one == other


def _assertion_checks(
    session: EnvironmentSession, assertions: Sequence[Assertion]
) -> Iterator[dict[str, Any]]:
    for one in assertions:
        met = session.holds(one)
        yield {
            "env_assertion": {
                "env_type": one.side.value,
                "func_name": one.name,
                "arguments": one.arguments,
                "assert_value": one.expected,
                "message": one.message or None,
            },
            "met": met,
            "reward": float(met),
        }


# --- actions and texts ---------------------------------------------------------------------------------------------------------


def _action_checks(
    environment: Environment,
    actions: Sequence[Mapping[str, Any]],
    messages: Sequence[Message],
) -> Iterator[dict[str, Any]]:
    for action in actions:
        match = any(_matches(action, made) for made in _calls(messages))
        tool = environment.tools.get(action["name"])
        yield {
            "action": dict(action),
            "action_match": match,
            "action_reward": float(match),
            "tool_type": tool.kind.value if tool else None,
        }


def _matches(action: Mapping[str, Any], made: MessageCall) -> bool:
    """Same name, and equal on the compared keys: those of the call, unless the action names its own."""
    if made.name != action["name"]:
        return False
    wanted, compared = action["arguments"], action.get("compare_args")
    keys = made.arguments.keys() if compared is None else compared
    missing = object()
    return all(
        made.arguments.get(key, missing) == wanted.get(key, missing) for key in keys
    )


def _communicate_checks(
    wanted: Sequence[str], messages: Sequence[Message]
) -> Iterator[dict[str, Any]]:
    said = [m.content for m in messages if m.role == "assistant" and m.content]
    for info in wanted:
        met = any(is_communicated(info, text) for text in said)
        yield {
            "info": info,
            "met": met,
            "justification": "The text stands in an agent's message."
            if met
            else "No agent's message holds the text.",
        }
