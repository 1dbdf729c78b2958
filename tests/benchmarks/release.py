"""How fast a dataset becomes files, and how much memory that takes.

    python -m tests.benchmarks.release [--trajectories 10000] [--formats jsonl,trl,…] [--tokenizer cl100k_base] [--parts export,import]

Records of 20 to 24 messages and about 8 kB are made (several environments, other scripts, long results), written as canonical
files, and exported from that folder to every format; reading the folder alone is measured, too, so that what is left is the
format's own. Each measurement is a process of its own: CPU seconds, rows per second of wall time, peak of resident memory above
what it was when everything was imported. With `--parts import` the files are brought into an embedded Postgres as reference
sets, rows counted as the file has them; the database's own work is in the wall time, not in the CPU seconds. Linux only.
"""

import argparse
import json
import multiprocessing
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tests.benchmarks.figures import note, show
from tests.engine.talks import task_of
from writ_app.engine.export.folder import FolderDataset, write_canonical
from writ_app.engine.export.formats import FORMATS
from writ_app.engine.export.options import Options
from writ_app.engine.export.records import (
    Record,
    World,
    content_hash_of,
    digest,
    trajectory_json,
)
from writ_app.engine.export.tokens import counts
from writ_app.engine.export.writing import files
from writ_app.engine.types import Task

WORLDS = 3
WORDS = [
    "account",
    "order",
    "refund",
    "policy",
    "shipping",
    "address",
    "delivery",
    "payment",
    "card",
    "replacement",
    "colour",
    "size",
    "confirm",
    "change",
    "keep",
    "return",
    "item",
    "price",
    "difference",
    "tracking",
    "warehouse",
    "store",
    "balance",
    "voucher",
    "please",
    "thank",
    "moment",
    "checked",
    "details",
    "exactly",
    "before",
    "after",
    "Größe",
    "façade",
    "naïve",
    "señor",
    "東京",
    "谢谢",
    "🙂",
]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--trajectories", type=int, default=10_000)
    parser.add_argument("--formats", default=",".join(FORMATS))
    parser.add_argument("--tokenizer", default="", help="count tokens with it, too")
    parser.add_argument("--parts", default="export", help="export, import, or both")
    wanted = parser.parse_args()
    parts = wanted.parts.split(",")
    with tempfile.TemporaryDirectory(prefix="writ-release-") as place:
        folder = Path(place)
        started = time.perf_counter()
        size = make(folder, wanted.trajectories)
        took = time.perf_counter() - started
        show(
            f"{wanted.trajectories} records made in {took:.1f} s; {size / wanted.trajectories / 1000:.1f} kB a line"
        )
        show(f"{'':24}{'CPU s':>8}{'rows/s':>10}{'MB':>8}{'+MB peak':>10}")
        if "export" in parts:
            measured(folder, "read", "(reading alone)")
            for slug in wanted.formats.split(","):
                measured(folder, slug, slug)
        if "import" in parts:
            imported(folder, [one for one in wanted.formats.split(",") if one in READ])
        if wanted.tokenizer:
            measured(folder, f"tokens:{wanted.tokenizer}", f"tokens {wanted.tokenizer}")


def measured(folder: Path, what: str, title: str) -> None:
    """One line, from a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        cpu, wall, rows, written, peak = pool.apply(run, (str(folder), what))
    if what in AIMED:
        lot = f"{title}, {rows:,}"
        note(f"{lot}: time", wall, "s", at_most=AIMED[what] * rows, beside=EXPORTS)
        note(f"{lot}: memory above idle", peak / 1e6, "MB", at_most=100)
    elif what.startswith("import:"):
        note(f"{title}: speed", rows / wall, "per s", at_least=2500, beside=IMPORTS)
    elif rows:
        note(f"{title}: speed", rows / wall, "per s")
    show(
        f"{title:24}{cpu:8.2f}{rows / wall:10.0f}{written / 1e6:8.1f}{peak / 1e6:10.1f}"
    )


# --- bringing in ---------------------------------------------------------------------------------------------------------------

AIMED = {"jsonl": 3e-4}
"""Seconds for a row."""
IMPORTS = "Label Studio 461, doccano 1,031"
EXPORTS = "of 10,000: Label Studio 51 s and 964 MB, doccano 5.6 s and 2,788 MB"
READ = tuple(slug for slug in FORMATS if slug != "tau2_tasks")


def imported(folder: Path, slugs: list[str]) -> None:
    """Every format into one embedded Postgres, each from a process of its own."""
    os.environ |= {
        "WRIT_VAR_DIR": str(folder / "var"),
        "WRIT_ENV": "test",
        "DJANGO_SETTINGS_MODULE": "writ_app.settings",
    }
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    from writ_app.adapters.embedded.services import services_running

    for slug in slugs:
        if (folder / "out" / FORMATS[slug].folder).exists():
            continue  # it was measured how it is written
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            pool.apply(export, (FolderDataset(folder), slug, folder / "out"))
    with services_running(settings.EMBEDDED, ["postgres"]):
        call_command("migrate", verbosity=0)
        for slug in slugs:
            measured(folder, f"import:{slug}", f"import {slug}")


def bring_in(folder: Path, slug: str) -> tuple[int, int]:
    """(rows, bytes read) of all files of a format."""
    from writ_app.services.catalog.references import import_reference

    form = FORMATS[slug]
    pattern = "*/results.json" if form.write else f"*.{form.suffix}"
    rows = size = 0
    for path in sorted((folder / "out" / form.folder).glob(pattern)):
        if path.name == "dataset_info.json":
            continue
        written = import_reference(path=path, kind=slug).written
        assert written is not None
        rows, size = rows + written.rows, size + path.stat().st_size
    return rows, size


def _warm(what: str) -> None:
    """Everything is imported, and connected to, before it is measured."""
    if what.startswith("import:"):
        import django

        django.setup()
        from django.db import connection

        import writ_app.services.catalog.references  # noqa: F401

        connection.ensure_connection()


def run(folder: str, what: str) -> tuple[float, float, int, int, int]:
    """(CPU seconds, seconds, rows, bytes written, bytes above idle at the peak)."""
    without_pandas()
    import pyarrow.parquet  # noqa: F401  # A format's rows are measured, not this import.

    _warm(what)
    dataset = FolderDataset(Path(folder))
    idle = _memory("VmRSS")
    cpu, wall = time.process_time(), time.perf_counter()
    if what == "read":
        rows, size = sum(1 for _ in dataset.records()), 0
    elif what.startswith("import:"):
        rows, size = bring_in(Path(folder), what[7:])
    elif what.startswith("tokens:"):
        rows, size = sum(1 for _ in counts(dataset.records(), what[7:])), 0
    else:
        rows, size = export(dataset, what, Path(folder) / "out")
    return (
        time.process_time() - cpu,
        time.perf_counter() - wall,
        rows,
        size,
        _memory("VmHWM") - idle,
    )


class _NoPandas:
    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(name)


def without_pandas() -> None:
    """As in production. pyarrow would load it, 50 MB, only to ask whether a list is one of its series."""
    sys.meta_path.insert(0, _NoPandas())


def export(dataset: FolderDataset, slug: str, out: Path) -> tuple[int, int]:
    rows = size = 0
    for file in files(dataset, [slug], Options()):
        path = out / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as written:
            for chunk in file.chunks:
                size += written.write(chunk)
        rows += file.rows
    return rows, size


def _memory(name: str) -> int:
    """Bytes of resident memory now (VmRSS) or at most so far (VmHWM)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    raise OSError(f"/proc/self/status has no {name}")


# --- records -------------------------------------------------------------------------------------------------------------------


def make(folder: Path, trajectories: int) -> int:
    """Writes the canonical files; bytes of the records."""
    worlds = [_world(n) for n in range(WORLDS)]
    for file in write_canonical(Made(worlds, trajectories)):
        with (folder / file.path).open("wb") as written:
            for chunk in file.chunks:
                written.write(chunk)
    return (folder / "trajectories.jsonl").stat().st_size


class Made:
    """A dataset whose records follow from their numbers."""

    splits = ("train",)

    def __init__(self, worlds: list[World], trajectories: int):
        self._worlds = worlds
        self._trajectories = trajectories

    @property
    def worlds(self) -> Mapping[str, World]:
        return {world.key: world for world in self._worlds}

    def records(self, split: str | None = None) -> Iterator[Record]:
        for n in range(self._trajectories):
            yield made(n, self._worlds[n % WORLDS])

    def tasks(self, world: str | None = None) -> Iterator[tuple[str, Task]]:
        tasks = {
            task.content_hash: task
            for task in (task_in(one.version) for one in self._worlds)
            if world in (None, f"{task.environment}/{task.environment_version}")
        }
        yield from sorted(tasks.items())


@cache
def task_in(world_version: str) -> Task:
    """All records of an environment are of one task: how many there are makes no difference to writing them."""
    return task_of("R1").model_copy(update={"environment_version": world_version})


def made(number: int, world: World) -> Record:
    """Reads, talk and writes as in a customer's case; the same for the same number."""
    draw = random.Random(number)
    messages: list[dict[str, Any]] = [
        {"role": "assistant", "content": "Hi! How can I help you today?"},
        {"role": "user", "content": _talk(draw, 40)},
    ]
    for turn in range(draw.choice((4, 5))):
        for name in ("get_order", "search_items", "get_person")[: 1 + turn % 2]:
            messages += _called(draw, name, len(messages))
        messages.append({"role": "assistant", "content": _talk(draw, 45)})
        messages.append({"role": "user", "content": _talk(draw, 12)})
    messages += _called(draw, "change_order", len(messages))
    messages.append({"role": "assistant", "content": _talk(draw, 20)})
    messages.append({"role": "user", "content": "That is all. ###STOP###"})
    facts = {
        "slug": f"made-{number}",
        "archetype": f"R{number % 9}",
        "plan": "upfront",
        "seed": number,
        "agent": "scripted",
        "user": "scripted",
        "prompt_version": "1",
        "ended_by": "user_stop",
        "scripted": True,
        "started_at": "2026-11-01T10:00:00+00:00",
        "finished_at": "2026-11-01T10:01:00+00:00",
    }
    record = Record(
        "", task_in(world.version).content_hash, "train", world, messages, facts
    )
    own = content_hash_of(trajectory_json(record))
    return Record(own, record.task, "train", world, messages, facts)


def _called(draw: random.Random, name: str, at: int) -> list[dict[str, Any]]:
    call = {
        "id": f"call_{at}",
        "name": name,
        "arguments": {
            "order_id": f"#W{draw.randrange(10**7)}",
            "limit": at,
            "note": _talk(draw, 3),
        },
    }
    result = {
        "order_id": f"#W{draw.randrange(10**7)}",
        "items": [
            {
                "item_id": str(draw.randrange(10**10)),
                "price": round(draw.uniform(5, 900), 2),
                "available": draw.random() < 0.8,
                "options": {"color": draw.choice(WORDS), "size": draw.choice("SML")},
            }
            for _ in range(4)
        ],
    }
    return [
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": call["id"], "content": json.dumps(result)},
    ]


def _talk(draw: random.Random, words: int) -> str:
    return " ".join(draw.choices(WORDS, k=words)).capitalize() + "."


def _world(number: int) -> World:
    """With a policy of 8 kB and 14 tools, about as large as those of the benchmark."""
    draw = random.Random(-1 - number)
    policy = "\n".join(f"R{n}. {_talk(draw, 18)}" for n in range(55))
    names = ["get_order", "search_items", "get_person", "change_order"]
    names += [f"tool_{n}" for n in range(10)]
    return World(
        name="retail",
        version=f"made-{number}",
        content_hash=digest(policy),
        state_hash=digest(policy),
        policy=policy,
        system=f"Help the customer.\n<policy>\n{policy}\n</policy>",
        tools=tuple(_tool(draw, name) for name in names),
    )


def _tool(draw: random.Random, name: str) -> dict[str, Any]:
    properties = {
        key: {"type": kind, "description": _talk(draw, 10)}
        for key, kind in (
            ("order_id", "string"),
            ("limit", "integer"),
            ("note", "string"),
        )
    }
    parameters = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
    }
    function = {
        "name": name,
        "description": _talk(draw, 30),
        "parameters": parameters,
    }
    return {"type": "function", "function": function}


if __name__ == "__main__":
    main()
