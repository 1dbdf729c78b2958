"""Looking into a base state: pages of a collection, one record, and which records speak of which."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Any

from environments.core.canonical import Key
from environments.core.pointers import pointer
from environments.core.state import Record, State

PAGE_SIZE = 40
SCANNED = 20_000
"""Records looked at for one page: a search that finds little stops here and can be continued."""
MENTIONS = 24
SUMMARY = 5
"""Plain fields that tell a record from others in a list."""


class Where(StrEnum):
    """What a search looks at: the only two ways there are."""

    KEY = "key"
    TEXT = "text"


@dataclass(frozen=True)
class ListedRecord:
    key: str
    summary: str


@dataclass(frozen=True)
class RecordPage:
    rows: tuple[ListedRecord, ...]
    total: int
    """Records in the collection, found or not."""
    first: bool
    after: str | None
    """Key to go on after; None at the end."""


@dataclass(frozen=True)
class RecordView:
    key: str
    record: Record
    links: Mapping[str, Key]
    """JSON pointer of a value → the record whose key it is."""
    mentions: tuple[Key, ...]
    """Other records that hold this one's key."""


def browse(
    state: State,
    collection: str,
    *,
    text: str = "",
    where: Where = Where.KEY,
    after: str | None = None,
) -> RecordPage:
    """Records in file order, after the one with the key `after`."""
    records = state.collections[collection]
    start = -1 if after is None else state.positions.get((collection, after), -1)
    wanted = text.casefold()
    found: list[ListedRecord] = []
    last = None
    for key, record in islice(records.items(), start + 1, start + 1 + SCANNED):
        if len(found) == PAGE_SIZE:
            break
        last = key
        if not wanted or wanted in _searched(key, record, where):
            found.append(ListedRecord(key, _summary(key, record)))
    done = last is None or state.positions[collection, last] == len(records) - 1
    return RecordPage(tuple(found), len(records), start < 0, None if done else last)


def view_record(state: State, collection: str, key: str) -> RecordView | None:
    """The record with its links in both directions; None if there is none."""
    record = state.collections[collection].get(key)
    if record is None:
        return None
    links = {
        place: target
        for place, value in _texts(record)
        if (target := _named(state, value)) and target != (collection, key)
    }
    return RecordView(key, record, links, tuple(_mentions(state, collection, key)))


def _named(state: State, value: str) -> Key | None:
    """The record whose key this is. Collections may share keys: the first one wins."""
    return next(
        (
            (name, value)
            for name, records in state.collections.items()
            if value in records
        ),
        None,
    )


def _mentions(state: State, collection: str, key: str) -> Iterator[Key]:
    wanted = json.dumps(key)
    others = (
        (name, other, record)
        for name, records in state.collections.items()
        for other, record in records.items()
        if (name, other) != (collection, key)
    )
    found = (
        (name, other)
        for name, other, record in islice(others, SCANNED)
        if wanted in state.text_of(record)
    )
    return islice(found, MENTIONS)


def _texts(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Every text in a value with its pointer. A loop, not a recursion: nesting has no limit here."""
    waiting = [(place, value)]
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, str):
            yield place, value
        elif isinstance(value, dict):
            waiting += [(place + pointer(k), child) for k, child in value.items()]
        elif isinstance(value, list):
            waiting += [(place + pointer(n), child) for n, child in enumerate(value)]


def _searched(key: str, record: Record, where: Where) -> str:
    if where is Where.KEY:
        return key.casefold()
    return f"{key} {json.dumps(record, ensure_ascii=False)}".casefold()


def _summary(key: str, record: Record) -> str:
    plain = (_plain(value) for value in record.values() if value != key)
    return " · ".join(islice(filter(None, plain), SUMMARY))


def _plain(value: Any) -> str:
    """A value in a word; an object of plain fields (a name) by their values; "" for everything bigger."""
    if isinstance(value, dict) and value and len(value) <= 3:
        parts = [_plain(v) if not isinstance(v, dict) else "" for v in value.values()]
        return " ".join(parts) if all(parts) else ""
    if isinstance(value, dict | list) or value is None or value == "":
        return ""
    return value if isinstance(value, str) else json.dumps(value)
