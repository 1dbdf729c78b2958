"""Reports: what was measured of a set of trajectories, once, with what it was measured of."""

from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from writ_app.models.accounts import Team, User
from writ_app.models.catalog import ReferenceSet
from writ_app.models.curation import SavedView
from writ_app.models.fields import OrderedJSONField
from writ_app.models.release import Release
from writ_app.models.synthesis import Batch


class ReportKind(models.TextChoices):
    """What a report is of."""

    BATCH = "BATCH", "batch"
    VIEW = "VIEW", "list"
    RELEASE = "RELEASE", "release"
    REFERENCE = "REFERENCE", "reference set"


class ReportStatus(models.TextChoices):
    WAITING = "WAITING", "waiting"
    RUNNING = "RUNNING", "being made"
    DONE = "DONE", "done"
    FAILED = "FAILED", "stopped"


class ReportQuerySet(models.QuerySet["Report"]):
    def visible_to(self, user: User) -> "ReportQuerySet":
        return self.filter(team__in=user.team_ids)

    def unfinished(self) -> "ReportQuerySet":
        return self.filter(status__in=[ReportStatus.WAITING, ReportStatus.RUNNING])

    def narrow(self) -> "ReportQuerySet":
        """Without what was measured."""
        return self.defer("content")

    def claim(self, pk: int, *, quiet: timedelta) -> int | None:
        """Take a report that waits, or that nobody has worked on for so long; its attempt, None if somebody is at it."""
        left = Q(status=ReportStatus.RUNNING, touched_at__lt=Now() - quiet)
        taken = self.filter(Q(status=ReportStatus.WAITING) | left, pk=pk).update(
            status=ReportStatus.RUNNING,
            attempt=F("attempt") + 1,
            dealt_with=0,
            touched_at=Now(),
        )
        return self.values_list("attempt", flat=True).get(pk=pk) if taken else None

    def under(self, pk: int, attempt: int) -> "ReportQuerySet":
        """The report, if it is still made by that attempt."""
        return self.filter(pk=pk, attempt=attempt, status=ReportStatus.RUNNING)


class Report(models.Model):
    """Made by a job, and kept: the same set measured later is another report."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="reports")
    kind = models.CharField(max_length=10, choices=ReportKind)
    title = models.CharField(max_length=200)
    batch = models.ForeignKey(
        Batch, on_delete=models.CASCADE, null=True, related_name="reports"
    )
    release = models.ForeignKey(
        Release, on_delete=models.CASCADE, null=True, related_name="reports"
    )
    view = models.ForeignKey(
        SavedView, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    """Where the filters came from, if they had a name."""
    filters = models.JSONField(default=dict)
    """Of a list, as its form has them."""
    reference = models.ForeignKey(
        ReferenceSet, on_delete=models.CASCADE, null=True, related_name="reports"
    )
    against = models.ForeignKey(
        ReferenceSet, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    """What it is laid beside; null: nothing."""
    status = models.CharField(
        max_length=10, choices=ReportStatus, default=ReportStatus.WAITING
    )
    attempt = models.PositiveSmallIntegerField(default=0)
    """Counts claims, so that a worker thought dead cannot write over its successor."""
    total = models.PositiveIntegerField(default=0)
    """Trajectories to go through, as far as it is known."""
    dealt_with = models.PositiveIntegerField(default=0)
    trouble = models.TextField(blank=True)
    """Why it was stopped, in words."""
    content = OrderedJSONField(null=True)
    """What services/reports/making.py puts together; null until it is done."""
    content_hash = models.CharField(max_length=64, blank=True)
    """SHA-256 (hex) of the JSON file."""
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    """Whose eyes the list was found with, too."""
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    touched_at = models.DateTimeField(db_default=Now(), editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)

    objects = ReportQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(status="DONE", content__isnull=False)
                | ~Q(status="DONE") & Q(content__isnull=True),
                name="report_content_iff_done",
            ),
            models.CheckConstraint(
                condition=Q(kind="BATCH", batch__isnull=False)
                | Q(kind="RELEASE", release__isnull=False)
                | Q(kind="REFERENCE", reference__isnull=False)
                | Q(kind="VIEW"),
                name="report_of_what_its_kind_says",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["touched_at"],
                condition=Q(status__in=["WAITING", "RUNNING"]),
                name="report_unfinished",
            )
        ]

    def __str__(self) -> str:
        return f"report {self.pk}: {self.title}"

    @property
    def is_live(self) -> bool:
        return self.status in (ReportStatus.WAITING, ReportStatus.RUNNING)
