"""How endpoints do: written by the processes that ask them, shown with the batches that use them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from writ_app.adapters.chat import storable
from writ_app.engine.errors import ModelUnavailable
from writ_app.engine.llm import AsyncChatModel, Completion
from writ_app.engine.types import Message
from writ_app.models import clock
from writ_app.models.synthesis import EndpointHealth, ModelEndpoint

FRESH = timedelta(seconds=30)
"""A process that has not written for so long asks no more."""
MOST_TEXT = 500


KEPT = timedelta(days=1)
LEARNT = timedelta(hours=1)
"""What an endpoint bore longer ago says nothing about now."""


@dataclass
class Tally:
    """What one process met with at one endpoint."""

    busy: int = 0
    timeouts: int = 0
    failures: int = 0
    last_error: str = ""
    last_error_at: datetime | None = None

    def count(self, error: ModelUnavailable) -> None:
        if type(error.__cause__).__name__ == "Timeout":  # litellm's
            self.timeouts += 1
        elif error.busy:
            self.busy += 1
        else:
            self.failures += 1
        self.last_error, self.last_error_at = str(error), clock.now()


@dataclass(frozen=True)
class Watched:
    """A model whose failures are counted, each call's."""

    model: AsyncChatModel
    tally: Tally

    @property
    def name(self) -> str:
        return self.model.name

    async def complete_async(
        self,
        *,
        system: str,
        messages: Sequence[Message],
        tools: Sequence[dict[str, Any]],
        seed: int,
    ) -> Completion:
        try:
            return await self.model.complete_async(
                system=system, messages=messages, tools=tools, seed=seed
            )
        except ModelUnavailable as error:
            self.tally.count(error)
            raise


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
    *, endpoint_id: int, process: str, in_flight: int, limit: float, tally: Tally
) -> None:
    """What one process sees now; it replaces what the process saw before. One statement."""
    seen = {
        "in_flight": in_flight,
        "limit": limit,
        "busy": tally.busy,
        "timeouts": tally.timeouts,
        "failures": tally.failures,
        "last_error": storable(tally.last_error)[:MOST_TEXT],
        "last_error_at": tally.last_error_at,
        "seen_at": clock.now(),
    }
    row = EndpointHealth(endpoint_id=endpoint_id, process=process[-80:], **seen)
    EndpointHealth.objects.bulk_create(
        [row],
        update_conflicts=True,
        unique_fields=["endpoint", "process"],
        update_fields=list(seen),
    )


def health_of(endpoints: Iterable[ModelEndpoint]) -> list[Health]:
    """One query. An endpoint that nobody asked within a day is there with nothing."""
    now = clock.now()
    known = {endpoint.pk: endpoint for endpoint in endpoints}
    seen: defaultdict[int, list[EndpointHealth]] = defaultdict(list)
    recent = EndpointHealth.objects.filter(
        endpoint__in=list(known), seen_at__gte=now - KEPT
    )
    for row in recent:
        seen[row.endpoint_id].append(row)
    return [_together(known[pk], seen[pk], now - FRESH) for pk in known]


def learnt_limits() -> dict[int, float]:
    """Endpoint → calls at the same time that the process which asked it last had found it to bear, within the hour."""
    recent = EndpointHealth.objects.filter(seen_at__gte=clock.now() - LEARNT)
    return dict(recent.order_by("seen_at").values_list("endpoint", "limit"))


def forget_limits(endpoint: ModelEndpoint) -> None:
    """Its owner knows better now: who asks it next begins at the bound."""
    EndpointHealth.objects.filter(endpoint=endpoint).update(
        limit=endpoint.max_in_flight
    )


def forget_old_health() -> int:
    """Take away what processes wrote that are long gone."""
    old = EndpointHealth.objects.filter(seen_at__lt=clock.now() - KEPT)
    return old.delete()[0]


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
