"""What people and programs did, kept for good: rows that the database lets nobody change, each tied to the one before.

Every team has a chain of its own, and so has the site. An entry's place in its chain is a row of another table, which it gets
a few seconds after the act, many at a time (migration 0033): to give it within the act would make reviewers wait for each other.
"""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from writ_app.models.accounts import Team, User
from writ_app.models.fields import OrderedJSONField

SITE = 0
"""Chain of the acts that are no team's. A team's chain has the team's key."""


class AuditEntryQuerySet(models.QuerySet["AuditEntry"]):
    def visible_to(self, user: User) -> "AuditEntryQuerySet":
        return self.filter(team__in=user.team_ids)


class AuditEntry(models.Model):
    """One act. `before` and `after` are what of the row the act is about. Never changed or deleted."""

    team = models.ForeignKey(
        Team, on_delete=models.PROTECT, null=True, related_name="audit_entries"
    )
    """Null: an act of the site, such as a sign-in."""
    at = models.DateTimeField(db_default=Now(), editable=False)
    """When its transaction began."""
    actor = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, related_name="audit_entries"
    )
    """Null: a command or a job that nobody in particular ordered."""
    door = models.CharField(max_length=10)
    """By which door: web, api, job or command."""
    request_id = models.CharField(max_length=64, blank=True)
    action = models.CharField(max_length=60)
    """Noun and verb: `release.freeze`, `member.role`."""
    kind = models.CharField(max_length=40, blank=True)
    """The model of the row it is about, and below its key."""
    key = models.CharField(max_length=80, blank=True)
    before = OrderedJSONField(null=True)
    after = OrderedJSONField(null=True)

    objects = AuditEntryQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["pk"]
        verbose_name_plural = "audit entries"
        indexes: ClassVar = [
            models.Index(fields=["team", "-id"], name="audit_by_team"),
            models.Index(fields=["team", "action", "-id"], name="audit_by_action"),
            models.Index(fields=["kind", "key", "-id"], name="audit_by_row"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.kind} {self.key}"


class AuditLink(models.Model):
    """An entry's place in its chain. Written by a function of the database, never changed or deleted."""

    entry = models.OneToOneField(
        AuditEntry, on_delete=models.PROTECT, primary_key=True, related_name="link"
    )
    chain = models.BigIntegerField()
    """Key of the team, or SITE."""
    number = models.BigIntegerField()
    """From 1 on, without gaps."""
    previous = models.BinaryField()
    """Hash of the link before; 32 zero bytes for the first."""
    hash = models.BinaryField()
    """SHA-256 over `previous` and the entry (writ_app/services/audit_chain.py says how it is written out)."""

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["chain", "number"], name="audit_number_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.number} of chain {self.chain}"


class AuditWaiting(models.Model):
    """An entry that has no place yet. The database notes it with the entry, and takes it away with the link."""

    entry = models.OneToOneField(
        AuditEntry,
        on_delete=models.DO_NOTHING,
        primary_key=True,
        related_name="+",
        db_constraint=False,  # written by a trigger of the entry itself
    )

    def __str__(self) -> str:
        return f"entry {self.entry_id} waits"


class AuditCheckQuerySet(models.QuerySet["AuditCheck"]):
    def of(self, chain: int) -> "AuditCheckQuerySet":
        return self.filter(team=None if chain == SITE else chain)


class AuditCheck(models.Model):
    """A verification of one chain, as it was ordered and what it came to. Not changed once it is finished.

    What a finished one found intact is held against the chain ever after, so that an end that is cut off later is missed.
    """

    team = models.ForeignKey(
        Team, on_delete=models.PROTECT, null=True, related_name="audit_checks"
    )
    """Null: the chain of the site."""
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    """Null: the clock, or a command."""
    ordered_at = models.DateTimeField(db_default=Now(), editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)
    number = models.BigIntegerField(default=0)
    """Of the last link that was found intact, and below its hash."""
    hash = models.BinaryField(default=b"")
    trouble = models.TextField(blank=True)
    """The first break in words; "" if the chain holds."""

    objects = AuditCheckQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [models.Index(fields=["team", "-id"], name="audit_checked")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(finished_at__isnull=False) | Q(trouble="", number=0),
                name="audit_check_says_nothing_before_its_end",
            )
        ]

    def __str__(self) -> str:
        return f"check {self.pk} of chain {self.team_id or SITE}"
