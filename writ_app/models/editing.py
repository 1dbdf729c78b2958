"""Edits in the making, and what became of the versions they made."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from writ_app.models.fields import OrderedJSONField
from writ_app.models.review import ReviewEvent, ReviewItem


class EditDraft(models.Model):
    """What somebody has changed so far of an item. Only they see it; it goes when they save a version or discard it."""

    item = models.ForeignKey(
        ReviewItem, on_delete=models.CASCADE, related_name="drafts"
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="edit_drafts"
    )
    changes = OrderedJSONField(default=list)
    """The engine's Changes."""
    reason = models.TextField(blank=True, max_length=2000, db_default="")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["item", "user"], name="edit_draft_once")
        ]

    def __str__(self) -> str:
        return f"draft of item {self.item_id}"


class VersionAct(models.TextChoices):
    SAVED = "SAVED", "saved"
    WITHDRAWN = "WITHDRAWN", "withdrawn"


class VersionEvent(models.Model):
    """An edited version was saved, or withdrawn before anybody judged it. Never changed or deleted.

    The database takes a withdrawn version out of the queue, and withdraws one itself when the verdict it came with is undone.
    """

    item = models.ForeignKey(
        ReviewItem, on_delete=models.PROTECT, related_name="version_events"
    )
    act = models.CharField(max_length=10, choices=VersionAct)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    verdict = models.ForeignKey(
        ReviewEvent, on_delete=models.PROTECT, null=True, related_name="versions"
    )
    """"Needs a fix", given to the version before with the same click."""
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["item", "act"], name="version_act_once"),
            models.CheckConstraint(
                condition=Q(act="SAVED") | Q(verdict=None),
                name="version_verdict_only_when_saved",
            ),
        ]

    def __str__(self) -> str:
        return f"item {self.item_id} {self.act}"


class EarlierJudgement(models.Model):
    """What an earlier version of the verification said of an edited version or canary. Never changed or deleted.

    What the last one says is the item's own `verification`.
    """

    item = models.ForeignKey(
        ReviewItem, on_delete=models.PROTECT, related_name="earlier_judgements"
    )
    content = OrderedJSONField()
    """The engine's Verification, which says by which version it is."""
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    """When another took its place."""

    class Meta:
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"earlier judgement of item {self.item_id}"
