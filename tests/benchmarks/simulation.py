"""How fast runners hold conversations over HTTP: turns per second, share of the ideal, CPU per turn, memory.

    python -m tests.benchmarks.simulation [--concurrency 1 8 64 256] [--delay 1.0] [--processes 2] [--seconds 20]

Everything is real but the models: runners in processes of their own, an embedded Postgres that syncs its commits, litellm, HTTP
over loopback. A server of its own process answers as the scripted models do, after a fixed delay; what it says was worked out
before, so that it costs little. The ideal is `concurrency / delay` turns per second.
"""

import argparse
import asyncio
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
SEEDS = 10_000_000
"""Copies of a simulation have seeds this far apart, and are answered alike."""
TASKS = 60
WARM_UP = 4.0
"""Seconds until every place is taken and answers come evenly."""
HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
)


# --- the models: python -m tests.benchmarks.simulation --serve ANSWERS --delay SECONDS ------------------------------------------


class Models(asyncio.Protocol):
    """One connection. Requests are not parsed, only recognized: by seed, side, and number of messages."""

    answers: dict[str, bytes] = {}
    delay = 0.0
    times: list[float] = []
    seed = re.compile(rb'"seed": ?(\d+)')

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport, self.buffer = transport, b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self.buffer[:end].lower()
        _, _, rest = head.partition(b"content-length:")
        length = int(rest.split(b"\r\n")[0])
        if len(self.buffer) < end + 4 + length:
            return
        body, self.buffer = self.buffer[end + 4 : end + 4 + length], b""
        if head.startswith(b"post /times"):
            self.send(json.dumps(self.times).encode())
            self.times.clear()
            return
        self.times.append(time.monotonic())
        asyncio.get_running_loop().call_later(self.delay, self.send, self.answer(body))

    def answer(self, body: bytes) -> bytes:
        found = self.seed.search(body)
        assert found
        side = "agent" if b'"tools":' in body else "user"
        said = body.count(b'"role":')
        return self.answers[f"{int(found[1]) % SEEDS} {side} {said}"]

    def send(self, body: bytes) -> None:
        self.transport.write(HEAD % len(body) + body)


async def serve(answers: Path, delay: float) -> None:
    Models.answers = {
        key: json.dumps(body).encode()
        for key, body in json.loads(answers.read_text()).items()
    }
    Models.delay = delay
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Models, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201
    await server.serve_forever()


# --- a runner's process: python -m tests.benchmarks.simulation --run SECONDS --slots N -----------------------------------------


def run(seconds: float, slots: int) -> None:
    """Says what it took, as JSON, after a line to say that it is ready."""
    set_up_django()
    from writ_app.adapters.chat import load_litellm
    from writ_app.models.catalog import Environment
    from writ_app.services import catalog, synthesis

    load_litellm()
    for row in Environment.objects.all():
        catalog.load_environment(row)
    print("ready", flush=True)  # noqa: T201
    sys.stdin.readline()
    before = time.process_time()
    synthesis.run_pending(seconds=seconds, slots=slots)
    rollup = Path("/proc/self/smaps_rollup").read_text()
    shared = re.search(r"Pss:\s+(\d+)", rollup)
    assert shared
    took = {
        "cpu": time.process_time() - before,
        "rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "pss": int(shared[1]) / 1024,
    }
    print(json.dumps(took), flush=True)  # noqa: T201


def set_up_django() -> None:
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "writ_app.settings"
    django.setup()


# --- the measurement ------------------------------------------------------------------------------------------------------------


def main() -> None:
    wanted = arguments()
    if wanted.serve:
        asyncio.run(serve(wanted.serve, wanted.delay))
        return
    if wanted.run:
        run(wanted.run, wanted.slots)
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
    for internal in ("serve", "run", "slots"):
        kind = {"serve": Path, "run": float, "slots": int}[internal]
        parser.add_argument(f"--{internal}", type=kind, help=argparse.SUPPRESS)
    return parser.parse_args()


def measure(wanted: argparse.Namespace, var: Path) -> None:
    from django.conf import settings
    from django.core.management import call_command

    from writ_app.adapters.embedded.services import services_running

    with services_running(settings.EMBEDDED, ["postgres"]):
        call_command("migrate", verbosity=0)
        batch = order(wanted.world)
        answers = var / "answers.json"
        answers.write_text(json.dumps(by_heart(batch)))
        print(HEADER)  # noqa: T201
        for concurrency in wanted.concurrency:
            with models(answers, wanted.delay) as url:
                found = measure_one(batch, url, concurrency, wanted)
            print(line(concurrency, wanted, found), flush=True)  # noqa: T201


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


def measure_one(
    template: Any, url: str, concurrency: int, wanted: argparse.Namespace
) -> dict[str, float]:
    """Runners that hold `concurrency` conversations together, for so many seconds."""
    processes = min(wanted.processes, concurrency)
    batch = copy(template, url, concurrency, wanted)
    command = [sys.executable, "-m", "tests.benchmarks.simulation"]
    command += ["--run", str(wanted.seconds + WARM_UP)]
    command += ["--slots", str(concurrency // processes)]
    workers = [
        subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(processes)
    ]
    for worker in workers:
        assert worker.stdout
        assert worker.stdout.readline() == "ready\n"
    began = time.monotonic()
    for worker in workers:
        assert worker.stdin
        worker.stdin.write("\n")
        worker.stdin.flush()
    took = [json.loads(worker.communicate()[0]) for worker in workers]
    times = asked_at(url)
    since, until = began + WARM_UP, began + wanted.seconds
    within = sum(since <= at < until for at in times)
    batch.refresh_from_db()
    assert batch.turns >= 0.9 * within, (batch.turns, within, batch.stopped_by)
    return {
        "processes": processes,
        "rate": within / (until - since),
        "cpu": 1000 * sum(one["cpu"] for one in took) / len(times),
        "rss": sum(one["rss"] for one in took),
        "pss": sum(one["pss"] for one in took),
        "load": os.getloadavg()[0],
    }


def asked_at(url: str) -> list[float]:
    """When the models were asked, by the monotonic clock that all processes share."""
    import urllib.request

    request = urllib.request.Request(
        url.replace("/v1", "/times"), data=b"{}", method="POST"
    )
    with urllib.request.urlopen(request) as reply:
        times: list[float] = json.load(reply)
    return times


@contextmanager
def models(answers: Path, delay: float) -> Iterator[str]:
    command = [sys.executable, "-m", "tests.benchmarks.simulation"]
    command += ["--serve", str(answers), "--delay", str(delay)]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert server.stdout
    try:
        yield f"http://127.0.0.1:{server.stdout.readline().strip()}/v1"
    finally:
        server.kill()
        server.wait()


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


def by_heart(batch: Any) -> dict[str, Any]:
    from tests.fakes import completion_reply
    from tests.played import played

    return {
        " ".join(map(str, key)): json.loads(completion_reply(message).body)
        for key, message in played(batch).items()
    }


def copy(template: Any, url: str, concurrency: int, wanted: argparse.Namespace) -> Any:
    """A batch with more simulations than can be held in the time."""
    from writ_app.models.synthesis import Batch, BatchStatus, ModelEndpoint, Simulation
    from writ_app.services.synthesis.endpoints import pin_models

    Batch.objects.exclude(pk=template.pk).update(status=BatchStatus.CANCELLED)
    Batch.objects.filter(pk=template.pk).update(status=BatchStatus.CANCELLED)
    endpoint = ModelEndpoint.objects.create(
        name=f"models-{ModelEndpoint.objects.count()}",
        model="openai/scripted",
        base_url=url,
        max_in_flight=2000,
        prompt_price=1,
        completion_price=1,
    )
    rows = list(template.simulations.all())
    batch = Batch.objects.get(pk=template.pk)
    batch.pk, batch.name, batch.status = None, f"{concurrency}", BatchStatus.RUNNING
    batch.agent = batch.user_simulator = endpoint
    batch.played_by = pin_models(batch)
    batch.save()
    turns = concurrency * (wanted.seconds + WARM_UP) / wanted.delay
    copies = 1 + int((2 * concurrency + turns / 8) / len(rows))
    Simulation.objects.bulk_create(
        Simulation(
            batch=batch, task=row.task, plan=row.plan, seed=row.seed + copy * SEEDS
        )
        for copy in range(copies)
        for row in rows
    )
    return batch


if __name__ == "__main__":
    main()
