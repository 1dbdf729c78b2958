"""How fast the list of trajectories is: pages, facets, search, bulk actions, export, with many trajectories stored.

    python -m tests.benchmarks.lists [--trajectories 10000] [--rounds 30] [--keep DIR]

An embedded Postgres is filled with copies of simulated trajectories that differ in what lists look at; the copies go in as rows
do, through the triggers. Times are of the views' own work: services, without HTTP. `--keep` leaves the data for another run.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.benchmarks.figures import p50, p95, show

TASKS = 240
ORIGINALS = 12
CHUNK = 5_000

COPY_TASKS = """
INSERT INTO writ_app_task (environment_id, content_hash, slug, archetype, title, task_class, burden, writes, lift, existential,
                           dependent, proved, text, content)
SELECT environment_id, md5(copy::text) || md5(id::text), slug || '-' || copy,
       (ARRAY['R1','R2','R5','R7','R13','W1','W2','N1','A3','A8','C4','R1+R5'])[1 + copy %% 12], title,
       CASE WHEN copy %% 12 < 8 THEN 'read_heavy' ELSE 'write_heavy' END, copy * 7 %% 19, copy %% 5, 3, false, false, true,
       text, content
FROM (SELECT * FROM writ_app_task ORDER BY id LIMIT 1) AS original, generate_series(1, %s) AS copy
"""
COPY_SIMULATIONS = """
WITH tasks AS (SELECT array_agg(id ORDER BY id) AS ids FROM writ_app_task WHERE slug LIKE '%%-%%')
INSERT INTO writ_app_simulation (batch_id, task_id, plan, persona, behaviour, seed, fault, status, attempt, runner, setbacks,
                                 round, note)
SELECT %(batch)s, ids[1 + (hashint4(copy) & 127)], (ARRAY['upfront','drip','corrects','refuses'])[1 + (copy / 12) %% 4], '',
       '{}', copy, '', 'DONE', 1, '', 0, 0, ''
FROM tasks, generate_series(%(first)s, %(last)s) AS copy
"""
# Every copy talks of its own order, so that a search for one finds one.
COPY_TRAJECTORIES = """
INSERT INTO writ_app_trajectory (simulation_id, content, content_hash, ended_by, scripted, steps, verification, realised,
                                 accepted, reason, owner)
SELECT simulation.id, regexp_replace(original.content::text, '#W[0-9]+', '#W' || (5000000 + simulation.seed), 'g')::json,
       original.content_hash, original.ended_by, true, original.steps, original.verification, '{}',
       original.accepted, original.reason, original.owner
FROM writ_app_simulation AS simulation
JOIN writ_app_trajectory AS original
  ON original.id = (%(originals)s::bigint[])[1 + (hashint8(simulation.seed) & 1048575) %% array_length(%(originals)s, 1)]
WHERE simulation.seed BETWEEN %(first)s AND %(last)s AND simulation.batch_id = %(batch)s
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--trajectories", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--keep", type=Path, help="directory for the database")
    parser.add_argument("--bulk", type=int, default=10_000, help="items of one verdict")
    wanted = parser.parse_args()
    with directory(wanted.keep) as var:
        os.environ["WRIT_VAR_DIR"] = str(var)
        os.environ["WRIT_ENV"] = "test"
        os.environ["DJANGO_SETTINGS_MODULE"] = "writ_app.settings"
        import django

        django.setup()
        from django.conf import settings
        from django.core.management import call_command

        from writ_app.adapters.embedded.services import services_running

        with services_running(settings.EMBEDDED, ["postgres"]):
            call_command("migrate", verbosity=0)
            fill(wanted.trajectories)
            measure(wanted.rounds)
            judge(wanted.bulk)


@contextmanager
def directory(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="writ-lists-") as made:
        yield Path(made)


def fill(wanted: int) -> None:
    """Up to so many items, in batches of a chunk each; what there is already stays."""
    from django.db import connection, transaction

    from tests.factories import make_batch, make_owner, make_trajectory, team_of
    from writ_app.models.accounts import User
    from writ_app.models.review import ReviewItem
    from writ_app.models.synthesis import Trajectory

    owner = User.objects.filter(username="ada").first() or make_owner(name="ada")
    team = team_of(owner)
    if not Trajectory.objects.exists():
        batch = make_batch(team=team, by=owner)
        for number in range(ORIGINALS):
            fault = ("", "", "", "missing_read", "wrong_argument", "")[number % 6]
            make_trajectory(batch=batch, number=number, fault=fault)
        with connection.cursor() as cursor:
            cursor.execute(COPY_TASKS, [TASKS])
    originals = list(
        Trajectory.objects.order_by("id").values_list("id", flat=True)[:ORIGINALS]
    )
    there, began = ReviewItem.objects.count(), time.perf_counter()
    for first in range(there, wanted, CHUNK):
        last = min(first + CHUNK, wanted) - 1
        with transaction.atomic(), connection.cursor() as cursor:
            named = {"first": first, "last": last, "originals": originals}
            named["batch"] = make_batch(team=team, by=owner).pk
            cursor.execute(COPY_SIMULATIONS, named)
            cursor.execute(COPY_TRAJECTORIES, named)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
    made = ReviewItem.objects.count() - there
    show(
        f"{there + made:,} items, {made:,} of them new, in {time.perf_counter() - began:.0f} s"
    )


def timed(name: str, rounds: int, act: Callable[[], Any]) -> None:
    act()
    took = []
    for _ in range(rounds):
        began = time.perf_counter()
        act()
        took.append(1000 * (time.perf_counter() - began))
    show(f"{name:40} p50 {p50(took):7.1f} ms   p95 {p95(took):7.1f} ms")


def measure(rounds: int) -> None:
    from django.test import Client
    from django.urls import reverse

    from writ_app.models.accounts import User
    from writ_app.models.review import ReviewItem

    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.get(username="ada"))
    ids = ReviewItem.objects.order_by("pk").values_list("pk", flat=True)
    middle = ids[ids.count() // 2]
    uncertain = ReviewItem.objects.get(pk=middle).uncertainty

    def opens(name: str, address: str = "trajectories", **query: Any) -> None:
        def act() -> None:
            nonlocal size
            response = client.get(reverse(address), query)
            assert response.status_code == 200
            size = len(response.content)

        size = 0
        timed(name, rounds, act)
        show(f"{'':40} {size / 1000:.0f} kB")

    opens("first page", sort="newest")
    opens("deep page", after=middle)
    opens("backwards from there", before=middle)
    opens("least certain, deep", sort="uncertain", after=f"{uncertain}_{middle}")
    opens("highest burden", sort="burden")
    opens("archetype and plan", archetype="R5", plan="drip")
    opens("a failed check, cell", failed="evidence", writes="1", burden="4-6")
    opens("argument not found", argument="new_item_ids", argument_kind="not_found")
    opens("same tool", tool="get_order_details", accepted="no")
    opens("facets", "trajectory_facets")
    opens(
        "facets under three filters",
        "trajectory_facets",
        plan="drip",
        accepted="yes",
        writes=["1", "2-3"],
    )
    opens("search: one id", q=f"#W{5_000_000 + ids.count() // 3}")
    opens("search: beginning of a word", q="exch")
    opens("search: two common words", q="cheapest exchange")
    opens("search: none has both", q="exchange zebra")
    opens("facets of a search", "trajectory_facets", q="cheapest exchange")


def judge(wanted: int) -> None:
    """Approve many at once, take it back, and look at every file."""
    from django.utils import timezone

    from tests.factories import team_of
    from writ_app.models.accounts import User
    from writ_app.models.review import ReviewItem, Verdict
    from writ_app.services.review.bulk import (
        apply_bulk,
        chosen_ids,
        forecast,
        undo_bulk,
    )
    from writ_app.services.review.listing import found_by
    from writ_app.services.review.selection import json_lines, selected_ids

    ada = User.objects.get(username="ada")
    team, now = team_of(ada), timezone.now()
    found = found_by({"status": ["OPEN"]}, user=ada).order_by("pk")[:wanted]
    ids = chosen_ids(
        ReviewItem.objects.filter(pk__in=list(found.values_list("pk", flat=True))), team
    )
    by = {"items": ids, "user": ada, "verdict": Verdict.APPROVE, "at": now}
    done = []
    timed(f"forecast for {len(ids):,}", 3, lambda: forecast(**by))
    began = time.perf_counter()
    done.append(apply_bulk(team=team, **by))
    show(f"{f'approve {len(ids):,}':40} {time.perf_counter() - began:.1f} s")
    began = time.perf_counter()
    undo_bulk(action=done[0], user=ada, at=now)
    show(f"{'undo them':40} {time.perf_counter() - began:.1f} s")
    began = time.perf_counter()
    chosen = selected_ids(user=ada, filters={})[:wanted]
    size = sum(map(len, json_lines(chosen)))
    show(
        f"{f'export {len(chosen):,}, {size / 1e6:.0f} MB':40} {time.perf_counter() - began:.1f} s"
    )


if __name__ == "__main__":
    main()
