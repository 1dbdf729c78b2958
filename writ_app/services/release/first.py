"""Releases of the first manifest: every hash of a row stands in it, and there are three files at most.

None is made anymore; those there are stay readable, and each row is held to its hash as before.
"""

import hashlib
from collections.abc import Iterator
from typing import Any

from writ_app.engine.export.first_rows import ROWS
from writ_app.engine.export.records import compact, digest
from writ_app.models.release import Release
from writ_app.models.review import ReviewItem
from writ_app.services.release.dataset import ReleaseDamaged
from writ_app.services.release.edits import EDITS, edit_line, source_of

AT_ONCE = 100


def is_first(release: Release) -> bool:
    return bool(release.manifest.get("manifest_version") == 1)


def first_files(release: Release) -> dict[str, tuple[str, int, str]]:
    """Name of a file → (slug, rows, SHA-256)."""
    return {
        file["file"]: (slug, len(file["rows"]), file["sha256"])
        for slug, file in release.manifest["files"].items()
    }


def write_first(release: Release, slug: str) -> Iterator[str]:
    """The lines of one file. Raises ReleaseDamaged at the first that is not what was frozen, before it is sent."""
    frozen = release.manifest["files"][slug]["rows"]
    for (item, line), expected in zip(_lines(release, slug), frozen, strict=True):
        if digest(line) != expected:
            raise ReleaseDamaged(
                f"{release}: trajectory {item} no longer gives the row that was frozen."
            )
        yield line


def _lines(release: Release, slug: str) -> Iterator[tuple[int, str]]:
    for item in _members(release):
        if slug != EDITS:
            yield item.pk, compact(ROWS[slug](source_of(item))) + "\n"
        elif item.parent_id is not None:
            yield item.pk, edit_line(item)


def _members(release: Release) -> Iterator[ReviewItem]:
    members = (
        release.members.select_related("item__trajectory", "item__task__environment")
        .defer("item__task__environment__state", "item__words", "item__search")
        .order_by("position")
    )
    for member in members.iterator(chunk_size=AT_ONCE):
        yield member.item


def verify_first(release: Release) -> list[str]:
    """What is no longer as it was frozen, in words; nothing if all of it is."""
    wrong = []
    for name, (slug, _, expected) in first_files(release).items():
        whole = hashlib.sha256()
        try:
            for line in write_first(release, slug):
                whole.update(line.encode())
        except ReleaseDamaged as error:
            wrong.append(f"{name}: {error}")
            continue
        if whole.hexdigest() != expected:
            wrong.append(f"{name}: its SHA-256 is {whole.hexdigest()}, not {expected}")
    return wrong


FACETS = ("archetype", "class", "plan", "agent", "user", "prompt_version")


def write_first_card(release: Release) -> str:
    """README.md of the data, as it was."""
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
        f"| `{name}` | {rows} | `{sha256}` |"
        for name, (_, rows, sha256) in first_files(release).items()
    ]
    parts.append(
        "\n".join(["| file | rows | sha256 |", "| --- | ---: | --- |", *files])
    )
    parts += [_table(name, manifest["counts"][name]) for name in ("grid", *FACETS[:5])]
    worlds = [
        f"- {world['name']} {world['version']}: content `{world['content_hash']}`, "
        f"policy `{world['policy_sha256']}`, tools `{world['tools_sha256']}`"
        for world in manifest["environments"]
    ]
    parts.append("\n".join(["## Environments", "", *worlds]))
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


def _table(name: str, counts: dict[str, Any]) -> str:
    title = {"grid": "Writes by evidence burden"}.get(name, name.capitalize())
    rows = [f"| {value} | {n} |" for value, n in counts.items()]
    return "\n".join(
        [f"## {title}", "", f"| {name} | trajectories |", "| --- | ---: |", *rows]
    )
