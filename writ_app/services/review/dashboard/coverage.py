"""What was approved against what is wanted: over the grid of both axes, and over tools, plans, personas and requests."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Min, Q, TextField, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce, NullIf

from environments.core.domain import TaskClass
from environments.core.environment import Environment
from writ_app.models.review import ItemQuerySet, ItemStatus, ReviewItem
from writ_app.models.synthesis import Batch
from writ_app.services.catalog import ChangedEnvironment, load_environment
from writ_app.services.heat import HeatMap, Place, make_heat_map
from writ_app.services.review.bands import BURDEN_BANDS, WRITE_BANDS, band_of

APPROVED = Q(status=ItemStatus.APPROVED, accepted=True)
LISTED = 12
"""Values of an axis that are shown at once: the least approved."""


@dataclass(frozen=True)
class Covered:
    """One value of an axis."""

    name: str
    counts: "Triple"

    @property
    def width(self) -> float:
        """Percent of the trajectories there are that were approved."""
        return round(100 * self.counts.approved / max(self.counts.all, 1), 1)


@dataclass(frozen=True)
class Axis:
    title: str
    values: tuple[Covered, ...]
    """The least approved first; those that nothing was made of included."""

    @property
    def first(self) -> tuple[Covered, ...]:
        return self.values[:LISTED]

    @property
    def rest(self) -> tuple[Covered, ...]:
        return self.values[LISTED:]

    @property
    def blind(self) -> int:
        """Values without a single approved trajectory."""
        return sum(not one.counts.approved for one in self.values)


def items_of(batches: Iterable[Batch]) -> ItemQuerySet:
    keys = [batch.pk for batch in batches]
    return ReviewItem.objects.filter(batch__in=keys, canary="").order_by()


def approved_grid(batches: Sequence[Batch]) -> HeatMap:
    """Approved trajectories over writes × burden; against what the batches' own grids want, if all have one."""
    counts = Counter[Place]()
    cells = items_of(batches).filter(APPROVED).values_list("writes", "burden")
    for writes, burden, count in cells.annotate(Count("pk")):
        counts[band_of(writes, WRITE_BANDS), band_of(burden, BURDEN_BANDS)] += count
    return make_heat_map(counts, wanted=_wanted(batches))


def _wanted(batches: Sequence[Batch]) -> Mapping[Place, int] | None:
    if not batches or not all(batch.grid for batch in batches):
        return None
    wanted = Counter[Place]()
    for batch in batches:
        for cell in batch.design_report.get("grid", ()):
            place = str(cell["writes"]), str(cell["burden"])
            wanted[place] += cell.get("wanted", 0) * batch.plans_per_task
    return wanted


def axes(batches: Sequence[Batch]) -> tuple[Axis, ...]:
    items = items_of(batches)
    return (
        Axis("Tools", _tools(items, batches)),
        Axis("Policy clauses", _clauses(items, batches)),
        Axis("Kinds of request", _by(items, "archetype", _mixed(batches))),
        Axis("Plans", _by(items, "plan", {plan for b in batches for plan in b.plans})),
        Axis("Personas", _by(items, "trajectory__simulation__persona", set())),
    )


def _by(items: ItemQuerySet, column: str, known: Iterable[str]) -> tuple[Covered, ...]:
    rows = items.values(name=F(column)).annotate(**_COUNTS)
    return _least_first({row["name"]: Triple.of(row) for row in rows}, known)


def _tools(items: ItemQuerySet, batches: Iterable[Batch]) -> tuple[Covered, ...]:
    """Trajectories that call a tool, over the tools that there are. Counted by cluster: in one all call the same."""
    rows = list(
        items.values("cluster").annotate(**_COUNTS, exemplar=Min("pk")).order_by()
    )
    keys = [row["exemplar"] for row in rows]
    called = dict(ReviewItem.objects.filter(pk__in=keys).values_list("pk", "skeleton"))
    counts: dict[str, Triple] = {}
    for row in rows:
        for tool in set(called[row["exemplar"]].split()):
            counts[tool] = counts.get(tool, Triple()) + Triple.of(row)
    known = {tool for world in _worlds(batches) for tool in world.tools}
    # What somebody made up is no blind spot of ours.
    return _least_first({t: n for t, n in counts.items() if t in known}, known)


def _clauses(items: ItemQuerySet, batches: Iterable[Batch]) -> tuple[Covered, ...]:
    """Trajectories of requests that a clause refuses or hands over, over the clauses that tasks were made of."""
    clause = Coalesce(
        *(
            NullIf(KeyTextTransform(key, "task__content"), Value(""))
            for key in ("declined", "transferred")
        ),
        Value(""),
        output_field=TextField(),
    )
    stopped = items.filter(task_class__in=[TaskClass.REFUSAL, TaskClass.TRANSFER])
    rows = stopped.annotate(name=clause).values("environment", "name")
    return _least_first(
        {
            f"{row['environment']} {row['name']}": Triple.of(row)
            for row in rows.annotate(**_COUNTS)
            if row["name"]
        },
        (),
    )


def _worlds(batches: Iterable[Batch]) -> Iterator[Environment]:
    """Those that did not change since."""
    for row in {batch.environment_id: batch.environment for batch in batches}.values():
        with suppress(ChangedEnvironment):
            yield load_environment(row)


@dataclass(frozen=True)
class Triple:
    """Trajectories that were approved, that wait for a verdict, and all."""

    approved: int = 0
    waiting: int = 0
    all: int = 0

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "Triple":
        """From a row that has `_COUNTS`."""
        return cls(row["approved"], row["waiting"], row["all"])

    def __add__(self, other: "Triple") -> "Triple":
        return Triple(
            self.approved + other.approved,
            self.waiting + other.waiting,
            self.all + other.all,
        )


_COUNTS = {
    "approved": Count("pk", filter=APPROVED),
    "waiting": Count("pk", filter=Q(status=ItemStatus.OPEN)),
    "all": Count("pk"),
}


def _least_first(
    counts: Mapping[str, Triple], known: Iterable[str]
) -> tuple[Covered, ...]:
    names = {name for name in (*counts, *known) if name}
    found = (Covered(name, counts.get(name, Triple())) for name in names)
    return tuple(sorted(found, key=lambda c: (c.counts.approved, c.counts.all, c.name)))


def _mixed(batches: Iterable[Batch]) -> set[str]:
    """Kinds of request that were ordered by name."""
    return {slug for batch in batches for slug, weight in batch.mix.items() if weight}
