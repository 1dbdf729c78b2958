"""What a model is shown of a row, and which of it is trained on.

A trainer hands a row's messages to the chat template of the model and computes the loss on a part of the text. Which part is
decided twice: the template tells what the model itself would write (`Piece.written`), and the format what of that carries loss.
`segments` puts both together, with the reason for every stretch of text.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from writ_app.engine.export.chat_templates import Family, Piece, to_json

type Json = dict[str, Any]


@dataclass(frozen=True)
class Segment:
    """A stretch of the rendered text that is trained on as a whole, or not at all."""

    role: str
    """system, tools, user, assistant or tool: under whose name the model reads it."""
    text: str
    trained: bool
    why: str


@dataclass(frozen=True)
class Rule:
    """How a format tells what carries loss."""

    flag: str = ""
    """Key of a message that switches its loss off where it is 0 or false; "" if the format has none."""
    only_last: bool = False
    """Only the last message carries loss."""
    setting: str = ""
    """What the trainer has to be told so that it trains on this, and on nothing else."""


RULES: dict[str, Rule] = {
    "openai_chat": Rule(flag="weight"),
    "trl": Rule(setting="SFTConfig(assistant_only_loss=True, max_length=None)"),
    "turns": Rule(only_last=True, setting="SFTConfig(max_length=None)"),
    "llama_factory_sharegpt": Rule(setting="mask_history: false"),
    "llama_factory_openai": Rule(setting="mask_history: false"),
    "axolotl": Rule(flag="train", setting="message_field_training: train"),
    "ms_swift": Rule(flag="loss", setting="--loss_scale default"),
    "verl": Rule(flag="trained", setting="data.custom_cls.name=WritDataset"),
}
"""Formats that trainers read, by slug. `openai_chat` is for models whose template nobody outside knows."""


_ADDED, _BEGUN = "The template adds it.", "The template begins the turn."
OF_TEMPLATE = (_ADDED, _BEGUN)
"""Reasons of what no message says."""


@dataclass(frozen=True)
class Turn:
    """A message as the chat template gets it: {role, content, tool_calls: [{function: {name, arguments: object}}]}."""

    message: Json
    trained: bool
    why: str


def segments(row: Mapping[str, Any], slug: str, family: Family) -> list[Segment]:
    """The whole text that a model of the family reads, in order. Raises CannotRender, and KeyError for a slug without rule."""
    told = turns(row, RULES[slug])
    messages = [turn.message for turn in told]
    pieces = family.render(messages, tools_of(row))
    return list(_joined(_segment(piece, told) for piece in pieces))


def unseen(row: Mapping[str, Any], slug: str, family: Family) -> list[str]:
    """Texts of messages that the model is not shown, or not whole: beside a call for Llama 3.1, thoughts of the past for Qwen3."""
    messages = [turn.message for turn in turns(row, RULES[slug])]
    told: dict[int | None, str] = {}
    for piece in family.render(messages, tools_of(row)):
        told[piece.message] = told.get(piece.message, "") + piece.text
    return [
        text
        for n, text in enumerate(message["content"].strip() for message in messages)
        if text not in told.get(n, "") and to_json(text)[1:-1] not in told.get(n, "")
    ]


def _segment(piece: Piece, told: Sequence[Turn]) -> Segment:
    if piece.message is None:
        return Segment(piece.role, piece.text, False, _ADDED)
    turn = told[piece.message]
    role = piece.role or turn.message["role"]
    if role != turn.message["role"]:
        why = f"The template shows this message of the {turn.message['role']} as the {role}'s."
        return Segment(role, piece.text, False, why)
    if role == "assistant" and not piece.written:
        return Segment(role, piece.text, False, _BEGUN)
    return Segment(role, piece.text, turn.trained, turn.why)


def tokens(
    shown: Sequence[Segment],
    family: Family,
    count: Callable[[Sequence[str]], list[int]],
) -> tuple[int, int]:
    """(all, trained) tokens. `count` counts texts; what the family has a token of its own for is one each.

    With cl100k_base this is nearly what Qwen and Llama 3 count themselves, as far as the text is English.
    """
    numbers = [_count(part.text, family, count) for part in shown]
    trained = (n for n, part in zip(numbers, shown, strict=True) if part.trained)
    return sum(numbers), sum(trained)


def _count(
    text: str, family: Family, count: Callable[[Sequence[str]], list[int]]
) -> int:
    between = family.control.split(text)
    return len(between) - 1 + sum(count([part for part in between if part]))


def _joined(parts: Iterator[Segment]) -> Iterator[Segment]:
    """Neighbours that are told apart by nothing are one."""
    last: Segment | None = None
    for part in parts:
        if not part.text:
            continue
        if last and (last.role, last.why) == (part.role, part.why) and not part.trained:
            last = Segment(part.role, last.text + part.text, False, part.why)
            continue
        if last:
            yield last
        last = part
    if last:
        yield last


# --- what a row says -------------------------------------------------------------------------------------------------------


def turns(row: Mapping[str, Any], rule: Rule) -> list[Turn]:
    """The messages of a row of any of these formats, each with whether it carries loss and why."""
    raw = list(_raw_messages(row))
    last = len(raw) - 1
    return [
        Turn(_plain(message), *_loss(message, rule, n == last))
        for n, message in enumerate(raw)
    ]


def _loss(message: Json, rule: Rule, last: bool) -> tuple[bool, str]:
    role = _ROLES.get(message["role"], message["role"])
    if role != "assistant":
        who = "The system prompt" if role == "system" else f"Said by the {role}"
        return False, f"{who}: read, not learned."
    flag = message.get(rule.flag, True) if rule.flag else True
    if flag is not None and not flag:
        return (
            False,
            f"The row says so: {rule.flag} is {json.dumps(message[rule.flag])}.",
        )
    if rule.only_last and not last:
        return False, "An earlier turn: only the row's last message is learned."
    what = "call" if message["role"] == "tool_call" or _has_calls(message) else "text"
    return True, f"A {what} of the assistant, to the end of its turn."


def _has_calls(message: Json) -> bool:
    return bool(message.get("tool_calls"))


_ROLES = {
    "human": "user",
    "gpt": "assistant",
    "function_call": "assistant",
    "tool_call": "assistant",
    "observation": "tool",
    "tool_response": "tool",
}
"""Names of other formats for the roles of OpenAI."""
_CALLS = ("function_call", "tool_call")


def _raw_messages(row: Mapping[str, Any]) -> Iterator[Json]:
    """Messages as the row has them, under the keys `role` and `content`."""
    if system := row.get("system"):
        yield {"role": "system", "content": system}
    for part in ("conversations", "prompt", "messages", "completion"):
        for message in row.get(part) or ():
            if "from" in message:
                yield {"role": message["from"], "content": message["value"]}
            else:
                yield message


def _plain(message: Json) -> Json:
    """The message in the shape that templates take, without the flags of the format."""
    role = message["role"]
    if role in _CALLS:
        made = json.loads(message["content"])
        calls = [_call(one) for one in (made if isinstance(made, list) else [made])]
        return {"role": "assistant", "content": "", "tool_calls": calls}
    plain: Json = {
        "role": _ROLES.get(role, role),
        "content": message.get("content") or "",
    }
    if _has_calls(message):
        plain["tool_calls"] = [_call(one["function"]) for one in message["tool_calls"]]
    return plain


def _call(function: Json) -> Json:
    arguments = function["arguments"]
    if isinstance(arguments, str):
        arguments = json.loads(arguments)
    return {
        "type": "function",
        "function": {"name": function["name"], "arguments": arguments},
    }


def tools_of(row: Mapping[str, Any]) -> list[Json]:
    """The schemas of a row. Some formats hold them, or the parameters of each, as JSON text, which their trainers parse."""
    tools = row.get("tools") or []
    if isinstance(tools, str):
        tools = json.loads(tools)
    return [_tool(tool) for tool in tools]


def _tool(tool: Json) -> Json:
    function = tool["function"]
    parameters = function.get("parameters")
    if not isinstance(parameters, str):
        return tool
    return {**tool, "function": {**function, "parameters": json.loads(parameters)}}
