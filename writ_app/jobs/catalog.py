"""Shells around bringing uploaded files in: ids in, one call."""

from datetime import timedelta

from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings

from writ_app.models import clock
from writ_app.services.catalog import uploads

LEFT_ALONE = timedelta(minutes=5)
"""A worker that has shown no progress for so long is taken for dead."""


@shared_task
def import_upload(*, import_id: int) -> None:
    try:
        uploads.run_import(import_id=import_id, at=clock.now())
    except SoftTimeLimitExceeded:
        minutes = settings.CELERY_TASK_SOFT_TIME_LIMIT / 60
        uploads.stop_import(
            import_id=import_id,
            why=f"It was not done within {minutes:g} minutes, and nothing came in. "
            "Use manage.py import_reference, which may take as long as it needs.",
        )


@shared_task
def resume_imports() -> None:
    """Send again what dead workers, or an emptied broker, left behind."""
    for import_id in uploads.abandoned_imports(before=clock.now() - LEFT_ALONE):
        import_upload.delay(import_id=import_id)
