import pytest

from environments.core.arithmetic import MOST_NUMBERS, Reckoning, numbers_in


class TestNumbersIn:
    def test_reads_numbers_however_they_are_written(self) -> None:
        text = 'Paid $1,204.50 on {"price": 71.83, "count": 3}, not A320'
        assert numbers_in(text) == [1204.5, 71.83, 3.0]


class TestReckoning:
    @pytest.mark.parametrize(
        "amount",
        [
            71.83,  # a number itself
            -71.83,  # its sign is a matter of words
            215.49,  # three of them
            163.87,  # 71.83 + 92.04
            20.21,  # 92.04 - 71.83
            8.21,  # 92.04 - 71.83 - 12.00
            40.42,  # two pieces of the difference
            0.0,
        ],
    )
    def test_gives_what_simple_arithmetic_gives(self, amount: float) -> None:
        assert Reckoning([71.83, 92.04, 12]).gives(amount)

    @pytest.mark.parametrize("amount", [71.84, 37.13, 1000.0])
    def test_gives_nothing_else(self, amount: float) -> None:
        assert not Reckoning([71.83, 92.04, 12]).gives(amount)

    def test_leaves_ids_out_of_it(self) -> None:
        assert not Reckoning([5700864906]).gives(5700864906)

    def test_says_nothing_against_an_amount_among_too_many_numbers(self) -> None:
        numbers = [n + 0.5 for n in range(MOST_NUMBERS + 1)]
        assert Reckoning(numbers).gives(123456.78)
