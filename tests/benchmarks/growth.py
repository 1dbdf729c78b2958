"""How times grow with what is stored: `python -m tests.benchmarks.growth [--sizes 10000 100000 1000000] [--rounds 20] [--keep DIR]`.

The first size is stored as trajectories are, through the triggers (tests/benchmarks/lists.py: they differ in what lists look at).
Every further one is filled up with copies of all rows of the first, tasks included, under keys and with a word of their own, past
triggers and with indexes made afterwards: a million in minutes. Then the web server is asked over HTTP, as pages do: lists, search, facets, a verdict
and the desk after the next item; and the first two batches are exported. Medians of wall time; ratios to the size before.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.benchmarks.figures import note, p50, p95, show
from tests.benchmarks.lists import directory, fill

ALIKE = 2.0
"""Ten times as much takes at most so many times as long."""
VERDICTS = 100

TABLES = {
    "task": {"id": 1},
    "batch": {"id": 1},
    "simulation": {"id": 1, "batch_id": "batch", "task_id": "task", "seed": 1},
    "trajectory": {"id": 1, "simulation_id": "simulation"},
    "reviewitem": {
        "id": 1,
        "trajectory_id": "trajectory",
        "batch_id": "batch",
        "task_id": "task",
    },
    "reviewslot": {"id": 1, "item_id": "reviewitem"},
    "argumentsource": {"id": 1, "item_id": "reviewitem"},
    "judgement": {"id": 1, "trajectory_id": "trajectory"},
}
"""Table → columns that are other ones in a copy: by how much its own keys go up, or those of the table that is named."""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000]
    )
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--keep", type=Path, help="directory for the database")
    wanted = parser.parse_args()
    with directory(wanted.keep) as var:
        os.environ |= {"WRIT_VAR_DIR": str(var), "WRIT_ENV": "test"}
        os.environ["DJANGO_SETTINGS_MODULE"] = "writ_app.settings"
        os.environ.pop("DATABASE_URL", None)
        import django

        django.setup()
        measure(sorted(wanted.sizes), wanted.rounds)


def measure(sizes: list[int], rounds: int) -> None:
    from django.conf import settings
    from django.core.management import call_command

    from tests.benchmarks.review import free_port
    from writ_app.adapters.embedded.services import services_running
    from writ_app.management.site import start_web, supervised

    layout = settings.EMBEDDED
    with (
        services_running(layout, settings.EMBEDDED_SERVICES),
        supervised() as supervisor,
    ):
        call_command("migrate", verbosity=0)
        fill(sizes[0])
        port = free_port()
        start_web(supervisor, "127.0.0.1", port)
        before: dict[str, float] = {}
        for size in sizes:
            grow(size)
            found = dict(asked(port, rounds))
            report(size, found, before)
            before = found


def report(size: int, found: dict[str, float], before: dict[str, float]) -> None:
    show(f"\n{size:,} trajectories; load of the machine {os.getloadavg()[0]:.1f}")
    for what, took in found.items():
        more = f"   {took / before[what]:5.2f} times" if before else ""
        show(f"  {what:36} {took:8.1f} ms{more}")
        limit = ALIKE * before[what] if before else None
        note(what, took, "ms", size=size, at_most=limit)


# --- filling --------------------------------------------------------------------------------------------------------------------


def grow(wanted: int) -> None:
    """So many trajectories, by copies of all that are there."""
    from django.db import connection

    from writ_app.models.review import ReviewItem

    began = time.perf_counter()
    there = ReviewItem.objects.count()
    if there >= wanted:
        return
    if wanted % there:
        sys.exit(f"{wanted:,} is not a multiple of {there:,}: choose other sizes.")
    with connection.cursor() as cursor:
        spans = {table: last_key(cursor, table) for table in TABLES}
        with without_indexes(cursor):
            cursor.execute("SET session_replication_role = replica")
            for times in range(1, wanted // there):
                for table in TABLES:
                    cursor.execute(copied(cursor, table, spans, times))
            cursor.execute("SET session_replication_role = origin")
        for table in TABLES:
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence('writ_app_{table}', 'id'), %s)",
                [last_key(cursor, table)],
            )
        cursor.execute("VACUUM (ANALYZE)")
        cursor.execute("SELECT pg_database_size(current_database())")
        size = cursor.fetchone()[0]
    took = time.perf_counter() - began
    show(f"\n{wanted - there:,} copied in {took:.0f} s; {size / 1e9:.1f} GB on disk")


def last_key(cursor: Any, table: str) -> int:
    cursor.execute(f"SELECT coalesce(max(id), 0) FROM writ_app_{table}")
    return int(cursor.fetchone()[0])


def copied(cursor: Any, table: str, spans: dict[str, int], times: int) -> str:
    """The statement that stores the rows of the first filling once more, with keys that are so many spans further."""
    cursor.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND is_generated = 'NEVER'",
        [f"writ_app_{table}"],
    )
    columns = [name for (name,) in cursor.fetchall()]
    values = dict.fromkeys(columns, "")
    for name, of in TABLES[table].items():
        span = spans[table if of == 1 else str(of)]
        values[name] = f"{name} + {times * span}"
    if table == "reviewitem":
        word = f"'w' || (id + {times * spans[table]})"
        values["search"] = f"search || array_to_tsvector(ARRAY[{word}])"
    if table == "task":
        key = f"(id + {times * spans[table]})::text"
        values["slug"] = f"archetype || '-' || {key}"
        values["content_hash"] = f"repeat(md5({key}), 2)"
    told = ", ".join(values[name] or name for name in columns)
    return (
        f"INSERT INTO writ_app_{table} ({', '.join(columns)}) "
        f"SELECT {told} FROM writ_app_{table} WHERE id <= {spans[table]}"
    )


@contextmanager
def without_indexes(cursor: Any) -> Iterator[None]:
    """Those that hold no constraint are made anew at the end, which takes a fraction of keeping them."""
    cursor.execute(
        """
        SELECT relation.relname, pg_get_indexdef(relation.oid) FROM pg_index AS index
        JOIN pg_class AS relation ON relation.oid = index.indexrelid
        WHERE index.indrelid = ANY (%s::regclass[]) AND NOT index.indisunique
        """,
        [[f"writ_app_{table}" for table in TABLES]],
    )
    indexes = cursor.fetchall()
    for name, _ in indexes:
        cursor.execute(f'DROP INDEX "{name}"')
    yield
    cursor.execute("SET maintenance_work_mem = '1GB'")
    for _, definition in indexes:
        cursor.execute(definition)


# --- asking ---------------------------------------------------------------------------------------------------------------------


def asked(port: int, rounds: int) -> Iterator[tuple[str, float]]:
    """What was asked, and the median of its milliseconds."""
    from tests.benchmarks.review import Browserlike, session, work
    from writ_app.models.accounts import User
    from writ_app.models.review import ReviewItem

    key = session(User.objects.get(username="ada"))
    person = Browserlike(port, key)
    newest = ReviewItem.objects.latest("pk").pk
    middle = ReviewItem.objects.get(pk=newest - ReviewItem.objects.count() // 2)

    def opens(name: str, path: str = "", **query: Any) -> tuple[str, float]:
        def act() -> None:
            status, _ = person.get(f"/trajectories/{path}?{urlencode(query, True)}")
            assert status == 200, (name, status)

        return name, p50(timed(act, rounds))

    yield opens("list, first page")
    yield opens("list, deep page", after=middle.pk)
    doubt = f"{middle.uncertainty}_{middle.pk}"
    yield opens("list, least certain, deep", sort="uncertain", after=doubt)
    yield opens("list, archetype and plan", archetype="R5", plan="drip")
    yield opens("list, a failed check", failed="evidence")
    yield opens("search, one item's word", q=f"w{newest}")
    yield opens("search, two common words", q="cheapest exchange")
    yield opens("search, beginning of a word", q="exch")
    yield opens("facets", "facets/")
    yield opens("facets under two filters", "facets/", plan="drip", accepted="yes")
    yield opens("facets of a search", "facets/", q="cheapest exchange")
    yield opens("one trajectory", f"{middle.pk}/")
    took = work(port, key, iter([True] * VERDICTS + [False]).__next__, 0)
    yield "verdict", p50(took.verdict)
    yield "next item's desk", p50(took.desk)
    yield "verdict and next, p95", p95(took.both)
    yield "export of two batches of 5,000", exported()


def timed(act: Callable[[], None], rounds: int) -> list[float]:
    act()
    act()
    took = []
    for _ in range(rounds):
        began = time.perf_counter()
        act()
        took.append(1000 * (time.perf_counter() - began))
    return took


def exported() -> float:
    from writ_app.models.accounts import User
    from writ_app.models.synthesis import Batch
    from writ_app.services.review.selection import json_lines, selected_ids

    ada = User.objects.get(username="ada")
    batches = Batch.objects.order_by("pk").values_list("pk", flat=True)[:2]
    began = time.perf_counter()
    chosen = selected_ids(user=ada, filters={"batch": [str(key) for key in batches]})
    size = sum(map(len, json_lines(chosen)))
    assert size > 1000 * len(chosen) > 0
    return 1000 * (time.perf_counter() - began)


if __name__ == "__main__":
    main()
