"""How fast runners hold conversations over HTTP: turns per second, share of the ideal, CPU per turn, memory.

    python -m tests.benchmarks.simulation [--concurrency 1 8 64 256] [--delay 1.0] [--processes 2] [--seconds 20]

Everything is real but the models: runners in processes of their own, an embedded Postgres that syncs its commits, litellm, HTTP
over loopback. A server of its own process answers as the scripted models do, after a fixed delay; what it says was worked out
before, so that it costs little. The ideal is `concurrency / delay` turns per second.
"""

import argparse
import json
import multiprocessing
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.benchmarks.figures import note, show
from tests.model_server import ModelServer, started, write_answers

ROOT = Path(__file__).resolve().parent.parent.parent
TASKS = 60
WARM_UP = 4.0
"""Seconds until every place is taken and answers come evenly."""


# --- the runners: python -m tests.benchmarks.simulation --run SECONDS --processes N -------------------------------------------


def run(seconds: float, processes: int) -> None:
    """Forks runners as a Celery worker does; says what they took, as JSON, after a line to say that all is ready."""
    set_up_django()
    from writ_app.services import synthesis

    synthesis.preload()
    print("ready", flush=True)  # noqa: T201
    sys.stdin.readline()
    fork = multiprocessing.get_context("fork")
    took = fork.SimpleQueue()
    children = [
        fork.Process(target=run_one, args=(seconds, took)) for _ in range(processes)
    ]
    for child in children:
        child.start()
    found = [took.get() for _ in children]
    total = {name: sum(one[name] for one in found) for name in found[0]}
    total["pss"] += proportional_size()
    print(json.dumps(total), flush=True)  # noqa: T201
    for child in children:
        child.kill()


def run_one(seconds: float, took: Any) -> None:
    from writ_app.services import synthesis

    before = time.process_time()
    synthesis.run_pending(seconds=seconds)
    cpu = time.process_time() - before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    took.put({"cpu": cpu, "rss": peak, "pss": proportional_size()})
    time.sleep(60)  # shared memory is only shared while everybody is there


def proportional_size() -> float:
    """MB of this process, what is shared divided by those who share it."""
    found = re.search(r"Pss:\s+(\d+)", Path("/proc/self/smaps_rollup").read_text())
    assert found
    return int(found[1]) / 1024


def set_up_django() -> None:
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "writ_app.settings"
    django.setup()


# --- the measurement ------------------------------------------------------------------------------------------------------------


def main() -> None:
    wanted = arguments()
    if wanted.run:
        run(wanted.run, wanted.processes)
        return
    with tempfile.TemporaryDirectory(prefix="writ-benchmark-") as var:
        os.environ |= {"WRIT_VAR_DIR": var, "WRIT_ENV": "test"}
        os.environ.pop("DATABASE_URL", None)
        set_up_django()
        measure(wanted, Path(var))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--concurrency", type=int, nargs="+", default=[1, 8, 64, 256])
    parser.add_argument("--delay", type=float, default=1.0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--world", default="retail")
    parser.add_argument("--run", type=float, help=argparse.SUPPRESS)
    return parser.parse_args()


def measure(wanted: argparse.Namespace, var: Path) -> None:
    from django.conf import settings
    from django.core.management import call_command

    from tests.played import played
    from writ_app.adapters.embedded.services import services_running

    with services_running(settings.EMBEDDED, ["postgres"]):
        call_command("migrate", verbosity=0)
        batch = order(wanted.world)
        answers = var / "answers.json"
        write_answers(answers, played(batch))
        show(HEADER)
        for concurrency in wanted.concurrency:
            with started(answers, wanted.delay) as server:
                found = measure_one(batch, server, concurrency, wanted)
            show(line(concurrency, wanted, found))
            noted(concurrency, wanted, found)


PEER = "reference 4 % (64 in flight, 0.2 s), 12 % (2 s)"
PEER_CPU = "reference 31 to 98 ms"
HEADER = (
    "in flight | processes | delay s | turns/s | of the ideal | CPU ms per turn | "
    "memory MB (peak RSS; PSS) | load of the machine"
)


def line(concurrency: int, wanted: argparse.Namespace, found: dict[str, float]) -> str:
    ideal = concurrency / wanted.delay
    return (
        f"{concurrency:9} | {found['processes']:9.0f} | {wanted.delay:7} | {found['rate']:7.1f} | "
        f"{found['rate'] / ideal:12.1%} | {found['cpu']:15.2f} | {found['rss']:6.0f}; {found['pss']:6.0f} | "
        f"{found['load']:.1f}"
    )


def noted(
    concurrency: int, wanted: argparse.Namespace, found: dict[str, float]
) -> None:
    lot = f"{concurrency} in flight, {wanted.delay:g} s each"
    share = 100 * found["rate"] * wanted.delay / concurrency
    note(f"{lot}: of the ideal", share, "%", at_least=90, beside=PEER)
    note(f"{lot}: CPU per turn", found["cpu"], "ms", at_most=6, beside=PEER_CPU)
    note(f"{lot}: memory", found["pss"], "MB", at_most=500)


def measure_one(
    template: Any, server: ModelServer, concurrency: int, wanted: argparse.Namespace
) -> dict[str, float]:
    """Runners that hold `concurrency` conversations together, for so many seconds."""
    processes = min(wanted.processes, concurrency)
    batch = order_copies(template, server.url, concurrency, processes, wanted)
    command = [sys.executable, "-m", "tests.benchmarks.simulation"]
    command += ["--run", str(wanted.seconds + WARM_UP), "--processes", str(processes)]
    runners = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert runners.stdout
    assert runners.stdout.readline() == "ready\n"
    began = time.monotonic()
    took = json.loads(runners.communicate("\n")[0])
    asked, most = server.asked(), server.most()
    assert most <= concurrency, f"{most} requests at the same time"
    since, until = began + WARM_UP, began + wanted.seconds
    within = sum(since <= at < until for at, *_ in asked)
    batch.refresh_from_db()
    assert batch.turns >= 0.9 * within, (batch.turns, within, batch.stopped_by)
    return {
        "processes": processes,
        "rate": within / (until - since),
        "cpu": 1000 * took["cpu"] / len(asked),
        "rss": took["rss"],
        "pss": took["pss"],
        "load": os.getloadavg()[0],
    }


def order(world: str) -> Any:
    """A designed batch of scripted models, to be copied."""
    from writ_app.models.accounts import User
    from writ_app.services import accounts, catalog, synthesis

    owner = User.objects.create_user("owner")
    batch = synthesis.start_batch(
        team=accounts.create_team(name="Team", owner=owner),
        by=owner,
        name="Template",
        environment=catalog.register_generated(name=world, seed=7, users=200),
        seed=1,
        ordered=TASKS,
    )
    for _ in synthesis.design_batch(batch_id=batch.pk):
        pass
    batch.refresh_from_db()
    return batch


def order_copies(
    template: Any,
    url: str,
    concurrency: int,
    processes: int,
    wanted: argparse.Namespace,
) -> Any:
    """A batch with more simulations than can be held in the time."""
    from tests.played import copies
    from writ_app.models.synthesis import Batch, BatchStatus

    Batch.objects.update(status=BatchStatus.CANCELLED)  # what was measured before
    turns = concurrency * (wanted.seconds + WARM_UP) / wanted.delay
    times = 1 + int((2 * concurrency + turns / 8) / TASKS)
    return copies(template, url, times, in_flight=concurrency // processes)


if __name__ == "__main__":
    main()
