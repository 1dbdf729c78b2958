import json
from itertools import pairwise
from typing import Any

import pytest

from tests.engine.export.made import record
from tests.engine.talks import called, edited, said, small_shop, talk
from writ_app.engine.export.chat_templates import FAMILIES, CannotRender, Family
from writ_app.engine.export.fixed import Row
from writ_app.engine.export.formats import FORMATS
from writ_app.engine.export.mask import RULES, Segment, segments, tokens, unseen
from writ_app.engine.export.options import Options
from writ_app.engine.types import Message

QWEN = FAMILIES["qwen3_instruct"]
TRAINERS = [slug for slug in RULES if slug != "turns"]
CAN_MASK = [slug for slug, rule in RULES.items() if rule.flag]


def row_of(slug: str, options: Options | None = None, **more: Any) -> Row:
    [row] = FORMATS[slug].rows(record("W1", **more), options or Options())
    return row


def shown(slug: str, options: Options | None = None, **more: Any) -> list[Segment]:
    return segments(row_of(slug, options, **more), slug, QWEN)


def trained(parts: list[Segment]) -> list[str]:
    return [part.text for part in parts if part.trained]


class TestSegments:
    @pytest.mark.parametrize("slug", TRAINERS)
    def test_train_on_every_text_and_call_of_the_assistant_and_on_nothing_else(
        self, slug: str
    ) -> None:
        parts = shown(slug, Options(greeting="drop"))
        expected = []
        for message in record("W1").messages[1:]:
            if message["role"] != "assistant":
                continue
            body = message.get("content", "")
            for call in message.get("tool_calls", ()):
                arguments = json.dumps(call["arguments"], ensure_ascii=False)
                body = f'<tool_call>\n{{"name": "{call["name"]}", "arguments": {arguments}}}\n</tool_call>'
            expected.append(f"{body}<|im_end|>\n")
        assert trained(parts) == expected
        assert {part.role for part in parts if part.trained} == {"assistant"}

    @pytest.mark.parametrize("slug", TRAINERS)
    def test_tell_why_for_every_stretch(self, slug: str) -> None:
        for part in shown(slug):
            assert part.why.endswith((".", "turn."))
            assert part.text

    @pytest.mark.parametrize("slug", CAN_MASK)
    def test_leave_a_greeting_out_where_the_row_says_so(self, slug: str) -> None:
        greeting = record("W1").messages[0]["content"]
        [part] = [p for p in shown(slug) if p.text.startswith(greeting)]
        assert (part.role, part.trained) == ("assistant", False)
        flag = RULES[slug].flag
        assert flag in part.why
        [kept] = [
            p
            for p in shown(slug, Options(greeting="keep"))
            if p.text.startswith(greeting)
        ]
        assert kept.trained

    def test_train_on_the_greeting_where_no_row_can_say_otherwise(self) -> None:
        greeting = record("W1").messages[0]["content"]
        assert trained(shown("trl"))[0].startswith(greeting)

    @pytest.mark.parametrize("slug", CAN_MASK)
    def test_leave_failed_calls_out_where_the_owner_says_so(self, slug: str) -> None:
        from environments.core.tools import ToolCall

        def fail(messages: list[Message]) -> list[Message]:
            call = ToolCall(
                name="get_user_details", arguments={"user_id": "nobody_at_all"}
            )
            return [
                *messages[:2],
                *called(call, 1, "Error: user not found", error=True),
                *messages[2:],
            ]

        failed = edited(talk("W1"), fail)
        for learn in (True, False):
            parts = shown(slug, Options(train_on_failed_calls=learn), trajectory=failed)
            [call] = [
                p for p in parts if "nobody_at_all" in p.text and p.role == "assistant"
            ]
            assert call.trained == learn

    def test_train_on_the_last_turn_alone_in_a_row_per_turn(self) -> None:
        rows = list(FORMATS["turns"].rows(record("W1"), Options()))
        for row in rows:
            parts = segments(row, "turns", QWEN)
            assert [part.trained for part in parts].count(True) == 1
            assert parts[-1].trained
        assert len(rows) == len(trained(shown("openai_chat")))

    def test_are_one_for_neighbours_that_nothing_tells_apart(self) -> None:
        parts = shown("trl")
        for before, after in pairwise(parts):
            assert (before.role, before.why) != (after.role, after.why)

    def test_refuse_what_the_template_refuses(self) -> None:
        row = {
            "messages": [
                {"role": "user", "content": "Hi"},
                {"role": "user", "content": "Hi"},
                {
                    "role": "assistant",
                    "tool_calls": [
                        {"function": {"name": "a", "arguments": {}}},
                        {"function": {"name": "b", "arguments": {}}},
                    ],
                },
            ],
            "tools": list(small_shop().schemas),
        }
        with pytest.raises(CannotRender, match="one call"):
            segments(row, "trl", FAMILIES["llama3_1"])

    def test_cover_what_a_user_says(self) -> None:
        def ask(messages: list[Message]) -> list[Message]:
            return [*messages[:2], said("assistant", "Ja?"), *messages[1:]]

        parts = shown("trl", trajectory=edited(talk("W1"), ask))
        mine = record("W1").messages[1]["content"]
        asked = [p for p in parts if p.role == "user" and mine in p.text]
        assert len(asked) == 2
        assert not any(p.trained for p in asked)


class TestUnseen:
    @pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda f: f.slug)
    @pytest.mark.parametrize("slug", TRAINERS)
    def test_is_nothing_of_an_ordinary_row(self, slug: str, family: Family) -> None:
        row = row_of(slug, Options(greeting="drop"))
        assert unseen(row, slug, family) == []

    def test_is_the_text_beside_a_call_for_llama_alone(self) -> None:
        row = row_of("trl", Options(greeting="drop"))
        call = next(m for m in row["messages"] if m.get("tool_calls"))
        both = {**call, "content": "One moment."}
        row["messages"][row["messages"].index(call)] = both
        lost = {slug: unseen(row, "trl", family) for slug, family in FAMILIES.items()}
        assert lost.pop("llama3_1") == ["One moment."]
        assert not any(lost.values())

    def test_is_a_thought_of_the_past_for_qwen3(self) -> None:
        row = row_of("trl", Options(greeting="keep"))
        greeting = row["messages"][1]
        thought = f"<think>\nWho is it?\n</think>\n\n{greeting['content']}"
        row["messages"][1] = {**greeting, "content": thought}
        assert unseen(row, "trl", FAMILIES["qwen3"]) == [thought]
        assert unseen(row, "trl", FAMILIES["qwen3_instruct"]) == []
        assert unseen(row, "trl", FAMILIES["qwen3_training"]) == []


class TestTokens:
    def test_count_a_control_token_as_one_and_the_text_between_as_told(self) -> None:
        def letters(texts: Any) -> list[int]:
            return [len(text) for text in texts]

        parts = [
            Segment("user", "<|im_start|>ab<|im_end|>", False, ""),
            Segment("assistant", "<tool_call>abc</tool_call><|im_end|>", True, ""),
        ]
        assert tokens(parts, QWEN, letters) == (10, 6)
