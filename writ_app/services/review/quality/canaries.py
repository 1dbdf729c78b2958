"""Canaries: planted among what there is to review, told to whoever judged one, and counted by reviewer and class."""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from writ_app.engine.canaries import KINDS, comes_out_right, mutate
from writ_app.engine.statistics.intervals import Share, share
from writ_app.engine.types import Task, Trajectory
from writ_app.engine.verification import verify
from writ_app.models.accounts import Team, User
from writ_app.models.review import (
    ItemQuerySet,
    ItemStatus,
    ReviewEvent,
    ReviewItem,
    ReviewSlot,
    Verdict,
)
from writ_app.services.audit import record
from writ_app.services.catalog import load_environment
from writ_app.services.review.blind import has_judged
from writ_app.services.review.quality.places import change_places, untouched
from writ_app.services.review.queue import VERDICTS, policy_of
from writ_app.services.synthesis import ledger_of

CANARY_NUMBER = 2
"""What every copy is as a version: an edited one may be that, too, so that it tells nothing."""


# --- planting ------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Planted:
    """How many were planted, by class."""

    kinds: Counter[str]
    wanted: int

    @property
    def total(self) -> int:
        return self.kinds.total()


def wanted_canaries(team: Team) -> int:
    """How many more the team's share asks for, of all that people have judged or are to judge."""
    serious = ReviewItem.objects.filter(team=team, ready=True, canary="").count()
    wanted = round(serious * policy_of(team).canary_share)
    return max(0, wanted - planted_in(team).count())


def planted_in(team: Team) -> ItemQuerySet:
    """The team's canaries. What somebody made of one by an edit counts as one for releases only."""
    return ReviewItem.objects.filter(team=team, edited_by=None).exclude(canary="")


def plant_canaries(*, team: Team, seed: int, count: int | None = None) -> Planted:
    """Plant so many (default: what the team's share asks for), each at a random place of the queue. The same seed chooses the same.

    All classes get their turn; one for which no trajectory has room is left out. Each trajectory is copied at most once.
    """
    wanted = wanted_canaries(team) if count is None else count
    rng = random.Random(f"canaries, seed {seed}")
    kinds: Counter[str] = Counter()
    for source in _sources(team, rng):
        if kinds.total() >= wanted:
            break
        # The class that was planted least so far, the order among equals drawn.
        order = sorted(rng.sample(list(KINDS), len(KINDS)), key=lambda k: kinds[k])
        kind = _plant(source, order, seed, rng)
        kinds.update([kind] if kind else [])
    return Planted(kinds, wanted)


def _sources(team: Team, rng: random.Random) -> Iterator[int]:
    """Keys of accepted items that were not copied before, in random order.

    Where several review, those that somebody has judged come first: the copy goes to the others, and nobody is kept from an
    original by it.
    """
    items = ReviewItem.objects.filter(team=team, accepted=True).as_simulated()
    copied = planted_in(team).values("parent")
    keys = items.exclude(pk__in=copied).order_by("pk")
    judged, open_ = (
        list(keys.filter(status__in=states).values_list("pk", flat=True))
        for states in ([ItemStatus.APPROVED], [ItemStatus.OPEN])
    )
    rng.shuffle(judged)
    rng.shuffle(open_)
    several = team.memberships.count() > 1
    yield from [*judged, *open_] if several else [*open_, *judged]


def _plant(pk: int, kinds: Sequence[str], seed: int, rng: random.Random) -> str:
    """The class that was planted; "" if none of them comes out right."""
    row = (
        ReviewItem.objects.select_related("trajectory__simulation", "task__environment")
        .narrow()
        .get(pk=pk)
    )
    environment = load_environment(row.task.environment)
    task = Task.model_validate(row.task.content)
    original = Trajectory.model_validate(row.trajectory.content)
    ledger = ledger_of(row.trajectory.simulation, task)
    for kind in kinds:
        canary = mutate(task, environment, original, kind, seed)
        if canary is None:
            continue
        judged = verify(
            environment=environment,
            task=task,
            trajectory=canary.trajectory,
            ledger=ledger,
        )
        if not comes_out_right(kind, judged):
            continue
        with transaction.atomic():
            item = ReviewItem.objects.create(
                trajectory=row.trajectory,
                parent=row,
                number=CANARY_NUMBER,
                canary=kind,
                content=canary.trajectory.model_dump(mode="json"),
                verification=judged.model_dump(mode="json"),
                changes={
                    "changed": canary.changed,
                    "message": canary.message,
                    "pointer": canary.pointer,
                    "seed": seed,
                },
            )
            _mix_in(item, rng)
            record(
                "canary.plant",
                team=row.team_id,
                row=item,
                after={"trajectory": pk, "class": kind, "seed": seed},
            )
        return kind
    return ""


def _mix_in(canary: ReviewItem, rng: random.Random) -> None:
    """To a random place among what nobody has looked at yet: otherwise all copies would come last.

    If the original waits, too, the copy comes before it: whoever has judged the original never sees the copy.
    """
    own = ReviewSlot.objects.get(item=canary, number=1)
    own_or_serious = Q(pk=own.pk) | Q(item__canary="")
    slots = untouched(own.team_id).filter(own_or_serious).order_by("pk")
    waiting = slots.filter(item=canary.parent_id).first()
    places = slots.filter(pk__lte=waiting.pk if waiting else own.pk)
    change_places(own.pk, rng.choice(list(places.values_list("pk", flat=True))))


# --- telling -------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Revealed:
    """What a reviewer learns of a canary after their verdict."""

    title: str
    changed: str
    caught: bool
    message: int

    def __str__(self) -> str:
        end = "you caught it" if self.caught else "you missed it"
        return f"That one was a planted error; {end}. {self.title}: {self.changed}"


def reveal(*, user: User, item: ReviewItem) -> Revealed | None:
    """What was planted, for somebody who has judged it; None for everybody else and everything else."""
    if not item.canary or item.edited_by_id or not has_judged(user, item):
        return None
    first = _first_verdicts(item.team).filter(slot__item=item, reviewer=user).first()
    changes: dict[str, Any] = item.changes or {}
    return Revealed(
        title=KINDS[item.canary].title if item.canary in KINDS else item.canary,
        changed=changes.get("changed", ""),
        caught=first is not None and first.verdict != Verdict.APPROVE,
        message=changes.get("message", 0),
    )


# --- counting ------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class DetectionRow:
    """One class, or one reviewer, or everything: `cells` by the names of the columns."""

    name: str
    title: str
    whole: Share
    cells: tuple[Share, ...] = ()
    mechanical: bool | None = None


@dataclass(frozen=True)
class Detection:
    reviewers: tuple[str, ...]
    kinds: tuple[DetectionRow, ...]
    """One row per class, one cell per reviewer."""
    people: tuple[Share, ...]
    """Of each reviewer over all classes."""
    whole: Share
    waiting: int
    """Planted, and not judged yet."""


def _first_verdicts(team: Team) -> QuerySet[ReviewEvent]:
    """The first verdict of each reviewer on each canary: to take it back once one was told would be no find."""
    events = ReviewEvent.objects.filter(
        slot__item__in=planted_in(team),
        slot__number__gt=0,
        verdict__in=VERDICTS,
        bulk=None,
    )
    return events.order_by("slot__item", "reviewer", "pk").distinct(
        "slot__item", "reviewer"
    )


def detection(team: Team, only: User | None = None) -> Detection:
    """Who found how many of the planted errors: with `only`, that person and everybody together."""
    judged = _first_verdicts(team).values_list(
        "reviewer__username", "slot__item__canary", "verdict"
    )
    caught: Counter[tuple[str, str]] = Counter()
    shown: Counter[tuple[str, str]] = Counter()
    for reviewer, kind, verdict in judged:
        shown[reviewer, kind] += 1
        caught[reviewer, kind] += verdict != Verdict.APPROVE
    everybody = sorted({reviewer for reviewer, _ in shown})
    own = only and only.get_username()
    reviewers = tuple(who for who in everybody if own in (None, who))
    kinds = [kind for kind in KINDS if any(k == kind for _, k in shown)]

    def of(who: str | None = None, kind: str | None = None) -> Share:
        cells = [
            cell for cell in shown if who in (None, cell[0]) and kind in (None, cell[1])
        ]
        return share(sum(caught[c] for c in cells), sum(shown[c] for c in cells))

    waiting = planted_in(team).filter(status=ItemStatus.OPEN)
    return Detection(
        reviewers=reviewers,
        kinds=tuple(
            DetectionRow(
                name=kind,
                title=KINDS[kind].title,
                whole=of(kind=kind),
                cells=tuple(of(who, kind) for who in reviewers),
                mechanical=KINDS[kind].mechanical,
            )
            for kind in kinds
        ),
        people=tuple(of(who) for who in reviewers),
        whole=of(),
        waiting=waiting.count(),
    )
