"""A release or draft in figures: for its page, the command, and whoever reads JSON."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Max, Sum

from writ_app.engine.types import BURDEN_BANDS, WRITE_BANDS, burden_band, write_band
from writ_app.models.release import Release
from writ_app.services.release.first import is_first
from writ_app.services.release.judge import REASONS
from writ_app.services.release.recipe import SPLITS

type Place = tuple[str, str]
EXAMPLES = 3


@dataclass(frozen=True)
class Share:
    """One split. `wanted`: its share by the recipe; None in a release of before there were splits."""

    name: str
    rows: int
    wanted: float | None
    bytes: int
    """Of its rows in the canonical form, as far as it was counted."""
    tokens: int | None
    cells: Mapping[Place, int]


@dataclass(frozen=True)
class LeftOut:
    """Items with one reason, some as examples."""

    reason: str
    words: str
    count: int
    examples: tuple[tuple[int, str], ...]
    """(item, detail)"""


@dataclass(frozen=True)
class Overview:
    """What a release holds, by cell and split, and what its recipe left out."""

    members: Mapping[Place, int]
    found: Mapping[Place, int]
    """Members and what was left out."""
    shares: tuple[Share, ...]
    left_out: tuple[LeftOut, ...]
    tokens: int | None
    longest: int | None
    notes: tuple[str, ...]
    groups: int
    largest_group: int

    @property
    def total(self) -> int:
        return sum(self.members.values())

    @property
    def total_found(self) -> int:
        return sum(self.found.values())

    @property
    def total_bytes(self) -> int:
        return sum(share.bytes for share in self.shares)


def overview(release: Release) -> Overview:
    """In five queries, whatever the size."""
    by_split: dict[str, Counter[Place]] = defaultdict(Counter)
    members: Counter[Place] = Counter()
    axes = ("split", "item__writes", "item__burden")
    rows = release.members.order_by().values_list(*axes).annotate(Count("pk"))
    for split, writes, burden, count in rows:
        place = (write_band(writes), burden_band(burden))
        by_split[split][place] += count
        members[place] += count
    found = Counter(members)
    refused = release.refusals.order_by().values_list("item__writes", "item__burden")
    for writes, burden, count in refused.annotate(Count("pk")):
        found[write_band(writes), burden_band(burden)] += count
    tokens = release.members.aggregate(sum=Sum("tokens"), most=Max("tokens"))
    facts = _facts(release)
    return Overview(
        members=members,
        found=found,
        shares=tuple(_shares(release, by_split, facts)),
        left_out=tuple(_left_out(release)),
        tokens=tokens["sum"],
        longest=tokens["most"],
        notes=tuple(facts.get("notes", ())),
        groups=facts.get("groups", 0),
        largest_group=facts.get("largest_group", 0),
    )


def _facts(release: Release) -> Mapping[str, Any]:
    """Of the splits: by the draft's summary, or the manifest."""
    if release.frozen_at is None:
        return dict(release.manifest.get("draft", {}))
    return dict(release.manifest.get("splits", {}))


def _shares(
    release: Release, cells: Mapping[str, Counter[Place]], facts: Mapping[str, Any]
) -> Iterator[Share]:
    wanted = release.recipe.get("shares", {})
    sums = release.members.order_by().values_list("split").annotate(Sum("tokens"))
    tokens = dict(sums)
    names = [name for name in SPLITS if name in cells or name in wanted]
    for name in [*names, *sorted(cells.keys() - set(names))]:
        yield Share(
            name=name,
            rows=sum(cells.get(name, Counter()).values()),
            wanted=wanted.get(name),
            bytes=facts.get("bytes", {}).get(name, 0),
            tokens=tokens.get(name),
            cells=cells.get(name, Counter()),
        )


def _left_out(release: Release) -> Iterator[LeftOut]:
    refusals = release.refusals.order_by()
    counts = refusals.values_list("reason").annotate(Count("pk"))
    for reason, count in sorted(counts, key=lambda pair: (-pair[1], pair[0])):
        some = refusals.filter(reason=reason).order_by("item_id")[:EXAMPLES]
        yield LeftOut(
            reason=reason,
            words=reason_words(reason),
            count=count,
            examples=tuple(some.values_list("item_id", "detail")),
        )


def reason_words(reason: str) -> str:
    """A reason for people: formats name their own pitfalls."""
    return REASONS.get(reason) or reason.replace("_", " ")


# --- for the command and for JSON ----------------------------------------------------------------------------------------------


def stage_of(release: Release) -> str:
    return "frozen" if release.frozen_at else f"draft, {release.get_stage_display()}"


def describe(release: Release, *, brief: bool = False) -> dict[str, Any]:
    """Plain JSON: what a release is, or what a draft would be."""
    told: dict[str, Any] = {
        "release": f"{release.name}-v{release.number}",
        "team": release.team.name,
        "stage": stage_of(release),
        "frozen_at": release.frozen_at.isoformat() if release.frozen_at else None,
        "content_hash": release.content_hash,
        "licence": release.licence,
        "trajectories": release.members.count(),
    }
    if brief:
        return told
    seen = overview(release)
    return told | {
        "description": release.description,
        "recipe": release.recipe,
        "manifest_version": 1 if is_first(release) else 2,
        "found": seen.total_found,
        "cells": [
            {
                "writes": writes,
                "burden": burden,
                "found": seen.found.get((writes, burden), 0),
                "members": seen.members.get((writes, burden), 0),
            }
            for writes in WRITE_BANDS
            for burden in BURDEN_BANDS
            if seen.found.get((writes, burden))
        ],
        "splits": {share.name: share.rows for share in seen.shares},
        "tokens": seen.tokens,
        "longest": seen.longest,
        "notes": list(seen.notes),
        "left_out": {
            one.reason: {
                "count": one.count,
                "examples": [list(e) for e in one.examples],
            }
            for one in seen.left_out
        },
    }


def describe_lines(told: Mapping[str, Any]) -> Iterator[str]:
    """The same for people."""
    yield f"{told['release']} ({told['stage']}): {told['trajectories']:,} of {told['found']:,} found."
    if told["content_hash"]:
        yield f"  hash {told['content_hash']}"
    yield f"  licence {told['licence'] or 'none named'}"
    for name, rows in told["splits"].items():
        yield f"  split {name or 'none'}: {rows:,}"
    for note in told["notes"]:
        yield f"  {note}"
    for cell in told["cells"]:
        yield f"  writes {cell['writes']}, burden {cell['burden']}: {cell['members']:,} of {cell['found']:,}"
    if told["tokens"] is not None:
        yield f"  {told['tokens']:,} tokens, the longest {told['longest']:,}"
    for reason, one in told["left_out"].items():
        items = ", ".join(str(item) for item, _ in one["examples"])
        yield f"  left out, {reason_words(reason)}: {one['count']:,} (such as {items})"
