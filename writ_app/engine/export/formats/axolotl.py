"""axolotl's `chat_template` data: {messages, tools}, arguments and parameters as JSON text, `train: false` where there is no loss.

Its loader parses both texts; as objects they would get nulls wherever another row has a key more.
"""

from collections.abc import Iterator, Sequence

from writ_app.engine.export.fixed import FixedList, Row, fixed_list
from writ_app.engine.export.formats.base import Format, SideFile
from writ_app.engine.export.formats.chat import (
    LOST,
    chat_message,
    parse_chat,
    system_message,
    text_without_nulls,
)
from writ_app.engine.export.options import Greeting, Options
from writ_app.engine.export.records import Json, Record, World, compact
from writ_app.engine.export.walk import Turn, turns_of

GREETING: Greeting = "mask"


def rows(record: Record, options: Options) -> Iterator[Row]:
    turns = turns_of(record, options, GREETING)
    yield {
        "messages": [system_message(record.world), *map(_message, turns)],
        "tools": record.world.once(_tools),
    }


def _message(turn: Turn) -> Json:
    made = chat_message(turn.message, text_without_nulls, content=True)
    if turn.masked:
        made["train"] = False
    return made


def _tools(world: World) -> FixedList:
    return fixed_list([_tool(tool) for tool in world.tools])


def _tool(tool: Json) -> Json:
    function = tool["function"]
    if "parameters" not in function:
        return tool
    parameters = compact(function["parameters"])
    return {**tool, "function": {**function, "parameters": parameters}}


def _config(splits: Sequence[str], options: Options) -> Iterator[SideFile]:
    """The part of a configuration that is about the data. Paths are as seen from the folder above."""
    keys = (
        "type: chat_template",
        "field_messages: messages",
        "field_tools: tools",
        "message_field_training: train",
        'roles_to_train: ["assistant"]',
        "train_on_eos: turn",
    )
    for name, some in (
        ("datasets", [split for split in splits if split == "train"] or splits[:1]),
        ("test_datasets", [split for split in splits if split != "train"]),
    ):
        lines = [f"{name}:"]
        for split in some:
            lines.append(f"  - path: axolotl/{split}.jsonl")
            lines.append("    ds_type: json")
            if name == "test_datasets":
                lines.append("    split: train")
            lines += [f"    {key}" for key in keys]
        if some:
            yield SideFile(f"{name}.yaml", "\n".join(lines) + "\n")


AXOLOTL = Format(
    slug="axolotl",
    title="axolotl (chat_template)",
    folder="axolotl",
    suffix="jsonl",
    rows=rows,
    parse=parse_chat,
    loss=LOST,
    load="""\
sequence_len: 32768  # at less, longer rows are left out or cut
datasets:
  - path: axolotl/train.jsonl
    ds_type: json
    type: chat_template
    field_messages: messages
    field_tools: tools
    message_field_training: train  # without it greetings and failed calls that are to carry no loss carry it
    roles_to_train: ["assistant"]
    train_on_eos: turn""",
    load_language="yaml",
    greeting=GREETING,
    flags=True,
    side=_config,
)
