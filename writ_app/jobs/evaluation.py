"""Shells around evaluation runs: a message only wakes, rows say what there is to do."""

from datetime import timedelta

from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings

from writ_app.jobs.synthesis import HANDOVER_SECONDS, is_stopping
from writ_app.models import clock
from writ_app.services import evaluation, synthesis
from writ_app.services.evaluation import uploads

LEFT_ALONE = timedelta(minutes=5)
"""A worker that has shown no progress for so long is taken for dead."""


@shared_task
def run_trials() -> None:
    """Try whatever waits. Wakes another worker if there is more than one process can hold, the judge, and a successor at the end."""
    left = synthesis.run_pending(
        seconds=_seconds(),
        stop=is_stopping,
        wake=run_trials.delay,
        desk=evaluation.TrialDesk(),
    )
    for run_id in evaluation.waiting_to_be_judged():
        judge_trials.delay(run_id=run_id)
    if left:
        run_trials.delay()


@shared_task
def judge_trials(*, run_id: int) -> None:
    """Ask the judge of a run about what waits; another job goes on where this one's time is up."""
    if evaluation.judge_run(run_id=run_id, seconds=_seconds(), stop=is_stopping):
        judge_trials.delay(run_id=run_id)


@shared_task
def send_unfinished_runs() -> None:
    """Send for everything that waits: messages may have been lost, and workers with what they held."""
    evaluation.TrialDesk().tidy()
    if evaluation.waiting_runs():
        run_trials.apply_async(expires=settings.SIMULATION_LEASE_SECONDS)
    for run_id in evaluation.waiting_to_be_judged():
        judge_trials.apply_async(
            kwargs={"run_id": run_id}, expires=settings.SIMULATION_LEASE_SECONDS
        )


@shared_task
def import_results(*, import_id: int) -> None:
    try:
        uploads.bring_in(import_id=import_id, at=clock.now())
    except SoftTimeLimitExceeded:
        minutes = settings.CELERY_TASK_SOFT_TIME_LIMIT / 60
        uploads.stop_bringing(
            import_id=import_id,
            why=f"It was not done within {minutes:g} minutes, and nothing came in. "
            "Use manage.py evaluate --import, which may take as long as it needs.",
        )


@shared_task
def resume_results() -> None:
    """Send again what dead workers, or an emptied broker, left behind."""
    for import_id in uploads.abandoned_results(before=clock.now() - LEFT_ALONE):
        import_results.delay(import_id=import_id)


def _seconds() -> float:
    limit: int = settings.CELERY_TASK_SOFT_TIME_LIMIT
    return max(limit - HANDOVER_SECONDS, limit / 2)
