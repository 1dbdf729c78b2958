"""verl's multi-turn data: Parquet with `messages` and `tools`, and the class that loads it.

verl gives what it reads straight to the chat template, and Parquet has one set of keys per column: as objects, arguments and
schemas would be full of nulls, and every message would have calls. So both are JSON text here, and the class beside the file,
named in verl's configuration, makes them what they were. Without it verl stops at the tools, as no template takes text for them.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from writ_app.engine.export.fixed import Row
from writ_app.engine.export.formats.base import Conversation, Format, SideFile
from writ_app.engine.export.formats.canonical import filled, items, struct
from writ_app.engine.export.formats.chat import (
    LOST,
    chat_message,
    parse_chat,
    text_without_nulls,
)
from writ_app.engine.export.options import Greeting, Options
from writ_app.engine.export.records import Json, Record
from writ_app.engine.export.walk import Turn, turns_of

GREETING: Greeting = "mask"
_EMPTY: Json = {"role": "", "content": "", "tool_calls": [], "tool_call_id": ""}


def rows(record: Record, options: Options) -> Iterator[Row]:
    turns = turns_of(record, options, GREETING)
    system = {**_EMPTY, "role": "system", "content": record.world.system}
    yield {
        "messages": [{**system, "trained": False}, *map(_message, turns)],
        "tools": record.world.tools_json,
    }


def _message(turn: Turn) -> Json:
    """Every key is there, as the column has them all."""
    made = chat_message(turn.message, text_without_nulls, content=True)
    trained = made["role"] == "assistant" and not turn.masked
    return {**_EMPTY, **made, "trained": trained}


def parse(row: Mapping[str, Any]) -> Conversation:
    return parse_chat(row)


def columns() -> Any:
    import pyarrow as pa

    string = pa.string()
    function = struct(name=string, arguments=string)
    message = struct(
        role=string,
        content=string,
        tool_calls=items(struct(id=string, type=string, function=function)),
        tool_call_id=string,
        trained=pa.bool_(),
    )
    return pa.schema([filled("messages", items(message)), filled("tools", string)])


LOADER = '''\
"""Loads these files in verl: data.custom_cls.path=verl/writ_dataset.py data.custom_cls.name=WritDataset"""

import json

from verl.utils.dataset.multiturn_sft_dataset import MultiTurnSFTDataset


class WritDataset(MultiTurnSFTDataset):
    """Tools and arguments are JSON text in the files, and keys without a value are empty there."""

    def _read_files_and_process(self):
        super()._read_files_and_process()
        self.tools = [json.loads(tools) for tools in self.tools]

    def _build_messages(self, example):
        return [self._filled(message) for message in super()._build_messages(example)]

    @staticmethod
    def _filled(message):
        made = {key: value for key, value in message.items() if key != "tool_calls"}
        if not made["tool_call_id"]:
            del made["tool_call_id"]
        if len(message["tool_calls"]):
            made["tool_calls"] = [
                {**call, "function": {**call["function"], "arguments": json.loads(call["function"]["arguments"])}}
                for call in message["tool_calls"]
            ]
        return made

    def _process_single_message(self, index, message, **more):
        input_ids, loss_mask, attention_mask, inputs = super()._process_single_message(index, message, **more)
        return input_ids, loss_mask * int(message["trained"]), attention_mask, inputs
'''


def _loader(splits: Sequence[str], options: Options) -> Iterator[SideFile]:
    yield SideFile("writ_dataset.py", LOADER)


VERL = Format(
    slug="verl",
    title="verl (multi-turn Parquet)",
    folder="verl",
    suffix="parquet",
    rows=rows,
    parse=parse,
    loss=LOST,
    load="""\
python -m verl.trainer.sft_trainer data.train_files=verl/train.parquet \\
  data.custom_cls.path=verl/writ_dataset.py data.custom_cls.name=WritDataset \\
  data.messages_key=messages data.tools_key=tools data.truncation=error data.max_length=32768""",
    load_language="sh",
    greeting=GREETING,
    flags=True,
    side=_loader,
    columns=columns,
)
