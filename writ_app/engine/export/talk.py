"""Parts of a conversation that are no part of every row: the user's stop, a greeting, a reasoning."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from writ_app.engine.behaviour import STOP_TOKENS
from writ_app.engine.export.records import Json

REASONING = re.compile(r"\s*<think>(?:(?!</?think>).)*</think>\s*", re.DOTALL)
"""What a model thought, at the beginning of a message."""


def without_stop(messages: Sequence[Json]) -> Sequence[Json]:
    """Up to the agent's last message: the user's stop is no part of what an agent should learn to expect."""
    if messages and is_stop(messages[-1]):
        return messages[:-1]
    return messages


def is_stop(message: Mapping[str, Any]) -> bool:
    return message["role"] == "user" and has_stop_token(message["content"])


def has_stop_token(text: str) -> bool:
    return "###" in text and any(token in text for token in STOP_TOKENS)


def greetings_of(messages: Sequence[Json]) -> int:
    """How many messages the assistant says before anybody else."""
    for n, message in enumerate(messages):
        if message["role"] != "assistant" or "tool_calls" in message:
            return n
    return len(messages)


def without_reasoning(message: Json) -> Json:
    """The message without what was thought before it; any other is given back as it is."""
    if message["role"] != "assistant" or "<think>" not in message.get("content", ""):
        return message
    said = spoken_part(message["content"])
    made: Json = (
        {"role": "assistant", "content": said} if said else {"role": "assistant"}
    )
    if "tool_calls" in message:
        made["tool_calls"] = message["tool_calls"]
    return made


def spoken_part(content: str) -> str:
    """A text of the assistant without its reasoning."""
    thought = REASONING.match(content)
    return content[thought.end() :] if thought else content
