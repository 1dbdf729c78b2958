"""What the audit log costs: `python -m tests.benchmarks.audit [--entries 1000000] [--parts verdicts verify]`.

On an embedded Postgres that syncs its commits.

    verdicts  a verdict with its entry and link, and the same without (the entry left out of the statement), in pairs on the same data: ms each, and with several reviewers at once, verdicts per second
    verify    entries put in by one statement, then the chain walked: entries per second, memory of the process; pages of
              the log by several filters
"""

import argparse
import os
import resource
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from unittest.mock import patch

PARTS = ("verdicts", "verify")


def show(text: str) -> None:
    print(text, flush=True)  # noqa: T201


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--items", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=8, help="pairs of measures")
    parser.add_argument("--reviewers", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--entries", type=int, default=1_000_000)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="writ-benchmark-") as var:
        os.environ |= {"WRIT_VAR_DIR": var, "WRIT_ENV": "test"}
        os.environ.pop("DATABASE_URL", None)
        measure(wanted)


def measure(wanted: argparse.Namespace) -> None:
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "writ_app.settings"
    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    from writ_app.adapters.embedded.services import services_running

    with services_running(settings.EMBEDDED, ["postgres"]):
        call_command("migrate", verbosity=0)
        show(f"load of the machine {os.getloadavg()[0]:.1f}")
        if "verdicts" in wanted.parts:
            verdicts(wanted)
        if "verify" in wanted.parts:
            verify(wanted.entries)


# --- verdicts ------------------------------------------------------------------------------------------------------------------


def verdicts(wanted: argparse.Namespace) -> None:
    from tests import factories
    from tests.benchmarks.review import store
    from writ_app.services.review import verdicts as service

    owner = factories.make_owner(name="owner")
    team = factories.team_of(owner)
    each = wanted.items // (2 * wanted.rounds * len(wanted.reviewers))
    batch = factories.make_batch(team=team, by=owner, ordered=wanted.items)
    store(batch, wanted.items)
    slots = iter(slots_of(team))
    people = [
        factories.make_reviewer(team=team, name=f"reviewer{n}")
        for n in range(max(wanted.reviewers))
    ]
    with_log = service._GIVE
    without = (
        with_log[: with_log.index(",\nkept AS")] + "\nSELECT id, created_at FROM said"
    )
    for count in wanted.reviewers:
        pairs: list[tuple[float, float]] = []
        rates: list[tuple[float, float]] = []
        for number in range(wanted.rounds):
            found = {}
            # the order turns, so that neither is always the one that comes first
            for logged in (True, False) if number % 2 else (False, True):
                with patch.object(service, "_GIVE", with_log if logged else without):
                    taken = [next(slots) for _ in range(each)]
                    found[logged] = give(people[:count], taken)
            pairs.append((found[False][0], found[True][0]))
            rates.append((found[False][1], found[True][1]))
        plain, logged_ = (statistics.median(one) for one in zip(*pairs, strict=True))
        differences = [logged - plain for plain, logged in pairs]
        per_second = [statistics.median(one) for one in zip(*rates, strict=True)]
        show(
            f"{count} at once: {plain:.2f} ms without, {logged_:.2f} ms with the log; difference in pairs "
            f"{statistics.median(differences):+.2f} ms ({min(differences):+.2f} to {max(differences):+.2f}); "
            f"{per_second[0]:.0f} and {per_second[1]:.0f} verdicts per s"
        )


def slots_of(team: Any) -> list[Any]:
    from writ_app.models.review import ReviewSlot

    return list(ReviewSlot.objects.filter(team=team, ready=True).order_by("pk"))


def give(people: list[Any], slots: list[Any]) -> tuple[float, float]:
    """(median ms of a verdict, verdicts per second) of these people, who share the slots out among them."""
    from django.db import connection
    from django.utils import timezone

    from writ_app.models.review import Verdict
    from writ_app.services.review import submit_verdict
    from writ_app.services.review.queue import take

    def work(number: int) -> list[float]:
        took = []
        person, mine = people[number], slots[number :: len(people)]
        for slot in mine:
            take(slot=slot, user=person, at=timezone.now())
        for slot in mine:
            began = time.perf_counter()
            submit_verdict(
                slot=slot,
                token=slot.token,
                reviewer=person,
                verdict=Verdict.REJECT,
                reason="other",
                note="measured",
                at=timezone.now(),
            )
            took.append(time.perf_counter() - began)
        connection.close()  # of this thread
        return took

    with ThreadPoolExecutor(len(people)) as threads:
        took = [one for part in threads.map(work, range(len(people))) for one in part]
    spent = sum(took) / len(people)
    return 1000 * statistics.median(took), len(took) / spent


# --- verifying -----------------------------------------------------------------------------------------------------------------


def verify(entries: int) -> None:
    from django.db import connection

    from tests import factories
    from writ_app.services.audit.chain import seal, verify_chain

    team = factories.make_team()
    began = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO writ_app_auditentry (team_id, door, request_id, action, kind, key, after)
            SELECT %s, 'web', md5(n::text), 'verdict.give', 'reviewevent', n::text,
              json_build_object('trajectory', n, 'verdict', 'APPROVE', 'reason', '')
            FROM generate_series(1, %s) AS n
            """,
            [team.pk, entries],
        )
        written = time.perf_counter() - began
        began = time.perf_counter()
        seal()
        linked = time.perf_counter() - began
        cursor.execute("VACUUM ANALYZE writ_app_auditentry, writ_app_auditlink")
        sizes = []
        for table in ("auditentry", "auditlink"):
            cursor.execute("SELECT pg_total_relation_size(%s)", [f"writ_app_{table}"])
            sizes.append(cursor.fetchone()[0] / entries)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    found = verify_chain(team.pk)
    took = time.perf_counter() - began
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert found.broken is None
    assert found.head.number == entries
    show(
        f"{entries:,} entries written in {written:.0f} s, linked in {linked:.0f} s, {sizes[0]:.0f} + {sizes[1]:.0f} bytes each with indexes; "
        f"verified in {took:.1f} s ({entries / took:,.0f} per s), the process grew by {grown / 1000:.0f} MB"
    )
    pages(team, entries)


def pages(team: Any, entries: int) -> None:
    """Milliseconds of one page of a full log; a filter that finds nothing is the worst there is."""
    from tests import factories
    from writ_app.services.audit.reading import (
        Wanted,
        actions_of,
        page_of,
        people_of,
        state_of,
    )

    owner = factories.make_owner(team=team)
    wanted = {
        "everything": Wanted(),
        "an action there is": Wanted(action="verdict.give"),
        "an action there is not": Wanted(action="nothing.there"),
        "one row": Wanted(kind="reviewevent", key=str(entries // 2)),
        "somebody who did nothing": Wanted(actor=str(owner.pk)),
    }
    calls: dict[str, Any] = {
        f"page of {name}": partial(page_of, team, one) for name, one in wanted.items()
    } | {one.__name__: partial(one, team) for one in (actions_of, people_of, state_of)}
    for name, call in calls.items():
        times = []
        for _ in range(5):
            began = time.perf_counter()
            call()
            times.append(time.perf_counter() - began)
        show(f"  {name}: {1000 * statistics.median(times):.1f} ms")


if __name__ == "__main__":
    main()
