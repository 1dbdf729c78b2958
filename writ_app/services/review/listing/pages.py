"""Pages of a list: in a total order, by key in both directions, the same speed at any depth."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import OperationalError, connection, transaction
from django.db.models import BooleanField, F, Func, Value
from psycopg.errors import QueryCanceled

from writ_app.engine.errors import WritError
from writ_app.models.accounts import User
from writ_app.models.catalog import Environment, Task
from writ_app.models.prepared import Joined, prepared
from writ_app.models.review import ItemQuerySet, ItemStatus, ReviewItem
from writ_app.services.catalog import load_environment
from writ_app.services.review.listing.filters import ELSEWHERE, Filters, found_by
from writ_app.services.review.listing.text import Piece, excerpt
from writ_app.services.review.steps import Ribbon, outlined_ribbon

PAGE_SIZE = 40
COUNTED = 10_000
"""More than so many are not counted: "10,000+"."""
COLLECTED = 2_500
"""The same where each has to be looked up (see `_picked`), or where an index is walked past what only one of two filters finds.

About √(40 × 100,000): below, walking to a page would take longer; above, collecting.
"""
SECONDS = 4
"""After that a search is given up."""


class TooSlow(WritError):
    """What was asked for takes too long to find."""


@contextmanager
def at_most(seconds: float = SECONDS) -> Iterator[None]:
    """Queries in here end after so long; raises TooSlow then."""
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT set_config('statement_timeout', %s, true)",
                    [str(round(seconds * 1000))],
                )
            yield
    except OperationalError as error:
        if not isinstance(error.__cause__, QueryCanceled):
            raise
        raise TooSlow(
            f"That was not found within {seconds:g} seconds. Add a word, or a filter that narrows it."
        ) from error


@dataclass(frozen=True)
class Order:
    """A total order: by one column, then by the key, both the same way."""

    name: str
    words: str
    column: str
    descending: bool
    read: Callable[[str], Any]

    def page(self, found: ItemQuerySet, *, key: str, back: bool) -> ItemQuerySet:
        """From a key on, in this order, or away from it in the other."""
        down = self.descending != back
        names = [self.column] if self.column == "pk" else [self.column, "pk"]
        if key:
            places = self._places(key)
            here = Func(*map(F, names), template="(%(expressions)s)")
            there = Func(*map(Value, places), template="(%(expressions)s)")
            found = found.filter(
                Func(
                    here,
                    there,
                    arg_joiner=" < " if down else " > ",
                    template="%(expressions)s",
                    output_field=BooleanField(),
                )
            )
        return found.order_by(*(f"-{name}" if down else name for name in names))

    def picked(
        self, pairs: list[tuple[Any, int]], *, key: str, back: bool, size: int
    ) -> list[int]:
        """The same among (value of the column, key) of all that was found."""
        down = self.descending != back
        if key:
            places = self._places(key)
            at = (places[0], places[-1])
            pairs = [pair for pair in pairs if (pair < at if down else pair > at)]
        pairs.sort(reverse=down)
        return [pk for _, pk in pairs[: size + 1]]

    def key_of(self, item: ReviewItem) -> str:
        if self.column == "pk":
            return str(item.pk)
        return f"{getattr(item, self.column)}_{item.pk}"

    def _places(self, key: str) -> list[Any]:
        if self.column == "pk":
            return [int(key)]
        value, _, pk = key.rpartition("_")
        return [self.read(value), int(pk)]

    def reads(self, key: str) -> bool:
        """Whether a key from an address is one of this order."""
        try:
            places = self._places(key)
        except ValueError:
            return False
        return all(math.isfinite(place) and abs(place) < 2**62 for place in places)


ORDERS = {
    order.name: order
    for order in (
        Order("newest", "newest first", "pk", True, int),
        Order("oldest", "oldest first", "pk", False, int),
        Order("uncertain", "least certain first", "uncertainty", True, float),
        Order("burden", "highest burden first", "burden", True, int),
    )
}
NEWEST = ORDERS["newest"]


@dataclass(frozen=True)
class ListedItem:
    row: ReviewItem
    ribbon: Ribbon
    excerpt: tuple[Piece, ...]
    """Where a search found its words."""
    held_by: str
    """Who looks at it now; "" for nobody."""
    commented: bool

    @property
    def status(self) -> str:
        """In words. `get_status_display` makes a dictionary of all of them for every row."""
        return str(ItemStatus(self.row.status).label)

    @property
    def edited(self) -> bool:
        return self.row.number > 1 and not self.row.canary


@dataclass(frozen=True)
class ItemList:
    rows: tuple[ListedItem, ...]
    total: int
    """One more than `most` if there are more than are counted."""
    most: int
    before: str
    """Key for the page before this one; "" at the beginning."""
    after: str
    """Key for the page after this one; "" at the end."""

    @property
    def counted(self) -> str:
        return f"{self.most:,}+" if self.total > self.most else f"{self.total:,}"


def list_items(
    *,
    user: User,
    filters: Filters,
    at: datetime,
    order: Order = NEWEST,
    after: str = "",
    before: str = "",
    size: int | None = None,
) -> ItemList:
    """One page of at most `size`, or PAGE_SIZE. `filters` come from a form that allows nothing else. Raises TooSlow."""
    found = found_by(filters, user=user)
    back, key = bool(before), before or after
    size = size or PAGE_SIZE
    text = filters.get("q") or ""
    with at_most():
        total, picked = _picked(found, filters, order, key=key, back=back, size=size)
        more, picked = len(picked) > size, picked[:size]
        if back:
            picked.reverse()
        page = _shown(picked, words=bool(text))
        beside = _beside(picked, at)
    listed = tuple(
        ListedItem(
            row,
            outlined_ribbon(row.outline, load_environment(row.task.environment)),
            excerpt(text, row.words) if text else (),
            *beside[row.pk],
        )
        for row in page
    )
    earlier = more if back else bool(after)
    later = bool(page) if back else more
    return ItemList(
        rows=listed,
        total=total,
        most=_most_counted(filters),
        before=order.key_of(page[0]) if page and earlier else "",
        after=order.key_of(page[-1]) if page and later else "",
    )


def count_up_to(found: ItemQuerySet, most: int) -> int:
    """How many, at most one more than `most`: a count that stops there."""
    return found.order_by()[: most + 1].count()


def _most_counted(filters: Filters) -> int:
    several = sum(bool(chosen) for chosen in filters.values()) > 1
    return COLLECTED if several or found_elsewhere(filters) else COUNTED


def found_elsewhere(filters: Filters) -> bool:
    """Whether rows have to be looked up because the index behind the orders does not hold what is asked for."""
    return any(filters.get(name) for name in ELSEWHERE)


def _picked(
    found: ItemQuerySet,
    filters: Filters,
    order: Order,
    *,
    key: str,
    back: bool,
    size: int,
) -> tuple[int, list[int]]:
    """How many are found, up to one more than are counted, and keys of the page with one more if there is more.

    Few hits of a search are collected and put in order here: walking the index until they turn up would take the longer, the
    fewer there are, and Postgres cannot know how few. All else is asked for without what rows show: Postgres takes a place deep
    in an order of few values for one near its end, and would join everything before it looks at the order.
    """
    page = order.page(found, key=key, back=back).values_list("pk", flat=True)
    if not found_elsewhere(filters):
        total = count_up_to(found, _most_counted(filters))
        return total, list(page[: size + 1])
    pairs = list(found.order_by().values_list(order.column, "pk")[: COLLECTED + 1])
    if len(pairs) > COLLECTED:
        return len(pairs), list(page[: size + 1])
    return len(pairs), order.picked(pairs, key=key, back=back, size=size)


# Written out, because expressions over these took longer to compile than the rows to read.
_WANTED = "FROM unnest(%(keys)s::bigint[]) WITH ORDINALITY AS wanted (id, place)"
_COLUMNS = (
    "trajectory_id number canary environment archetype plan agent writes burden scripted accepted reason failed kinds "
    "uncertainty outline status task_id"
)
_ROWS, _ROWS_WITH_WORDS = (
    Joined(
        f"""
        {_WANTED}
        JOIN writ_app_reviewitem AS item ON item.id = wanted.id
        JOIN writ_app_task AS task ON task.id = item.task_id
        JOIN writ_app_environment AS world ON world.id = task.environment_id
        ORDER BY wanted.place
        """,
        {
            "item": (ReviewItem, columns),
            "task": (Task, "text environment_id"),
            "world": (Environment, "name content_hash"),
        },
    )
    for columns in (_COLUMNS, f"{_COLUMNS} words")
)
_BESIDE = f"""
SELECT wanted.id, coalesce((
  SELECT person.username FROM writ_app_reviewslot AS slot JOIN writ_app_user AS person ON person.id = slot.leased_by_id
  WHERE slot.item_id = wanted.id AND slot.status = 'OPEN' AND slot.shown_at IS NOT NULL AND slot.leased_until > %(at)s
  ORDER BY slot.number LIMIT 1), ''), EXISTS (
  SELECT FROM writ_app_comment AS said WHERE said.item_id = wanted.id AND said.withdrawn_at IS NULL)
{_WANTED}
"""


def _shown(keys: list[int], *, words: bool) -> list[ReviewItem]:
    """What rows show, in the order of the keys."""
    found = []
    for row, task, world in (_ROWS_WITH_WORDS if words else _ROWS).rows({"keys": keys}):
        task.environment, row.task = world, task
        found.append(row)
    return found


def _beside(keys: list[int], at: datetime) -> dict[int, tuple[str, bool]]:
    """Who has each on screen (what is leased ahead is nobody's yet), and whether anything is said of it."""
    with prepared() as cursor:
        cursor.execute(_BESIDE, {"keys": keys, "at": at})
        return {key: (holder, said) for key, holder, said in cursor.fetchall()}
