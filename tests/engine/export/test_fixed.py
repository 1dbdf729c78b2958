from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.export.conversations import any_text, arguments
from writ_app.engine.export.fixed import (
    encode,
    fixed_list,
    fixed_object,
    fixed_text,
)
from writ_app.engine.export.records import compact

objects = arguments
plain = any_text | arguments | st.lists(objects, max_size=3)
values = (
    plain
    | any_text.map(fixed_text)
    | st.lists(objects, max_size=3).map(fixed_list)
    | objects.map(fixed_object)
    | st.lists(objects | objects.map(fixed_object), max_size=5)
)


@settings(deadline=None)
@given(row=st.dictionaries(st.sampled_from("abcdef"), values))
def test_encode_writes_what_compact_would(row: dict[str, Any]) -> None:
    assert encode(row) == compact(row).encode()


def test_a_fixed_value_is_the_value_that_it_was_made_of() -> None:
    assert fixed_text("x") == "x"
    assert fixed_list([1]) == [1]
    assert fixed_object({"a": 1}) == {"a": 1}
