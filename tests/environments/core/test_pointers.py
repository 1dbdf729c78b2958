import pytest

from environments.core.pointers import at, first_key, first_leaf, leaves, numbers

RESULT = {
    "flights": [
        {"number": "A1", "price": 1, "seats": {"economy": 5, "a/b": 2.5}},
        {"number": "A2", "price": 1.0, "seats": {}, "open": True},
    ],
    "A2": "A1",
}


class TestFirstLeaf:
    def test_is_the_first_of_all_leaves_that_are_the_value(self) -> None:
        for place, value in leaves(RESULT):
            if value != {}:
                found = first_leaf(RESULT, value)
                same = [
                    p for p, v in leaves(RESULT) if (type(v), v) == (type(value), value)
                ]
                assert found == same[0]
                assert at(RESULT, found) == at(RESULT, place)

    def test_tells_numbers_of_different_types_apart(self) -> None:
        assert first_leaf(RESULT, 1) == "/flights/0/price"
        assert first_leaf(RESULT, 1.0) == "/flights/1/price"
        assert first_leaf(RESULT, True) == "/flights/1/open"

    @pytest.mark.parametrize("value", ["number", 7, "A"])
    def test_is_none_for_what_is_no_leaf(self, value: object) -> None:
        assert first_leaf(RESULT, value) is None

    def test_of_a_bare_value_is_the_whole(self) -> None:
        assert first_leaf("A1", "A1") == ""


class TestFirstKey:
    def test_is_the_first_in_the_order_of_reading(self) -> None:
        assert first_key(RESULT, "number") == "/flights/0/number"
        assert first_key(RESULT, "a/b") == "/flights/0/seats/a~1b"
        assert first_key(RESULT, "A2") == "/A2"

    @pytest.mark.parametrize("value", [RESULT, "A1", 5])
    def test_is_none_where_no_key_is_so(self, value: object) -> None:
        assert first_key(value, "A1") is None


class TestNumbers:
    def test_are_all_numbers_in_order_without_yes_and_no(self) -> None:
        assert numbers(RESULT) == [1.0, 5.0, 2.5, 1.0]
        assert numbers(3) == [3.0]
        assert numbers("3") == []
