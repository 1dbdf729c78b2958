"""How fast people get through the queue: `python -m tests.benchmarks.review [--items 10000 100000] [--parts ...]`.

Fills an embedded Postgres that syncs its commits with trajectories through the triggers (simulated by hand, 10 to 17 kB each, a
sentence of its own in every one), starts the web server as `up` does, and lets reviewers work over HTTP as the page does: the
verdict, then the desk after the next one, which is leased and drawn ahead.

    import    rows per second, size of the database
    http      one and eight reviewers: verdict, desk, both (ms); verdicts per second; items that two people had at once
    lists     the list page over HTTP, by facet, by words (tests/benchmarks/lists.py has its queries)
    browser   key to next item drawn, elements, bytes, in Chromium

A client that is killed hangs up before the answer, in one of twenty verdicts; its successor sends the same again.
"""

import argparse
import hashlib
import http.client
import json
import os
import random
import re
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.benchmarks.figures import note, p50, p95, show

PARTS = ("import", "http", "lists", "browser")
TASKS = 24
"""Different tasks; trajectories differ by a sentence."""
CSRF = "c" * 32
# What Label Studio 1.23.2 and doccano 1.8.4 needed for 10,000 such trajectories.
IMPORTS = "Label Studio 461, doccano 1,031"
NEXT = "Label Studio 400, doccano 77"
NEXT_8 = "next / submit: Label Studio 1,064 / 1,244, doccano 239 / 237"
PACE = "Label Studio 4.9, doccano 23.1"
TWICE = "Label Studio 0 (with SQLite 55), doccano 370, of 400"
LIST = "Label Studio 260, doccano 143"
SEARCH = "Label Studio 5,507, doccano 1,570"
KEY = "Label Studio 1,352, doccano 179"
BYTES = "Label Studio 7,700, doccano 700"
HANG_UP = 0.05
CHUNK = 250
"""Trajectories per statement and commit: as many as the server keeps in memory (work_mem) to file them."""
WORDS = [
    "grey",
    "lamp",
    "kettle",
    "rucksack",
    "boots",
    "river",
    "cedar",
    "maple",
    "summit",
    "harbor",
    "velvet",
    "copper",
    "quartz",
    "lantern",
    "meadow",
    "pepper",
    "saddle",
    "timber",
    "walnut",
    "zephyr",
    "amber",
    "basil",
    "canyon",
    "dapple",
    "ember",
    "fjord",
]


def main() -> None:
    wanted = arguments()
    for items in wanted.items:
        with tempfile.TemporaryDirectory(prefix="writ-benchmark-") as var:
            os.environ |= {"WRIT_VAR_DIR": var, "WRIT_ENV": "test"}
            os.environ.pop("DATABASE_URL", None)
            if len(wanted.items) == 1:
                measure(wanted, items)
            else:  # settings are read once per process
                # the last of an option given twice counts
                again = [*sys.argv[1:], "--items", str(items)]
                command = [sys.executable, "-m", "tests.benchmarks.review", *again]
                os.spawnv(os.P_WAIT, sys.executable, command)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, nargs="+", default=[10_000])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--writers", type=int, default=1, help="connections of import")
    parser.add_argument("--reviewers", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--verdicts", type=int, default=400, help="per number of them")
    parser.add_argument("--presses", type=int, default=30, help="keys in the browser")
    return parser.parse_args()


def measure(wanted: argparse.Namespace, items: int) -> None:
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "writ_app.settings"
    django.setup()
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
        show(f"\n{items:,} trajectories; load of the machine {os.getloadavg()[0]:.1f}")
        people = fill(items, max(wanted.reviewers), wanted.writers)
        port = free_port()
        start_web(supervisor, "127.0.0.1", port)
        if "http" in wanted.parts:
            for count in wanted.reviewers:
                before = processor(supervisor)
                given = review(port, people[:count], wanted.verdicts)
                spent = 1000 * (processor(supervisor) - before) / given
                show(f"  the web server computed {spent:.0f} ms per verdict and desk")
        if "lists" in wanted.parts:
            lists(port, people[0])
        if "browser" in wanted.parts:
            browse(port, people[0], wanted.presses)
        held = memory(supervisor)
        note("memory of the web server after all that", held, "MB")
        show(f"memory of the web server: {held:.0f} MB")


def free_port() -> int:
    import socket

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
    return port


def memory(supervisor: Any) -> float:
    """MB that the web server's processes have for themselves or share among them."""
    from writ_app.adapters.memory import held_by_family

    held, _ = held_by_family(family(supervisor)[0].pid)
    return held / 1e6


def processor(supervisor: Any) -> float:
    """Seconds that they have computed: what another program takes of the machine does not count."""
    times = [one.cpu_times() for one in family(supervisor)]
    return float(sum(one.user + one.system for one in times))


def family(supervisor: Any) -> list[Any]:
    import psutil

    (web,) = [child for child in supervisor.children if child.name == "web"]
    first = psutil.Process(web.process.pid)
    return [first, *first.children(recursive=True)]


# --- filling --------------------------------------------------------------------------------------------------------------------


def fill(items: int, reviewers: int, writers: int = 1) -> list[str]:
    """So many trajectories for one team; returns the session keys of its reviewers."""
    from django.db import connection

    from tests import factories

    owner = factories.make_owner(name="owner")
    team = factories.team_of(owner)
    batch = factories.make_batch(team=team, by=owner, ordered=items)
    took = store(batch, items, writers)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("SELECT pg_database_size(current_database())")
        size = cursor.fetchone()[0]
    show(
        f"import: {items / took:,.0f} per s, {size / items / 1000:.1f} kB each on disk"
    )
    note(
        "import over one connection",
        items / took,
        "per s",
        at_least=2500,
        beside=IMPORTS,
    )
    names = (f"reviewer{number}" for number in range(reviewers))
    return [session(factories.make_reviewer(team=team, name=name)) for name in names]


def store(batch: Any, items: int, writers: int = 1) -> float:
    """So many trajectories of a batch, in bulk, by so many connections; returns the seconds it took to write them."""
    from django.db import connection

    from tests import factories, samples
    from writ_app.engine.behaviour import PLANS, make_ledger
    from writ_app.models.synthesis import Simulation
    from writ_app.services.catalog import store_task

    pool = []
    words = samples.sample_environment().domain.words
    for number in range(TASKS):
        task = factories.sample_task(number)
        row = store_task(environment=batch.environment, task=task)
        talk, seen = samples.simulate(task)
        ledger = make_ledger(task, PLANS[talk.plan], random.Random(number), words)
        pool.append((row.pk, talk, seen, ledger))
    last = Simulation.objects.order_by("pk").values_list("pk", flat=True).last() or 0
    chunks = [
        range(first, min(first + CHUNK, last + 1 + items))
        for first in range(last + 1, last + 1 + items, CHUNK)
    ]

    def write(number: int) -> None:
        for keys in chunks[number::writers]:
            copy("simulation", SIMULATION, simulations(batch.pk, pool, keys))
            rows = trajectories(pool, keys, random.Random(keys[0]))
            copy("trajectory", TRAJECTORY, rows)
        connection.close()  # of this thread

    began = time.perf_counter()
    with ThreadPoolExecutor(writers) as threads:
        list(threads.map(write, range(writers)))
    return time.perf_counter() - began


def copy(table: str, columns: str, rows: Iterator[tuple[Any, ...]]) -> None:
    from django.db import connection

    statement = f"COPY writ_app_{table} ({columns}) FROM STDIN"
    with connection.cursor() as cursor, cursor.cursor.copy(statement) as stream:
        for values in rows:
            stream.write_row(values)


SIMULATION = (
    "id, batch_id, task_id, plan, persona, behaviour, ledger, seed, fault, status, attempt, runner, "
    "setbacks, round, note"
)
TRAJECTORY = (
    "simulation_id, content, content_hash, ended_by, scripted, steps, verification, realised, "
    "accepted, reason, owner"
)


def simulations(batch: int, pool: list[Any], keys: range) -> Iterator[tuple[Any, ...]]:
    texts = [
        (task, talk.plan, json.dumps(ledger.behaviour), ledger.model_dump_json())
        for task, talk, _, ledger in pool
    ]
    for n in keys:
        task, plan, behaviour, ledger = texts[n % TASKS]
        yield (
            n,
            batch,
            task,
            plan,
            "",
            behaviour,
            ledger,
            n,
            "",
            "DONE",
            1,
            "",
            0,
            0,
            "",
        )


def trajectories(
    pool: list[Any], keys: range, rng: random.Random
) -> Iterator[tuple[Any, ...]]:
    texts = [
        (talk.model_dump_json(), talk, seen.model_dump_json())
        for _, talk, seen, _ in pool
    ]
    for n in keys:
        text, talk, judged = texts[n % TASKS]
        sentence = f"Number {n}: {' '.join(rng.choices(WORDS, k=8))}."
        text = text.replace('"content":"', f'"content":"{sentence} ', 1)
        digest = hashlib.sha256(str(n).encode()).hexdigest()
        ended = talk.ended_by.value
        yield (
            n,
            text,
            digest,
            ended,
            True,
            len(talk.messages),
            judged,
            "{}",
            True,
            "",
            "",
        )


def session(user: Any) -> str:
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

    from writ_app.models import clock
    from writ_app.services.sessions import FRESH, SessionStore

    store = SessionStore()
    store[FRESH] = clock.now().timestamp()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.create()
    return str(store.session_key)


# --- reviewers ------------------------------------------------------------------------------------------------------------------


class Browserlike:
    """A connection that is kept, with the cookies of somebody who is signed in."""

    def __init__(self, port: int, key: str):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.headers = {"Cookie": f"sessionid={key}; csrftoken={CSRF}"}

    def get(self, path: str) -> tuple[int, str]:
        return self._ask("GET", path, None, self.headers)

    def post(
        self, path: str, fields: Any, *, accept: str = "*/*", hang_up: bool = False
    ) -> tuple[int, str]:
        body = urlencode([("csrfmiddlewaretoken", CSRF), *fields])
        form = {"Content-Type": "application/x-www-form-urlencoded", "Accept": accept}
        headers = {**self.headers, **form, "HX-Request": "true"}
        if hang_up:
            self.connection.request("POST", path, body, headers)
            self.connection.close()
            return 0, ""
        return self._ask("POST", path, body, headers)

    def _ask(self, method: str, path: str, body: Any, headers: Any) -> tuple[int, str]:
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        return answer.status, answer.read().decode()


@dataclass
class Desk:
    slot: str
    token: str
    submission: str

    @classmethod
    def read(cls, page: str) -> "Desk | None":
        found = {
            name: re.search(rf'name="{name}" value="([^"]+)"', page)
            for name in ("slot", "token", "submission")
        }
        if not all(found.values()):
            return None
        return cls(**{name: match[1] for name, match in found.items() if match})

    @property
    def held(self) -> tuple[str, str]:
        return "held", f"{self.slot}:{self.token}"


@dataclass
class Took:
    """Milliseconds, and who had which slot under which token."""

    verdict: list[float] = field(default_factory=list)
    desk: list[float] = field(default_factory=list)
    bytes: list[int] = field(default_factory=list)
    had: list[tuple[str, str]] = field(default_factory=list)
    refused: int = 0

    @property
    def both(self) -> list[float]:
        return [a + b for a, b in zip(self.verdict, self.desk, strict=True)]


def work(port: int, key: str, until: Callable[[], bool], seed: int) -> Took:
    """Approve and go on, as the page does with keys pressed without a pause."""
    rng, took, person = random.Random(seed), Took(), Browserlike(port, key)
    current = Desk.read(person.get("/review/")[1])
    while current and until():
        took.had.append((current.slot, current.token))
        fields = [(name, getattr(current, name)) for name in vars(current)]
        fields += [("verdict", "APPROVE"), ("seconds", "7")]
        if rng.random() < HANG_UP:
            person.post("/review/", fields, accept="application/json", hang_up=True)
        began = time.perf_counter()
        status, _ = person.post("/review/", fields, accept="application/json")
        middle = time.perf_counter()
        took.refused += status != 200
        _, page = person.post("/review/ahead/", [])
        took.verdict.append(1000 * (middle - began))
        took.desk.append(1000 * (time.perf_counter() - middle))
        took.bytes.append(len(page.encode()))
        current = Desk.read(page)
    return took


def review(port: int, keys: list[str], verdicts: int) -> int:
    """Verdicts that were given; the rest is printed."""
    from writ_app.models.review import ReviewEvent

    left, lock = [verdicts], threading.Lock()

    def until() -> bool:
        with lock:
            left[0] -= 1
            return left[0] >= 0

    work(port, keys[0], iter([True] * 5 + [False]).__next__, 0)  # the process warms up
    before = ReviewEvent.objects.count()
    began = time.perf_counter()
    with ThreadPoolExecutor(len(keys)) as pool:
        runs = [pool.submit(work, port, key, until, n) for n, key in enumerate(keys, 1)]
        took = [run.result() for run in runs]
    seconds = time.perf_counter() - began
    given = ReviewEvent.objects.count() - before
    all_of = {
        name: [value for one in took for value in getattr(one, name)]
        for name in ("verdict", "desk", "both", "bytes", "had")
    }
    doubles = len(all_of["had"]) - len(set(all_of["had"]))
    who = "one reviewer" if len(keys) == 1 else f"{len(keys)} reviewers"
    pace = given / seconds
    if len(keys) == 1:
        middle = p50(all_of["both"])
        note(
            "one reviewer: submit and next, p50", middle, "ms", at_most=30, beside=NEXT
        )
    else:
        most = p95(all_of["both"])
        note(f"{who}: submit and next, p95", most, "ms", at_most=150, beside=NEXT_8)
        note(f"{who}: verdicts", pace, "per s", at_least=60, beside=PACE)
    beyond = doubles + too_many()
    note(f"{who}: beyond their slots", beyond, f"of {given}", at_most=0, beside=TWICE)
    show(
        f"{len(keys)} reviewer(s): submit and next {percentiles(all_of['both'])} ms "
        f"(verdict {percentiles(all_of['verdict'])}, desk {percentiles(all_of['desk'])}); "
        f"{pace:.1f} verdicts/s; {statistics.mean(all_of['bytes']) / 1000:.0f} kB per desk; "
        f"refused {sum(one.refused for one in took)}; beyond their slots {beyond} of {given}"
    )
    return given


def too_many() -> int:
    """Verdicts that stand on items beyond the number that was wanted."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT coalesce(sum(given - wanted), 0) FROM (
              SELECT item.wanted, count(*) AS given FROM writ_app_reviewevent AS event
              JOIN writ_app_reviewslot AS slot ON slot.id = event.slot_id
              JOIN writ_app_reviewitem AS item ON item.id = slot.item_id
              GROUP BY item.id HAVING count(*) > item.wanted) AS more
            """
        )
        return int(cursor.fetchone()[0])


def percentiles(values: list[float]) -> str:
    return f"{p50(values):.0f} / {p95(values):.0f}"


# --- pages ----------------------------------------------------------------------------------------------------------------------


def lists(port: int, key: str) -> None:
    from writ_app.models.review import ReviewItem

    person = Browserlike(port, key)
    middle = ReviewItem.objects.latest("pk").pk - ReviewItem.objects.count() // 2
    chosen = {"status": "OPEN", "accepted": "yes", "burden": "4-6"}
    for name, path, query, limit in (
        ("first page", "", {}, 25),
        ("deep page", "", {"after": middle}, 25),
        ("one facet", "", {"status": "OPEN"}, 25),
        ("three facets", "", chosen, 25),
        ("two words", "", {"q": "lantern quartz"}, 50),
        ("facets", "facets/", {}, None),
        ("facets under three", "facets/", chosen, None),
    ):
        took, size = [], 0
        for _ in range(24):
            began = time.perf_counter()
            status, page = person.get(f"/trajectories/{path}?{urlencode(query)}")
            took.append(1000 * (time.perf_counter() - began))
            size = len(page.encode())
            assert status == 200, status
        took = took[4:]  # connections plan a query anew until they have seen it
        note(
            f"list over HTTP, {name}, p50",
            p50(took),
            "ms",
            at_most=limit,
            beside=SEARCH if "q" in query else "" if path else LIST,
        )
        show(f"list, {name}: {percentiles(took)} ms, {size / 1000:.0f} kB")


# A key is down; the next desk is drawn when the frame after its arrival is.
DRAWN = """
() => new Promise((done) => {
  addEventListener("keydown", () => {
    const at = performance.now();
    document.addEventListener("writ:shown", () => requestAnimationFrame(() => setTimeout(() => done(performance.now() - at))), { once: true });
  }, { once: true, capture: true });
})
"""


def browse(port: int, key: str, presses: int) -> None:
    import shutil

    from playwright.sync_api import sync_playwright

    from tests.conftest import BROWSERS, CHROMIUM_ARGS

    path = next(filter(None, map(shutil.which, BROWSERS)))
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGS)
        context = chromium.new_context(viewport={"width": 1440, "height": 900})
        context.add_cookies(
            [{"name": "sessionid", "value": key, "url": f"http://127.0.0.1:{port}"}]
        )
        page = context.new_page()
        network, sizes = context.new_cdp_session(page), [0]
        network.send("Network.enable")
        network.on(
            "Network.loadingFinished",
            lambda event: sizes.append(event["encodedDataLength"]),
        )
        bytes_of = []
        for _ in range(2):
            sizes.clear()
            page.goto(f"http://127.0.0.1:{port}/review/", wait_until="load")
            bytes_of.append(sum(sizes) / 1000)
            page.wait_for_timeout(1500)
        elements = page.evaluate("document.querySelectorAll('*').length")
        took = []
        for _ in range(presses):
            page.wait_for_timeout(700)
            page.evaluate(f"() => {{ window.drawn = ({DRAWN})(); }}")
            page.keyboard.press("a")
            took.append(page.evaluate("window.drawn"))
        note(
            "browser: key to next item drawn, p95",
            p95(took),
            "ms",
            at_most=100,
            beside=KEY,
        )
        note("browser: item page, cold", bytes_of[0], "kB", at_most=150, beside=BYTES)
        note("browser: item page, warm", bytes_of[1], "kB", at_most=40)
        show(
            f"browser: key to next item drawn {percentiles(took)} ms; {elements} elements; "
            f"page {bytes_of[0]:.0f} kB cold, {bytes_of[1]:.0f} kB warm"
        )
        chromium.close()


if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[2])
    main()
