"""Several wishes as one request: the orders are tried from outside, all of them, through the tools."""

import random
from collections.abc import Iterator, Mapping
from itertools import permutations
from typing import Any

import pytest

from environments.core.errors import Unidentifiable
from environments.core.evaluate import Judged, answer
from environments.core.grammar import say
from environments.core.query import Query
from environments.core.state import Session
from tests.engine.lines import Desk, desk
from tests.understanding import understood_as
from writ_app.engine import composition
from writ_app.engine.composition import (
    AFTER,
    JOINTS,
    NEXT,
    Composition,
    Part,
    split_words,
    without_number,
)
from writ_app.engine.errors import InvalidTask
from writ_app.engine.evidence import Observer, solve
from writ_app.engine.identification import identity_names
from writ_app.engine.types import SaidClause, Task

WORLDS = ("rental", "retail")


def parts_of(at: Desk, task: Task) -> Composition:
    """The composition that the task was made from, taken apart again."""
    identity = identity_names(at.environment, task.facts)
    parts = []
    for number, slug in enumerate(task.parts):
        facts = {name: task.facts[name] for name in identity}
        for name, value in task.facts.items():
            own, place = without_number(name)
            if place == number:
                facts[own] = value
        archetype = at.designer.archetypes[slug]
        query = archetype.query(facts)
        said = tuple(own_clauses(task, number))
        parts.append(Part(archetype, facts, query, evaluate(at, query, facts), said))
    return Composition(tuple(parts), identity)


def own_clauses(task: Task, number: int) -> Iterator[SaidClause]:
    for clause in task.clauses:
        name, place = without_number(clause.name)
        if place == number and name not in (NEXT.name, AFTER.name):
            tells = tuple(without_number(told)[0] for told in clause.tells)
            yield clause.model_copy(update={"name": name, "tells": tells})


def evaluate(at: Desk, query: Query, facts: Mapping[str, Any]) -> Any:
    domain = at.environment.domain
    return answer(
        query, facts, domain.from_state(Session(at.environment.state)), domain
    )


def ending(at: Desk, query: Query, facts: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """(writes in any order, state) to which the tools lead; None if they lead nowhere."""
    try:
        found, state = solve(at.environment, query, facts, None)
    except Unidentifiable:
        return None
    return tuple(sorted(call.key for call in found.gold)), state.effect()


class TestQuery:
    @pytest.mark.parametrize("name", WORLDS)
    @pytest.mark.parametrize("kind", ["joined", "in order"])
    def test_and_facts_are_made_of_the_parts(self, name: str, kind: str) -> None:
        task = desk(name).task(kind)

        again = parts_of(desk(name), task)

        assert len(again.parts) >= 2
        assert again.query() == task.query
        assert again.facts == task.facts

    def test_shares_only_the_names_that_say_who_the_user_is(self) -> None:
        task = desk("rental").task("joined")
        first, second = parts_of(desk("rental"), task).parts[:2]

        shared = first.facts.keys() & second.facts.keys()
        identity = identity_names(desk("rental").environment, task.facts)

        assert identity <= shared
        for name in shared - identity:
            assert task.facts[name] == first.facts[name]
            assert task.facts[f"{name}__2"] == second.facts[name]


class TestOrders:
    @pytest.mark.parametrize("name", WORLDS)
    def test_of_independent_parts_all_end_alike(self, name: str) -> None:
        at, task = desk(name), desk(name).task("joined")
        parts = parts_of(at, task)

        endings = {
            ending(at, parts.query(order), parts.facts)
            for order in permutations(range(len(parts.parts)))
        }

        assert not task.dependent
        assert endings == {ending(at, task.query, task.facts)}
        assert task.orders is not None
        assert task.orders.same == task.orders.tried

    @pytest.mark.parametrize("name", WORLDS)
    @pytest.mark.parametrize("kind", ["in order", "one way"])
    def test_of_dependent_parts_end_elsewhere_or_nowhere_as_they_say(
        self, name: str, kind: str
    ) -> None:
        at, task = desk(name), desk(name).task(kind)
        parts, orders = parts_of(at, task), task.orders
        ours = ending(at, task.query, task.facts)

        assert task.dependent
        assert ours is not None
        assert orders is not None
        assert orders.elsewhere or orders.illegal
        for order in orders.elsewhere:
            assert ending(at, parts.query(order), parts.facts) not in (ours, None)
        for order in orders.illegal:
            assert ending(at, parts.query(order), parts.facts) is None

    @pytest.mark.parametrize("name", WORLDS)
    @pytest.mark.parametrize("kind", ["joined", "in order", "one way"])
    def test_are_counted_rightly_by_kind(self, name: str, kind: str) -> None:
        """One order of each kind stands for all of its kind, so that the shares of all orders are the shares of the kinds."""
        at, task = desk(name), desk(name).task(kind)
        parts = parts_of(at, task)
        ours = ending(at, task.query, task.facts)

        same = sum(
            ending(at, parts.query(order), parts.facts) == ours
            for order in permutations(range(len(parts.parts)))
        )

        assert task.orders is not None
        everything = len(list(permutations(parts.parts)))
        assert (same == everything) == (task.orders.same == task.orders.tried)

    def test_of_parts_that_share_nothing_are_one_kind(self) -> None:
        """Parts that write nothing cannot get in each other's way."""
        at = desk("rental")
        tasks = [at.task(slug) for slug in ("I1", "I2")]
        parts = tuple(
            Part(
                at.designer.archetypes[task.archetype],
                task.facts,
                task.query,
                evaluate(at, task.query, task.facts),
                task.clauses,
            )
            for task in tasks
        )
        both = Composition(parts, frozenset())

        orders = both.orders(
            Observer(at.environment),
            evaluate(at, both.query(), both.facts),
            lambda query, facts: evaluate(at, query, facts),
        )

        assert (orders.tried, orders.same) == (1, 1)

    def test_that_are_too_many_and_seem_alike_prove_nothing(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        at = desk("rental")
        parts = parts_of(at, at.task("one way"))
        monkeypatch.setattr(composition, "MOST_ORDERS", 1)

        with pytest.raises(InvalidTask) as refused:
            parts.orders(
                Observer(at.environment),
                evaluate(at, parts.query(), parts.facts),
                lambda query, facts: evaluate(at, query, facts),
            )

        assert refused.value.reason == "entangled"


class TestLegality:
    @pytest.mark.parametrize("name", WORLDS)
    def test_search_finds_the_order_that_can_be_done(self, name: str) -> None:
        """The part that must come first is added last."""
        at = desk(name)
        both = parts_of(at, at.task("one way"))
        first, second = both.parts
        alone = Composition((second,), both.identity)

        found = at.designer._with(alone, first, Judged())

        assert found is not None
        assert [part.archetype.slug for part in found.parts] == [
            first.archetype.slug,
            second.archetype.slug,
        ]

    def test_search_does_not_take_the_same_write_twice(self) -> None:
        at = desk("rental")
        both = parts_of(at, at.task("joined"))
        alone = Composition((both.parts[0],), both.identity)

        assert at.designer._with(alone, both.parts[0], Judged()) is None


class TestWords:
    @pytest.mark.parametrize("name", WORLDS)
    @pytest.mark.parametrize("kind", ["joined", "in order", "one way"])
    def test_say_by_their_joints_whether_the_order_matters(
        self, name: str, kind: str
    ) -> None:
        task = desk(name).task(kind)

        joint, texts = split_words(task.text)

        assert joint == (AFTER if task.dependent else NEXT).name
        assert len(texts) == len(task.parts)

    @pytest.mark.parametrize("name", WORLDS)
    @pytest.mark.parametrize("kind", ["joined", "in order", "one way"])
    def test_fall_apart_into_texts_that_are_understood_one_by_one(
        self, name: str, kind: str
    ) -> None:
        at, task = desk(name), desk(name).task(kind)
        parts, domain = parts_of(at, task), at.environment.domain

        for part, text in zip(parts.parts, split_words(task.text)[1], strict=True):
            slug = part.archetype.slug
            understood = understood_as(slug, text, part.facts, domain)
            assert understood.facts.items() <= dict(part.facts).items()

    def test_open_once(self) -> None:
        task = desk("rental").task("in order")

        opening = [clause.name for clause in task.clauses if clause.opens]

        assert opening
        assert all(without_number(name)[1] == 0 for name in opening)

    @pytest.mark.parametrize("joint", JOINTS, ids=[joint.name for joint in JOINTS])
    def test_are_told_apart_however_the_joint_is_said(self, joint: Any) -> None:
        rng = random.Random(4)
        for _ in range(40):
            between = say(joint, {}, {}, rng).text
            text = (
                f"Cancel my order. Now! {between} Return the lamp. {between} Why not?"
            )
            assert split_words(text) == (
                joint.name,
                ["Cancel my order. Now!", "Return the lamp.", "Why not?"],
            )

    def test_of_one_part_have_no_joint(self) -> None:
        assert split_words("Cancel my order.") == ("", ["Cancel my order."])

    def test_that_are_joined_in_two_ways_are_refused(self) -> None:
        with pytest.raises(InvalidTask) as refused:
            split_words(
                "Do this. One more thing. Do that. After that, in this order, comes the next thing. Stop."
            )

        assert refused.value.reason == "unclear_words"


class TestWithoutNumber:
    @pytest.mark.parametrize(
        ("name", "found"),
        [
            ("product", ("product", 0)),
            ("product__2", ("product", 1)),
            ("from_1", ("from_1", 0)),
            ("from_1__12", ("from_1", 11)),
            ("__2", ("__2", 0)),
        ],
    )
    def test_tells_the_name_and_the_place(
        self, name: str, found: tuple[str, int]
    ) -> None:
        assert without_number(name) == found
