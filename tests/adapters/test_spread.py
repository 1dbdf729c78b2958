import multiprocessing
import os

import pytest

from tests.adapters.pieces import count_to, die_at_two, fail_at_two, name_process
from writ_app.adapters.spread import Done, WorkLost, spread


class TestSpread:
    @pytest.mark.parametrize("workers", [1, 2])
    def test_gives_every_piece_s_results_in_order_and_then_done(
        self, workers: int
    ) -> None:
        pieces = [3, 0, 5, 1]

        found: dict[int, list[object]] = {n: [] for n in range(len(pieces))}
        for number, result in spread(count_to, pieces, workers):
            found[number].append(result)

        assert found == {n: [*range(p), Done()] for n, p in enumerate(pieces)}
        assert multiprocessing.active_children() == []

    def test_takes_other_processes_only_for_several_workers(self) -> None:
        alone = {r for _, r in spread(name_process, [1, 1, 1], 1)} - {Done()}
        many = {r for _, r in spread(name_process, [1, 1, 1, 1], 2)} - {Done()}

        assert alone == {os.getpid()}
        assert os.getpid() not in many
        assert 1 <= len(many) <= 2

    def test_tells_what_a_piece_failed_at(self) -> None:
        with pytest.raises(WorkLost, match="two is too many"):
            list(spread(fail_at_two, [1, 2, 3], 2))

        assert multiprocessing.active_children() == []

    def test_tells_that_a_process_died(self) -> None:
        with pytest.raises(WorkLost, match="ended with 7"):
            list(spread(die_at_two, [1, 2, 3], 2))

        assert multiprocessing.active_children() == []

    def test_leaves_no_process_when_nobody_listens_any_more(self) -> None:
        results = spread(count_to, [10, 10], 2)
        next(results)

        results.close()  # type: ignore[attr-defined]

        assert multiprocessing.active_children() == []
