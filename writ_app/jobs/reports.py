"""Shells around reports: a key in, one call, and again for what was left behind."""

from celery import shared_task

from writ_app.services.reports import making


@shared_task
def make_report(*, report_id: int) -> None:
    making.make_report(report_id=report_id)


@shared_task
def resume_reports() -> None:
    """Send again what dead workers, or an emptied broker, left behind."""
    for report_id in making.waiting_reports():
        make_report.delay(report_id=report_id)
