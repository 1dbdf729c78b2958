"""Every file for a trainer comes back from `datasets` as it was written: no key more, none filled with null."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.engine.export.made import dataset
from tests.engine.talks import designer
from writ_app.engine.export.formats import FORMATS
from writ_app.engine.export.options import Options
from writ_app.engine.export.writing import files

TABLES = {
    slug: form for slug, form in FORMATS.items() if form.suffix in ("jsonl", "parquet")
}
OPTIONS = Options(greeting="drop")


def written(folder: Path, slug: str) -> list[Path]:
    """The data files of a format for trajectories of a third of all archetypes."""
    made = []
    for file in files(dataset(list(designer().archetypes)[::3]), [slug], OPTIONS):
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(file.chunks))
        if file.split:
            made.append(path)
    return made


def plain(row: Any) -> str:
    """As text, with keys in one order. `datasets` makes times of the canonical records' times; they count as their text."""

    def time(value: Any) -> str:
        assert isinstance(value, datetime)
        return value.replace(tzinfo=UTC).isoformat()

    return json.dumps(row, ensure_ascii=False, sort_keys=True, default=time)


@pytest.mark.parametrize("slug", TABLES)
def test_comes_back_equal_from_datasets(
    slug: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import datasets

    source = dataset(list(designer().archetypes)[::3])
    for path in written(tmp_path, slug):
        loaded = datasets.load_dataset(
            "parquet" if path.suffix == ".parquet" else "json",
            data_files=str(path),
            split="train",
            cache_dir=str(tmp_path / "cache"),
        )
        rows: list[Any] = [
            row
            for one in source.records(path.stem)
            for row in FORMATS[slug].rows(one, OPTIONS)
        ]
        assert len(loaded) == len(rows) > 0
        for back, row in zip(loaded, rows, strict=True):
            assert plain(back) == plain(row)
