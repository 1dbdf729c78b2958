import random
from collections import Counter
from itertools import combinations

import pytest

from tests.engine.behaviour.played import room_of
from tests.engine.talks import small_shop
from writ_app.engine.behaviour import PERSONAS, PLANS, conflicts, go_together
from writ_app.engine.behaviour.choosing import assign, offered
from writ_app.engine.behaviour.cover import Cover
from writ_app.engine.behaviour.room import Room

COUNT = 120
NAMES = [archetype.slug for archetype in small_shop().domain.archetypes]
COMPOSED = [str(seed) for seed in range(4)]

type Pair = frozenset[tuple[str, str]]


@pytest.fixture(scope="module")
def rooms() -> list[tuple[str, Room]]:
    """Tasks as a batch has them, every fourth one composed."""
    names = [
        n for four in zip(*[iter(NAMES)] * 3, COMPOSED * 9, strict=False) for n in four
    ]
    return [
        (names[n % len(names)], room_of(names[n % len(names)])) for n in range(COUNT)
    ]


def cover(seed: int = 1) -> Cover:
    return Cover(list(PLANS.values()), list(PERSONAS.values()), seed)


def pairs(behaviour: dict[str, str]) -> set[Pair]:
    return {frozenset(pair) for pair in combinations(behaviour.items(), 2)}


def possible(rooms: list[tuple[str, Room]]) -> set[Pair]:
    return {
        frozenset({(one, a), (other, b)})
        for _, room in rooms
        for one, other in combinations(room.values, 2)
        for a in room.values[one]
        for b in room.values[other]
        if go_together((one, a), (other, b)) and "code_mix" not in (a, b)
    }


def independent(rooms: list[tuple[str, Room]], seed: int) -> set[Pair]:
    """Plan, persona and values drawn by chance alone."""
    rng, seen = random.Random(seed), set[Pair]()
    for _, room in rooms:
        plan, persona = (
            rng.choice(list(PLANS.values())),
            rng.choice(list(PERSONAS.values())),
        )
        choices = offered(room.values, {**persona.dimensions, **plan.dimensions})
        order = rng.sample(list(choices), len(choices))
        found = assign(
            choices, order, lambda _, values, __: rng.sample(values, len(values))
        )
        seen |= pairs(found or {})
    return seen


class TestCover:
    def test_reaches_far_more_pairs_than_independent_draws(
        self, rooms: list[tuple[str, Room]]
    ) -> None:
        own, wanted = cover(), possible(rooms)
        seen = set[Pair]()
        for name, room in rooms:
            seen |= pairs(own.draw(room.values, name).behaviour)

        by_chance = [len(wanted - independent(rooms, seed)) for seed in range(3)]

        assert len(wanted - seen) < 0.75 * min(by_chance)

    def test_reaches_every_pair_that_is_possible_in_the_end(
        self, rooms: list[tuple[str, Room]]
    ) -> None:
        """With a plan and a persona that leave everything open."""
        plan, persona = PLANS["open"], PERSONAS["regular"]
        own, few = Cover([plan], [persona], 1), rooms[:4]
        wanted, seen = possible(few), set[Pair]()
        for n in range(400):
            name, room = few[n % 4]
            seen |= pairs(own.draw(room.values, name).behaviour)

        assert wanted <= seen

    def test_never_breaks_a_rule_or_leaves_the_room(
        self, rooms: list[tuple[str, Room]]
    ) -> None:
        own = cover(2)
        for name, room in rooms:
            drawn = own.draw(room.values, name)
            assert not conflicts(drawn.behaviour)
            assert drawn.behaviour.keys() == room.values.keys()
            assert all(v in room.values[d] for d, v in drawn.behaviour.items())
            for slug, values in drawn.plan.dimensions.items():
                if slug in drawn.behaviour and slug not in drawn.gave_way:
                    asked = set(values) & set(room.values[slug])
                    assert not asked or drawn.behaviour[slug] in asked

    def test_uses_plans_and_personas_evenly(
        self, rooms: list[tuple[str, Room]]
    ) -> None:
        own = cover()
        drawn = [own.draw(room.values, name) for name, room in rooms]
        personas = Counter(one.persona.slug for one in drawn)
        plans = Counter(one.plan.slug for one in drawn)

        assert personas.keys() == PERSONAS.keys()
        assert max(personas.values()) - min(personas.values()) <= 4
        assert plans.keys() == PLANS.keys()

    def test_is_the_same_for_the_same_seed(self, rooms: list[tuple[str, Room]]) -> None:
        one, other = cover(5), cover(5)
        for name, room in rooms[:20]:
            assert one.draw(room.values, name) == other.draw(room.values, name)

    def test_gives_one_task_different_plans(self) -> None:
        own, room, had = cover(), room_of("R1"), list[str]()
        for _ in range(6):
            had.append(own.draw(room.values, "R1", without=had).plan.slug)
        assert len(set(had)) == 6

    def test_plays_what_is_only_on_request_where_it_is_named(
        self, rooms: list[tuple[str, Room]]
    ) -> None:
        own = cover()
        for name, room in rooms:
            drawn = own.draw(room.values, name)
            mixed = drawn.behaviour["language"] == "code_mix"
            assert mixed == (drawn.persona.slug == "bilingual")

    def test_counts_what_there_was_no_room_for(self) -> None:
        own, room = cover(), room_of("N1")
        own.draw(room.values, "N1", room.void)
        assert own.void["confirmation", "recap", "no_write"] == 1

    def test_needs_something_to_draw_from(self) -> None:
        with pytest.raises(ValueError, match="no plan or no persona"):
            Cover([], list(PERSONAS.values()))
