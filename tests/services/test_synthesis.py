"""Batches on the real database; the job layer is played by hand, so that each step can be looked at."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from tests.fakes import ListedChat
from writ_app.engine import types
from writ_app.engine.filling import Filler
from writ_app.engine.llm import Completion
from writ_app.engine.paraphrase import Paraphrase
from writ_app.models.accounts import Team, User
from writ_app.models.catalog import ReferenceTask, Task
from writ_app.models.synthesis import (
    Batch,
    BatchStatus,
    Simulation,
    Trajectory,
)
from writ_app.services import accounts, catalog, synthesis
from writ_app.services.synthesis import BadOrder, batches


@pytest.fixture
def owner(db: None) -> User:
    return User.objects.create_user(username="olga", password="x")


@pytest.fixture
def team(owner: User) -> Team:
    return accounts.create_team(name="Team", owner=owner)


def order(team: Team, owner: User, **changes: object) -> Batch:
    wanted = {
        "team": team,
        "by": owner,
        "name": "Batch",
        "environment": catalog.register_generated(name="retail", seed=7, users=60),
        "seed": 1,
        "ordered": 4,
        "mix": {"R1": 1, "R5": 1},
        **changes,
    }
    return synthesis.start_batch(**wanted)  # type: ignore[arg-type]


def design(batch: Batch) -> list[int]:
    return list(synthesis.design_batch(batch_id=batch.pk))


class TestStartBatch:
    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            ({"ordered": 0}, "between 1 and"),
            ({"ordered": 1_000_000}, "between 1 and"),
            ({"mix": {"R99": 1}}, "no archetype R99"),
            ({"mix": {"R1": 0}}, "weight above 0"),
            ({"plans": ["shouting"]}, "no behaviour plan shouting"),
            ({"fault_share": 1.5}, "between 0 and 1"),
            ({"grid": {"cells": [{"writes": "5", "burden": "15+"}]}}, "cells/0/writes"),
            ({"grid": {"archetypes": {"R99": 1}}}, "no archetype R99"),
            ({"grid": {}, "ordered": 5_001}, "at most 5,000 simulations by grid"),
            (
                {"grid": {"cells": [{"writes": "1", "burden": "15+", "weight": 0}]}},
                "at least one cell",
            ),
        ],
    )
    def test_says_what_is_wrong_with_an_order(
        self, team: Team, owner: User, changes: dict[str, object], says: str
    ) -> None:
        with pytest.raises(BadOrder, match=says):
            order(team, owner, **changes)

        assert not Batch.objects.exists()


class TestDesignBatch:
    def test_makes_one_simulation_per_ordered_task_under_different_plans(
        self, team: Team, owner: User
    ) -> None:
        batch = order(team, owner, plans=["upfront", "incremental", "corrected"])

        ids = design(batch)

        batch.refresh_from_db()
        assert batch.status == BatchStatus.RUNNING
        assert batch.design_report["designed"] == {"R1": 2, "R5": 2}
        simulations = list(batch.simulations.order_by("id"))
        assert [simulation.pk for simulation in simulations] == ids
        plans = Counter(simulation.plan for simulation in simulations)
        assert sorted(plans.values()) == [1, 1, 2]

    def test_interrupted_goes_on_without_doing_anything_twice(
        self, team: Team, owner: User
    ) -> None:
        batch = order(team, owner)
        cut_off = synthesis.design_batch(batch_id=batch.pk)
        first = [next(cut_off), next(cut_off)]
        cut_off.close()

        again = design(batch)

        assert again[:2] == first
        assert batch.simulations.count() == Task.objects.count() == 4

    def test_of_the_same_seed_makes_the_same_tasks(
        self, team: Team, owner: User
    ) -> None:
        one, other = order(team, owner), order(team, owner, name="Again")

        design(one)
        design(other)

        assert Task.objects.count() == 4
        hashes = [
            list(
                batch.simulations.order_by("id").values_list(
                    "task__content_hash", "plan", "seed"
                )
            )
            for batch in (one, other)
        ]
        assert hashes[0] == hashes[1]

    def test_refuses_what_shares_anything_with_the_imported_benchmark(
        self, team: Team, owner: User
    ) -> None:
        design(order(team, owner))
        first, second, *_ = Task.objects.order_by("id")
        environment = first.environment
        for number, (task, splits) in enumerate(
            [(first, ["base", "test"]), (second, ["extra"])]
        ):
            ReferenceTask.objects.create(
                environment=environment,
                task_id=str(number),
                position=number,
                splits=splits,
                content={"id": str(number), "user_scenario": task.text},
            )
        batch = order(team, owner, name="Again")

        design(batch)

        batch.refresh_from_db()
        texts = set(batch.simulations.values_list("task__text", flat=True))
        assert batch.simulations.count() == 4
        assert first.text not in texts
        assert second.text in texts  # not in the split that evaluations load
        report = batch.design_report
        assert report["refused"]["contaminated"] >= 1
        assert sum(report["designed"].values()) == 4
        found = report["decontamination"]
        assert (found["tasks"], found["benchmark_tasks"]) == (4, 1)
        assert found["containment"]["largest"] == 0.0
        assert sum(found["likeness"]["histogram"]) == 4
        assert found["examples"][0]["kind"] == "text"
        assert found["examples"][0]["tasks"] == ["0"]

    def test_says_nothing_of_a_benchmark_where_none_was_imported(
        self, team: Team, owner: User
    ) -> None:
        batch = order(team, owner)

        design(batch)

        batch.refresh_from_db()
        assert "decontamination" not in batch.design_report

    def test_stops_when_the_batch_is_cancelled(self, team: Team, owner: User) -> None:
        batch = order(team, owner)
        designing = synthesis.design_batch(batch_id=batch.pk)
        next(designing)

        synthesis.cancel_batch(batch=batch)

        assert list(designing) == []
        batch.refresh_from_db()
        assert batch.status == BatchStatus.CANCELLED

    @pytest.mark.django_db(transaction=True)
    def test_is_done_by_one_process_at_a_time(self, team: Team, owner: User) -> None:
        batch = order(team, owner)
        designing = synthesis.design_batch(batch_id=batch.pk)
        next(designing)
        others: list[list[int]] = []

        def elsewhere() -> None:
            others.append(design(batch))
            connection.close()

        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()

        assert others == [[]]
        assert len(list(designing)) == 3


def grid_of(*cells: tuple[str, str, float]) -> dict[str, object]:
    return {
        "cells": [
            {"writes": writes, "burden": burden, "weight": weight}
            for writes, burden, weight in cells
        ]
    }


FULL = grid_of(("0", "1-3", 3), ("1", "4-6", 3))
"""What a small rental desk fills at once."""


class TestDesignBatchByGrid:
    def order(
        self, team: Team, owner: User, grid: dict[str, object], **changes: object
    ) -> Batch:
        environment = catalog.register_generated(name="rental", seed=3, users=40)
        wanted = {"environment": environment, "ordered": 6, "mix": None, "grid": grid}
        return order(team, owner, **{**wanted, **changes})

    def test_fills_the_cells_and_reports_which_stayed_empty_and_why(
        self, team: Team, owner: User
    ) -> None:
        cells = [
            ("0", "1-3", 2),
            ("1", "4-6", 2),
            ("2-3", "10-14", 1),
            ("1", "15+", 1),
        ]
        batch = self.order(team, owner, grid_of(*cells))

        ids = design(batch)

        batch.refresh_from_db()
        assert batch.status == BatchStatus.RUNNING
        assert len(ids) == batch.simulations.count() == 6
        report = batch.design_report
        lines = {(line["writes"], line["burden"]): line for line in report["grid"]}
        assert {place: line["wanted"] for place, line in lines.items()} == {
            (writes, burden): wanted for writes, burden, wanted in cells
        }
        designed = [
            types.Task.model_validate(content)
            for content in batch.simulations.values_list("task__content", flat=True)
        ]
        found = Counter(task.cell for task in designed)
        assert found == {p: n["filled"] for p, n in lines.items() if n["filled"]}
        assert all(task.burden.exact for task in designed)
        # No single write of a desk rests on so much: what is missing there lies elsewhere, and the cell says why.
        empty = lines["1", "15+"]
        assert empty["filled"] == 0
        assert empty["why"].startswith("exhausted: of ")
        assert all(
            lines[place]["filled"] >= 1 for place in [("0", "1-3"), ("1", "4-6")]
        )
        assert sum(report["designed"].values()) == 6
        assert sum(report["drawn"].values()) == report["draws"]
        assert sum(report["proved"].values()) >= 6
        assert sum(report["refused"].values()) == report["draws"] - sum(
            report["proved"].values()
        )
        view = synthesis.view_design(batch)
        assert view is not None
        assert view.heat is not None
        assert (view.heat.total, view.heat.wanted) == (6, 6)
        assert ("1", "15+") in {(one.writes, one.burden) for one in view.unfilled}

    def test_takes_kinds_of_request_by_their_weight_in_the_mix(
        self, team: Team, owner: User
    ) -> None:
        grid = {"cells": [{"writes": "1", "burden": "4-6"}], "whole": False}
        batch = self.order(team, owner, grid, ordered=3, mix={"E1": 2, "W1": 0})

        design(batch)

        batch.refresh_from_db()
        assert batch.grid is not None
        assert batch.grid["whole"] is False
        tastes = batch.grid["archetypes"]
        assert [slug for slug, taste in tastes.items() if taste] == ["E1"]
        assert set(Task.objects.values_list("archetype", flat=True)) == {"E1"}

    def test_interrupted_or_again_makes_the_same_tasks(
        self, team: Team, owner: User
    ) -> None:
        one, other = (self.order(team, owner, FULL) for _ in range(2))
        cut_off = synthesis.design_batch(batch_id=one.pk)
        first = [next(cut_off), next(cut_off)]
        cut_off.close()

        again = design(one)
        design(other)

        assert again[:2] == first
        assert Task.objects.count() == 6
        tasks = [
            list(batch.simulations.order_by("id").values_list("task", "plan"))
            for batch in (one, other)
        ]
        assert tasks[0] == tasks[1]

    def test_goes_on_when_it_was_paused_after_a_finished_piece(
        self, team: Team, owner: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("writ_app.services.synthesis.design.LEAST_OF_A_PIECE", 2)
        batch = self.order(team, owner, FULL)
        designing = synthesis.design_batch(batch_id=batch.pk)
        for _ in range(4):
            next(designing)
        synthesis.pause_batch(batch=batch)
        assert list(designing) == []
        batch.refresh_from_db()
        assert batch.design_report  # a piece of it

        synthesis.resume_batch(batch=batch)

        batch.refresh_from_db()
        assert batch.status == BatchStatus.DESIGNING
        assert len(design(batch)) == 6

    def test_goes_on_after_the_last_finished_piece(
        self, team: Team, owner: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("writ_app.services.synthesis.design.LEAST_OF_A_PIECE", 2)
        one, other = (self.order(team, owner, FULL, fault_share=0.5) for _ in range(2))
        cut_off = synthesis.design_batch(batch_id=one.pk)
        first = [next(cut_off) for _ in range(3)]
        cut_off.close()
        one.refresh_from_db()
        assert synthesis.view_design(one) is None
        filled = []
        fill = Filler.fill

        def watched(
            self: Filler, count: int, seed: int, shard: int = 0, shards: int = 1
        ) -> Iterator[types.Task]:
            filled.append((shard, shards))
            return fill(self, count, seed, shard, shards)

        monkeypatch.setattr(Filler, "fill", watched)
        again = design(one)

        assert filled == [(1, 3), (2, 3)]
        assert again[:3] == first
        assert len(again) == 6
        design(other)
        one.refresh_from_db()
        other.refresh_from_db()
        assert one.design_report == other.design_report
        tasks = [
            list(
                batch.simulations.order_by("seed").values_list("task", "plan", "fault")
            )
            for batch in (one, other)
        ]
        assert tasks[0] == tasks[1]

    def test_stops_when_the_batch_is_cancelled(self, team: Team, owner: User) -> None:
        batch = self.order(team, owner, FULL)
        designing = synthesis.design_batch(batch_id=batch.pk)
        next(designing)

        synthesis.cancel_batch(batch=batch)

        assert list(designing) == []
        batch.refresh_from_db()
        assert batch.status == BatchStatus.CANCELLED
        assert batch.design_report == {}

    def test_refuses_what_shares_anything_with_the_imported_benchmark(
        self, team: Team, owner: User
    ) -> None:
        design(self.order(team, owner, FULL))
        first = Task.objects.order_by("id")[0]
        ReferenceTask.objects.create(
            environment=first.environment,
            task_id="0",
            position=0,
            splits=["base"],
            content={"id": "0", "user_scenario": first.text},
        )
        batch = self.order(team, owner, FULL)

        design(batch)

        batch.refresh_from_db()
        texts = set(batch.simulations.values_list("task__text", flat=True))
        report = batch.design_report
        assert batch.simulations.count() == 6
        assert first.text not in texts
        assert report["refused"]["contaminated"] >= 1
        assert report["decontamination"]["tasks"] == 6  # kept, not merely clean


class TestRunSimulation:
    def test_stores_a_verified_trajectory_and_closes_the_batch(
        self, team: Team, owner: User
    ) -> None:
        batch = order(team, owner, plans=["upfront", "incremental"])

        for simulation_id in design(batch):
            synthesis.run_simulation(simulation_id=simulation_id)

        batch.refresh_from_db()
        assert batch.status == BatchStatus.DONE
        assert [t.reason for t in Trajectory.objects.all() if not t.accepted] == []
        trajectory = Trajectory.objects.order_by("id")[0]
        content = types.Trajectory.model_validate(trajectory.content)
        assert content.content_hash == trajectory.content_hash
        assert content.task_hash == trajectory.simulation.task.content_hash
        assert trajectory.scripted
        verification = types.Verification.model_validate(trajectory.verification)
        assert verification.accepted
        assert None not in verification.coverage

    def test_keeps_the_order_in_which_a_call_names_its_arguments(
        self, team: Team, owner: User
    ) -> None:
        (first, *_) = design(order(team, owner, mix={"R1": 1}))

        synthesis.run_simulation(simulation_id=first)

        messages = Trajectory.objects.get().content["messages"]
        (exchange,) = [
            call
            for message in messages
            for call in message["tool_calls"]
            if call["name"] == "exchange_delivered_order_items"
        ]
        assert list(exchange["arguments"]) == [
            "order_id",
            "item_ids",
            "new_item_ids",
            "payment_method_id",
        ]

    def test_does_nothing_the_second_time(self, team: Team, owner: User) -> None:
        (first, *_) = design(order(team, owner))

        synthesis.run_simulation(simulation_id=first)
        synthesis.run_simulation(simulation_id=first)

        assert Trajectory.objects.count() == 1
        assert Simulation.objects.get(pk=first).attempt == 1

    def test_with_a_planted_fault_is_rejected_with_a_reason_and_an_owner(
        self, team: Team, owner: User
    ) -> None:
        batch = order(team, owner, fault_share=1.0, ordered=6)

        for simulation_id in design(batch):
            synthesis.run_simulation(simulation_id=simulation_id)

        progress = synthesis.batch_progress(batch)
        assert (progress.accepted, progress.rejected) == (0, 6)
        assert sum(reason.count for reason in progress.reasons) == 6
        assert all(reason.reason and reason.owner for reason in progress.reasons)
        assert all(
            Trajectory.objects.filter(pk=reason.example).exists()
            for reason in progress.reasons
        )

    @pytest.mark.django_db(transaction=True)
    def test_by_eight_workers_at_once_gives_one_outcome(
        self, team: Team, owner: User
    ) -> None:
        (first, *_) = design(order(team, owner))
        barrier = threading.Barrier(8)

        def work() -> None:
            barrier.wait()
            synthesis.run_simulation(simulation_id=first)
            connection.close()

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert Trajectory.objects.filter(simulation=first).count() == 1
        assert Simulation.objects.get(pk=first).attempt == 1


class TestCancelBatch:
    def test_keeps_what_is_done_and_gives_up_what_waits(
        self, team: Team, owner: User
    ) -> None:
        batch = order(team, owner)
        first, *rest = design(batch)
        synthesis.run_simulation(simulation_id=first)

        synthesis.cancel_batch(batch=batch)
        for simulation_id in rest:
            synthesis.run_simulation(simulation_id=simulation_id)

        progress = synthesis.batch_progress(batch)
        assert (progress.done, progress.cancelled, progress.pending) == (1, 3, 0)
        assert Trajectory.objects.count() == 1

    def test_gives_up_what_the_design_adds_meanwhile(
        self, team: Team, owner: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        batch = order(team, owner)
        designing = synthesis.design_batch(batch_id=batch.pk)
        next(designing)
        add = batches._add_simulation

        def cancelled_meanwhile(*args: Any) -> int:
            synthesis.cancel_batch(batch=batch)
            return add(*args)

        monkeypatch.setattr(batches, "_add_simulation", cancelled_meanwhile)
        for _ in designing:
            pass

        progress = synthesis.batch_progress(batch)
        assert (progress.cancelled, progress.pending) == (progress.designed, 0)


class TestBatchProgress:
    def test_takes_two_queries(
        self,
        team: Team,
        owner: User,
        django_assert_num_queries: "pytest.FixtureRequest",
    ) -> None:
        batch = order(team, owner)
        design(batch)

        with django_assert_num_queries(2):  # type: ignore[operator]
            progress = synthesis.batch_progress(batch)

        assert (progress.ordered, progress.designed, progress.pending) == (4, 4, 4)


class TestParaphraseBatch:
    def test_stores_even_what_no_text_column_can_hold(
        self, team: Team, owner: User
    ) -> None:
        batch = order(team, owner, ordered=1, mix={"R5": 1})
        design(batch)
        said = {"wish": "A\x00B", "refund": "\ud800"}
        writer = ListedChat([Completion(content=json.dumps({"clauses": said}))])

        (row,) = synthesis.paraphrase_batch(
            batch=batch, paraphraser=writer, reader=ListedChat([])
        )

        row.refresh_from_db()
        assert (row.accepted, row.reason) == (False, "unreadable")
        assert row.text == "A�B �"
        assert row.task == Task.objects.get()
        assert Paraphrase.model_validate(row.content).text == row.text

    def test_has_composed_requests_reworded_too(self, team: Team, owner: User) -> None:
        grid = grid_of(("2-3", "7-9", 1), ("2-3", "10-14", 1))
        batch = order(team, owner, ordered=1, mix=None, grid=grid)
        design(batch)
        task = Task.objects.get()
        assert task.content["parts"]
        said = {clause["name"]: clause["text"] for clause in task.content["clauses"]}
        writer = ListedChat([Completion(content=json.dumps({"clauses": said}))])
        reader = ListedChat([Completion(content='{"readings": []}')])

        (row,) = synthesis.paraphrase_batch(
            batch=batch, paraphraser=writer, reader=reader
        )

        assert (row.task, row.reason) == (task, "unreadable")
        assert row.text == task.text

    def test_rejects_words_of_the_imported_benchmark(
        self, team: Team, owner: User
    ) -> None:
        batch = order(team, owner, ordered=1, mix={"R5": 1})
        design(batch)
        task = Task.objects.get()
        borrowed = "Seven words of theirs and then one more"
        ReferenceTask.objects.create(
            environment=batch.environment,
            task_id="17",
            position=0,
            content={"id": "17", "user_scenario": {"instructions": borrowed}},
        )
        said = {c["name"]: f"{c['text']} {borrowed}." for c in task.content["clauses"]}
        writer = ListedChat([Completion(content=json.dumps({"clauses": said}))])

        (row,) = synthesis.paraphrase_batch(
            batch=batch, paraphraser=writer, reader=ListedChat([])
        )

        assert (row.accepted, row.reason) == (False, "contaminated")
        assert f"{borrowed.lower()!r} of task 17" in row.content["finding"]

    def test_leaves_kinds_that_are_gone_alone(self, team: Team, owner: User) -> None:
        batch = order(team, owner, ordered=1, mix={"R5": 1})
        design(batch)
        row = Task.objects.get()
        row.content = {**row.content, "archetype": "R99"}
        row.save()
        never = ListedChat([])

        made = synthesis.paraphrase_batch(batch=batch, paraphraser=never, reader=never)

        assert list(made) == []
