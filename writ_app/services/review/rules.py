"""Reject once, find all: a rejection and the place it points at, made into filters that find more of the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Count, Q, QuerySet

from writ_app.models.accounts import Team, User
from writ_app.models.curation import FindRule
from writ_app.models.review import (
    ArgumentSource,
    ItemStatus,
    ReviewEvent,
    ReviewItem,
    Verdict,
)
from writ_app.services.audit import record
from writ_app.services.review.bands import BURDEN_BANDS, band_of
from writ_app.services.review.bulk import REQUEUE, Forecast, apply_bulk, forecast
from writ_app.services.review.listing import (
    Filters,
    argument_name,
    at_most,
    found_by,
    shape_of,
)
from writ_app.services.review.listing.pages import COUNTED

SAMPLE = 8
SUSPECT = ("not_found", "stale", "conflict", "derived")
"""Kinds of provenance that may well be what was wrong."""


@dataclass(frozen=True)
class Condition:
    """One thing that is true of the rejected item, as a filter."""

    name: str
    value: str
    words: str
    title: str
    proposed: bool
    """Whether it has to do with what the rejection points at, so that it is ticked from the start."""


@dataclass(frozen=True)
class Trial:
    """What a rule finds, before it does anything."""

    hits: int
    approved: int
    rejected: int
    other: int
    """Hits sent to be fixed, or disputed."""
    effect: Forecast | None
    """None if there are no hits, or too many to re-queue."""
    sample: tuple[ReviewItem, ...]
    """Some hits, spread over all of them."""

    @property
    def judged(self) -> int:
        return self.approved + self.rejected + self.other

    @property
    def precision(self) -> int | None:
        """Percent of the judged hits that were not approved; None if none was judged."""
        return round(100 * (1 - self.approved / self.judged)) if self.judged else None

    @property
    def too_many(self) -> bool:
        return self.hits > COUNTED


def rejections(user: User) -> QuerySet[ReviewEvent]:
    """Standing ones, which a rule can come from. While a second opinion is awaited, only who gave the first sees it."""
    return ReviewEvent.objects.filter(
        ~Q(slot__item__status=ItemStatus.OPEN) | Q(reviewer=user),
        slot__team__in=user.team_ids,
        verdict=Verdict.REJECT,
        withdrawn_by=None,
    )


def conditions_of(event: ReviewEvent) -> list[Condition]:
    """What may be common to more of the kind: the nearer to the place that was pointed at, the earlier."""
    item = event.slot.item
    pointed = _argument_of(event, item)
    tool = pointed.tool if pointed else _tool_of(event, item)
    made: list[tuple[str, Any, str, str, bool]] = []
    if pointed is not None:
        name, kind = argument_name(pointed.source.pointer), pointed.source.kind
        made += [
            ("argument", name, name, "argument", True),
            ("argument_kind", kind, kind, "which is", kind in SUSPECT),
        ]
    if tool:
        made.append(("tool", tool, tool, "calls", pointed is None))
    made += [
        ("failed", check, check, "failed check", pointed is None)
        for check in (() if item.canary else item.failed)
    ]
    located = pointed is not None or bool(tool)
    made += [
        ("archetype", item.archetype, item.archetype, "archetype", True),
        ("environment", item.environment, item.environment, "environment", False),
        ("plan", item.plan, item.plan, "plan", not located),
        ("agent", item.agent, item.agent, "agent", False),
        (
            "burden",
            band := band_of(item.burden, BURDEN_BANDS),
            band,
            "evidence burden",
            False,
        ),
        ("ended_by", item.ended_by, item.ended_by, "ended by", False),
        ("batch", str(item.batch_id), f"#{item.batch_id}", "batch", False),
        (
            "shape",
            shape_of(item.skeleton),
            f"{len(item.skeleton.split())} calls as here",
            "same tools in the same order",
            False,
        ),
    ]
    return [
        Condition(name, str(value), str(words).replace("_", " "), title, proposed)
        for name, value, words, title, proposed in made
        if value
    ]


@dataclass(frozen=True)
class _Argument:
    source: ArgumentSource
    tool: str


def _argument_of(event: ReviewEvent, item: ReviewItem) -> _Argument | None:
    """The write's argument that the rejection points at; without a pointer, the first that nothing shows."""
    sources = list(item.sources.filter(side="actual").order_by("write", "id"))
    if event.write is not None and event.pointer:
        place = event.pointer.removeprefix("/arguments")
        exact = [s for s in sources if (s.write, s.pointer) == (event.write, place)]
        under = [
            s
            for s in sources
            if s.write == event.write and s.pointer.startswith(f"{place}/")
        ]
        found = exact or under
    else:
        found = [s for s in sources if s.kind in SUSPECT[:3]]
    return _Argument(found[0], _tool_of(event, item)) if found else None


def _tool_of(event: ReviewEvent, item: ReviewItem) -> str:
    """Name of the tool whose call, or whose answer, the rejection points at."""
    if event.message is None:
        return ""
    messages = item.stored_content["messages"]
    message = messages[event.message] if event.message < len(messages) else {}
    calls = message.get("tool_calls") or ()
    answered = message.get("tool_call_id")
    if not calls and answered:
        made = (call for one in messages for call in one.get("tool_calls") or ())
        calls = [call for call in made if call["id"] == answered]
    return str(calls[0]["name"]) if calls else ""


def try_rule(*, user: User, team: Team, filters: Filters, at: datetime) -> Trial:
    """What these filters find, how that was judged so far, and what re-queueing it would do. Raises TooSlow."""
    found = found_by(filters, user=user).filter(team=team)
    with at_most():
        ids = list(found.order_by("pk").values_list("pk", flat=True)[: COUNTED + 1])
        judged = dict(
            ReviewItem.objects.filter(pk__in=ids, canary="")
            .exclude(status__in=["", ItemStatus.OPEN])
            .order_by()
            .values_list("status")
            .annotate(Count("pk"))
        )
        step = max(1, len(ids) // SAMPLE)
        sample = (
            ReviewItem.objects.filter(pk__in=ids[::step][:SAMPLE])
            .select_related("task")
            .only("number", "archetype", "status", "accepted", "reason", "task__text")
            .order_by("-pk")
        )
        shown = tuple(sample)
    few = 0 < len(ids) <= COUNTED
    return Trial(
        hits=len(ids),
        approved=judged.get(ItemStatus.APPROVED, 0),
        rejected=judged.get(ItemStatus.REJECTED, 0),
        other=judged.get(ItemStatus.FIX, 0) + judged.get(ItemStatus.DISPUTED, 0),
        effect=forecast(items=_doubtful(ids), user=user, verdict=REQUEUE, at=at)
        if few
        else None,
        sample=shown,
    )


def _doubtful(ids: Sequence[int]) -> list[int]:
    """What is worth another look: all but those that were rejected already."""
    kept = ReviewItem.objects.filter(pk__in=ids).exclude(status=ItemStatus.REJECTED)
    return sorted(kept.values_list("pk", flat=True))


@transaction.atomic
def apply_rule(
    *,
    user: User,
    team: Team,
    name: str,
    filters: Filters,
    event: ReviewEvent | None,
    at: datetime,
) -> FindRule:
    """Save the rule and re-queue what it hits, approved items outside of releases included. Raises CannotApply, TooSlow."""
    trial = try_rule(user=user, team=team, filters=filters, at=at)
    rule = FindRule(team=team, by=user, name=name, event=event, filters=dict(filters))
    rule.hits = trial.hits
    if trial.effect is not None and trial.effect.changes:
        found = found_by(filters, user=user).filter(team=team)
        rule.bulk = apply_bulk(
            items=_doubtful(list(found.values_list("pk", flat=True))),
            user=user,
            team=team,
            verdict=REQUEUE,
            at=at,
            note=f"found by “{name}”"[:4000],
            filters=filters,
        )
        rule.requeued = rule.bulk.total
        rule.applied_at = at
    rule.save()
    record(
        "rule.apply",
        team=team,
        row=rule,
        by=user,
        after={
            "name": name,
            "filters": rule.filters,
            "hits": rule.hits,
            "requeued": rule.requeued,
            "bulk": rule.bulk_id,
        },
    )
    return rule
