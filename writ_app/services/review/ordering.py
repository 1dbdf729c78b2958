"""Which part of the queue a reviewer works on, and in which order."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.db.models import Count, Q

from writ_app.adapters.caches import here
from writ_app.engine.grid import shares
from writ_app.models.accounts import User
from writ_app.models.review import ItemStatus, ReviewItem
from writ_app.models.synthesis import Batch
from writ_app.services.review.bands import BURDEN_BANDS, WRITE_BANDS, Band, band_of

COUNTED_FOR = 10
"""Seconds that counts of the whole queue are kept: it moves slowly against one verdict."""


class Order(StrEnum):
    PLAIN = "plain"
    NEWEST = "newest"
    UNCERTAIN = "uncertain"
    NEEDED = "needed"


ORDERS = {
    Order.PLAIN: "oldest first",
    Order.NEWEST: "newest first",
    Order.UNCERTAIN: "least certain first",
    Order.NEEDED: "neediest cell first",
}
"""How the orders are called on pages."""

SORTED: Mapping[Order, str] = {
    Order.PLAIN: "slot.deferred_at NULLS FIRST, slot.id",
    Order.NEWEST: "slot.deferred_at DESC NULLS LAST, slot.id DESC",
    Order.UNCERTAIN: "slot.uncertainty DESC, slot.id",
    # Within a cell any will do, so they come as the index has them.
    Order.NEEDED: "item.writes, item.burden, item.id",
}
"""As SQL. Each walks an index of its own and stops at the first that is free."""

type Bound = tuple[str, str, Any]
"""A column of an item, how it is compared (a key of COMPARED), and with what."""
COMPARED = {"exact": "=", "gte": ">=", "lte": "<="}
PLAIN = {
    "environment": "environment",
    "archetype": "archetype",
    "batch": "batch_id",
    "plan": "plan",
}
"""Filters that name one value, and their columns."""


@dataclass(frozen=True)
class Part:
    """Slots to take the first from, as SQL over `slot` and its `item`: it runs with every key press, and is dear to compile from expressions."""

    where: str
    order: str
    values: Mapping[str, Any] = field(default_factory=dict)
    """Of the parameters that `where` names."""


@dataclass(frozen=True)
class Choice:
    """What a reviewer wants of the queue."""

    order: Order = Order.PLAIN
    filters: Mapping[str, Any] = field(default_factory=dict)
    """As the queue's form has them: facets of an item by name, bands by their slug."""

    @property
    def bounds(self) -> tuple[Bound, ...]:
        """What the filters ask of an item."""
        given = self.filters.items()
        named = [(PLAIN[key], "exact", value) for key, value in given if key in PLAIN]
        for name, bands in (("writes", WRITE_BANDS), ("burden", BURDEN_BANDS)):
            if slug := self.filters.get(name):
                named += within(name, slug, bands)
        return tuple(named)

    @property
    def condition(self) -> Q:
        """The same for the ORM."""
        return Q(**{f"{column}__{how}": value for column, how, value in self.bounds})

    @property
    def words(self) -> str:
        """For the page: `newest first · airline · burden 7-9`."""
        named = (
            f"{name} {value}" if name in ("writes", "burden", "batch") else str(value)
            for name, value in self.filters.items()
        )
        return " · ".join([ORDERS[self.order], *named])

    @classmethod
    def stored(cls, kept: Mapping[str, Any]) -> "Choice":
        """From `as_stored`; the plain one for what cannot be read any more."""
        try:
            return cls(Order(kept.get("order", "")), dict(kept.get("filters", {})))
        except ValueError:
            return cls()

    @property
    def as_stored(self) -> dict[str, Any]:
        return {"order": self.order.value, "filters": dict(self.filters)}


def within(name: str, slug: str, bands: Iterable[Band]) -> list[Bound]:
    """The column lies in the band with that slug."""
    band = next(band for band in bands if band.slug == slug)
    least: list[Bound] = [(name, "gte", band.low)]
    return least if band.high is None else [*least, (name, "lte", band.high)]


def in_order(user: User, choice: Choice) -> Iterator[Part]:
    """Parts of the queue to take the first slot from, one after the other until there is one; what was put off comes last."""
    if choice.order == Order.NEEDED:
        for cell in cells_by_need(user, choice):
            # A slot's team is its item's; said for the index that gives the order, which begins with it.
            yield _part(
                [*choice.bounds, *cell],
                "slot.deferred_at IS NULL AND item.status = 'OPEN' AND item.team_id = slot.team_id",
                Order.NEEDED,
            )
    else:
        yield _part(choice.bounds, "slot.deferred_at IS NULL", choice.order)
    yield _part(choice.bounds, "true", Order.PLAIN)


def _part(bounds: Iterable[Bound], where: str, order: Order) -> Part:
    """Columns and comparisons are ours, values go in as parameters."""
    values = {}
    for n, (column, how, value) in enumerate(bounds):
        where += f" AND item.{column} {COMPARED[how]} %(bound{n})s"
        values[f"bound{n}"] = value
    return Part(where, SORTED[order], values)


type Cell = tuple[str, str]


def cells_by_need(user: User, choice: Choice) -> tuple[list[Bound], ...]:
    """The cells that have something open, the emptiest first.

    How full a cell is: approved items, divided by what the batches' grids ordered there, or by the same for all if no batch was
    ordered by grid.
    """
    key = f"review-need:{user.team_ids}:{sorted(choice.filters.items())}"
    cells: list[Cell] | None = here.get(key)
    if cells is None:
        cells = _neediest(user, choice.condition)
        here.set(key, cells, COUNTED_FOR)
    return tuple(
        within("writes", writes, WRITE_BANDS) + within("burden", burden, BURDEN_BANDS)
        for writes, burden in cells
    )


def _neediest(user: User, condition: Q) -> list[Cell]:
    items = ReviewItem.objects.visible_to(user).filter(condition).order_by()
    counted = items.values_list("writes", "burden").annotate(
        open=Count("pk", filter=Q(status=ItemStatus.OPEN)),
        approved=Count("pk", filter=Q(status=ItemStatus.APPROVED, canary="")),
    )
    waiting: set[Cell] = set()
    approved: dict[Cell, int] = {}
    for writes, burden, open_there, approved_there in counted:
        cell = band_of(writes, WRITE_BANDS), band_of(burden, BURDEN_BANDS)
        approved[cell] = approved.get(cell, 0) + approved_there
        waiting |= {cell} if open_there else set()
    wanted = _ordered(user, condition)

    def fullness(cell: Cell) -> tuple[float, Cell]:
        there = wanted.get(cell, 0) if wanted else 1
        return (approved[cell] / there if there else float("inf")), cell

    return sorted(waiting, key=fullness)


def _ordered(user: User, condition: Q) -> dict[Cell, int]:
    """Tasks that the grids ordered per cell, of batches with such items; empty without a grid."""
    batches = Batch.objects.filter(team__in=user.team_ids, grid__isnull=False)
    if condition:
        found = ReviewItem.objects.filter(condition).order_by().values("batch")
        batches = batches.filter(pk__in=found)
    total: dict[Cell, int] = {}
    for grid, ordered in batches.values_list("grid", "ordered"):
        weights = {
            (cell["writes"], cell["burden"]): float(cell["weight"])
            for cell in (grid or {}).get("cells", ())
            if cell["weight"] > 0
        }
        for cell, count in (shares(weights, ordered) if weights else {}).items():
            total[cell] = total.get(cell, 0) + count
    return total


def queue_facets(*, user: User) -> dict[str, list[tuple[Any, str]]]:
    """(value, words) there are to choose from among what is open, by name of the filter."""
    waiting = (
        ReviewItem.objects.visible_to(user).filter(status=ItemStatus.OPEN).order_by()
    )

    def values(name: str) -> list[Any]:
        return sorted(waiting.values_list(name, flat=True).distinct())

    found = {
        name: [(value, value.replace("_", " ")) for value in values(name)]
        for name in ("environment", "archetype", "plan")
    }
    for name, bands in (("writes", WRITE_BANDS), ("burden", BURDEN_BANDS)):
        there = {band_of(value, bands) for value in values(name)}
        found[name] = [(b.slug, b.slug) for b in bands if b.slug in there]
    batches = Batch.objects.filter(pk__in=values("batch")).order_by("-pk")
    found["batch"] = list(batches.values_list("pk", "name"))
    return found
