"""What a list can be narrowed by next, and how many each value would give under the other filters.

Counted is among the newest that are found, COUNTED in all passes together, so that it takes no longer with a million items or many
filters; where there are more, a count says "or more". One pass counts all facets; a facet that is narrowed takes one of its own.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import connection
from django.db.models import (
    BigIntegerField,
    BooleanField,
    Case,
    Func,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Cast

from writ_app.models.accounts import User
from writ_app.models.review import ItemQuerySet, ItemStatus, RejectReason, ReviewItem
from writ_app.models.synthesis import Batch
from writ_app.services.review.bands import BURDEN_BANDS, WRITE_BANDS, Band, band_of
from writ_app.services.review.listing.filters import (
    REJECTED_KIND,
    Filters,
    edited,
    found_by,
    looks_accepted,
)
from writ_app.services.review.listing.pages import (
    COLLECTED,
    COUNTED,
    at_most,
    found_elsewhere,
)

TITLES = {
    "status": "Review",
    "accepted": "Checks",
    "failed": "Failed check",
    "kinds": "Arguments from",
    "environment": "Environment",
    "archetype": "Archetype",
    "task_class": "Task class",
    "writes": "Writes",
    "burden": "Evidence burden",
    "plan": "Plan",
    "agent": "Agent",
    "ended_by": "Ended by",
    "version": "Version",
    "scripted": "Made by",
    "batch": "Batch",
    "reviewer": "Judged by",
    "code": "Rejected for",
    "commented": "Comments",
}
"""Facets in the order of the page."""
OPEN = ("status", "accepted", "failed", "kinds", "archetype", "writes", "burden")
"""Those that are unfolded from the start."""
UNCOUNTED = ("reviewer", "code", "commented")
ARRAYS = ("failed", "kinds")
BANDS: dict[str, tuple[Band, ...]] = {"writes": WRITE_BANDS, "burden": BURDEN_BANDS}
WORDS = {
    "accepted": {"yes": "accepted", "no": "rejected"},
    "scripted": {"yes": "scripted models", "no": "language models"},
    "version": {"simulated": "as simulated", "edited": "edited"},
    "commented": {"yes": "with comments"},
    "status": {**dict(ItemStatus.choices)},
    "code": dict(RejectReason.choices),
}
"""Values that are not their own words. These facets offer no others."""
BATCHES = 30


@dataclass(frozen=True)
class Choice:
    value: str
    words: str
    count: int | None
    """None: not counted."""
    more: bool = False
    """There may be more than were counted."""
    chosen: bool = False

    @property
    def shown(self) -> str:
        """The count, with a + where there may be more."""
        return f"{self.count:,}{'+' if self.more else ''}"


@dataclass(frozen=True)
class Facet:
    name: str
    title: str
    choices: tuple[Choice, ...]
    open: bool


def list_facets(*, user: User, filters: Filters) -> tuple[Facet, ...]:
    """Every facet that has something to choose, or in which something is chosen. Raises TooSlow."""
    counted = [name for name in TITLES if name not in UNCOUNTED]
    narrowed = [name for name in counted if filters.get(name)]
    most = COUNTED // (1 + len(narrowed))
    with at_most():
        counts, more = _counted(
            user, filters, [name for name in counted if name not in narrowed], most
        )
        cut = dict.fromkeys(counted, more)
        for name in narrowed:
            others = {key: value for key, value in filters.items() if key != name}
            own, cut[name] = _counted(user, others, [name], most)
            counts.update(own)
        names = {"batch": _batches(user), "reviewer": _reviewers(user)}
    return tuple(
        Facet(name, title, choices, open=name in OPEN or bool(filters.get(name)))
        for name, title in TITLES.items()
        if (
            choices := tuple(
                _choices(name, counts.get(name), filters, cut.get(name, False), names)
            )
        )
    )


def _choices(
    name: str,
    counts: dict[str, int] | None,
    filters: Filters,
    more: bool,
    names: dict[str, dict[str, str]],
) -> Iterator[Choice]:
    chosen = [str(value) for value in filters.get(name) or ()]
    offered = list(counts or ())
    if name in ("status", *UNCOUNTED):
        offered = [*(WORDS.get(name) or names[name])]
    words = WORDS.get(name) or names.get(name) or {}
    for value in sorted({*offered, *chosen}, key=_in_order(name, offered)):
        yield Choice(
            value,
            words.get(value) or value.replace("_", " "),
            (counts or {}).get(value, 0) if counts is not None else None,
            more and counts is not None,
            value in chosen,
        )


def _in_order(name: str, offered: Sequence[str]) -> Any:
    if name in BANDS:
        slugs = [band.slug for band in BANDS[name]]
        return slugs.index
    if name == "batch":
        return lambda value: -int(value)
    if name in WORDS:
        return lambda value: list(WORDS[name]).index(value)
    return lambda value: [  # R2 before R13
        (part.isdigit(), int(part) if part.isdigit() else 0, part)
        for part in re.findall(r"\d+|\D+", value)
    ]


_TEXTS = ArrayField(TextField())
_YES = Value("yes")
_NO = Value("no")
_VALUES = {
    "accepted": Case(When(looks_accepted(), then=_YES), default=_NO),
    "failed": Case(
        When(canary="", then=Cast("failed", _TEXTS)), default=Value([], _TEXTS)
    ),
    "kinds": Case(
        When(canary="", then=Cast("kinds", _TEXTS)),
        default=Func(
            Cast("kinds", _TEXTS), Value(REJECTED_KIND), function="array_remove"
        ),
        output_field=_TEXTS,
    ),
    "scripted": Case(When(scripted=True, then=_YES), default=_NO),
    "version": Case(When(edited(), then=Value("edited")), default=Value("simulated")),
    # as in the filter: what passes for approved and is a canary counts nowhere
    "status": Case(
        When(status=ItemStatus.APPROVED, canary="", then=Value("APPROVED")),
        When(status=ItemStatus.APPROVED, then=Value("")),
        default="status",
    ),
}


def _counted(
    user: User, filters: Filters, names: Sequence[str], most: int
) -> tuple[dict[str, dict[str, int]], bool]:
    """Facet → value → count, and whether there is more than was looked at."""
    if not names:
        return {}, False
    if found_elsewhere(filters):
        most = min(most, COLLECTED)
    found = _countable(found_by(filters, user=user), filters)
    columns = {
        f"by_{name}": _VALUES[name] if name in _VALUES else Cast(name, TextField())
        for name in names
    }
    rows = found.annotate(**columns).values_list(*columns)[: most + 1]
    inner, parameters = rows.query.sql_with_params()
    listed = ", ".join(columns)
    # Whole rows of names that stand above; values are parameters of the inner query.
    sets = ", ".join(f"({column})" for column in columns)
    query = (
        f"WITH found AS MATERIALIZED ({inner}) SELECT {listed}, count(*), grouping({listed}) "
        f"FROM found GROUP BY GROUPING SETS ({sets}, ())"
    )
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        grouped = cursor.fetchall()
    counts: dict[str, dict[str, int]] = {name: defaultdict(int) for name in names}
    total = 0
    for *values, count, mask in grouped:
        if mask == 2 ** len(names) - 1:
            total = count
            continue
        # one bit is zero: that of the column which was grouped by, the last one being the lowest
        place = len(names) - (~mask & (2 ** len(names) - 1)).bit_length()
        name = names[place]
        for value in _values_of(name, values[place]):
            counts[name][value] += count
    return counts, total > most


def _countable(found: ItemQuerySet, filters: Filters) -> ItemQuerySet:
    """The newest first; few hits of a search by their keys, which are collected before (see `_picked` in pages)."""
    if found_elsewhere(filters):
        keys = list(found.order_by().values_list("pk", flat=True)[: COLLECTED + 1])
        if len(keys) <= COLLECTED:
            return ReviewItem.objects.filter(_Among("pk", Value(keys, _KEYS)))
    return found.order_by("-pk")


_KEYS = ArrayField(BigIntegerField())


class _Among(Func):
    """Condition: a key is in a list, given as one parameter however long it is."""

    template = "%(expressions)s)"
    arg_joiner = " = ANY("
    output_field = BooleanField()


def _values_of(name: str, value: Any) -> Sequence[str]:
    if name in ARRAYS:
        return value or ()
    if name in BANDS:
        return (band_of(int(value), BANDS[name]),)
    return (value,) if value else ()


def _batches(user: User) -> dict[str, str]:
    newest = Batch.objects.filter(team__in=user.team_ids).order_by("-pk")
    names = newest.values_list("pk", "name")[:BATCHES]
    return {str(pk): f"{name} (#{pk})" for pk, name in names}


def _reviewers(user: User) -> dict[str, str]:
    people = User.objects.filter(memberships__team__in=user.team_ids, is_active=True)
    names = people.distinct().order_by("username").values_list("pk", "username")
    return {str(pk): name for pk, name in names}
