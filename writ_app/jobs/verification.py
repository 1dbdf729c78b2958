"""Shells around re-verification: ids in, edited versions first, then their trajectories, and again where time ran out."""

import time
from datetime import timedelta
from itertools import chain

from celery import shared_task
from django.conf import settings

from writ_app.models import clock
from writ_app.services.review.reverifying import reverify_versions
from writ_app.services.synthesis import verifying

LEFT_ALONE = timedelta(minutes=2)
"""A worker that has done nothing for so long is taken for dead: a lot takes a second."""


@shared_task
def reverify(*, order_id: int) -> None:
    """Work for half a job's time and let another job go on, so that the limit never falls into a judgement."""
    end = time.monotonic() + settings.CELERY_TASK_SOFT_TIME_LIMIT / 2
    lots = chain(
        reverify_versions(order_id=order_id), verifying.reverify(order_id=order_id)
    )
    for _ in lots:
        if time.monotonic() > end:
            reverify.delay(order_id=order_id)
            return


@shared_task
def resume_reverifications() -> None:
    """Send again what dead workers, or an emptied broker, left behind."""
    for order_id in verifying.waiting_reverifications(before=clock.now() - LEFT_ALONE):
        reverify.delay(order_id=order_id)
