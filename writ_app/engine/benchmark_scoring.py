"""τ²-bench's evaluator as its specification tells it (tau2 SPEC §8): what an outside judge would say of a conversation.

It compares states, texts and actions, and so lets pass much that the verification rejects: it is no part of that, but a check of
what is given away. Assertions in words need a model there; here they have no score. Knows nothing about databases or files.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import Any

from environments.core.environment import Environment, EnvironmentSession
from environments.core.tools import ToolCall
from writ_app.engine.benchmark_tasks import BenchmarkTask, is_communicated
from writ_app.engine.errors import WritError
from writ_app.engine.types import Ending, Message, MessageCall

type RewardInfo = dict[str, Any]
"""Plain JSON, keys as in SPEC §8.4."""

NO_BASIS = ("DB", "COMMUNICATE")
"""What counts if a task does not say (SPEC §7.1)."""
NOT_OF_THE_BENCHMARK = (
    "Scored by WRIT's own reading of the specification, not by tau2-bench."
)


class ReplayDiffers(WritError):
    """A recorded result is not what the environment answers; the reference would end with an error."""


def score(
    environment: Environment,
    task: BenchmarkTask,
    messages: Sequence[Message],
    ended_by: Ending,
) -> RewardInfo | None:
    """The reward with what it is made of; None if it rests on a judge's opinion. Raises ReplayDiffers."""
    if ended_by is not Ending.USER_STOP:
        return _info(0.0, note=f"The simulation ended by {ended_by.value}.")
    criteria = task["evaluation_criteria"]
    if criteria is None:
        return _info(1.0, note="Nothing is to be evaluated.")
    basis = list(criteria["reward_basis"] or NO_BASIS)
    if "NL_ASSERTION" in basis and criteria["nl_assertions"]:
        return None
    db_match = _same_state(environment, criteria["actions"], messages)
    actions = list(_action_checks(environment, criteria["actions"] or (), messages))
    told = list(_communicate_checks(criteria["communicate_info"] or (), messages))
    parts = {
        "DB": float(db_match),
        "ACTION": float(all(one["action_match"] for one in actions)),
        "COMMUNICATE": float(all(one["met"] for one in told)),
    }
    breakdown = {part: parts.get(part, 1.0) for part in basis}
    return _info(prod(breakdown.values())) | {
        "db_check": {"db_match": db_match, "db_reward": float(db_match)},
        "action_checks": actions or None,
        "communicate_checks": told or None,
        "reward_basis": basis,
        "reward_breakdown": breakdown,
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


def _same_state(
    environment: Environment,
    actions: Sequence[Mapping[str, Any]] | None,
    messages: Sequence[Message],
) -> bool:
    """Whether the conversation leaves the database as the gold actions do; failing actions keep what they changed (§8.2)."""
    if actions is None:
        return True
    predicted, gold = environment.session(), environment.session()
    _replay(predicted, messages)
    for action in actions:
        gold.call(ToolCall(name=action["name"], arguments=action["arguments"]))
    return predicted.effects() == gold.effects()


def _replay(session: EnvironmentSession, messages: Sequence[Message]) -> None:
    """Make every call that can change something again."""
    answers = {m.tool_call_id: m.content for m in messages if m.role == "tool"}
    for made in _calls(messages):
        tool = session.environment.tools.get(made.name)
        if tool is None or not tool.mutates:
            continue
        content = session.call(made.call).content
        if made.id not in answers or not _same_content(content, answers[made.id]):
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
