"""Frozen sets of approved trajectories."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from writ_app.models.accounts import Team, User
from writ_app.models.fields import OrderedJSONField
from writ_app.models.review import ReviewItem


class ReleaseQuerySet(models.QuerySet["Release"]):
    def visible_to(self, user: User) -> "ReleaseQuerySet":
        return self.filter(team__memberships__user=user)

    def frozen(self) -> "ReleaseQuerySet":
        return self.exclude(frozen_at=None)


class Release(models.Model):
    """A named, numbered set. Once frozen, the database refuses every change of it and of its members."""

    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="releases")
    name = models.SlugField(max_length=80)
    number = models.PositiveIntegerField()
    manifest = OrderedJSONField(default=dict)
    content_hash = models.CharField(max_length=64, blank=True)
    """SHA-256 (hex) of the manifest's canonical JSON."""
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    frozen_at = models.DateTimeField(null=True, editable=False)

    objects = ReleaseQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-created_at", "-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["team", "name", "number"], name="release_number_once"
            ),
            models.CheckConstraint(
                condition=Q(frozen_at=None, content_hash="")
                | (Q(frozen_at__isnull=False) & ~Q(content_hash="")),
                name="release_hash_iff_frozen",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.number}"


class ReleaseMember(models.Model):
    """One item's place in a release. A trigger lets only approved, accepted, serious ones in, and nothing once it is frozen."""

    release = models.ForeignKey(
        Release, on_delete=models.PROTECT, related_name="members"
    )
    item = models.ForeignKey(
        ReviewItem, on_delete=models.PROTECT, related_name="memberships"
    )
    position = models.PositiveIntegerField()

    class Meta:
        ordering: ClassVar = ["release_id", "position"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["release", "item"], name="release_member_once"
            ),
            models.UniqueConstraint(
                fields=["release", "position"], name="release_position_once"
            ),
        ]

    def __str__(self) -> str:
        return f"item {self.item_id} in {self.release_id}"
