"""From what was ordered to what was released, batch by batch."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from django.db.models import Count, Q

from writ_app.models.accounts import User
from writ_app.models.review import ItemQuerySet, ItemStatus, ReviewItem
from writ_app.models.synthesis import Batch

LISTED = 20
"""Batches in the table, newest first."""


@dataclass(frozen=True)
class Counts:
    """Trajectories at each stage. Those that an edit saved count as accepted and approved."""

    ordered: int = 0
    simulated: int = 0
    accepted: int = 0
    reviewed: int = 0
    approved: int = 0
    released: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            *(
                getattr(self, one.name) + getattr(other, one.name)
                for one in fields(self)
            )
        )

    @property
    def stages(self) -> tuple["Stage", ...]:
        found: list[Stage] = []
        for one in fields(self):
            count = getattr(self, one.name)
            before = found[-1].count if found else count
            found.append(
                Stage(one.name, count, before, max(self.ordered, self.simulated))
            )
        return tuple(found)


@dataclass(frozen=True)
class Stage:
    name: str
    count: int
    before: int
    """Of the stage before."""
    whole: int
    """Of the widest stage."""

    @property
    def kept(self) -> float | None:
        """Share of the stage before."""
        return self.count / self.before if self.before else None

    @property
    def width(self) -> float:
        """Percent of the widest stage."""
        return round(100 * self.count / self.whole, 2) if self.whole else 0.0


@dataclass(frozen=True)
class BatchCounts:
    pk: int
    name: str
    environment: str
    counts: Counts


@dataclass(frozen=True)
class Funnel:
    total: Counts
    environments: tuple[tuple[str, Counts], ...]
    batches: tuple[BatchCounts, ...]
    """The newest."""


def batches_in(
    user: User, filters: Mapping[str, Any], since: datetime | None
) -> list[Batch]:
    """Those that the page is about: of an environment, one batch, or ordered since then."""
    found = Batch.objects.filter(team__in=user.team_ids).select_related("environment")
    if filters.get("environment"):
        found = found.filter(environment__name=filters["environment"])
    if filters.get("batch"):
        found = found.filter(pk=filters["batch"])
    if since:
        found = found.filter(created_at__gte=since)
    return list(
        found.defer("environment__state", "environment__policy").order_by("-pk")
    )


def make_funnel(batches: Iterable[Batch]) -> Funnel:
    """Two queries: one index-only scan, and the released ones."""
    listed = list(batches)
    keys = [batch.pk for batch in listed]
    counts = _counts(keys)
    lines = [
        BatchCounts(
            batch.pk,
            batch.name,
            batch.environment.name,
            counts.get(batch.pk, Counts()) + Counts(ordered=batch.ordered),
        )
        for batch in listed
    ]
    environments: dict[str, Counts] = {}
    for line in lines:
        so_far = environments.get(line.environment, Counts())
        environments[line.environment] = so_far + line.counts
    return Funnel(
        total=sum((line.counts for line in lines), Counts()),
        environments=tuple(sorted(environments.items())),
        batches=tuple(lines[:LISTED]),
    )


def _counts(batches: list[int]) -> dict[int, Counts]:
    items = ReviewItem.objects.filter(batch__in=batches, canary="").order_by()
    first = Q(number=1)
    judged = Q(status__in=[one for one in ItemStatus if one != ItemStatus.OPEN])
    approved = Q(status=ItemStatus.APPROVED)
    rows = items.values("batch").annotate(
        simulated=Count("pk", filter=first),
        accepted=Count("pk", filter=first & Q(accepted=True)),
        reviewed=Count("pk", filter=first & judged),
        approved=Count("pk", filter=first & approved),
    )
    counts = {
        row["batch"]: Counts(
            simulated=row["simulated"],
            accepted=row["accepted"],
            reviewed=row["reviewed"],
            approved=row["approved"],
        )
        for row in rows
    }
    for batch, saved in _saved(items):
        counts[batch] += saved
    released = items.filter(memberships__release__frozen_at__isnull=False)
    for row in released.values("batch").annotate(
        released=Count("trajectory", distinct=True)
    ):
        counts[row["batch"]] += Counts(released=row["released"])
    return counts


def _saved(items: ItemQuerySet) -> Iterator[tuple[int, Counts]]:
    """What edited versions add, each trajectory once: those whose first version did not get so far. (batch, counts)."""
    edited = list(
        items.filter(number__gt=1).values_list(
            "batch", "trajectory", "accepted", "status", "trajectory__accepted"
        )
    )
    keys = {trajectory for _, trajectory, *_ in edited}
    approved = ReviewItem.objects.filter(pk__in=keys, status=ItemStatus.APPROVED)
    done = set(approved.values_list("pk", flat=True))
    saved: dict[tuple[int, int], Counts] = {}
    for batch, trajectory, accepted, status, was_accepted in edited:
        place = batch, trajectory
        good = status == ItemStatus.APPROVED and trajectory not in done
        so_far = saved.get(place, Counts())
        saved[place] = Counts(
            accepted=max(so_far.accepted, int(accepted and not was_accepted)),
            approved=max(so_far.approved, int(good)),
        )
    yield from ((batch, counts) for (batch, _), counts in saved.items())
