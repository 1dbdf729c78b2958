"""TRL's conversational data: {messages, tools}, every message with a content (never null), arguments as an object."""

from collections.abc import Iterator

from writ_app.engine.export.fixed import Row
from writ_app.engine.export.formats.base import Format
from writ_app.engine.export.formats.chat import (
    LOST,
    chat_message,
    parse_chat,
    system_message,
    tools,
    without_nulls,
)
from writ_app.engine.export.options import Options
from writ_app.engine.export.records import Json, Record
from writ_app.engine.export.walk import Turn, turns_of

FEATURES = 'Features({"messages": List(Json()), "tools": List(Json())})'
"""The features to load the file with (`from datasets import Features, Json, List`, 4.7 or newer).

Of the shapes that `datasets` takes this one comes back equal; in 5.x without features, too, as objects of mixed keys are then
`Json()` of themselves. Typed features work, but fill keys that a message lacks with null.
"""


def rows(record: Record, options: Options) -> Iterator[Row]:
    turns = turns_of(record, options, "keep")
    yield {
        "messages": [system_message(record.world), *map(templated, turns)],
        "tools": tools(record.world),
    }


def templated(turn: Turn) -> Json:
    """A message in the one shape that every stock template renders rightly."""
    return chat_message(turn.message, without_nulls, content=True)


TRL = Format(
    slug="trl",
    title="TRL messages and tools",
    folder="trl",
    suffix="jsonl",
    rows=rows,
    parse=parse_chat,
    loss=(
        *LOST,
        "No message can be told to carry no loss; a greeting is trained on unless it is dropped.",
    ),
    load=f"""\
from datasets import Features, Json, List, load_dataset

features = {FEATURES}
dataset = load_dataset("json", data_files="trl/train.jsonl", features=features, split="train")
# Train with SFTConfig(assistant_only_loss=True, max_length=None): else the loss is on the user's and the tools' words, too, and
# every row is cut at 1,024 tokens, which ends within the policy and leaves nothing to learn.
# Llama 3.1 takes the first message for the user's: leave greetings out for it (options: greeting=drop).""",
)
