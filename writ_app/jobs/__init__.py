"""Background work. Importing the rooms is what makes workers know them."""

from writ_app.jobs import catalog, release, reports, synthesis, verification

__all__ = ["catalog", "release", "reports", "synthesis", "verification"]
