"""Background work. Importing the rooms is what makes workers know them."""

from writ_app.jobs import alive, context, synthesis, verification

__all__ = ["alive", "context", "synthesis", "verification"]
