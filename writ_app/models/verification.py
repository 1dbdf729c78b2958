"""Every judgement that was ever passed on a trajectory, the work of passing them anew, and what judge models noted."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from writ_app.models.accounts import Team, User
from writ_app.models.fields import OrderedJSONField
from writ_app.models.synthesis import Batch, Trajectory


class JudgementQuerySet(models.QuerySet["Judgement"]):
    def visible_to(self, user: User) -> "JudgementQuerySet":
        return self.filter(trajectory__simulation__batch__team__in=user.team_ids)

    def of_team(self, team: Team, batch: Batch | None = None) -> "JudgementQuerySet":
        """Of all the team's trajectories, or of one batch."""
        if batch is not None:
            return self.filter(trajectory__simulation__batch=batch)
        return self.filter(trajectory__simulation__batch__team=team)


class Judgement(models.Model):
    """What one version of the verification says of a trajectory.

    The database itself files a row whenever a trajectory's verification is written, and refuses to change or delete one.
    """

    trajectory = models.ForeignKey(
        Trajectory, on_delete=models.PROTECT, related_name="judgements"
    )
    version = models.CharField(max_length=20)
    content = OrderedJSONField()
    """The engine's Verification."""
    accepted = models.BooleanField()
    reason = models.CharField(max_length=40, blank=True)
    owner = models.CharField(max_length=20, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = JudgementQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["trajectory", "version"], name="judgement_once_per_version"
            )
        ]

    def __str__(self) -> str:
        return f"judgement {self.version} of {self.trajectory_id}"


class ReverificationQuerySet(models.QuerySet["Reverification"]):
    def visible_to(self, user: User) -> "ReverificationQuerySet":
        return self.filter(team__in=user.team_ids)

    def unfinished(self) -> "ReverificationQuerySet":
        return self.filter(finished_at=None)


class Reverification(models.Model):
    """The order to judge a batch, or everything of a team, by the version that the code has now. Goes on from `position`."""

    team = models.ForeignKey(
        Team, on_delete=models.PROTECT, related_name="reverifications"
    )
    batch = models.ForeignKey(
        Batch, on_delete=models.PROTECT, null=True, related_name="reverifications"
    )
    """Null: every batch of the team."""
    version = models.CharField(max_length=20)
    total = models.PositiveIntegerField()
    """Trajectories that another version had judged when it was ordered."""
    verified = models.PositiveIntegerField(default=0)
    skipped = OrderedJSONField(default=dict)
    """{why: {count, example (key of a trajectory)}} of those that could not be judged; their judgement stays."""
    position = models.BigIntegerField(default=0)
    """Key of the last trajectory that was dealt with: they are taken in the order of their keys."""
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    """Null: ordered by a command."""
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    touched_at = models.DateTimeField(db_default=Now(), editable=False)
    """When a worker last got something done."""
    finished_at = models.DateTimeField(null=True, editable=False)

    objects = ReverificationQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["team", "batch", "version"],
                condition=Q(finished_at=None),
                nulls_distinct=False,
                name="reverification_one_at_a_time",
            )
        ]

    def __str__(self) -> str:
        return f"re-verification {self.pk}"

    @property
    def dealt_with(self) -> int:
        return self.verified + sum(one["count"] for one in self.skipped.values())


class NoteOutcome(models.TextChoices):
    ANSWERED = "ANSWERED", "answered"
    UNREADABLE = "UNREADABLE", "answer cannot be read"
    UNAVAILABLE = "UNAVAILABLE", "model unavailable"


class JudgeNote(models.Model):
    """What a judge model said of a trajectory. It decides nothing: verification and people do."""

    trajectory = models.ForeignKey(
        Trajectory, on_delete=models.PROTECT, related_name="judge_notes"
    )
    judge = models.CharField(max_length=200)
    """Name of the model."""
    prompt_version = models.CharField(max_length=20)
    seed = models.BigIntegerField()
    outcome = models.CharField(max_length=12, choices=NoteOutcome)
    content = OrderedJSONField(null=True)
    """The engine's JudgeAnswer; null unless it answered."""
    raw = models.TextField(blank=True)
    """What the model wrote, cut if it is huge, or why it did not."""
    prompt_tokens = models.PositiveIntegerField(default=0)
    completion_tokens = models.PositiveIntegerField(default=0)
    cost = models.FloatField(default=0.0)
    """US dollars."""
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["trajectory", "judge", "prompt_version", "seed"],
                name="judge_note_once",
            ),
            models.CheckConstraint(
                condition=Q(outcome="ANSWERED", content__isnull=False)
                | ~Q(outcome="ANSWERED") & Q(content__isnull=True),
                name="judge_note_content_iff_answered",
            ),
        ]
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"note of {self.judge} on {self.trajectory_id}"
