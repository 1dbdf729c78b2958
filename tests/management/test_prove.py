import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.engine.lines import desk

SLUGS = ("E4", "N1", "I2", "E5")


@pytest.fixture
def lines() -> list[str]:
    """Good lines of the rental world."""
    return [json.dumps(desk("rental").line(slug)) for slug in SLUGS]


def spoilt(line: str) -> str:
    raw = json.loads(line)
    raw["lift"] += 1
    return json.dumps(raw)


def prove(tmp_path: Path, lines: list[str], *words: str) -> tuple[int, list[str]]:
    """(exit code, printed lines)."""
    path, out = tmp_path / "tasks.jsonl", StringIO()
    path.write_text("\n".join(lines))
    try:
        call_command(
            "prove", str(path), "--workers", "1", *words, stdout=out, stderr=StringIO()
        )
    except SystemExit as ended:
        return int(str(ended.code)), out.getvalue().splitlines()
    return 0, out.getvalue().splitlines()


class TestProve:
    @pytest.mark.parametrize("workers", ["1", "2"])
    def test_holds_what_holds(
        self, tmp_path: Path, lines: list[str], workers: str
    ) -> None:
        both = [*lines, json.dumps(desk("retail").line("R1"))]

        code, printed = prove(tmp_path, both, "--workers", workers)

        writes = sum(len(json.loads(line)["gold"]) for line in both)
        assert code == 0
        assert printed[0].startswith(
            f"5 tasks over rental generated-3-60, retail generated-3-60 hold: {writes} gold writes, "
        )

    def test_ends_at_the_first_false_claim(
        self, tmp_path: Path, lines: list[str]
    ) -> None:
        bad = [lines[0], "", spoilt(lines[1]), spoilt(lines[2])]

        code, printed = prove(tmp_path, bad)

        assert code == 1
        task = json.loads(lines[1])
        assert printed[0].startswith(
            f"line 3, {task['id']}: lift: It is {task['lift']}"
        )
        assert printed[1:] == ["2 lines checked: 1 of them do not hold."]

    @pytest.mark.parametrize("workers", ["1", "2"])
    def test_lists_all_on_request(
        self, tmp_path: Path, lines: list[str], workers: str
    ) -> None:
        bad = [spoilt(lines[0]), lines[1], spoilt(lines[2]), lines[1]]

        code, printed = prove(tmp_path, bad, "--all", "--workers", workers)

        assert code == 1
        assert [line.split(",")[0] for line in printed[:3]] == [
            "line 4",
            "line 1",
            "line 3",
        ]
        assert "id: It stands in line 2 already." in printed[0]
        assert printed[3] == "4 lines checked: 3 of them do not hold."

    def test_names_lines_that_are_no_tasks(
        self, tmp_path: Path, lines: list[str]
    ) -> None:
        code, printed = prove(tmp_path, [lines[0], "{", '{"id": 1}'], "--all")

        assert code == 1
        assert printed[0].startswith("line 2, no task: line: The line is not JSON")
        assert printed[1].startswith(
            "line 3, no task: line: The line is not a task: id:"
        )
        assert printed[2] == "3 lines checked: 2 of them do not hold."

    @pytest.mark.parametrize(
        ("version", "says"),
        [
            ("generated-4-60", "state_hash: It is"),
            ("generated-3-60-strict", "environment_hash: It is"),
            ("first", "version: 'first' names no database"),
        ],
    )
    def test_makes_the_database_that_the_line_names(
        self, tmp_path: Path, lines: list[str], version: str, says: str
    ) -> None:
        raw = json.loads(lines[0])
        raw["version"] = version

        code, printed = prove(tmp_path, [json.dumps(raw)])

        assert code == 1
        assert says in printed[0]

    def test_goes_on_after_a_line_that_it_stumbles_over(
        self, tmp_path: Path, lines: list[str]
    ) -> None:
        """A fact of a kind that nobody foresaw: an object where a text should be."""
        raw = json.loads(lines[0])
        name = next(iter(raw["known_facts"]))
        raw["known_facts"][name] = {"a": ["b"]}

        code, printed = prove(tmp_path, [json.dumps(raw), lines[1]], "--all")

        assert code == 1
        assert printed[0].startswith("line 1, ")
        assert printed[1] == "2 lines checked: 1 of them do not hold."

    @pytest.mark.parametrize(
        ("name", "says"),
        [("none.jsonl", "cannot be read"), ("empty.jsonl", "holds no task")],
    )
    def test_exits_with_2_if_there_is_nothing_to_check(
        self, tmp_path: Path, name: str, says: str
    ) -> None:
        (tmp_path / "empty.jsonl").write_text("\n")

        with pytest.raises(CommandError, match=says) as refused:
            call_command("prove", str(tmp_path / name), stderr=StringIO())

        assert refused.value.returncode == 2

    def test_exits_with_2_if_it_needs_a_checkout(
        self, tmp_path: Path, lines: list[str]
    ) -> None:
        raw = json.loads(lines[0])
        raw["version"] = "tau2-01234567"

        with pytest.raises(CommandError, match=r"Line 2: .*--tau2-root") as refused:
            prove(tmp_path, [lines[1], json.dumps(raw)])

        assert refused.value.returncode == 2

    def test_exits_with_2_if_the_checkout_is_none(
        self, tmp_path: Path, lines: list[str]
    ) -> None:
        with pytest.raises(CommandError, match="no tau2-bench checkout") as refused:
            prove(tmp_path, lines, "--tau2-root", str(tmp_path))

        assert refused.value.returncode == 2
