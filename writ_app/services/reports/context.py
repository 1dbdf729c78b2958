"""What the database knows beside the conversations: the funnel, what it cost, how people judged, what samples prove.

Of a list or a release, the funnel and the costs are those of the whole batches that its items came from: what was rejected on the way
is a part of their price.
"""

from collections import Counter
from statistics import median
from typing import Any

from django.db.models import Count, F, Max, Min, Q, Sum, TextField
from django.db.models.functions import Cast

from writ_app.engine.errors import REASONS
from writ_app.engine.reports.spread import ratio
from writ_app.engine.statistics.agreement import Agreement, alpha
from writ_app.engine.statistics.intervals import share
from writ_app.models.accounts import Team
from writ_app.models.review import (
    ItemQuerySet,
    ItemStatus,
    ReviewEvent,
    ReviewItem,
    Verdict,
)
from writ_app.models.synthesis import Batch, Simulation, Trajectory, Turn, not_retried
from writ_app.services.reports.scopes import Scope
from writ_app.services.review.dashboard.funnel import make_funnel
from writ_app.services.review.quality.canaries import detection
from writ_app.services.review.quality.sampling import plans_behind
from writ_app.services.review.queue import VERDICTS

LISTED = 40


def context_of(scope: Scope, team: Team) -> dict[str, Any] | None:
    """Plain JSON; None of an imported set, whose making nobody here has seen."""
    if scope.items is None:
        return None
    batches = list(scope.batches)
    return {
        "batches": [_batch(batch) for batch in batches[:LISTED]],
        "batch_count": len(batches),
        "funnel": _funnel(batches),
        "cost": _cost(batches),
        "pace": _pace(batches),
        "reviewers": _reviewers(scope.items),
        "canaries": _canaries(team),
        "acceptance": _acceptance(scope.items),
    }


def _batch(batch: Batch) -> dict[str, Any]:
    return {
        "key": batch.pk,
        "name": batch.name,
        "environment": str(batch.environment),
        "environment_hash": batch.environment.content_hash,
        "seed": batch.seed,
        "ordered": batch.ordered,
        "agent": _player(batch, "agent"),
        "user": _player(batch, "user"),
    }


def _player(batch: Batch, role: str) -> str:
    played = batch.played_by.get(role) or {}
    return str(played.get("model") or "scripted")


def _funnel(batches: list[Batch]) -> dict[str, Any]:
    refused: Counter[str] = Counter()
    proposals = designed = 0
    for batch in batches:
        report = batch.design_report
        refused.update(report.get("refused", {}))
        proposals += report.get("draws", 0)
        designed += sum(report.get("designed", {}).values())
    stages = [[one.name, one.count] for one in make_funnel(batches).total.stages]
    if proposals:
        stages = [["drafts drawn", proposals], ["tasks designed", designed], *stages]
    rejected = (
        Trajectory.objects.filter(
            not_retried("simulation"), simulation__batch__in=batches, accepted=False
        )
        .order_by()
        .values_list("reason", "owner")
        .annotate(count=Count("pk"))
        .order_by("-count", "reason")
    )
    return {
        "stages": stages,
        "refused": [
            {"reason": reason, "meaning": REASONS.get(reason, ""), "count": count}
            for reason, count in refused.most_common(LISTED)
        ],
        "rejected": [
            {"reason": reason, "owner": owner, "count": count}
            for reason, owner, count in rejected[:LISTED]
        ],
    }


def _cost(batches: list[Batch]) -> dict[str, Any]:
    keys = [batch.pk for batch in batches]
    found = Trajectory.objects.filter(
        not_retried("simulation"), simulation__batch__in=keys
    ).aggregate(made=Count("pk"), accepted=Count("pk", filter=Q(accepted=True)))
    approved = ReviewItem.objects.filter(
        batch__in=keys, status=ItemStatus.APPROVED, canary="", accepted=True
    ).aggregate(count=Count("trajectory", distinct=True))["count"]
    dollars = float(sum(batch.cost for batch in batches))
    tokens = sum(batch.tokens for batch in batches)
    said = Turn.objects.filter(simulation__batch__in=keys, side="user")
    users = said.annotate(rejected=Cast("drafts", TextField())).aggregate(
        turns=Count("pk"), again=Count("pk", filter=~Q(rejected="[]"))
    )
    return {
        "dollars": round(dollars, 6),
        "tokens": tokens,
        "turns": sum(batch.turns for batch in batches),
        "made": found["made"],
        "accepted": found["accepted"],
        "approved": approved,
        "dollars_per_accepted": ratio(dollars, found["accepted"]),
        "tokens_per_accepted": ratio(tokens, found["accepted"]),
        "dollars_per_approved": ratio(dollars, approved),
        "user_turns": users["turns"],
        "user_turns_again": users["again"],
    }


def _pace(batches: list[Batch]) -> dict[str, Any]:
    """Over the time in which each batch was simulated, from its first start to its last end."""
    rows = (
        Simulation.objects.filter(batch__in=batches, finished_at__isnull=False)
        .order_by()
        .values("batch")
        .annotate(
            count=Count("pk"),
            began=Min("started_at"),
            ended=Max("finished_at"),
            worked=Sum(F("finished_at") - F("started_at")),
        )
    )
    count, seconds, worked = 0, 0.0, 0.0
    for row in rows:
        if row["began"] is None or row["ended"] is None:
            continue
        count += row["count"]
        seconds += (row["ended"] - row["began"]).total_seconds()
        worked += row["worked"].total_seconds() if row["worked"] else 0.0
    return {
        "simulations": count,
        "seconds": round(seconds, 1),
        "per_hour": round(3600 * count / seconds, 1) if seconds else None,
        "seconds_each": round(worked / count, 2) if count else None,
    }


# --- people --------------------------------------------------------------------------------------------------------------------


def _reviewers(items: ItemQuerySet) -> dict[str, Any]:
    """Verdicts that stand, of single people on single items of this scope. Overturned: refused by people after every check passed."""
    events = (
        ReviewEvent.objects.filter(
            slot__item__in=items, verdict__in=VERDICTS, withdrawn_by=None, bulk=None
        )
        .order_by("slot__item", "slot__number", "pk")
        .values_list(
            "slot__item",
            "slot__number",
            "reviewer",
            "verdict",
            "reason",
            "seconds",
            "slot__item__accepted",
        )
    )
    said: dict[int, list[str]] = {}
    verdicts: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    people: set[int] = set()
    seconds: list[int] = []
    passed: set[int] = set()
    refused: set[int] = set()
    for item, number, reviewer, verdict, reason, spent, accepted in events.iterator():
        verdicts[verdict] += 1
        people.add(reviewer)
        if reason:
            reasons[reason] += 1
        if spent is not None:
            seconds.append(spent)
        if number > 0:
            said.setdefault(item, []).append(verdict)
        if accepted:
            passed.add(item)
            if verdict != Verdict.APPROVE:
                refused.add(item)
    overturned = share(len(refused), len(passed))
    return {
        "people": len(people),
        "verdicts": dict(sorted(verdicts.items())),
        "reasons": reasons.most_common(LISTED),
        "judged": len(said),
        "twice": sum(len(one) > 1 for one in said.values()),
        "agreement": _agreement(alpha(list(said.values()))),
        "overturned": {
            "count": overturned.hits,
            "of": overturned.total,
            "share": ratio(overturned.hits, overturned.total),
            "low": round(overturned.low, 4),
            "high": round(overturned.high, 4),
        },
        "seconds": {
            "count": len(seconds),
            "median": median(seconds) if seconds else None,
            "p90": sorted(seconds)[-(-9 * len(seconds) // 10) - 1] if seconds else None,
        },
    }


def _agreement(found: Agreement) -> dict[str, Any]:
    def rounded(value: float | None) -> float | None:
        return None if value is None else round(value, 4)

    return {
        "items": found.items,
        "alpha": rounded(found.value),
        "low": rounded(found.low),
        "high": rounded(found.high),
        "why": found.why,
    }


def _canaries(team: Team) -> dict[str, Any]:
    """Of the whole team: planted errors, and how many reviewers found."""
    whole = detection(team).whole
    return {
        "shown": whole.total,
        "found": whole.hits,
        "share": ratio(whole.hits, whole.total),
        "low": round(whole.low, 4),
        "high": round(whole.high, 4),
    }


def _acceptance(items: ItemQuerySet) -> dict[str, Any]:
    """What samples prove of those that were approved without being looked at, and how many somebody did look at."""
    approved = items.filter(status=ItemStatus.APPROVED, canary="")
    looked_at = approved.filter(
        slots__events__verdict=Verdict.APPROVE,
        slots__events__withdrawn_by=None,
        slots__events__bulk=None,
    )
    statements = [
        {name: plan[name] for name in ("plan", "statement", "lot", "sample", "good")}
        | {"items": len(plan["items"])}
        for plan in plans_behind(approved)
    ]
    return {
        "items": items.count(),
        "approved": approved.count(),
        "looked_at": looked_at.order_by().values("pk").distinct().count(),
        "plans": statements,
    }
