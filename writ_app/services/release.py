"""Releases: drafted, filled and frozen in one go; every file of one can be made again, byte for byte."""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Count, Max

from environments.core import environment as core
from writ_app.engine.errors import WritError
from writ_app.engine.export import (
    FORMATS,
    TRL_FEATURES,
    ExportSource,
    UnfitRow,
    export_source,
    to_line,
    to_pair,
)
from writ_app.engine.types import Message, Task, Trajectory
from writ_app.models.accounts import Team, User
from writ_app.models.catalog import Environment
from writ_app.models.release import Release, ReleaseMember
from writ_app.models.review import ReviewEvent, ReviewItem, Verdict
from writ_app.models.synthesis import TrajectoryQuerySet
from writ_app.services.catalog import load_environment
from writ_app.services.review.bands import BURDEN_BANDS, WRITE_BANDS, band_of
from writ_app.services.review.lineage import changes_made, history_of
from writ_app.services.review.quality.sampling import plans_behind
from writ_app.services.review.steps import in_order

MANIFEST_VERSION = 1
AT_ONCE = 100
"""Rows held in memory at a time."""


class CannotRelease(WritError):
    """Nothing is approved, or something approved does not make a row."""


class ReleaseDamaged(WritError):
    """A row made now is not the row that was frozen."""


def draft_release(*, team: Team, name: str, by: User) -> Release:
    """A numbered, empty release: v1 of a new name, the next one of a known name."""
    # Two drafts at once would ask for the same number, so they take turns.
    Team.objects.select_for_update().get(pk=team.pk)
    last = Release.objects.filter(team=team, name=name).aggregate(last=Max("number"))
    return Release.objects.create(
        team=team, name=name, number=(last["last"] or 0) + 1, created_by=by
    )


@transaction.atomic
def freeze_release(
    *, team: Team, name: str, by: User, at: datetime, excluded: Collection[int] = ()
) -> Release:
    """Freeze all approved trajectories of the team but the `excluded` and those that the verification rejects by now.

    Raises CannotRelease.
    """
    release = draft_release(team=team, name=name, by=by)
    if not _add_members(release, excluded):
        raise CannotRelease(
            "There are no approved trajectories to release. Review some first."
        )
    release.manifest = _manifest(release, by=by, at=at)
    release.content_hash = _hash(canonical(release.manifest))
    release.frozen_at = at
    release.save(update_fields=["manifest", "content_hash", "frozen_at"])
    return release


def _add_members(release: Release, excluded: Collection[int]) -> int:
    """Approved trajectories in the order in which they were made. The locks hold back whoever undoes or judges anew now."""
    approved = (
        ReviewItem.objects.releasable()
        .filter(team=release.team)
        .exclude(pk__in=excluded)
        .order_by("pk")
        .select_for_update(no_key=True)
    )
    members = [
        ReleaseMember(release=release, item_id=pk, position=position)
        for position, pk in enumerate(approved.values_list("pk", flat=True))
    ]
    return len(ReleaseMember.objects.bulk_create(members, batch_size=1000))


def released_but_rejected(
    trajectories: TrajectoryQuerySet,
) -> list[tuple[Release, int]]:
    """Releases that hold some of these though the verification rejects them by now, with how many. They stay as they are."""
    members = ReleaseMember.objects.filter(
        item__trajectory__in=trajectories, item__accepted=False
    )
    counts = dict(members.values_list("release").annotate(Count("id")))
    releases = Release.objects.frozen().filter(pk__in=counts)
    return [(release, counts[release.pk]) for release in releases]


# --- rows ----------------------------------------------------------------------------------------------------------------------


def members_of(release: Release) -> Iterator[ReviewItem]:
    """The items of a release in its order, each with its task, few at a time."""
    members = (
        release.members.select_related("item__trajectory", "item__task__environment")
        .defer("item__task__environment__state", "item__words", "item__search")
        .order_by("position")
    )
    for member in members.iterator(chunk_size=AT_ONCE):
        yield member.item


def _source(row: ReviewItem) -> ExportSource:
    environment = load_environment(row.task.environment)
    trajectory = Trajectory.model_validate(row.stored_content)
    messages = tuple(_ordered(message, environment) for message in trajectory.messages)
    return export_source(
        environment,
        Task.model_validate(row.task.content),
        trajectory.model_copy(update={"messages": messages}),
    )


def _ordered(message: Message, environment: core.Environment) -> Message:
    """Calls with their arguments in the order of the signature, as an agent writes them."""
    calls = tuple(
        made.model_copy(
            update={"arguments": in_order(environment, made.name, made.arguments)}
        )
        for made in message.tool_calls
    )
    return message.model_copy(update={"tool_calls": calls})


def _line(row: ReviewItem, source: ExportSource, format: str) -> str:
    """One line of a file, with its line feed. Raises CannotRelease for a row that a trainer would read wrongly."""
    try:
        return to_line(FORMATS[format].to_row(source)) + "\n"
    except UnfitRow as error:
        raise CannotRelease(
            f"Trajectory {row.pk} cannot be written as {FORMATS[format].title}: {error}"
        ) from error


EDITS = "edits"
"""Slug of the file that tells what people changed. Only a release with edited versions has it."""


def _edit_line(row: ReviewItem, source: ExportSource) -> str:
    """One line of that file: the pair of both conversations (the original is the rejected one), who changed what, and why."""
    edits = [
        {
            "item": version.pk,
            "by": version.edited_by.get_username() if version.edited_by else "",
            "reason": version.edit_reason,
            "distance": sum(line.distance for line in changes_made(version, parent)),
            "changes": version.changes,
        }
        for version, parent in history_of(row)
    ]
    original = [parent for _, parent in history_of(row)][-1]
    told = {
        "item": row.pk,
        "reason": row.edit_reason,
        "original": {"item": original.pk, "failed": original.failed},
        "edits": edits[::-1],
    }
    return to_line({**told, **to_pair(source, _source(original))}) + "\n"


def _lines(release: Release, format: str) -> Iterator[tuple[ReviewItem, str]]:
    for row in members_of(release):
        if format != EDITS:
            yield row, _line(row, _source(row), format)
        elif row.parent_id is not None:
            yield row, _edit_line(row, _source(row))


def write_release(release: Release, format: str) -> Iterator[str]:
    """The lines of one file. Raises ReleaseDamaged at the first that is not what was frozen, before it is sent."""
    frozen = release.manifest["files"][format]["rows"]
    for (row, line), expected in zip(_lines(release, format), frozen, strict=True):
        if _hash(line) != expected:
            raise ReleaseDamaged(
                f"{release}: trajectory {row.pk} no longer gives the row that was frozen."
            )
        yield line


# --- manifest ------------------------------------------------------------------------------------------------------------------


def _manifest(release: Release, *, by: User, at: datetime) -> dict[str, Any]:
    names = {slug: export.file_name for slug, export in FORMATS.items()}
    names[EDITS] = "edits.jsonl"
    hashes: dict[str, list[str]] = {slug: [] for slug in names}
    whole = {slug: hashlib.sha256() for slug in names}
    counts: dict[str, Counter[str]] = {name: Counter() for name in COUNTED}
    environments: dict[int, Environment] = {}
    members = []
    for row in members_of(release):
        source = _source(row)
        lines = {slug: _line(row, source, slug) for slug in FORMATS}
        if row.parent_id is not None:
            lines[EDITS] = _edit_line(row, source)
        for slug, line in lines.items():
            hashes[slug].append(_hash(line))
            whole[slug].update(line.encode())
        _count(counts, row, source)
        task = row.task
        environments[task.environment_id] = task.environment
        members.append([row.pk, source.trajectory.content_hash, task.content_hash])
    return {
        "manifest_version": MANIFEST_VERSION,
        "release": {"name": release.name, "number": release.number},
        "frozen_at": at.isoformat(),
        "frozen_by": by.get_username(),
        "trajectories": len(members),
        "scripted": counts["maker"]["scripted"],
        "environments": [_environment(environments[pk]) for pk in sorted(environments)],
        "counts": {
            name: dict(sorted(counter.items())) for name, counter in counts.items()
        },
        "verdicts": _verdicts(release),
        "sampling": plans_behind(
            ReviewItem.objects.filter(memberships__release=release)
        ),
        "files": {
            slug: {
                "file": name,
                "sha256": whole[slug].hexdigest(),
                "rows": hashes[slug],
            }
            for slug, name in names.items()
            if hashes[slug] or slug in FORMATS
        },
        "members": members,
    }


COUNTED = (
    "writes",
    "burden",
    "grid",
    "archetype",
    "class",
    "plan",
    "agent",
    "user",
    "prompt_version",
    "maker",
)


def _count(
    counts: dict[str, Counter[str]], row: ReviewItem, source: ExportSource
) -> None:
    task, trajectory = source.task, source.trajectory
    writes = band_of(task.writes, WRITE_BANDS)
    burden = band_of(task.burden.total, BURDEN_BANDS)
    counts["writes"][writes] += 1
    counts["burden"][burden] += 1
    counts["grid"][grid_key(writes, burden)] += 1
    counts["archetype"][f"{task.archetype} {task.title}"] += 1
    counts["class"][task.task_class.value] += 1
    counts["plan"][trajectory.plan] += 1
    counts["agent"][trajectory.agent] += 1
    counts["user"][trajectory.user] += 1
    counts["prompt_version"][trajectory.prompt_version] += 1
    counts["maker"]["scripted" if row.scripted else "model"] += 1


def grid_key(writes: str, burden: str) -> str:
    """Name of one cell of the two axes."""
    return f"writes {writes}, burden {burden}"


@dataclass(frozen=True)
class Grid:
    """How many trajectories each cell of the two axes holds: one row per band of writes."""

    burdens: tuple[str, ...]
    rows: tuple[tuple[str, tuple[int, ...]], ...]


def two_axes(release: Release) -> Grid:
    counts = release.manifest["counts"]["grid"]
    burdens = tuple(band.slug for band in BURDEN_BANDS)
    rows = tuple(
        (
            band.slug,
            tuple(counts.get(grid_key(band.slug, burden), 0) for burden in burdens),
        )
        for band in WRITE_BANDS
    )
    return Grid(burdens, rows)


def marginals(release: Release) -> dict[str, list[tuple[str, int]]]:
    """Counts by facet, the most frequent value first."""
    counts = release.manifest["counts"]
    return {
        facet.replace("_", " "): sorted(
            counts[facet].items(), key=lambda pair: (-pair[1], pair[0])
        )
        for facet in ("archetype", "class", "plan", "agent", "user", "prompt_version")
    }


def _environment(row: Environment) -> dict[str, str]:
    environment = load_environment(row)
    return {
        "name": row.name,
        "version": row.version,
        "content_hash": row.content_hash,
        "state_hash": row.state_hash,
        "policy_sha256": _hash(environment.policy),
        "tools_sha256": _hash(canonical(environment.schemas)),
    }


def _verdicts(release: Release) -> dict[str, Any]:
    """How the team judged what it released, and what it did not."""
    events = ReviewEvent.objects.filter(
        slot__team=release.team, slot__item__canary="", withdrawn_by=None
    ).exclude(verdict__in=[Verdict.WITHDRAW, Verdict.DEFER])
    given: Counter[str] = Counter()
    reviewers: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for verdict, reason, reviewer in events.values_list(
        "verdict", "reason", "reviewer__username"
    ):
        given[verdict] += 1
        reviewers[reviewer] += 1
        reasons[reason] += bool(reason)
    return {
        "given": dict(sorted(given.items())),
        "reasons": {name: n for name, n in sorted(reasons.items()) if n},
        "reviewers": dict(sorted(reviewers.items())),
    }


def canonical(value: Any) -> str:
    """The one text of a JSON value: sorted keys, no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def write_manifest(release: Release) -> str:
    """manifest.json. Its SHA-256 is the release's hash."""
    return canonical(release.manifest)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


# --- dataset card --------------------------------------------------------------------------------------------------------------


def write_card(release: Release) -> str:
    """README.md of the data: what a trainer has to know before using it."""
    manifest = release.manifest
    made, scripted = manifest["trajectories"], manifest["scripted"]
    parts = [
        f"# {release}",
        f"{made} audited tool-calling trajectories, frozen {manifest['frozen_at'][:10]}.",
    ]
    if scripted:
        parts.append(
            f"**{scripted} of {made} were made by scripted models**, not by language models: "
            "they are for demonstration, tests and load, not for training."
        )
    parts.append(f"Content hash (SHA-256 of manifest.json): `{release.content_hash}`")
    files = [
        f"| `{file['file']}` | {len(file['rows'])} | `{file['sha256']}` |"
        for file in manifest["files"].values()
    ]
    parts.append(
        "\n".join(["| file | rows | sha256 |", "| --- | ---: | --- |", *files])
    )
    if "trl" in manifest["files"]:
        parts.append(
            "```python\nfrom datasets import Features, Json, List, load_dataset\n\n"
            f"features = {TRL_FEATURES}\n"
            f'load_dataset("json", data_files="{manifest["files"]["trl"]["file"]}", features=features)\n```'
        )
    parts += [_card_table(name, manifest["counts"][name]) for name in COUNTED[2:8]]
    worlds = [
        f"- {world['name']} {world['version']}: content `{world['content_hash']}`, "
        f"policy `{world['policy_sha256']}`, tools `{world['tools_sha256']}`"
        for world in manifest["environments"]
    ]
    parts.append("\n".join(["## Environments", "", *worlds]))
    if EDITS in manifest["files"]:
        parts.append(
            f"`edits.jsonl`: {len(manifest['files'][EDITS]['rows'])} trajectories were edited by people before they were approved. "
            "Each line has the edit with its reason, and both conversations as a preference pair: the original is the rejected one."
        )
    given = ", ".join(
        f"{n} {verdict.lower()}" for verdict, n in manifest["verdicts"]["given"].items()
    )
    parts.append(
        f"## Review\n\nVerdicts of the team that stood when it was frozen: {given}."
    )
    parts += [
        f"{len(plan['items'])} of them were approved by sampling (plan {plan['plan']}): {plan['statement']}"
        for plan in manifest.get("sampling", ())
    ]
    return "\n\n".join(parts) + "\n"


def _card_table(name: str, counts: dict[str, int]) -> str:
    title = {"grid": "Writes by evidence burden"}.get(name, name.capitalize())
    rows = [f"| {value} | {n} |" for value, n in counts.items()]
    return "\n".join(
        [f"## {title}", "", f"| {name} | trajectories |", "| --- | ---: |", *rows]
    )
