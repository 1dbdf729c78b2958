"""Requests about airline reservations, played: what the scripted agent does by the proof breaks no clause of the policy."""

import random

import pytest

from environments.airline import generated
from environments.airline.archetypes import (
    both,
    cabins,
    endings,
    fares,
    refusals,
    trips,
)
from environments.core.domain import TaskClass
from environments.core.policy import Event, PolicyTrace
from writ_app.engine.behaviour import PLANS, make_ledger
from writ_app.engine.scripted import ScriptedAgent, ScriptedUser
from writ_app.engine.simulation import simulate
from writ_app.engine.task_design import Designer
from writ_app.engine.types import Task
from writ_app.engine.verification import verify

AIRLINE = generated(seed=1, users=200)
DESIGNER = Designer(AIRLINE)
MODULES = (both, cabins, endings, fares, refusals, trips)
OURS = {
    archetype.slug: archetype for module in MODULES for archetype in module.ARCHETYPES
}
REFUSED = [a.slug for a in OURS.values() if a.task_class is TaskClass.REFUSAL]


@pytest.fixture(scope="module")
def tasks() -> dict[tuple[str, int], Task]:
    return {}


def design(tasks: dict[tuple[str, int], Task], slug: str, seed: int) -> Task:
    if (slug, seed) not in tasks:
        tasks[slug, seed] = DESIGNER.design(slug, seed, draws=120)
    return tasks[slug, seed]


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("slug", OURS)
def test_is_played_without_a_breach(
    tasks: dict[tuple[str, int], Task], slug: str, seed: int
) -> None:
    task = design(tasks, slug, seed)
    ledger = make_ledger(task, PLANS["upfront"], random.Random(seed))
    trajectory = simulate(
        environment=AIRLINE,
        task=task,
        ledger=ledger,
        agent=ScriptedAgent(AIRLINE, task, ledger),
        user=ScriptedUser(task, ledger),
        seed=seed,
    )
    verification = verify(
        environment=AIRLINE, task=task, trajectory=trajectory, ledger=ledger
    )
    checks = {check.name: check for check in verification.checks}
    # Where a value comes from is not about reservations: see tests/engine/test_worlds.py.
    del checks["provenance"]

    assert [check for check in checks.values() if not check.passed] == []
    assert "None of" in checks["policy"].finding


@pytest.mark.parametrize("slug", OURS)
def test_ends_as_its_class_says(tasks: dict[tuple[str, int], Task], slug: str) -> None:
    task, kind = design(tasks, slug, 0), OURS[slug].task_class

    assert bool(task.declined) == (kind is TaskClass.REFUSAL)
    assert bool(task.transferred) == (kind is TaskClass.TRANSFER)
    assert bool(task.told) == (kind is TaskClass.INFORMATION)
    assert len(task.gold) >= {
        TaskClass.READ_HEAVY: 1,
        TaskClass.WRITE_INTENSIVE: 1 if slug == "W4" else 2,
    }.get(kind, 0)
    assert task.burden.total > 0


@pytest.mark.parametrize("slug", [slug for slug in REFUSED if slug != "N3"])
def test_what_is_refused_would_be_a_breach(
    tasks: dict[tuple[str, int], Task], slug: str
) -> None:
    """The tools let the forbidden write through, and the clause that refuses it is what its judge names."""
    task = design(tasks, slug, 0)
    reads = [read.call for read in task.certificate]
    session = AIRLINE.session()
    call = AIRLINE.domain.words.forbidden_write(task.declined, reads, session.state)
    assert call is not None
    events = [Event(0, "user", f"I'm {task.facts['user_id']}. {task.text}")]
    for index, made in enumerate([*reads, call], start=1):
        kind = AIRLINE.tools[made.name].kind
        result = session.call(made)
        assert not result.error, result.content
        events.append(Event(index, "agent", call=made, result=result, kind=kind))
    trace = PolicyTrace(tuple(events), AIRLINE.session().state, AIRLINE.domain.lexicon)
    broken = {
        check.clause
        for check in AIRLINE.domain.policy_checks
        for _ in check.judge(trace)
    }

    assert task.declined in broken


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("slug", ["A15", "W1", "W4", "N1", "N8"])
def test_every_status_that_has_to_be_looked_up_is_proved(
    tasks: dict[tuple[str, int], Task], slug: str, seed: int
) -> None:
    """Of a trip with a connection one search would show both flights, and spare one of the two looks."""
    task = design(tasks, slug, seed)

    assert "get_flight_status" in {read.call.name for read in task.certificate}
    assert task.burden.exact


def test_there_are_enough_kinds() -> None:
    writing = [a for a in OURS.values() if a.slug not in REFUSED]

    assert len(writing) >= 20
    assert len(REFUSED) >= 5


def test_orders_matter_where_they_are_said_to(
    tasks: dict[tuple[str, int], Task],
) -> None:
    first, second = design(tasks, "W3", 0).gold

    assert first.call.arguments["payment_id"].startswith("gift_card_")
    assert second.call.arguments["payment_id"].startswith("credit_card_")


def test_branches_both_ways() -> None:
    tools = {DESIGNER.design("A17", seed).gold[0].call.name for seed in range(12)}

    assert tools == {"update_reservation_flights", "update_reservation_baggages"}
