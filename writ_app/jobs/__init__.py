"""Background work. Importing the rooms is what makes workers know them."""

from writ_app.jobs import (
    alive,
    audit,
    catalog,
    context,
    counting,
    evaluation,
    release,
    reports,
    synthesis,
    verification,
    webhooks,
)

__all__ = [
    "alive",
    "audit",
    "catalog",
    "context",
    "counting",
    "evaluation",
    "release",
    "reports",
    "synthesis",
    "verification",
    "webhooks",
]
