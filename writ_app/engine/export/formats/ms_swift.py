"""ms-swift's agent data: {tools, messages}, tools as JSON text, roles `tool_call` and `tool_response`, `loss: false` where there is none.

Its agent templates render the calls for each family of models. Words before a call stand as a message of their own.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from writ_app.engine.export.fixed import Row
from writ_app.engine.export.formats.base import Conversation, Format
from writ_app.engine.export.formats.chat import (
    LOST,
    listed,
    parse_tools,
    split_system,
    system_message,
)
from writ_app.engine.export.formats.said import (
    NO_IDS,
    Spelling,
    check_turns,
    tools_text,
)
from writ_app.engine.export.options import Greeting, Options
from writ_app.engine.export.records import Json, Record
from writ_app.engine.export.walk import Turn, turns_of

GREETING: Greeting = "mask"
SWIFT = Spelling("role", "content", "user", "assistant", "tool_call", "tool_response")


def rows(record: Record, options: Options) -> Iterator[Row]:
    """Raises UnfitRow for two messages of the assistant in a row, which would be read as one."""
    turns = turns_of(record, options, GREETING)
    check_turns(
        turns,
        lambda n, assistant: (
            not (assistant and n and turns[n - 1].message["role"] == "assistant")
        ),
    )
    said = [message for turn in turns for message in _messages(turn)]
    yield {
        "tools": tools_text(record.world),
        "messages": [system_message(record.world), *said],
    }


def _messages(turn: Turn) -> Iterator[Json]:
    message = turn.message
    flag = {"loss": False} if turn.masked else {}
    if "tool_calls" not in message:
        yield SWIFT.say(message) | flag
        return
    if message.get("content"):
        yield {"role": "assistant", "content": message["content"]} | flag
    yield SWIFT.call_of(message) | flag


def parse(row: Mapping[str, Any]) -> Conversation:
    system, messages = split_system(listed(row, "messages"))
    parsed = SWIFT.parse(messages)
    return Conversation(system, list(_joined(parsed)), parse_tools(row.get("tools")))


def _joined(messages: Sequence[Json]) -> Iterator[Json]:
    """Words before a call are beside it again."""
    before: Json | None = None
    for message in messages:
        if before and "tool_calls" in message:
            message, before = {**before, **message}, None
        if before:
            yield before
        before = None
        if message["role"] == "assistant" and "tool_calls" not in message:
            before = message
        else:
            yield message
    if before:
        yield before


MS_SWIFT = Format(
    slug="ms_swift",
    title="ms-swift (agent)",
    folder="ms-swift",
    suffix="jsonl",
    rows=rows,
    parse=parse,
    loss=(NO_IDS, *LOST),
    load="""\
swift sft --dataset ms-swift/train.jsonl --agent_template hermes --loss_scale default \\
  --max_length 32768 --truncation_strategy delete --strict true""",
    load_language="sh",
    greeting=GREETING,
    flags=True,
)
