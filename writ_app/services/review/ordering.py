"""Which part of the queue a reviewer works on, and in which order."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.core.cache import cache
from django.db.models import Count, F, Q
from django.db.models.expressions import OrderBy

from writ_app.engine.grid import shares
from writ_app.models.accounts import User
from writ_app.models.review import ItemStatus, ReviewItem, SlotQuerySet
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

SORTED: Mapping[Order, tuple[OrderBy, ...]] = {
    Order.PLAIN: (F("deferred_at").asc(nulls_first=True), F("id").asc()),
    Order.NEWEST: (F("deferred_at").desc(nulls_last=True), F("id").desc()),
    Order.UNCERTAIN: (F("uncertainty").desc(), F("id").asc()),
    # Within a cell any will do, so they come as the index has them.
    Order.NEEDED: tuple(
        F(f"item__{name}").asc() for name in ("writes", "burden", "id")
    ),
}
"""Each walks an index of its own and stops at the first that is free."""


@dataclass(frozen=True)
class Choice:
    """What a reviewer wants of the queue."""

    order: Order = Order.PLAIN
    filters: Mapping[str, Any] = field(default_factory=dict)
    """As the queue's form has them: facets of an item by name, bands by their slug."""

    @property
    def condition(self) -> Q:
        """Over items."""
        plain = {
            name: value
            for name, value in self.filters.items()
            if name in ("environment", "archetype", "batch", "plan")
        }
        condition = Q(**plain)
        for name, bands in (("writes", WRITE_BANDS), ("burden", BURDEN_BANDS)):
            if slug := self.filters.get(name):
                condition &= within(name, slug, bands)
        return condition

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


def within(name: str, slug: str, bands: Iterable[Band]) -> Q:
    """The column lies in the band with that slug."""
    band = next(band for band in bands if band.slug == slug)
    least = Q(**{f"{name}__gte": band.low})
    return least if band.high is None else least & Q(**{f"{name}__lte": band.high})


def narrow(slots: SlotQuerySet, condition: Q) -> SlotQuerySet:
    """Slots of items that the condition (over ReviewItem) holds for."""
    if not condition:
        return slots
    return slots.filter(item__in=ReviewItem.objects.filter(condition))


def in_order(slots: SlotQuerySet, user: User, choice: Choice) -> Iterator[SlotQuerySet]:
    """Querysets to take the first slot from, one after the other until there is one; what was put off comes last."""
    slots = narrow(slots, choice.condition)
    if choice.order == Order.NEEDED:
        # A slot's team is its item's; said twice, for the index that gives the order begins with it.
        waiting = slots.filter(
            item__team__in=user.team_ids, item__status=ItemStatus.OPEN
        )
        for condition in cells_by_need(user, choice):
            yield waiting.filter(condition).order_by(*SORTED[Order.NEEDED])
    else:
        yield slots.filter(deferred_at=None).order_by(*SORTED[choice.order])
    yield slots.order_by(*SORTED[Order.PLAIN])


type Cell = tuple[str, str]


def cells_by_need(user: User, choice: Choice) -> tuple[Q, ...]:
    """Conditions (over slots not put off) for the cells that have something open, the emptiest first.

    How full a cell is: approved items, divided by what the batches' grids ordered there, or by the same for all if no batch was
    ordered by grid.
    """
    key = f"review-need:{user.team_ids}:{sorted(choice.filters.items())}"
    cells: list[Cell] | None = cache.get(key)
    if cells is None:
        cells = _neediest(user, choice.condition)
        cache.set(key, cells, COUNTED_FOR)
    return tuple(
        Q(deferred_at=None)
        & within("item__writes", writes, WRITE_BANDS)
        & within("item__burden", burden, BURDEN_BANDS)
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
