"""The Celery app. Background work lives in `jobs`, because "task" is a word of the product."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "writ_app.settings")

app = Celery("writ")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["writ_app"], related_name="jobs")
