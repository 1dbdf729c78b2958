"""Proofs, tried from outside: with the state, the tools and the words of the definition, not with the prover's own steps."""

import gc
import random
from collections.abc import Iterator

import pytest

from environments.core.environment import Environment
from environments.core.errors import Unidentifiable
from environments.core.evaluate import answer
from environments.core.query import (
    Aggregate,
    Branch,
    Decline,
    ListOf,
    Query,
    Selection,
    Write,
    compare,
    const,
    ref,
)
from environments.core.state import Session
from environments.core.tools import ToolCall
from environments.registry import world
from writ_app.engine.collector import seldom_collected
from writ_app.engine.errors import InvalidTask
from writ_app.engine.evidence import Case, Observer, prove, solve
from writ_app.engine.task_design import Designer
from writ_app.engine.types import CertificateRead, Task

SLUGS = ("R1", "R2", "R5", "R6", "R10", "R13", "W1", "W2", "W3", "W4", "N1", "N2")


@pytest.fixture(scope="module")
def tasks(shop: Environment) -> list[Task]:
    """200 tasks over all archetypes."""
    designed = list(Designer(shop).design_many(dict.fromkeys(SLUGS, 1.0), 200, seed=5))
    assert len(designed) == 200
    return designed


def everything_without(
    shop: Environment, facts: dict[str, object], skipped: set[str]
) -> Iterator[ToolCall]:
    """Every read that someone can come to make without the skipped ones, found by plain search over the real tools."""
    session, domain = shop.session(), shop.domain
    waiting, seen = list(domain.first_reads(facts)), set(skipped)
    while waiting:
        call = waiting.pop()
        if call.key in seen:
            continue
        seen.add(call.key)
        yield call
        content = session.call(call).content
        words = content.replace('"', " ").replace(",", " ").replace(":", " ").split()
        waiting += domain.derivable_reads({word.strip("{}[]") for word in words})


def outcome_on(shop: Environment, task: Task, state: Session) -> tuple[object, ...]:
    return answer(
        task.query, task.facts, shop.domain.from_state(state), shop.domain
    ).outcome


def is_swap(read: CertificateRead) -> bool:
    """Whether the witness lets two orders trade their content."""
    return read.witness is not None and all(
        step["path"].count("/") == 2 for step in read.witness.patch
    )


class TestWitness:
    def test_every_read_has_one_or_is_not_counted(self, tasks: list[Task]) -> None:
        for task in tasks:
            proved = [read for read in task.certificate if read.witness is not None]
            assert task.burden.total == len(proved)
            assert task.burden.exact == (len(proved) == len(task.certificate))
            split = (
                task.burden.identity
                + task.burden.discovery
                + task.burden.candidates
                + task.burden.rules
            )
            assert split == task.burden.total

    def test_most_tasks_are_proved_whole(self, tasks: list[Task]) -> None:
        assert sum(task.burden.exact for task in tasks) >= 0.9 * len(tasks)

    def test_flips_the_answer_while_those_who_skip_the_read_see_nothing(
        self, shop: Environment, tasks: list[Task]
    ) -> None:
        """Checked by plain search for one task per archetype: slow, and independent of the prover."""
        chosen = {task.archetype: task for task in tasks}
        checked = 0
        for task in chosen.values():
            ours = outcome_on(shop, task, Session(shop.state))
            for read in task.certificate:
                if read.witness is None or is_swap(read):
                    continue  # reads that others can replace are looked at below
                state = Session(shop.state)
                state.apply_patch(read.witness.patch)
                assert outcome_on(shop, task, state) != ours
                skipped = {
                    read.call.key,
                    *(other.key for other in read.equivalents),
                    *read.witness.shown_by,
                }
                there, here = shop.session(state), shop.session()
                for call in everything_without(shop, task.facts, skipped):
                    assert there.call(call).content == here.call(call).content, (
                        task.archetype,
                        read.call,
                        call,
                    )
                checked += 1
        assert checked >= 40

    def test_of_replaceable_reads_is_told_apart_only_by_reads_of_that_kind(
        self, shop: Environment, tasks: list[Task]
    ) -> None:
        swapped = [
            (task, read)
            for task in tasks
            for read in task.certificate
            if is_swap(read) and read.role == "discovery"
        ]
        assert swapped
        for task, read in swapped:
            state = Session(shop.state)
            state.apply_patch(read.witness.patch)  # type: ignore[union-attr]
            observer = Observer(shop)
            told_apart = set(observer.reach(task.facts).differences(state))
            assert read.call.key in told_apart
            assert all(key.startswith("get_order_details") for key in told_apart)
            assert outcome_on(shop, task, state) != outcome_on(
                shop, task, Session(shop.state)
            )


class TestCertificate:
    def test_alone_leads_the_tools_to_the_gold(
        self, shop: Environment, tasks: list[Task]
    ) -> None:
        for task in tasks:
            solved, state = solve(
                shop,
                task.query,
                task.facts,
                {read.call.key for read in task.certificate},
            )
            assert list(solved.gold) == [write.call for write in task.gold]
            assert solved.declined == task.declined
            assert state.effect() == task.gold_effect

    def test_keeps_the_answer_on_other_databases_that_agree_with_it(
        self, shop: Environment, tasks: list[Task]
    ) -> None:
        """Only what the request speaks of and the certificate leaves out is changed: nothing else could matter."""
        rng, observer, kept = random.Random(3), Observer(shop), 0
        for task in tasks:
            certificate = [read.call for read in task.certificate]
            others = [call for call in task.spoken_of if call not in certificate]
            ours = outcome_on(shop, task, Session(shop.state))
            for _ in range(10 if others else 0):
                state = Session(shop.state)
                for call in rng.sample(others, rng.randint(1, min(4, len(others)))):
                    state.apply_patch(
                        rng.choice(list(shop.domain.mutations(state, call, rng)))
                    )
                if not state.changes():
                    continue  # two patches that undo each other
                if not observer.agree(state, certificate):
                    continue
                try:
                    assert outcome_on(shop, task, state) == ours
                except Unidentifiable:
                    continue
                kept += 1
        assert kept >= 300

    def test_takes_in_a_read_without_which_the_solver_is_only_lucky(
        self, shop: Environment
    ) -> None:
        """ "Return it unless more than n versions are in stock": nobody who has not counted knows, whatever n is."""
        designer = Designer(shop)
        task = designer.design("R1", 1)
        account, profile, item, _, method, _ = task.query.steps
        in_stock = Selection(
            name="version",
            relation="variants",
            of=ref("item"),
            where=compare(ref("version.available"), "eq", const(True)),
        )
        many = compare(
            Aggregate(op="count", over=in_stock, value=ref("version.item_id")),
            "gt",
            const(30.5),
        )
        give_back = Write(
            tool="return_delivered_order_items",
            arguments={
                "order_id": ref("order.order_id"),
                "item_ids": ListOf(values=(ref("item.item_id"),)),
                "payment_method_id": ref("order.payment_history.0.payment_method_id"),
            },
        )
        branch = Branch(
            condition=many, then=(Decline(clause="7.1"),), otherwise=(give_back,)
        )
        query = Query(steps=(account, profile, item, method, branch))
        observer = Observer(shop)
        found = answer(
            query, task.facts, shop.domain.from_state(Session(shop.state)), shop.domain
        )

        proof = prove(observer, query, task.facts, found, rng=random.Random(1))

        names = [read.call.name for read in proof.reads]
        assert names[-1] == "get_product_details"
        assert (
            proof.reads[-1].witness is None
        )  # one change at a time does not make thirty
        assert not proof.burden.exact


class TestChangesThatCanMatter:
    def test_those_left_out_never_lead_to_another_answer(self) -> None:
        """Of all archetypes with one write: nothing that the query does not speak of decides."""
        airline = world("airline").generated(seed=2, users=80, flights=200)
        designer, rng = Designer(airline), random.Random(3)
        observer, left_out = Observer(airline), 0

        for slug in designer.archetypes:
            try:
                task = designer.design(slug, 4, draws=30)
            except InvalidTask:
                continue
            source = airline.domain.from_state(Session(airline.state))
            found = answer(task.query, task.facts, source, airline.domain)
            case = Case(observer, task.query, task.facts, found, rng)
            calls = list(found.reads.values())
            for call in rng.sample(calls, min(4, len(calls))):
                for patch in airline.domain.mutations(case.base, call, rng):
                    if not case._can_matter(patch):
                        left_out += 1
                        assert case._evaluate(patch) is None, (slug, patch)
        assert left_out > 500


class TestSeldomCollected:
    def test_leaves_the_collector_as_it_was(self) -> None:
        before = gc.get_threshold()

        with seldom_collected():
            during, frozen = gc.get_threshold(), gc.get_freeze_count()

        assert during > before
        assert frozen
        assert gc.get_threshold() == before
        assert gc.get_freeze_count() == 0
