"""Runs on the tasks of the reference benchmark: the scripts come out as they have to, and its files are scored as it scores them."""

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.factories import make_owner, team_of
from tests.services.runs import run as run_runner
from writ_app.models.accounts import User
from writ_app.models.catalog import Environment
from writ_app.models.evaluation import EvaluationRun, JudgeStatus, RunStatus
from writ_app.services import catalog, evaluation

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
    pytest.mark.timeout(400),
]


@pytest.fixture
def owner() -> User:
    return make_owner()


@pytest.fixture
def worlds(tau2_root: Path) -> list[Environment]:
    return [
        catalog.import_tau2(root=tau2_root, name=name) for name in ("airline", "retail")
    ]


def ordered(
    owner: User, worlds: list[Environment], script: str, **more: Any
) -> EvaluationRun:
    run = evaluation.order_run(
        team=team_of(owner),
        by=owner,
        name=script,
        tasks=evaluation.benchmark_set(worlds),
        script=script,
        **{"trials": 1, **more},
    )
    run_runner(desk=evaluation.TrialDesk())
    run.refresh_from_db()
    assert run.status == RunStatus.DONE
    return run


class TestGoldReplay:
    def test_solves_all_164_base_tasks(
        self, owner: User, worlds: list[Environment]
    ) -> None:
        run = ordered(owner, worlds, "gold")

        found = evaluation.summary_of(run)

        assert found["tasks"] == 164
        assert found["readings"]["without"]["pass"] == [1.0]
        decided = found["readings"]["with"]
        assert (decided["tasks"], decided["pass"]) == (124, [1.0])
        assert found["undecided"] == 40
        assert not found["failures"]
        assert found["actions"]["writes"]["total"] > 150


class TestNothingDone:
    def test_gets_the_share_that_the_reference_gives_for_it(
        self, owner: User, worlds: list[Environment]
    ) -> None:
        run = ordered(owner, worlds, "idle")

        solved = Counter(
            run.trial_rows.filter(reward_without=1).values_list(
                "task__environment__name", flat=True
            )
        )

        assert solved == {"airline": 23, "retail": 11}
        kinds = {one["kind"] for one in evaluation.summary_of(run)["failures"]}
        assert kinds <= {"missing_write", "not_told"}
        open_ = run.trial_rows.filter(judge_status=JudgeStatus.OPEN)
        assert all(one.reward is None and one.reward_without == 1 for one in open_)


class TestFiles:
    def test_of_the_reference_are_scored_as_they_say(
        self, owner: User, worlds: list[Environment], tau2_root: Path
    ) -> None:
        run = evaluation.import_run(
            path=tau2_root / "samples" / "tau2_results_sample.json",
            team=team_of(owner),
            by=owner,
        )

        trials = list(run.trial_rows.all())
        assert trials
        for one in trials:
            assert one.reward == one.recorded_reward

    def test_that_are_as_small_as_the_reference_takes_them_come_in(
        self, owner: User, worlds: list[Environment], tau2_root: Path
    ) -> None:
        run = evaluation.import_run(
            path=tau2_root / "samples" / "minimal_results.json",
            team=team_of(owner),
            by=owner,
        )

        [trial] = run.trial_rows.all()
        assert (trial.reward, trial.recorded_reward) == (1.0, None)

    @pytest.mark.parametrize("domain", ["airline", "retail"])
    def test_made_of_the_recorded_cases_are_scored_as_recorded(
        self,
        owner: User,
        worlds: list[Environment],
        tau2_root: Path,
        tmp_path: Path,
        domain: str,
    ) -> None:
        path = tmp_path / "cases.json"
        cases = _file_of_cases(tau2_root, domain, path)

        run = evaluation.import_run(path=path, team=team_of(owner), by=owner)

        differing = [
            (one.content["id"], one.reward, one.recorded_reward)
            for one in run.trial_rows.all()
            if one.reward != one.recorded_reward
        ]
        assert not differing
        assert run.trial_rows.count() == cases

    def test_of_a_run_come_in_again_with_the_same_rewards(
        self, owner: User, worlds: list[Environment], tmp_path: Path
    ) -> None:
        run = ordered(owner, worlds[:1], "idle", trials=2)
        path = tmp_path / "out.json"
        path.write_text("".join(evaluation.export_run(run)))

        again = evaluation.import_run(path=path, team=team_of(owner), by=owner)

        def rewards(of: EvaluationRun) -> list[Any]:
            rows = of.trial_rows.order_by("task__task_id", "trial")
            return list(rows.values_list("task__task_id", "trial", "reward", "seed"))

        assert rewards(again) == rewards(run)
        assert all(one.recorded_reward == one.reward for one in again.trial_rows.all())
        assert json.loads(path.read_text())["info"]["num_trials"] == 2


def _file_of_cases(root: Path, domain: str, path: Path) -> int:
    """The recorded cases as one results file, each its task's next trial; returns how many."""
    folder = root / "checkout" / "data" / "tau2" / "domains" / domain
    tasks = json.loads((folder / "tasks.json").read_text())
    criteria = {one["id"]: one["evaluation_criteria"] for one in tasks}
    trials: Counter[str] = Counter()
    simulations = []
    cases = root / "vectors" / domain / "eval_cases.jsonl.gz"
    with gzip.open(cases, "rt", encoding="utf-8") as lines:
        for case in map(json.loads, lines):
            task = case["task_id"]
            info = dict(case["reward_info"])
            asked = criteria[task].get("nl_assertions") or ()
            info["nl_assertions"] = [
                {"nl_assertion": text, "met": one["met"]}
                for text, one in zip(
                    asked, case["reward_info"]["nl_assertions"] or (), strict=False
                )
            ]
            info["action_checks"] = None  # they name actions where files repeat them
            simulations.append(
                {
                    "id": case["id"],
                    "task_id": task,
                    "trial": trials[task],
                    "start_time": "2026-01-01T00:00:00",
                    "end_time": "2026-01-01T00:01:00",
                    "duration": 60.0,
                    "termination_reason": case["termination_reason"],
                    "messages": case["messages"],
                    "reward_info": info,
                }
            )
            trials[task] += 1
    info = {
        "git_commit": "x",
        "num_trials": max(trials.values()),
        "max_steps": 200,
        "max_errors": 10,
        "user_info": {"implementation": "u"},
        "agent_info": {"implementation": "a"},
        "environment_info": {"domain_name": domain, "policy": "p"},
    }
    path.write_text(
        json.dumps({"info": info, "tasks": tasks, "simulations": simulations})
    )
    return len(simulations)
