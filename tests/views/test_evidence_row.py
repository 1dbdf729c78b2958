"""One row of the evidence that a reviewer reads."""

import pytest

from writ_app.services.review.evidence import EvidenceRow
from writ_app.templatetags.jinja import environment


@pytest.mark.parametrize("grounds", [0, 2])
def test_a_read_that_was_not_made_claims_no_write_that_may_not_be_there(
    grounds: int,
) -> None:
    row = EvidenceRow(
        number=1,
        name="get_user",
        subject="",
        role="",
        step=None,
        marks={},
        anchors=(),
        witness=(),
        witness_more=0,
        would_be=(),
        proved=True,
        grounds=grounds,
    )

    parts = environment().get_template("components/evidence_row.jinja").module
    printed = parts.evidence_row(row, True)  # type: ignore[attr-defined]

    assert "did not make this read in time" in printed
    assert ("yet the right answer rests on it" in printed) == bool(grounds)
