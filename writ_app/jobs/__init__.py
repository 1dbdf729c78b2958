"""Background work. Importing the rooms is what makes workers know them."""

from writ_app.jobs import reports, synthesis, verification

__all__ = ["reports", "synthesis", "verification"]
