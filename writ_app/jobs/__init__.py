"""Background work. Importing the rooms is what makes workers know them."""

from writ_app.jobs import catalog, release, synthesis, verification

__all__ = ["catalog", "release", "synthesis", "verification"]
