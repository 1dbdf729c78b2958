"""Reports that there are."""

from typing import Any

from writ_app.models.accounts import Team
from writ_app.models.report import Report

LISTED = 60


def reports_of(team: Team, **chosen: Any) -> list[Report]:
    """The latest, of all or of one batch, release or reference set."""
    named = {name: row for name, row in chosen.items() if row is not None}
    found = Report.objects.filter(team=team, **named).narrow()
    return list(
        found.select_related("created_by", "against").defer("against__content")[:LISTED]
    )
