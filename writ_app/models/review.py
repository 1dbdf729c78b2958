"""Who judges what, and what was judged."""

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from writ_app.models.accounts import User
from writ_app.models.synthesis import Trajectory


class SlotStatus(models.TextChoices):
    OPEN = "OPEN", "to review"
    APPROVED = "APPROVED", "approved"
    REJECTED = "REJECTED", "rejected"
    FIX = "FIX", "needs a fix"


class SlotQuerySet(models.QuerySet["ReviewSlot"]):
    def visible_to(self, user: User) -> "SlotQuerySet":
        return self.filter(trajectory__simulation__batch__team__memberships__user=user)

    def open(self) -> "SlotQuerySet":
        return self.filter(status=SlotStatus.OPEN)

    def approved(self) -> "SlotQuerySet":
        return self.filter(status=SlotStatus.APPROVED)

    def approved_but_rejected(self) -> "SlotQuerySet":
        """Approved by a person, and rejected by a later version of the verification."""
        return self.approved().filter(trajectory__accepted=False)

    def leased_to(self, user: User, at: datetime) -> "SlotQuerySet":
        return self.open().filter(leased_by=user, leased_until__gt=at)

    def free(self, at: datetime) -> "SlotQuerySet":
        """Open, in nobody's hands, and of what the verification still accepts."""
        free = Q(leased_until=None) | Q(leased_until__lte=at)
        return self.open().filter(free, trajectory__accepted=True)


class ReviewSlot(models.Model):
    """One place for one reviewer on one trajectory: leased while somebody looks at it, closed by a verdict."""

    trajectory = models.ForeignKey(
        Trajectory, on_delete=models.PROTECT, related_name="slots"
    )
    number = models.PositiveSmallIntegerField(default=1)
    status = models.CharField(
        max_length=10, choices=SlotStatus, default=SlotStatus.OPEN
    )
    """Follows from the last event that stands."""
    leased_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    leased_until = models.DateTimeField(null=True)
    token = models.PositiveIntegerField(default=0)
    """Fencing: goes up with every lease; a verdict under an older token is refused."""
    deferred_at = models.DateTimeField(null=True)
    """Put off: these come last."""
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = SlotQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["trajectory", "number"], name="slot_number_once"
            )
        ]
        indexes: ClassVar = [
            # the next slot to hand out
            models.Index(
                F("deferred_at").asc(nulls_first=True),
                "id",
                condition=Q(status="OPEN"),
                name="slot_open",
            )
        ]

    def __str__(self) -> str:
        return f"slot {self.number} of {self.trajectory_id}"


class Verdict(models.TextChoices):
    APPROVE = "APPROVE", "approve"
    REJECT = "REJECT", "reject"
    FIX = "FIX", "needs a fix"
    DEFER = "DEFER", "defer"
    WITHDRAW = "WITHDRAW", "withdraw"


class RejectReason(models.TextChoices):
    """Numbered by the digit that gives it."""

    WRONG_WRITE = "wrong_write", "wrong write"
    UNGROUNDED = "ungrounded", "argument not grounded"
    MISSING_READ = "missing_read", "needed read missing"
    POLICY = "policy", "against the policy"
    NO_CONFIRMATION = "no_confirmation", "no clear confirmation"
    UNCLEAR_REQUEST = "unclear_request", "request unclear or has two answers"
    UNNATURAL_USER = "unnatural_user", "user is not believable"
    UNNATURAL_AGENT = "unnatural_agent", "agent's words are poor"
    OTHER = "other", "other (say which)"


class ReviewEvent(models.Model):
    """An act of a reviewer. Never changed or deleted: undoing is another event that withdraws this one."""

    slot = models.ForeignKey(
        ReviewSlot, on_delete=models.PROTECT, related_name="events"
    )
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="review_events"
    )
    verdict = models.CharField(max_length=10, choices=Verdict)
    reason = models.CharField(max_length=20, choices=RejectReason, blank=True)
    note = models.TextField(blank=True, max_length=4000)
    focus = models.CharField(max_length=200, blank=True)
    """What the reviewer pointed at: an argument or a message, by its element id."""
    withdraws = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, related_name="withdrawn_by"
    )
    seconds = models.PositiveIntegerField(null=True)
    """Time on the item, as the page measured it."""
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(verdict="WITHDRAW", withdraws__isnull=False)
                | (~Q(verdict="WITHDRAW") & Q(withdraws__isnull=True)),
                name="review_event_withdraws_iff_withdrawal",
            ),
            models.CheckConstraint(
                condition=Q(verdict="REJECT") & ~Q(reason="")
                | ~Q(verdict="REJECT") & Q(reason=""),
                name="review_event_reason_iff_rejection",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.verdict} {self.pk}"
