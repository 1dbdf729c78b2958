"""Background work. Importing the rooms is what makes workers know them."""

from writ_app.jobs import synthesis, verification

__all__ = ["synthesis", "verification"]
