"""Acceptance sampling: a lot whose checks all pass is approved because a sample of it, drawn by a seed, held no defect.

What the sample proves is said before anybody clicks, kept with the plan, and printed in every release that holds an item which was
approved by it. One defect stops the plan.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db import transaction
from django.db.models import Count, Q

from writ_app.engine.errors import WritError
from writ_app.engine.statistics.intervals import bad_at_most, sample_size
from writ_app.models.accounts import Team, User
from writ_app.models.curation import PlannedItem, PlanStatus, SamplingPlan
from writ_app.models.review import (
    BulkAction,
    ItemQuerySet,
    ItemStatus,
    ReviewEvent,
    ReviewItem,
    ReviewSlot,
    SlotStatus,
    Verdict,
)
from writ_app.services.audit import digest_of, record
from writ_app.services.review.quality.places import change_places, untouched

CONFIDENCE = 0.95
LIMITS = (0.1, 0.05, 0.02, 0.01)
"""Shares of defects that a plan may be ordered for."""
PLANS_SHOWN = 50
GREEN = ("exact", "normalised", "said", "policy", "derived")
"""Kinds of provenance that leave no doubt by themselves."""
RUNNING = (PlanStatus.SAMPLING, PlanStatus.PASSED, PlanStatus.FAILED)


class CannotSample(WritError):
    """There is no lot to draw from, or the plan is at another stage."""


# --- before the click ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Offer:
    """A plan that could be ordered for a lot."""

    limit: float
    size: int
    statement: str


def lot_of(team: Team, filters: Mapping[str, Any]) -> ItemQuerySet:
    """What a plan could approve: nobody's business yet, every check passed, all provenance of the kinds that were chosen.

    `filters`: `kinds` (list), and `batch` (key), `archetype`, `environment`, each optional. What two people are to judge blind stays
    out, and so do canaries and what another plan holds.
    """
    items = ReviewItem.objects.filter(
        team=team, status=ItemStatus.OPEN, accepted=True, canary="", wanted=1
    ).filter(kinds__contained_by=list(filters.get("kinds") or GREEN))
    for name in ("batch", "archetype", "environment"):
        if filters.get(name):
            items = items.filter(Q(**{name: filters[name]}))
    held = PlannedItem.objects.filter(plan__team=team, plan__status__in=RUNNING)
    return items.exclude(pk__in=held.values("item"))


def offers(lot: int) -> tuple[Offer, ...]:
    """One for each limit that needs less than the whole lot; of those that need the same sample the strictest."""
    found = (_offer(lot, limit) for limit in LIMITS) if lot else ()
    sizes = {one.size: one for one in found if 0 < one.size <= lot}
    return tuple(sizes.values())


def _offer(lot: int, limit: float) -> Offer:
    size = sample_size(lot=lot, limit=limit, confidence=CONFIDENCE)
    return Offer(limit, size, statement(lot=lot, size=size))


def statement(
    *, lot: int, size: int, bad: int = 0, confidence: float = CONFIDENCE
) -> str:
    """What a sample of that size with so many bad ones in it proves, in words."""
    most = bad_at_most(lot=lot, checked=size, found=bad, confidence=confidence)
    return (
        f"{size:,} of {lot:,} checked, {bad} bad: at most {most:,} of the {lot:,} ({most / lot:.1%}) are bad, "
        f"with {confidence:.0%} confidence."
    )


# --- ordering ------------------------------------------------------------------------------------------------------------------


@transaction.atomic
def order_plan(
    *, team: Team, by: User, filters: Mapping[str, Any], limit: float, seed: int
) -> SamplingPlan:
    """Put the lot down and draw its sample, which comes to the head of the queue. The same lot and seed give the same sample.

    Raises CannotSample for an empty lot.
    """
    Team.objects.select_for_update().get(pk=team.pk)  # two orders take turns
    lot = list(lot_of(team, filters).order_by("pk").values_list("pk", flat=True))
    if not lot:
        raise CannotSample("Nothing to review fits: there is no lot to sample.")
    size = sample_size(lot=len(lot), limit=limit, confidence=CONFIDENCE)
    drawn = set(random.Random(f"sample {seed}").sample(lot, size))
    plan = SamplingPlan.objects.create(
        team=team,
        by=by,
        filters=dict(filters),
        lot=len(lot),
        size=size,
        confidence=CONFIDENCE,
        limit=limit,
        seed=seed,
        statement=statement(lot=len(lot), size=size),
    )
    PlannedItem.objects.bulk_create(
        (PlannedItem(plan=plan, item_id=pk, sampled=pk in drawn) for pk in lot),
        batch_size=1000,
    )
    _bring_forward(team, drawn)
    record(
        "lane.order",
        team=team,
        row=plan,
        by=by,
        after={
            "lot": plan.lot,
            "sample": size,
            "limit": limit,
            "seed": seed,
            "filters": plan.filters,
            "lot_sha256": digest_of(lot),
            "sample_sha256": digest_of(drawn),
        },
    )
    return plan


def _bring_forward(team: Team, items: set[int]) -> None:
    """Their slots change places with the first ones that nobody has touched."""
    slots = untouched(team).filter(item__canary="").order_by("pk")
    own = list(slots.filter(item__in=items).values_list("pk", flat=True))
    head = list(slots.values_list("pk", flat=True)[: len(own)])
    there = set(own) & set(head)
    for slot, place in zip(
        (pk for pk in own if pk not in there),
        (pk for pk in head if pk not in there),
        strict=True,
    ):
        change_places(slot, place)


# --- what came of it -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Progress:
    """A plan as it stands. Counts of the sample."""

    plan: SamplingPlan
    good: int
    bad: int

    @property
    def checked(self) -> int:
        return self.good + self.bad

    @property
    def in_doubt(self) -> bool:
        """The rest was approved, and a verdict on the sample was taken back or changed since."""
        return self.plan.status == PlanStatus.APPLIED and self.good < self.plan.size

    @cached_property
    def rest(self) -> int:
        """Of the lot, not sampled, and still to be approved."""
        return int(_rest(self.plan).count())

    @property
    def proves(self) -> str:
        """What is known of the lot by now, in words."""
        if not self.checked:
            return "Nothing was checked yet, so nothing is known."
        plan = self.plan
        return statement(
            lot=plan.lot, size=self.checked, bad=self.bad, confidence=plan.confidence
        )


def progress_of(plan: SamplingPlan) -> Progress:
    """Counts anew, and moves the plan to the stage that follows."""
    return progress_of_all([plan])[0]


def plans_of(team: Team) -> Sequence[Progress]:
    """The latest first."""
    plans = SamplingPlan.objects.filter(team=team).select_related("by", "bulk")
    return progress_of_all(list(plans[:PLANS_SHOWN]))


def progress_of_all(plans: Sequence[SamplingPlan]) -> Sequence[Progress]:
    """The same of several, counted together."""
    counts = _counts(plans)
    found = [Progress(plan, *counts.get(plan.pk, (0, 0))) for plan in plans]
    for one in found:
        status, at = _stage(one)
        if status != one.plan.status:
            one.plan.status, one.plan.finished_at = status, at
            one.plan.save(update_fields=["status", "finished_at"])
    return found


def _counts(plans: Sequence[SamplingPlan]) -> dict[int, tuple[int, int]]:
    """Plan → (good, bad) in its sample."""
    lost = Q(item__status__in=[ItemStatus.REJECTED, ItemStatus.FIX])
    good = Q(item__status=ItemStatus.APPROVED, item__accepted=True)
    rows = (
        PlannedItem.objects.filter(plan__in=plans, sampled=True)
        .values("plan")
        .annotate(
            good=Count("pk", filter=good),
            bad=Count("pk", filter=lost | Q(item__accepted=False)),
        )
    )
    return {row["plan"]: (row["good"], row["bad"]) for row in rows}


def _stage(progress: Progress) -> tuple[str, datetime | None]:
    """(status, when it ended) of a plan, by what its sample and its approval have come to."""
    plan = progress.plan
    undone = plan.bulk.undone_at if plan.bulk else None
    if plan.status == PlanStatus.APPLIED and undone:
        return PlanStatus.UNDONE, undone
    if plan.status not in RUNNING:
        return plan.status, plan.finished_at
    if progress.bad:
        return PlanStatus.FAILED, None
    passed = progress.good == plan.size
    return (PlanStatus.PASSED if passed else PlanStatus.SAMPLING), None


def _rest(plan: SamplingPlan) -> Any:
    return ReviewSlot.objects.open().filter(
        item__plans__plan=plan,
        item__plans__sampled=False,
        item__status=ItemStatus.OPEN,
        item__accepted=True,
        item__wanted=1,
        number=1,
    )


@transaction.atomic
def approve_rest(*, plan: SamplingPlan, by: User, at: datetime) -> int:
    """Approve what the sample stands for, as one action that can be undone; returns how many. Raises CannotSample unless it passed.

    What a colleague has in hand at this moment is left to them.
    """
    plan = SamplingPlan.objects.select_for_update().get(pk=plan.pk)
    if progress_of(plan).plan.status != PlanStatus.PASSED:
        raise CannotSample("The sample is not through, or held a defect.")
    free = Q(leased_until=None) | Q(leased_until__lte=at) | Q(leased_by=by)
    slots = list(
        _rest(plan)
        .filter(free)
        .order_by("pk")
        .select_for_update(skip_locked=True, of=("self",))
        .values_list("pk", flat=True)
    )
    bulk = BulkAction.objects.create(
        team=plan.team,
        by=by,
        verdict=Verdict.APPROVE,
        filters=plan.filters,
        note=plan.statement,
        total=len(slots),
    )
    ReviewEvent.objects.bulk_create(
        (
            ReviewEvent(slot_id=pk, reviewer=by, verdict=Verdict.APPROVE, bulk=bulk)
            for pk in slots
        ),
        batch_size=1000,
    )
    ReviewSlot.objects.filter(pk__in=slots).update(
        status=SlotStatus.APPROVED, leased_by=None, leased_until=None, deferred_at=None
    )
    plan.status, plan.bulk, plan.finished_at = PlanStatus.APPLIED, bulk, at
    plan.save(update_fields=["status", "bulk", "finished_at"])
    record(
        "lane.approve",
        team=plan.team_id,
        row=plan,
        by=by,
        after={
            "places": len(slots),
            "places_sha256": digest_of(slots),
            "bulk": bulk.pk,
        },
    )
    return len(slots)


@transaction.atomic
def undo_plan(*, plan: SamplingPlan, by: User, at: datetime) -> int:
    """Take the plan back, and with it every approval that rests on it; returns how many. The verdicts on the sample stay.

    Raises CannotSample if it was taken back before, or if a frozen release holds one of them.
    """
    plan = SamplingPlan.objects.select_for_update().get(pk=plan.pk)
    if plan.status == PlanStatus.UNDONE:
        raise CannotSample("This plan was taken back before.")
    events = list(
        ReviewEvent.objects.filter(bulk=plan.bulk_id, withdrawn_by=None)
        .exclude(bulk=None)
        .exclude(verdict=Verdict.WITHDRAW)
        .order_by("pk")
    )
    slots = [event.slot_id for event in events]
    # Asked by name, because reviews know nothing of releases: those come downstream.
    frozen = ReviewItem.objects.filter(
        slots__in=slots, memberships__release__frozen_at__isnull=False
    )
    if frozen.exists():
        raise CannotSample(
            "Items that it approved are part of a frozen release, so their approval stands."
        )
    ReviewEvent.objects.bulk_create(
        (
            ReviewEvent(
                slot_id=event.slot_id,
                reviewer=by,
                verdict=Verdict.WITHDRAW,
                withdraws=event,
            )
            for event in events
        ),
        batch_size=1000,
    )
    ReviewSlot.objects.filter(pk__in=slots).update(status=SlotStatus.OPEN)
    if plan.bulk_id:
        BulkAction.objects.filter(pk=plan.bulk_id).update(undone_at=at)
    before = {"status": plan.status, "bulk": plan.bulk_id}
    plan.status, plan.finished_at = PlanStatus.UNDONE, at
    plan.save(update_fields=["status", "finished_at"])
    record(
        "lane.undo",
        team=plan.team_id,
        row=plan,
        by=by,
        before=before,
        after={"places": len(slots), "places_sha256": digest_of(slots)},
    )
    return len(slots)


# --- for releases --------------------------------------------------------------------------------------------------------------


def plans_behind(items: ItemQuerySet) -> list[dict[str, Any]]:
    """The plans by which some of these items were approved, as a release prints them, with the keys of those items."""
    standing = Q(
        slots__events__bulk__plan__status=PlanStatus.APPLIED,
        slots__events__withdrawn_by=None,
    )
    pairs = items.filter(standing).values_list("slots__events__bulk__plan", "pk")
    approved: dict[int, list[int]] = {}
    for plan, item in pairs.order_by("pk").distinct():
        approved.setdefault(plan, []).append(item)
    plans = SamplingPlan.objects.in_bulk(approved)
    counts = _counts(list(plans.values()))
    return [
        {
            "plan": pk,
            "statement": plans[pk].statement,
            "lot": plans[pk].lot,
            "sample": plans[pk].size,
            "good": counts[pk][0],
            "confidence": plans[pk].confidence,
            "limit": plans[pk].limit,
            "seed": plans[pk].seed,
            "items": sorted(approved[pk]),
        }
        for pk in sorted(approved)
    ]
