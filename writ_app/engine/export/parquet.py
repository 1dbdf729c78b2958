"""Rows as a Parquet file in parts: one row group at a time in memory, the same bytes for the same rows.

The bytes also hold the version of pyarrow that wrote them; requirements pin it. pyarrow is imported when it is first needed.
"""

from collections.abc import Iterable, Iterator
from itertools import batched
from typing import Any

from writ_app.engine.export.fixed import Row

ROWS_PER_GROUP = 64
"""About 2 MB of rows with policy and tools."""
AS_WRITTEN = {
    "version": "2.6",
    "data_page_version": "1.0",
    "compression": "zstd",
    "compression_level": 3,
    "use_dictionary": True,
    "write_statistics": False,
    "store_schema": True,
    "write_batch_size": 1024,
}
"""Everything of the writer that its defaults could change."""


class _Parts:
    """A file that is taken away while it is written."""

    closed = False

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._at = 0

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        self._at += len(self._parts[-1])
        return len(self._parts[-1])

    def tell(self) -> int:
        return self._at

    def writable(self) -> bool:
        return True

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """There is nothing to close."""

    def taken(self) -> bytes:
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken


def write_parquet(rows: Iterable[Row], schema: Any) -> Iterator[bytes]:
    import pyarrow as pa
    from pyarrow import parquet

    sink = _Parts()
    with parquet.ParquetWriter(sink, schema, **AS_WRITTEN) as writer:
        for group in batched(rows, ROWS_PER_GROUP):
            writer.write_table(pa.Table.from_pylist(list(group), schema=schema))
            yield sink.taken()
    yield sink.taken()
