"""Re-exports for Django alone; everything else imports from the room's own module."""

from writ_app.models.accounts import User

__all__ = ["User"]
