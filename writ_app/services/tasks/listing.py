"""Lists of designed tasks: narrowed by facets, paged by key, and counted over the grid of both axes."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from writ_app.models.accounts import User
from writ_app.models.catalog import Task
from writ_app.models.synthesis import Batch, Simulation
from writ_app.services.heat import HeatMap, make_heat_map
from writ_app.services.review.bands import BURDEN_BANDS, WRITE_BANDS, band_of

PAGE_SIZE = 50
BATCHES_OFFERED = 100
FLAGS = ("existential", "dependent", "proved")


@dataclass(frozen=True)
class TaskList:
    rows: tuple[Task, ...]
    heat: HeatMap
    total: int
    first: bool
    before: int | None
    """Key for the next page: tasks older than this one. None at the end."""


@dataclass(frozen=True)
class TaskFacets:
    """What there is to narrow a list by, among what the user may see: (value, words)."""

    environment: tuple[tuple[str, str], ...]
    archetype: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    """By world, because two worlds may have archetypes of one name: (world, its choices). A composed task counts with each part."""
    task_class: tuple[tuple[str, str], ...]
    batch: tuple[tuple[str, str], ...]


def visible_tasks(user: User, *, batch: int | None = None) -> QuerySet[Task]:
    """Tasks of the user's teams' batches, or of one such batch. A task belongs to every batch that simulates it."""
    mine = Simulation.objects.filter(batch__team__in=user.team_ids)
    if batch is not None:
        mine = mine.filter(batch=batch)
    return Task.objects.filter(Exists(mine.filter(task=OuterRef("pk"))))


def list_tasks(
    *, user: User, filters: Mapping[str, Any], before: int | None = None
) -> TaskList:
    """Newest first. `filters` comes from a form that allows nothing else. Two queries."""
    found = visible_tasks(user, batch=filters.get("batch")).filter(_facets(filters))
    heat = _heat_map(found, filters)
    rows = find_tasks(user=user, filters=filters, before=before, most=PAGE_SIZE + 1)
    more = len(rows) > PAGE_SIZE
    rows = rows[:PAGE_SIZE]
    return TaskList(
        rows=tuple(rows),
        heat=heat,
        total=_chosen_total(heat, filters),
        first=before is None,
        before=rows[-1].pk if more else None,
    )


def find_tasks(
    *, user: User, filters: Mapping[str, Any], before: int | None, most: int
) -> list[Task]:
    """At most so many, newest first, without their content. `filters` as in `list_tasks`. One query."""
    found = visible_tasks(user, batch=filters.get("batch"))
    cell = found.filter(_facets(filters), _cell(filters))
    return list(
        (cell.filter(pk__lt=before) if before else cell)
        .select_related("environment")
        .defer("content", "environment__state", "environment__policy")
        .order_by("-pk")[:most]
    )


def task_facets(*, user: User, batch: int | None = None) -> TaskFacets:
    """Two queries. `batch` is offered even if it is not among the newest."""
    kinds = (
        visible_tasks(user)
        .order_by("environment__name", "environment__version", "archetype", "title")
        .values_list(
            "environment__name",
            "environment__version",
            "archetype",
            "title",
            "task_class",
        )
        .distinct()
    )
    environments: dict[str, str] = {}
    archetypes: dict[str, dict[str, str]] = {}
    classes: set[str] = set()
    for name, version, slug, title, task_class in kinds:
        environments[f"{name}/{version}"] = f"{name} {version}"
        kinds_of = archetypes.setdefault(name, {})
        for part, words in _parts(slug, title):
            # A title by itself is surer than one among several, and that is better than none
            if part == slug or kinds_of.get(f"{name}/{part}", part) == part:
                kinds_of[f"{name}/{part}"] = words
        classes.add(task_class)
    return TaskFacets(
        environment=tuple(environments.items()),
        archetype=tuple(
            (name, tuple(sorted(a.items(), key=_by_number)))
            for name, a in archetypes.items()
        ),
        task_class=tuple((c, c.replace("_", " ")) for c in sorted(classes)),
        batch=tuple(_batches(user, batch)),
    )


def _parts(slug: str, title: str) -> list[tuple[str, str]]:
    """(archetype, title) of a task, or of each part of a composed one, whose titles stand in the same order."""
    slugs, titles = slug.split("+"), title.split("; ")
    return list(zip(slugs, titles if len(titles) == len(slugs) else slugs, strict=True))


def _by_number(choice: tuple[str, str]) -> list[tuple[bool, int, str]]:
    """R2 before R13."""
    return [
        (part.isdigit(), int(part) if part.isdigit() else 0, part)
        for part in re.findall(r"\d+|\D+", choice[0])
    ]


def _batches(user: User, wanted: int | None) -> Iterator[tuple[str, str]]:
    mine = Batch.objects.visible_to(user).order_by("-pk")
    offered = list(mine.values_list("pk", "name")[:BATCHES_OFFERED])
    if wanted is not None and wanted not in dict(offered):
        offered += mine.filter(pk=wanted).values_list("pk", "name")
    for pk, name in offered:
        yield str(pk), f"{name} (#{pk})"


def _facets(filters: Mapping[str, Any]) -> Q:
    """Everything but the two bands."""
    condition = Q()
    if filters.get("environment"):
        name, _, version = filters["environment"].partition("/")
        condition &= Q(environment__name=name, environment__version=version)
    if filters.get("archetype"):
        name, _, slug = filters["archetype"].partition("/")
        part = rf"(^|\+){re.escape(slug)}(\+|$)"
        condition &= Q(environment__name=name)
        condition &= Q(archetype=slug) | Q(archetype__regex=part)
    if filters.get("task_class"):
        condition &= Q(task_class=filters["task_class"])
    for name in FLAGS:
        if filters.get(name):
            condition &= Q(**{name: filters[name] == "yes"})
    return condition


def _cell(filters: Mapping[str, Any]) -> Q:
    condition = Q()
    for axis, bands in (("writes", WRITE_BANDS), ("burden", BURDEN_BANDS)):
        if not filters.get(axis):
            continue
        band = next(band for band in bands if band.slug == filters[axis])
        condition &= Q(**{f"{axis}__gte": band.low})
        if band.high is not None:
            condition &= Q(**{f"{axis}__lte": band.high})
    return condition


def _heat_map(found: QuerySet[Task], filters: Mapping[str, Any]) -> HeatMap:
    """One grouped query, over the few pairs of numbers that there are."""
    pairs = found.order_by().values_list("writes", "burden").annotate(Count("id"))
    counts: dict[tuple[str, str], int] = {}
    for writes, burden, count in pairs:
        at = band_of(writes, WRITE_BANDS), band_of(burden, BURDEN_BANDS)
        counts[at] = counts.get(at, 0) + count
    return make_heat_map(
        counts, chosen=(filters.get("writes", ""), filters.get("burden", ""))
    )


def _chosen_total(heat: HeatMap, filters: Mapping[str, Any]) -> int:
    writes, burden = filters.get("writes", ""), filters.get("burden", "")
    return sum(
        cell.count
        for row in heat.rows
        for cell in row.cells
        if cell.writes == (writes or cell.writes)
        and cell.burden == (burden or cell.burden)
    )
