"""Where benchmark tasks lie, and which are hard."""

from typing import Any

from tests.engine.talks import small_shop
from writ_app.engine.evaluation.axes import UNKNOWN, axes_of_benchmark, hard_subset


def task(*actions: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    made = [{"name": name, "arguments": given} for name, given in actions]
    return {"id": "1", "evaluation_criteria": {"actions": made}}


ORDER = ("get_order_details", {"order_id": "#W1"})
CANCEL = ("cancel_pending_order", {"order_id": "#W1", "reason": "no longer needed"})


class TestAxes:
    def test_count_writes_and_different_reads_of_the_gold(self) -> None:
        other = ("get_order_details", {"order_id": "#W2"})

        found = axes_of_benchmark(small_shop(), task(ORDER, ORDER, other, CANCEL))

        assert (found.writes, found.burden, found.source) == (1, 2, "listed")
        assert (found.write_band, found.burden_band) == ("1", "1-3")

    def test_do_not_know_the_burden_of_a_gold_without_reads(self) -> None:
        found = axes_of_benchmark(small_shop(), task(CANCEL))

        assert (found.writes, found.burden, found.burden_band) == (1, None, UNKNOWN)

    def test_of_a_task_without_criteria_are_nothing(self) -> None:
        found = axes_of_benchmark(small_shop(), {"id": "1"})

        assert (found.writes, found.burden) == (0, None)


class TestHardSubset:
    def test_holds_what_has_so_much_burden_and_is_known_to(self) -> None:
        found = hard_subset(7, [("b", 9), ("a", 7), ("c", 6), ("d", None)])

        assert found.tasks == ("a", "b")

    def test_has_another_hash_for_another_rule_or_other_tasks(self) -> None:
        burdens = [("a", 7), ("b", 9)]
        hashes = {
            hard_subset(least, rows).content_hash
            for least, rows in ((7, burdens), (6, burdens), (7, burdens[:1]))
        }

        assert len(hashes) == 3
        assert hard_subset(7, burdens[::-1]) == hard_subset(7, burdens)
