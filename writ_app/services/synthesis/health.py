"""How endpoints do: written by the processes that ask them, shown with the batches that use them."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from writ_app.models.synthesis import EndpointHealth, ModelEndpoint

FRESH = timedelta(seconds=30)
"""A process that has not written for so long asks no more."""
MOST_TEXT = 500


@dataclass(frozen=True)
class Health:
    """An endpoint as all processes together see it. Counts are of those that asked within a day."""

    endpoint: ModelEndpoint
    processes: int
    """That ask it now."""
    in_flight: int
    limit: int
    busy: int
    timeouts: int
    failures: int
    last_error: str
    last_error_at: datetime | None


def record_health(
    *,
    endpoint_id: int,
    process: str,
    in_flight: int,
    limit: float,
    busy: int,
    timeouts: int,
    failures: int,
    last_error: str = "",
    last_error_at: datetime | None = None,
) -> None:
    """What one process sees now; it replaces what the process saw before. One statement."""
    EndpointHealth.objects.bulk_create(
        [
            EndpointHealth(
                endpoint_id=endpoint_id,
                process=process,
                in_flight=in_flight,
                limit=limit,
                busy=busy,
                timeouts=timeouts,
                failures=failures,
                last_error=last_error[:MOST_TEXT],
                last_error_at=last_error_at,
                seen_at=timezone.now(),
            )
        ],
        update_conflicts=True,
        unique_fields=["endpoint", "process"],
        update_fields=[
            "in_flight",
            "limit",
            "busy",
            "timeouts",
            "failures",
            "last_error",
            "last_error_at",
            "seen_at",
        ],
    )


def health_of(endpoints: Iterable[ModelEndpoint]) -> list[Health]:
    """One query. An endpoint that nobody asked within a day is there with nothing."""
    now = timezone.now()
    known = {endpoint.pk: endpoint for endpoint in endpoints}
    seen: defaultdict[int, list[EndpointHealth]] = defaultdict(list)
    recent = EndpointHealth.objects.filter(
        endpoint__in=list(known), seen_at__gte=now - timedelta(days=1)
    )
    for row in recent:
        seen[row.endpoint_id].append(row)
    return [_together(known[pk], seen[pk], now - FRESH) for pk in known]


def forget_old_health(*, before: datetime) -> int:
    """Take away what processes wrote that are long gone."""
    deleted, _ = EndpointHealth.objects.filter(seen_at__lt=before).delete()
    return deleted


def _together(
    endpoint: ModelEndpoint, rows: list[EndpointHealth], fresh: datetime
) -> Health:
    now = [row for row in rows if row.seen_at >= fresh]
    wrong = [row for row in rows if row.last_error_at is not None]
    last = max(wrong, key=lambda row: row.last_error_at or fresh, default=None)
    return Health(
        endpoint=endpoint,
        processes=len(now),
        in_flight=sum(row.in_flight for row in now),
        limit=sum(int(row.limit) for row in now),
        busy=sum(row.busy for row in rows),
        timeouts=sum(row.timeouts for row in rows),
        failures=sum(row.failures for row in rows),
        last_error=last.last_error if last else "",
        last_error_at=last.last_error_at if last else None,
    )
