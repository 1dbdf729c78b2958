import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.engine.talks import task_of
from writ_app.engine.task_file import line_of


def export_tasks(*words: object) -> str:
    out = StringIO()
    call_command("export_tasks", *map(str, words), stdout=out)
    return out.getvalue()


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    path = tmp_path / "tasks.jsonl"
    tasks = [task_of("R1"), task_of("N1")]
    path.write_text("\n".join(line_of(task) for task in tasks) + "\n\n")
    return path


class TestExportTasks:
    def test_writes_tasks_and_splits(self, lines: Path, tmp_path: Path) -> None:
        out, splits = tmp_path / "tasks.json", tmp_path / "split_tasks.json"

        printed = export_tasks(lines, "--out", out, "--split-file", splits)

        exported = json.loads(out.read_text())
        ids = [task["id"] for task in exported]
        assert ids == [task_of("R1").slug, task_of("N1").slug]
        assert json.loads(splits.read_text()) == {"base": ids}
        assert printed == f"2 tasks written to {out}.\n"

    def test_writes_the_same_bytes_again(self, lines: Path, tmp_path: Path) -> None:
        one, other = tmp_path / "one.json", tmp_path / "other.json"

        export_tasks(lines, "--out", one)
        export_tasks(lines, "--out", other)

        assert one.read_bytes() == other.read_bytes()

    def test_names_the_line_that_is_no_task(self, lines: Path, tmp_path: Path) -> None:
        lines.write_text(lines.read_text().rstrip() + '\n{"environment": 1}\n')

        with pytest.raises(CommandError, match="line 3 is not a task"):
            export_tasks(lines, "--out", tmp_path / "tasks.json")

        assert not (tmp_path / "tasks.json").exists()

    def test_says_which_environments_there_are(
        self, lines: Path, tmp_path: Path
    ) -> None:
        task = task_of("R1").model_copy(update={"environment": "circus"})
        lines.write_text(line_of(task))

        with pytest.raises(CommandError, match="no environment 'circus'; there are"):
            export_tasks(lines, "--out", tmp_path / "tasks.json")

    def test_says_which_file_cannot_be_read(self, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match=r"nowhere\.jsonl cannot be read"):
            export_tasks(tmp_path / "nowhere.jsonl", "--out", tmp_path / "x.json")
