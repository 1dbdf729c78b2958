import pytest

from environments.core.calculate import calculate
from environments.core.errors import ToolError


class TestCalculate:
    @pytest.mark.parametrize(
        ("expression", "value"),
        [
            ("2 + 2", "4.0"),
            ("0.125", "0.12"),
            ("-7 // 2", "-4.0"),
            ("2**10", "1024.0"),
            (" 1", "1.0"),
        ],
    )
    def test_rounds_to_two_decimals(self, expression: str, value: str) -> None:
        assert calculate(expression) == value

    def test_refuses_letters(self) -> None:
        with pytest.raises(ToolError, match="Invalid characters"):
            calculate("__import__('os')")

    def test_gives_up_at_once_on_a_power_that_would_take_hours(self) -> None:
        with pytest.raises(OverflowError):
            calculate("9**9**9")
