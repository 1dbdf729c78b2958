"""The known ways in which a trainer reads tool conversations wrongly: each has a guard, and here is what it holds back."""

import json
from collections.abc import Callable, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tests.engine.export.conversations import WORLD, recorded
from tests.engine.export.made import record, shop
from tests.engine.talks import small_shop
from writ_app.engine.export.fixed import encode
from writ_app.engine.export.formats import FORMATS
from writ_app.engine.export.formats.chat import parse_chat
from writ_app.engine.export.formats.trl import FEATURES
from writ_app.engine.export.lint import PITFALLS, lint
from writ_app.engine.export.options import Options
from writ_app.engine.export.records import Json, Record, World, spoken
from writ_app.engine.export.tokens import count, over_long
from writ_app.engine.export.unfit import UnfitRow

CALL = {"id": "call_1", "name": "find", "arguments": {"a": "x"}}
GOOD: Sequence[Json] = (
    spoken("assistant", "Hi!"),
    spoken("user", "Find it."),
    spoken("assistant", "", [CALL]),
    {"role": "tool", "tool_call_id": "call_1", "content": '{"found": 1}'},
    spoken("assistant", "Here it is."),
    spoken("user", "Thanks ###STOP###"),
)
Spoil = Callable[[list[Json]], Any]


def spoiled(spoil: Spoil) -> Record:
    messages = deepcopy(list(GOOD))
    spoil(messages)
    good = recorded(list(GOOD))
    return Record(good.id, good.task, "train", WORLD, messages, good.facts)


def names(one: Record) -> list[str]:
    return [problem.pitfall for problem in lint(one)]


def test_a_good_record_has_no_problem() -> None:
    assert names(recorded(list(GOOD))) == []
    assert names(record("W1")) == []


def change(n: int, **keys: Any) -> Spoil:
    return lambda messages: messages[n].update(keys)


def call(**keys: Any) -> Spoil:
    return lambda messages: messages[2]["tool_calls"][0].update(keys)


def say(n: int, content: str) -> Spoil:
    return change(n, content=content)


SPOILT: Sequence[tuple[str, Spoil]] = [
    ("bad_message", change(1, role="function")),
    ("bad_message", lambda m: m[3].pop("tool_call_id")),
    ("bad_message", call(id=None)),
    ("null_content", change(4, content=None)),
    ("null_content", change(3, content={"found": 1})),
    ("unencodable", say(4, "half a pair: \ud83d")),
    ("unencodable", call(arguments={"a": float("nan")})),
    ("unencodable", call(arguments={"\ud83d": 1})),
    ("double_encoded", call(arguments='{"a": "x"}')),
    ("no_user", lambda m: (m.pop(1), m.pop(-1))),
    ("last_turn", lambda m: m.pop(4)),
    ("last_turn", lambda m: m.append(spoken("user", "Wait."))),
    ("stop_token", say(1, "Bye ###STOP###")),
    ("stop_token", say(4, "Bye ###TRANSFER###")),
    ("template_token", say(1, "<|im_end|>\n<|im_start|>system")),
    ("template_token", say(3, "<|eot_id|>")),
    ("template_token", call(arguments={"a": "</tool_call>"})),
    ("empty", say(1, " ")),
    ("empty", lambda m: m[4].pop("content")),
    ("pairing", lambda m: m.pop(3)),
    ("pairing", lambda m: m.pop(2)),
    ("pairing", change(3, tool_call_id="b")),
    ("pairing", lambda m: m.extend(deepcopy(m[2:5]))),
    ("parallel_calls", lambda m: m[2]["tool_calls"].append({**CALL, "id": "b"})),
    ("text_beside_call", say(2, "One moment.")),
    ("text_beside_call", say(2, "<think>x</think>One moment.")),
    ("reasoning", say(4, "Well. <think>x</think> Here.")),
    ("reasoning", say(4, "<think>Here it is.")),
    ("reasoning", say(4, "x</think>Here it is.")),
    ("unknown_tool", call(name="fly")),
]


@pytest.mark.parametrize(
    ("pitfall", "spoil"),
    [pytest.param(*one, id=f"{one[0]}-{n}") for n, one in enumerate(SPOILT)],
)
def test_a_spoilt_record_is_told_by_the_name_of_what_is_wrong(
    pitfall: str, spoil: Spoil
) -> None:
    one = spoiled(spoil)
    assert pitfall in names(one)
    with pytest.raises(UnfitRow) as refused:
        list(FORMATS["trl"].rows(one, Options()))
    assert refused.value.pitfall in names(one)


def test_every_pitfall_has_a_spoilt_record_or_a_test_of_its_own() -> None:
    of_worlds = {"same_tool", "tools_twice", "too_long"}
    assert {pitfall for pitfall, _ in SPOILT} | of_worlds == PITFALLS.keys()


def in_world(**changes: Any) -> Record:
    kept = (
        "name",
        "version",
        "content_hash",
        "state_hash",
        "policy",
        "system",
        "tools",
    )
    world = World(**{name: getattr(WORLD, name) for name in kept} | changes)
    good = recorded(list(GOOD))
    return Record(good.id, good.task, "train", world, good.messages, good.facts)


def test_an_environment_that_cannot_be_written_is_told_of_every_record() -> None:
    assert names(in_world(system="\ud83d")) == ["unencodable"]
    assert names(in_world(system=" ")) == ["empty"]


class TestPitfall:
    def test_01_arguments_are_encoded_once(self) -> None:
        twice = {
            "id": "a",
            "function": {"name": "f", "arguments": json.dumps('{"a": 1}')},
        }
        row = {"messages": [{"role": "assistant", "tool_calls": [twice]}], "tools": []}
        with pytest.raises(UnfitRow) as refused:
            parse_chat(row)
        assert refused.value.pitfall == "double_encoded"

    def test_02_and_03_mixed_keys_and_types_come_back_as_they_were(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Two rows whose arguments share a key of another type, and have keys that the other lacks."""
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        import datasets

        features = eval(FEATURES, vars(datasets))
        mixed = [
            {"amount": 1, "legs": [{"to": "A"}]},
            {"amount": 1.5, "legs": "none", "b": True},
            {"amount": None, "a": "x"},
        ]
        for slug in (
            "trl",
            "openai_chat",
            "axolotl",
            "ms_swift",
            "llama_factory_openai",
        ):
            fmt = FORMATS[slug]
            rows = [
                row
                for arguments in mixed
                for row in fmt.rows(spoiled(call(arguments=arguments)), Options())
            ]
            path = tmp_path / f"{slug}.jsonl"
            path.write_text(
                "".join(encode(row).decode() + "\n" for row in rows), "utf-8"
            )
            back = datasets.load_dataset(
                "json",
                data_files=str(path),
                split="train",
                features=features if slug == "trl" else None,
                cache_dir=str(tmp_path / "cache"),
            )
            read = [fmt.parse(row) for row in back]
            told = [one.messages[-3]["tool_calls"][0]["arguments"] for one in read]
            without_nulls = [*mixed[:2], {"a": "x"}]
            assert told == (mixed if slug == "openai_chat" else without_nulls)

    def test_04_a_result_follows_its_call(self) -> None:
        swapped = spoiled(lambda m: m.insert(3, spoken("assistant", "One moment.")))
        assert "pairing" in names(swapped)

    @pytest.mark.parametrize("slug", ["trl", "axolotl", "ms_swift", "openai_chat"])
    def test_05_a_greeting_stays_and_the_stop_goes(self, slug: str) -> None:
        fmt = FORMATS[slug]
        (row,) = fmt.rows(recorded(list(GOOD)), Options())
        assert fmt.parse(row).messages == list(GOOD[:-1])

    @pytest.mark.parametrize("slug", ["llama_factory_sharegpt", "llama_factory_openai"])
    def test_05_a_greeting_goes_where_the_user_has_to_begin(self, slug: str) -> None:
        fmt = FORMATS[slug]
        (row,) = fmt.rows(recorded(list(GOOD)), Options())
        assert fmt.parse(row).messages[0] == GOOD[1]

    def test_06_tools_stand_in_one_place(self) -> None:
        assert "tools_twice" in names(in_world(system='{"parameters": {}}'))

    def test_07_tools_are_those_of_the_agent_to_the_letter(self) -> None:
        for slug in ("openai_chat", "trl", "axolotl", "ms_swift", "verl", "turns"):
            *_, row = FORMATS[slug].rows(record(), Options())
            assert FORMATS[slug].parse(row).tools == small_shop().schemas
        assert shop().tools_json == json.dumps(
            small_shop().schemas, ensure_ascii=False, separators=(",", ":")
        )
        assert "same_tool" in names(in_world(tools=(*WORLD.tools, WORLD.tools[0])))

    def test_08_thoughts_go_or_every_turn_is_the_last_one_once(self) -> None:
        thought = recorded(
            [
                *GOOD[:4],
                spoken("assistant", "<think>It is\nthere.</think>\n\nHere it is."),
            ]
        )
        (row,) = FORMATS["trl"].rows(thought, Options())
        assert row["messages"][-1]["content"] == "Here it is."
        *_, last = FORMATS["turns"].rows(thought, Options(reasoning="keep"))
        assert last["completion"][0]["content"].startswith("<think>")

    def test_09_what_carries_no_loss_is_flagged(self) -> None:
        (row,) = FORMATS["openai_chat"].rows(recorded(list(GOOD)), Options())
        assert [m.get("weight") for m in row["messages"]] == [None, 0, *[None] * 4]

    def test_10_the_last_message_is_the_assistants_so_that_its_end_is_trained(
        self,
    ) -> None:
        for slug in ("trl", "axolotl", "openai_chat", "ms_swift"):
            (row,) = FORMATS[slug].rows(record("W1"), Options())
            assert row["messages"][-1]["role"] == "assistant"

    def test_11_long_records_are_listed_and_not_cut(self) -> None:
        short, long = recorded(list(GOOD)), spoiled(say(3, "word " * 5000))
        limit = count(short, "estimate")
        (listed,) = over_long([short, long], "estimate", limit)
        assert listed == (long.id, count(long, "estimate"))
        assert listed.tokens > limit + 5000

    def test_12_text_beside_a_call_is_refused(self) -> None:
        assert "text_beside_call" in names(spoiled(say(2, "One moment.")))

    def test_13_content_is_empty_and_never_null_except_for_openai(self) -> None:
        for slug in ("trl", "axolotl"):
            (row,) = FORMATS[slug].rows(recorded(list(GOOD)), Options())
            assert row["messages"][3]["content"] == ""
        (row,) = FORMATS["openai_chat"].rows(recorded(list(GOOD)), Options())
        assert "content" not in row["messages"][3]

    def test_14_calls_are_one_at_a_time_and_the_row_says_so(self) -> None:
        (row,) = FORMATS["openai_chat"].rows(recorded(list(GOOD)), Options())
        assert row["parallel_tool_calls"] is False
        assert "parallel_calls" in PITFALLS

    def test_15_other_scripts_stand_as_they_are(self) -> None:
        for slug in ("trl", "openai_chat", "llama_factory_sharegpt", "ms_swift"):
            (row,) = FORMATS[slug].rows(
                spoiled(call(arguments={"a": "Zoë 日本"})), Options()
            )
            assert "Zoë 日本" in encode(row).decode()
            assert "\\u" not in encode(row).decode()
