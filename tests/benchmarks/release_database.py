"""How fast a release is chosen, frozen and written from the database, and how much memory that takes.

    python -m tests.benchmarks.release_database [--items 10000] [--formats jsonl trl parquet]

Fills an embedded Postgres that syncs its commits with approved trajectories (as tests/benchmarks/review.py does: 24 different
tasks, a sentence of its own in each), drafts a release of all of them with three splits and counted tokens, freezes it, and writes
files. Each step is a process of its own: CPU seconds of it, seconds of wall time, rows per second, peak of resident memory above
what it was when everything was imported. Writing formats alone, without a database, is
tests/benchmarks/release.py. Linux only.
"""

import argparse
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.benchmarks.figures import note, show
from tests.benchmarks.release import _memory, without_pandas


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--formats", nargs="*", default=["jsonl", "trl", "parquet"])
    parser.add_argument("--profile", help="one of the steps, profiled in this process")
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
            fill(wanted.items)
            show(
                f"{wanted.items:,} trajectories; load of the machine {os.getloadavg()[0]:.1f}"
            )
            show(f"{'':24}{'CPU s':>8}{'wall s':>8}{'rows/s':>10}{'+MB peak':>10}")
            for step in ("choose", "freeze", *wanted.formats):
                if step == wanted.profile:
                    profiled(step)
                else:
                    measured(step, wanted.items)


def set_up() -> None:
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "writ_app.settings"
    django.setup()


def fill(items: int) -> None:
    from django.db import connection

    from tests import factories
    from tests.benchmarks.review import store
    from writ_app.models.review import ReviewSlot

    owner = factories.make_owner(name="owner")
    batch = factories.make_batch(team=factories.team_of(owner), by=owner, ordered=items)
    store(batch, items)
    ReviewSlot.objects.update(status="APPROVED")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def measured(step: str, items: int) -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        cpu, wall, peak = pool.apply(run, (step,))
    note(f"{step}: speed", items / wall, "per s")
    note(f"{step}: memory above idle", peak / 1e6, "MB", at_most=100)
    show(f"{step:24}{cpu:8.2f}{wall:8.2f}{items / wall:10,.0f}{peak / 1e6:10.1f}")


def run(step: str) -> tuple[float, float, int]:
    """(CPU seconds, seconds, bytes above idle at the peak)"""
    set_up()
    without_pandas()
    import pyarrow.parquet  # noqa: F401  # What is measured is not this import.

    act = prepared(step)
    idle = _memory("VmRSS")
    cpu, wall = time.process_time(), time.perf_counter()
    act()
    return (
        time.process_time() - cpu,
        time.perf_counter() - wall,
        _memory("VmHWM") - idle,
    )


def prepared(step: str) -> Callable[[], Any]:
    """What to measure; environments are loaded already, as in a worker that has been up for a while."""
    from datetime import UTC, datetime

    from writ_app.engine.export.tokens import counter
    from writ_app.models.accounts import User
    from writ_app.models.catalog import Environment
    from writ_app.models.release import Release
    from writ_app.services.catalog import load_environment
    from writ_app.services.release import draft, freeze, recipe

    for row in Environment.objects.all():
        load_environment(row)
    owner = User.objects.get(username="owner")
    if step == "choose":
        counter("cl100k_base")
        release = draft.draft_release(
            team=owner.memberships.get().team,
            name="all",
            by=owner,
            recipe=recipe.Recipe(
                shares={"train": 0.8, "validation": 0.1, "test": 0.1},
                tokenizer="cl100k_base",
            ),
        )
        order = draft.order_choice(release)
        return lambda: draft.choose_members(release_id=release.pk, revision=order)
    release = Release.objects.get()
    if step == "freeze":
        at = datetime.now(UTC)
        return lambda: freeze.freeze_draft(release=release, by=owner, at=at)

    def write() -> None:
        with tempfile.TemporaryDirectory(prefix="writ-release-") as place:
            export(release, step, Path(place))

    return write


def export(release: Any, slug: str, place: Path) -> None:
    """The files of the format, each row held to its hash."""
    from writ_app.services.release.files import files_of, write_file

    for file in files_of(release, [slug]):
        if file.slug == slug:
            path = place / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as written:
                for part in write_file(release, file):
                    written.write(part)


def profiled(step: str) -> None:
    import cProfile
    import pstats

    act = prepared(step)
    profile = cProfile.Profile()
    profile.runcall(act)
    pstats.Stats(profile).sort_stats("tottime").print_stats(25)


if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[2])
    main()
