import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from environments.core.tools import ToolCall
from tests.engine.talks import called, edited, said, small_shop, talk, task_of
from writ_app.engine.export import (
    FORMATS,
    TRL_FEATURES,
    ExportSource,
    Row,
    UnfitRow,
    conversation,
    export_source,
    lint_row,
    to_line,
)
from writ_app.engine.types import Message, Trajectory

ARCHETYPES = ("R1", "R2", "W1", "N1")


def source(archetype: str, trajectory: Trajectory | None = None) -> ExportSource:
    return export_source(
        small_shop(), task_of(archetype), trajectory or talk(archetype)
    )


def row_of(slug: str, archetype: str = "R1") -> Row:
    return FORMATS[slug].to_row(source(archetype))


def assistant_calls(row: Row) -> list[dict[str, Any]]:
    return [m for m in row["messages"] if m.get("tool_calls")]


class TestFormats:
    @pytest.mark.parametrize("slug", list(FORMATS))
    @pytest.mark.parametrize("archetype", ARCHETYPES)
    @pytest.mark.parametrize("plan", ["upfront", "incremental", "corrected"])
    def test_give_the_same_conversation_back(
        self, slug: str, archetype: str, plan: str
    ) -> None:
        trajectory = talk(archetype, plan)
        exported = source(archetype, trajectory)
        row = FORMATS[slug].to_row(exported)
        back = FORMATS[slug].from_row(json.loads(to_line(row)))
        assert back == conversation(exported)
        assert back.messages == trajectory.messages[:-1]
        assert list(back.tools) == small_shop().schemas

    @pytest.mark.parametrize("slug", list(FORMATS))
    def test_end_with_the_assistant_and_without_stop(self, slug: str) -> None:
        row = row_of(slug)
        assert row["messages"][-1]["role"] == "assistant"
        assert "###" not in json.dumps(row["messages"][1:])

    @pytest.mark.parametrize("slug", list(FORMATS))
    def test_refuse_a_conversation_with_text_beside_a_call(self, slug: str) -> None:
        with pytest.raises(UnfitRow) as refused:
            FORMATS[slug].to_row(
                source("R1", talk("R1", "upfront", "text_beside_call"))
            )
        assert refused.value.pitfall == "text_beside_call"

    def test_have_names_and_files_of_their_own(self) -> None:
        assert len({fmt.file_name for fmt in FORMATS.values()}) == len(FORMATS)


class TestToOpenaiRow:
    def test_has_arguments_as_text_and_no_content_beside_calls(self) -> None:
        row = row_of("openai_chat")
        assert row["parallel_tool_calls"] is False
        for message in assistant_calls(row):
            assert "content" not in message
            arguments = message["tool_calls"][0]["function"]["arguments"]
            assert isinstance(json.loads(arguments), dict)

    def test_pairs_every_result_with_its_call(self) -> None:
        messages = row_of("openai_chat", "W1")["messages"]
        for n, message in enumerate(messages):
            if message["role"] == "tool":
                assert message["tool_call_id"] == messages[n - 1]["tool_calls"][0]["id"]


class TestToTrlRow:
    def test_has_arguments_as_an_object_and_content_in_every_message(self) -> None:
        row = row_of("trl")
        assert all(isinstance(message["content"], str) for message in row["messages"])
        for message in assistant_calls(row):
            assert isinstance(message["tool_calls"][0]["function"]["arguments"], dict)

    def test_leaves_arguments_out_that_are_null(self) -> None:
        call = ToolCall(name="calculate", arguments={"expression": "1 + 1", "x": None})

        def insert(messages: list[Message]) -> Sequence[Message]:
            return [*messages[:2], *called(call, 1, "2.0"), *messages[2:]]

        row = FORMATS["trl"].to_row(source("R1", edited(talk("R1"), insert)))
        arguments = assistant_calls(row)[0]["tool_calls"][0]["function"]["arguments"]
        assert arguments == {"expression": "1 + 1"}

    @pytest.mark.parametrize("explicit", [True, False])
    def test_file_comes_back_equal_from_datasets(
        self, tmp_path: Path, explicit: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        import datasets

        rows = [row_of("trl", slug) for slug in ARCHETYPES]
        path = tmp_path / FORMATS["trl"].file_name
        path.write_text("".join(to_line(row) + "\n" for row in rows), encoding="utf-8")
        features = eval(TRL_FEATURES, vars(datasets)) if explicit else None
        loaded = datasets.load_dataset(
            "json",
            data_files=str(path),
            split="train",
            features=features,
            cache_dir=str(tmp_path / "cache"),
        )
        assert list(loaded) == rows
        for row, slug in zip(loaded, ARCHETYPES, strict=True):
            assert FORMATS["trl"].from_row(row) == conversation(source(slug))


class TestToLine:
    def test_writes_other_scripts_as_they_are_on_one_line(self) -> None:
        line = to_line({"text": "Zoë\nmöchte 日本"})
        assert "Zoë\\nmöchte 日本" in line
        assert "\n" not in line

    def test_gives_the_same_bytes_for_the_same_row(self) -> None:
        assert to_line(row_of("trl")) == to_line(row_of("trl"))

    def test_refuses_numbers_that_json_does_not_have(self) -> None:
        with pytest.raises(ValueError, match="Out of range"):
            to_line({"x": float("nan")})


def _set(n: int, **changes: Any) -> Callable[[Row], None]:
    return lambda row: row["messages"][n].update(changes)


def _double(row: Row) -> None:
    function = assistant_calls(row)[0]["tool_calls"][0]["function"]
    function["arguments"] = json.dumps(json.dumps(function["arguments"]))


def _twice(row: Row) -> None:
    calls = assistant_calls(row)[0]["tool_calls"]
    calls.append(calls[0])


def _null(row: Row) -> None:
    assistant_calls(row)[0]["tool_calls"][0]["function"]["arguments"]["x"] = None


def _rename(row: Row) -> None:
    assistant_calls(row)[0]["tool_calls"][0]["function"]["name"] = "fly"


def _unpair(row: Row) -> None:
    assistant_calls(row)[0]["tool_calls"][0]["id"] = "other"


class TestLintRow:
    @pytest.mark.parametrize(
        ("pitfall", "spoil"),
        [
            ("double_encoded", _double),
            ("parallel_calls", _twice),
            ("null_argument", _null),
            ("unknown_tool", _rename),
            ("pairing", _unpair),
            ("null_content", _set(2, content=None)),
            ("empty", _set(2, content="")),
            ("stop_token", _set(2, content="bye ###STOP###")),
            ("system", lambda row: row["messages"].pop(0)),
            (
                "last_turn",
                lambda row: row["messages"].append({"role": "user", "content": "x"}),
            ),
            ("tools", lambda row: row["tools"].append(row["tools"][0])),
            ("tools_twice", _set(0, content='{"parameters": {}}')),
            (
                "no_user",
                lambda row: row.update(
                    messages=[row["messages"][0], row["messages"][1]]
                ),
            ),
        ],
    )
    def test_names_the_pitfall(self, pitfall: str, spoil: Callable[[Row], Any]) -> None:
        row = json.loads(to_line(row_of("trl")))
        lint_row(row)
        spoil(row)
        with pytest.raises(UnfitRow) as refused:
            lint_row(row)
        assert refused.value.pitfall == pitfall

    def test_refuses_a_conversation_that_the_user_ended_in_the_middle(self) -> None:
        def cut(messages: list[Message]) -> Sequence[Message]:
            return [*messages[:4], said("user", "Bye ###STOP###")]

        with pytest.raises(UnfitRow) as refused:
            FORMATS["trl"].to_row(source("R1", edited(talk("R1"), cut)))
        assert refused.value.pitfall == "last_turn"
