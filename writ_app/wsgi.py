"""The WSGI door."""

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "writ_app.settings")

application = get_wsgi_application()

# Import every view now: once for all workers where the server loads the app before it forks.
get_resolver().url_patterns  # noqa: B018

# What is loaded stays, so the collector need not walk it again and again; nor need workers copy its pages to mark them.
gc.collect()
gc.freeze()
# A page makes thousands of short-lived objects, hardly any in cycles. With the default of 2,000 a quarter of the time went here.
gc.set_threshold(20_000, 20, 50)
