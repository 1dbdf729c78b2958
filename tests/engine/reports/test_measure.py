import json
import random
from typing import Any

from tests.engine.reports.made import (
    WORDS,
    Listed,
    call,
    note_of,
    observed,
    said,
    world,
)
from tests.engine.talks import small_shop, task_of
from tests.engine.test_decontamination import benchmark_task
from writ_app.engine.decontamination import BenchmarkIndex
from writ_app.engine.export.records import Record
from writ_app.engine.reports import (
    DatasetSource,
    Observed,
    Options,
    measure,
    note_of_benchmark,
)
from writ_app.engine.reports.objections import objections
from writ_app.engine.types import Task

SLUGS = ("R1", "R5", "R8", "N1", "W2")


def report_of(*found: Observed, **more: Any) -> dict[str, Any]:
    return measure(Listed(found), WORDS, **more)


class TestAReport:
    def test_is_the_same_whatever_the_order(self) -> None:
        found = [observed(slug, seed=n) for slug in SLUGS for n in range(3)]
        one = report_of(*found)
        random.Random(1).shuffle(found)

        assert json.dumps(report_of(*found)) == json.dumps(one)

    def test_counts_what_a_reader_counts(self) -> None:
        one = said(
            {"role": "assistant", "content": "Hello there"},
            {"role": "user", "content": "one two three"},
            call("get_user_details", "1", user_id="x"),
            {"role": "tool", "tool_call_id": "1", "content": "no", "error": True},
            call("cancel_pending_order", "2", order_id="#W1"),
            {"role": "tool", "tool_call_id": "2", "content": "yes it is"},
        )

        sizes = report_of(one)["sizes"]

        parts = {name: tally["total"] for name, tally in sizes["parts"].items()}
        assert parts == {
            "messages": 6,
            "user": 1,
            "assistant": 1,
            "calls": 2,
            "reads": 1,
            "writes": 1,
            "failed_calls": 1,
        }
        tokens = {name: tally["total"] for name, tally in sizes["tokens"].items()}
        assert (tokens["user"], tokens["assistant"], tokens["tool"]) == (3, 2, 4)
        assert tokens["whole"] == sum(tokens.values()) - tokens["whole"]
        assert sizes["tokenizer"] == "words"

    def test_counts_accepted_ones_and_of_others_only_how_many_and_why(self) -> None:
        found = report_of(
            observed("R1", accepted=True),
            observed("R1", seed=1, accepted=False, reason="writes", owner="agent"),
        )

        assert found["observed"] == 2
        assert found["sizes"]["trajectories"] == 1
        assert found["cells"]["rate"] == 0.5
        assert found["cells"]["reasons"] == [
            {"reason": "writes", "owner": "agent", "count": 1}
        ]
        (cell, *_) = found["cells"]["cells"]
        assert cell["attempts"] is not None

    def test_counts_rejected_ones_where_they_are_what_is_asked_for(self) -> None:
        one = observed("R1", accepted=False, reason="writes")
        options = Options(WORDS.count, "words", everything=True)

        assert measure(Listed([one]), options)["sizes"]["trajectories"] == 1

    def test_tells_tasks_and_people_apart(self) -> None:
        """Two conversations about one task, one about another."""
        found = report_of(
            observed("R1", key="a"), observed("R1", key="b"), observed("N1", key="c")
        )["sizes"]

        assert found["tasks"] == 2
        assert found["per_task"]["most"] == 2

    def test_of_nothing_has_nothing_and_says_so(self) -> None:
        found = report_of()

        assert found["sizes"]["trajectories"] == 0
        assert found["cells"]["cells"] == []
        assert found["evidence"]["coverage"] is None
        assert found["tools"]["distance"] is None
        content = {"report": found, "context": None, "calibration": None}
        answers = {row["objection"]: row["status"] for row in objections(content)}
        assert answers["Right for the wrong reason."] == "not measured"
        assert answers["It is contaminated."] == "not measured"

    def test_does_not_grow_with_what_is_the_same(self) -> None:
        few, many = (
            len(json.dumps(report_of(*[observed("R1", key=str(n)) for n in range(k)])))
            for k in (10, 400)
        )

        assert many < few * 1.5


class TestTrials:
    def outcomes(self, *won: bool, **facts: Any) -> dict[str, Any]:
        return report_of(
            *(
                observed("R1", key=str(n), accepted=one, reason="" if one else "writes")
                for n, one in enumerate(won)
            )
        )["trials"]

    def test_succeed_together_as_drawn_without_putting_back(self) -> None:
        """Of four trials three succeeded: two drawn both do with 3·2/(4·3)."""
        found = self.outcomes(True, True, True, False)

        assert found["pass"] == [[1, 0.75, 1], [2, 0.5, 1], [3, 0.25, 1], [4, 0.0, 1]]
        assert found["mixed"] == 1.0

    def test_count_by_reward_where_there_is_one(self) -> None:
        found = report_of(
            *(said({"role": "user", "content": "a"}, key=str(n), reward=reward) for n, reward in enumerate((1.0, 0.0)))
        )["trials"]  # fmt: skip

        assert found["by_reward"]
        assert found["pass"][0] == [1, 0.5, 1]


class TestConduct:
    def test_compares_what_was_asked_for_with_what_came_out(self) -> None:
        found = report_of(
            observed("R1", key="a", behaviour={"disclosure": "upfront"}, realised={"disclosure": "upfront"}),
            observed("R1", key="b", behaviour={"disclosure": "upfront"}, realised={"disclosure": "stepwise"}),
        )["conduct"]  # fmt: skip

        assert found["kept"] == 0.5
        (dimension,) = found["dimensions"]
        values = {v["value"]: (v["asked"], v["came"]) for v in dimension["values"]}
        assert values["upfront"] == (2, 1)


class TestPurity:
    def index(self, task: Task) -> BenchmarkIndex:
        person = task.person
        return BenchmarkIndex(
            small_shop(), [benchmark_task(1, known=f"You are {person}.")]
        )

    def test_finds_a_task_that_shares_its_person(self) -> None:
        task = task_of("R1")
        source = Listed([observed("R1")], [task])

        (found,) = measure(source, WORDS, indexes={"b": self.index(task)})["purity"]

        assert (found["benchmark"], found["tasks"], found["gated"]) == ("b", 1, 1)
        assert ["entity", 2] in found["kinds"] or ["entity", 1] in found["kinds"]
        assert found["examples"][0]["shared"]

    def test_finds_what_only_the_user_says(self) -> None:
        task = task_of("R1")
        talk = said({"role": "user", "content": f"I am {task.person}."})

        (found,) = measure(Listed([talk]), WORDS, indexes={"b": self.index(task)})[
            "purity"
        ]

        assert (found["gated"], found["said"]) == (0, 1)

    def test_without_a_benchmark_is_not_measured(self) -> None:
        assert report_of(observed("R1"))["purity"] is None


class FolderLike:
    """A `Dataset` as the engine has them."""

    def __init__(self, *found: Observed):
        self._found = found
        self.worlds = {world().key: world()}
        self.splits = ("train",)

    def records(self, split: str | None = None) -> Any:
        return iter([one.record for one in self._found])

    def tasks(self, world: str | None = None) -> Any:
        found = {task_of(slug).content_hash: task_of(slug) for slug in ("R1", "N1")}
        return iter(sorted(found.items()))


class TestADataset:
    def test_of_canonical_files_is_reported_as_the_same_rows_elsewhere(self) -> None:
        rows = [observed("R1"), observed("N1")]

        of_files = measure(DatasetSource(FolderLike(*rows)), WORDS)

        assert of_files == report_of(*rows)


class TestANote:
    def test_of_a_benchmarks_task_has_its_words_and_writes(self) -> None:
        action = {"name": "cancel_pending_order", "arguments": {}}
        task = benchmark_task(3, reason="Cancel it.", actions=[action])

        note = note_of_benchmark(task, frozenset({"cancel_pending_order"}))

        assert (note.key, note.writes, note.burden) == ("3", 1, None)
        assert "Cancel it." in note.text

    def test_of_our_task_keeps_the_place_of_the_answer(self) -> None:
        note, task = note_of("R1"), task_of("R1")

        assert note.burden == task.burden.total
        assert len(note.reads) == len(task.certificate)
        assert note.hit is None or 1 <= note.hit[0] <= note.hit[1]


def test_a_conversation_in_a_world_that_is_not_here_is_measured_as_far_as_it_goes() -> None:  # fmt: skip
    from dataclasses import replace

    elsewhere = replace(world(), name="elsewhere", tools=())
    record = Record(
        id="1",
        task="t",
        split="",
        world=elsewhere,
        messages=[{"role": "user", "content": "Hi"}, call("look", what="it")],
    )

    found = measure(Listed([Observed(record)], worlds={"elsewhere/": elsewhere}), WORDS)

    assert found["sizes"]["parts"]["calls"]["total"] == 1
    assert found["sizes"]["parts"]["writes"]["total"] == 0
    assert found["origins"]["scripted"] is None
