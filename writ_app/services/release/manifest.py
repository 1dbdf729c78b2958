"""manifest.json: everything a release rests on. Its SHA-256 is the release's hash. Version 2; `first.py` reads version 1."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Min

from writ_app.engine.export.folder import write_canonical
from writ_app.engine.export.records import (
    Dataset,
    Record,
    World,
    compact,
    digest,
)
from writ_app.engine.simulation.prompts import AGENT_PROMPT
from writ_app.engine.types import Task, burden_band, write_band
from writ_app.models.accounts import User
from writ_app.models.release import Release, ReleaseMember
from writ_app.models.review import ReviewEvent, ReviewItem, Verdict
from writ_app.services.release.dataset import DatabaseDataset
from writ_app.services.release.hashing import Hashed, hashed
from writ_app.services.review.quality.sampling import plans_behind

MANIFEST_VERSION = 2
MEMBERS_FILE = "members.jsonl"
FACETS = ("archetype", "class", "plan", "agent", "user", "prompt_version")
"""Facts of records that are counted."""
AT_ONCE = 2000


def canonical(value: Any) -> str:
    """The one text of a JSON value: sorted keys, no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def write_manifest(release: Release) -> str:
    """manifest.json. Its SHA-256 is the release's hash."""
    return canonical(release.manifest)


def grid_key(writes: str, burden: str) -> str:
    """Name of one cell of the two axes."""
    return f"writes {writes}, burden {burden}"


# --- one pass over the rows ----------------------------------------------------------------------------------------------------


@dataclass
class Seen:
    """What a pass over all rows of a draft showed."""

    files: dict[str, Hashed] = field(default_factory=dict)
    """The canonical ones, by path."""
    worlds: Mapping[str, World] = field(default_factory=dict)
    rows: int = 0
    scripted: int = 0
    edited: int = 0
    tasks: int = 0
    counts: dict[str, Counter[str]] = field(
        default_factory=lambda: {
            name: Counter() for name in ("writes", "burden", "grid", *FACETS)
        }
    )

    def count(self, record: Record) -> None:
        facts = record.facts
        writes, burden = write_band(facts["writes"]), burden_band(facts["burden"])
        self.rows += 1
        self.scripted += facts["scripted"]
        self.edited += facts.get("edited", False)
        self.counts["writes"][writes] += 1
        self.counts["burden"][burden] += 1
        self.counts["grid"][grid_key(writes, burden)] += 1
        for name in FACETS:
            self.counts[name][str(facts[name])] += 1


class _Counting:
    """A dataset that counts what is read of it."""

    def __init__(self, dataset: Dataset, seen: Seen):
        self._dataset = dataset
        self._seen = seen

    @property
    def worlds(self) -> Mapping[str, World]:
        return self._dataset.worlds

    @property
    def splits(self) -> tuple[str, ...]:
        return self._dataset.splits

    def records(self, split: str | None = None) -> Iterator[Record]:
        for record in self._dataset.records(split):
            self._seen.count(record)
            yield record

    def tasks(self, world: str | None = None) -> Iterator[tuple[str, Task]]:
        for one in self._dataset.tasks(world):
            self._seen.tasks += 1
            yield one


def look_through(release: Release) -> Seen:
    """Read every row once, as it will be written. Raises ReleaseDamaged, ChangedEnvironment."""
    seen = Seen()
    dataset = _Counting(DatabaseDataset(release), seen)
    for file in write_canonical(dataset):
        seen.files[file.path] = hashed(file)
    seen.worlds = dataset.worlds
    return seen


# --- what is frozen ------------------------------------------------------------------------------------------------------------


def build_manifest(
    release: Release, seen: Seen, *, by: User, at: datetime
) -> dict[str, Any]:
    members = ReleaseMember.objects.filter(release=release)
    draft = release.manifest.get("draft", {})
    return {
        "manifest_version": MANIFEST_VERSION,
        "exporter": {"name": "writ", "canonical_form": 2},
        "release": {"name": release.name, "number": release.number},
        "frozen_at": at.isoformat(),
        "frozen_by": by.get_username(),
        "licence": release.licence,
        "description": release.description,
        "recipe": release.recipe,
        "trajectories": seen.rows,
        "scripted": seen.scripted,
        "edited": seen.edited,
        "tasks": seen.tasks,
        "splits": _splits(members, draft),
        "tokens": _tokens(members, release.recipe),
        "environments": [_environment(one) for one in seen.worlds.values()],
        "archetypes": _titles(release),
        "prompts": {
            "agent_template_sha256": digest(AGENT_PROMPT),
            "versions": dict(sorted(seen.counts["prompt_version"].items())),
        },
        "models": {
            name: dict(sorted(seen.counts[name].items())) for name in ("agent", "user")
        },
        "counts": {
            name: dict(sorted(counter.items())) for name, counter in seen.counts.items()
        },
        "verdicts": _verdicts(release),
        "sampling": plans_behind(
            ReviewItem.objects.filter(memberships__release=release)
        ),
        "left_out": _left_out(release),
        "canonical": {path: one.as_json for path, one in sorted(seen.files.items())},
        "members": {"file": MEMBERS_FILE, **_members_hash(release)},
    }


def member_lines(release: Release) -> Iterator[str]:
    """members.jsonl: the place, split and hash of every row, each with its keys in this database."""
    rows = release.members.order_by("position").values_list(
        "position", "item_id", "split", "row_hash", "tokens"
    )
    last = -1
    while found := list(rows.filter(position__gt=last)[:AT_ONCE]):
        items = ReviewItem.objects.filter(pk__in=[item for _, item, *_ in found])
        about = {
            pk: (trajectory, task)
            for pk, trajectory, task in items.order_by().values_list(
                "pk", "trajectory_id", "task__content_hash"
            )
        }
        for position, item, split, row_hash, tokens in found:
            trajectory, task = about[item]
            line = {
                "position": position,
                "item": item,
                "trajectory": trajectory,
                "split": split,
                "row_sha256": row_hash,
                "task": task,
                "tokens": tokens,
            }
            yield compact(line) + "\n"
        last = found[-1][0]


def _members_hash(release: Release) -> dict[str, Any]:
    return hashed(line.encode() for line in member_lines(release)).as_json


def _splits(members: Any, draft: Mapping[str, Any]) -> dict[str, Any]:
    counts = Counter(members.order_by().values_list("split", flat=True))
    return {
        "rows": dict(sorted(counts.items())),
        "groups": draft.get("groups", 0),
        "largest_group": draft.get("largest_group", 0),
        "notes": draft.get("notes", []),
    }


def _tokens(members: Any, recipe: Mapping[str, Any]) -> dict[str, Any]:
    if not recipe.get("tokenizer"):
        return {}
    counted = sorted(members.order_by().values_list("tokens", flat=True))
    return {
        "tokenizer": recipe["tokenizer"],
        "sum": sum(counted),
        "median": counted[len(counted) // 2],
        "largest": counted[-1],
    }


def _environment(world: World) -> dict[str, Any]:
    return {
        "name": world.name,
        "version": world.version,
        "content_hash": world.content_hash,
        "state_hash": world.state_hash,
        "policy_sha256": digest(world.policy),
        "tools_sha256": digest(canonical(list(world.tools))),
        "tools": [tool["function"]["name"] for tool in world.tools],
        "system_sha256": digest(world.system),
    }


def _titles(release: Release) -> dict[str, str]:
    items = ReviewItem.objects.filter(memberships__release=release).order_by()
    pairs = items.values_list("archetype").annotate(title=Min("task__title"))
    return dict(sorted(pairs))


def _left_out(release: Release) -> dict[str, int]:
    reasons = release.refusals.order_by().values_list("reason", flat=True)
    return dict(sorted(Counter(reasons).items()))


def _verdicts(release: Release) -> dict[str, Any]:
    """How the team judged what it released, and what it did not; `sha256` is of the standing verdicts on the members."""
    events = ReviewEvent.objects.exclude(
        verdict__in=[Verdict.WITHDRAW, Verdict.DEFER]
    ).filter(slot__team=release.team, slot__item__canary="", withdrawn_by=None)
    given: Counter[str] = Counter()
    reviewers: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for verdict, reason, reviewer in events.values_list(
        "verdict", "reason", "reviewer__username"
    ):
        given[verdict] += 1
        reviewers[reviewer] += 1
        reasons[reason] += bool(reason)
    lines = (
        compact([item, number, verdict, reviewer, at.isoformat()]) + "\n"
        for item, number, verdict, reviewer, at in events.filter(
            slot__item__memberships__release=release
        )
        .order_by("pk")
        .values_list(
            "slot__item_id",
            "slot__number",
            "verdict",
            "reviewer__username",
            "created_at",
        )
    )
    return {
        "given": dict(sorted(given.items())),
        "reasons": {name: n for name, n in sorted(reasons.items()) if n},
        "reviewers": dict(sorted(reviewers.items())),
        "sha256": hashed(line.encode() for line in lines).sha256,
    }
