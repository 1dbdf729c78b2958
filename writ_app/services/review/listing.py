"""Lists of trajectories: filtered by an allow-list of facets, paged by key, the same speed at any depth."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from writ_app.models.accounts import User
from writ_app.models.review import ReviewItem
from writ_app.services.catalog import load_environment
from writ_app.services.review.bands import BURDEN_BANDS
from writ_app.services.review.steps import Ribbon, outlined_ribbon

PAGE_SIZE = 40


@dataclass(frozen=True)
class ListedTrajectory:
    row: ReviewItem
    status: str
    """Of its review, in words; "" if there is none."""
    status_code: str
    ribbon: Ribbon


@dataclass(frozen=True)
class TrajectoryList:
    rows: tuple[ListedTrajectory, ...]
    total: int
    first: bool
    before: int | None
    """Key for the next page: trajectories older than this one. None at the end."""


def list_trajectories(
    *, user: User, filters: Mapping[str, Any], before: int | None = None
) -> TrajectoryList:
    """Newest first. `filters` comes from a form that allows nothing else."""
    found = ReviewItem.objects.visible_to(user).filter(_condition(filters))
    rows = (
        (found.filter(pk__lt=before) if before else found)
        .select_related("task__environment", "batch")
        .narrow()
        .defer("task__content", "task__environment__state", "task__environment__policy")
        .order_by("-pk")[: PAGE_SIZE + 1]
    )
    page = list(rows)
    more = len(page) > PAGE_SIZE
    page = page[:PAGE_SIZE]
    return TrajectoryList(
        rows=tuple(
            ListedTrajectory(
                row,
                row.get_status_display(),
                row.status,
                outlined_ribbon(row.outline, load_environment(row.task.environment)),
            )
            for row in page
        ),
        total=found.count(),
        first=before is None,
        before=page[-1].pk if more else None,
    )


def _condition(filters: Mapping[str, Any]) -> Q:
    condition = Q()
    if filters.get("accepted"):
        condition &= Q(accepted=filters["accepted"] == "yes")
    for name in ("reason", "archetype", "plan", "batch", "cluster", "status"):
        if filters.get(name):
            condition &= Q(**{name: filters[name]})
    if filters.get("burden"):
        condition &= _burden(filters["burden"])
    return condition


def _burden(slug: str) -> Q:
    band = next(band for band in BURDEN_BANDS if band.slug == slug)
    low = Q(burden__gte=band.low)
    return low if band.high is None else low & Q(burden__lte=band.high)


def facets(*, user: User) -> dict[str, list[str]]:
    """Values there are to filter by, among what the user may see."""
    visible = ReviewItem.objects.visible_to(user).order_by()

    def values(name: str) -> list[str]:
        return sorted(v for v in visible.values_list(name, flat=True).distinct() if v)

    return {
        "reason": values("reason"),
        "archetype": values("archetype"),
        "plan": values("plan"),
    }
