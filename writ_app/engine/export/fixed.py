"""Values that many rows share, encoded once: rows hold them as what they are, `encode` pastes their text in."""

from collections.abc import Mapping
from typing import Any

from writ_app.engine.export.records import compact

type Row = dict[str, Any]
"""Plain JSON; some of its values may be fixed."""


class FixedText(str):
    __slots__ = ("json",)
    json: str


class FixedList(list[Any]):
    __slots__ = ("json",)
    json: str


class FixedObject(dict[str, Any]):
    __slots__ = ("json",)
    json: str


type Fixed = FixedText | FixedList | FixedObject
_FIXED = (FixedText, FixedList, FixedObject)


def fixed_text(value: str) -> FixedText:
    made = FixedText(value)
    made.json = compact(value)
    return made


def fixed_list(value: list[Any]) -> FixedList:
    made = FixedList(value)
    made.json = compact(value)
    return made


def fixed_object(value: Mapping[str, Any]) -> FixedObject:
    made = FixedObject(value)
    made.json = compact(dict(value))
    return made


def encode(row: Mapping[str, Any]) -> str:
    """The row as `compact` would write it. Fixed values are found at the top, and at the beginning of a list there."""
    return "{" + ",".join([f'"{key}":{_text(row[key])}' for key in row]) + "}"


def _text(value: Any) -> str:
    if isinstance(value, _FIXED):
        return value.json
    if type(value) is not list:
        return compact(value)
    parts = []
    for one in value:
        if not isinstance(one, _FIXED):
            break
        parts.append(one.json)
    if not parts:
        return compact(value)
    rest = value[len(parts) :]
    if rest:
        parts.append(compact(rest)[1:-1])
    return "[" + ",".join(parts) + "]"
