"""Files of other people's conversations, opened and read row by row: JSONL, one JSON list, or Parquet.

Never more than a few rows in memory. Whatever is wrong is a BadFile that names the file, the line or row, and the place in it.
"""

import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, Literal

from writ_app.adapters.json_stream import JsonStream, StreamError
from writ_app.engine.export.folder import BadFolder, FolderDataset
from writ_app.engine.export.records import World
from writ_app.engine.importing import (
    BadFile,
    BadRow,
    Imported,
    Kind,
    find_kind,
    joined_turns,
    kind_of,
    limits,
    read_row,
)
from writ_app.engine.importing.rows import KINDS, with_world
from writ_app.engine.importing.strict_json import BadJson, loads

type Container = Literal["jsonl", "list", "object", "parquet"]

PACKED = {
    b"\x1f\x8b": "gzip",
    b"PK": "a ZIP archive",
    b"\x28\xb5\x2f\xfd": "Zstandard",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
}
HEAD = 1 << 16
BUFFER = 1 << 20
PARQUET_ROWS = 64
PARQUET_GROUP = 2_000_000_000
"""Bytes that a row group may come to when it is unpacked, and how many times its packed size at most."""
PARQUET_RATIO = 200


@dataclass
class ReferenceFile:
    """A file of conversations. `name` is what errors call it; `asked` is a kind's name, "" to find it out from the first row."""

    path: Path
    name: str
    asked: str = ""
    done: int = 0
    """How far a reading is, in units of `whole`."""
    whole: int = field(init=False, default=0)
    """Bytes, or rows of a Parquet file."""

    def __post_init__(self) -> None:
        try:
            self.whole = self.path.stat().st_size
        except OSError as error:
            raise self.wrong(
                "", f"cannot be read: {error.strerror or error}."
            ) from error
        if self.whole > limits.FILE_BYTES:
            raise self.wrong(
                "", f"is larger than {limits.FILE_BYTES:,} bytes: split it."
            )

    def wrong(self, place: str, text: str) -> BadFile:
        return BadFile(self.name, place, text)

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 (hex) of the bytes."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    @cached_property
    def container(self) -> Container:
        """What the file is, told by its first bytes. Raises BadFile for what is packed, empty, or none of them."""
        with self.path.open("rb") as file:
            head = file.read(HEAD)
        for magic, title in PACKED.items():
            if head.startswith(magic):
                raise self.wrong("", f"is packed ({title}): unpack it first.")
        if head.startswith(b"PAR1"):
            return "parquet"
        text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
        if text.startswith(b"["):
            return "list"
        if not text.startswith(b"{"):
            raise self.wrong(
                "line 1",
                "holds neither JSON lines, a JSON list or object, nor Parquet."
                if text
                else "is empty.",
            )
        return self._lines_or_object(text)

    def _lines_or_object(self, text: bytes) -> Container:
        """One object over all lines is a result file; objects on lines of their own are rows."""
        line = text.split(b"\n", 1)[0].rstrip()
        whole_line = len(line) < len(text) or len(text) == self.whole
        if not whole_line:  # a first line that is longer than what was read
            return "object" if self._begins_as_results(text) else "jsonl"
        if not line.endswith(b"}") or self._begins_as_results(text):
            return "object"
        return "jsonl"

    @staticmethod
    def _begins_as_results(text: bytes) -> bool:
        head = text[:HEAD]
        return b'"environment_info"' in head and b'"info"' in head

    @cached_property
    def kind(self) -> Kind:
        """As asked, or told by the first row. Raises BadFile."""
        if self.asked:
            try:
                kind = kind_of(self.asked)
            except KeyError:
                raise self.wrong(
                    "",
                    f"there is no format {self.asked!r} to read; there are {', '.join(KINDS)}.",
                ) from None
            results = kind.slug == "tau2_results"
            if self.container not in (
                ("object", "jsonl") if results else ("jsonl", "list", "parquet")
            ):
                raise self.wrong("", f"does not look like {kind.title}.")
            return kind
        if self.container == "object":
            return KINDS["tau2_results"]
        for place, row in self._raw():
            found = find_kind(row)
            if found:
                return found
            keys = ", ".join(list(row)[:12]) if isinstance(row, dict) else "no object"
            keys = keys or "no keys"
            raise self.wrong(
                place,
                f"the format cannot be told from this row ({keys[:200]}). A row needs messages, conversations, or prompt and completion.",
            )
        raise self.wrong("", "holds no rows.")

    def rows(self) -> Iterator[tuple[str, Imported]]:
        """(place, conversation) of each row, in order. Raises BadFile at the first that is wrong."""
        kind, worlds = self.kind, self._worlds
        self.done = 0
        found = self._read(kind, worlds)
        return joined_turns(found) if kind.slug == "turns" else found

    def _read(
        self, kind: Kind, worlds: dict[str, World]
    ) -> Iterator[tuple[str, Imported]]:
        for number, (place, raw) in enumerate(self._raw(), start=1):
            if number > limits.ROWS:
                raise self.wrong(
                    place, f"is one row more than the {limits.ROWS:,} allowed."
                )
            try:
                row = read_row(kind, raw)
            except BadRow as error:
                at = f"{place}, {error.pointer}" if error.pointer else place
                raise self.wrong(at, error.text) from error
            known = worlds.get(row.environment)
            if known and not row.tools:
                row = with_world(row, known.system, known.tools, known.key)
            yield place, row

    @cached_property
    def _worlds(self) -> dict[str, World]:
        """Of the `environments.jsonl` beside canonical records, or beside their folder."""
        if self.kind.slug != "jsonl":
            return {}
        for folder in (self.path.parent, self.path.resolve().parent.parent):
            if (folder / "environments.jsonl").is_file():
                try:
                    return dict(FolderDataset(folder).worlds)
                except BadFolder as error:
                    raise self.wrong("", f"{error}") from error
        return {}

    def _raw(self) -> Iterator[tuple[str, Any]]:
        if self.container == "parquet":
            return self._parquet()
        return self._list() if self.container == "list" else self._lines()

    # --- JSON ------------------------------------------------------------------------------------------------------------------

    def _lines(self) -> Iterator[tuple[str, Any]]:
        with self.path.open("rb", buffering=BUFFER) as file:
            for number in itertools.count(1):
                line = self._line(file, number)
                if not line:
                    return
                self.done += len(line)
                if line.strip():
                    yield f"line {number}", self._parsed(line, number)

    def _line(self, file: BinaryIO, number: int) -> bytes:
        line = file.readline(limits.ROW_BYTES + 1)
        if len(line) > limits.ROW_BYTES:
            raise self.wrong(
                f"line {number}", f"is longer than {limits.ROW_BYTES:,} bytes."
            )
        if number == 1:
            return line.removeprefix(b"\xef\xbb\xbf") or line
        return line

    def _parsed(self, line: bytes, number: int) -> Any:
        try:
            text = line.decode().rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise self.wrong(
                f"line {number}, byte {error.start + 1}",
                "is not UTF-8: save the file in UTF-8.",
            ) from error
        try:
            return loads(text)
        except BadJson as error:
            column = f", column {error.at + 1}" if error.at is not None else ""
            raise self.wrong(f"line {number}{column}", f"{error}.") from error

    def _list(self) -> Iterator[tuple[str, Any]]:
        with self.path.open("rb") as file:
            stream = JsonStream(file)
            try:
                stream.take("[")
                for number in itertools.count(1):
                    if stream.peek() == "]":
                        break
                    if number > 1:
                        stream.take(",")
                        stream.peek()
                    place = f"row {number} (line {stream.line})"
                    row = stream.value()
                    self.done = file.tell()
                    yield place, row
                stream.take("]")
                if stream.peek():
                    raise stream.wrong("there is more after the end of the list")
            except StreamError as error:
                where = f"line {error.line}, column {error.column}"
                raise self.wrong(
                    where if error.line else f"line {stream.line}", f"{error.text}."
                ) from error

    # --- Parquet ---------------------------------------------------------------------------------------------------------------

    def _parquet(self) -> Iterator[tuple[str, Any]]:
        import pyarrow as pa
        from pyarrow import parquet

        number = 0
        try:
            with parquet.ParquetFile(
                self.path, pre_buffer=False, buffer_size=1 << 16
            ) as file:
                self._check_parquet(file.metadata)
                for batch in file.iter_batches(
                    batch_size=PARQUET_ROWS, use_threads=False
                ):
                    for row in batch.to_pylist():
                        number += 1
                        self.done = number
                        yield f"row {number}", _plain(row)
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise self.wrong(
                f"row {number + 1}",
                f"is no Parquet that can be read: {str(error)[:300]}",
            ) from error
        except ValueError as error:
            raise self.wrong(f"row {number + 1}", f"{error}.") from error

    def _check_parquet(self, metadata: Any) -> None:
        self.whole = metadata.num_rows
        if metadata.num_rows > limits.ROWS:
            raise self.wrong(
                "", f"holds {metadata.num_rows:,} rows; {limits.ROWS:,} are allowed."
            )
        size = self.path.stat().st_size
        for n in range(metadata.num_row_groups):
            unpacked = metadata.row_group(n).total_byte_size
            if unpacked > min(PARQUET_GROUP, PARQUET_RATIO * size):
                raise self.wrong(
                    f"row group {n}",
                    f"unpacks to {unpacked:,} bytes, too many: write it in smaller row groups.",
                )


def _plain(value: Any) -> Any:
    """What Parquet gives as JSON: keys that are null are absent, as columns fill in what a row does not have."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items() if one is not None}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    raise ValueError(f"holds a {type(value).__name__}, which JSON has no place for")
