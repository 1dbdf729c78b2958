import hashlib
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from environments.core.domain import Archetype, Proposal, TaskClass
from environments.core.environment import Environment
from environments.core.errors import Unidentifiable
from environments.core.query import (
    Arithmetic,
    Best,
    Branch,
    Key,
    Query,
    compare,
    const,
    ref,
)
from environments.core.tools import ToolKind
from tests.understanding import understood_as
from writ_app.engine.errors import InvalidTask
from writ_app.engine.evidence import solve
from writ_app.engine.task_design import Designer
from writ_app.engine.types import Task

PROGRAM = """
import hashlib
from environments.registry import world
from writ_app.engine.evidence import solve
from writ_app.engine.task_design import Designer
shop = world("retail").generated(seed=1, users=200)
mix = dict.fromkeys("R1 R2 R5 R6 R10 R13 W1 W2 W3 W4 N1 N2".split(), 1)
designer = Designer(shop)
tasks = list(designer.design_many(mix, 12, seed=9))
assert len(tasks) == 12
tasks += [designer.compose(2 + seed % 2, seed) for seed in range(4)]
lines = [task.model_dump_json() for task in tasks]
print(hashlib.sha256("\\n".join(lines).encode()).hexdigest())
"""


@pytest.fixture(scope="module")
def designer(shop: Environment) -> Designer:
    return Designer(shop)


@pytest.fixture(scope="module")
def tasks(designer: Designer) -> list[Task]:
    slugs = [archetype.slug for archetype in designer.environment.domain.archetypes]
    return [designer.design(slug, seed) for slug in slugs for seed in range(3)]


def ending(shop: Environment, query: Query, task: Task) -> str:
    """Hash of the state to which the tools lead, or why they lead nowhere."""
    try:
        _, state = solve(shop, query, task.facts, None)
    except Unidentifiable as refused:
        return refused.reason
    return state.effect()


class TestDesign:
    def test_gives_the_same_bytes_in_two_processes(self) -> None:
        hashes = {
            subprocess.run(
                [sys.executable, "-c", PROGRAM],
                env={**os.environ, "PYTHONHASHSEED": seed},
                capture_output=True,
                check=True,
                text=True,
            ).stdout
            for seed in ("1", "2")
        }

        assert len(hashes) == 1
        assert len(hashes.pop().strip()) == hashlib.sha256().digest_size * 2

    def test_reads_back_from_its_own_json(self, tasks: list[Task]) -> None:
        for task in tasks:
            again = Task.model_validate_json(task.model_dump_json())
            assert again == task
            assert again.content_hash == task.content_hash

    def test_writes_exactly_the_gold_state_through_the_tools(
        self, shop: Environment, tasks: list[Task]
    ) -> None:
        for task in tasks:
            session = shop.session()
            for write in task.gold:
                assert shop.tools[write.call.name].kind is ToolKind.WRITE
                assert not session.call(write.call).error
            assert session.state.effect() == task.gold_effect
            assert bool(session.state.changes()) == bool(task.gold)

    def test_of_a_refusal_has_no_gold_and_cites_a_clause_of_the_policy(
        self, shop: Environment, tasks: list[Task]
    ) -> None:
        refusals = [task for task in tasks if task.task_class is TaskClass.REFUSAL]

        assert refusals
        for task in refusals:
            assert task.gold == ()
            assert task.declined in shop.clauses

    def test_of_a_dependent_archetype_ends_elsewhere_in_another_order(
        self, shop: Environment, tasks: list[Task]
    ) -> None:
        archetypes = {archetype.slug: archetype for archetype in shop.domain.archetypes}
        dependent = [task for task in tasks if task.dependent]

        assert {task.archetype for task in dependent} == {"W3", "W4"}
        for task in dependent:
            (permuted,) = archetypes[task.archetype].permuted(task.facts)
            ends = ending(shop, permuted, task)
            assert ends != task.gold_effect
            assert (ends == "illegal") == (task.archetype == "W3")

    def test_asks_before_each_write_for_what_that_write_rests_on(
        self, tasks: list[Task]
    ) -> None:
        """W2 returns from one order and cancels another: neither write needs to wait for the other's order."""
        for task in tasks:
            assert {n for write in task.gold for n in write.needs} == set(
                range(len(task.certificate if task.gold else ()))
            )
            if task.archetype == "W2":
                for write in task.gold:
                    orders = [
                        task.certificate[n].call.arguments["order_id"]
                        for n in write.needs
                        if task.certificate[n].call.name == "get_order_details"
                    ]
                    assert orders == [write.call.arguments["order_id"]]
                    assert {0, 1} <= set(write.needs)

    def test_makes_two_different_fallbacks_when_the_gift_card_is_used_up(
        self, tasks: list[Task]
    ) -> None:
        for task in tasks:
            if task.archetype == "W4":
                paid = [
                    write.call.arguments["payment_method_id"] for write in task.gold
                ]
                assert paid[0].startswith("gift_card")
                assert paid[1] != paid[0]

    def test_keeps_away_from_the_people_it_is_told_to_avoid(
        self, shop: Environment
    ) -> None:
        everybody = list(shop.state.collections["users"])
        spared = everybody[:30]

        tasks = [Designer(shop, avoid=spared).design("R1", seed) for seed in range(8)]

        people = {task.certificate[1].call.arguments["user_id"] for task in tasks}
        assert not people & set(spared)

    def test_refuses_an_archetype_that_nobody_fits(self, shop: Environment) -> None:
        with pytest.raises(InvalidTask, match="could be proved") as refused:
            Designer(shop, avoid=shop.state.collections["users"]).design(
                "R1", 1, draws=50
            )

        assert refused.value.reason == "exhausted"


class TestWords:
    def test_lead_back_to_the_query_and_to_nothing_else(
        self, shop: Environment, tasks: list[Task]
    ) -> None:
        domain = shop.domain
        queries = {archetype.slug: archetype.query for archetype in domain.archetypes}
        for task in tasks:
            understood = understood_as(task.archetype, task.text, task.facts, domain)
            known = {
                name: value
                for name, value in task.facts.items()
                if name not in understood.facts
            }
            assert queries[task.archetype]({**known, **understood.facts}) == task.query

    def test_vary(self, designer: Designer) -> None:
        texts = Counter(designer.design("R1", seed).text for seed in range(40))
        openings = {text.split(".")[0].split("?")[0][:12] for text in texts}

        assert len(texts) >= 38
        assert len(openings) >= 5

    def test_rule_out_the_readings_that_would_give_another_answer(
        self, shop: Environment, designer: Designer
    ) -> None:
        archetypes = {archetype.slug: archetype for archetype in shop.domain.archetypes}
        ruled_out = 0
        for slug, seed in [
            (slug, seed) for slug in ("R1", "R2", "R5", "R6") for seed in range(6)
        ]:
            task = designer.design(slug, seed)
            said = {clause.name for clause in task.clauses}
            for reading in archetypes[slug].readings(task.facts):
                try:
                    solved, _ = solve(shop, reading.query, task.facts, None)
                    same = list(solved.gold) == [write.call for write in task.gold]
                except Unidentifiable:
                    same = False
                assert same or reading.ruled_out_by in said
                ruled_out += not same
        assert ruled_out >= 5

    def test_must_have_the_clause_that_is_said_to_rule_a_reading_out(
        self, shop: Environment
    ) -> None:
        r6 = next(
            archetype for archetype in shop.domain.archetypes if archetype.slug == "R6"
        )
        mistyped = replace(
            r6,
            readings=lambda facts: [
                replace(r6.readings(facts)[0], ruled_out_by="totl")
            ],
        )
        spoilt = replace(shop, domain=replace(shop.domain, archetypes=(mistyped,)))

        with pytest.raises(ValueError, match="no clause 'totl'"):
            list(Designer(spoilt).design_many({"R6": 1}, 12, seed=1))


class TestLints:
    """Requests that could be answered and are still refused."""

    def test_refuse_a_part_of_the_objective_that_is_the_same_for_all(
        self, shop: Environment
    ) -> None:
        def with_shipping(query: Query) -> Query:
            """The price and what the present version costs: that decides nothing."""
            steps = list(query.steps)
            number = next(n for n, s in enumerate(steps) if isinstance(s, Best))
            best = steps[number]
            assert isinstance(best, Best)
            price = best.objective[0].value
            total = Arithmetic(op="+", left=price, right=ref("item.price"))
            steps[number] = best.model_copy(update={"objective": (Key(value=total),)})
            return Query(steps=tuple(steps))

        assert reasons(shop, "R1", with_shipping) == {"idle_term"}

    def test_refuse_a_limit_that_nothing_gets_past(self, shop: Environment) -> None:
        def with_no_limit(query: Query) -> Query:
            *steps, branch = query.steps
            assert isinstance(branch, Branch)
            always = compare(ref("card.balance"), "ge", const(-1.0))
            return Query(
                steps=(*steps, branch.model_copy(update={"condition": always}))
            )

        assert reasons(shop, "R10", with_no_limit) == {"one_sided"}

    def test_refuse_what_the_user_knows_and_never_says(self, shop: Environment) -> None:
        r1 = archetype_of(shop, "R1")

        def with_a_secret(*draw: Any) -> Proposal | None:
            proposal = r1.propose(*draw)
            if proposal is None:
                return None
            return replace(proposal, facts={**proposal.facts, "shoe_size": "44"})

        spoilt = with_archetype(shop, replace(r1, propose=with_a_secret))
        designer = Designer(spoilt)
        with pytest.raises(InvalidTask):
            designer.design("R1", 1, draws=20)

        assert designer.report.refused.keys() - {"no_fit"} == {"unsaid"}

    def test_let_whoever_orders_refuse_a_finished_task(self, shop: Environment) -> None:
        designer = Designer(shop, refuse=lambda task: "too_plain")

        with pytest.raises(InvalidTask):
            designer.design("R1", 1, draws=5)

        assert designer.report.refused["too_plain"] >= 1


def archetype_of(shop: Environment, slug: str) -> Archetype:
    return next(one for one in shop.domain.archetypes if one.slug == slug)


def with_archetype(shop: Environment, archetype: Archetype) -> Environment:
    return replace(shop, domain=replace(shop.domain, archetypes=(archetype,)))


def reasons(shop: Environment, slug: str, spoil: Callable[[Query], Query]) -> set[str]:
    """Why draws are refused once the archetype's query is spoilt, beside those that did not fit."""
    archetype = archetype_of(shop, slug)
    spoilt = replace(
        archetype,
        query=lambda facts: spoil(archetype.query(facts)),
        readings=lambda facts: [],
    )
    designer = Designer(with_archetype(shop, spoilt))
    with pytest.raises(InvalidTask):
        designer.design(slug, 1, draws=20)
    return designer.report.refused.keys() - {"no_fit", "illegal", "too_few"}


class TestDesignMany:
    def test_gives_different_tasks_by_weight_and_leaves_out_what_cannot_be_had(
        self, shop: Environment
    ) -> None:
        tasks = list(
            Designer(shop).design_many({"R1": 2.0, "R5": 1.0, "W2": 0.0}, 12, seed=1)
        )

        assert Counter(task.archetype for task in tasks) == {"R1": 8, "R5": 4}
        assert len({task.content_hash for task in tasks}) == 12
