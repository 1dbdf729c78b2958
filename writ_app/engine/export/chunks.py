"""Small pieces gathered into parts of some size, so that neither many small nor few large ones are handed on."""

from collections.abc import Iterable, Iterator

CHUNK = 1 << 18
"""Bytes after which what was written is given away."""


def in_chunks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces one after the other."""
    parts: list[bytes] = []
    size = 0
    for piece in pieces:
        parts.append(piece)
        size += len(piece)
        if size >= CHUNK:
            yield b"".join(parts)
            parts, size = [], 0
    if parts:
        yield b"".join(parts)
