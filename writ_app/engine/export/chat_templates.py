"""What a model reads: the chat templates of a few families, restated.

A trainer turns messages and tools into one text with the chat template that comes with the model. Here the same texts are
written without a template engine, in pieces that know their message and whether the model itself would write them. Pieces
joined are what the published templates give, and the written ones are what the `{% generation %}` markers of TRL's training
templates enclose; tests hold both against the templates of an installed TRL.

Messages are plain JSON in the shape of OpenAI ({role, content, tool_calls: [{function: {name, arguments}}]}), as most
trainers hand them to the template.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from writ_app.engine.errors import WritError

type Json = Mapping[str, Any]


class CannotRender(WritError):
    """The template refuses these messages, or fails on them."""


@dataclass(frozen=True)
class Piece:
    """A stretch of the rendered text."""

    text: str
    message: int | None
    """Index of the message that it comes from; None for what the template says of itself (tools, instructions)."""
    written: bool = False
    """A model writes this itself: an assistant's text or call, and the token that ends its turn."""
    role: str = ""
    """The role that the text is shown under, as far as it is not the message's own."""


@dataclass(frozen=True)
class Family:
    """Models that share a template. `tokenizer` names the vocabulary that they share."""

    slug: str
    title: str
    tokenizer: str
    render: Callable[[Sequence[Json], Sequence[Json]], Iterator[Piece]]
    """Pieces of (messages, tools). Raises CannotRender."""
    control: re.Pattern[str]
    """Texts that are one token each in the vocabulary: control tokens and, for Qwen, digits."""
    in_trl: str = ""
    """What differs when TRL trains on the assistant's turns alone, for a person; "" if nothing."""


def to_json(value: Any, indent: int | None = None) -> str:
    """JSON as templates write it: with spaces after commas and colons, other scripts as they are."""
    return json.dumps(value, ensure_ascii=False, indent=indent)


def rendered(pieces: Iterator[Piece]) -> str:
    """The text that a model reads."""
    return "".join(piece.text for piece in pieces)


# --- Qwen: ChatML, tools in the system message ---------------------------------------------------------------------------------

_QWEN_TOOLS = (
    "# Tools\n\nYou may call one or more functions to assist with the user query.\n\n"
    "You are provided with function signatures within <tools></tools> XML tags:\n<tools>"
)
_QWEN_CALLS = (
    "\n</tools>\n\nFor each function call, return a json object with function name and arguments "
    "within <tool_call></tool_call> XML tags:\n<tool_call>\n"
    '{"name": <function-name>, "arguments": <args-json-object>}\n</tool_call>'
)
_QWEN25_SYSTEM = "You are Qwen, created by Alibaba Cloud. You are a helpful assistant."
_START, _END = "<|im_start|>", "<|im_end|>\n"


def _qwen3(messages: Sequence[Json], tools: Sequence[Json]) -> Iterator[Piece]:
    """Thinking is shown only after the last message of the user, and the last message has an empty one if it has none."""
    last_query = _last_query(messages)

    def prefix(n: int, reasoning: str) -> str | None:
        shown = n == len(messages) - 1 or reasoning
        return reasoning if n > last_query and shown else None

    return _qwen(messages, tools, lambda n: _qwen3_text(messages[n], n, prefix))


def _qwen3_training(messages: Sequence[Json], tools: Sequence[Json]) -> Iterator[Piece]:
    """As TRL trains it: every message of the assistant has its thinking, an empty one if it has none."""
    return _qwen(
        messages,
        tools,
        lambda n: _qwen3_text(messages[n], n, lambda _, reasoning: reasoning),
    )


def _qwen3_instruct(messages: Sequence[Json], tools: Sequence[Json]) -> Iterator[Piece]:
    return _qwen(messages, tools, lambda n: ("", _text(messages[n])))


def _qwen3_text(
    message: Json, n: int, prefix: Callable[[int, str], str | None]
) -> tuple[str, str]:
    """(thinking with its tags, the rest) of an assistant's message."""
    content, reasoning = _text(message), message.get("reasoning_content")
    if not isinstance(reasoning, str):
        reasoning, content = _split_thinking(content)
    thinking = prefix(n, reasoning)
    if thinking is None:
        return "", content
    return "<think>\n" + thinking.strip("\n") + "\n</think>\n\n", content.lstrip("\n")


def _split_thinking(content: str) -> tuple[str, str]:
    if "</think>" not in content:
        return "", content
    before = content.split("</think>")[0].rstrip("\n").split("<think>")[-1]
    return before.lstrip("\n"), content.split("</think>")[-1].lstrip("\n")


def _last_query(messages: Sequence[Json]) -> int:
    for n in reversed(range(len(messages))):
        text = _text(messages[n])
        wrapped = text.startswith("<tool_response>") and text.endswith(
            "</tool_response>"
        )
        if messages[n]["role"] == "user" and not wrapped:
            return n
    return len(messages) - 1


def _qwen(
    messages: Sequence[Json],
    tools: Sequence[Json],
    assistant: Callable[[int], tuple[str, str]],
) -> Iterator[Piece]:
    """ChatML with tools before the first turn; `assistant` gives (thinking, text) of the message with that index."""
    yield from _qwen_head(messages, tools, "")
    for n, message in enumerate(messages):
        role = message["role"]
        if role == "assistant":
            thinking, text = assistant(n)
            yield Piece(f"{_START}assistant\n", n)
            calls = _qwen_calls(message, "\n" if text else "", _qwen3_arguments)
            yield Piece(thinking + text + calls + _END, n, written=True)
        elif role == "tool":
            yield _qwen_result(messages, n)
        elif role == "user" or (role == "system" and n):
            yield Piece(f"{_START}{role}\n{_text(message)}{_END}", n)


def _qwen25(messages: Sequence[Json], tools: Sequence[Json]) -> Iterator[Piece]:
    """Arguments are written as JSON whatever they are, so that a text is encoded a second time."""
    yield from _qwen_head(messages, tools, _QWEN25_SYSTEM)
    for n, message in enumerate(messages):
        role, text = message["role"], _text(message)
        if role == "assistant" and message.get("tool_calls"):
            beside = f"\n{text}" if text else ""
            calls = _qwen_calls(message, "\n", lambda value: to_json(value))
            yield Piece(f"{_START}assistant", n)
            yield Piece(beside + calls + _END, n, written=True)
        elif role == "assistant":
            # The markers of TRL's template begin before the line feed here.
            yield Piece(f"{_START}assistant", n)
            yield Piece(f"\n{text}{_END}", n, written=True)
        elif role == "tool":
            yield _qwen_result(messages, n)
        elif role == "user" or (role == "system" and n):
            yield Piece(f"{_START}{role}\n{text}{_END}", n)


def _qwen_head(
    messages: Sequence[Json], tools: Sequence[Json], default: str
) -> Iterator[Piece]:
    own = bool(messages) and messages[0]["role"] == "system"
    system = _text(messages[0]) if own else default
    origin = 0 if own else None
    if not tools:
        if own or default:
            yield Piece(f"{_START}system\n{system}{_END}", origin, role="system")
        return
    # Qwen2.5 writes the break even after no text; it always has one.
    text = f"{system}\n\n" if own or default else ""
    yield Piece(f"{_START}system\n{text}", origin, role="system")
    schemas = "".join("\n" + to_json(tool) for tool in tools)
    yield Piece(_QWEN_TOOLS + schemas + _QWEN_CALLS + _END, None, role="tools")


def _qwen_calls(
    message: Json, before_first: str, arguments: Callable[[Any], str]
) -> str:
    return "".join(
        (before_first if n == 0 else "\n")
        + f'<tool_call>\n{{"name": "{made["name"]}", "arguments": {arguments(made["arguments"])}}}\n</tool_call>'
        for n, made in enumerate(_calls(message))
    )


def _qwen3_arguments(arguments: Any) -> str:
    return arguments if isinstance(arguments, str) else to_json(arguments)


def _qwen_result(messages: Sequence[Json], n: int) -> Piece:
    """Results in a row share one turn of the user."""
    first = n == 0 or messages[n - 1]["role"] != "tool"
    last = n + 1 == len(messages) or messages[n + 1]["role"] != "tool"
    text = f"\n<tool_response>\n{_text(messages[n])}\n</tool_response>"
    before = f"{_START}user" if first else ""
    return Piece(before + text + (_END if last else ""), n)


# --- Llama 3.1: tools in the user's first message ------------------------------------------------------------------------------

_EOT = "<|eot_id|>"
_LLAMA_TOOLS = (
    "Given the following functions, please respond with a JSON for a function call "
    "with its proper arguments that best answers the given prompt.\n\n"
    'Respond in the format {"name": function name, "parameters": dictionary of argument name and its value}.'
    "Do not use variables.\n\n"
)
_LLAMA_DATES = "Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n"


def _header(role: str) -> str:
    return f"<|start_header_id|>{role}<|end_header_id|>\n\n"


def _llama31(messages: Sequence[Json], tools: Sequence[Json]) -> Iterator[Piece]:
    """Text beside a call is dropped, several calls are refused, results are written as JSON (a text in quotes).

    With tools, the message after the system prompt is shown as the user's, whoever wrote it.
    """
    own = bool(messages) and messages[0]["role"] == "system"
    system = _text(messages[0]).strip() if own else ""
    ipython = "Environment: ipython\n" if tools else ""
    head = "<|begin_of_text|>" + _header("system") + ipython + _LLAMA_DATES
    yield Piece(head, None, role="system")
    yield Piece(system + _EOT, 0 if own else None, role="system")
    start = int(own)
    if tools:
        if len(messages) == start:
            raise CannotRender("There is no first message to put the tools into.")
        schemas = "".join(to_json(tool, 4) + "\n\n" for tool in tools)
        yield Piece(_header("user") + _LLAMA_TOOLS + schemas, None, role="tools")
        yield Piece(_text(messages[start]).strip() + _EOT, start, role="user")
        start += 1
    for n in range(start, len(messages)):
        yield from _llama31_message(messages[n], n)


def _llama31_message(message: Json, n: int) -> Iterator[Piece]:
    role = message["role"]
    if "tool_calls" in message:
        calls = _calls(message)
        if len(calls) != 1:
            raise CannotRender("This family takes one call in a turn.")
        arguments = to_json(calls[0]["arguments"])
        text = f'{{"name": "{calls[0]["name"]}", "parameters": {arguments}}}'
        yield Piece(_header("assistant"), n)
        yield Piece(text + _EOT, n, written=True)
    elif role == "tool":
        yield Piece(_header("ipython") + to_json(_text(message)) + _EOT, n)
    elif role == "assistant":
        yield Piece(_header("assistant"), n)
        yield Piece(_text(message).strip() + _EOT, n, written=True)
    else:
        yield Piece(_header(role) + _text(message).strip() + _EOT, n)


# --- both ----------------------------------------------------------------------------------------------------------------------


def _text(message: Json) -> str:
    content = message.get("content")
    return content if isinstance(content, str) else ""


def _calls(message: Json) -> list[Json]:
    return [made.get("function") or made for made in message.get("tool_calls") or ()]


_CHATML_CONTROL = re.compile(
    r"<\|im_(?:start|end)\|>|</?(?:tool_call|think|tool_response)>|[0-9]"
)
_QWEN25_CONTROL = re.compile(r"<\|im_(?:start|end)\|>|</?tool_call>|[0-9]")
_LLAMA_CONTROL = re.compile(r"<\|(?:begin_of_text|(?:start|end)_header_id|eot_id)\|>")

FAMILIES: dict[str, Family] = {
    family.slug: family
    for family in (
        Family(
            "qwen3_instruct",
            "Qwen3-Instruct-2507",
            "qwen",
            _qwen3_instruct,
            _CHATML_CONTROL,
        ),
        Family(
            "qwen3",
            "Qwen3",
            "qwen",
            _qwen3,
            _CHATML_CONTROL,
            "TRL trains Qwen3 with a template of its own, which shows thinking in every turn: “Qwen3 as TRL trains it”.",
        ),
        Family(
            "qwen3_training",
            "Qwen3 as TRL trains it",
            "qwen",
            _qwen3_training,
            _CHATML_CONTROL,
        ),
        Family("qwen2_5", "Qwen2.5", "qwen", _qwen25, _QWEN25_CONTROL),
        Family(
            "llama3_1",
            "Llama 3.1",
            "llama3",
            _llama31,
            _LLAMA_CONTROL,
            "TRL refuses to train on the assistant's turns alone with the template of Llama 3.1, which does not mark them; "
            "a row per turn (prompt and completion) needs no marks.",
        ),
    )
}
