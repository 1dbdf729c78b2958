"""Keys of programs that speak for a member, and what was answered to commands that may be sent twice."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from writ_app.models.accounts import Membership, Role, User


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def visible_to(self, user: User) -> "ApiTokenQuerySet":
        return self.filter(membership__team__in=user.team_ids)

    def of_member(self, membership: Membership) -> "ApiTokenQuerySet":
        return self.filter(membership=membership)


class ApiToken(models.Model):
    """A token of one member. It is shown once, when it is made; what is kept lets nobody make it again."""

    membership = models.ForeignKey(
        Membership, on_delete=models.CASCADE, related_name="tokens"
    )
    name = models.CharField(max_length=80)
    """What it is for, in words of whoever made it."""
    scope = models.CharField(max_length=10, choices=Role)
    """What it may at most; it may never more than its member at the time."""
    key_id = models.CharField(max_length=16, unique=True)
    """The part of the token that finds it, and that lists show."""
    secret_hash = models.CharField(max_length=64)
    """SHA-256, in hexadecimal digits, of the secret part: 32 bytes drawn by chance, which nobody can try out."""
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, editable=False)
    """To the minute."""
    revoked_at = models.DateTimeField(null=True, editable=False)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return self.name


class IdempotentAnswer(models.Model):
    """What was answered to a command with an Idempotency-Key, for whoever sends it again within a day."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    token = models.ForeignKey(
        ApiToken, on_delete=models.CASCADE, null=True, related_name="+"
    )
    """Null: sent with a session."""
    key = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=64)
    """SHA-256 of team, method, address and body."""
    status = models.PositiveSmallIntegerField()
    body = models.TextField(blank=True)
    """JSON, as it was sent."""
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "token", "key"],
                name="idempotent_answer_once",
                nulls_distinct=False,
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["created_at"], name="idempotent_answer_by_age")
        ]

    def __str__(self) -> str:
        return self.key
