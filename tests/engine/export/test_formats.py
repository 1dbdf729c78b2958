"""What every format has to be true to: what is read back is what was written, but for the losses that it names."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.export.conversations import WORLD, recorded, records
from tests.engine.export.losses import (
    FOR_TRAINERS,
    WHOLE,
    WITH_ROWS,
    expected,
    has_no_row,
    stored,
)
from tests.engine.export.made import record
from tests.engine.talks import talk
from writ_app.engine.export.fixed import Row
from writ_app.engine.export.formats import FORMATS, Conversation
from writ_app.engine.export.options import Options
from writ_app.engine.export.records import Json, Record, compact, spoken
from writ_app.engine.export.unfit import UnfitRow

policies = st.builds(
    Options,
    greeting=st.sampled_from(["target", "keep", "mask", "drop"]),
    reasoning=st.sampled_from(["strip", "keep"]),
    train_on_failed_calls=st.booleans(),
)


def read_back(slug: str, one: Record, options: Options | None = None) -> Conversation:
    fmt = FORMATS[slug]
    rows = stored(fmt, list(fmt.rows(one, options or Options())))
    return fmt.parse(rows[-1])


class TestEveryFormat:
    @pytest.mark.parametrize("slug", FOR_TRAINERS)
    @settings(deadline=None)
    @given(one=records(), options=policies)
    def test_gives_back_everything_but_what_it_says_it_loses(
        self, slug: str, one: Record, options: Options
    ) -> None:
        fmt = FORMATS[slug]
        if has_no_row(fmt, one, options):
            with pytest.raises(UnfitRow):
                read_back(slug, one, options)
            return
        back = read_back(slug, one, options)
        assert compact(list(back)) == compact(list(expected(fmt, one, options)))

    @settings(deadline=None)
    @given(one=records())
    def test_of_whole_conversations_keeps_all_of_them(self, one: Record) -> None:
        for slug in WHOLE:
            assert compact(read_back(slug, one).messages) == compact(list(one.messages))
        parquet = read_back("parquet", one)
        assert (parquet.system, parquet.tools) == (WORLD.system, list(WORLD.tools))

    @pytest.mark.parametrize("slug", FOR_TRAINERS)
    @pytest.mark.parametrize("archetype", ["R1", "W1", "N1"])
    def test_ends_with_the_assistant_and_without_stop(
        self, slug: str, archetype: str
    ) -> None:
        back = read_back(slug, record(archetype))
        assert back.messages[-1]["role"] == "assistant"
        assert "###" not in compact(back.messages)

    @pytest.mark.parametrize("slug", FOR_TRAINERS)
    def test_refuses_a_conversation_with_text_beside_a_call(self, slug: str) -> None:
        one = record("R1", talk("R1", "upfront", "text_beside_call"))
        with pytest.raises(UnfitRow) as refused:
            list(FORMATS[slug].rows(one, Options()))
        assert refused.value.pitfall == "text_beside_call"

    def test_has_a_name_a_loader_and_its_losses_told(self) -> None:
        for slug, fmt in FORMATS.items():
            assert slug == fmt.slug
            assert fmt.title
            assert fmt.load
            assert all(text.endswith((".", "`).")) for text in fmt.loss)

    @pytest.mark.parametrize(
        "slug", ["openai_chat", "axolotl", "ms_swift", "turns", "verl"]
    )
    def test_with_flags_masks_a_greeting_and_failed_calls(self, slug: str) -> None:
        one = recorded(FAILED)
        options = Options(train_on_failed_calls=False)
        assert masked(slug, one, options) == ["Hi!", "find"]
        assert masked(slug, one, Options()) == ["Hi!"]
        assert masked(slug, one, Options(greeting="keep")) == []
        assert FORMATS[slug].flags

    @pytest.mark.parametrize("slug", WITH_ROWS)
    def test_writes_the_same_row_each_time(self, slug: str) -> None:
        rows = [list(FORMATS[slug].rows(record("W1"), Options())) for _ in range(2)]
        assert compact(rows[0]) == compact(rows[1])


FAILED = [
    spoken("assistant", "Hi!"),
    spoken("user", "Find it."),
    spoken("assistant", "", [{"id": "a", "name": "find", "arguments": {}}]),
    {"role": "tool", "tool_call_id": "a", "content": "Error: no", "error": True},
    spoken("assistant", "", [{"id": "b", "name": "book", "arguments": {"a": "x"}}]),
    {"role": "tool", "tool_call_id": "b", "content": "{}"},
    spoken("assistant", "Done."),
]


def masked(slug: str, one: Record, options: Options) -> list[str]:
    """What the assistant says or calls without loss."""
    rows = stored(FORMATS[slug], list(FORMATS[slug].rows(one, options)))
    if slug == "turns":
        trained = [row["completion"][0] for row in rows]
        everything = [
            m
            for m in (*rows[-1]["prompt"], *rows[-1]["completion"])
            if m["role"] == "assistant"
        ]
        return [_who(m) for m in everything if m not in trained]
    return [_who(m) for m in rows[0]["messages"] if _flagged(slug, m)]


def _flagged(slug: str, message: Json) -> bool:
    if slug == "verl":
        return message["role"] == "assistant" and not message["trained"]
    key = {"openai_chat": "weight", "axolotl": "train", "ms_swift": "loss"}[slug]
    return key in message and not message[key]


def _who(message: Json) -> str:
    if message.get("tool_calls"):
        return str(message["tool_calls"][0]["function"]["name"])
    if message["role"] == "tool_call":
        return str(json.loads(message["content"])["name"])
    return str(message["content"])


def only_row(slug: str, archetype: str = "W1", **options: Any) -> Row:
    fmt = FORMATS[slug]
    (row,) = stored(fmt, list(fmt.rows(record(archetype), Options(**options))))
    return row


def calls_of(row: Row) -> Iterator[Json]:
    for message in row["messages"]:
        for made in message.get("tool_calls") or ():
            yield made["function"]
