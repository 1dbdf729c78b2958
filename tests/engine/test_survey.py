"""Wishes: what they are expected to need, and which combinations of them are found."""

import random
from collections.abc import Collection, Sequence
from itertools import combinations, product
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from environments.core.domain import Proposal
from tests.engine.lines import desk
from writ_app.engine.errors import InvalidTask
from writ_app.engine.survey import MOST_OF_A_KIND, Combiner, Survey, Wish, shuffled
from writ_app.engine.task_design import Designer


def wish(slug: str, needs: Collection[str], *writes: str) -> Wish:
    return Wish(
        person="ada",
        slug=slug,
        seed=1,
        proposal=Proposal(facts={}, clauses=()),
        needs=frozenset({"who", *needs}),
        writes=frozenset(writes or [f"{slug} {sorted(needs)}"]),
        tools=("write",),
        joinable=True,
    )


class Changes:
    """In place of a designer: wishes change the records that `needs` names, and pairs in `clashing` cannot be joined."""

    def __init__(self, clashing: Collection[frozenset[str]] = ()):
        self.clashing = clashing
        self.asked = 0

    def wordless(self, slug: str, proposal: Proposal) -> str:
        return slug

    def changed_by(self, part: str) -> frozenset[tuple[str, str]]:
        return frozenset({("orders", part[0])})

    def go_together(self, one: str, other: str) -> bool:
        self.asked += 1
        return frozenset((one, other)) not in self.clashing


def combiner(changes: Changes) -> Combiner:
    return Combiner(cast(Designer, changes))


def fits(chosen: Sequence[Wish], writes: int, band: tuple[int, int | None]) -> bool:
    needs = frozenset[str]().union(*(one.needs for one in chosen))
    kinds = [one.slug for one in chosen]
    return (
        sum(len(one.writes) for one in chosen) == writes
        and band[0] <= len(needs) <= (band[1] or 99)
        and all(kinds.count(slug) <= MOST_OF_A_KIND for slug in kinds)
        and not any(a.writes & b.writes for a, b in combinations(chosen, 2))
    )


wishes = st.lists(
    st.builds(
        wish,
        st.sampled_from(["A1", "B1", "C1"]),
        st.frozensets(st.sampled_from("pqrstuv"), max_size=5),
    ),
    max_size=6,
)
bands = st.sampled_from([(1, 3), (4, 6), (7, 9), (6, None)])


class TestFind:
    @given(wishes, st.integers(2, 4), bands)
    def test_finds_a_combination_exactly_if_there_is_one(
        self, some: list[Wish], writes: int, band: tuple[int, int | None]
    ) -> None:
        every = [
            chosen
            for size in (2, 3, 4)
            for chosen in combinations(some, size)
            if fits(chosen, writes, band)
        ]

        found, cut = combiner(Changes()).find(some, writes, band)

        assert not cut
        assert (found is not None) == bool(every)
        assert found is None or fits(found, writes, band)

    def test_gives_no_combination_twice(self) -> None:
        some = [wish("A1", "p"), wish("B1", "q"), wish("C1", "r")]
        one, found = combiner(Changes()), set()

        while (chosen := one.find(some, 2, (1, 9))[0]) is not None:
            one.tried.add(frozenset(chosen))
            found.add(frozenset(chosen))

        assert found == {frozenset(pair) for pair in combinations(some, 2)}

    def test_leaves_out_pairs_that_do_not_go_together(self) -> None:
        """Both change order A; which of them can be joined is tried."""
        some = [wish("A1", "p"), wish("A2", "q"), wish("A3", "r")]
        changes = Changes([frozenset(("A1", "A2")), frozenset(("A1", "A3"))])

        found, _ = combiner(changes).find(some, 2, (1, 9))

        assert found is not None
        assert {one.slug for one in found} == {"A2", "A3"}

    def test_believes_what_many_pairs_have_shown(self) -> None:
        some = [wish(f"A{n}", "p" * n, f"w{n}") for n in range(9)]
        slugs = [one.slug for one in some]
        changes = Changes([frozenset(pair) for pair in product(slugs, slugs)])

        assert combiner(changes).find(some, 2, (1, 99)) == (None, False)
        assert changes.asked < 9

    def test_says_when_it_was_cut_off(self) -> None:
        """Each needs two reads of its own: six have thirteen, and never twelve. That is not seen before the sixth."""
        some = [wish(f"{chr(65 + n)}1", [f"{n}a", f"{n}b"], f"w{n}") for n in range(24)]
        one = combiner(Changes())

        assert one.find(some, 6, (12, 12)) == (None, True)
        found, cut = one.find(some, 6, (13, 13))
        assert found is not None
        assert not cut

    def test_says_how_little_and_how_much_there_is(self) -> None:
        some = [wish("A1", "p"), wish("B1", "pq"), wish("C1", "rstu")]

        assert combiner(Changes()).extremes(some, 2) == (3, 7)
        assert combiner(Changes()).extremes(some, 4) is None


@pytest.mark.parametrize("world", ["rental", "retail", "airline"])
def test_what_a_wish_is_expected_to_need_is_what_its_proof_counts(world: str) -> None:
    designer = Designer(desk(world).environment)
    refused: list[Any] = []
    survey = Survey(
        designer, list(designer.archetypes), 1, lambda *why: refused.append(why)
    )
    right, whole = 0, 0
    for person in designer.people[:3]:
        for one in survey.look(person):
            try:
                task = designer.finish(
                    [designer.part(one.slug, one.proposal, _chance())], one.seed
                )
            except InvalidTask:
                continue
            assert task is not None
            assert task.person == person
            if task.burden.exact:
                whole += 1
                right += task.burden.total == len(one.needs)

    assert whole > 10
    assert right >= 0.95 * whole
    assert refused


def test_draws_of_a_person_depend_on_nobody_else() -> None:
    designer = Designer(desk("rental").environment)
    ada, bob = designer.people[:2]
    drawn = []
    for order in ([ada, bob, ada], [ada, ada]):
        survey = Survey(designer, list(designer.archetypes), 1, lambda *why: None)
        for person in order:
            list(survey.look(person))
        drawn.append([one.proposal.facts for one in survey.wishes[ada]])

    assert drawn[0] == drawn[1]


def test_shuffling_leaves_out_what_weighs_nothing() -> None:
    some = [wish("A1", "p"), wish("B1", "q")]

    assert shuffled(some, {"A1": 0.0, "B1": 1.0}, _chance()) == some[1:]


def _chance() -> random.Random:

    return random.Random(1)
