"""What is told of a run, and of two."""

from typing import Any

from writ_app.engine.evaluation.axes import Axes, hard_subset
from writ_app.engine.evaluation.comparison import compare
from writ_app.engine.evaluation.summary import TaskFacts, TrialFacts, summarise


def task(key: str, writes: int = 1, burden: int | None = 2) -> TaskFacts:
    source = "unknown" if burden is None else "listed"
    return TaskFacts(key, Axes(writes=writes, burden=burden, source=source))  # type: ignore[arg-type]


def trial(key: str, number: int, reward: float | None, **more: Any) -> TrialFacts:
    without = more.pop("without", 1.0 if reward is None else reward)
    told: dict[str, Any] = {"ended_by": "user_stop", **more}
    return TrialFacts(
        task=key, trial=number, reward=reward, reward_without=without, **told
    )


class TestSummarise:
    def test_tells_both_readings_apart(self) -> None:
        found = summarise(
            [task("a"), task("b")],
            [trial("a", 0, 1.0), trial("a", 1, None), trial("b", 0, None)],
        )

        with_, without = found["readings"]["with"], found["readings"]["without"]
        assert (with_["tasks"], with_["pass"]) == (1, [1.0])
        assert (without["tasks"], without["pass"]) == (2, [1.0])
        assert found["undecided"] == 2

    def test_leaves_out_what_a_provider_broke_off(self) -> None:
        broken = trial("a", 1, 0.0, ended_by="infrastructure_error")

        found = summarise([task("a")], [trial("a", 0, 1.0), broken])

        assert (found["counted"], found["left_out"]) == (1, 1)
        assert found["readings"]["with"]["pass"] == [1.0]
        assert found["endings"] == {"user_stop": 1, "infrastructure_error": 1}

    def test_tells_the_cells_and_bands_of_both_axes(self) -> None:
        tasks = [task("a", 1, 8), task("b", 1, 8), task("c", 0, None)]
        trials = [trial("a", 0, 1.0), trial("b", 0, 0.0), trial("c", 0, 1.0)]

        found = summarise(tasks, trials)

        cells = {(c["writes"], c["burden"]): c["without"] for c in found["cells"]}
        assert cells == {("1", "7-9"): 0.5, ("0", "unknown"): 1.0}
        assert [b["band"] for b in found["bands"]["burden"]] == ["7-9", "unknown"]

    def test_tells_a_hard_subset_beside_the_rest(self) -> None:
        tasks = [task("a", burden=9), task("b", burden=1)]
        subset = hard_subset(7, [(one.key, one.axes.burden) for one in tasks])

        found = summarise(tasks, [trial("a", 0, 0.0), trial("b", 0, 1.0)], [subset])

        [hard] = found["hard"]
        assert hard["inside"]["with"]["pass"] == [0.0]
        assert hard["rest"]["with"]["pass"] == [1.0]
        assert hard["hash"] == subset.content_hash

    def test_counts_tokens_of_solved_trials_apart(self) -> None:
        trials = [
            trial("a", 0, 1.0, agent_tokens=100),
            trial("a", 1, 0.0, agent_tokens=10),
            trial("a", 2, 1.0),
        ]

        tokens = summarise([task("a")], trials)["tokens"]

        assert (tokens["solved"]["mean"], tokens["all"]["mean"]) == (100, 55)

    def test_of_nothing_yet_tells_nothing(self) -> None:
        found = summarise([task("a")], [])

        assert found["readings"]["with"]["pass"] == []
        assert found["readings"]["with"]["low"] is None
        assert found["tokens"] is None


class TestCompare:
    def test_is_in_pairs_on_what_both_decide(self) -> None:
        tasks = [task("a"), task("b"), task("c")]
        left = [trial("a", 0, 0.0), trial("b", 0, 1.0), trial("c", 0, None)]
        right = [trial("a", 0, 1.0), trial("b", 0, 1.0), trial("c", 0, 1.0)]

        found = compare(tasks, left, right)["readings"]["with"]

        assert (found["tasks"], found["right_better"], found["even"]) == (2, 1, 1)
        [line] = found["pass"]
        assert (line["left"], line["right"]) == (0.5, 1.0)
        assert line["difference"]["mean"] == 0.5

    def test_counts_tokens_on_tasks_that_both_solved_alone(self) -> None:
        tasks = [task("a"), task("b")]
        left = [trial("a", 0, 1.0, agent_tokens=100), trial("b", 0, 0.0, agent_tokens=1)]  # fmt: skip
        right = [trial("a", 0, 1.0, agent_tokens=60), trial("b", 0, 1.0, agent_tokens=900)]  # fmt: skip

        tokens = compare(tasks, left, right)["tokens"]

        assert (tokens["tasks"], tokens["left"], tokens["right"]) == (1, 100, 60)

    def test_goes_as_far_in_k_as_both_have_trials(self) -> None:
        left = [trial("a", n, 1.0) for n in range(4)]
        right = [trial("a", n, float(n > 0)) for n in range(2)]

        lines = compare([task("a")], left, right)["readings"]["with"]["pass"]

        assert [(x["left"], x["right"]) for x in lines] == [(1.0, 0.5), (1.0, 0.0)]
