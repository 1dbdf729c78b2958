"""A batch on a terminal: bars while it goes on, lines in a log, and what came of it at the end."""

import time
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

from tqdm import tqdm

from writ_app.management.progress import LOG_SECONDS
from writ_app.models import clock
from writ_app.models.synthesis import Batch
from writ_app.services.synthesis import BatchProgress


class BatchBars:
    """with BatchBars(self.stderr, batch) as bars: bars.show(batch, progress)"""

    STAGES = ("designed", "simulated", "accepted")

    def __init__(self, out: Any, batch: Batch):
        self._out = out
        live = bool(getattr(out, "isatty", lambda: False)())
        self._bars = [
            tqdm(
                total=batch.ordered, desc=f"{stage:9}", unit="", position=n, leave=True
            )
            for n, stage in enumerate(self.STAGES if live else ())
        ]
        self._logged = float("-inf")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for bar in self._bars:
            bar.close()

    def show(self, batch: Batch, progress: BatchProgress) -> None:
        counts = (progress.designed, progress.done, progress.accepted)
        cost = _cost(batch)
        if self._bars:
            for bar, count in zip(self._bars, counts, strict=True):
                bar.n = count
                bar.refresh()
            self._bars[1].set_postfix_str(cost)
        elif time.monotonic() - self._logged >= LOG_SECONDS:
            self._logged = time.monotonic()
            told = ", ".join(
                f"{count:,} {stage}"
                for stage, count in zip(self.STAGES, counts, strict=True)
            )
            self._out.write(f"{told} of {progress.ordered:,} {cost}".rstrip())


def summary(batch: Batch, progress: BatchProgress) -> dict[str, Any]:
    """What came of a batch, as plain JSON. Seconds from the order to the end, or to now."""
    ended = batch.finished_at or clock.now()
    return {
        "batch": batch.pk,
        "name": batch.name,
        "environment": str(batch.environment),
        "status": batch.status,
        "stopped_by": batch.stopped_by,
        "ordered": batch.ordered,
        "designed": progress.designed,
        "simulated": progress.done,
        "cancelled": progress.cancelled,
        "accepted": progress.accepted,
        "rejected": progress.rejected,
        "accept_rate": progress.accepted / progress.done if progress.done else None,
        "reasons": [
            {
                "reason": line.reason,
                "owner": line.owner,
                "count": line.count,
                "example": line.example,
            }
            for line in progress.reasons
        ],
        "cost": float(batch.cost),
        "prompt_tokens": batch.prompt_tokens,
        "completion_tokens": batch.completion_tokens,
        "seconds": round((ended - batch.created_at).total_seconds(), 1),
    }


def summary_lines(found: dict[str, Any]) -> Iterator[str]:
    yield f"batch {found['batch']}, {found['name']}, {found['environment']}"
    yield f"designed    {found['designed']:,} of {found['ordered']:,}"
    yield f"simulated   {found['simulated']:,}"
    rate = found["accept_rate"]
    share = "" if rate is None else f" ({rate:.0%})"
    yield f"accepted    {found['accepted']:,}{share}"
    for line in found["reasons"]:
        owner = line["owner"] or "nobody"
        yield f"rejected    {line['count']:,} by {line['reason']} (answerable: {owner}; example: {line['example']})"
    tokens = found["prompt_tokens"] + found["completion_tokens"]
    yield f"spent       ${found['cost']:,.4f}, {tokens:,} tokens, {found['seconds']:,.0f} s"
    if found["stopped_by"]:
        yield f"stopped     {found['stopped_by']}"


def _cost(batch: Batch) -> str:
    return f"${batch.cost:,.4f}" if batch.cost else ""
