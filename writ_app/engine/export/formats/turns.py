"""One row per turn of the assistant: {prompt, completion, tools}, where only the completion carries loss.

For templates that print a conversation's last turn otherwise than its earlier ones (thinking models strip what was thought
before): every turn is the last one once.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from writ_app.engine.export.fixed import Row, fixed_object
from writ_app.engine.export.formats.base import Conversation, Format
from writ_app.engine.export.formats.chat import (
    LOST,
    listed,
    parse_chat,
    system_message,
    tools,
)
from writ_app.engine.export.formats.trl import templated
from writ_app.engine.export.options import Greeting, Options
from writ_app.engine.export.records import Record
from writ_app.engine.export.walk import turns_of

GREETING: Greeting = "mask"


def rows(record: Record, options: Options) -> Iterator[Row]:
    """In order of the turns; what carries no loss is never a completion."""
    turns = turns_of(record, options, GREETING)
    messages = [
        system_message(record.world),
        *(fixed_object(templated(turn)) for turn in turns),
    ]
    for n, turn in enumerate(turns, start=1):
        if turn.message["role"] == "assistant" and not turn.masked:
            yield {
                "prompt": messages[:n],
                "completion": messages[n : n + 1],
                "tools": tools(record.world),
            }


def parse(row: Mapping[str, Any]) -> Conversation:
    """The conversation up to this turn."""
    messages = [*listed(row, "prompt"), *listed(row, "completion")]
    return parse_chat({"messages": messages, "tools": row.get("tools")})


TURNS = Format(
    slug="turns",
    title="A row per turn (prompt and completion)",
    folder="turns",
    suffix="jsonl",
    rows=rows,
    parse=parse,
    loss=(
        "A row ends with its turn; the last row of a trajectory holds all of it.",
        *LOST,
    ),
    load="""\
from datasets import Features, Json, List, load_dataset

features = Features({"prompt": List(Json()), "completion": List(Json()), "tools": List(Json())})
dataset = load_dataset("json", data_files="turns/train.jsonl", features=features, split="train")
# Train with SFTConfig(max_length=None): at its 1,024 tokens every row is cut within the policy, and nothing is learned.
# Llama 3.1 takes the first message for the user's: leave greetings out for it (options: greeting=drop).""",
    greeting=GREETING,
    flags=True,
)
