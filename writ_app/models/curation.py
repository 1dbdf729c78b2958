"""What a team does with many items at once, and says of single ones."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from writ_app.models.accounts import Team, User
from writ_app.models.review import BulkAction, ReviewEvent, ReviewItem


class SavedViewQuerySet(models.QuerySet["SavedView"]):
    def visible_to(self, user: User) -> "SavedViewQuerySet":
        return self.filter(Q(owner=user) | Q(shared=True), team__in=user.team_ids)


class SavedView(models.Model):
    """Filters of a list under a name: one's own, or shared with the team."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="saved_views")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views"
    )
    name = models.CharField(max_length=80)
    filters = models.JSONField(default=dict)
    """As the list's form has them."""
    shared = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["name", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["team", "owner", "name"], name="saved_view_once"
            )
        ]

    def __str__(self) -> str:
        return self.name


class DefaultView(models.Model):
    """The saved view that a person's list opens with."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="default_view"
    )
    view = models.ForeignKey(SavedView, on_delete=models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return f"{self.user_id} begins with {self.view_id}"


class FindRule(models.Model):
    """A rejection made general: filters that find more of the same. What it hits is queued again."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="find_rules")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    name = models.CharField(max_length=120)
    event = models.ForeignKey(
        ReviewEvent, on_delete=models.PROTECT, null=True, related_name="rules"
    )
    """The rejection it came from."""
    filters = models.JSONField(default=dict)
    hits = models.PositiveIntegerField(default=0)
    """Items it found when it was applied."""
    requeued = models.PositiveIntegerField(default=0)
    """Of those, items whose verdict it reopened."""
    bulk = models.OneToOneField(
        BulkAction, on_delete=models.PROTECT, null=True, related_name="rule"
    )
    """The reopening, by which it is undone."""
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    applied_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return self.name


class PlanStatus(models.TextChoices):
    SAMPLING = "SAMPLING", "being sampled"
    PASSED = "PASSED", "passed"
    FAILED = "FAILED", "stopped by a defect"
    APPLIED = "APPLIED", "passed, rest approved"
    UNDONE = "UNDONE", "undone"


class SamplingPlan(models.Model):
    """Acceptance sampling: a lot is approved because a sample of it, drawn by a seed, held no defect."""

    team = models.ForeignKey(
        Team, on_delete=models.PROTECT, related_name="sampling_plans"
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    filters = models.JSONField(default=dict)
    """What chose the lot."""
    lot = models.PositiveIntegerField()
    """Items in it when it was ordered."""
    size = models.PositiveIntegerField()
    """Items in the sample."""
    confidence = models.FloatField(default=0.95)
    limit = models.FloatField()
    """Share of defects that a clean sample rules out with that confidence."""
    seed = models.BigIntegerField()
    status = models.CharField(
        max_length=10, choices=PlanStatus, default=PlanStatus.SAMPLING
    )
    statement = models.TextField()
    """What the sample proves, in the words that were shown before the click."""
    bulk = models.OneToOneField(
        BulkAction, on_delete=models.PROTECT, null=True, related_name="plan"
    )
    """The approval of the rest."""
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"plan {self.pk}: {self.size} of {self.lot}"

    @property
    def limit_percent(self) -> str:
        return f"{100 * self.limit:g}"

    @property
    def confidence_percent(self) -> str:
        return f"{100 * self.confidence:g}"


class PlannedItem(models.Model):
    """An item's part in a plan: it stands in the lot, and perhaps in the sample."""

    plan = models.ForeignKey(
        SamplingPlan, on_delete=models.CASCADE, related_name="items"
    )
    item = models.ForeignKey(ReviewItem, on_delete=models.PROTECT, related_name="plans")
    sampled = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["plan", "item"], name="planned_once")
        ]

    def __str__(self) -> str:
        return f"item {self.item_id} in plan {self.plan_id}"


class Comment(models.Model):
    """Something said of an item, or in answer to another comment. Withdrawn ones are hidden, not deleted."""

    item = models.ForeignKey(
        ReviewItem, on_delete=models.PROTECT, related_name="comments"
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="comments"
    )
    parent = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="replies"
    )
    body = models.TextField(max_length=4000)
    message = models.PositiveIntegerField(null=True)
    """Index of the message it is about; null: the whole item."""
    pointer = models.CharField(max_length=400, blank=True)
    """JSON pointer into that message's call or result."""
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    withdrawn_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"comment {self.pk}"


class Mention(models.Model):
    """Somebody who was named in a comment."""

    comment = models.ForeignKey(
        Comment, on_delete=models.CASCADE, related_name="mentions"
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="mentions"
    )
    seen_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["comment", "user"], name="mentioned_once_per_comment"
            )
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["user"], condition=Q(seen_at=None), name="mention_unseen"
            )
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in comment {self.comment_id}"
