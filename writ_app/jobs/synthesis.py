"""Shells around the synthesis services: ids in, one call, retries."""

from datetime import datetime, timedelta

from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.utils import timezone

from writ_app.services import synthesis


@shared_task
def design_batch(*, batch_id: int) -> None:
    """Design a batch's tasks; each simulation is sent as soon as its task is there."""
    try:
        for simulation_id in synthesis.design_batch(batch_id=batch_id):
            run_simulation.delay(simulation_id=simulation_id)
    except SoftTimeLimitExceeded:
        design_batch.delay(batch_id=batch_id)  # goes on where this one was cut off


@shared_task
def run_simulation(*, simulation_id: int) -> None:
    synthesis.run_simulation(simulation_id=simulation_id)


@shared_task
def requeue_stale() -> None:
    """Pick up what dead workers left: nothing claims longer than a job may take."""
    send_unfinished(
        before=timezone.now() - timedelta(seconds=settings.CELERY_TASK_TIME_LIMIT)
    )


def send_unfinished(*, before: datetime | None = None) -> None:
    """Send everything that waits. What has been running since before that moment (default: now) counts as left behind."""
    for batch_id in synthesis.unfinished_designs():
        design_batch.delay(batch_id=batch_id)
    for simulation_id in synthesis.requeue_stale(before=before or timezone.now()):
        run_simulation.delay(simulation_id=simulation_id)
