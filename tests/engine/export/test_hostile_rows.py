"""Files that come from elsewhere: whatever stands in a row, reading it back gives a conversation or says why not."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.export.conversations import recorded
from tests.engine.export.losses import WITH_ROWS, stored
from tests.engine.export.test_formats import FAILED
from writ_app.engine.export.folder import BadLine, check_messages
from writ_app.engine.export.formats import FORMATS
from writ_app.engine.export.options import Options
from writ_app.engine.export.unfit import UnfitRow

junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just("[1]"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["role", "content", "from", "tool_calls", "function", "id"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=5,
)

ROWS = {
    slug: stored(FORMATS[slug], [*FORMATS[slug].rows(recorded(FAILED), Options())])[-1]
    for slug in WITH_ROWS
}


@st.composite
def spoilt(draw: st.DrawFn, row: Any) -> Any:
    """The row with junk at one place, or without it."""
    made = deepcopy(row)
    parent, key, value = None, None, made
    while isinstance(value, dict | list) and value and draw(st.integers(0, 5)):
        parent = value
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        key = draw(st.sampled_from(keys))
        value = parent[key]
    if parent is None:
        return draw(junk.filter(lambda some: isinstance(some, dict)))
    if draw(st.booleans()):
        parent[key] = draw(junk)
    else:
        del parent[key]
    return made


@pytest.mark.parametrize("slug", WITH_ROWS)
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_spoilt_row_is_read_or_refused(slug: str, data: st.DataObject) -> None:
    row = data.draw(spoilt(ROWS[slug]))
    try:
        back = FORMATS[slug].parse(row)
        check_messages(back.messages)
    except (UnfitRow, BadLine):
        return
    assert isinstance(back.system, str)
    assert all(isinstance(tool, dict) for tool in back.tools)
