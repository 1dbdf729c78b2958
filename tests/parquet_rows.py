"""Rows of a Parquet file, for comparing: the product itself reads such files column by column, as imports."""

from collections.abc import Iterator
from typing import Any

from pyarrow import parquet


def read_parquet(path: Any) -> Iterator[dict[str, Any]]:
    """The rows of a file, or of a file object, few at a time."""
    with parquet.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=64):
            yield from batch.to_pylist()
