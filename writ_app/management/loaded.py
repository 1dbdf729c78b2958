"""Everything that the web server, the workers and the clock import, for the process that they are forks of: see `adapters.forks`."""

import os
from importlib import import_module

import django
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "writ_app.settings")
django.setup()

from writ_app.celery import app  # noqa: E402 its jobs want Django set up

PROGRAMS = (
    *("celery.bin.celery", "celery.apps.worker", "celery.apps.beat"),
    *(
        "celery.concurrency.prefork",
        "celery.worker.consumer",
        "celery.worker.autoscale",
    ),
    *("kombu.transport.redis", "gunicorn.app.wsgiapp", "gunicorn.workers.gthread"),
)
"""What the commands import only when they have begun."""

app.loader.import_default_modules()
app.finalize()
get_resolver().url_patterns  # noqa: B018 imports every view
for program in PROGRAMS:
    import_module(program)
