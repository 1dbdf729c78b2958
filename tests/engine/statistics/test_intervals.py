"""What counts make: against published figures, and against counting all cases."""

from itertools import combinations

import pytest

from writ_app.engine.statistics.intervals import (
    bad_at_most,
    remaining,
    sample_size,
    share,
)


class TestShare:
    def test_has_wilsons_interval(self):
        """Newcombe 1998, table I: 81 of 263 and 0 of 20."""
        found = share(81, 263)

        assert (found.low, found.high) == pytest.approx((0.2553, 0.3662), abs=5e-5)
        assert share(0, 20).high == pytest.approx(0.1611, abs=5e-5)

    def test_of_nothing_may_be_anything(self):
        nothing = share(0, 0)

        assert (nothing.value, nothing.low, nothing.high) == (None, 0, 1)


class TestRemaining:
    def test_grows_with_what_only_one_found(self):
        found = remaining(first=20, second=15, both=10)

        assert found.found == 25
        assert found.left == pytest.approx(21 * 16 / 11 - 1 - 25)
        assert found.low < found.left < found.high
        assert remaining(20, 15, 3).left > found.left

    def test_is_nothing_where_both_found_the_same(self):
        assert remaining(8, 8, 8).left == 0


class TestSamples:
    @pytest.mark.parametrize(("limit", "size"), [(0.05, 59), (0.01, 299), (0.02, 149)])
    def test_of_a_huge_lot_have_the_known_sizes(self, limit, size):
        assert sample_size(lot=10**7, limit=limit, confidence=0.95) == size

    def test_prove_what_they_were_sized_for_and_one_fewer_does_not(self):
        for lot in (30, 100, 777):
            size = sample_size(lot=lot, limit=0.05, confidence=0.95)
            proved = {
                n: bad_at_most(lot=lot, checked=n, found=0, confidence=0.95) / lot
                for n in (size - 1, size)
            }
            assert proved[size] <= 0.05 < proved[size - 1]

    def test_bounds_are_those_of_all_samples_counted(self):
        lot, checked, found = 12, 5, 1
        chance = {
            bad: sum(
                len({*drawn} & set(range(bad))) <= found
                for drawn in combinations(range(lot), checked)
            )
            / sum(1 for _ in combinations(range(lot), checked))
            for bad in range(lot + 1)
        }
        most = max(bad for bad, likely in chance.items() if likely > 0.05)

        bound = bad_at_most(lot=lot, checked=checked, found=found, confidence=0.95)

        assert bound == most

    def test_of_everything_leaves_no_doubt(self):
        assert bad_at_most(lot=40, checked=40, found=0, confidence=0.95) == 0
        assert sample_size(lot=1, limit=0.05, confidence=0.95) == 1
