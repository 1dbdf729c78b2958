"""Task files: what is written reads back, and what is no task is named with its line."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.engine.lines import desk
from tests.engine.talks import task_of
from writ_app.engine.task_file import (
    BadTaskFile,
    line_of,
    read_line,
    read_tasks,
    to_file,
    to_task,
)

KINDS = [
    ("retail", "R1"),
    ("retail", "I2"),
    ("retail", "N1"),
    ("retail", "T1"),
    ("airline", "A2"),
    ("rental", "in order"),
]


class TestLine:
    @pytest.mark.parametrize(("name", "slug"), KINDS)
    def test_reads_back_as_it_was_written(self, name: str, slug: str) -> None:
        task = desk(name).task(slug)
        line = line_of(task)

        assert "\n" not in line
        assert read_line(line) == to_file(task)
        assert read_line(line.encode()) == to_file(task)

    @pytest.mark.parametrize(("name", "slug"), KINDS)
    def test_says_what_the_task_says(self, name: str, slug: str) -> None:
        task = desk(name).task(slug)
        raw = json.loads(line_of(task))

        assert raw["class"] == task.task_class.value
        assert raw["version"] == task.environment_version
        assert raw["query_text"] == str(task.query)
        assert [call["arguments"] for call in raw["gold"]] == [
            write.call.arguments for write in task.gold
        ]
        assert [told["value"] for told in raw["told"]] == [t.value for t in task.told]
        witnesses = [read["witness"] for read in raw["certificate"]]
        assert [bool(w) for w in witnesses] == [
            bool(r.witness) for r in task.certificate
        ]
        assert raw["burden"]["total"] == raw["burden"]["proved"] == task.burden.total
        assert raw["lift"] == task.companions.lift
        assert "lift" not in raw["companions"]

    def test_keeps_letters_as_they_are(self) -> None:
        assert "≠" in line_of(desk("rental").task("E13")) or "↑" in line_of(
            desk("rental").task("E13")
        )


class TestRead:
    def test_gives_the_tasks_with_their_lines_and_skips_blank_ones(
        self, tmp_path: Path
    ) -> None:
        shop, path = desk("retail"), tmp_path / "tasks.jsonl"
        path.write_text(
            f"{line_of(shop.task('R1'))}\n\n  \n{line_of(shop.task('N1'))}", "utf-8"
        )

        assert [(n, task.archetype) for n, task in read_tasks(path)] == [
            (1, "R1"),
            (4, "N1"),
        ]

    @pytest.mark.parametrize(
        ("spoilt", "says"),
        [
            (b"{", "line 2 is not JSON"),
            (b'"\xff"', "line 2 is not JSON"),
            (b"[" * 100_000, "line 2 is not JSON"),
            (b"[1]", "line 2 is no object"),
            (b"{}", "line 2 is not a task: id: Field required"),
        ],
    )
    def test_names_the_line_that_is_no_task(
        self, tmp_path: Path, spoilt: bytes, says: str
    ) -> None:
        path = tmp_path / "tasks.jsonl"
        good = line_of(desk("retail").task("R1")).encode()
        path.write_bytes(good + b"\n" + spoilt + b"\n")

        with pytest.raises(BadTaskFile, match=r"^tasks\.jsonl, ") as refused:
            list(read_tasks(path))

        assert says in str(refused.value)

    @pytest.mark.parametrize(
        ("place", "value", "says"),
        [
            (["format"], 2, "format: Input should be 1"),
            (["extra"], 1, "extra: Extra inputs"),
            (["class"], "easy", "class: Input should be 'read_heavy'"),
            (["certificate", 0, "role"], "luck", "certificate/0/role"),
            (["certificate", 0, "witness", "patch"], {}, "certificate/0/witness/patch"),
            (["burden", "total"], "many", "burden/total"),
            (["query", "steps", 0, "kind"], "guess", "query/steps/0"),
        ],
    )
    def test_names_the_field_that_is_wrong(
        self, place: list[Any], value: Any, says: str
    ) -> None:
        raw: Any = desk("retail").line("R1")
        inner = raw
        for step in place[:-1]:
            inner = inner[step]
        inner[place[-1]] = value

        with pytest.raises(BadTaskFile) as refused:
            read_line(json.dumps(raw))

        assert says in str(refused.value)


def test_a_line_becomes_a_task_that_gives_the_line_again() -> None:
    """But for its id, which is made of what a file leaves out, too."""
    for slug in ("R2", "N1", "W1"):
        line = to_file(task_of(slug))

        again = to_file(to_task(line))

        assert again.model_copy(update={"id": line.id}) == line
