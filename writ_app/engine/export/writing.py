"""A dataset as files, made as they are taken: never more than a few rows in memory, the same bytes each time."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from writ_app.engine.export.chunks import in_chunks
from writ_app.engine.export.fixed import Row, encode
from writ_app.engine.export.formats import FORMATS, Format
from writ_app.engine.export.options import Options
from writ_app.engine.export.parquet import write_parquet
from writ_app.engine.export.records import Dataset
from writ_app.engine.export.unfit import UnfitRow


@dataclass
class File:
    """One file of a dataset. `rows` counts while its chunks are taken; each taking begins anew."""

    path: str
    """Within the dataset's folder, with forward slashes."""
    slug: str
    """The format's."""
    split: str
    """"" if the file is of no split."""
    write: Callable[["File"], Iterator[bytes]]
    rows: int = 0

    @property
    def chunks(self) -> Iterator[bytes]:
        """Raises UnfitRow at the first record that the format cannot hold; its id stands in the text."""
        self.rows = 0
        return self.write(self)


def files(dataset: Dataset, slugs: Sequence[str], options: Options) -> Iterator[File]:
    """The files of these formats: one per split (or per environment), then what stands beside them. Raises KeyError."""
    for slug in slugs:
        form = FORMATS[slug]
        if form.write:
            for path, split, write in form.write(dataset, options):
                yield File(f"{form.folder}/{path}", slug, split, _counting(write))
        else:
            for split in dataset.splits:
                yield _split_file(dataset, form, split, options)
        for side in form.side(dataset.splits, options):
            yield File(f"{form.folder}/{side.path}", slug, "", _text(side.text))


def _split_file(dataset: Dataset, form: Format, split: str, options: Options) -> File:
    def write(file: File) -> Iterator[bytes]:
        rows = _counted(_rows(dataset, form, split, options), file)
        if form.columns:
            return write_parquet(rows, form.columns())
        return write_lines(rows)

    return File(f"{form.folder}/{split}.{form.suffix}", form.slug, split, write)


def _rows(
    dataset: Dataset, form: Format, split: str, options: Options
) -> Iterator[Row]:
    for record in dataset.records(split):
        try:
            yield from form.rows(record, options)
        except UnfitRow as error:
            raise UnfitRow(
                error.pitfall,
                f"{form.title} cannot hold the trajectory {record.id}: {error}",
            ) from error


def _counted(rows: Iterable[Row], file: File) -> Iterator[Row]:
    for row in rows:
        file.rows += 1
        yield row


def write_lines(rows: Iterable[Row]) -> Iterator[bytes]:
    """JSONL in UTF-8: a line per row, each with its line feed."""
    return in_chunks(encode(row) + b"\n" for row in rows)


def _counting(
    write: Callable[[Callable[[], None]], Iterator[bytes]],
) -> Callable[[File], Iterator[bytes]]:
    def counting(file: File) -> Iterator[bytes]:
        def counted() -> None:
            file.rows += 1

        return write(counted)

    return counting


def _text(text: str) -> Callable[[File], Iterator[bytes]]:
    return lambda file: iter((text.encode(),))
