"""What pages about many items may be narrowed to: an environment, a batch."""

from dataclasses import dataclass

from writ_app.models.accounts import User
from writ_app.models.synthesis import Batch

BATCHES = 100
"""Latest batches that are offered."""


@dataclass(frozen=True)
class Scopes:
    environments: tuple[str, ...]
    batches: tuple[tuple[str, str], ...]
    """(key, name), newest first."""


def scopes_of(user: User) -> Scopes:
    """Asked of batches, which are few, and not of items."""
    rows = (
        Batch.objects.filter(team__in=user.team_ids)
        .order_by("-pk")
        .values_list("pk", "name", "environment__name")
    )
    named = list(rows[:BATCHES])
    return Scopes(
        environments=tuple(sorted({environment for *_, environment in named})),
        batches=tuple((str(pk), name) for pk, name, _ in named),
    )
