"""Lists of trajectories: filtered by an allow-list of facets, paged by key, the same speed at any depth."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import F, OuterRef, Q, Subquery

from writ_app.engine.types import Message
from writ_app.models.accounts import User
from writ_app.models.catalog import Environment
from writ_app.models.review import ReviewSlot, SlotStatus
from writ_app.models.synthesis import Trajectory
from writ_app.services.catalog import load_environment
from writ_app.services.review.bands import BURDEN_BANDS
from writ_app.services.review.steps import Ribbon, make_ribbon, make_steps

PAGE_SIZE = 40


@dataclass(frozen=True)
class ListedTrajectory:
    row: Trajectory
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
    found = Trajectory.objects.visible_to(user).filter(_condition(filters))
    slot = ReviewSlot.objects.filter(trajectory=OuterRef("pk"), number=1)
    rows = (
        (found.filter(pk__lt=before) if before else found)
        .annotate(
            review=Subquery(slot.values("status")), messages=F("content__messages")
        )
        .select_related("simulation__task__environment", "simulation__batch")
        .defer(
            "content",
            "verification",
            "simulation__task__content",
            "simulation__task__environment__state",
            "simulation__task__environment__policy",
        )
        .order_by("-pk")[: PAGE_SIZE + 1]
    )
    page = list(rows)
    more = len(page) > PAGE_SIZE
    page = page[:PAGE_SIZE]
    return TrajectoryList(
        rows=tuple(_listed(row) for row in page),
        total=found.count(),
        first=before is None,
        before=page[-1].pk if more else None,
    )


def _condition(filters: Mapping[str, Any]) -> Q:
    condition = Q()
    if filters.get("accepted"):
        condition &= Q(accepted=filters["accepted"] == "yes")
    if filters.get("reason"):
        condition &= Q(reason=filters["reason"])
    if filters.get("archetype"):
        condition &= Q(simulation__task__archetype=filters["archetype"])
    if filters.get("plan"):
        condition &= Q(simulation__plan=filters["plan"])
    if filters.get("batch"):
        condition &= Q(simulation__batch=filters["batch"])
    if filters.get("burden"):
        condition &= _burden(filters["burden"])
    if filters.get("status"):
        condition &= _status(filters["status"])
    return condition


def _burden(slug: str) -> Q:
    band = next(band for band in BURDEN_BANDS if band.slug == slug)
    low = Q(simulation__task__burden__gte=band.low)
    if band.high is None:
        return low
    return low & Q(simulation__task__burden__lte=band.high)


def _status(status: str) -> Q:
    if status == SlotStatus.OPEN:
        # Accepted ones get their slot only when somebody comes to review them.
        return Q(accepted=True) & (Q(slots=None) | Q(slots__status=status))
    return Q(slots__status=status)


def _listed(row: Any) -> ListedTrajectory:
    environment: Environment = row.simulation.task.environment
    messages = [Message.model_validate(message) for message in row.messages]
    code = row.review or (SlotStatus.OPEN if row.accepted else "")
    return ListedTrajectory(
        row=row,
        status=SlotStatus(code).label if code else "",
        status_code=code,
        ribbon=make_ribbon(make_steps(messages, load_environment(environment))),
    )


def facets(*, user: User) -> dict[str, list[str]]:
    """Values there are to filter by, among what the user may see."""
    visible = Trajectory.objects.visible_to(user).order_by()

    def values(name: str) -> list[str]:
        return sorted(v for v in visible.values_list(name, flat=True).distinct() if v)

    return {
        "reason": values("reason"),
        "archetype": values("simulation__task__archetype"),
        "plan": values("simulation__plan"),
    }
