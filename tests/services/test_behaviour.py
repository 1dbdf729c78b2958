"""Personas and plans as rows, batches that draw from them, and what came of it."""

from collections import Counter

import pytest

from writ_app.engine import behaviour, types
from writ_app.models.accounts import Team, User
from writ_app.models.behaviour import BehaviourPlan, Persona
from writ_app.models.synthesis import Batch
from writ_app.services import accounts, catalog, synthesis
from writ_app.services.synthesis import BadConduct, BadOrder


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


def design(batch: Batch) -> None:
    list(synthesis.design_batch(batch_id=batch.pk))
    batch.refresh_from_db()


def new_plan(team: Team, **changes: object) -> BehaviourPlan:
    row = BehaviourPlan()
    wanted = {
        "title": "Mine",
        "slug": "mine",
        "text": "You hesitate.",
        "dimensions": {"confirmation": ["conditional"]},
        **changes,
    }
    synthesis.save_conduct(row, team=team, **wanted)  # type: ignore[arg-type]
    return row


@pytest.mark.django_db
class TestSyncBuiltIn:
    def test_makes_what_the_engine_has_and_no_more(self, team: Team) -> None:
        plan = BehaviourPlan.objects.get(slug="guarded")
        synthesis.set_enabled(plan, team=team, enabled=False)
        BehaviourPlan.objects.filter(pk=plan.pk).update(title="Spoiled")

        synthesis.sync_built_in()
        synthesis.sync_built_in()

        slugs = BehaviourPlan.objects.values_list("slug", flat=True)
        assert sorted(slugs) == sorted(behaviour.PLANS)
        assert Persona.objects.count() == len(behaviour.PERSONAS)
        plan.refresh_from_db()
        assert plan.value == behaviour.PLANS["guarded"]
        assert plan not in BehaviourPlan.objects.enabled_for(team)


class TestSaveConduct:
    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            ({"slug": "upfront"}, "a plan called upfront already"),
            ({"dimensions": {"tone": ["angry"]}}, "Tone belongs to a persona"),
            ({"dimensions": {"goal_shift": ["sideways"]}}, "has no value sideways"),
            (
                {"dimensions": {"goal_shift": ["add"], "disclosure": ["asked"]}},
                "Goal shift|Disclosure",
            ),
        ],
    )
    def test_refuses_what_cannot_be_played(
        self, team: Team, changes: dict[str, object], says: str
    ) -> None:
        with pytest.raises(BadConduct, match=says):
            new_plan(team, **changes)

    def test_leaves_built_in_rows_alone(self, team: Team) -> None:
        row = BehaviourPlan.objects.get(slug="open")

        with pytest.raises(BadConduct, match="clone it"):
            synthesis.save_conduct(
                row, team=team, title="x", slug="x", text="x", dimensions={}
            )


class TestStartBatch:
    def test_pins_the_repertoire_so_that_later_edits_change_nothing(
        self, team: Team, owner: User
    ) -> None:
        row = new_plan(team)
        batch = order(team, owner, plans=["mine"])
        BehaviourPlan.objects.filter(pk=row.pk).update(dimensions={}, text="Else.")

        design(batch)

        for simulation in batch.simulations.all():
            assert simulation.behaviour["confirmation"] == "conditional"
            assert simulation.ledger["instruction"] == "You hesitate."

    def test_without_plans_draws_from_all_that_are_enabled(
        self, team: Team, owner: User
    ) -> None:
        for row in BehaviourPlan.objects.exclude(slug__in=["upfront", "guarded"]):
            synthesis.set_enabled(row, team=team, enabled=False)

        batch = order(team, owner)
        design(batch)

        plans = Counter(batch.simulations.values_list("plan", flat=True))
        assert plans.keys() == {"upfront", "guarded"}

    def test_says_so_if_nothing_is_enabled(self, team: Team, owner: User) -> None:
        for row in Persona.objects.all():
            synthesis.set_enabled(row, team=team, enabled=False)

        with pytest.raises(BadOrder, match="Every persona is disabled"):
            order(team, owner)

    @pytest.mark.parametrize("number", [0, 13])
    def test_limits_the_plans_per_task(
        self, team: Team, owner: User, number: int
    ) -> None:
        with pytest.raises(BadOrder, match="Between 1 and 12 plans"):
            order(team, owner, plans_per_task=number)


class TestDesignBatch:
    def test_plays_each_task_under_several_plans(self, team: Team, owner: User) -> None:
        batch = order(team, owner, ordered=7, plans_per_task=3)

        design(batch)

        played = Counter(batch.simulations.values_list("task", flat=True))
        assert sorted(played.values()) == [1, 3, 3]
        pairs = set(batch.simulations.values_list("task", "plan"))
        assert len(pairs) == batch.simulations.count() == 7
        assert sum(batch.design_report["designed"].values()) == 3

    def test_draws_the_same_again_if_it_is_interrupted(
        self, team: Team, owner: User
    ) -> None:
        whole, cut = order(team, owner), order(team, owner, name="Cut")
        begun = synthesis.design_batch(batch_id=cut.pk)
        next(begun), next(begun)
        begun.close()

        design(whole)
        design(cut)

        drawn = [
            list(
                batch.simulations.order_by("id").values_list(
                    "plan", "persona", "behaviour", "ledger"
                )
            )
            for batch in (whole, cut)
        ]
        assert drawn[0] == drawn[1]

    def test_reports_what_tasks_had_no_room_for(self, team: Team, owner: User) -> None:
        batch = order(team, owner)

        design(batch)

        void = batch.design_report["behaviour"]["void"]
        assert void["packaging"]["at_once"] == {"one_part": 4}
        assert void["policy_pressure"]["appeals"] == {"not_refused": 4}


class TestLedgerOf:
    def test_is_the_one_that_was_pinned(self, team: Team, owner: User) -> None:
        batch = order(team, owner, ordered=1)
        design(batch)
        simulation = batch.simulations.get()
        task = types.Task.model_validate(simulation.task.content)

        ledger = synthesis.ledger_of(simulation, task)

        assert ledger.behaviour == simulation.behaviour
        assert ledger.persona == simulation.persona

    def test_follows_from_the_plan_for_simulations_without_one(
        self, team: Team, owner: User
    ) -> None:
        batch = order(team, owner, ordered=1, plans=["incremental"])
        design(batch)
        simulation = batch.simulations.get()
        simulation.ledger = None
        task = types.Task.model_validate(simulation.task.content)

        ledger = synthesis.ledger_of(simulation, task)

        assert ledger.plan == "incremental"
        assert any(line.release == "asked" for line in ledger.lines)


class TestBehaviourMarginals:
    def test_compares_what_was_asked_with_what_came_out(
        self, team: Team, owner: User
    ) -> None:
        batch = order(team, owner, plans=["upfront", "incremental"])
        design(batch)
        first, *_ = batch.simulations.order_by("id")
        synthesis.run_simulation(simulation_id=first.pk)

        lines = {
            (one.dimension.slug, line.slug): line
            for one in synthesis.behaviour_marginals(batch)
            for line in one.lines
        }

        asked = [line for (d, _), line in lines.items() if d == "disclosure"]
        assert sum(line.requested for line in asked) == 4
        assert sum(line.finished for line in asked) == 1
        own = lines["disclosure", first.behaviour["disclosure"]]
        assert (own.finished, own.kept, own.share) == (1, 1, 100)

    def test_comes_as_json_with_what_there_was_no_room_for(
        self, team: Team, owner: User
    ) -> None:
        batch = order(team, owner)
        design(batch)

        counts = synthesis.marginals_json(batch)

        tones = counts["dimensions"]["tone"].values()
        assert sum(tone["requested"] for tone in tones) == 4
        assert counts["void"]["packaging"]["at_once"] == {"one_part": 4}
