from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

import pytest

from tests.engine.export.made import Listed, dataset, record
from writ_app.engine.export.folder import FolderDataset, write_canonical
from writ_app.engine.export.formats import FORMATS
from writ_app.engine.export.options import Options
from writ_app.engine.export.records import Dataset, Record
from writ_app.engine.export.writing import files


def written(some: Dataset) -> dict[str, bytes]:
    return {
        file.path: b"".join(file.chunks)
        for file in files(some, list(FORMATS), Options())
    }


def folder(some: Dataset, path: Path) -> FolderDataset:
    for file in write_canonical(some):
        (path / file.path).write_bytes(b"".join(file.chunks))
    return FolderDataset(path)


class TestFiles:
    @pytest.fixture
    def some(self) -> Listed:
        return dataset()

    def test_are_the_same_bytes_each_time(self, some: Listed) -> None:
        for file in files(some, list(FORMATS), Options()):
            assert b"".join(file.chunks) == b"".join(file.chunks)

    def test_are_the_same_from_a_folder_of_the_canonical_files(
        self, some: Listed, tmp_path: Path
    ) -> None:
        assert written(folder(some, tmp_path)) == written(some)

    def test_have_paths_of_their_own(self, some: Listed) -> None:
        paths = [file.path for file in files(some, list(FORMATS), Options())]
        assert len(set(paths)) == len(paths)

    def test_count_their_rows_anew_each_time(self, some: Listed) -> None:
        (file, *_) = files(some, ["trl"], Options())
        for _ in range(2):
            assert list(file.chunks)
            assert file.rows == 7

    @pytest.mark.parametrize("slug", [s for s in FORMATS if not FORMATS[s].write])
    def test_give_their_first_parts_before_the_rest_is_read(self, slug: str) -> None:
        """So that memory does not grow with the dataset: this one has no end."""

        class Endless(Listed):
            def records(self, split: str | None = None) -> Iterator[Record]:
                return cycle(self.listed)

        (file, *_) = files(Endless([record("W1")], {}), [slug], Options())
        first = list(islice(file.chunks, 3))
        assert len(first) == 3
        assert file.rows < 500
