"""Guards: what no record may hold if a trainer is to read it rightly. Each has a name, which is kept as the reason of a refusal.

Formats have guards of their own beside these, for what only they cannot hold.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

from writ_app.engine.export.records import Json, Record, World, compact
from writ_app.engine.export.talk import (
    REASONING,
    has_stop_token,
    spoken_part,
    without_stop,
)
from writ_app.engine.export.unfit import Problem

PITFALLS = {
    "bad_message": "A message has an unknown role, or a key is missing or of the wrong type.",
    "null_content": "A content is null or no text: loaders fill such gaps, templates print them.",
    "unencodable": "A text or number that has no place in a JSON file in UTF-8.",
    "double_encoded": "A call's arguments are not an object, or are one that was encoded twice.",
    "no_user": "The user says nothing.",
    "last_turn": "The row does not end with a text of the assistant.",
    "stop_token": "A token that ends the simulation stands in the middle.",
    "template_token": "A text holds a control token of chat templates.",
    "empty": "A message says nothing.",
    "pairing": "A call is not answered by the very next message, or two calls have one id.",
    "parallel_calls": "Several calls in one turn.",
    "text_beside_call": "Text beside a call: some templates drop it.",
    "reasoning": "A reasoning is not closed, or does not stand at the beginning: some templates cut the text there.",
    "unknown_tool": "A call names a tool that the row does not offer.",
    "same_tool": "Two tools have one name.",
    "tools_twice": "The system prompt holds tool schemas, which have a place of their own.",
    "too_long": "The row has more tokens than the limit.",
}
"""Name → what is wrong, for a person. `too_long` is told by `tokens.over_long`, as only a limit makes it one."""

TEMPLATE_TOKENS = re.compile(
    r"<\|(?:im_start|im_end|im_sep|endoftext|begin_of_text|end_of_text|start_header_id|end_header_id|eot_id|eom_id|python_tag"
    r"|system|user|assistant|end|return|start|message|channel|call)\|>|</?tool_call>|</?tool_response>"
)
"""Tokens of the families that are trained most (ChatML and Qwen, Llama 3, Phi, GPT-OSS): written by a user or a tool they would
be read as the end of its message."""


def lint(record: Record) -> Iterator[Problem]:
    """Everything that is wrong with the record, whatever the target; nothing if any target may hold it.

    The user's stop at the end is no problem: formats leave it out.
    """
    wrong = list(_shape(record))
    yield from wrong
    if not wrong:  # else the others would stumble
        for guard in GUARDS:
            yield from guard(record)


def _shape(record: Record) -> Iterator[Problem]:
    """Types of what stands in a message. All other guards rely on them."""
    for n, message in enumerate(record.messages):
        role = message.get("role")
        if role not in ("user", "assistant", "tool"):
            yield Problem("bad_message", f"Message {n + 1} has the role {role!r}.", n)
        content = message.get("content", "" if role == "assistant" else None)
        if not isinstance(content, str):
            yield Problem(
                "null_content", f"The content of message {n + 1} is not a text.", n
            )
        if role == "tool" and not isinstance(message.get("tool_call_id"), str):
            yield Problem(
                "bad_message", f"Message {n + 1} does not say which call it answers.", n
            )
        for made in message.get("tool_calls") or ():
            yield from _call_shape(made, n)


def _call_shape(made: Any, n: int) -> Iterator[Problem]:
    named = isinstance(made, dict) and all(
        isinstance(made.get(key), str) for key in ("id", "name")
    )
    if not named:
        yield Problem(
            "bad_message", f"A call in message {n + 1} lacks its id or name.", n
        )
    elif not isinstance(made.get("arguments"), dict):
        text = f"The arguments of {made['name']} (message {n + 1}) are not an object, or were encoded twice."
        yield Problem("double_encoded", text, n)


def _written(record: Record) -> Iterator[Problem]:
    """What stands in the texts and arguments: it can be written, and holds nothing that a template takes for its own."""
    for n, message in enumerate(record.messages):
        for text in _texts(message, n):
            if isinstance(text, Problem):
                yield text
            elif "<" in text and (token := TEMPLATE_TOKENS.search(text)):
                yield Problem(
                    "template_token",
                    f"Message {n + 1} holds {token[0]}, a control token of chat templates.",
                    n,
                )


def _texts(message: Json, n: int) -> Iterator[str | Problem]:
    try:
        text = message.get("content", "")
        if not text.isascii():
            text.encode()
        yield text
        for made in message.get("tool_calls", ()):
            text = compact(made["arguments"])
            if not text.isascii():
                text.encode()
            yield text
    except (ValueError, TypeError) as error:
        yield Problem("unencodable", f"Message {n + 1} cannot be written: {error}.", n)


def _said(record: Record) -> Iterator[Problem]:
    """Who speaks, and that everybody says something."""
    messages = without_stop(record.messages)
    if not any(message["role"] == "user" for message in messages):
        yield Problem("no_user", "A row needs a message of the user.")
    if (
        not messages
        or messages[-1]["role"] != "assistant"
        or "tool_calls" in messages[-1]
    ):
        yield Problem(
            "last_turn", "A row ends with a text of the assistant.", len(messages) - 1
        )
    for n, message in enumerate(messages):
        text = message.get("content", "")
        if has_stop_token(text):
            yield Problem(
                "stop_token",
                f"Message {n + 1} holds a stop token of the simulation.",
                n,
            )
        if (
            message["role"] != "tool"
            and "tool_calls" not in message
            and not text.strip()
        ):
            yield Problem(
                "empty", f"Message {n + 1}, of the {message['role']}, says nothing.", n
            )


def _calls(record: Record) -> Iterator[Problem]:
    """Each call stands alone in its turn, names a tool of the row and is answered by the very next message."""
    known = record.world.parameters
    messages = record.messages
    seen: set[str] = set()
    for n, message in enumerate(messages):
        calls = message.get("tool_calls", ())
        if message["role"] == "tool" and (
            n == 0 or "tool_calls" not in messages[n - 1]
        ):
            yield Problem("pairing", f"Message {n + 1} answers no call.", n)
        if not calls:
            continue
        if len(calls) > 1:
            yield Problem("parallel_calls", f"Message {n + 1} makes several calls.", n)
        if spoken_part(message.get("content", "")):
            yield Problem(
                "text_beside_call", f"Message {n + 1} has text beside its call.", n
            )
        after = messages[n + 1] if n + 1 < len(messages) else {}
        if after.get("tool_call_id") != calls[0]["id"]:
            text = f"The call {calls[0]['id']} is not answered by the next message."
            yield Problem("pairing", text, n)
        for made in calls:
            if made["id"] in seen:
                yield Problem("pairing", f"Two calls have the id {made['id']}.", n)
            if made["name"] not in known:
                yield Problem("unknown_tool", f"There is no tool {made['name']}.", n)
            seen.add(made["id"])


def _reasoning(record: Record) -> Iterator[Problem]:
    for n, message in enumerate(record.messages):
        text = message.get("content", "")
        if message["role"] == "assistant" and "think>" in text:
            thought = REASONING.match(text)
            rest = text[thought.end() :] if thought else text
            if "<think>" in rest or "</think>" in rest:
                yield Problem(
                    "reasoning",
                    f"The reasoning in message {n + 1} is not one block at its beginning.",
                    n,
                )


def _world(record: Record) -> Iterator[Problem]:
    yield from record.world.once(world_problems)


def world_problems(world: World) -> tuple[Problem, ...]:
    """What no record of this world can be written for."""
    problems = []
    if len(world.parameters) < len(world.tools):
        problems.append(Problem("same_tool", "Two tools have one name."))
    if '"parameters"' in world.system:
        problems.append(
            Problem(
                "tools_twice",
                "The system prompt holds tool schemas, which have a place of their own.",
            )
        )
    try:
        (world.system + world.tools_json).encode()
    except ValueError as error:
        text = f"System prompt or tools cannot be written: {error}."
        problems.append(Problem("unencodable", text))
    if not world.system.strip():
        problems.append(Problem("empty", "There is no system prompt."))
    return tuple(problems)


GUARDS: tuple[Callable[[Record], Iterator[Problem]], ...] = (
    _world,
    _written,
    _said,
    _calls,
    _reasoning,
)
