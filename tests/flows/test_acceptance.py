"""What is promised of releases, from the database to every file and back; tests/benchmarks/acceptance.py does it with thousands."""

from pathlib import Path

import pytest

from tests.benchmarks import acceptance
from tests.benchmarks.acceptance import (
    accept,
    folder_differences,
    import_differences,
    parse_differences,
)

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.timeout(300)]


def test_a_release_over_three_environments_is_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acceptance, "PLAYED", 8)
    assert accept(33, tmp_path / "release") == []

    first = tmp_path / "release" / "first"
    path = first / "trl" / "train.jsonl"
    assert "café" in path.read_text()
    path.write_text(path.read_text().replace("café", "cafe", 1))
    assert "other messages" in "".join(parse_differences(first, "trl"))
    assert "other messages" in "".join(import_differences(first, "trl"))
    assert list(folder_differences(first, tmp_path / "release" / "second")) == [
        "trl/train.jsonl differs"
    ]
