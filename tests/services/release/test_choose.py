"""Within a cell nothing repeats before everything else is there; the same seed chooses the same."""

from itertools import count

import pytest

from writ_app.services.release.choose import Candidate, choose, spread
from writ_app.services.release.recipe import Recipe

keys = count(1)


def candidate(
    task: str = "t", people: tuple[str, ...] = ("p",), kind: str = "R1", **axes: int
) -> Candidate:
    item = next(keys)
    return Candidate(item, task, people, kind, **{"writes": 1, "burden": 5, **axes})


class TestSpread:
    def test_has_every_task_once_before_any_comes_again(self) -> None:
        held = [candidate(task=f"t{n % 4}") for n in range(12)]

        ordered = spread(held, seed=1)

        for start in (0, 4, 8):
            assert len({one.task for one in ordered[start : start + 4]}) == 4

    def test_then_takes_archetypes_in_turn(self) -> None:
        kinds = ["R1"] * 8 + ["R2"] * 2
        held = [candidate(task=f"t{n}", kind=kind) for n, kind in enumerate(kinds)]

        first = spread(held, seed=1)[:4]

        assert sorted(one.archetype for one in first) == ["R1", "R1", "R2", "R2"]

    def test_then_takes_people_in_turn(self) -> None:
        held = [candidate(task=f"t{n}", people=(f"p{n % 3}",)) for n in range(9)]

        first = spread(held, seed=5)[:3]

        assert len({one.people for one in first}) == 3

    def test_is_the_same_for_the_same_seed_in_whatever_order_they_come(self) -> None:
        held = [candidate(task=f"t{n % 5}") for n in range(20)]

        assert spread(held, seed=3) == spread(held[::-1], seed=3)
        assert spread(held, seed=3) != spread(held, seed=4)


class TestChoose:
    def test_takes_no_more_of_a_cell_than_its_cap_and_lists_the_rest(self) -> None:
        held = [candidate(burden=5) for _ in range(6)]
        held += [candidate(burden=8) for _ in range(2)]

        taken, left = choose(held, Recipe(cap=3))

        assert [one.cell for one in taken] == ["1/4-6"] * 3 + ["1/7-9"] * 2
        assert {one.item for one in taken} | {one.item for one in left} == {
            one.item for one in held
        }
        assert len(left) == 3

    @pytest.mark.parametrize(("most", "kept"), [(0, 0), (2, 2), (9, 4)])
    def test_lets_a_cell_have_a_cap_of_its_own(self, most: int, kept: int) -> None:
        held = [candidate() for _ in range(4)]

        taken, _ = choose(held, Recipe(cap=1, caps={"1/4-6": most}))

        assert len(taken) == kept

    def test_takes_all_without_a_cap(self) -> None:
        held = [candidate() for _ in range(5)]

        assert choose(held, Recipe()) == (held, [])
