"""People who use the app."""

from django.contrib.auth.models import AbstractUser


class User(AbstractUser):
    """A person who signs in. Own model from the first migration, so that it can grow."""
