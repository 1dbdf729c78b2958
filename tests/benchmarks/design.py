"""Speed of the task designer: `python tests/benchmarks/design.py [--tau2-root DIR] [--tasks N] [--memory N] [--environment NAME]`.

Prints proved tasks per second of CPU on one core, for every world (with a tau2 root, also over the reference's databases): single
writes, refusals and questions, compositions, and how it grows with candidates; then checking of finished tasks, and memory over many.
Aim: 50 proved single-write airline tasks per second on the reference's database.
"""

import argparse
import statistics
import sys
import time
import tracemalloc
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[0] = str(ROOT)  # this folder would hide the package of the same name

from environments.core.domain import TaskClass  # noqa: E402
from environments.core.environment import Environment  # noqa: E402
from environments.registry import names, world  # noqa: E402
from tests.benchmarks.figures import note, show  # noqa: E402
from writ_app.engine.collector import seldom_collected  # noqa: E402
from writ_app.engine.errors import InvalidTask  # noqa: E402
from writ_app.engine.proving import Prover  # noqa: E402
from writ_app.engine.task_design import Designer  # noqa: E402
from writ_app.engine.task_file import line_of, read_line  # noqa: E402
from writ_app.engine.types import Task  # noqa: E402

CANDIDATE_BANDS = (5, 10, 20, 50, 100, 200)


def main() -> None:
    arguments = _arguments()
    for title, environment in _environments(arguments):
        with seldom_collected():  # as a batch does
            _measure(title, environment, arguments.tasks, arguments.memory)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tau2-root", type=Path, help="folder that holds checkout/")
    parser.add_argument("--tasks", type=int, default=200, help="per kind")
    parser.add_argument(
        "--memory", type=int, default=0, help="tasks for the memory run"
    )
    parser.add_argument("--environment", choices=names(), help="only this one")
    return parser.parse_args()


def _environments(
    arguments: argparse.Namespace,
) -> Iterator[tuple[str, Environment]]:
    from writ_app.adapters.tau2 import find_domains, read_domain

    chosen = [arguments.environment] if arguments.environment else list(names())
    for name in chosen:
        yield f"{name}, generated", world(name).generated(seed=1)
    if arguments.tau2_root:
        checkout = arguments.tau2_root / "checkout"
        for name in chosen:
            if name in find_domains(checkout):
                domain = read_domain(checkout, name)
                state = world(name).read_state(domain.database)
                yield (
                    f"{name}, reference",
                    world(name).build(
                        state=state, version="reference", policy=domain.policy
                    ),
                )


def _measure(title: str, environment: Environment, count: int, memory: int) -> None:
    show(f"\n{title}")
    designer = Designer(environment)
    kinds = defaultdict(list)
    for archetype in designer.archetypes.values():
        kinds[archetype.task_class].append(archetype.slug)
    tasks: list[tuple[Task, float]] = []
    for kind in TaskClass:
        made = list(_timed(designer, kinds[kind], count)) if kinds[kind] else []
        tasks += made
        _line(title, f"{kind.replace('_', ' ')} ({len(kinds[kind])} archetypes)", made)
    composed = list(_composed(designer, max(count // 10, 10)))
    _line(title, "compositions of 2 to 5 writes", composed)
    _growth(tasks)
    _checking(title, environment, [task for task, _ in [*tasks, *composed]])
    if memory:
        _memory(designer, kinds[TaskClass.READ_HEAVY], memory)


def _timed(
    designer: Designer, slugs: Sequence[str], count: int
) -> Iterator[tuple[Task, float]]:
    """Tasks of the archetypes in turn, with seconds of CPU; what was drawn in vain counts, what no draw fits is left out."""
    given_up: set[str] = set()
    for n in range(count):
        slug = slugs[n % len(slugs)]
        if slug in given_up:
            continue
        start = time.process_time()
        try:
            task = designer.design(slug, n, draws=200)
        except InvalidTask:
            given_up.add(slug)
            continue
        yield task, time.process_time() - start


def _composed(designer: Designer, count: int) -> Iterator[tuple[Task, float]]:
    for n in range(count):
        start = time.process_time()
        try:
            task = designer.compose(2 + n % 4, n)
        except InvalidTask:
            continue
        yield task, time.process_time() - start


def _line(title: str, name: str, made: Sequence[tuple[Task, float]]) -> None:
    if not made:
        show(f"  {name:<42} none")
        return
    seconds = [spent for _, spent in made]
    burdens = [task.burden.total for task, _ in made]
    rate = len(made) / sum(seconds)
    note(f"{title}: {name}", rate, "proved tasks per s of CPU")
    whole = sum(task.burden.exact for task, _ in made) / len(made)
    show(
        f"  {name:<42} {rate:7.1f} tasks/s   median {statistics.median(seconds) * 1000:6.1f} ms   "
        f"burden mean {statistics.mean(burdens):4.1f} max {max(burdens):2d}   whole {whole:4.0%}"
    )


def _growth(tasks: Sequence[tuple[Task, float]]) -> None:
    """Median time by number of candidates."""
    least = 0
    for most in CANDIDATE_BANDS:
        spent = [
            seconds
            for task, seconds in tasks
            if least < task.companions.candidates <= most
        ]
        if spent:
            middle = statistics.median(spent) * 1000
            show(
                f"    up to {most:3d} candidates: {middle:6.1f} ms ({len(spent)} tasks)"
            )
        least = most


def _checking(title: str, environment: Environment, tasks: Sequence[Task]) -> None:
    lines = [read_line(line_of(task)) for task in tasks]
    prover = Prover(environment)
    start = time.process_time()
    false = sum(prover.refute(line) is not None for line in lines)
    spent = time.process_time() - start
    rate = len(lines) / spent
    note(f"{title}: proofs checked again", rate, "tasks per s of CPU")
    show(f"  checked again: {rate:.1f} tasks/s, {false} refuted")


def _memory(designer: Designer, slugs: Sequence[str], count: int) -> None:
    """What stays in memory as more and more tasks are designed and dropped."""
    tracemalloc.start()
    for n in range(count):
        try:
            designer.design(slugs[n % len(slugs)], n, draws=50)
        except InvalidTask:
            continue
        if (n + 1) % max(count // 5, 1) == 0:
            kept = tracemalloc.get_traced_memory()[0] / 1e6
            show(f"  memory after {n + 1:6d} tasks: {kept:6.1f} MB beyond the start")
    tracemalloc.stop()


if __name__ == "__main__":
    main()
