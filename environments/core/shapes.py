"""Shapes of records, so that a patch can be judged without reading the whole database again."""

from collections.abc import Callable
from typing import Any

from pydantic import TypeAdapter, ValidationError

from environments.core.state import Record

type Shape = Callable[[str, Record], str]
"""(key, record) → what is wrong with it, "" if nothing is."""


def shape(model: Any, key_field: str) -> Shape:
    """Records that `model` (anything pydantic validates) gives back unchanged, filed under their own `key_field`."""
    adapter: TypeAdapter[Any] = TypeAdapter(model)

    def judge(key: str, record: Record) -> str:
        try:
            plain = adapter.dump_python(adapter.validate_python(record))
        except ValidationError as error:
            first = error.errors()[0]
            return f"{'/'.join(map(str, first['loc']))}: {first['msg']}"
        if plain != record:
            return "it has fields that do not belong there, or lacks some"
        return "" if record[key_field] == key else f"it is filed as {key}"

    return judge
