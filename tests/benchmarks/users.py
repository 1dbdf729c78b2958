"""Fifty people at once: `python -m tests.benchmarks.users [--trajectories 100000] [--users 50] [--seconds 120] [--keep DIR]`.

An embedded Postgres that syncs its commits holds that many trajectories (tests/benchmarks/review.py stores them), the web server is
the one of `up`, and everybody asks over HTTP as the pages do, with pauses to read: half of them review, the others search, read,
look at dashboards, and export. Printed are errors (anything but the answer that a page expects), milliseconds by kind of request
until the last byte was there, and the web server's memory; `--json FILE` writes the same for programs. Exit code 1 if there was an
error, or memory grew. `--keep DIR` leaves the database for the next run.
"""

import argparse
import json
import os
import random
import re
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.benchmarks.review import (
    WORDS,
    Browserlike,
    Desk,
    free_port,
    memory,
    processor,
    session,
    show,
    store,
)

WARM = 45
"""Seconds before memory is called that of the beginning: owners have been through all pages by then, and every thread has
had a large answer in its hands."""
SAMPLE = 5
FLAT = 1.10
"""Memory at the end over that at the beginning, at most."""
PAUSE = {"reviewer": 2.0, "reader": 2.0, "searcher": 3.0, "owner": 4.0, "exporter": 8.0}
"""Mean seconds between two requests of somebody. A reviewer who decides in two is a fast one."""
SHARES = {"reviewer": 25, "reader": 8, "searcher": 8, "owner": 6, "exporter": 3}
OWNERS = ("owner", "exporter")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trajectories", type=int, default=100_000)
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--keep", type=Path, help="directory for the database")
    parser.add_argument("--json", type=Path, help="file for the figures")
    wanted = parser.parse_args()
    with directory(wanted.keep) as var:
        os.environ |= {"WRIT_VAR_DIR": str(var), "WRIT_ENV": "test"}
        os.environ["DJANGO_SETTINGS_MODULE"] = "writ_app.settings"
        for external in ("DATABASE_URL", "CELERY_BROKER_URL"):
            os.environ.pop(external, None)
        import django

        django.setup()
        found = measure(wanted)
    if wanted.json:
        wanted.json.write_text(json.dumps(found, indent=1))
    return 0 if not found["errors"] and found["memory_mb"]["flat"] else 1


@contextmanager
def directory(keep: Path | None) -> Iterator[Path]:
    if keep:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep
        return
    with tempfile.TemporaryDirectory(prefix="writ-benchmark-") as made:
        yield Path(made)


def measure(wanted: argparse.Namespace) -> dict[str, Any]:
    from django.conf import settings
    from django.core.management import call_command

    from writ_app.adapters.embedded.services import services_running
    from writ_app.management.site import start_web, supervised

    layout = settings.EMBEDDED
    with (
        services_running(layout, settings.EMBEDDED_SERVICES),
        supervised() as supervisor,
    ):
        call_command("migrate", verbosity=0)
        people = fill(wanted.trajectories, wanted.users)
        port = free_port()
        start_web(supervisor, "127.0.0.1", port)
        load = os.getloadavg()[0]
        began, computed = time.perf_counter(), processor(supervisor)
        asked, samples = crowd(people, port, wanted.seconds, lambda: memory(supervisor))
        seconds = time.perf_counter() - began
        computed = processor(supervisor) - computed
    found = figures(asked, samples, seconds)
    found |= {
        "trajectories": wanted.trajectories,
        "users": wanted.users,
        "seconds": round(seconds, 1),
        "load_before": round(load, 1),
        "web_processor_seconds": round(computed, 1),
    }
    tell(found)
    return found


# --- data and people ------------------------------------------------------------------------------------------------------------


def fill(items: int, users: int) -> list[tuple[str, str]]:
    """At least so many trajectories of one team; (kind of person, session key) of its members, owners and reviewers."""
    from django.db import connection

    from tests import factories
    from writ_app.models.accounts import User
    from writ_app.models.synthesis import Batch, Trajectory

    owner = User.objects.filter(username="owner").first()
    owner = owner or factories.make_owner(name="owner")
    team = factories.team_of(owner)
    batch = Batch.objects.filter(team=team).first()
    batch = batch or factories.make_batch(team=team, by=owner, ordered=items)
    if (missing := items - Trajectory.objects.count()) > 0:
        took = store(batch, missing)
        show(f"stored {missing:,} trajectories, {missing / took:,.0f} per s")
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
    kinds = [kind for kind, share in SHARES.items() for _ in range(share)]
    people = []
    for number in range(users):
        kind = kinds[number * len(kinds) // users]
        name = f"{kind}{number}"
        person = User.objects.filter(username=name).first()
        if person is None:
            make = factories.make_reviewer
            person = make(team=team, name=name)
        # What only owners may is asked by the owner, in as many windows.
        people.append((kind, session(owner if kind in OWNERS else person)))
    return people


@dataclass
class Asked:
    """What everybody asked, by kind of request."""

    milliseconds: defaultdict[str, list[float]] = field(
        default_factory=lambda: defaultdict(list)
    )
    bytes: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, kind: str, took: float, size: int, trouble: str) -> None:
        with self.lock:
            self.milliseconds[kind].append(took)
            self.bytes[kind] += size
            if trouble:
                self.errors.append(f"{kind}: {trouble}")


class Person:
    """Somebody with a browser. Every request is timed to its last byte."""

    def __init__(self, port: int, key: str, asked: Asked, seed: int) -> None:
        self._browser = Browserlike(port, key)
        self._asked = asked
        self.rng = random.Random(seed)
        self.seen: list[int] = []
        """Keys of trajectories in the lists that were looked at."""

    def get(self, kind: str, path: str, **query: Any) -> str:
        address = f"{path}?{urlencode(query)}" if query else path
        return self._timed(kind, lambda: self._browser.get(address), {200})

    def post(self, kind: str, path: str, fields: Any, answers: set[int]) -> str:
        ask = self._browser.post
        return self._timed(
            kind, lambda: ask(path, fields, accept="application/json"), answers
        )

    def _timed(
        self, kind: str, ask: Callable[[], tuple[int, str]], answers: set[int]
    ) -> str:
        # The server closes what was idle for two seconds, and a browser connects anew without a word.
        self._browser.connection.close()
        began, text, trouble = time.perf_counter(), "", ""
        try:
            status, text = ask()
            if status not in answers:
                trouble = f"status {status}: {text[:200]}"
        except OSError as error:
            trouble = repr(error)
        self._asked.note(kind, 1000 * (time.perf_counter() - began), len(text), trouble)
        return "" if trouble else text

    def words(self, count: int) -> str:
        return " ".join(self.rng.sample(WORDS, count))

    def trajectory(self) -> int:
        return self.rng.choice(self.seen) if self.seen else 1


def reviewer(person: Person) -> Iterator[None]:
    """Opens the desk and decides, one after the other; the next desk is fetched while this one is read."""
    desk = Desk.read(person.get("desk", "/review/"))
    while desk:
        yield
        fields = [(name, getattr(desk, name)) for name in vars(desk)]
        verdict = person.rng.choices(["APPROVE", "REJECT", "FIX"], [8, 1, 1])[0]
        fields += [("verdict", verdict), ("seconds", "7")]
        if verdict != "APPROVE":
            fields += [("reason", "policy"), ("note", "said by the benchmark")]
        person.post("verdict", "/review/", fields, {200})
        desk = Desk.read(person.post("next desk", "/review/ahead/", [], {200, 204}))


def searcher(person: Person) -> Iterator[None]:
    """Narrows the list by facets and words, and turns pages."""
    while True:
        page = person.get("list", "/trajectories/", status="OPEN")
        person.seen = links(page)
        yield
        if found := re.search(r'href="\?([^"]*after=[^"]+)"', page):
            person.get("list", f"/trajectories/?{found[1].replace('&amp;', '&')}")
            yield
        person.get(
            "list by facets",
            "/trajectories/",
            status="OPEN",
            accepted="yes",
            burden="4-6",
        )
        yield
        person.get("list by words", "/trajectories/", q=person.words(2))
        yield
        person.get("facets", "/trajectories/facets/", status="OPEN")
        yield


def reader(person: Person) -> Iterator[None]:
    """Opens trajectories from the list, and looks into them."""
    while True:
        person.seen = links(person.get("list", "/trajectories/"))
        yield
        for _ in range(3):
            key = person.trajectory()
            person.get("trajectory", f"/trajectories/{key}/")
            yield
            person.get("siblings", f"/trajectories/{key}/siblings/")
            yield
            person.get("preview", f"/trajectories/{key}/preview/")
            yield


def owner(person: Person) -> Iterator[None]:
    """Looks how the team is doing."""
    pages = {
        "start": "/",
        "dashboard": "/review/dashboard/",
        "clusters": "/review/clusters/",
        "quality": "/review/quality/",
        "batches": "/batches/",
        "releases": "/releases/",
        "queue": "/review/queue/",
        "tasks": "/tasks/",
    }
    while True:
        for kind, path in pages.items():
            person.get(kind, path)
            yield


def exporter(person: Person) -> Iterator[None]:
    """Takes what three words find, some hundreds of trajectories, to use elsewhere."""
    while True:
        for kind in ("jsonl", "csv"):
            words = person.words(4)
            person.get(f"export {kind}", f"/trajectories/selection.{kind}", q=words)
            yield


def links(page: str) -> list[int]:
    return [int(key) for key in re.findall(r'href="/trajectories/(\d+)/', page)]


DOES: dict[str, Callable[[Person], Iterator[None]]] = {
    "reviewer": reviewer,
    "searcher": searcher,
    "reader": reader,
    "owner": owner,
    "exporter": exporter,
}


# --- the crowd ------------------------------------------------------------------------------------------------------------------


def crowd(
    people: list[tuple[str, str]],
    port: int,
    seconds: float,
    held: Callable[[], float],
) -> tuple[Asked, list[tuple[float, float]]]:
    """What they asked, and (second, MB) of the web server's memory."""
    asked, samples = Asked(), []
    began = time.monotonic()
    end = began + seconds

    def live(number: int, kind: str, key: str) -> None:
        person = Person(port, key, asked, seed=number)
        pause = PAUSE[kind]
        time.sleep(person.rng.uniform(0, pause))  # they do not come all at once
        try:
            for _ in DOES[kind](person):
                time.sleep(person.rng.uniform(0.5, 1.5) * pause)
                if time.monotonic() > end:
                    return
        except Exception as error:  # a person who stops is an error, too
            asked.note(kind, 0, 0, f"stopped: {error!r}")
            return
        asked.note(kind, 0, 0, "had nothing more to do")

    threads = [
        threading.Thread(target=live, args=(number, kind, key))
        for number, (kind, key) in enumerate(people)
    ]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        samples.append((time.monotonic() - began, held()))
        time.sleep(SAMPLE)
    return asked, samples


def figures(
    asked: Asked, samples: list[tuple[float, float]], seconds: float
) -> dict[str, Any]:
    kinds = {
        kind: {
            "count": len(took),
            "p50_ms": round(statistics.median(took), 1),
            "p95_ms": round(sorted(took)[min(len(took) - 1, int(0.95 * len(took)))], 1),
            "most_ms": round(max(took), 1),
            "kilobytes": round(asked.bytes[kind] / len(took) / 1000, 1),
        }
        for kind, took in sorted(asked.milliseconds.items())
    }
    warm = [size for at, size in samples if at >= WARM] or [samples[-1][1]]
    few = max(1, len(warm) // 5)
    begin, end = statistics.median(warm[:few]), statistics.median(warm[-few:])
    return {
        "errors": len(asked.errors),
        "first_errors": asked.errors[:10],
        "requests": sum(kind["count"] for kind in kinds.values()),
        "requests_per_second": round(
            sum(kind["count"] for kind in kinds.values()) / seconds, 1
        ),
        "kinds": kinds,
        "memory_mb": {
            "begin": round(begin, 1),
            "end": round(end, 1),
            "flat": end <= FLAT * begin,
            "most": round(max(size for _, size in samples), 1),
            "every_five_seconds": [round(size, 1) for _, size in samples],
        },
    }


def tell(found: dict[str, Any]) -> None:
    show(
        f"\n{found['users']} people, {found['trajectories']:,} trajectories, {found['seconds']:.0f} s; "
        f"load of the machine before {found['load_before']}"
    )
    show(
        f"{'request':16} {'count':>6} {'p50 ms':>8} {'p95 ms':>8} {'most':>8} {'kB':>8}"
    )
    for kind, row in found["kinds"].items():
        show(
            f"{kind:16} {row['count']:6} {row['p50_ms']:8.0f} {row['p95_ms']:8.0f} {row['most_ms']:8.0f} {row['kilobytes']:8.0f}"
        )
    held = found["memory_mb"]
    show(
        f"{found['requests']} requests, {found['requests_per_second']} per s; errors {found['errors']}; "
        f"web computed {found['web_processor_seconds']:.0f} s; "
        f"memory {held['begin']:.0f} MB, at the end {held['end']:.0f} MB"
        f"{'' if held['flat'] else ': it grows'}"
    )
    for error in found["first_errors"]:
        show(f"  {error}")


if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[2])
    sys.exit(main())
