"""Sets of approved trajectories: drafted by a recipe, then frozen for good."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from writ_app.models.accounts import Team, User
from writ_app.models.fields import OrderedJSONField
from writ_app.models.review import ReviewItem


class DraftStage(models.TextChoices):
    """How far a draft is. It stays as it was when the release is frozen."""

    NEW = "NEW", "to be chosen"
    CHOOSING = "CHOOSING", "being chosen"
    READY = "READY", "ready"
    FREEZING = "FREEZING", "being frozen"
    FAILED = "FAILED", "stopped"


WORKING = (DraftStage.CHOOSING, DraftStage.FREEZING)


class ReleaseQuerySet(models.QuerySet["Release"]):
    def visible_to(self, user: User) -> "ReleaseQuerySet":
        return self.filter(team__memberships__user=user)

    def frozen(self) -> "ReleaseQuerySet":
        return self.exclude(frozen_at=None)

    def drafts(self) -> "ReleaseQuerySet":
        return self.filter(frozen_at=None)


class Release(models.Model):
    """A named, numbered set. Once frozen, the database refuses every change of it and of what belongs to it."""

    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="releases")
    name = models.SlugField(max_length=80)
    number = models.PositiveIntegerField()
    recipe = OrderedJSONField(default=dict, db_default={})
    """What chooses and splits the members, as services/release/recipe.py has it; {} of a release of before there were recipes."""
    licence = models.CharField(max_length=64, blank=True, db_default="")
    """SPDX identifier; "" if nobody has named one."""
    description = models.TextField(blank=True, max_length=4000, db_default="")
    manifest = OrderedJSONField(default=dict)
    content_hash = models.CharField(max_length=64, blank=True)
    """SHA-256 (hex) of the manifest's canonical JSON."""
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    frozen_at = models.DateTimeField(null=True, editable=False)

    # How far the draft is. The last four are of the job that is under way, or was last.
    stage = models.CharField(
        max_length=10,
        choices=DraftStage,
        default=DraftStage.NEW,
        db_default=DraftStage.NEW,
    )
    revision = models.PositiveIntegerField(default=0, db_default=0)
    """Fencing: goes up with every change of the recipe; a job under an older one ends without writing."""
    whole = models.PositiveIntegerField(default=0, db_default=0)
    """Trajectories that the job has to go through, as far as it knows."""
    dealt_with = models.PositiveIntegerField(default=0, db_default=0)
    trouble = models.TextField(blank=True, db_default="")
    """Why it was stopped, in words."""
    touched_at = models.DateTimeField(db_default=Now(), editable=False)

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

    @property
    def is_working(self) -> bool:
        """Whether a job is at the draft, or waits to be."""
        return self.frozen_at is None and self.stage in WORKING


class ReleaseMember(models.Model):
    """One item's place in a release. Triggers let only the team's approved, accepted, serious ones in, and nothing once it is frozen."""

    release = models.ForeignKey(
        Release, on_delete=models.PROTECT, related_name="members"
    )
    item = models.ForeignKey(
        ReviewItem, on_delete=models.PROTECT, related_name="memberships"
    )
    position = models.PositiveIntegerField()
    split = models.CharField(max_length=20, blank=True, db_default="")
    """"" in a release of before there were splits."""
    row_hash = models.CharField(max_length=64, blank=True, db_default="")
    """SHA-256 (hex) of its line in `trajectories.jsonl`; "" in a release whose manifest holds the hashes (version 1)."""
    tokens = models.PositiveIntegerField(null=True)
    """By the tokenizer that the recipe names; null if it names none."""

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


class ReleaseRefusal(models.Model):
    """What the recipe's filters found and the release does not hold, with the reason."""

    release = models.ForeignKey(
        Release, on_delete=models.CASCADE, related_name="refusals"
    )
    item = models.ForeignKey(ReviewItem, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=40)
    """`cap`, `too_long`, `contaminated`, `environment`, or the name of the pitfall of formats that it would be."""
    detail = models.TextField(blank=True, db_default="")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["release", "item"], name="release_refusal_once"
            )
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["release", "reason", "item"], name="release_refusal_by_reason"
            )
        ]

    def __str__(self) -> str:
        return f"item {self.item_id} not in {self.release_id}: {self.reason}"


class ReleaseFile(models.Model):
    """What a file of a frozen release came to when it was first made whole. Never changed: later makings are held to it."""

    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="files")
    path = models.CharField(max_length=200)
    slug = models.CharField(max_length=40)
    """Of the format."""
    split = models.CharField(max_length=20, blank=True)
    """"" if it holds all of them."""
    rows = models.PositiveIntegerField()
    bytes = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering: ClassVar = ["release_id", "path"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["release", "path"], name="release_file_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.path} of {self.release_id}"
