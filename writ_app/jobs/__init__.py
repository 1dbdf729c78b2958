"""Background work. Importing the rooms is what makes workers know them."""

from writ_app.jobs import (
    alive,
    catalog,
    context,
    release,
    reports,
    synthesis,
    verification,
)

__all__ = [
    "alive",
    "catalog",
    "context",
    "release",
    "reports",
    "synthesis",
    "verification",
]
