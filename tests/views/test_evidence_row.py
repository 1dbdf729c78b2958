"""One row of the evidence that a reviewer reads."""

from types import SimpleNamespace

import pytest
from django.template.loader import render_to_string


@pytest.mark.parametrize("grounds", [0, 2])
def test_a_read_that_was_not_made_claims_no_write_that_may_not_be_there(
    grounds: int,
) -> None:
    row = SimpleNamespace(
        id="e1", number=1, name="get_user", subject="", grounds=grounds, step=None
    )

    printed = render_to_string("components/evidence_row.html", {"row": row})

    assert "did not make this read in time" in printed
    assert ("yet the right answer rests on it" in printed) == bool(grounds)
