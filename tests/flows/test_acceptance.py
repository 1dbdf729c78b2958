"""What is promised of releases, from the database to every file and back; tests/benchmarks/acceptance.py does it with thousands."""

from pathlib import Path

import pytest

from tests.benchmarks.acceptance import accept

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.timeout(300)]


def test_a_release_over_three_environments_is_what_it_says(tmp_path: Path) -> None:
    assert accept(33, tmp_path / "release") == []
