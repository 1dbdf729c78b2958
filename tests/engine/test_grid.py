"""Grids: shares, what is refused, and what becomes of cells that nothing lands in."""

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from environments.core.domain import TaskClass
from tests.engine.lines import desk
from writ_app.engine import filling
from writ_app.engine.fill_report import Cause, FillReport
from writ_app.engine.filling import Filler
from writ_app.engine.grid import (
    DEFAULT_CELLS,
    SHARDS,
    BadGrid,
    Grid,
    read_grid,
    shards_for,
    share_of,
    shares,
)
from writ_app.engine.types import BURDEN_BANDS, WRITE_BANDS, Task

CELLS = [(writes, burden) for writes in WRITE_BANDS for burden in BURDEN_BANDS]

weights = st.dictionaries(
    st.sampled_from(CELLS), st.floats(0.01, 100), min_size=1, max_size=len(CELLS)
)

ONLY_SINGLES: dict[str, Any] = {"classes": {"write_intensive": 0}}


def only(*slugs: str, **more: Any) -> dict[str, Any]:
    """A grid of these archetypes of the rental world, and no compositions unless asked for."""
    every = {a.slug: 0.0 for a in desk("rental").environment.domain.archetypes}
    return {
        **ONLY_SINGLES,
        "archetypes": {**every, **dict.fromkeys(slugs, 1.0)},
        "cells": [cell("1", "4-6")],
        **more,
    }


def filler(raw: dict[str, Any], people: int = 60) -> Filler:
    shop = desk("rental").environment
    avoid = frozenset(shop.people[people:])
    return Filler(shop, read_grid(raw, shop), avoid=avoid)


def cell(writes: str, burden: str, weight: float = 1.0) -> dict[str, Any]:
    return {"writes": writes, "burden": burden, "weight": weight}


class TestShares:
    @given(weights, st.integers(0, 5000))
    def test_are_whole_add_up_and_differ_by_less_than_one(
        self, by_cell: dict[tuple[str, str], float], count: int
    ) -> None:
        cut = shares(by_cell, count)
        whole = sum(by_cell.values())

        assert sum(cut.values()) == count
        for place, weight in by_cell.items():
            assert abs(cut[place] - count * weight / whole) < 1 + 1e-6

    def test_give_what_is_left_to_the_largest_remainders(self) -> None:
        by_cell = {("0", "1-3"): 5.0, ("1", "1-3"): 3.0, ("1", "4-6"): 2.0}

        # exactly 3.5, 2.1 and 1.4
        assert shares(by_cell, 7) == {
            ("0", "1-3"): 4,
            ("1", "1-3"): 2,
            ("1", "4-6"): 1,
        }

    @given(weights, st.integers(0, 500), st.integers(1, SHARDS))
    def test_of_shards_add_up_and_are_even(
        self, by_cell: dict[tuple[str, str], float], count: int, shards: int
    ) -> None:
        cut = shares(by_cell, count)

        parts = [share_of(cut, shard, shards) for shard in range(shards)]

        assert sum(parts, start=Counter()) == +Counter(cut)
        sizes = [part.total() for part in parts]
        assert max(sizes) - min(sizes) <= 1

    @pytest.mark.parametrize(
        ("people", "shards"), [(0, 1), (4, 1), (14, 2), (40, SHARDS), (500, SHARDS)]
    )
    def test_go_to_as_many_shards_as_there_are_people_for(
        self, people: int, shards: int
    ) -> None:
        assert shards_for(people) == shards


class TestReadGrid:
    def test_fills_in_what_is_left_out(self) -> None:
        read = read_grid({}, desk("rental").environment)

        assert read.weights == {(t.writes, t.burden): t.weight for t in DEFAULT_CELLS}
        assert read.weight("E1", TaskClass.READ_HEAVY) == 1.0
        assert read.whole

    def test_multiplies_the_weights_of_archetype_and_class(self) -> None:
        raw = {"archetypes": {"E1": 3}, "classes": {"read_heavy": 0.5}}

        read = read_grid(raw, desk("rental").environment)

        assert read.weight("E1", TaskClass.READ_HEAVY) == 1.5
        assert read.weight("E2", TaskClass.READ_HEAVY) == 0.5

    @pytest.mark.parametrize(
        ("raw", "says"),
        [
            ([], "grid: Input should be"),
            ({"cels": []}, "cels: Extra inputs"),
            ({"cells": [cell("2", "1-3")]}, "cells/0/writes: Input should be '0', '1'"),
            ({"cells": [cell("1", "1")]}, "cells/0/burden"),
            ({"cells": [cell("1", "1-3", -1)]}, "greater than or equal to 0"),
            ({"cells": [cell("1", "1-3", float("inf"))]}, "finite"),
            ({"cells": [cell("1", "1-3", 0)]}, "at least one cell"),
            ({"cells": [cell("1", "1-3")] * 2}, "twice in it: 1 writes, burden 1-3"),
            ({"archetypes": {"E1": -1}}, "archetypes/E1: Input should be greater"),
            (
                {"archetypes": {"R1": 1, "R2": 1}},
                "rental has no archetype R1, R2; it has E1",
            ),
            ({"classes": {"hard": 1}}, "classes/hard"),
        ],
    )
    def test_says_what_is_wrong(self, raw: Any, says: str) -> None:
        with pytest.raises(BadGrid) as refused:
            read_grid(raw, desk("rental").environment)

        assert says in str(refused.value)


class TestFill:
    def test_makes_what_is_asked_for(self) -> None:
        raw = only("E4", "E5", cells=[cell("1", "4-6", 2), cell("1", "1-3", 0)])

        tasks = list(filler(raw).fill(6, seed=1))

        assert len({task.request_hash for task in tasks}) == 6
        assert {task.cell for task in tasks} == {("1", "4-6")}
        assert {task.archetype for task in tasks} <= {"E4", "E5"}

    def test_gives_up_a_cell_that_nothing_lands_in_and_moves_its_share(self) -> None:
        raw = only("E5", cells=[cell("1", "4-6"), cell("1", "15+")])
        one = filler(raw)

        tasks = list(one.fill(8, seed=1))

        assert len(tasks) == 8
        assert one.report.wanted == {("1", "4-6"): 4, ("1", "15+"): 4}
        assert one.report.filled == {("1", "4-6"): 8}
        why = one.report.given_up["1", "15+"]
        assert (why.cause, why.tried, why.kept) == (Cause.EXHAUSTED, 0, 0)
        assert why.most is not None
        assert why.most < 15
        assert why.people == 60
        assert f"needs more than {why.most} reads" in why.text

    def test_moves_a_share_to_cells_of_which_the_shard_had_none(self) -> None:
        raw = only("E5", cells=[cell("1", "4-6", 0.1), cell("1", "15+", 1)])
        one = filler(raw)

        tasks = list(one.fill(2, seed=1))

        assert one.report.wanted == {("1", "15+"): 2}
        assert [task.cell for task in tasks] == [("1", "4-6")] * 2

    def test_ends_when_everything_that_can_be_asked_was_asked(self) -> None:
        """E5 knows only who asks: five people have at most five such requests."""
        one = filler(only("E5", cells=[cell("1", "4-6")]), people=5)

        tasks = list(one.fill(30, seed=1))

        assert 0 < len(tasks) <= 5
        why = one.report.given_up["1", "4-6"]
        assert why.cause is Cause.EXHAUSTED
        assert (why.kept, why.left) == (len(tasks), 0)
        assert f"all of {why.tried} candidates" in why.text

    def test_says_when_no_kind_of_request_is_left_for_a_cell(self) -> None:
        one = filler(only("E5", cells=[cell("4+", "4-6"), cell("0", "1-3")]))

        assert list(one.fill(3, seed=1)) == []
        assert one.report.given_up["0", "1-3"].cause is Cause.NO_KIND
        assert "no kind of request" in one.report.why(("0", "1-3"))

    def test_says_when_there_is_nobody(self) -> None:
        one = filler({}, people=0)

        assert list(one.fill(3, seed=1)) == []
        assert {why.cause for why in one.report.given_up.values()} == {Cause.NOBODY}

    def test_leaves_out_archetypes_of_weight_0_from_compositions_too(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(filling, "MISSES", 8)
        cells = [cell("2-3", "10-14"), cell("2-3", "15+")]
        raw = only("E1", "E9", cells=cells, classes={})

        tasks = list(filler(raw).fill(2, seed=1))

        assert tasks
        assert {slug for task in tasks for slug in task.parts} <= {"E1", "E9"}

    def test_takes_the_people_in_turn(self) -> None:
        one = filler(only("E4", "E5", "E17"), people=12)

        tasks = list(one.fill(8, seed=2))

        assert one.report.people == Counter(task.person for task in tasks)
        assert len(one.report.people) >= 5
        assert max(one.report.people.values()) <= 3

    def test_of_shards_shares_no_person(self) -> None:
        one, people = filler(only("E4", "E5", "E17")), []
        for shard in range(3):
            tasks: list[Task] = list(one.fill(9, 4, shard, 3))
            assert len(tasks) == 3
            people.append({task.person for task in tasks})

        assert sum(map(len, people)) == len(set.union(*people))

    def test_gives_the_same_tasks_whatever_was_filled_before(self) -> None:
        raw = only("E4", "E5", "I1", cells=[cell("1", "4-6"), cell("0", "4-6")])
        used = filler(raw)
        list(used.fill(6, 4, 0, 2))

        again = [task.content_hash for task in used.fill(6, 4, 1, 2)]

        assert again == [task.content_hash for task in filler(raw).fill(6, 4, 1, 2)]

    def test_reports_every_draw(self) -> None:
        one = filler(only("E4", "E24"))
        tasks = list(one.fill(5, seed=1))

        for recipe in one.report.recipes.values():
            assert recipe.draws == recipe.made + recipe.refused.total()
            assert recipe.kept <= recipe.made == recipe.cells.total()
        assert sum(r.kept for r in one.report.recipes.values()) == len(tasks)

    def test_counts_several_reports_together(self) -> None:
        one = filler(only("E5"))
        list(one.fill(4, 1, 0, 2))
        first = one.report
        list(one.fill(4, 1, 1, 2))
        draws = first.recipes["E5"].draws + one.report.recipes["E5"].draws

        first.add(one.report)

        assert first.wanted.total() == 4
        assert first.filled.total() == 4
        assert first.recipes["E5"].draws == draws
        assert first.people.total() == 4

    def test_keeps_only_whole_proofs_unless_told_otherwise(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(filling, "MISSES", 2)
        shop = desk("retail").environment
        every = {a.slug: 0.0 for a in shop.domain.archetypes}
        raw = {
            **ONLY_SINGLES,
            "archetypes": {**every, "R12": 1.0},
            "cells": [cell("1", "1-3"), cell("1", "4-6"), cell("1", "7-9")],
        }
        strict = Filler(shop, read_grid(raw, shop))
        lax = Filler(shop, Grid.model_validate({**raw, "whole": False}))

        assert all(task.burden.exact for task in strict.fill(3, seed=1))
        assert strict.report.recipes["R12"].refused["not_whole"]
        assert not all(task.burden.exact for task in lax.fill(3, seed=1))

    def test_gives_a_report_that_json_keeps(self) -> None:
        one = filler(only("E4", "E24", cells=[cell("1", "4-6"), cell("1", "15+")]))
        list(one.fill(4, seed=1))
        assert one.report.given_up

        kept = json.loads(json.dumps(one.report.as_json()))

        assert FillReport.of_json(kept) == one.report
