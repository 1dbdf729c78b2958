"""Rows of strangers: every spelling that is read, and what is refused with its place."""

import json
from typing import Any

import pytest

from writ_app.engine.importing import BadRow, find_kind, kind_of, read_row
from writ_app.engine.importing.rows import KINDS, Imported, joined_turns
from writ_app.engine.importing.strict_json import BadJson, loads, storable

CALL = {"id": "c1", "type": "function", "function": {"name": "find", "arguments": {}}}
ASKED = {"role": "user", "content": "Where is it?"}


def read(**row: Any) -> Imported:
    kind = find_kind(row)
    assert kind is not None
    return read_row(kind, row)


def called(arguments: Any, **more: Any) -> list[Any]:
    call = {**CALL, "function": {"name": "find", "arguments": arguments}}
    return [
        ASKED,
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "Error: gone", **more},
    ]


def refused(**row: Any) -> BadRow:
    with pytest.raises(BadRow) as error:
        read(**row)
    return error.value


class TestSpellings:
    @pytest.mark.parametrize("arguments", [{"a": None}, '{"a": null}'])
    def test_arguments_may_be_an_object_or_its_text(self, arguments: Any) -> None:
        row = read(messages=called(arguments))

        assert row.messages[1]["tool_calls"] == [
            {"id": "c1", "name": "find", "arguments": {"a": None}}
        ]
        assert row.messages[2] == {
            "role": "tool",
            "content": "Error: gone",
            "tool_calls": [],
            "tool_call_id": "c1",
            "error": True,
        }

    @pytest.mark.parametrize("role", ["system", "developer"])
    def test_the_system_prompt_stands_apart(self, role: str) -> None:
        row = read(messages=[{"role": role, "content": "Be kind."}, ASKED])

        assert row.system == "Be kind."
        assert [one["role"] for one in row.messages] == ["user"]

    def test_a_row_may_have_no_system_and_no_tools(self) -> None:
        row = read(messages=[ASKED])

        assert (row.system, row.tools, row.extras) == ("", (), {})

    @pytest.mark.parametrize("as_text", [False, True])
    @pytest.mark.parametrize("bare", [False, True])
    def test_tools_may_be_a_list_or_its_text(self, as_text: bool, bare: bool) -> None:
        function = {"name": "find", "parameters": {"type": "object"}}
        tools: Any = [function if bare else {"type": "function", "function": function}]

        row = read(messages=[ASKED], tools=json.dumps(tools) if as_text else tools)

        assert row.tools == ({"type": "function", "function": function},)

    def test_sharegpt_with_calls_of_their_own(self) -> None:
        row = read(
            conversations=[
                {"from": "system", "value": "Help."},
                {"from": "human", "value": "Hi"},
                {"from": "function_call", "value": '{"name": "find", "arguments": {}}'},
                {"from": "observation", "value": "[]"},
                {"from": "gpt", "value": "Nothing."},
            ]
        )

        assert row.system == "Help."
        assert [one["role"] for one in row.messages] == [
            "user",
            "assistant",
            "tool",
            "assistant",
        ]
        assert row.messages[2]["tool_call_id"] == row.messages[1]["tool_calls"][0]["id"]

    def test_calls_between_tags_in_the_text(self) -> None:
        call = '<tool_call>\n{"name": "find", "arguments": {"a": 1}}\n</tool_call>'
        row = read(
            conversations=[
                {"from": "human", "value": "Hi"},
                {"from": "gpt", "value": f"Let me see.\n{call}{call}"},
                {"from": "tool", "value": "one"},
                {"from": "tool", "value": "two"},
            ]
        )

        assert row.messages[1]["content"] == "Let me see."
        ids = [made["id"] for made in row.messages[1]["tool_calls"]]
        assert [one["tool_call_id"] for one in row.messages[2:]] == ids
        assert len(set(ids)) == 2

    def test_tags_that_hold_no_call_are_text(self) -> None:
        said = "<tool_call>no JSON</tool_call>"

        row = read(conversations=[{"from": "gpt", "value": said}])

        assert row.messages[0]["content"] == said
        assert row.messages[0]["tool_calls"] == []

    def test_text_in_parts(self) -> None:
        parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]

        assert read(messages=[{**ASKED, "content": parts}]).messages[0]["content"] == (
            "ab"
        )

    def test_ids_that_are_used_again_get_their_own_answers(self) -> None:
        row = read(messages=[*called({}), *called({})])

        own = [m["tool_calls"][0]["id"] for m in row.messages if m["tool_calls"]]
        assert len(set(own)) == 2
        assert [m["tool_call_id"] for m in row.messages if m["role"] == "tool"] == own

    def test_keys_without_a_place_are_kept(self) -> None:
        row = read(
            messages=[{**ASKED, "weight": 0, "name": None}], source="web", score=1.5
        )

        assert row.extras == {
            "source": "web",
            "score": 1.5,
            "message_keys": {"0": {"weight": 0}},
        }

    def test_every_format_that_we_write_has_a_kind(self) -> None:
        assert kind_of("openai_chat").slug == kind_of("verl").slug == "chat"
        assert all(kind_of(name) is KINDS[name] for name in KINDS)


class TestRefusals:
    @pytest.mark.parametrize(
        ("messages", "pointer", "says"),
        [
            ("hi", "/messages", "must be a list"),
            ([], "/messages", "no message"),
            ([3], "/messages/0", "must be an object"),
            ([{"content": "x"}], "/messages/0/role", "is missing"),
            ([{"role": "wizard"}], "/messages/0/role", "'wizard'"),
            ([ASKED, {"role": "system"}], "/messages/1", "within the conversation"),
            ([{"role": "user", "content": 3}], "/messages/0/content", "must be a text"),
            (
                [{"role": "user", "content": [{"type": "image_url"}]}],
                "/messages/0/content/0",
                "is no text",
            ),
            (called([]), "/messages/1/tool_calls/0/function/arguments", "an object"),
            (
                called(json.dumps(json.dumps({}))),
                "/messages/1/tool_calls/0/function/arguments",
                "encoded twice",
            ),
            (
                called('{"a": 1, "a": 2}'),
                "/messages/1/tool_calls/0/function/arguments",
                "'a' twice",
            ),
            (
                called({}, tool_call_id="c9"),
                "/messages/2/tool_call_id",
                "answers no call",
            ),
            (
                [ASKED, {"role": "tool", "content": "x"}],
                "/messages/1",
                "no call waits for one",
            ),
        ],
    )
    def test_say_where_and_what(self, messages: Any, pointer: str, says: str) -> None:
        error = refused(messages=messages)

        assert error.pointer == pointer
        assert says in error.text

    def test_too_many_messages(self) -> None:
        assert "2,001 messages" in refused(messages=[ASKED] * 2_001).text

    def test_a_tool_that_is_none(self) -> None:
        assert refused(messages=[ASKED], tools=[{}]).pointer == "/tools/0"


class TestTurns:
    def test_rows_that_go_on_are_one_conversation(self) -> None:
        said = [{"role": "assistant", "content": str(n)} for n in range(3)]
        first = read(prompt=[ASKED], completion=said[:1])
        second = read(prompt=[ASKED, said[0], ASKED], completion=said[1:2])
        other = read(prompt=[ASKED], completion=said[2:])

        found = list(joined_turns(enumerate([first, second, other])))

        assert [n for n, _ in found] == [1, 2]
        assert len(found[0][1].messages) == 4


class TestStrictJson:
    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ('{"a": 1, "a": 2}', "'a' twice"),
            ('{"a": {"b": 1, "b": 2}}', "'b' twice"),
            ("[NaN]", "NaN is no JSON number"),
            ("[-Infinity]", "no JSON number"),
            ("[1e999]", "larger than a number may be"),
            ("1" * 5_000, "Exceeds the limit"),
            ("{", "is not JSON"),
            ("[" * 100_000, "nested too deep"),
            ("[" * 65 + "]" * 65, "deeper than 64"),
            ('{"a":' * 65 + "1" + "}" * 65, "deeper than 64"),
        ],
    )
    def test_refuses(self, text: str, says: str) -> None:
        with pytest.raises(BadJson, match=says):
            loads(text)

    @pytest.mark.parametrize(
        "text",
        [
            "[" * 64 + "]" * 64,
            json.dumps(["[{" * 500]),
            json.dumps([{"a": [1]}] * 500),
        ],
    )
    def test_takes_what_is_no_deeper_than_the_limit(self, text: str) -> None:
        assert loads(text) == json.loads(text)

    def test_what_no_text_can_hold_is_replaced_and_told(self) -> None:
        text, replaced = storable({"a\x00": ["x\ud800y", "\ud83d\ude42", "🙂"]})

        assert replaced
        assert json.loads(text) == {"a\ufffd": ["x\ufffdy", "🙂", "🙂"]}

    def test_what_a_text_can_hold_stays(self) -> None:
        value = {"a": ["\\u0000 is written so", "🙂", "\u202e"]}

        assert storable(value) == (
            json.dumps(value, ensure_ascii=False, separators=(",", ":")),
            False,
        )
