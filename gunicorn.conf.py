"""What gunicorn reads of itself, whoever starts it here: its lines look like all others, and name the request."""

import os
import shutil
import tempfile
from typing import Any

from writ_app.adapters.logs import logging_settings

worker_class = "gthread"
threads = 8
# A process for every two cores, as the database needs the others, but two at least: Python computes for one request at a time in each.
# On two idle cores, eight reviewers at once (tests/benchmarks/review.py): 53 verdicts per second and 233 ms in the slowest twentieth of
# "submit and next" with two, 34 and 300 ms with one; 242 MB and 192. On cores that others keep busy it is the other way round by a tenth.
# In a container the cores are the whole machine's and the memory is not: four at most, unless somebody says otherwise.
CORES = os.cpu_count() or 1
workers = int(os.environ.get("WEB_CONCURRENCY") or min(4, max(2, CORES // 2)))

# Addresses without what follows the question mark: people search for words of talks there.
access_log_format = (
    "%(m)s %(U)s %(s)s %(B)s bytes %(M)s ms request_id=%({x-request-id}o)s"
)
logconfig_dict = {
    **logging_settings(
        os.environ.get("WRIT_LOG_FORMAT", "").strip() or "text",
        os.environ.get("WRIT_LOG_LEVEL", "").strip() or "INFO",
    ),
    "loggers": {
        name: {"handlers": ["console"], "level": "INFO", "propagate": False}
        for name in ("gunicorn.error", "gunicorn.access")
    },
}

# Where its processes count what /metrics adds up; the client library looks for it when it is imported.
_COUNTS = "PROMETHEUS_MULTIPROC_DIR"
if os.environ.get("WRIT_METRICS_TOKEN", "").strip() and _COUNTS not in os.environ:
    os.environ[_COUNTS] = tempfile.mkdtemp(prefix="writ-metrics-")


def on_exit(server: Any) -> None:
    """What was counted ends with the server that counted it."""
    if directory := os.environ.get(_COUNTS):
        shutil.rmtree(directory, ignore_errors=True)
