"""What differs between two releases: items, splits, cells, and what they were made with."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from writ_app.engine.types import BURDEN_BANDS, WRITE_BANDS, burden_band, write_band
from writ_app.models.release import Release


@dataclass(frozen=True, slots=True)
class _Member:
    item: int
    split: str
    cell: tuple[str, str]


@dataclass(frozen=True)
class Changed:
    """A trajectory that both hold, in two versions."""

    trajectory: int
    before: int
    after: int


@dataclass(frozen=True)
class Moved:
    trajectory: int
    item: int
    before: str
    after: str


@dataclass(frozen=True)
class Shift:
    """One cell of the two axes."""

    writes: str
    burden: str
    before: int
    after: int

    @property
    def difference(self) -> int:
        return self.after - self.before

    @property
    def lost(self) -> int:
        return max(0, self.before - self.after)


@dataclass(frozen=True)
class Diff:
    """Keys of items, in order. `same`: the same version in the same split."""

    before: Release
    after: Release
    same: int
    added: tuple[int, ...]
    removed: tuple[int, ...]
    changed: tuple[Changed, ...]
    moved: tuple[Moved, ...]
    cells: tuple[Shift, ...]
    """Those that either holds something of."""
    splits: tuple[tuple[str, int, int], ...]
    """(split, trajectories before, after)."""
    made_with: tuple[str, ...]
    """What changed of environments, policies, tools, prompts, models and the recipe, a sentence each."""

    @cached_property
    def nothing(self) -> bool:
        return not (
            self.added or self.removed or self.changed or self.moved or self.made_with
        )

    @property
    def as_json(self) -> dict[str, Any]:
        return {
            "before": str(self.before),
            "after": str(self.after),
            "same": self.same,
            "added": list(self.added),
            "removed": list(self.removed),
            "changed": [
                {"trajectory": one.trajectory, "before": one.before, "after": one.after}
                for one in self.changed
            ],
            "moved": [
                {
                    "trajectory": one.trajectory,
                    "item": one.item,
                    "before": one.before,
                    "after": one.after,
                }
                for one in self.moved
            ],
            "cells": [
                {
                    "writes": one.writes,
                    "burden": one.burden,
                    "before": one.before,
                    "after": one.after,
                }
                for one in self.cells
            ],
            "splits": {
                name: {"before": before, "after": after}
                for name, before, after in self.splits
            },
            "made_with": list(self.made_with),
        }


def compare(before: Release, after: Release) -> Diff:
    """Two releases of one team, frozen or drafted; the order is the caller's."""
    old, new = _members(before), _members(after)
    both = sorted(old.keys() & new.keys())
    changed = [
        Changed(one, old[one].item, new[one].item)
        for one in both
        if old[one].item != new[one].item
    ]
    moved = [
        Moved(one, new[one].item, old[one].split, new[one].split)
        for one in both
        if old[one].split != new[one].split
    ]
    touched = {one.trajectory for one in changed} | {one.trajectory for one in moved}
    return Diff(
        before=before,
        after=after,
        same=len(both) - len(touched),
        added=tuple(sorted(new[one].item for one in new.keys() - old.keys())),
        removed=tuple(sorted(old[one].item for one in old.keys() - new.keys())),
        changed=tuple(changed),
        moved=tuple(moved),
        cells=tuple(_cells(old, new)),
        splits=tuple(_splits(old, new)),
        made_with=tuple(_made_with(before, after)),
    )


def _members(release: Release) -> dict[int, _Member]:
    """By trajectory."""
    rows = release.members.order_by().values_list(
        "item__trajectory_id", "item_id", "split", "item__writes", "item__burden"
    )
    return {
        trajectory: _Member(item, split, (write_band(writes), burden_band(burden)))
        for trajectory, item, split, writes, burden in rows
    }


def _cells(old: Mapping[int, _Member], new: Mapping[int, _Member]) -> Iterator[Shift]:
    before = Counter(one.cell for one in old.values())
    after = Counter(one.cell for one in new.values())
    for writes in WRITE_BANDS:
        for burden in BURDEN_BANDS:
            cell = (writes, burden)
            if before[cell] or after[cell]:
                yield Shift(writes, burden, before[cell], after[cell])


def _splits(
    old: Mapping[int, _Member], new: Mapping[int, _Member]
) -> Iterator[tuple[str, int, int]]:
    before = Counter(one.split for one in old.values())
    after = Counter(one.split for one in new.values())
    for name in sorted(before.keys() | after.keys()):
        yield name or "unsplit", before[name], after[name]


# --- what they were made with --------------------------------------------------------------------------------------------------


def _made_with(before: Release, after: Release) -> Iterator[str]:
    """Of a draft, which has no manifest yet, only the recipe and the licence."""
    old, new = before.manifest, after.manifest
    yield from _recipe(before.recipe, after.recipe)
    if before.licence != after.licence:
        yield f"Licence: {before.licence or 'none'} → {after.licence or 'none'}."
    if "environments" not in old or "environments" not in new:
        return
    yield from _worlds(old, new)
    yield from _prompts(old, new)
    for name, title in (("agent", "agents"), ("user", "users")):
        models = (set(one["counts"][name]) for one in (old, new))
        yield from _sets(f"Models as {title}", *models)


def _worlds(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    before, after = (
        {f"{world['name']}/{world['version']}": world for world in one["environments"]}
        for one in (old, new)
    )
    yield from _sets("Environments", set(before), set(after))
    for key in sorted(after):
        names = [one for one in before.values() if one["name"] == after[key]["name"]]
        other = before.get(key) or (names[0] if len(names) == 1 else None)
        if other is None:
            continue
        world = after[key]
        if other["policy_sha256"] != world["policy_sha256"]:
            yield f"The policy of {key} is another than that of {other['name']}/{other['version']}."
        if other["tools_sha256"] != world["tools_sha256"]:
            tools = _sets("", set(other.get("tools", ())), set(world.get("tools", ())))
            names_changed = "".join(tools).strip() or "their schemas changed."
            yield f"The tools of {key} are others than those of {other['name']}/{other['version']}: {names_changed}"


def _prompts(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    before, after = (set(one["counts"]["prompt_version"]) for one in (old, new))
    yield from _sets("Versions of the prompts", before, after)
    templates = [
        one.get("prompts", {}).get("agent_template_sha256") for one in (old, new)
    ]
    if all(templates) and templates[0] != templates[1]:
        yield "The template of the agent's system prompt is another."


def _recipe(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            told = f"{_words(old.get(name))} → {_words(new.get(name))}"
            yield f"Recipe, {name.replace('_', ' ')}: {told}."


def _words(value: Any) -> str:
    """A part of a recipe on one line."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {_words(one)}" for key, one in value.items()) or "none"
    if isinstance(value, list):
        return " or ".join(map(_words, value)) or "none"
    return "none" if value in (None, "") else str(value)


def _sets(what: str, before: set[str], after: set[str]) -> Iterator[str]:
    gone, come = sorted(before - after), sorted(after - before)
    parts = [
        *([f"without {', '.join(gone)}"] if gone else []),
        *([f"now with {', '.join(come)}"] if come else []),
    ]
    if parts:
        yield f"{what}: {'; '.join(parts)}." if what else f"{'; '.join(parts)}."
