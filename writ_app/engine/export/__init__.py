"""From trajectories to rows that trainers read, and back.

A row holds the policy as system prompt, the conversation without the user's stop, and the tool schemas exactly as the agent
had them. `lint_row` guards against the pitfalls of these formats before anything is written. Rows are values of plain JSON;
`to_line` gives the same bytes for the same row, always.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from environments.core.environment import Environment
from writ_app.engine.behaviour import STOP_TOKENS
from writ_app.engine.export.unfit import UnfitRow
from writ_app.engine.simulation import agent_prompt
from writ_app.engine.types import Message, MessageCall, Task, Trajectory

type Row = dict[str, Any]


@dataclass(frozen=True)
class ExportSource:
    """What a row is made from. `policy` is the environment's, `tools` its schemas in the agent's order."""

    environment: Environment
    policy: str
    tools: Sequence[dict[str, Any]]
    task: Task
    trajectory: Trajectory


@dataclass(frozen=True)
class Conversation:
    """What a row says: system prompt, messages, tools."""

    system: str
    messages: tuple[Message, ...]
    tools: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class ExportFormat:
    """A file format for a trainer: one row per trajectory, one line per row."""

    slug: str
    title: str
    file_name: str
    to_row: Callable[[ExportSource], Row]
    """Raises UnfitRow."""
    from_row: Callable[[Row], Conversation]
    """The inverse, for round trips."""


def export_source(
    environment: Environment, task: Task, trajectory: Trajectory
) -> ExportSource:
    return ExportSource(
        environment, environment.policy, environment.schemas, task, trajectory
    )


def conversation(source: ExportSource) -> Conversation:
    """What both formats hold. Raises UnfitRow for a trajectory that does not make one."""
    return Conversation(
        system=agent_prompt(source.policy),
        messages=tuple(without_stop(source.trajectory.messages)),
        tools=tuple(source.tools),
    )


def without_stop(messages: Sequence[Message]) -> Sequence[Message]:
    """Up to the agent's last message: the user's stop is no part of what an agent should learn to expect."""
    if messages and _has_stop(messages[-1]):
        return messages[:-1]
    return messages


def _has_stop(message: Message) -> bool:
    return message.role == "user" and any(t in message.content for t in STOP_TOKENS)


def to_line(row: Row) -> str:
    """One line of JSON without its line feed. Order of keys as in the row, other scripts as they are."""
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


# --- OpenAI chat ---------------------------------------------------------------------------------------------------------------


def to_openai_row(source: ExportSource) -> Row:
    """{messages, tools, parallel_tool_calls: false}. Arguments are JSON text; an assistant's message with calls has no content."""
    row: Row = {
        "messages": _openai_messages(source),
        "tools": list(source.tools),
        "parallel_tool_calls": False,
    }
    lint_row(row)
    return row


def to_pair(better: ExportSource, worse: ExportSource) -> Row:
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


def _openai_messages(source: ExportSource) -> list[dict[str, Any]]:
    talk = conversation(source)
    return [
        {"role": "system", "content": talk.system},
        *(_plain_message(message, _text_call) for message in talk.messages),
    ]


def _text_call(made: MessageCall) -> dict[str, Any]:
    arguments = json.dumps(made.arguments, ensure_ascii=False)
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


# --- TRL -----------------------------------------------------------------------------------------------------------------------


TRL_FEATURES = 'Features({"messages": List(Json()), "tools": List(Json())})'
"""The features to load the file with, as code for a dataset card (`from datasets import Features, Json, List`)."""


def to_trl_row(source: ExportSource) -> Row:
    """{messages, tools}: every message has role and content (never null); arguments are an object.

    Of the shapes that datasets ≥ 4.7 takes this one comes back equal: with the features `TRL_FEATURES`, and in 5.x with none,
    as objects of mixed keys are then `Json()` of themselves. Typed features work too, but fill keys that a message lacks with
    null. Keys of the arguments that are null are left out here, as templates would print them.
    """
    talk = conversation(source)
    row: Row = {
        "messages": [
            {"role": "system", "content": talk.system},
            *(_trl_message(message) for message in talk.messages),
        ],
        "tools": list(talk.tools),
    }
    lint_row(row)
    return row


def _trl_message(message: Message) -> dict[str, Any]:
    return {"content": "", **_plain_message(message, _object_call)} | {
        "role": message.role
    }


def _object_call(made: MessageCall) -> dict[str, Any]:
    arguments = {k: value for k, value in made.arguments.items() if value is not None}
    return {"name": made.name, "arguments": arguments}


# --- back ----------------------------------------------------------------------------------------------------------------------


def from_chat_row(row: Row) -> Conversation:
    """The conversation of a row of either format; keys that are null count as absent. Raises UnfitRow."""
    system, *messages = row["messages"]
    return Conversation(
        system=system["content"],
        messages=tuple(map(_from_message, messages)),
        tools=tuple(row["tools"]),
    )


def _from_message(message: Mapping[str, Any]) -> Message:
    content = message.get("content") or ""
    return Message(
        role=message["role"],
        content=content,
        tool_calls=tuple(map(_from_call, message.get("tool_calls") or ())),
        tool_call_id=message.get("tool_call_id") or "",
        error=message["role"] == "tool" and content.startswith("Error: "),
    )


def _from_call(made: Mapping[str, Any]) -> MessageCall:
    function = made["function"]
    return MessageCall(
        id=made["id"], name=function["name"], arguments=_arguments(function)
    )


def _arguments(function: Mapping[str, Any]) -> dict[str, Any]:
    arguments = function["arguments"]
    if isinstance(arguments, str):
        arguments = json.loads(arguments)
    if not isinstance(arguments, dict):
        raise UnfitRow(
            "double_encoded",
            f"The arguments of {function['name']} are not an object, or were encoded twice.",
        )
    return arguments


# --- lint ----------------------------------------------------------------------------------------------------------------------


def lint_row(row: Row) -> None:
    """Refuse what trainers and chat templates read wrongly. Raises UnfitRow with the pitfall's name."""
    for check in (_lint_values, _lint_roles, _lint_calls, _lint_tools):
        for pitfall, text in check(row):
            raise UnfitRow(pitfall, text)


type _Complaints = Iterator[tuple[str, str]]


def _lint_roles(row: Row) -> _Complaints:
    roles = [message["role"] for message in row["messages"]]
    if roles[:1] != ["system"] or roles.count("system") != 1:
        yield "system", "A row begins with its one system message."
    if roles[-1] != "assistant" or row["messages"][-1].get("tool_calls"):
        yield "last_turn", "A row ends with a text of the assistant."
    if "user" not in roles:
        yield "no_user", "A row needs a message of the user."
    for message in row["messages"]:
        text = message.get("content")
        if any(token in (text or "") for token in STOP_TOKENS):
            yield "stop_token", "A stop token of the simulation is left in the row."
        if not text and not message.get("tool_calls") and message["role"] != "tool":
            yield "empty", f"A message of the {message['role']} is empty."


def _lint_calls(row: Row) -> _Complaints:
    """Each call alone in its turn, answered by the very next message; no text beside it."""
    messages = row["messages"]
    seen: set[str] = set()
    for n, message in enumerate(messages):
        calls = message.get("tool_calls") or ()
        if message["role"] == "tool" and not messages[n - 1].get("tool_calls"):
            yield "pairing", "A tool's message does not follow its call."
        if not calls:
            continue
        if len(calls) > 1:
            yield "parallel_calls", "Several calls in one turn."
        if message.get("content"):
            yield "text_beside_call", "Text beside a call: some templates drop it."
        after = messages[n + 1] if n + 1 < len(messages) else {}
        if after.get("role") != "tool" or after["tool_call_id"] != calls[0]["id"]:
            yield (
                "pairing",
                f"The call {calls[0]['id']} is not answered by the next message.",
            )
        if calls[0]["id"] in seen:
            yield "pairing", f"Two calls have the id {calls[0]['id']}."
        seen.add(calls[0]["id"])


def _lint_tools(row: Row) -> _Complaints:
    """Every call names a tool of the row; schemas are not repeated in the system prompt."""
    names = [tool["function"]["name"] for tool in row["tools"]]
    if len(set(names)) < len(names):
        yield "tools", "Two tools have one name."
    if '"parameters"' in row["messages"][0]["content"]:
        yield (
            "tools_twice",
            "The system prompt holds tool schemas, which have their own column.",
        )
    for message in row["messages"]:
        for made in message.get("tool_calls") or ():
            if made["function"]["name"] not in names:
                yield "unknown_tool", f"There is no tool {made['function']['name']}."


def _lint_values(row: Row) -> _Complaints:
    """Arguments encoded at most once and without nulls where they are objects; content is text, never null."""
    for message in row["messages"]:
        if "content" in message and not isinstance(message["content"], str):
            yield "null_content", "A message's content is not a text."
        for made in message.get("tool_calls") or ():
            arguments = made["function"]["arguments"]
            if None in _arguments(made["function"]).values() and not isinstance(
                arguments, str
            ):
                yield "null_argument", "An argument is null: templates would print it."


FORMATS: dict[str, ExportFormat] = {
    fmt.slug: fmt
    for fmt in (
        ExportFormat(
            "openai_chat",
            "OpenAI chat fine-tuning (JSONL)",
            "openai-chat.jsonl",
            to_openai_row,
            from_chat_row,
        ),
        ExportFormat(
            "trl",
            "TRL messages and tools (JSONL)",
            "trl.jsonl",
            to_trl_row,
            from_chat_row,
        ),
    )
}
