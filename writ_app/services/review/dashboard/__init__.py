"""Everything the dashboard shows, as one value. What counts data leaves canaries out; what counts work has them in."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import TruncDate

from writ_app.models.accounts import User
from writ_app.models.review import ReviewEvent, ReviewSlot, Verdict
from writ_app.services.heat import HeatMap
from writ_app.services.review.dashboard.coverage import Axis, approved_grid, axes
from writ_app.services.review.dashboard.funnel import Funnel, batches_in, make_funnel
from writ_app.services.review.dashboard.pace import (
    Judged,
    Reviewer,
    reviewers,
)
from writ_app.services.review.kept import kept

COUNTED = 20_000
"""Latest verdicts that pace is reckoned from."""
DAYS = 14
"""Days in the plot of verdicts per day."""
GIVEN = (Verdict.APPROVE, Verdict.REJECT, Verdict.FIX)


@dataclass(frozen=True)
class Day:
    """Verdicts of one day; approvals in bulk are counted apart."""

    day: date
    approved: int
    rejected: int
    fixes: int
    bulk: int

    @property
    def given(self) -> int:
        return self.approved + self.rejected + self.fixes


@dataclass(frozen=True)
class Rest:
    """What is left in the queue, at the pace of late."""

    slots: int
    seconds: float | None
    """Median per item."""
    per_day: float | None
    """Verdicts on a day with verdicts."""

    @property
    def work(self) -> timedelta | None:
        """Of one person."""
        if self.seconds is None:
            return None
        return timedelta(seconds=self.seconds * self.slots)

    @property
    def days(self) -> float | None:
        return self.slots / self.per_day if self.per_day else None


@dataclass(frozen=True)
class Data:
    """What is there: the same for everybody in a team."""

    funnel: Funnel
    grid: HeatMap
    axes: tuple[Axis, ...]


@dataclass(frozen=True)
class Dashboard:
    data: Data
    team: Reviewer | None
    """Everybody together; None: nobody judged anything."""
    people: tuple[Reviewer, ...]
    """All for owners, oneself for reviewers."""
    days: tuple[Day, ...]
    rest: Rest


def build_dashboard(
    *,
    user: User,
    filters: Mapping[str, Any],
    since: datetime | None,
    at: datetime,
    owns: bool = False,
) -> Dashboard:
    """`filters`: environment and batch, from a form. `since`: batches ordered and verdicts given from then on.

    `owns`: whether who asks may see everybody one by one. It is told and not looked up: a token of an owner may be less than its member.
    """
    conditions = {f"slot__item__{name}": value for name, value in filters.items()}
    events = ReviewEvent.objects.filter(
        slot__team__in=user.team_ids,
        verdict__in=GIVEN,
        withdrawn_by=None,
        **conditions,
    )
    if since:
        events = events.filter(created_at__gte=since)
    everybody = _judged(events)
    people = reviewers(everybody)
    team = None
    if everybody:
        team = Reviewer(
            tuple(everybody),
            "everybody",
            tuple(session for one in people for session in one.sessions),
            compared=sum(one.compared for one in people),
            agreed=sum(one.agreed for one in people),
        )
    days = _days(events, at)
    return Dashboard(
        data=kept(
            "dashboard",
            user.team_ids,
            sorted(filters.items()),
            since and since.date(),
            make=lambda: _data(user, filters, since),
        ),
        team=team,
        people=tuple(one for one in people if owns or one.name == user.get_username()),
        days=days,
        rest=_rest(user, filters, team, days),
    )


def _data(user: User, filters: Mapping[str, Any], since: datetime | None) -> Data:
    batches = batches_in(user, filters, since)
    return Data(make_funnel(batches), approved_grid(batches), axes(batches))


def _judged(events: QuerySet[ReviewEvent]) -> list[Judged]:
    """The latest verdicts, in the order of time."""
    rows = (
        events.filter(bulk=None)
        .order_by("-created_at", "-pk")
        .values_list(
            "reviewer__username",
            "created_at",
            "verdict",
            "seconds",
            "slot__item__canary",
            "slot__item",
            "slot__number",
        )
    )
    return [
        Judged(name, at, verdict, seconds, bool(canary), item if number else 0)
        for name, at, verdict, seconds, canary, item, number in reversed(rows[:COUNTED])
    ]


def _days(events: QuerySet[ReviewEvent], at: datetime) -> tuple[Day, ...]:
    """The latest days up to `at`, those without a verdict included."""
    last = at.date()
    first = last - timedelta(days=DAYS - 1)
    rows = (
        events.filter(created_at__date__gte=first)
        .order_by()
        .values_list(TruncDate("created_at"), "verdict")
        .annotate(alone=Count("pk", filter=Q(bulk=None)), together=Count("bulk"))
    )
    given: Counter[tuple[date, str]] = Counter()
    bulk: Counter[date] = Counter()
    for day, verdict, one_by_one, together in rows:
        given[day, verdict] = one_by_one
        bulk[day] += together
    return tuple(
        Day(
            day,
            approved=given[day, Verdict.APPROVE],
            rejected=given[day, Verdict.REJECT],
            fixes=given[day, Verdict.FIX],
            bulk=bulk[day],
        )
        for day in (first + timedelta(days=n) for n in range(DAYS))
    )


def _rest(
    user: User, filters: Mapping[str, Any], team: Reviewer | None, days: Sequence[Day]
) -> Rest:
    waiting = ReviewSlot.objects.visible_to(user).open().filter(ready=True)
    conditions = {f"item__{name}": value for name, value in filters.items()}
    worked = [day.given for day in days if day.given]
    return Rest(
        slots=waiting.filter(**conditions).count(),
        seconds=team.median if team else None,
        per_day=sum(worked) / len(worked) if worked else None,
    )
