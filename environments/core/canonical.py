"""The canonical text of a state and its SHA-256, kept so that a change costs only the text that follows it (tau2 SPEC §2.4)."""

import hashlib
import json
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

type Key = tuple[str, str]
"""(collection, key of the record)"""
type Span = tuple[int, int]
"""A part of the base's text, [start, end) in bytes."""

CHUNK = 1 << 14
"""Bytes between two states of the digest that are kept to go on from."""


def canonical(value: Any) -> str:
    """One text for equal values, ASCII only: characters and bytes are the same count."""
    return _encode(value)


_encode = json.JSONEncoder(sort_keys=True).encode


def effect_of(changes: Mapping[Key, str | None]) -> str:
    """SHA-256 (hex) of the changed records' texts alone (None: removed)."""
    texts = sorted((name, key, text or "") for (name, key), text in changes.items())
    return hashlib.sha256(json.dumps(texts).encode()).hexdigest()


@dataclass
class _Shelf:
    """One collection's part of the text."""

    keys: list[str]
    """Sorted."""
    spans: list[Span] = field(default_factory=list)
    """`"key": record` of each key, without separators."""
    begin: int = 0
    """Where the first record stands, or would stand."""
    end: int = 0
    """Where the collection's closing brace stands."""


class CanonicalText:
    """`{"A": {"key": record, …}, "B": {…}}`, collections and keys sorted, with what it takes to hash a variant of it.

    SHA-256 reads from front to back, so the digest is kept at every chunk's end and a change goes on from the last one before it.
    """

    def __init__(
        self, keys: Mapping[str, Iterable[str]], text_of: Callable[[Key], str]
    ):
        """`keys` is {collection: its keys}; `text_of` gives a record's canonical text."""
        self._shelves: dict[str, _Shelf] = {}
        parts, size = ["{"], 1

        def write(text: str) -> Span:
            nonlocal size
            parts.append(text)
            size += len(text)
            return size - len(text), size

        for name in sorted(keys):
            write(f"{', ' if self._shelves else ''}{canonical(name)}: {{")
            shelf = self._shelves[name] = _Shelf(sorted(keys[name]), begin=size)
            for key in shelf.keys:
                if shelf.spans:
                    write(", ")
                shelf.spans.append(write(_piece(key, text_of((name, key)))))
            shelf.end, _ = write("}")
        write("}")
        self._text = memoryview("".join(parts).encode())
        self._digests = [hashlib.sha256()]
        for start in range(0, size, CHUNK):
            digest = self._digests[-1].copy()
            digest.update(self._text[start : start + CHUNK])
            self._digests.append(digest)

    def hash_with(self, changes: Mapping[Key, str | None]) -> str:
        """SHA-256 (hex) of the text with these records' texts in place of the base's (None: removed)."""
        digest, same = None, 0  # so far the text is the base's up to `same`
        for part in self._parts(changes):
            if isinstance(part, bytes):
                digest = digest or self._digest_at(same)
                digest.update(part)
            elif digest is None and part[0] == same:
                same = part[1]
            else:
                digest = digest or self._digest_at(same)
                digest.update(self._text[slice(*part)])
        return (digest or self._digest_at(same)).hexdigest()

    def _digest_at(self, offset: int) -> "hashlib._Hash":
        chunk = offset // CHUNK
        digest = self._digests[chunk].copy()
        digest.update(self._text[chunk * CHUNK : offset])
        return digest

    def _parts(self, changes: Mapping[Key, str | None]) -> Iterator[Span | bytes]:
        """The changed text from front to back: spans of the base's, and new bytes."""
        by_name: dict[str, dict[str, str | None]] = {}
        for (name, key), text in changes.items():
            by_name.setdefault(name, {})[key] = text
        at = 0
        for name in sorted(by_name):
            shelf = self._shelves[name]
            yield at, shelf.begin
            separator = b""
            for part in _shelf_parts(shelf, by_name[name]):
                if separator:
                    yield separator
                yield part
                separator = b", "
            at = shelf.end
        yield at, len(self._text)


def _shelf_parts(
    shelf: _Shelf, changes: Mapping[str, str | None]
) -> Iterator[Span | bytes]:
    """Stretches of untouched records and the changed ones between them, in order, without the separators between two parts."""
    slot = 0  # the next record of the base
    for key in sorted(changes):
        n = bisect_left(shelf.keys, key)
        if n > slot:
            yield shelf.spans[slot][0], shelf.spans[n - 1][1]
        text = changes[key]
        if text is not None:
            yield _piece(key, text).encode()
        slot = n + (shelf.keys[n : n + 1] == [key])
    if slot < len(shelf.keys):
        yield shelf.spans[slot][0], shelf.spans[-1][1]


def _piece(key: str, text: str) -> str:
    return f"{canonical(key)}: {text}"
