"""What lists may be narrowed by: names on an allow-list, each with the condition it stands for.

Filters are a mapping of these names to text, or to a list of texts of which one has to hold. They come from a form; nothing of a
client's gets near the name of a column or of a look-up.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db.models import (
    BooleanField,
    Exists,
    Func,
    OuterRef,
    Q,
    TextField,
    Value,
)
from django.db.models.lookups import Exact

from writ_app.models.accounts import User
from writ_app.models.curation import Comment
from writ_app.models.review import (
    SKELETON_SHAPE,
    TOOLS_CALLED,
    ArgumentSource,
    ItemQuerySet,
    ItemStatus,
    ReviewEvent,
    ReviewItem,
    Verdict,
)
from writ_app.services.review.bands import BURDEN_BANDS, WRITE_BANDS, Band
from writ_app.services.review.listing.text import search_condition

type Filters = Mapping[str, Any]

COLUMNS = (
    "reason",
    "environment",
    "archetype",
    "task_class",
    "plan",
    "agent",
    "ended_by",
    "batch",
)
"""Columns of the item that have to hold one of the values."""
BANDS = {"writes": WRITE_BANDS, "burden": BURDEN_BANDS}
ARRAYS = ("failed", "kinds")
"""Columns of the item with several values, of which one has to be named."""
FLAGS = ("accepted", "scripted")
VERDICT = ("accepted", "reason", "failed")
"""What the checks said."""
MANY = (
    "status",
    *FLAGS,
    *ARRAYS,
    *BANDS,
    *COLUMNS,
    "version",
    "commented",
    "code",
    "reviewer",
)
"""Filters that may name several values, of which one has to hold."""
ONE = ("q", "argument", "argument_kind", "tool", "shape", "cluster")
NAMES = (*MANY, *ONE)
ELSEWHERE = (*ONE, "commented", "code", "reviewer")
"""Filters that the index behind the orders does not hold."""


def found_by(filters: Filters, *, user: User) -> ItemQuerySet:
    """Items that the user may see and that meet every filter, in no order."""
    return ReviewItem.objects.visible_to(user).filter(condition(filters, user=user))


def condition(filters: Filters, *, user: User) -> Q:
    met = Q()
    for name, value in filters.items():
        values = value if isinstance(value, list | tuple) else [value]
        values = [one for one in values if one not in ("", None)]
        if name in NAMES and values:
            met &= _one(name, values, filters, user)
    return met


def _one(name: str, values: list[Any], filters: Filters, user: User) -> Q:
    if name in VERDICT:
        return _said_by_checks(name, values)
    if name in COLUMNS:
        return Q(**{f"{name}__in": values})
    if name == "kinds":
        return _kinds(values)
    if name in FLAGS:
        return Q(**{f"{name}__in": [value == "yes" for value in values]})
    if name in BANDS:
        return _bands(name, values)
    if name == "status":
        return _status(values)
    if name == "q":
        return search_condition(values[0])
    if name == "cluster":
        return Q(cluster=values[0], canary="")  # as on the cluster's own page
    if name == "version":
        both = len({*values}) > 1
        return Q() if both else edited() if values[0] == "edited" else ~edited()
    if name == "commented":
        said = Comment.objects.filter(item=OuterRef("pk"), withdrawn_at=None)
        return Q(Exists(said))
    if name in ("code", "reviewer"):
        return _judged(name, values, filters, user)
    if name in ("argument", "argument_kind"):
        return _argument(name, values[0], filters)
    if name == "tool":
        return _called(values[0])
    return Q(Exact(SKELETON_SHAPE, Value(values[0])))


def _said_by_checks(name: str, values: list[Any]) -> Q:
    """What the machine said of the whole. A planted error passes for its original, which was accepted."""
    if name == "failed":
        return Q(failed__overlap=values, canary="")
    if name == "reason":
        return Q(reason__in=values, canary="")
    if len({*values}) > 1:
        return Q()
    return looks_accepted() if values[0] == "yes" else _LOOKS_REJECTED


REJECTED_KIND = "not_found"
"""Kind of provenance that the checks reject, so that among what is accepted it would name planted errors."""


def _kinds(values: list[Any]) -> Q:
    met = Q(kinds__overlap=[one for one in values if one != REJECTED_KIND])
    if REJECTED_KIND in values:
        met |= Q(kinds__overlap=[REJECTED_KIND], canary="")
    return met


_LOOKS_REJECTED = Q(accepted=False, canary="")


def looks_accepted() -> Q:
    """As `ReviewItem.looks_accepted`."""
    return ~_LOOKS_REJECTED


def _status(values: list[str]) -> Q:
    """Approved canaries are no approvals: nobody counts them, takes them out, or has them re-queued with the rest."""
    met = Q(status__in=[one for one in values if one != ItemStatus.APPROVED])
    if ItemStatus.APPROVED in values:
        met |= Q(status=ItemStatus.APPROVED, canary="")
    return met


def edited() -> Q:
    """By a person. Canaries pass for simulated, which is what they are for."""
    return Q(number__gt=1, canary="")


def _bands(name: str, slugs: list[str]) -> Q:
    met = Q(pk__in=[])
    for band in BANDS[name]:
        if band.slug in slugs:
            met |= _band(name, band)
    return met


def _band(name: str, band: Band) -> Q:
    met = Q(**{f"{name}__gte": band.low})
    return met if band.high is None else met & Q(**{f"{name}__lte": band.high})


def _judged(name: str, values: list[Any], filters: Filters, user: User) -> Q:
    """By a standing verdict. While an item waits for a second opinion, nobody finds it by the first but who gave it."""
    if name == "code" and filters.get("reviewer"):
        return Q()  # asked together, so that it is one and the same verdict
    events = ReviewEvent.objects.filter(
        slot__item=OuterRef("pk"), withdrawn_by=None
    ).exclude(verdict__in=[Verdict.DEFER, Verdict.WITHDRAW])
    if name == "reviewer":
        events = events.filter(reviewer__in=values)
    codes = values if name == "code" else filters.get("code")
    if codes:
        events = events.filter(reason__in=codes)
    settled = ~Q(status=ItemStatus.OPEN)
    return (Q(Exists(events)) & settled) | Q(Exists(events.filter(reviewer=user)))


def _argument(name: str, value: str, filters: Filters) -> Q:
    """An argument that was written: by its name, its kind of provenance, or both of one and the same."""
    if name == "argument_kind" and filters.get("argument"):
        return Q()
    sources = ArgumentSource.objects.filter(item=OuterRef("pk"), side="actual")
    kind = value if name == "argument_kind" else filters.get("argument_kind")
    if kind:
        sources = sources.filter(kind=kind)
    if name == "argument":
        place = "/" + value.lstrip("/")
        sources = sources.filter(Q(pointer=place) | Q(pointer__startswith=f"{place}/"))
    found = Q(Exists(sources))
    return found & Q(canary="") if kind == REJECTED_KIND else found


class _Contains(Func):
    arg_joiner = " @> "
    template = "%(expressions)s"
    output_field = BooleanField()


def _called(tool: str) -> Q:
    wanted = Value([tool], output_field=ArrayField(TextField()))
    return Q(_Contains(TOOLS_CALLED, wanted))


def shape_of(skeleton: str) -> str:
    """What SKELETON_SHAPE makes of a skeleton."""
    return hashlib.md5(skeleton.encode(), usedforsecurity=False).hexdigest()[:12]


def argument_name(pointer: str) -> str:
    """An argument as filters name it, without places in lists: `/item_ids/0` is item_ids."""
    named = [part for part in pointer.split("/")[1:] if not re.fullmatch(r"\d+", part)]
    return "/".join(named)
