"""Every world that has requests goes the whole path: design, simulate, verify, export."""

import random

import pytest

from environments.registry import names, world
from tests.engine.export.losses import FOR_TRAINERS, expected, stored
from writ_app.engine.behaviour import PLANS, make_ledger
from writ_app.engine.export.formats import FORMATS
from writ_app.engine.export.options import Options
from writ_app.engine.export.records import record_of, world_of
from writ_app.engine.scripted import ScriptedAgent, ScriptedUser
from writ_app.engine.simulation import simulate
from writ_app.engine.task_design import Designer
from writ_app.engine.verification import verify

WORLDS = {name: world(name).generated(seed=1, users=200) for name in names()}
"""As many people as `manage.py design` makes: some requests fit fewer than one customer in fifty, and none of sixty."""
DESIGNERS = {
    name: Designer(environment)
    for name, environment in WORLDS.items()
    if environment.domain.archetypes
}
REQUESTS = [
    (name, archetype.slug)
    for name in DESIGNERS
    for archetype in WORLDS[name].domain.archetypes
]


@pytest.mark.parametrize(("name", "slug"), REQUESTS)
class TestWholePath:
    def test_proves_every_read_that_it_counts(self, name: str, slug: str) -> None:
        task = DESIGNERS[name].design(slug, 0)

        assert task.burden.total > 0
        asked = bool(task.gold or task.told)
        assert asked + bool(task.declined) + bool(task.transferred) == 1

    def test_is_accepted_under_every_plan_and_exported(
        self, name: str, slug: str
    ) -> None:
        environment = WORLDS[name]
        task = DESIGNERS[name].design(slug, 0)
        for plan in ("upfront", "incremental", "corrected"):
            ledger = make_ledger(task, PLANS[plan], random.Random(0))
            trajectory = simulate(
                environment=environment,
                task=task,
                ledger=ledger,
                agent=ScriptedAgent(environment, task, ledger),
                user=ScriptedUser(task, ledger),
                seed=0,
            )
            verification = verify(
                environment=environment, task=task, trajectory=trajectory, ledger=ledger
            )
            failed = [check for check in verification.checks if not check.passed]
            assert failed == []
            record = record_of(world_of(environment), task, trajectory)
            for slug in FOR_TRAINERS:
                form = FORMATS[slug]
                *_, row = stored(form, [*form.rows(record, Options())])
                assert form.parse(row) == expected(form, record, Options())


class TestRental:
    """What the third world is there for: long comparisons, both sides of a branch, writes whose order matters."""

    def test_asks_for_every_search_of_a_window(self) -> None:
        tasks = [DESIGNERS["rental"].design("E1", seed) for seed in range(4)]

        for task in tasks:
            searches = [r for r in task.certificate if r.call.name == "search_units"]
            assert task.burden.exact
            assert task.burden.candidates == len(searches) >= 4
            assert all(read.witness for read in searches)

    def test_branches_both_ways(self) -> None:
        tasks = [DESIGNERS["rental"].design("E4", seed) for seed in range(10)]

        assert {task.gold[0].call.name for task in tasks} == {
            "swap_unit",
            "add_insurance",
        }

    def test_spends_the_credit_on_the_first_and_not_on_the_second(self) -> None:
        task = DESIGNERS["rental"].design("W2", 1)

        first, second = (w.call.arguments["payment_method_id"] for w in task.gold)
        assert task.dependent
        assert first.startswith("credit_")
        assert second.startswith("card_")
