"""Items that are alike, reviewed together: one in full, of the others only what differs from it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import exp, log
from typing import Any, NamedTuple

from django.db.models import Count, Min, Q
from django.db.models.functions import Coalesce

from writ_app.models.accounts import User
from writ_app.models.review import (
    ArgumentSource,
    ItemQuerySet,
    ItemStatus,
    ReviewItem,
)
from writ_app.services.catalog import load_environment
from writ_app.services.review.kept import kept
from writ_app.services.review.leaves import argument_name
from writ_app.services.review.outliers import Profile, profile
from writ_app.services.review.steps import Ribbon, outlined_ribbon

PAGE_SIZE = 40
SAMPLED = 300
"""Newest items of a cluster that say what is usual in it."""
ENOUGH = 100
"""Items from which on variety can be asked for."""
FEW = 10
"""Effective clusters below which generation has collapsed to a few modes."""
ORDERS = {
    "size": "biggest first",
    "open": "most to review first",
    "rejected": "most rejected first",
    "mixed": "judged differently first",
}

type Column = tuple[int | None, str]
"""(number of the write, JSON pointer into its arguments), or (None, name of a column of the item)."""
type Values = dict[Column, tuple[str, str]]
"""One item's cells: (value, kind of its provenance)."""


# --- all clusters --------------------------------------------------------------------------------------------------------------


class Cluster(NamedTuple):
    """A tuple, because there are thousands of them to keep, to sort and to throw away."""

    key: str
    size: int
    open: int
    approved: int
    rejected: int
    """By people, those that need a fix included."""
    exemplar: int
    """The oldest that was approved, else the oldest."""

    @property
    def rejected_share(self) -> float:
        return self.rejected / self.size

    @property
    def mixed(self) -> float:
        """How evenly the judged ones are split: 0 to 1."""
        judged = self.approved + self.rejected
        return 2 * min(self.approved, self.rejected) / judged if judged else 0.0


@dataclass(frozen=True)
class ClusterLine:
    cluster: Cluster
    item: ReviewItem
    """The exemplar."""
    ribbon: Ribbon


@dataclass(frozen=True)
class Variety:
    """How different all items are from each other: mode collapse shows in few effective clusters."""

    items: int
    clusters: int
    sizes: tuple[int, ...]
    """Largest first."""

    def share_of(self, biggest: int) -> float:
        return sum(self.sizes[:biggest]) / self.items if self.items else 0.0

    @property
    def top(self) -> float:
        return self.share_of(1)

    @property
    def top_ten(self) -> float:
        return self.share_of(10)

    @property
    def collapsed(self) -> bool:
        """Whether a few kinds hold most of it: worth a word from some size on."""
        return self.items >= ENOUGH and self.effective < FEW

    @property
    def entropy(self) -> float:
        """Shannon's, in nats."""
        shares = (size / self.items for size in self.sizes)
        return -sum(share * log(share) for share in shares)

    @property
    def effective(self) -> float:
        """Equally big clusters that would be as varied (Hill number of order 1): e to the entropy."""
        return exp(self.entropy) if self.items else 0.0

    @property
    def evenness(self) -> float:
        """Entropy as a share of the most there could be with so many clusters."""
        return self.entropy / log(self.clusters) if self.clusters > 1 else 0.0


@dataclass(frozen=True)
class ClusterList:
    lines: tuple[ClusterLine, ...]
    variety: Variety
    start: int
    more: int | None
    """Start of the next page."""

    @property
    def first(self) -> bool:
        return self.start == 0


def list_clusters(
    *,
    user: User,
    filters: Mapping[str, Any],
    order: str = "size",
    start: int = 0,
    limit: int | None = None,
) -> ClusterList:
    """`filters`: environment and batch, from a form. One index-only scan every few seconds, and the exemplars of one page."""
    # Plain tuples: a cache gives thousands of them back in a fraction of the time that it takes for named ones.
    rows: list[tuple[Any, ...]] = kept(
        "clusters",
        user.team_ids,
        sorted(filters.items()),
        make=lambda: [
            tuple(one)
            for one in _counted(ReviewItem.objects.visible_to(user).filter(**filters))
        ],
    )
    clusters = [Cluster._make(row) for row in rows]
    variety = Variety(
        items=sum(one.size for one in clusters),
        clusters=len(clusters),
        sizes=tuple(sorted((one.size for one in clusters), reverse=True)),
    )
    end = start + (limit or PAGE_SIZE)
    page = sorted(clusters, key=_KEYS[order])[start:end]
    items = (
        ReviewItem.objects.narrow()
        .select_related("task__environment")
        .defer("task__content", "task__environment__state", "task__environment__policy")
        .in_bulk([one.exemplar for one in page])
    )
    return ClusterList(
        lines=tuple(_line(one, items[one.exemplar]) for one in page),
        variety=variety,
        start=start,
        more=end if end < len(clusters) else None,
    )


_KEYS: dict[str, Any] = {
    "size": lambda one: (-one.size, one.key),
    "open": lambda one: (-one.open, -one.size, one.key),
    "rejected": lambda one: (-one.rejected_share, -one.size, one.key),
    "mixed": lambda one: (-one.mixed, -one.size, one.key),
}


def _counted(items: ItemQuerySet) -> list[Cluster]:
    approved, refused = Q(status=ItemStatus.APPROVED), Q(status__in=["REJECTED", "FIX"])
    rows = (
        items.filter(canary="")
        .order_by()
        .values_list("cluster")
        .annotate(
            size=Count("pk"),
            open=Count("pk", filter=Q(status=ItemStatus.OPEN)),
            approved=Count("pk", filter=approved),
            rejected=Count("pk", filter=refused),
            exemplar=Coalesce(Min("pk", filter=approved), Min("pk")),
        )
    )
    return [Cluster(*row) for row in rows]


def _line(cluster: Cluster, item: ReviewItem) -> ClusterLine:
    environment = load_environment(item.task.environment)
    return ClusterLine(cluster, item, outlined_ribbon(item.outline, environment))


# --- one cluster ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Heading:
    title: str
    group: str = ""
    """The write that it is an argument of."""


@dataclass(frozen=True)
class GridCell:
    value: str
    kind: str = ""
    """Of provenance, if it differs from the exemplar's."""
    same: bool = False
    """As the exemplar has it."""
    odd: bool = False
    """Unlike the rest of the cluster."""


@dataclass(frozen=True)
class GridRow:
    item: ReviewItem
    cells: tuple[GridCell, ...]

    @property
    def odd(self) -> int:
        return sum(cell.odd for cell in self.cells)


@dataclass(frozen=True)
class ClusterPage:
    cluster: Cluster
    exemplar: ClusterLine
    headings: tuple[Heading, ...]
    """Of the columns in which something differs."""
    reference: tuple[GridCell, ...]
    """The exemplar's cells in these columns."""
    rows: tuple[GridRow, ...]
    constant: tuple[tuple[str, str], ...]
    """(column, value) of what is the same in all rows."""
    odd: int
    """Rows among the newest with a value unlike the rest."""
    sampled: int
    odd_only: bool
    first: bool
    before: int | None


FACTS = {
    "plan": "plan",
    "agent": "agent",
    "archetype": "kind of request",
    "burden": "burden",
    "writes": "writes",
    "steps": "messages",
    "ended_by": "ended by",
}
"""Columns of the item that are compared."""


@dataclass(frozen=True)
class _Usual:
    """What is usual in a cluster, column by column."""

    values: Mapping[Column, Profile]
    kinds: Mapping[Column, Profile]

    @classmethod
    def of(cls, sample: Sequence[Values]) -> "_Usual":
        columns = {column for values in sample for column in values}
        cells = {
            column: [values.get(column, ("", "")) for values in sample]
            for column in columns
        }
        return cls(
            {column: profile([v for v, _ in found]) for column, found in cells.items()},
            {column: profile([k for _, k in found]) for column, found in cells.items()},
        )

    def odd(self, column: Column, value: str, kind: str) -> bool:
        if column not in self.values:
            return True  # nobody of the sample has such an argument
        return self.values[column].odd(value) or self.kinds[column].odd(kind)


def build_cluster(
    *, user: User, key: str, before: int | None = None, odd_only: bool = False
) -> ClusterPage | None:
    """Rows older than `before`, newest first; the odd ones are looked for among the newest. None if there is no such cluster."""
    alike = ReviewItem.objects.visible_to(user).filter(cluster=key, canary="")
    counted = _counted(alike)
    if not counted:
        return None
    cluster = counted[0]
    exemplar = (
        alike.narrow()
        .select_related("task__environment", "batch")
        .defer("task__content", "task__environment__state", "task__environment__policy")
        .get(pk=cluster.exemplar)
    )
    others = alike.exclude(pk=exemplar.pk).order_by("-pk").only(*FACTS, "status")
    newest = list(others[:SAMPLED])
    older = others.filter(pk__lt=before) if before else others
    page = newest if odd_only else list(older[: PAGE_SIZE + 1])
    values = _values([exemplar, *newest, *page])
    usual = _Usual.of([values[one.pk] for one in (exemplar, *newest)])
    reference = values[exemplar.pk]

    def columns(items: Iterable[ReviewItem]) -> dict[Column, None]:
        return dict.fromkeys(column for one in items for column in values[one.pk])

    def is_odd(item: ReviewItem) -> bool:
        cells = values[item.pk]
        return any(
            usual.odd(column, *cells.get(column, ("", "")))
            for column in columns([exemplar, item])
        )

    odd = [one for one in newest if is_odd(one)]
    if odd_only:
        page = [one for one in odd if not before or one.pk < before][: PAGE_SIZE + 1]
    shown = page[:PAGE_SIZE]
    every = columns([exemplar, *shown])
    differing = [
        column
        for column in _sorted(every)
        if any(values[one.pk].get(column) != reference.get(column) for one in shown)
    ]
    line = _line(cluster, exemplar)
    tools = _written(exemplar)
    return ClusterPage(
        cluster=cluster,
        exemplar=line,
        headings=tuple(_heading(column, tools) for column in differing),
        reference=tuple(
            GridCell(*reference.get(column, ("", ""))) for column in differing
        ),
        rows=tuple(
            GridRow(one, tuple(_cells(values[one.pk], reference, differing, usual)))
            for one in shown
        ),
        constant=tuple(
            (_heading(column, tools).title, reference[column][0])
            for column in _sorted(every)
            if column not in differing
        ),
        odd=len(odd),
        sampled=len(newest) + 1,
        odd_only=odd_only,
        first=before is None,
        before=shown[-1].pk if len(page) > PAGE_SIZE else None,
    )


def _values(items: Iterable[ReviewItem]) -> dict[int, Values]:
    """Two columns of every item: two queries, whatever their number."""
    found: dict[int, Values] = {
        item.pk: {(None, name): (str(getattr(item, name)), "") for name in FACTS}
        for item in items
    }
    sources = ArgumentSource.objects.filter(item__in=list(found), side="actual")
    for pk, write, pointer, value, kind in sources.values_list(
        "item", "write", "pointer", "value", "kind"
    ):
        found[pk][write, pointer] = (value, kind)
    return found


def _cells(
    values: Values, reference: Values, columns: Iterable[Column], usual: _Usual
) -> Iterator[GridCell]:
    for column in columns:
        value, kind = values.get(column, ("", ""))
        as_there = reference.get(column, ("", ""))
        yield GridCell(
            value=value,
            kind=kind if kind != as_there[1] else "",
            same=(value, kind) == as_there,
            odd=usual.odd(column, value, kind),
        )


def _sorted(columns: Iterable[Column]) -> list[Column]:
    """What the item says, then the arguments write by write, each in its first order."""
    return sorted(columns, key=lambda column: -1 if column[0] is None else column[0])


def _heading(column: Column, tools: Sequence[str]) -> Heading:
    write, name = column
    if write is None:
        return Heading(FACTS[name])
    tool = tools[write] if write < len(tools) else ""
    group = f"{write + 1} · {tool}" if len(tools) > 1 else tool
    return Heading(argument_name(name), group)


def _written(item: ReviewItem) -> list[str]:
    """Tools of the writes that took effect, in order."""
    environment = load_environment(item.task.environment)
    return [
        "".join(name)
        for mark, _, *name in item.outline
        if mark == "c" and environment.is_write("".join(name))
    ]
