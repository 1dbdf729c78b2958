"""Values that many rows share, encoded once: rows hold them as what they are, `encode` pastes their bytes in."""

from collections.abc import Iterator, Mapping
from typing import Any

from writ_app.engine.export.records import Json, compact

type Row = dict[str, Any]
"""Plain JSON; some of its values may be fixed."""


class FixedText(str):
    __slots__ = ("json",)
    json: bytes


class FixedList(list[Any]):
    __slots__ = ("json",)
    json: bytes


class FixedObject(dict[str, Any]):
    __slots__ = ("json",)
    json: bytes


_FIXED = (FixedText, FixedList, FixedObject)


def fixed_text(value: str) -> FixedText:
    made = FixedText(value)
    made.json = compact(value).encode()
    return made


def fixed_list(value: list[Any]) -> FixedList:
    made = FixedList(value)
    made.json = compact(value).encode()
    return made


def fixed_object(value: Mapping[str, Any]) -> FixedObject:
    made = FixedObject(value)
    made.json = compact(dict(value)).encode()
    return made


def encode(row: Mapping[str, Any]) -> bytes:
    """What `compact` would write, in UTF-8. Fixed values are found at the top, and at the beginning of a list there.

    Raises ValueError (UnicodeEncodeError for half a pair of surrogates).
    """
    return b"{" + b",".join(_parts(row)) + b"}"


def _parts(row: Mapping[str, Any]) -> Iterator[bytes]:
    plain: Json = {}
    for key, value in row.items():
        pasted = _pasted(value)
        if pasted is None:
            plain[key] = value
            continue
        if plain:
            yield compact(plain)[1:-1].encode()
            plain = {}
        yield b'"%s":%s' % (key.encode(), pasted)
    if plain:
        yield compact(plain)[1:-1].encode()


def _pasted(value: Any) -> bytes | None:
    """The value's bytes if some of them are fixed."""
    if isinstance(value, _FIXED):
        return value.json
    if type(value) is not list or not value or not isinstance(value[0], _FIXED):
        return None
    parts: list[bytes] = []
    for one in value:
        if not isinstance(one, _FIXED):
            parts.append(compact(value[len(parts) :])[1:-1].encode())
            break
        parts.append(one.json)
    return b"[" + b",".join(parts) + b"]"
