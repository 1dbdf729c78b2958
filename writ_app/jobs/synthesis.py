"""Shells around the synthesis services: ids in, one call, retries. A message only wakes; rows say what there is to do."""

import mmap
from typing import Any

from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded
from celery.signals import worker_init, worker_shutting_down
from django.conf import settings

from writ_app.services import synthesis

HANDOVER_SECONDS = 60
"""Before a job's time is up, its runner gives back what it holds and sends for the next."""
DESIGNED_PER_WAKE = 50

_stopping = mmap.mmap(-1, 1)
"""Shared with every process of the pool, which are forked from the one that hears of the shutdown."""


@worker_init.connect
def prepare(sender: Any, **kwargs: Any) -> None:
    """Before the pool is forked."""
    global _stopping
    # Its own: this worker may be a fork of what others are forks of as well.
    _stopping = mmap.mmap(-1, 1)
    if "simulations" in sender.app.amqp.queues.consume_from:
        synthesis.preload()


@worker_shutting_down.connect
def tell_runners(**kwargs: Any) -> None:
    _stopping[0] = 1


def is_stopping() -> bool:
    """Whether this worker was told to end."""
    return _stopping[0] == 1


@shared_task
def design_batch(*, batch_id: int) -> None:
    """Design a batch's tasks; they are simulated meanwhile."""
    try:
        for number, _ in enumerate(synthesis.design_batch(batch_id=batch_id)):
            if number % DESIGNED_PER_WAKE == 0:
                run_simulations.delay()
    except SoftTimeLimitExceeded:
        design_batch.delay(batch_id=batch_id)  # goes on where this one was cut off


@shared_task
def run_simulations() -> None:
    """Simulate whatever waits. Wakes another worker if there is more than one process can hold, and a successor at the end."""
    limit = settings.CELERY_TASK_SOFT_TIME_LIMIT
    left = synthesis.run_pending(
        seconds=max(limit - HANDOVER_SECONDS, limit / 2),
        stop=is_stopping,
        wake=run_simulations.delay,
    )
    if left:
        run_simulations.delay()


@shared_task
def send_unfinished() -> None:
    """Send for everything that waits: messages may have been lost, and workers with what they held."""
    for batch_id in synthesis.unfinished_designs():
        design_batch.delay(batch_id=batch_id)
    synthesis.tidy()
    if synthesis.is_work_left():
        # Whoever has no time for it until then is at work anyway.
        run_simulations.apply_async(expires=settings.SIMULATION_LEASE_SECONDS)
