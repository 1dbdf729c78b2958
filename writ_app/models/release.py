"""Sets of approved trajectories: drafted by a recipe, then frozen for good."""

from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
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
        return self.filter(team__in=user.team_ids)

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


class PushStage(models.TextChoices):
    """How far a push is. Between the first two nothing is sent."""

    PLANNING = "PLANNING", "being compared"
    PLANNED = "PLANNED", "ready to be sent"
    SENDING = "SENDING", "being sent"
    DONE = "DONE", "done"
    FAILED = "FAILED", "stopped"


LIVE_PUSH = (PushStage.PLANNING, PushStage.SENDING)


class ReleasePushQuerySet(models.QuerySet["ReleasePush"]):
    def live(self) -> "ReleasePushQuerySet":
        return self.filter(stage__in=LIVE_PUSH)

    def claim(self, pk: int, *, quiet: timedelta) -> int | None:
        """Take one that waits, or that nobody has worked on for so long; its attempt, None if somebody is at it."""
        free = Q(claimed=False) | Q(touched_at__lt=Now() - quiet)
        taken = (
            self.live()
            .filter(free, pk=pk)
            .update(claimed=True, attempt=F("attempt") + 1, touched_at=Now())
        )
        return self.values_list("attempt", flat=True).get(pk=pk) if taken else None

    def under(self, pk: int, attempt: int) -> "ReleasePushQuerySet":
        """The push, if that attempt is still at it."""
        return self.live().filter(pk=pk, attempt=attempt, claimed=True)


class ReleasePush(models.Model):
    """A frozen release on its way into a dataset repository: first compared with what is there, then sent. It holds no token."""

    release = models.ForeignKey(
        Release, on_delete=models.PROTECT, related_name="pushes"
    )
    repository = models.CharField(max_length=200)
    """owner/name"""
    branch = models.CharField(max_length=100)
    private = models.BooleanField()
    """Whether nobody else may see it: a repository that is there and public is refused then."""
    slugs = models.JSONField(default=list)
    """Formats; none: all of them."""
    stage = models.CharField(
        max_length=10, choices=PushStage, default=PushStage.PLANNING
    )
    claimed = models.BooleanField(default=False)
    """Whether a worker has taken what is to be done in this stage."""
    attempt = models.PositiveIntegerField(default=0)
    """Counts claims, so that a worker thought dead cannot write over its successor."""
    found = models.CharField(max_length=10, blank=True)
    """The repository as it was compared with: `none`, `private`, `public`; "": not yet."""
    files = OrderedJSONField(default=list)
    """{path, state, bytes, sha256} of each: as planned, then as it was dealt with."""
    dealt_with = models.PositiveIntegerField(default=0)
    """Files of those that are sent, or need not be."""
    address = models.CharField(max_length=500, blank=True)
    """Of the commit; "" if there was nothing to send."""
    others = models.JSONField(default=list)
    """Paths in the repository that are not of the release."""
    trouble = models.TextField(blank=True)
    """Why it was stopped, in words."""
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    touched_at = models.DateTimeField(db_default=Now(), editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)

    objects = ReleasePushQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["release"],
                condition=Q(stage__in=["PLANNING", "SENDING"]),
                name="release_push_one_at_a_time",
            )
        ]

    def __str__(self) -> str:
        return f"push {self.pk} to {self.repository}"

    @property
    def is_live(self) -> bool:
        return self.stage in LIVE_PUSH
