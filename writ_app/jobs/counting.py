"""Workers count their jobs where the web can read it, if anybody watches (WRIT_METRICS_TOKEN)."""

import time
from contextlib import suppress
from typing import Any

from celery.signals import task_postrun, task_prerun
from django.conf import settings
from redis import RedisError

from writ_app.services.operations.tallies import note_job

_began: dict[str, float] = {}


@task_prerun.connect
def begin(task_id: str, **kwargs: Any) -> None:
    if settings.METRICS_TOKEN:
        _began[task_id] = time.monotonic()


@task_postrun.connect
def end(task_id: str, task: Any, state: str | None = None, **kwargs: Any) -> None:
    began = _began.pop(task_id, None)
    if began is None:
        return
    job = task.name.removeprefix("writ_app.jobs.")
    outcome = (state or "unknown").lower()
    # Whether it was counted is no matter of the job.
    with suppress(RedisError):
        note_job(job=job, outcome=outcome, seconds=time.monotonic() - began)
