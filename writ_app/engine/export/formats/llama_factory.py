"""LLaMA-Factory, in both of its shapes for conversations.

Its loaders want user or observation and assistant or call in turn, beginning with the user and ending with the assistant, and
leave out any other row with no more than a warning. Calls are text in both shapes here: the `openai` converter would take
`tool_calls`, but drops text beside them, encodes arguments that are text a second time, and finds nulls in arguments that are
objects, as the version of `datasets` it is pinned to gives all objects of a column the same keys.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from writ_app.engine.export.fixed import FixedText, Row, fixed_text
from writ_app.engine.export.formats.base import Conversation, Format, SideFile
from writ_app.engine.export.formats.chat import (
    LOST,
    listed,
    parse_tools,
    split_system,
    system_message,
    text,
)
from writ_app.engine.export.formats.said import (
    NO_IDS,
    Spelling,
    check_turns,
    tools_text,
)
from writ_app.engine.export.options import Greeting, Options
from writ_app.engine.export.records import Json, Record, World, compact
from writ_app.engine.export.walk import turns_of

GREETING: Greeting = "drop"
SHAREGPT = Spelling("from", "value", "human", "gpt", "function_call", "observation")
OPENAI = Spelling("role", "content", "user", "assistant", "function_call", "tool")


@cache
def _without_greeting(options: Options) -> Options:
    return options.model_copy(update={"greeting": GREETING})


def _messages(record: Record, options: Options, spelling: Spelling) -> list[Json]:
    """Raises UnfitRow. A greeting is left out even where the options keep it: its converter takes no row that begins with it."""
    kept = (
        options
        if options.greeting in ("target", GREETING)
        else _without_greeting(options)
    )
    turns = turns_of(record, kept, GREETING)
    check_turns(turns, lambda n, assistant: assistant == bool(n % 2))
    return [spelling.say(turn.message) for turn in turns]


def sharegpt_rows(record: Record, options: Options) -> Iterator[Row]:
    yield {
        "conversations": _messages(record, options, SHAREGPT),
        "system": record.world.once(_system),
        "tools": tools_text(record.world),
    }


def _system(world: World) -> FixedText:
    return fixed_text(world.system)


def parse_sharegpt(row: Mapping[str, Any]) -> Conversation:
    messages = SHAREGPT.parse(listed(row, "conversations"))
    return Conversation(text(row, "system"), messages, parse_tools(row.get("tools")))


def openai_rows(record: Record, options: Options) -> Iterator[Row]:
    yield {
        "messages": [
            system_message(record.world),
            *_messages(record, options, OPENAI),
        ],
        "tools": tools_text(record.world),
    }


def parse_openai(row: Mapping[str, Any]) -> Conversation:
    system, messages = split_system(listed(row, "messages"))
    return Conversation(system, OPENAI.parse(messages), parse_tools(row.get("tools")))


def _sharegpt_info(splits: Sequence[str], options: Options) -> Iterator[SideFile]:
    columns = {"messages": "conversations", "system": "system", "tools": "tools"}
    yield _info(splits, options, "sharegpt", columns, SHAREGPT)


def _openai_info(splits: Sequence[str], options: Options) -> Iterator[SideFile]:
    columns = {"messages": "messages", "tools": "tools"}
    yield _info(splits, options, "openai", columns, OPENAI)


def _info(
    splits: Sequence[str],
    options: Options,
    formatting: str,
    columns: Mapping[str, str],
    spelling: Spelling,
) -> SideFile:
    """The register that `dataset_dir` is read by: one dataset per split."""
    entry = {
        "formatting": formatting,
        "columns": columns,
        "tags": {
            "role_tag": spelling.role,
            "content_tag": spelling.content,
            "user_tag": spelling.user,
            "assistant_tag": spelling.assistant,
            "observation_tag": spelling.tool,
            "function_tag": spelling.call,
            "system_tag": "system",
        },
    }
    names = {
        f"{options.name}_{split}": {"file_name": f"{split}.jsonl", **entry}
        for split in splits
    }
    return SideFile("dataset_info.json", compact(names) + "\n")


_LOSS = (
    NO_IDS,
    "An assistant's greeting before the user's first message is left out, whatever the options say: a row begins with the user.",
    "No message can be told to carry no loss (`mask_history: true` leaves all but the last turn out).",
    *LOST,
)

LLAMA_FACTORY_SHAREGPT = Format(
    slug="llama_factory_sharegpt",
    title="LLaMA-Factory (sharegpt)",
    folder="llama-factory-sharegpt",
    suffix="jsonl",
    rows=sharegpt_rows,
    parse=parse_sharegpt,
    loss=_LOSS,
    load="""\
# --cutoff_len is 2,048 by itself, less than the policy and tools: rows would be cut.
llamafactory-cli train --stage sft --dataset_dir llama-factory-sharegpt --dataset writ_train --cutoff_len 32768""",
    load_language="sh",
    greeting=GREETING,
    side=_sharegpt_info,
)

LLAMA_FACTORY_OPENAI = Format(
    slug="llama_factory_openai",
    title="LLaMA-Factory (openai)",
    folder="llama-factory-openai",
    suffix="jsonl",
    rows=openai_rows,
    parse=parse_openai,
    loss=(*_LOSS, "Its converter adds a line feed to the system prompt."),
    load="""\
# --cutoff_len is 2,048 by itself, less than the policy and tools: rows would be cut.
llamafactory-cli train --stage sft --dataset_dir llama-factory-openai --dataset writ_train --cutoff_len 32768""",
    load_language="sh",
    greeting=GREETING,
    side=_openai_info,
)
