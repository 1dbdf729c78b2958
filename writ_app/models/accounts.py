"""People who use the app, and the teams whose work they share."""

from datetime import datetime
from importlib import import_module
from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models.functions import Now
from django.utils.functional import cached_property

if TYPE_CHECKING:
    from django.contrib.sessions.backends.base import SessionBase


class SeveralTeams(Exception):
    """Code asked for all that a person of several teams may see, without saying in which of them. A fault of ours."""


class User(AbstractUser):
    """A person who signs in. Own model from the first migration, so that it can grow."""

    places: list["Membership"]
    """Their memberships, oldest first, once somebody asked for them (`services.accounts.membership_of`)."""

    came_with: list["Membership"] | None = None
    """The same, as the session of the request brought them along, until the request is given its team."""

    @cached_property
    def team_ids(self) -> list[int]:
        """Keys of the teams whose rows the person may see now: only the team that a request or a job is made in.

        A role holds for one team, so what is seen and what is done must speak of the same team: `within(team)` says which.
        Raises SeveralTeams for somebody of several teams who was not put into one, so that no team's rows go to another.
        With the keys at hand, and not a subquery, Postgres walks the indexes of big tables in the order that is wanted.
        """
        teams = list(self.memberships.values_list("team", flat=True)[:2])
        if len(teams) > 1:
            raise SeveralTeams(f"In which of their teams is user {self.pk}?")
        return teams

    def within(self, team: "Team | int") -> "User":
        """The same person, who sees the rows of that team alone, or none if they are not in it (any more)."""
        key = team.pk if isinstance(team, Team) else team
        own = self.memberships.filter(team=key)
        self.team_ids = list(own.values_list("team", flat=True))
        return self


class Team(models.Model):
    """People who see the same batches, reviews and releases."""

    name = models.CharField(max_length=80, unique=True)
    needs_second_factor = models.BooleanField(default=False, db_default=False)
    """Whether members see nothing of the team before they signed in with a second factor."""
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    """What a member may do. Each role may all that the ones before it may."""

    VIEWER = "VIEWER", "viewer"
    """Reads pages, reports and releases."""
    REVIEWER = "REVIEWER", "reviewer"
    """Judges, edits, comments, keeps views and rules."""
    CURATOR = "CURATOR", "curator"
    """Decides what counts: quality control, releases, imports, exports."""
    OWNER = "OWNER", "owner"
    """Spends and admits: batches, models, members, tokens, webhooks."""

    def includes(self, other: "Role") -> bool:
        """Whether who has this role may do what `other` may."""
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(other)


class MembershipQuerySet(models.QuerySet["Membership"]):
    def owners(self) -> "MembershipQuerySet":
        return self.filter(role=Role.OWNER)


class Membership(models.Model):
    """A person's place in a team."""

    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="memberships")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="memberships"
    )
    role = models.CharField(max_length=10, choices=Role, default=Role.REVIEWER)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    seen_at = models.DateTimeField(db_default=Now(), editable=False)
    """When the member last asked for a page of the team, to within some minutes."""

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["team", "user"], name="membership_once_per_team"
            )
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.team}"

    def may(self, role: Role) -> bool:
        """Whether this member may do what `role` may."""
        return Role(self.role).includes(role)

    @property
    def reviews(self) -> bool:
        return self.may(Role.REVIEWER)

    @property
    def curates(self) -> bool:
        return self.may(Role.CURATOR)

    @property
    def owns(self) -> bool:
        return self.may(Role.OWNER)


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def pending(self, at: datetime) -> "InvitationQuerySet":
        """Neither accepted nor revoked, and not over."""
        return self.filter(accepted_at=None, revoked_at=None, expires_at__gt=at)


class Invitation(models.Model):
    """A place in a team that is held for whoever has the link. The link itself is nowhere: only the hash of its token."""

    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="invitations")
    role = models.CharField(max_length=10, choices=Role, default=Role.REVIEWER)
    email = models.EmailField(blank=True)
    """Empty: for whoever has the link. Otherwise only for an account with this address."""
    token_hash = models.CharField(max_length=64, unique=True)
    """SHA-256 of the token, in hexadecimal digits."""
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    revoked_at = models.DateTimeField(null=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(accepted_at=None) | models.Q(revoked_at=None),
                name="invitation_accepted_or_revoked",
            )
        ]

    def __str__(self) -> str:
        return f"invitation {self.pk} to {self.team}"


class Session(AbstractBaseSession):
    """One sign-in of one browser, so that its owner can see it and end it."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        related_name="sessions",
    )
    """Null until somebody is signed in."""
    agent = models.CharField(max_length=80, blank=True)
    """Browser and system in words, as far as the browser tells."""
    created_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    """When it was last used, to within some minutes."""

    @classmethod
    def get_session_store_class(cls) -> "type[SessionBase]":
        store: type[SessionBase] = import_module(settings.SESSION_ENGINE).SessionStore
        return store

    def __str__(self) -> str:
        return f"session of {self.user_id}"


class ReviewerKeys(models.Model):
    """Keys that a person has changed: {name of the action: key}. Read and checked by the server alone."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="review_keys"
    )
    keys = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"keys of {self.user_id}"
