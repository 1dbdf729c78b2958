"""Shells around choosing and freezing the members of a draft, and pushing a release: ids in, one call. Rows say how far it is."""

import logging
from datetime import timedelta

from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings

from writ_app.models import clock
from writ_app.models.release import DraftStage
from writ_app.services.release import draft, freeze, pushing

LEFT_ALONE = timedelta(minutes=2)
"""A worker that has shown no progress for so long is taken for dead."""


log = logging.getLogger(__name__)


@shared_task
def choose_members(*, release_id: int, revision: int) -> None:
    try:
        draft.choose_members(release_id=release_id, revision=revision)
    except SoftTimeLimitExceeded:
        draft.stop(release_id=release_id, revision=revision, why=_too_long("draft"))


@shared_task
def freeze_draft(*, release_id: int, revision: int, by_id: int) -> None:
    try:
        freeze.freeze_ordered(
            release_id=release_id, revision=revision, by_id=by_id, at=clock.now()
        )
    except SoftTimeLimitExceeded:
        draft.stop(release_id=release_id, revision=revision, why=_too_long("freeze"))


@shared_task
def resume_drafts() -> None:
    """Send again what dead workers, or an emptied broker, left behind. Who freezes says so, so that is only given back."""
    for release_id, revision, stage in draft.waiting_drafts(
        before=clock.now() - LEFT_ALONE
    ):
        if stage == DraftStage.CHOOSING:
            choose_members.delay(release_id=release_id, revision=revision)
        else:
            draft.give_back(release_id=release_id, revision=revision)


def _too_long(command: str) -> str:
    minutes = settings.CELERY_TASK_SOFT_TIME_LIMIT / 60
    return (
        f"It was not done within {minutes:g} minutes. Narrow the filters, "
        f"or run `python manage.py release {command}`, which may take as long as it needs."
    )


@shared_task
def make_push(*, push_id: int) -> None:
    try:
        pushing.make_push(push_id=push_id)
    except SoftTimeLimitExceeded:
        minutes = settings.CELERY_TASK_SOFT_TIME_LIMIT / 60
        pushing.stop_push(
            push_id=push_id,
            why=f"It was not done within {minutes:g} minutes. What was sent stays there: go on, "
            "or run `python manage.py release_push`, which may take as long as it needs.",
        )
    except Exception as error:
        log.exception("push %s broke off", push_id)
        pushing.stop_push(
            push_id=push_id, why=f"It broke off: {type(error).__name__}, see the log."
        )


@shared_task
def resume_pushes() -> None:
    """Send again what dead workers, or an emptied broker, left behind. What the Hub has by now is not sent again."""
    for push_id in pushing.waiting_pushes():
        make_push.delay(push_id=push_id)
