"""People who use the app, and the teams whose work they share."""

from typing import ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Now
from django.utils.functional import cached_property


class User(AbstractUser):
    """A person who signs in. Own model from the first migration, so that it can grow."""

    @cached_property
    def team_ids(self) -> list[int]:
        """Keys of the person's teams, asked for once per request.

        With the keys at hand, and not a subquery, Postgres walks the indexes of big tables in the order that is wanted.
        """
        teams = self.memberships.order_by("team").values_list("team", flat=True)
        return list(teams)


class Team(models.Model):
    """People who see the same batches, reviews and releases."""

    name = models.CharField(max_length=80, unique=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    OWNER = "OWNER", "owner"
    REVIEWER = "REVIEWER", "reviewer"


class MembershipQuerySet(models.QuerySet["Membership"]):
    def owners(self) -> "MembershipQuerySet":
        return self.filter(role=Role.OWNER)


class Membership(models.Model):
    """A person's place in a team. Owners order batches and freeze releases; both roles review."""

    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="memberships")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="memberships"
    )
    role = models.CharField(max_length=10, choices=Role, default=Role.REVIEWER)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["team", "user"], name="membership_once_per_team"
            )
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.team}"
