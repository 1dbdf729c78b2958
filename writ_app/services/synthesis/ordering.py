"""An order as it was given, to be given again with changes."""

from collections.abc import Mapping
from typing import Any

from writ_app.models.synthesis import Batch
from writ_app.services.synthesis.endpoints import ROLES

REPEATED = (
    "environment",
    "ordered",
    "seed",
    "mix",
    "grid",
    "plans",
    "plans_per_task",
    "fault_share",
    "agent",
    "user_simulator",
    "paraphraser",
    "judge",
    "max_cost",
    "max_tokens",
)
"""Fields of a batch that are part of its order."""


def order_of(batch: Batch) -> dict[str, Any]:
    """Keywords for start_batch that order the same once more. Endpoints are taken as they are now, not as they were."""
    order = {name: getattr(batch, name) for name in REPEATED}
    return {"name": f"{batch.name[:110]}, again", **order}


def disabled_in(order: Mapping[str, Any] | None) -> list[str]:
    """Names of the endpoints of an order that new batches can no longer choose."""
    chosen = [order[field] for field in ROLES.values()] if order else []
    return sorted({one.name for one in chosen if one and not one.enabled})


def role_lines(batch: Batch) -> list[tuple[str, dict[str, Any], str]]:
    """(role, what was pinned of its endpoint, who plays it if nothing was) of every role."""
    titles = {
        "agent": ("Agent", "scripted"),
        "user": ("User", "scripted"),
        "paraphraser": ("Rewords requests", "nobody"),
        "judge": ("Judge", "nobody"),
    }
    return [
        (title, batch.played_by.get(role, {}), otherwise)
        for role, (title, otherwise) in titles.items()
    ]
