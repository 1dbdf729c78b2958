"""The table that `make bench` writes, and what benchmarks note for it."""

import json
import shlex
import sys
from pathlib import Path

import pytest

from tests.benchmarks.__main__ import (
    PARTS,
    Part,
    chapter,
    measured_by,
    run,
    set_beside,
)
from tests.benchmarks.figures import NOTES, note


@pytest.fixture
def noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    notes = tmp_path / "notes.jsonl"
    monkeypatch.setenv(NOTES, str(notes))
    return notes


def figures(notes: Path) -> list[dict]:
    return [json.loads(line) for line in notes.read_text().splitlines()]


class TestAFigure:
    def test_is_noted_with_its_aim_and_what_stands_beside_it(self, noted: Path) -> None:
        note("list", 31.4159, "ms", at_most=25, beside="another 260")
        note("verdicts", 80, "per s", at_least=60)
        note("doubled", 0, "of 400", at_most=0)
        part = Part("review", "Review", "", figures=figures(noted))

        rows = [line for line in chapter(part) if line.startswith("| ")][2:]

        assert rows == [
            "| list | 31.4 ms | ≤ 25 ✗ | another 260 |",
            "| verdicts | 80 per s | ≥ 60 |  |",
            "| doubled | 0 of 400 | ≤ 0 |  |",
        ]

    def test_is_only_said_where_nobody_asked_for_notes(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv(NOTES, raising=False)
        monkeypatch.chdir(tmp_path)

        note("list", 31, "ms")

        assert list(tmp_path.iterdir()) == []

    def test_of_several_sizes_stands_in_one_row_with_its_growth(
        self, noted: Path
    ) -> None:
        note("list", 20, "ms", size=10_000)
        note("list", 22, "ms", size=100_000, at_most=40)
        note("list", 66, "ms", size=1_000_000, at_most=44)
        part = Part("growth", "Growth", "", figures=figures(noted))

        rows = [line for line in chapter(part) if line.startswith("| ")]

        assert rows[0] == (
            "| ms | 10,000 | 100,000 | 1,000,000 | last to the one before | aim |"
        )
        assert rows[2] == "| list | 20 | 22 | 66 | 3.00 | ≤ 2.00 ✗ |"

    def test_stands_beside_what_another_tool_finds_here_and_now(
        self, noted: Path
    ) -> None:
        note("hash (s)", 0.001, "", at_most=0.002, beside="elsewhere 0.2")
        note("list", 20, "ms", beside="another 260")
        part = Part("environments", "Environments", "", figures=figures(noted))
        script = """print('{"what": "hash (s)", "value": 0.25}')"""

        found = measured_by(f"{sys.executable} -c {shlex.quote(script)}")
        set_beside([part], found, {"hash (s)": 0.3})

        rows = [line for line in chapter(part) if line.startswith("| ")][2:]
        assert rows[0].endswith("| here 0.25 before, 0.3 after |")
        assert rows[1].endswith("| another 260 |")


class TestAPart:
    def test_that_fails_says_so_in_its_chapter(self) -> None:
        part = Part("release", "Releases", "--trajectories many")

        run(part, None)

        assert part.trouble == "It ended with 2."
        assert f"**{part.trouble}**" in list(chapter(part))

    def test_is_a_benchmark_that_there_is(self) -> None:
        folder = Path(__file__).parent / "benchmarks"

        assert {part.name for part in PARTS} <= {
            one.stem for one in folder.glob("*.py")
        }
