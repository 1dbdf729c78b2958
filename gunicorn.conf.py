"""What gunicorn reads of itself, whoever starts it here: its lines look like all others, and name the request."""

import os

from writ_app.adapters.logs import logging_settings

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
