"""Background work. Importing the rooms is what makes workers know them."""

from writ_app.jobs import release, reports, synthesis, verification

__all__ = ["release", "reports", "synthesis", "verification"]
