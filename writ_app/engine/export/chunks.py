"""Texts gathered into parts of some size, so that neither many small nor few large ones are handed on."""

from collections.abc import Iterable, Iterator

CHUNK = 1 << 18
"""Characters after which what was written is given away."""


def in_chunks(texts: Iterable[str]) -> Iterator[bytes]:
    """The texts one after the other, in UTF-8."""
    parts: list[str] = []
    size = 0
    for text in texts:
        parts.append(text)
        size += len(text)
        if size >= CHUNK:
            yield "".join(parts).encode()
            parts, size = [], 0
    if parts:
        yield "".join(parts).encode()
