"""What every format has to be true to: what is read back is what was written, but for the losses that it names."""

import io
import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.export.conversations import WORLD, recorded, records
from tests.engine.export.made import record
from tests.engine.talks import talk
from writ_app.engine.behaviour import STOP_TOKENS
from writ_app.engine.export.fixed import Row, encode
from writ_app.engine.export.formats import FORMATS, Conversation, Format
from writ_app.engine.export.formats.chat import (
    ERRORS_BY_TEXT,
    NO_NULLS,
    NO_STOP,
)
from writ_app.engine.export.formats.said import NO_IDS
from writ_app.engine.export.options import Options
from writ_app.engine.export.parquet import read_parquet, write_parquet
from writ_app.engine.export.records import Json, Record, compact, spoken
from writ_app.engine.export.talk import REASONING
from writ_app.engine.export.unfit import UnfitRow

WITH_ROWS = [slug for slug in FORMATS if slug != "tau2_tasks"]
WHOLE = ("jsonl", "parquet", "tau2_results")
"""Formats that hold the whole conversation, whatever the options say."""
FOR_TRAINERS = [slug for slug in WITH_ROWS if slug not in WHOLE]

policies = st.builds(
    Options,
    greeting=st.sampled_from(["target", "keep", "mask", "drop"]),
    reasoning=st.sampled_from(["strip", "keep"]),
    train_on_failed_calls=st.booleans(),
)


def stored(fmt: Format, rows: Sequence[Row]) -> list[Row]:
    """The rows as they come back from a file."""
    if fmt.columns:
        return list(
            read_parquet(io.BytesIO(b"".join(write_parquet(rows, fmt.columns()))))
        )
    return [json.loads(encode(row)) for row in rows]


def read_back(slug: str, one: Record, options: Options | None = None) -> Conversation:
    fmt = FORMATS[slug]
    rows = stored(fmt, list(fmt.rows(one, options or Options())))
    return fmt.parse(rows[-1])


def expected(fmt: Format, one: Record, options: Options) -> Conversation:
    """The record less what the format says it loses, and what the options leave out."""
    messages = list(one.messages)
    if NO_STOP in fmt.loss and any(
        token in messages[-1].get("content", "") for token in STOP_TOKENS
    ):
        messages.pop()
    if fmt.slug not in WHOLE:
        policy = fmt.greeting if options.greeting == "target" else options.greeting
        if policy == "drop" and messages[0]["role"] == "assistant":
            messages.pop(0)
        if options.reasoning == "strip":
            messages = [_without_reasoning(message) for message in messages]
    numbers = {
        made["id"]: f"call_{n}"
        for n, made in enumerate(
            (made for m in messages for made in m.get("tool_calls", ())), start=1
        )
    }
    return Conversation(
        system=WORLD.system,
        messages=[_less(fmt, message, numbers) for message in messages],
        tools=list(WORLD.tools),
    )


def _without_reasoning(message: Json) -> Json:
    if message["role"] != "assistant":
        return message
    content = REASONING.sub("", message.get("content", ""), count=1)
    return spoken("assistant", content, message.get("tool_calls", ()))


def _less(fmt: Format, message: Json, numbers: dict[str, str]) -> Json:
    made = dict(message)
    if "tool_calls" in made:
        made["tool_calls"] = [
            {
                "id": numbers[call["id"]] if NO_IDS in fmt.loss else call["id"],
                "name": call["name"],
                "arguments": {
                    name: value
                    for name, value in call["arguments"].items()
                    if value is not None or NO_NULLS not in fmt.loss
                },
            }
            for call in made["tool_calls"]
        ]
    if made["role"] == "tool":
        if NO_IDS in fmt.loss:
            made["tool_call_id"] = numbers[made["tool_call_id"]]
        if ERRORS_BY_TEXT in fmt.loss:
            made.pop("error", None)
            if made["content"].startswith("Error: "):
                made["error"] = True
    return made


class TestEveryFormat:
    @pytest.mark.parametrize("slug", FOR_TRAINERS)
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


def has_no_row(fmt: Format, one: Record, options: Options) -> bool:
    """Whether the format has a reason of its own: a thought beside a call, or a greeting where the user has to begin."""
    thought = options.reasoning == "keep" and any(
        "tool_calls" in m and m.get("content") for m in one.messages
    )
    greeted = one.messages[0]["role"] == "assistant"
    kept = options.greeting in ("keep", "mask")
    llama = fmt.slug.startswith("llama_factory")
    return llama and (thought or (greeted and kept))


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
