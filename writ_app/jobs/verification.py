"""Shells around re-verification: ids in, one call, and again where time ran out."""

from datetime import timedelta

from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded
from django.utils import timezone

from writ_app.services.synthesis import verifying

LEFT_ALONE = timedelta(minutes=2)
"""A worker that has done nothing for so long is taken for dead: a lot takes a second."""


@shared_task
def reverify(*, order_id: int) -> None:
    try:
        for _ in verifying.reverify(order_id=order_id):
            pass
    except SoftTimeLimitExceeded:
        reverify.delay(order_id=order_id)  # goes on where this one was cut off


@shared_task
def resume_reverifications() -> None:
    """Send again what dead workers, or an emptied broker, left behind."""
    for order_id in verifying.waiting_reverifications(
        before=timezone.now() - LEFT_ALONE
    ):
        reverify.delay(order_id=order_id)
