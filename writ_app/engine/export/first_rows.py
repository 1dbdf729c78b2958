"""Rows as releases of the first manifest hold them, and preference pairs, which still have that shape.

Frozen with those releases: a change here changes bytes that must not change. Formats of today are in `formats`.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from writ_app.engine.behaviour import STOP_TOKENS
from writ_app.engine.simulation import agent_prompt
from writ_app.engine.types import Message, MessageCall, Trajectory

type Row = dict[str, Any]


@dataclass(frozen=True)
class Source:
    """What a row is made from. `policy` is the environment's, `tools` its schemas in the agent's order."""

    policy: str
    tools: Sequence[dict[str, Any]]
    trajectory: Trajectory


def to_openai_row(source: Source) -> Row:
    """{messages, tools, parallel_tool_calls: false}. Arguments are JSON text; an assistant's message with calls has no content."""
    return {
        "messages": _openai_messages(source),
        "tools": list(source.tools),
        "parallel_tool_calls": False,
    }


def to_trl_row(source: Source) -> Row:
    """{messages, tools}: every message has role and content (never null); arguments are an object without nulls."""
    return {
        "messages": [
            {"role": "system", "content": agent_prompt(source.policy)},
            *(_trl_message(message) for message in _without_stop(source)),
        ],
        "tools": list(source.tools),
    }


def to_pair(better: Source, worse: Source) -> Row:
    """{prompt, chosen, rejected, tools}: two conversations on one task as a preference pair, which share what comes first.

    Messages are as in `to_openai_row`. The worse one may hold what no row to train on may, so neither is judged here.
    """
    chosen, rejected = (_openai_messages(one) for one in (better, worse))
    shared = 0
    for one, other in zip(chosen, rejected, strict=False):
        if one != other:
            break
        shared += 1
    return {
        "prompt": chosen[:shared],
        "chosen": chosen[shared:],
        "rejected": rejected[shared:],
        "tools": list(better.tools),
    }


ROWS: dict[str, Callable[[Source], Row]] = {
    "openai_chat": to_openai_row,
    "trl": to_trl_row,
}


def _without_stop(source: Source) -> Sequence[Message]:
    messages = source.trajectory.messages
    last = messages[-1] if messages else None
    stops = last is not None and any(one in last.content for one in STOP_TOKENS)
    return messages[:-1] if stops and last and last.role == "user" else messages


def _openai_messages(source: Source) -> list[dict[str, Any]]:
    return [
        {"role": "system", "content": agent_prompt(source.policy)},
        *(_plain_message(message, _text_call) for message in _without_stop(source)),
    ]


def _text_call(made: MessageCall) -> dict[str, Any]:
    arguments = json.dumps(made.arguments, ensure_ascii=False)
    return {"name": made.name, "arguments": arguments}


def _object_call(made: MessageCall) -> dict[str, Any]:
    arguments = {k: value for k, value in made.arguments.items() if value is not None}
    return {"name": made.name, "arguments": arguments}


def _plain_message(
    message: Message, function: Callable[[MessageCall], dict[str, Any]]
) -> dict[str, Any]:
    """One message; a key that would be empty is left out."""
    if message.role == "tool":
        return {
            "role": "tool",
            "tool_call_id": message.tool_call_id,
            "content": message.content,
        }
    if not message.tool_calls:
        return {"role": message.role, "content": message.content}
    calls = [
        {"id": made.id, "type": "function", "function": function(made)}
        for made in message.tool_calls
    ]
    beside = {"content": message.content} if message.content else {}
    return {"role": "assistant", **beside, "tool_calls": calls}


def _trl_message(message: Message) -> dict[str, Any]:
    return {"content": "", **_plain_message(message, _object_call)} | {
        "role": message.role
    }
