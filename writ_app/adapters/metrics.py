"""What one web server counts about itself, with Prometheus' own client. Imported only where WRIT_METRICS_TOKEN is set.

Several processes serve: each writes its numbers to a file of its own in PROMETHEUS_MULTIPROC_DIR, which gunicorn.conf.py makes, and
whichever is asked adds them up. Without that directory a process tells its own numbers alone.
"""

import os
from collections.abc import Iterable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    Summary,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
"""Upper ends of the buckets of requests."""

disable_created_metrics()  # type: ignore[no-untyped-call]
OWN = CollectorRegistry(auto_describe=True)

REQUESTS = Counter(
    "writ_requests",
    "Requests answered.",
    ("view", "method", "status"),
    registry=OWN,
)
REQUEST_SECONDS = Histogram(
    "writ_request_seconds",
    "Seconds until the answer began; what a streamed answer takes after that is not in it.",
    ("view",),
    buckets=SECONDS,
    registry=OWN,
)
REQUEST_QUERIES = Summary(
    "writ_request_queries",
    "Queries that a request sent to the database before its answer began.",
    ("view",),
    registry=OWN,
)
CONNECTIONS = Counter(
    "writ_database_connections_opened",
    "Connections to the database that this web server opened.",
    registry=OWN,
)
TROUBLES = Counter(
    "writ_database_troubles",
    "Requests that ended in an error of the database: away (answered 503) or other (500).",
    ("kind",),
    registry=OWN,
)
UNSENT = Counter(
    "writ_messages_unsent",
    "Messages for workers that the broker did not take; the clock sends again.",
    ("job",),
    registry=OWN,
)


def is_shared() -> bool:
    """Whether the processes of one server add up what they count."""
    return DIRECTORY in os.environ


def exposition(others: Iterable[Collector]) -> bytes:
    """Everything counted here, and what the others collect, in Prometheus' text format."""
    own = OWN
    if is_shared():
        own = CollectorRegistry()
        MultiProcessCollector(own)  # type: ignore[no-untyped-call]
    rest = CollectorRegistry()
    for collector in others:
        rest.register(collector)
    return generate_latest(own) + generate_latest(rest)
