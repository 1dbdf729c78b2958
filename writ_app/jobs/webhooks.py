"""Shells around webhooks: a message wakes, rows say what there is to send."""

import time
from typing import Any

from celery import shared_task
from django.dispatch import receiver
from django.utils import timezone

from writ_app.services.webhooks import sending
from writ_app.services.webhooks.events import waiting

SECONDS = 60.0
"""A webhook with much to send gives its worker back after that, and goes on behind the others."""


@receiver(waiting)
def wake(sender: Any, webhook_id: int, **more: Any) -> None:
    send_webhook.delay(webhook_id=webhook_id)


@shared_task
def send_webhook(*, webhook_id: int) -> None:
    ends = time.monotonic() + SECONDS
    sending.send_waiting(webhook_id=webhook_id, stop=lambda: time.monotonic() >= ends)
    if time.monotonic() >= ends and webhook_id in sending.webhooks_with_something_due():
        send_webhook.delay(webhook_id=webhook_id)


@shared_task
def resume_webhooks() -> None:
    """Send for what is due: attempts after the first, and what dead workers or an emptied broker left behind."""
    for webhook_id in sending.webhooks_with_something_due():
        # The clock asks again: what nobody took by then need not pile up.
        send_webhook.apply_async(
            kwargs={"webhook_id": webhook_id}, expires=sending.LEASE.total_seconds()
        )


@shared_task
def forget_deliveries() -> None:
    sending.forget_old(now=timezone.now())
