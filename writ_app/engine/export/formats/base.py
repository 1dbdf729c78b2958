"""What a format is, and what a row says when it is read back."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from writ_app.engine.export.fixed import Row
from writ_app.engine.export.options import Greeting, Options
from writ_app.engine.export.records import Dataset, Json, Record

type Side = Callable[[Sequence[str], Options], Iterator["SideFile"]]
"""(names of the splits, options) → files that stand beside the data."""

type Whole = Callable[[Dataset, Options], Iterator["Written"]]


class Written(NamedTuple):
    """A file of a format that writes more than rows. `path` is within the format's folder; `write` tells of each row it writes."""

    path: str
    split: str
    write: Callable[[Callable[[], None]], Iterator[bytes]]


class Conversation(NamedTuple):
    """What a row says: system prompt, messages in canonical form, tool schemas."""

    system: str
    messages: list[Json]
    tools: list[Json]


class SideFile(NamedTuple):
    """A file without rows. `path` is within the format's folder."""

    path: str
    text: str


def _no_side(splits: Sequence[str], options: Options) -> Iterator[SideFile]:
    return iter(())


@dataclass(frozen=True)
class Format:
    """How records are written for one target. A file is `{folder}/{split}.{suffix}` unless the format has a `write` of its own."""

    slug: str
    title: str
    folder: str
    suffix: Literal["jsonl", "parquet", "json"]
    rows: Callable[[Record, Options], Iterator[Row]]
    """Raises UnfitRow."""
    parse: Callable[[Any], Conversation]
    """The inverse, as far as `loss` allows. Raises UnfitRow for what is no such row."""
    loss: tuple[str, ...]
    """What a row cannot carry, each a sentence."""
    load: str
    """Code that loads the training split, to be run in the folder that holds the format's own."""
    load_language: Literal["python", "sh", "yaml", "toml"] = "python"
    greeting: Greeting = "keep"
    """What suits the target where the options leave it to the format."""
    flags: bool = False
    """Whether a row can say that a message of the assistant carries no loss."""
    side: Side = _no_side
    columns: Callable[[], Any] | None = None
    """The pyarrow schema of a Parquet format."""
    write: Whole | None = None
    """For files that are more than their rows."""
