"""How soon a site is there, and what it holds at rest: `python -m tests.benchmarks.startup [--rounds 3] [--rest 10]`.

`manage.py up` in an empty directory, with everything: Postgres, broker, worker, runner, clock, web server. From the command to the
first page over HTTP, the first time (a database is made and migrated) and again; seconds of wall time, and of processor by all of
its processes. Memory after `rest` seconds, each page of it shared out among the processes that have it. Linux only.
"""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from pathlib import Path

import psutil

from tests.benchmarks.figures import note, p50, show
from tests.benchmarks.review import free_port

ROOT = Path(__file__).resolve().parents[2]
PEERS = "Label Studio 69 / 20, doccano 38 / 17"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="starts after the first")
    parser.add_argument("--rest", type=float, default=10, help="seconds of rest")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="writ-startup-") as var:
        first, _ = started(Path(var), wanted.rest)
        show(f"first start: {first:.1f} s to the first page")
        note(
            "first start to first page",
            first,
            "s",
            at_most=15,
            beside=PEERS + " (first / again)",
        )
        runs = [started(Path(var), wanted.rest) for _ in range(wanted.rounds)]
    again = p50([took for took, _ in runs])
    show(f"again: {again:.1f} s")
    note("start to first page, again", again, "s", at_most=5)
    held = runs[-1][1]
    for kind, size in held.most_common():
        show(f"  {kind:10} {size:6.0f} MB")
    whole = held["web"] + held["worker"] + held["code"]
    note(
        "memory at rest, web server",
        held["web"],
        "MB",
        at_most=150,
        beside="Label Studio 265 without a worker",
    )
    note(
        "memory at rest, web server, workers and the code they share",
        whole,
        "MB",
        at_most=250,
        beside="doccano 1,030",
    )


def started(var: Path, rest: float) -> tuple[float, Counter[str]]:
    """(seconds to the first page, kind of process → MB at rest)"""
    port = free_port()
    began = time.perf_counter()
    up = subprocess.Popen(
        [sys.executable, "manage.py", "up", "--port", str(port)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "WRIT_VAR_DIR": str(var), "WRIT_ENV": "local"},
    )
    try:
        while not answers(port):
            assert up.poll() is None, "It ended."
            time.sleep(0.02)
        took = time.perf_counter() - began
        time.sleep(rest)
        return took, memory(up.pid)
    finally:
        up.send_signal(signal.SIGINT)
        up.wait(60)


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as page:
            return bool(page.status == 200)
    except OSError:
        return False


def memory(root: int) -> Counter[str]:
    held: Counter[str] = Counter()
    for process in [psutil.Process(root), *psutil.Process(root).children(True)]:
        # One of the database's short-lived helpers may end between the list and the look.
        with contextlib.suppress(psutil.NoSuchProcess):
            mine = kind(process.cmdline())
            held[mine] += int(process.memory_full_info().pss / 1e6)
    return held


MARKS = {
    **{"gunicorn": "web", "celeryd": "worker", "beat": "clock"},
    **{"to be forked": "code", "manage.py": "up"},
}
"""What stands in the title of a process → which it is."""


def kind(command: list[str]) -> str:
    words = " ".join(command)
    return next((name for mark, name in MARKS.items() if mark in words), "services")


if __name__ == "__main__":
    main()
