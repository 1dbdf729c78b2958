"""The gate at drafting: what shares something with a benchmark, however disguised, is refused with the reason; what is clean is not."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from tests.engine.test_decontamination_gate import (
    RETAIL,
    Bench,
    _bench,
    longest,
    scenario_said,
)
from tests.factories import make_batch, make_owner, team_of
from writ_app.engine.behaviour import PLANS, make_ledger
from writ_app.engine.scripted import cast
from writ_app.engine.simulation import simulate
from writ_app.engine.task_design import Designer
from writ_app.engine.types import Task, Trajectory
from writ_app.engine.verification import verify
from writ_app.models.release import DraftStage, Release
from writ_app.models.review import ReviewSlot
from writ_app.models.synthesis import Simulation, SimulationStatus
from writ_app.models.synthesis import Trajectory as TrajectoryRow
from writ_app.services import catalog
from writ_app.services.catalog.references import import_reference
from writ_app.services.release import (
    Recipe,
    choose_members,
    draft_release,
    order_choice,
)
from writ_app.services.release.gates import gates

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(240)]
CLEAN = 6


@pytest.fixture
def bench(tau2_root: Path) -> Bench:
    return _bench(tau2_root, "retail")


@pytest.fixture
def owner() -> Any:
    return make_owner(name="ada")


@pytest.fixture
def batch(tau2_root: Path, owner: Any) -> Any:
    """Of a world that was imported with its benchmark."""
    row = catalog.import_tau2(root=tau2_root, name="retail")
    return make_batch(team=team_of(owner), by=owner, environment=row)


@pytest.fixture
def clean(batch: Any, bench: Bench) -> list[Any]:
    """Approved trajectories that keep away from the benchmark's people."""
    environment = catalog.load_environment(batch.environment)
    designer = Designer(environment, avoid=bench.index.people)
    rows = []
    for seed in range(CLEAN):
        task = designer.design("R1", seed)
        rows.append(approve(batch, task, play(environment, task), seed))
    return rows


def play(environment: Any, task: Task) -> Trajectory:
    ledger = make_ledger(task, PLANS["upfront"], random.Random(0))
    players = cast(environment, task, ledger, "")
    talk = simulate(
        environment=players.environment,
        task=task,
        ledger=ledger,
        agent=players.agent,
        user=players.user,
        seed=0,
    )
    assert verify(
        environment=environment, task=task, trajectory=talk, ledger=ledger
    ).accepted
    return talk


def approve(batch: Any, task: Task, talk: Trajectory, seed: int) -> Any:
    simulation = Simulation.objects.create(
        batch=batch,
        task=catalog.store_task(environment=batch.environment, task=task),
        plan=talk.plan,
        seed=seed,
        status=SimulationStatus.DONE,
        attempt=1,
    )
    row = TrajectoryRow.objects.create(
        simulation=simulation,
        content=talk.model_dump(mode="json"),
        content_hash=talk.content_hash,
        ended_by=talk.ended_by.value,
        scripted=True,
        steps=len(talk.messages),
        verification={"checks": [], "accepted": True},
        accepted=True,
    )
    ReviewSlot.objects.filter(item=row.pk).update(status="APPROVED")
    return row


def plant(batch: Any, like: Any, task: Task, said: tuple[str, ...], seed: int) -> Any:
    """The task, in a conversation of a clean one, in which its user says this, too."""
    talk = Trajectory.model_validate(like.content)
    first = next(n for n, one in enumerate(talk.messages) if one.role == "user")
    messages = list(talk.messages)
    told = " ".join([messages[first].content, *said])
    messages[first] = messages[first].model_copy(update={"content": told})
    task = task.model_copy(update={"slug": f"planted-{seed}"})
    talk = talk.model_copy(
        update={"messages": tuple(messages), "task_hash": task.content_hash}
    )
    return approve(batch, task, talk, seed)


def chosen(owner: Any, *names: str) -> Release:
    draft = draft_release(
        team=team_of(owner), name="try", by=owner, recipe=Recipe(gates=names)
    )
    choose_members(release_id=draft.pk, revision=order_choice(draft))
    draft.refresh_from_db()
    assert draft.stage == DraftStage.READY, draft.trouble
    return draft


def members(draft: Release) -> set[int]:
    return set(draft.members.values_list("item_id", flat=True))


class TestABenchmark:
    def test_keeps_twenty_disguised_tasks_out_and_no_clean_one(
        self, batch: Any, owner: Any, bench: Bench, clean: list[Any]
    ) -> None:
        planted = {
            plant(batch, clean[0], *disguise(bench), 1000 + n).pk: kind
            for n, (disguise, kind) in enumerate(RETAIL.items())
        }
        assert len(planted) == 20
        name = f"{batch.environment.name}/{batch.environment.version}"

        draft = chosen(owner, name)

        assert members(draft) == {row.pk for row in clean}
        refused = {one.item_id: one for one in draft.refusals.all()}
        assert refused.keys() == planted.keys()
        for item, kind in planted.items():
            assert refused[item].reason == "contaminated"
            assert f"{kind} " in refused[item].detail
            assert f"(tasks of {batch.environment})" in refused[item].detail

    def test_that_no_recipe_names_keeps_nothing_out(
        self, batch: Any, owner: Any, bench: Bench, clean: list[Any]
    ) -> None:
        row = plant(batch, clean[0], *scenario_said(bench), 1000)

        assert row.pk in members(chosen(owner))


class TestAReferenceSet:
    def test_keeps_out_what_its_users_said(
        self, batch: Any, owner: Any, bench: Bench, clean: list[Any], tmp_path: Path
    ) -> None:
        path = tmp_path / "theirs.jsonl"
        said = {"role": "user", "content": bench.reason(longest(bench))}
        path.write_text(json.dumps({"messages": [said]}) + "\n")
        row = import_reference(path=path, environment=batch.environment).row
        bad = plant(batch, clean[0], *scenario_said(bench), 1000)
        name = f"set:{row.content_hash[:12]}"
        assert name in [one.name for one in gates(team_of(owner))]

        draft = chosen(owner, name)

        assert members(draft) == {one.pk for one in clean}
        refusal = draft.refusals.get()
        assert (refusal.item_id, refusal.reason) == (bad.pk, "contaminated")
        assert "(conversations of theirs.jsonl" in refusal.detail

    def test_of_another_team_is_no_gate(
        self, batch: Any, owner: Any, tmp_path: Path
    ) -> None:
        path = tmp_path / "theirs.jsonl"
        path.write_text('{"messages": [{"role": "user", "content": "Hi"}]}\n')
        other = team_of(make_owner())
        import_reference(path=path, environment=batch.environment, team=other)

        assert [one.title for one in gates(other)][1:]
        assert not [one for one in gates(team_of(owner)) if one.name.startswith("set:")]
