"""Whether releases are what they say, at full size: `python -m tests.benchmarks.acceptance [--items 2000]`.

Fills an embedded Postgres with trajectories of all three environments that scripted models played: every archetype, several plans,
some of them played and the others told apart from those by a sentence, so that ids, hashes and rows are all different. Most are
approved, some of these as edited versions; rejected and open ones and approved canaries have to stay out. Then

    members   the release holds exactly what was approved, in three splits that share no task
    formats   every format is written, read back by its own reader and as a reference set, and compared with the canonical
              records less what the format says that it loses
    rebuilt   written twice more from the database, and once from the canonical files: the same hashes
    diff      of a second release of which it is known what was added, taken out and edited

Prints a line per step and format, and ends with 1 at any difference.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from tests.benchmarks.figures import show
from tests.benchmarks.release_database import set_up

WORLDS = ("retail", "airline", "rental")
PLAYED = 60
"""Trajectories of an environment that are played, at most; the others are these with another sentence."""
SHARES = {"train": 0.8, "validation": 0.1, "test": 0.1}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--items", type=int, default=2000)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="writ-benchmark-") as var:
        os.environ |= {"WRIT_VAR_DIR": var, "WRIT_ENV": "test"}
        os.environ.pop("DATABASE_URL", None)
        set_up()
        from django.conf import settings
        from django.core.management import call_command

        from writ_app.adapters.embedded.services import services_running

        with services_running(settings.EMBEDDED, settings.EMBEDDED_SERVICES):
            call_command("migrate", verbosity=0)
            show(f"{'':34}{'rows':>9}{'MB':>8}{'s':>8}  differences")
            wrong = accept(wanted.items, Path(var) / "acceptance")
    for one in wrong[:50]:
        show(one)
    show(f"{len(wrong)} differences" if wrong else "Everything is as it should be.")
    return int(bool(wrong))


def accept(items: int, place: Path) -> list[str]:
    """Every difference there is, in words; none if all is as it should be."""
    timed = Timed()
    with timed.step("filled") as step:
        filled = fill(items)
        step.rows = len(filled.approved)
    with timed.step("frozen") as step:
        first = freeze(filled, "v1")
        step.rows = first.members.count()
        step.found += member_differences(first, filled)
    with timed.step("every file written") as step:
        step.found += export_differences(first, place / "first")
        step.count(place / "first")
    for slug in slugs():
        with timed.step(f"{slug} read back") as step:
            step.found += parse_differences(place / "first", slug)
            step.count(place / "first", slug)
    for slug in slugs():
        with timed.step(f"{slug} as a reference set") as step:
            step.found += import_differences(place / "first", slug)
            step.count(place / "first", slug)
    with timed.step("tau2_tasks read back") as step:
        step.found += task_differences(place / "first")
    for name in ("second", "third"):
        with timed.step(f"the {name} time from the database") as step:
            step.found += export_differences(first, place / name)
            step.found += folder_differences(place / "first", place / name)
            step.count(place / name)
    with timed.step("from the canonical files") as step:
        step.found += rebuild_differences(place / "first", place / "rebuilt")
        step.found += folder_differences(place / "first", place / "rebuilt")
        step.count(place / "rebuilt")
    with timed.step("diff of a second release") as step:
        step.found += diff_differences(first, filled)
    return timed.found


# --- what was measured ---------------------------------------------------------------------------------------------------------


@dataclass
class Step:
    name: str
    rows: int = 0
    bytes: int = 0
    found: list[str] = field(default_factory=list)

    def count(self, folder: Path, slug: str = "") -> None:
        """What lies there, of one format or of all."""
        paths = data_files(folder, slug) if slug else folder.rglob("*")
        self.bytes = sum(path.stat().st_size for path in paths if path.is_file())
        if slug:
            self.rows = sum(rows_in(path) for path in data_files(folder, slug))


class Timed:
    """Prints each step as it ends, and collects what was found."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def step(self, name: str) -> "_Running":
        return _Running(self, Step(name))


@dataclass
class _Running:
    timed: Timed
    step: Step
    began: float = 0.0

    def __enter__(self) -> Step:
        self.began = time.perf_counter()
        return self.step

    def __exit__(self, *_: object) -> None:
        took, one = time.perf_counter() - self.began, self.step
        self.timed.found += [f"{one.name}: {text}" for text in one.found]
        size = f"{one.bytes / 1e6:.1f}" if one.bytes else ""
        rows = f"{one.rows:,}" if one.rows else ""
        show(f"{one.name:34}{rows:>9}{size:>8}{took:8.1f}  {len(one.found)}")


# --- filling -------------------------------------------------------------------------------------------------------------------


@dataclass
class Filled:
    owner: Any
    approved: set[int] = field(default_factory=set)
    """Items that a release has to hold, and nothing else."""
    open: list[int] = field(default_factory=list)


def fill(items: int) -> Filled:
    """So many approved trajectories, and beside every twenty of them a rejected, an open one and a canary."""
    from tests import factories

    filled = Filled(factories.make_owner())
    for number, name in enumerate(WORLDS):
        wanted = items // len(WORLDS) + (number < items % len(WORLDS))
        _fill_world(filled, name, wanted)
    return filled


def _fill_world(filled: Filled, name: str, wanted: int) -> None:
    from tests.stored_batches import play_batch
    from writ_app.models.review import ReviewItem
    from writ_app.models.synthesis import Trajectory

    beside = 2 * (wanted // 20 + 1)
    batch = play_batch(
        by=filled.owner,
        ordered=min(wanted + beside, PLAYED),
        environment=name,
        mix=dict.fromkeys(archetypes_of(name), 1.0),
    )
    played = Trajectory.objects.filter(simulation__batch=batch, accepted=True)
    _vary(list(played.order_by("pk")), wanted + beside)
    keys = list(played.order_by("pk").values_list("pk", flat=True))
    approved, left = keys[:wanted], keys[wanted:]
    settle(approved, "APPROVED")
    settle(left[: beside // 2], "REJECTED")
    filled.open += left[beside // 2 :]
    edited = {key: edit(key, filled.owner) for key in approved[::20]}
    for key in approved[10::20]:
        plant(key)
    filled.approved |= {edited.get(key, key) for key in approved}
    assert ReviewItem.objects.filter(pk__in=approved, status="APPROVED").count() == len(
        approved
    )


def archetypes_of(name: str) -> list[str]:
    from writ_app.services import catalog

    row = catalog.register_generated(name=name, seed=7, users=60)
    return [one.slug for one in catalog.load_environment(row).domain.archetypes]


def settle(items: Sequence[int], status: str) -> None:
    """The verdict of all their slots."""
    from writ_app.models.review import ReviewSlot

    ReviewSlot.objects.filter(item__in=items).update(status=status)


def _vary(played: Sequence[Any], wanted: int) -> None:
    """As many as wanted: those again, the user's first words with a sentence more, each with a simulation of its own."""
    from writ_app.models.synthesis import Simulation, Trajectory

    simulations, rows = [], []
    for number in range(wanted - len(played)):
        one = played[number % len(played)]
        content, content_hash = with_sentence(
            one.content, "user", f"My note number {number}: café, 東京, “{number:x}”."
        )
        fields = _fields_of(one.simulation, seed=1_000_000 + number)
        simulations.append(Simulation(**fields))
        fields = _fields_of(one, content=content, content_hash=content_hash)
        rows.append(partial(Trajectory, **fields))
    Simulation.objects.bulk_create(simulations, batch_size=200)
    made = [
        make(simulation_id=simulation.pk)
        for make, simulation in zip(rows, simulations, strict=True)
    ]
    Trajectory.objects.bulk_create(made, batch_size=200)


def _fields_of(row: Any, **changed: Any) -> dict[str, Any]:
    """Columns of a row as another one of it would have them."""
    own = {"id", "simulation_id", "created_at"}
    kept = {
        column.attname: getattr(row, column.attname)
        for column in row._meta.concrete_fields
        if column.attname not in own and not column.generated
    }
    return kept | changed


def with_sentence(
    content: dict[str, Any], role: str, sentence: str
) -> tuple[dict[str, Any], str]:
    """(content, its hash) of a stored trajectory with more in the first text of this role."""
    from writ_app.engine.types import Trajectory

    talk = Trajectory.model_validate(content)
    number = next(
        n for n, one in enumerate(talk.messages) if one.role == role and one.content
    )
    messages = list(talk.messages)
    messages[number] = messages[number].model_copy(
        update={"content": f"{messages[number].content} {sentence}"}
    )
    talk = talk.model_copy(update={"messages": tuple(messages)})
    return talk.model_dump(mode="json"), talk.content_hash


def edit(key: int, owner: Any) -> int:
    """An approved version of the trajectory with other words of the agent; returns its item."""
    from tests.factories import make_version
    from writ_app.models.synthesis import Trajectory

    version = make_version(
        of=Trajectory.objects.get(pk=key), by=owner, reason="Warmer."
    )
    version.content, _ = with_sentence(
        version.content, "assistant", "Happy to help with anything else."
    )
    version.save(update_fields=["content"])
    settle([version.pk], "APPROVED")
    return int(version.pk)


def plant(key: int) -> None:
    """An approved canary of the trajectory, which nothing may release."""
    from tests.factories import make_version
    from writ_app.models.review import ReviewItem
    from writ_app.models.synthesis import Trajectory

    canary = make_version(of=Trajectory.objects.get(pk=key), canary="wrong_argument")
    settle([canary.pk], "APPROVED")
    assert ReviewItem.objects.get(pk=canary.pk).canary


def freeze(filled: Filled, name: str, excluded: Sequence[int] = ()) -> Any:
    from datetime import UTC, datetime

    from tests.factories import team_of
    from writ_app.services.release import Recipe, freeze_release

    return freeze_release(
        team=team_of(filled.owner),
        name=name,
        by=filled.owner,
        at=datetime.now(UTC),
        excluded=excluded,
        recipe=Recipe(shares=SHARES, tokenizer="cl100k_base", max_tokens=100_000),
        licence="CC-BY-4.0",
    )


# --- comparing -----------------------------------------------------------------------------------------------------------------


def slugs() -> list[str]:
    """Formats with conversations in them."""
    from tests.engine.export.losses import WITH_ROWS

    return list(WITH_ROWS)


def member_differences(release: Any, filled: Filled) -> Iterator[str]:
    held = set(release.members.values_list("item_id", flat=True))
    if missing := filled.approved - held:
        yield f"{len(missing)} approved items are missing"
    if strange := held - filled.approved:
        yield f"{len(strange)} items are there that should not be"
    if release.refusals.exists():
        yield f"refused: {dict(Counter(release.refusals.values_list('reason', flat=True)))}"
    if len(release.manifest["environments"]) != len(WORLDS):
        yield "not all environments are there"
    splits: dict[int, set[str]] = {}
    for task, split in release.members.values_list("item__task_id", "split"):
        splits.setdefault(task, set()).add(split)
    if any(len(found) > 1 for found in splits.values()):
        yield "a task is in two splits"
    if not all(any(name in found for found in splits.values()) for name in SHARES):
        yield "a split is empty"


def export_differences(release: Any, folder: Path) -> Iterator[str]:
    from writ_app.services.release.rebuild import export_release

    folder.mkdir(parents=True)
    for made in export_release(release, folder):
        if made.wrong:
            yield f"{made.path}: {made.state} {made.note}"


def rebuild_differences(source: Path, out: Path) -> Iterator[str]:
    from writ_app.services.release.rebuild import rebuild_folder

    for made in rebuild_folder(source, out):
        if made.state != "same":
            yield f"{made.path}: {made.state} {made.note}"


ONLY_IN_DATABASE = frozenset(
    ("manifest.json", "members.jsonl", "edits.jsonl", "SHA256SUMS")
)
"""What a rebuild from the canonical files leaves where it lies."""


def folder_differences(one: Path, other: Path) -> Iterator[str]:
    before, after = hashes(one), hashes(other)
    for path in sorted(before.keys() | after.keys()):
        if path not in after and path in ONLY_IN_DATABASE:
            continue
        if before.get(path) != after.get(path):
            yield f"{path} differs"


def hashes(folder: Path) -> dict[str, str]:
    from writ_app.services.release.rebuild import hash_of

    return {
        str(path.relative_to(folder)): hash_of(path)
        for path in folder.rglob("*")
        if path.is_file()
    }


def data_files(folder: Path, slug: str) -> list[Path]:
    """In the order in which the release has its splits."""
    from writ_app.engine.export.folder import FolderDataset
    from writ_app.engine.export.formats import FORMATS

    form, dataset = FORMATS[slug], FolderDataset(folder)
    place = folder / form.folder
    if form.write:
        return sorted(place.glob("*/results.json"))
    return [place / f"{split}.{form.suffix}" for split in dataset.splits]


def rows_in(path: Path) -> int:
    return sum(1 for _ in raw_rows(path))


def raw_rows(path: Path) -> Iterator[Any]:
    from tests.parquet_rows import read_parquet

    if path.suffix == ".parquet":
        with path.open("rb") as file:
            yield from read_parquet(file)
    elif path.suffix == ".json":
        yield from json.loads(path.read_text())["simulations"]
    else:
        with path.open(encoding="utf-8") as file:
            yield from map(json.loads, file)


def wanted_conversations(folder: Path, slug: str) -> Iterator[Any]:
    """(record, conversation that the format should tell of it), in the order of the format's files."""
    from tests.engine.export.losses import expected
    from writ_app.engine.export.folder import FolderDataset
    from writ_app.engine.export.formats import FORMATS
    from writ_app.engine.export.options import Options

    form, dataset = FORMATS[slug], FolderDataset(folder)
    if form.write:  # a file per environment, in order of their folders
        for path in data_files(folder, slug):
            for record in dataset.records():
                if record.world.name == path.parent.name.split("-")[0]:
                    yield record, expected(form, record, Options())
        return
    for split in dataset.splits:
        for record in dataset.records(split):
            yield record, expected(form, record, Options())


def parse_differences(folder: Path, slug: str) -> Iterator[str]:
    """By the format's own reader."""
    from writ_app.engine.export.formats import FORMATS
    from writ_app.engine.export.records import compact

    form, fields = FORMATS[slug], _told_by(slug)
    raw = (row for path in data_files(folder, slug) for row in raw_rows(path))
    for record, wanted in wanted_conversations(folder, slug):
        rows = list(islice(raw, _rows_of(slug, wanted)))
        if not rows:
            yield f"no row of {record.id}"
            return
        found = form.parse(rows[-1])
        for name in fields:
            if compact(getattr(found, name)) != compact(getattr(wanted, name)):
                yield f"{record.id}: other {name}"
    if next(raw, None) is not None:
        yield "there are more rows than records"


def _rows_of(slug: str, wanted: Any) -> int:
    """A greeting, which carries no loss, is no turn of its own."""
    if slug != "turns":
        return 1
    roles = [message["role"] for message in wanted.messages]
    return roles[roles.index("user") :].count("assistant")


def _told_by(slug: str) -> tuple[str, ...]:
    """Plain rows and simulations rely on what stands beside them for prompt and tools."""
    return (
        ("messages",)
        if slug in ("jsonl", "tau2_results")
        else ("system", "messages", "tools")
    )


def import_differences(folder: Path, slug: str) -> Iterator[str]:
    """By way of the database, as somebody else's data: files are told by their content."""
    from writ_app.engine.export.records import compact
    from writ_app.engine.importing.rows import kind_of
    from writ_app.services.catalog.reference_dataset import ReferenceDataset
    from writ_app.services.catalog.references import (
        delete_reference_set,
        import_reference,
    )

    wanted = wanted_conversations(folder, slug)
    for path in data_files(folder, slug):
        row = import_reference(path=path).row
        row.refresh_from_db()
        if row.format != kind_of(slug).slug:
            yield f"{path.name} was taken for {row.format}"
        for found in ReferenceDataset(row).records():
            record, conversation = next(wanted, (None, None))
            if record is None:
                yield "there are more rows than records"
                return
            told = compact(list(found.messages)), found.world.system
            if told[0] != compact(conversation.messages):
                yield f"{record.id}: other messages"
            if slug != "tau2_results" and told[1] != record.world.system:
                yield f"{record.id}: another system prompt"
            if slug != "tau2_results" and found.world.tools != record.world.tools:
                yield f"{record.id}: other tools"
            if slug in ("jsonl", "parquet") and _facts(found) != _facts(record):
                yield f"{record.id}: other facts"
        delete_reference_set(row)
    if next(wanted, None) is not None:
        yield "there are fewer rows than records"


def _facts(record: Any) -> dict[str, Any]:
    """All that a canonical line tells beside the conversation; a set names only the environment, not its version."""
    told = dict(record.as_json)
    return {**told, "messages": None, "environment": record.world.name}


def task_differences(folder: Path) -> Iterator[str]:
    """Every task is there once, with its writes, in the splits that hold it."""
    from writ_app.engine.export.folder import FolderDataset
    from writ_app.engine.export.formats import FORMATS

    dataset = FolderDataset(folder)
    for key, world in dataset.worlds.items():
        tasks = [task for _, task in dataset.tasks(key)]
        (place,) = (folder / FORMATS["tau2_tasks"].folder).glob(f"{world.name}*")
        told = json.loads((place / "tasks.json").read_text())
        base = json.loads((place / "split_tasks.json").read_text())["base"]
        if len(told) != len(tasks) or base != [one["id"] for one in told]:
            yield f"{key}: {len(told)} tasks are told of {len(tasks)}"
        for task, one in zip(tasks, told, strict=False):
            actions = one["evaluation_criteria"]["actions"]
            calls = [(made["name"], made["arguments"]) for made in actions]
            writes = [(write.call.name, write.call.arguments) for write in task.gold]
            if [call for call in calls if call in writes] != writes:
                yield f"{key}: {one['id']} has other writes"


def diff_differences(first: Any, filled: Filled) -> Iterator[str]:
    """A second release: some taken out, some approved since, one of them edited anew."""
    from writ_app.models.review import ReviewItem
    from writ_app.services.release.diff import compare

    plain = sorted(key for key in filled.approved if not _is_version(key))
    removed, changed = plain[1:40:13], plain[2]
    added = filled.open[::2]
    settle(added, "APPROVED")
    version = edit(ReviewItem.objects.get(pk=changed).trajectory_id, filled.owner)
    second = freeze(filled, "v1", excluded=removed)

    diff = compare(first, second)
    before, after = (
        dict(release.members.values_list("item__trajectory_id", "split"))
        for release in (first, second)
    )
    moved = sorted(key for key in before.keys() & after.keys() if before[key] != after[key])  # fmt: skip
    said: dict[str, tuple[object, object]] = {
        "number": (second.number, 2),
        "added": (list(diff.added), sorted(added)),
        "removed": (list(diff.removed), sorted(removed)),
        "changed": ([(one.before, one.after) for one in diff.changed], [(changed, version)]),
        "moved": (sorted(one.trajectory for one in diff.moved), moved),
        "same": (diff.same, len(before) - len(removed) - len({changed, *moved})),
        "cells": (sum(one.difference for one in diff.cells), len(added) - len(removed)),
        "recipe": (len(diff.made_with), 1),
    }  # fmt: skip
    for name, (found, wanted) in said.items():
        if found != wanted:
            yield f"{name}: {found} and not {wanted}"
    if not compare(first, first).nothing:
        yield "a release differs from itself"


def _is_version(key: int) -> bool:
    from writ_app.models.review import ReviewItem

    return bool(ReviewItem.objects.get(pk=key).number > 1)


if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[2])
    sys.exit(main())
