"""The canonical record itself: as JSONL, and as Parquet for tables and data frames."""

from collections.abc import Iterator, Mapping
from typing import Any

from writ_app.engine.export.fixed import Row
from writ_app.engine.export.formats.base import Conversation, Format
from writ_app.engine.export.formats.chat import (
    as_text,
    listed,
    listed_if_any,
    parse_function,
    parse_tools,
    part,
    text,
)
from writ_app.engine.export.options import Options
from writ_app.engine.export.records import Json, Record, compact, spoken, tool_message

FIRST = ("id", "task", "split", "environment")
"""Keys of a line before its facts."""


def rows(record: Record, options: Options) -> Iterator[Row]:
    """What `Record.line` says. No policy applies: this is the whole conversation."""
    yield record.as_json


def parse(row: Mapping[str, Any]) -> Conversation:
    return Conversation("", listed(row, "messages"), [])


JSONL = Format(
    slug="jsonl",
    title="Canonical records",
    folder="jsonl",
    suffix="jsonl",
    rows=rows,
    parse=parse,
    loss=(
        "The system prompt and the tools stand once per environment, in environments.jsonl.",
    ),
    load="""\
import json

with open("jsonl/train.jsonl", encoding="utf-8") as file:
    records = [json.loads(line) for line in file]""",
)


# --- Parquet -------------------------------------------------------------------------------------------------------------------


def struct(**fields: Any) -> Any:
    """A pyarrow struct none of whose fields may be null."""
    import pyarrow as pa

    return pa.struct([filled(name, kind) for name, kind in fields.items()])


def items(kind: Any) -> Any:
    import pyarrow as pa

    return pa.list_(filled("item", kind))


def filled(name: str, kind: Any) -> Any:
    import pyarrow as pa

    return pa.field(name, kind, nullable=False)


def columns() -> Any:
    """The pyarrow schema. Nothing in it is nullable, so that no reader fills gaps; what differs from row to row is JSON text."""
    import pyarrow as pa

    string = pa.string()
    message = struct(
        role=string,
        content=string,
        tool_calls=items(struct(id=string, name=string, arguments=string)),
        tool_call_id=string,
        error=pa.bool_(),
    )
    names = (*FIRST, "facts", "system", "tools")
    return pa.schema(
        [*(filled(name, string) for name in names), filled("messages", items(message))]
    )


def parquet_rows(record: Record, options: Options) -> Iterator[Row]:
    yield {
        "id": record.id,
        "task": record.task,
        "split": record.split,
        "environment": record.world.key,
        "facts": compact(dict(record.facts)),
        "system": record.world.system,
        "tools": record.world.tools_json,
        "messages": [_flat(message) for message in record.messages],
    }


def _flat(message: Json) -> Json:
    return {
        "role": message["role"],
        "content": message.get("content", ""),
        "tool_calls": [
            {
                "id": made["id"],
                "name": made["name"],
                "arguments": as_text(made["arguments"]),
            }
            for made in message.get("tool_calls", ())
        ],
        "tool_call_id": message.get("tool_call_id", ""),
        "error": message.get("error", False),
    }


def parse_parquet(row: Mapping[str, Any]) -> Conversation:
    return Conversation(
        text(row, "system"),
        [_canonical(one) for one in listed(row, "messages")],
        parse_tools(row.get("tools")),
    )


def _canonical(one: Any) -> Json:
    role = part(one, "role")
    if role == "tool":
        made = tool_message(text(one, "tool_call_id"), text(one, "content"))
        return {**made, "error": True} if one.get("error") else made
    calls = [
        {"id": part(made, "id"), **parse_function(made)}
        for made in listed_if_any(one, "tool_calls")
    ]
    return spoken(role, text(one, "content"), calls)


PARQUET = Format(
    slug="parquet",
    title="Parquet",
    folder="parquet",
    suffix="parquet",
    rows=parquet_rows,
    parse=parse_parquet,
    loss=(),
    load="""\
from datasets import load_dataset

dataset = load_dataset("parquet", data_files="parquet/train.parquet", split="train")""",
    columns=columns,
)
