"""What is left of a record in a format, by what the format says it loses and the options leave out. Told apart from how it is done."""

import io
import json
from collections.abc import Sequence

from tests.parquet_rows import read_parquet
from writ_app.engine.behaviour import STOP_TOKENS
from writ_app.engine.export.fixed import Row, encode
from writ_app.engine.export.formats import FORMATS, Conversation, Format
from writ_app.engine.export.formats.chat import ERRORS_BY_TEXT, NO_NULLS, NO_STOP
from writ_app.engine.export.formats.said import NO_IDS
from writ_app.engine.export.options import Options
from writ_app.engine.export.parquet import write_parquet
from writ_app.engine.export.records import Json, Record, spoken
from writ_app.engine.export.talk import REASONING

WITH_ROWS = [slug for slug in FORMATS if slug != "tau2_tasks"]
WHOLE = ("jsonl", "parquet", "tau2_results")
"""Formats that hold the whole conversation, whatever the options say."""
FOR_TRAINERS = [slug for slug in WITH_ROWS if slug not in WHOLE]


def stored(fmt: Format, rows: Sequence[Row]) -> list[Row]:
    """The rows as they come back from a file."""
    if fmt.columns:
        return list(
            read_parquet(io.BytesIO(b"".join(write_parquet(rows, fmt.columns()))))
        )
    return [json.loads(encode(row)) for row in rows]


def expected(fmt: Format, one: Record, options: Options) -> Conversation:
    """The record less what the format says it loses, and what the options leave out."""
    messages = list(one.messages)
    if NO_STOP in fmt.loss and any(
        token in messages[-1].get("content", "") for token in STOP_TOKENS
    ):
        messages.pop()
    if fmt.slug not in WHOLE:
        policy = fmt.greeting if options.greeting == "target" else options.greeting
        if fmt.slug.startswith("llama_factory"):
            policy = "drop"
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
        system=one.world.system,
        messages=[_less(fmt, message, numbers) for message in messages],
        tools=list(one.world.tools),
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


def has_no_row(fmt: Format, one: Record, options: Options) -> bool:
    """Whether the format has a reason of its own: a thought beside a call."""
    thought = options.reasoning == "keep" and any(
        "tool_calls" in m and m.get("content") for m in one.messages
    )
    return fmt.slug.startswith("llama_factory") and thought
