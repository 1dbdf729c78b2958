"""Background work. Importing the rooms is what makes workers know them."""

from writ_app.jobs import catalog, synthesis, verification

__all__ = ["catalog", "synthesis", "verification"]
