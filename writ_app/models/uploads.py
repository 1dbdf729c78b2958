"""Uploaded files on their way in: kept in the database in parts, as the worker that reads them may be on another machine."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from writ_app.models.accounts import Team, User


class ImportStatus(models.TextChoices):
    WAITING = "WAITING", "waiting"
    RUNNING = "RUNNING", "running"
    DONE = "DONE", "done"
    FAILED = "FAILED", "refused"


class UploadQuerySet[Row: "Upload"](models.QuerySet[Row]):
    def visible_to(self, user: User) -> "UploadQuerySet[Row]":
        return self.filter(team__in=user.team_ids)


class Upload(models.Model):
    """A file that was uploaded. Its bytes are `parts` until it is in, or refused."""

    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="+")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    file_name = models.CharField(max_length=200)
    name = models.CharField(max_length=200, blank=True)
    status = models.CharField(
        max_length=10, choices=ImportStatus, default=ImportStatus.WAITING
    )
    attempt = models.PositiveSmallIntegerField(default=0)
    """Counts claims, so that a worker thought dead cannot write over its successor."""
    bytes = models.PositiveBigIntegerField(default=0)
    done = models.PositiveBigIntegerField(default=0)
    """How far it is, in parts of `whole`."""
    whole = models.PositiveBigIntegerField(default=0)
    rows = models.PositiveIntegerField(default=0)
    """Conversations read so far."""
    trouble = models.TextField(blank=True)
    """Why it was refused, in words."""
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    touched_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.file_name


class UploadPart(models.Model):
    """A piece of a file; `of` is its upload."""

    number = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        abstract = True
        ordering: ClassVar = ["of_id", "number"]

    def __str__(self) -> str:
        return f"{self.number} of {self.of_id}"  # type: ignore[attr-defined]
