"""How the site stands, as the database and the broker have it: the same whichever host is asked.

Every number is read through a small table or an index of few rows, never by reading what was synthesized: at ten million
trajectories a scrape costs what it costs at none.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import LiteralString

import psycopg
from django.conf import settings
from django.db import connection
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector
from redis import RedisError

from writ_app.adapters.broker import broker_client
from writ_app.services.operations import tallies
from writ_app.services.operations.heard import last_heard
from writ_app.services.operations.wellness import SECONDS, patient_for_seconds

type Gauge = tuple[str, str, tuple[str, ...], LiteralString]
"""Name, meaning, labels, and a query for rows of labels and a value."""

GAUGES: tuple[Gauge, ...] = (
    (
        "writ_batches",
        "Batches by status.",
        ("status",),
        "SELECT lower(status), count(*) FROM writ_app_batch GROUP BY 1",
    ),
    (
        "writ_simulations_in_flight",
        "Simulations that a runner holds.",
        (),
        "SELECT count(*) FROM writ_app_simulation WHERE status = 'RUNNING'",
    ),
    (
        "writ_simulations_waiting",
        "Simulations that nobody holds yet, paused batches included.",
        (),
        "SELECT count(*) FROM writ_app_simulation WHERE status = 'PENDING'",
    ),
    (
        "writ_review_leases",
        "Places that a reviewer holds now.",
        (),
        "SELECT count(*) FROM writ_app_reviewslot WHERE status = 'OPEN' AND leased_by_id IS NOT NULL AND leased_until > now()",
    ),
    (
        "writ_releases",
        "Releases: frozen, or drafts by stage.",
        ("stage",),
        "SELECT CASE WHEN frozen_at IS NULL THEN lower(stage) ELSE 'frozen' END, count(*) FROM writ_app_release GROUP BY 1",
    ),
    (
        "writ_imports",
        "Uploaded files by status.",
        ("status",),
        "SELECT lower(status), count(*) FROM writ_app_referenceimport GROUP BY 1",
    ),
    (
        "writ_reports",
        "Reports by status.",
        ("status",),
        "SELECT lower(status), count(*) FROM writ_app_report GROUP BY 1",
    ),
    (
        "writ_reverifications_open",
        "Ordered re-verifications that are not done.",
        (),
        "SELECT count(*) FROM writ_app_reverification WHERE finished_at IS NULL",
    ),
    (
        "writ_database_connections",
        "Connections to this database, whoever holds them, by what they do.",
        ("state",),
        "SELECT replace(coalesce(state, 'other'), ' ', '_'), count(*) FROM pg_stat_activity WHERE datname = current_database() GROUP BY 1",
    ),
    (
        "writ_database_bytes",
        "Size of the database.",
        (),
        "SELECT pg_database_size(current_database())",
    ),
)
INSERTED = {
    "batch": "batches",
    "simulation": "simulations",
    "turn": "turns",
    "trajectory": "trajectories",
    "reviewevent": "verdicts",
    "referenceimport": "imports",
    "releasemember": "release_members",
}
"""Table, without its prefix, → what its rows are called. Tables that only grow."""
_INSERTED: LiteralString = """
SELECT relname, n_tup_ins FROM pg_stat_user_tables WHERE schemaname = current_schema() AND relname = ANY(%s)
"""
QUEUES = tuple(settings.CELERY_TASK_QUEUES)


class Everything(Collector):
    """Asks when it is collected. What cannot be asked is left out, and said by `writ_database_up` and `writ_broker_up`."""

    def collect(self) -> Iterator[Metric]:
        database = partial(_asked, _database, (psycopg.Error, OSError))
        broker = partial(_asked, _broker, (RedisError, OSError, ValueError))
        for name, ask in {"database": database, "broker": broker}.items():
            found = ask()
            up = GaugeMetricFamily(f"writ_{name}_up", f"1 if the {name} answers.")
            up.add_metric([], float(found is not None))
            yield up
            yield from found or ()


def _asked(
    ask: Callable[[], Iterable[Metric]], failures: tuple[type[Exception], ...]
) -> list[Metric] | None:
    """None if it cannot be asked: half of the numbers would look like the others being nought."""
    try:
        return list(ask())
    except failures:
        return None


def _database() -> Iterator[Metric]:
    parameters = patient_for_seconds(connection.get_connection_params())
    with psycopg.connect(**parameters) as link:
        for name, meaning, labels, query in GAUGES:
            gauge = GaugeMetricFamily(name, meaning, labels=labels)
            for *values, count in link.execute(query).fetchall():
                gauge.add_metric([str(value) for value in values], count)
            yield gauge
        tables = {f"writ_app_{table}": kind for table, kind in INSERTED.items()}
        rows = link.execute(_INSERTED, [list(tables)]).fetchall()
    inserted = CounterMetricFamily(
        "writ_rows_inserted",
        "Rows written since the database's statistics began, rolled back ones included.",
        labels=["kind"],
    )
    for table, count in rows:
        inserted.add_metric([tables[table]], count)
    yield inserted


def _broker() -> Iterator[Metric]:
    with broker_client(settings.CELERY_BROKER_URL, seconds=SECONDS) as client:
        done = tallies.jobs_done(client)
        memory = tallies.worker_memory(client)
        with client.pipeline(transaction=False) as lines:
            for queue in QUEUES:
                lines.llen(queue)
            lines.hlen("unacked")
            *depths, unacked = lines.execute()
    yield _by_label(
        "writ_queue_messages",
        "Messages that no worker has taken yet.",
        "queue",
        dict(zip(QUEUES, depths, strict=True)),
    )
    yield GaugeMetricFamily(
        "writ_queue_unacknowledged",
        "Messages that workers have taken and not finished.",
        value=unacked,
    )
    yield _by_label(
        "writ_worker_memory_bytes",
        "Memory of a worker and its processes.",
        "worker",
        memory,
    )
    heard = last_heard()
    if heard is not None:
        yield GaugeMetricFamily(
            "writ_worker_heard_seconds",
            "Seconds since any worker was heard of.",
            value=heard,
        )
    yield from _jobs(done)


def _by_label(name: str, meaning: str, label: str, values: dict[str, int]) -> Metric:
    gauge = GaugeMetricFamily(name, meaning, labels=[label])
    for value, count in values.items():
        gauge.add_metric([value], count)
    return gauge


def _jobs(done: dict[str, tallies.Tally]) -> Iterator[Metric]:
    ended = CounterMetricFamily(
        "writ_jobs",
        "Jobs that ended, by how; those whose process was killed are not among them.",
        labels=["job", "outcome"],
    )
    took = HistogramMetricFamily("writ_job_seconds", "How long.", labels=["job"])
    for job, tally in sorted(done.items()):
        for outcome, count in sorted(tally.outcomes.items()):
            ended.add_metric([job, outcome], count)
        took.add_metric([job], _cumulated(tally), sum_value=tally.seconds)
    yield ended
    yield took


def _cumulated(tally: tallies.Tally) -> list[tuple[str, float]]:
    """(upper end, jobs that took no longer), as Prometheus has them."""
    total, buckets = 0, []
    for end in (*(f"{end:g}" for end in tallies.BUCKETS), "+Inf"):
        total += tally.buckets[end]
        buckets.append((end, float(total)))
    return buckets
