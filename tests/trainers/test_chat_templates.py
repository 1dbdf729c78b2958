"""The templates that the app restates are the published ones, letter for letter."""

import json
from typing import Any

import pytest

from tests.engine.export.made import record
from tests.engine.talks import designer
from tests.trainers.installed import needs_trainers, render, stock_template
from writ_app.engine.export.chat_templates import (
    FAMILIES,
    CannotRender,
    Piece,
    rendered,
)
from writ_app.engine.export.formats import FORMATS
from writ_app.engine.export.options import Options

pytestmark = needs_trainers

STOCK = {
    "qwen3_instruct": "qwen3_instruct_2507",
    "qwen3": "qwen3",
    "qwen3_training": "qwen3_training",
    "qwen2_5": "qwen2_5",
    "llama3_1": "llama3_1",
}
TRAINED = {
    "qwen3_instruct": "qwen3_instruct_2507_training",
    "qwen3_training": "qwen3_training",
    "qwen2_5": "qwen2_5_training",
}
"""Those for which TRL has a template that marks what it trains on."""

ARCHETYPES = list(designer().archetypes)


def conversation_of(archetype: str) -> tuple[list[Any], list[Any]]:
    [row] = FORMATS["trl"].rows(record(archetype), Options())
    return row["messages"], row["tools"]


def stock(family: str, messages: list[Any], tools: list[Any] | None) -> str:
    template = stock_template(STOCK[family])
    return render(template, messages, tools, bos_token="<|begin_of_text|>")[0]


def restated(family: str, messages: list[Any], tools: list[Any] | None) -> str:
    return rendered(FAMILIES[family].render(messages, tools or []))


def written(pieces: list[Piece]) -> list[tuple[int, int]]:
    spans, at = [], 0
    for piece in pieces:
        if piece.written:
            spans.append((at, at + len(piece.text)))
        at += len(piece.text)
    return spans


def made(name: str, **arguments: Any) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return {"id": name, "type": "function", "function": function}


def said(role: str, content: str, **more: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **more}


TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "träge",
            "description": "Ä <b> & 'x'",
            "parameters": {"type": "object", "properties": {}},
        },
    }
]
SYSTEM = said("system", "  Follow the rules.\n")
USER = said("user", " Hi 日本 ")
ODD: dict[str, list[dict[str, Any]]] = {
    "no system prompt": [USER, said("assistant", "Yes.")],
    "a greeting first": [SYSTEM, said("assistant", "Hi!"), USER, said("assistant", "")],
    "text beside a call": [
        SYSTEM,
        USER,
        said("assistant", "One moment.", tool_calls=[made("träge", a="ü", n=1.50)]),
        said("tool", '{"a": "é"}', tool_call_id="träge"),
        said("assistant", "Done."),
    ],
    "thinking": [
        SYSTEM,
        USER,
        said("assistant", "<think>\nfirst\n</think>\n\nWell."),
        said("user", "And?"),
        said(
            "assistant", "<think>\nmore\n</think>\n\n", tool_calls=[made("träge", a=1)]
        ),
        said("tool", "2"),
        said("tool", "3"),
        said("assistant", "\n\nDone.\n"),
    ],
    "thinking of its own": [
        SYSTEM,
        USER,
        said("assistant", "Well.", reasoning_content="\nhm\n"),
        said("user", "<tool_response>x</tool_response>"),
        said("assistant", "Well.", reasoning_content="hm"),
    ],
    "a result last": [
        SYSTEM,
        USER,
        said("assistant", "", tool_calls=[made("träge")]),
        said("tool", "Error: no\n"),
    ],
    "a second system prompt": [SYSTEM, USER, said("system", "Be brief.")],
}


@pytest.mark.parametrize("family", FAMILIES)
class TestFamilies:
    def test_are_rendered_as_published(self, family: str) -> None:
        for archetype in ARCHETYPES:
            messages, tools = conversation_of(archetype)
            assert restated(family, messages, tools) == stock(family, messages, tools)

    @pytest.mark.parametrize("odd", ODD)
    @pytest.mark.parametrize("tools", [None, TOOLS], ids=["bare", "tools"])
    def test_are_rendered_as_published_when_a_conversation_is_odd(
        self, family: str, odd: str, tools: list[Any] | None
    ) -> None:
        messages = json.loads(json.dumps(ODD[odd]))
        assert restated(family, messages, tools) == stock(family, messages, tools)

    def test_write_two_calls_in_a_turn_as_published_or_refuse_them(
        self, family: str
    ) -> None:
        both = said("assistant", "", tool_calls=[made("träge"), made("träge", a=1)])
        messages = [SYSTEM, USER, both, said("assistant", "Done.")]
        if family == "llama3_1":
            with pytest.raises(Exception, match="single tool-calls"):
                stock(family, messages, TOOLS)
            with pytest.raises(CannotRender, match="one call in a turn"):
                restated(family, messages, TOOLS)
        else:
            assert restated(family, messages, TOOLS) == stock(family, messages, TOOLS)

    def test_encode_a_text_of_arguments_as_published(self, family: str) -> None:
        """Qwen2.5 and Llama 3.1 encode it a second time; both Qwen3 paste it in."""
        call = made("träge")
        call["function"]["arguments"] = '{"a": "ü"}'
        messages = [SYSTEM, USER, {"role": "assistant", "tool_calls": [call]}]
        text = stock(family, messages, TOOLS)
        assert restated(family, messages, TOOLS) == text
        twice = family in ("qwen2_5", "llama3_1")
        assert ('"{\\"a\\": \\"ü\\"}"' in text) == twice


@pytest.mark.parametrize("family", TRAINED)
class TestWritten:
    def test_is_what_the_markers_of_the_training_template_enclose(
        self, family: str
    ) -> None:
        template = stock_template(TRAINED[family])
        for archetype in ARCHETYPES:
            messages, tools = conversation_of(archetype)
            pieces = list(FAMILIES[family].render(messages, tools))
            assert written(pieces) == render(template, messages, tools)[1]

    @pytest.mark.parametrize("odd", ODD)
    def test_is_it_for_odd_conversations_too(self, family: str, odd: str) -> None:
        template = stock_template(TRAINED[family])
        text, spans = render(template, ODD[odd], TOOLS)
        pieces = list(FAMILIES[family].render(ODD[odd], TOOLS))
        assert rendered(iter(pieces)) == text
        assert written(pieces) == spans
