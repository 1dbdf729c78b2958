"""What workers counted of their jobs, kept in the broker: they may be on any number of hosts, and come and go.

One hash: `job|outcome` holds a count, `job|<seconds` the count of a bucket, `job|milliseconds` a sum. An emptied broker begins at
nought, which Prometheus takes for a restart.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import cache

from django.conf import settings
from redis import Redis

from writ_app.adapters.broker import broker_client
from writ_app.services.operations.heard import WAIT

KEY = "writ.jobs"
MEMORY = "writ.worker.memory"
BUCKETS = (0.1, 0.5, 1, 5, 15, 60, 300, 900)
"""Upper ends, in seconds."""
_SUM = "milliseconds"


@dataclass
class Tally:
    """Of one kind of job, since the broker was last emptied."""

    outcomes: Counter[str] = field(default_factory=Counter)
    buckets: Counter[str] = field(default_factory=Counter)
    """Upper end, as text, → jobs that took no longer, and longer than the end before."""
    seconds: float = 0.0


@cache
def _client() -> Redis:
    """One per process: its connections are kept, and not shared with forks."""
    return broker_client(settings.CELERY_BROKER_URL, seconds=WAIT)


def bucket_of(seconds: float) -> str:
    return next((f"{end:g}" for end in BUCKETS if seconds <= end), "+Inf")


def note_job(*, job: str, outcome: str, seconds: float) -> None:
    """A job has ended. Raises redis.RedisError if the broker does not take it."""
    with _client().pipeline(transaction=True) as lines:
        lines.hincrby(KEY, f"{job}|{outcome}", 1)
        lines.hincrby(KEY, f"{job}|<{bucket_of(seconds)}", 1)
        lines.hincrby(KEY, f"{job}|{_SUM}", round(1000 * seconds))
        lines.execute()


def note_memory(*, worker: str, held: int) -> None:
    """What a worker and its processes hold, in bytes. Forgotten after a minute of silence. Raises redis.RedisError."""
    _client().set(f"{MEMORY}|{worker}", held, ex=60)


def jobs_done(client: Redis) -> dict[str, Tally]:
    """Job → its tally."""
    found: defaultdict[str, Tally] = defaultdict(Tally)
    for name, value in _texts(client.hgetall(KEY)).items():
        job, _, what = name.partition("|")
        if what == _SUM:
            found[job].seconds = int(value) / 1000
        elif what.startswith("<"):
            found[job].buckets[what[1:]] = int(value)
        else:
            found[job].outcomes[what] = int(value)
    return dict(found)


def worker_memory(client: Redis) -> dict[str, int]:
    """Worker → bytes that it and its processes hold, of those heard of in the last minute."""
    names = [
        name.decode() for name in client.scan_iter(match=f"{MEMORY}|*", count=1000)
    ]
    values = client.mget(names) if names else []
    assert isinstance(values, list)
    return {
        name.partition("|")[2]: int(value)
        for name, value in zip(names, values, strict=True)
        if value is not None
    }


def _texts(raw: object) -> dict[str, str]:
    assert isinstance(raw, dict)
    return {name.decode(): value.decode() for name, value in raw.items()}
