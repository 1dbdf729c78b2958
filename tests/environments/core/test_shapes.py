from typing import Annotated

import pytest
from pydantic import BaseModel, ConfigDict, Field

from environments.core.shapes import shape


class Lamp(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    lamp_id: str
    price: Annotated[float, Field(ge=0)]
    bulbs: list[str] = []


LAMP = {"lamp_id": "l1", "price": 12.5, "bulbs": ["warm"]}
judge = shape(Lamp, "lamp_id")


class TestShape:
    def test_finds_nothing_wrong_with_a_record_as_it_should_be(self) -> None:
        assert judge("l1", LAMP) == ""

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            ({"price": "12"}, "price: Input should be a valid number"),
            ({"price": -1.0}, "price: Input should be greater"),
            ({"bulbs": ["warm", 3]}, "bulbs/1: Input should be a valid string"),
            ({"colour": "red"}, "colour: Extra inputs"),
        ],
    )
    def test_names_the_place_and_what_is_wrong_there(
        self, change: dict[str, object], says: str
    ) -> None:
        assert judge("l1", {**LAMP, **change}).startswith(says)

    def test_wants_every_field_even_one_with_a_default(self) -> None:
        """A record that only validates because something was filled in is not what the database would hold."""
        assert "lacks some" in judge("l1", {"lamp_id": "l1", "price": 1.0})

    def test_wants_records_filed_under_their_own_key(self) -> None:
        assert judge("l2", LAMP) == "it is filed as l2"
