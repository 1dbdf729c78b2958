"""What a file comes to."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from writ_app.engine.export.writing import File


@dataclass(frozen=True)
class Hashed:
    rows: int
    bytes: int
    sha256: str

    @property
    def as_json(self) -> dict[str, Any]:
        return {"rows": self.rows, "bytes": self.bytes, "sha256": self.sha256}


class Hashing:
    """Takes note of the bytes that pass through."""

    def __init__(self) -> None:
        self._whole = hashlib.sha256()
        self.bytes = 0
        self.parts = 0

    def watch(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self.parts += 1
            self.bytes += len(chunk)
            self._whole.update(chunk)
            yield chunk

    @property
    def sha256(self) -> str:
        return self._whole.hexdigest()


def hashed(content: File | Iterable[bytes]) -> Hashed:
    """Take all of it and throw it away. Of plain parts each counts as a row."""
    hashing = Hashing()
    chunks = content.chunks if isinstance(content, File) else content
    for _ in hashing.watch(chunks):
        pass
    rows = content.rows if isinstance(content, File) else hashing.parts
    return Hashed(rows, hashing.bytes, hashing.sha256)
