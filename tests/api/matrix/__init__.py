"""An example of every operation, by room."""

from tests.api.matrix import (
    accounts,
    catalog,
    evaluation,
    insight,
    lists,
    quality,
    release,
    reports,
    review,
    synthesis,
    webhooks,
)
from tests.api.matrix.example import Example

EXAMPLES: dict[str, Example] = {
    **accounts.EXAMPLES,
    **catalog.EXAMPLES,
    **synthesis.EXAMPLES,
    **review.EXAMPLES,
    **lists.EXAMPLES,
    **insight.EXAMPLES,
    **quality.EXAMPLES,
    **release.EXAMPLES,
    **reports.EXAMPLES,
    **evaluation.EXAMPLES,
    **webhooks.EXAMPLES,
}
"""Operation → how it is tried out; tests/api/test_matrix.py fails for one that is not here."""
