"""The files of a whole dataset for τ²-bench; the shape of a simulation has its tests beside `benchmark_results`."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.engine.export.made import Listed, dataset, record
from tests.engine.talks import small_shop, task_of
from writ_app.engine.benchmark_results import simulation_id
from writ_app.engine.benchmark_scoring import score
from writ_app.engine.benchmark_tasks import benchmark_tasks
from writ_app.engine.export.formats import FORMATS
from writ_app.engine.export.formats.tau2 import simulated
from writ_app.engine.export.options import Options
from writ_app.engine.export.records import trajectory_of
from writ_app.engine.export.unfit import UnfitRow
from writ_app.engine.export.writing import files


def written(some: Listed, slug: str) -> dict[str, Any]:
    return {
        file.path.rsplit("/", 1)[1]: json.loads(b"".join(file.chunks))
        for file in files(some, [slug], Options())
    }


class TestResults:
    @pytest.fixture
    def results(self) -> dict[str, Any]:
        found = written(dataset(), "tau2_results")["results.json"]
        assert isinstance(found, dict)
        return found

    def test_hold_every_record_once_and_every_task_once(
        self, results: dict[str, Any]
    ) -> None:
        assert len(results["simulations"]) == 8
        ids = [task["id"] for task in results["tasks"]]
        assert sorted(ids) == sorted(task_of(a).slug for a in ("R1", "R2", "W1", "N1"))
        assert {one["task_id"] for one in results["simulations"]} == set(ids)

    def test_count_the_trials_of_a_task(self, results: dict[str, Any]) -> None:
        trials = {(one["task_id"], one["trial"]) for one in results["simulations"]}
        assert len(trials) == 8
        assert results["info"]["num_trials"] == 2

    def test_keep_greeting_stop_and_errors(self, results: dict[str, Any]) -> None:
        for one, made in zip(results["simulations"], dataset().records(), strict=True):
            assert FORMATS["tau2_results"].parse(one).messages == list(made.messages)

    def test_score_what_the_conversations_deserve(
        self, results: dict[str, Any]
    ) -> None:
        tasks = {task["id"]: task for task in results["tasks"]}
        for one, made in zip(results["simulations"], dataset().records(), strict=True):
            talk = trajectory_of(made)
            told = score(
                small_shop(), tasks[one["task_id"]], talk.messages, talk.ended_by
            )
            assert told is None or told["reward"] == 1.0

    def test_a_simulation_has_the_id_that_its_trajectory_gives_it(self) -> None:
        made = record("W1")
        (row,) = FORMATS["tau2_results"].rows(made, Options())
        assert row["id"] == simulation_id(simulated(made, task_of("W1").slug, 0))
        assert row["duration"] == 30.0

    def test_a_record_whose_task_is_not_there_is_refused(self) -> None:
        some = dataset()
        stray = replace(record("R1"), task="0" * 64)
        listed = Listed([*some.listed, stray], {**some.known})
        listed.tasks = some.tasks  # type: ignore[method-assign]
        with pytest.raises(UnfitRow) as refused:
            written(listed, "tau2_results")
        assert refused.value.pitfall == "no_task"


class TestTasks:
    def test_are_those_of_the_benchmarks_own_form(self) -> None:
        found = written(dataset(), "tau2_tasks")["tasks.json"]
        some = [task for _, task in dataset().tasks()]
        words = {"retail": small_shop().domain.words}
        assert found == json.loads(json.dumps(benchmark_tasks(some, words)))

    def test_splits_name_the_tasks_of_the_splits_and_base_has_all(self) -> None:
        found = written(dataset(), "tau2_tasks")
        splits = found["split_tasks.json"]
        assert splits["base"] == [task["id"] for task in found["tasks.json"]]
        assert set(splits["train"]) == set(splits["base"])
        assert splits["test"] == [task_of("N1").slug]
