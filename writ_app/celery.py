"""The Celery app. Background work lives in `jobs`, because "task" is a word of the product."""

import logging
import os
from typing import Any

from celery import Celery
from celery.contrib.django.task import DjangoTask
from celery.result import AsyncResult
from celery.utils import uuid
from kombu.exceptions import OperationalError
from redis import RedisError

from writ_app.adapters.troubles import message_unsent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "writ_app.settings")
log = logging.getLogger(__name__)


class Job(DjangoTask):
    """A job whose message may be lost without harm.

    A message only wakes a worker; rows say what there is to do, and the clock sends again for what nobody does. So whoever
    orders something while the broker is away has ordered it: the page is answered, and the work begins when the broker is back.
    """

    def apply_async(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().apply_async(*args, **kwargs)
        except (OperationalError, RedisError, OSError) as error:
            # Its kind alone: texts name addresses.
            kind = type(error.__cause__ or error).__name__
            log.warning(
                "The broker did not take a message for %s (%s); the clock sends again.",
                self.name,
                kind,
            )
            message_unsent.send(sender=type(self), job=self.name)
            return AsyncResult(kwargs.get("task_id") or uuid(), app=self.app)


app = Celery("writ", task_cls=Job)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["writ_app"], related_name="jobs")
