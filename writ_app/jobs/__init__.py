"""Background work. Importing the rooms is what makes workers know them."""

from writ_app.jobs import release, synthesis, verification

__all__ = ["release", "synthesis", "verification"]
