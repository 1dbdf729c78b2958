"""OpenAI chat fine-tuning: {messages, tools, parallel_tool_calls: false}, arguments as JSON text, `weight` 0 where there is no loss."""

from collections.abc import Iterator

from writ_app.engine.export.fixed import Row
from writ_app.engine.export.formats.base import Format
from writ_app.engine.export.formats.chat import (
    ERRORS_BY_TEXT,
    NO_FACTS,
    NO_STOP,
    as_text,
    chat_message,
    parse_chat,
    system_message,
    tools,
)
from writ_app.engine.export.options import Greeting, Options
from writ_app.engine.export.records import Json, Record
from writ_app.engine.export.walk import Turn, turns_of

GREETING: Greeting = "mask"


def rows(record: Record, options: Options) -> Iterator[Row]:
    """An assistant's message with calls has no content: this target alone takes it so."""
    turns = turns_of(record, options, GREETING)
    yield {
        "messages": [system_message(record.world), *map(_message, turns)],
        "tools": tools(record.world),
        "parallel_tool_calls": False,
    }


def _message(turn: Turn) -> Json:
    made = chat_message(turn.message, as_text, content=False)
    if turn.masked:
        made["weight"] = 0
    return made


OPENAI_CHAT = Format(
    slug="openai_chat",
    title="OpenAI chat fine-tuning",
    folder="openai-chat",
    suffix="jsonl",
    rows=rows,
    parse=parse_chat,
    loss=(ERRORS_BY_TEXT, NO_STOP, NO_FACTS),
    load="""\
from openai import OpenAI

with open("openai-chat/train.jsonl", "rb") as file:
    OpenAI().files.create(file=file, purpose="fine-tune")""",
    greeting=GREETING,
    flags=True,
)
