import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from environments.registry import world
from writ_app.adapters import batches
from writ_app.adapters.tau2 import benchmark_tasks, read_domain
from writ_app.adapters.worlds import checkout_world
from writ_app.engine.decontamination import BenchmarkIndex, distances
from writ_app.engine.task_file import read_tasks, to_task

CELLS = [
    {"writes": "1", "burden": "4-6"},
    {"writes": "0", "burden": "1-3"},
    {"writes": "1", "burden": "7-9"},
]
GRID: dict[str, Any] = {"cells": CELLS, "classes": {"write_intensive": 0}}


@pytest.fixture
def grid(tmp_path: Path) -> Path:
    path = tmp_path / "grid.json"
    path.write_text(json.dumps(GRID))
    return path


def design(out: Path, *words: str, **options: Any) -> str:
    printed = StringIO()
    call_command(
        "design",
        "--environment",
        "rental",
        "--size",
        "30",
        "--out",
        str(out),
        *words,
        stdout=printed,
        stderr=StringIO(),
        **options,
    )
    return printed.getvalue()


def refused(tmp_path: Path, *words: str) -> CommandError:
    with pytest.raises(CommandError) as error:
        design(tmp_path / "t.jsonl", *words)
    return error.value


class TestDesign:
    def test_writes_the_tasks_and_says_how_it_went(
        self, tmp_path: Path, grid: Path
    ) -> None:
        out = tmp_path / "t.jsonl"

        printed = design(
            out,
            "--count",
            "6",
            "--grid",
            str(grid),
            "--workers",
            "1",
            "--report",
            str(tmp_path / "r.json"),
        )

        tasks = [task for _, task in read_tasks(out)]
        report = json.loads((tmp_path / "r.json").read_text())
        assert len({task.id for task in tasks}) == 6
        assert {task.version for task in tasks} == {"generated-1-30"}
        assert printed.startswith("6 of 6 tasks over rental generated-1-30 in ")
        assert (report["tasks"], report["wanted"]) == (6, 6)
        assert sum(cell["filled"] for cell in report["cells"]) == 6
        assert {(c["writes"], c["burden"]) for c in report["cells"]} == {
            (c["writes"], c["burden"]) for c in CELLS
        }
        assert report["burden"]["most"] == max(task.burden.total for task in tasks)
        assert report["people"]["used"] == len({task.person for task in tasks})
        refusals = sum(one["draws"] for one in report["refused"])
        made = sum(recipe["made"] for recipe in report["recipes"])
        assert report["draws"] == refusals + made
        assert all(one["meaning"] for one in report["refused"])
        for recipe in report["recipes"]:
            assert f"\n{recipe['recipe']} " in printed
        assert f"the most is {report['burden']['most']}." in printed
        assert report["decontamination"] is None
        assert "benchmark" not in printed

    def test_gives_the_same_bytes_however_many_workers(
        self, tmp_path: Path, grid: Path
    ) -> None:
        words = ("--count", "9", "--seed", "4", "--grid", str(grid))
        design(tmp_path / "one.jsonl", *words, "--workers", "1")
        design(tmp_path / "two.jsonl", *words, "--workers", "2")

        one = (tmp_path / "one.jsonl").read_bytes()
        assert one.count(b"\n") == 9
        assert (tmp_path / "two.jsonl").read_bytes() == one

    def test_gives_other_tasks_for_another_seed(
        self, tmp_path: Path, grid: Path
    ) -> None:
        words = ("--count", "3", "--grid", str(grid), "--workers", "1")
        design(tmp_path / "one.jsonl", *words, "--seed", "1")
        design(tmp_path / "two.jsonl", *words, "--seed", "2")

        one, two = (
            {task.id for _, task in read_tasks(tmp_path / f"{name}.jsonl")}
            for name in ("one", "two")
        )
        assert one != two

    def test_takes_the_world_that_is_asked_for(
        self, tmp_path: Path, grid: Path
    ) -> None:
        out = tmp_path / "t.jsonl"
        words = ("--world-seed", "5", "--mode", "strict", "--workers", "1")

        design(out, "--count", "1", "--grid", str(grid), *words)

        ((_, task),) = read_tasks(out)
        assert task.version == "generated-5-30-strict"

    def test_exits_with_1_and_keeps_what_there_is_if_there_are_fewer(
        self, tmp_path: Path, grid: Path
    ) -> None:
        only = {
            a.slug: 0
            for a in world("rental").generated(seed=1, users=1).domain.archetypes
        }
        raw = {**GRID, "archetypes": {**only, "E5": 1}, "cells": CELLS[:1]}
        grid.write_text(json.dumps(raw))
        out = tmp_path / "t.jsonl"

        with pytest.raises(SystemExit) as ended:
            design(out, "--count", "60", "--grid", str(grid), "--workers", "1")

        assert ended.value.code == 1
        assert 0 < len(list(read_tasks(out))) < 60

    @pytest.mark.parametrize(
        ("words", "says"),
        [
            (("--count", "0"), "--count must be at least 1"),
            (("--count", "1", "--workers", "0"), "--workers must be at least 1"),
            (("--count", "1", "--environment", "bakery"), "no environment 'bakery'"),
            (("--count", "1", "--size", "0"), "1 to 100,000 people"),
            (("--count", "1", "--world-seed", "-1"), "whole number from 0"),
            (("--count", "1", "--grid", "none.json"), "none.json cannot be read"),
            (("--count", "1", "--report", "none/r.json"), "no folder none"),
            (("--count", "1", "--report", "."), "is a folder"),
            (("--count", "1", "--tau2-root", "."), "--size and --world-seed are for"),
        ],
    )
    def test_exits_with_2_and_says_what_is_wrong(
        self, tmp_path: Path, words: tuple[str, ...], says: str
    ) -> None:
        error = refused(tmp_path, *words)

        assert error.returncode == 2
        assert says in str(error)
        assert list(tmp_path.iterdir()) == []

    def test_exits_with_2_for_a_grid_that_is_none(
        self, tmp_path: Path, grid: Path
    ) -> None:
        grid.write_text(json.dumps({"archetypes": {"R1": 1}}))

        error = refused(tmp_path, "--count", "1", "--grid", str(grid))

        assert error.returncode == 2
        assert "rental has no archetype R1" in str(error)

    def test_leaves_nothing_when_it_is_interrupted(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def interrupted(order: Any, workers: int) -> Iterator[Any]:
            yield batches.Designed("{}", 1, 4)
            raise KeyboardInterrupt

        monkeypatch.setattr(batches, "design", interrupted)

        error = refused(tmp_path, "--count", "2")

        assert error.returncode == 130
        assert "nothing was written" in str(error)
        assert list(tmp_path.iterdir()) == []


class TestDesignOverACheckout:
    def test_names_the_database_and_keeps_away_from_the_benchmarks_people(
        self, tmp_path: Path, tau2_root: Path, grid: Path
    ) -> None:
        out, printed = tmp_path / "t.jsonl", StringIO()

        call_command(
            "design",
            environment="retail",
            tau2_root=tau2_root,
            count=4,
            grid=grid,
            workers=1,
            out=out,
            report=tmp_path / "r.json",
            stdout=printed,
            stderr=StringIO(),
        )

        tasks = [task for _, task in read_tasks(out)]
        benchmark = read_domain(tau2_root, "retail")
        told = json.dumps(benchmark.tasks)
        (version,) = {task.version for task in tasks}
        assert version == f"tau2-{tasks[0].state_hash[:8]}"
        users = benchmark.database["users"]
        for task in tasks:
            assert task.person not in told
            assert not any(order in told for order in users[task.person]["orders"])
        assert "retail tau2-" in printed.getvalue()
        call_command(
            "prove",
            str(out),
            "--tau2-root",
            str(tau2_root),
            "--workers",
            "1",
            stdout=printed,
            stderr=StringIO(),
        )
        assert "4 tasks over retail tau2-" in printed.getvalue()

        measured = benchmark_tasks(benchmark)
        index = BenchmarkIndex(checkout_world(tau2_root, "retail")[0], measured)
        near = [index.check(to_task(task)).nearest for task in tasks]
        found = json.loads((tmp_path / "r.json").read_text())["decontamination"]
        expected = distances(near, len(measured)).model_dump(mode="json")
        assert found == {**expected, "examples": []}
        assert f"the benchmark's {len(measured)} tasks" in printed.getvalue()
        assert f"{expected['likeness']['p95']:.1%}" in printed.getvalue()
