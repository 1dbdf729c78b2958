"""Rendered text read back as a model's server would read it: turns, and the calls that they hold."""

import json
import re
from typing import Any, NamedTuple


class Turn(NamedTuple):
    role: str
    text: str


_CHATML = re.compile(r"<\|im_start\|>(\w+)(.*?)<\|im_end\|>", re.DOTALL)
_LLAMA = re.compile(
    r"<\|start_header_id\|>(\w+)<\|end_header_id\|>\n\n(.*?)<\|eot_id\|>", re.DOTALL
)
_QWEN_CALL = re.compile(r"<tool_call>\n(.*?)\n</tool_call>", re.DOTALL)


def turns(text: str) -> list[Turn]:
    """Turns of a rendered conversation, whichever of the two families wrote it."""
    pattern = _LLAMA if text.startswith("<|begin_of_text|>") else _CHATML
    return [Turn(role, body.removeprefix("\n")) for role, body in pattern.findall(text)]


def calls(text: str) -> list[tuple[str, Any]]:
    """(name, arguments) of every call that an assistant's turn makes."""
    found = []
    for turn in turns(text):
        if turn.role == "assistant":
            found += _llama_calls(turn) or _qwen_calls(turn)
    return found


def _qwen_calls(turn: Turn) -> list[tuple[str, Any]]:
    made = [json.loads(one) for one in _QWEN_CALL.findall(turn.text)]
    return [(one["name"], one["arguments"]) for one in made]


def _llama_calls(turn: Turn) -> list[tuple[str, Any]]:
    if not turn.text.startswith('{"name": '):
        return []
    made = json.loads(turn.text)
    return [(made["name"], made["parameters"])]
