"""Webhooks: addresses that are told of what happened in a team, and what was sent to them.

A delivery is written by the transaction that it tells of, so that nothing is told that did not happen and nothing that happened
is lost; a job sends it afterwards.
"""

import secrets
import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from writ_app.models.accounts import Team, User

SALT_BYTES = 32


def new_salt() -> bytes:
    return secrets.token_bytes(SALT_BYTES)


class WebhookQuerySet(models.QuerySet["Webhook"]):
    def visible_to(self, user: User) -> "WebhookQuerySet":
        return self.filter(team__in=user.team_ids)


class Webhook(models.Model):
    """An address that a team's events are sent to.

    The secret that signs is nowhere: it is derived from the salt and the site's SECRET_KEY (writ_app/services/webhooks/signing.py),
    so that who reads the database alone cannot sign.
    """

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="webhooks")
    url = models.CharField(max_length=2000)
    name = models.CharField(max_length=80)
    """What it is for, in words of whoever made it."""
    events = models.JSONField(default=list)
    """Names of events (writ_app/services/webhooks/events.py)."""
    salt = models.BinaryField(default=new_salt)
    secret_hash = models.CharField(max_length=64)
    """SHA-256 (hex) of the secret that was shown: tells when SECRET_KEY is another one by now."""
    enabled = models.BooleanField(default=True)
    trouble = models.CharField(max_length=400, blank=True)
    """Why it was disabled by the app; empty if a person did it."""
    failing_since = models.DateTimeField(null=True, editable=False)
    """The first attempt that failed since the last that did not."""
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = WebhookQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return self.name


class DeliveryStatus(models.TextChoices):
    WAITING = "WAITING", "waiting"
    SENDING = "SENDING", "being sent"
    DONE = "DONE", "delivered"
    FAILED = "FAILED", "given up"


LIVE = (DeliveryStatus.WAITING, DeliveryStatus.SENDING)


class DeliveryQuerySet(models.QuerySet["WebhookDelivery"]):
    def visible_to(self, user: User) -> "DeliveryQuerySet":
        return self.filter(webhook__team__in=user.team_ids)

    def due(self) -> "DeliveryQuerySet":
        """What waits and may be tried now, and what a worker took and did not come back with."""
        return self.filter(status__in=LIVE, next_at__lte=Now(), webhook__enabled=True)


class WebhookDelivery(models.Model):
    """One event on its way to one address. Its id is the same in every attempt, so that a receiver knows a repetition."""

    webhook = models.ForeignKey(
        Webhook, on_delete=models.CASCADE, related_name="deliveries"
    )
    message_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    event = models.CharField(max_length=40)
    payload = models.TextField()
    """JSON, byte for byte as it is sent and signed."""
    status = models.CharField(
        max_length=10, choices=DeliveryStatus, default=DeliveryStatus.WAITING
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    """Begun since it was ordered; sending it again begins anew."""
    answer = models.PositiveSmallIntegerField(null=True)
    """Status code of the last answer; null if there was none."""
    trouble = models.CharField(max_length=200, blank=True)
    """Of the last attempt, in our words: nothing of what the other side said."""
    next_at = models.DateTimeField(db_default=Now(), null=True)
    """Not before then; of one that is being sent: when its worker is taken for dead. Null: over."""
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    tried_at = models.DateTimeField(null=True, editable=False)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-pk"]
        verbose_name_plural = "webhook deliveries"
        indexes: ClassVar = [
            models.Index(
                fields=["next_at"],
                name="webhook_delivery_due",
                condition=Q(status__in=["WAITING", "SENDING"]),
            ),
            models.Index(fields=["webhook", "-id"], name="webhook_delivery_of"),
            models.Index(fields=["created_at"], name="webhook_delivery_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.message_id}"

    @property
    def sent_id(self) -> str:
        """As the header `webhook-id` has it."""
        return f"msg_{self.message_id.hex}"

    @property
    def is_live(self) -> bool:
        return self.status in LIVE
