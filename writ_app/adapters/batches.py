"""Batches of tasks, designed or checked in several processes: what a worker process is told, does and tells back.

Worlds are named, not handed over: each process makes its own, once. Knows nothing of stored versions or the terminal.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import batched, groupby, zip_longest
from pathlib import Path

from environments.core.environment import Environment
from writ_app.adapters.spread import Done, spread
from writ_app.adapters.tau2 import BadCheckout, benchmark_tasks, read_domain
from writ_app.adapters.worlds import BadWorld, NoCheckout, named_world
from writ_app.engine.decontamination import BenchmarkIndex, Screen, Seen
from writ_app.engine.grid import Filler, FillReport, read_grid, shards_for
from writ_app.engine.proving import FalseClaim, Prover
from writ_app.engine.task_file import FileTask, line_of

LINES_AT_A_TIME = 8
"""Lines that a process checks before it gets others."""


@dataclass(frozen=True)
class World:
    """What makes an environment again (see named_world)."""

    name: str
    version: str
    root: Path | None = None


@dataclass(frozen=True)
class Order:
    """Tasks to design. `grid` is the text of a grid file, `avoid` are keys of people, `people` is how many others there are."""

    world: World
    grid: str
    count: int
    seed: int
    people: int
    avoid: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Designed:
    """A line of a task file, with what a report counts."""

    line: str
    writes: int
    burden: int


@dataclass
class Batch:
    """What came of an order, complete when `lines` has been gone through."""

    report: FillReport = field(default_factory=FillReport)
    tasks: list[Designed] = field(default_factory=list)
    """In the order of the file: the shards' first tasks, their second ones, …"""
    seen: Seen | None = None
    """How near they come to the benchmark whose database it is; None if it has none."""


def design(order: Order, workers: int) -> Iterator[Designed | Batch]:
    """The tasks as they come, for who watches; at the end the batch, the same however many workers there are."""
    pieces = [(order, shard) for shard in range(shards_for(order.people))]
    tasks: list[list[Designed]] = [[] for _ in pieces]
    reports = [FillReport() for _ in pieces]
    seen: dict[int, Seen] = {}
    for shard, result in spread(_fill, pieces, workers):
        if isinstance(result, Designed):
            tasks[shard].append(result)
            yield result
        elif isinstance(result, FillReport):
            reports[shard] = result
        elif isinstance(result, Seen):
            seen[shard] = result
    batch = Batch()
    for report in reports:
        batch.report.add(report)
    for _, one in sorted(seen.items()):
        batch.seen = batch.seen or Seen(one.benchmark_tasks)
        batch.seen.add(one)
    batch.tasks = [
        task for row in zip_longest(*tasks) for task in row if task is not None
    ]
    yield batch


def refute(
    lines: Sequence[tuple[int, FileTask]], root: Path | None, workers: int
) -> Iterator[tuple[int, FileTask, FalseClaim | None]]:
    """(number of the line, task, its first false claim or None), in the lines' order.

    Raises NoCheckout if a line needs one and there is none.
    """
    for number, task in lines:
        if root is None and task.version.startswith("tau2-"):
            raise NoCheckout(
                f"Line {number}: {task.environment} {task.version} is the database of a tau2-bench checkout; "
                "say where it is with --tau2-root."
            )
    runs = groupby(
        lines, key=lambda line: World(line[1].environment, line[1].version, root)
    )
    pieces = [
        (world, chunk) for world, run in runs for chunk in batched(run, LINES_AT_A_TIME)
    ]
    found: list[list[FalseClaim | None]] = [[] for _ in pieces]
    done: set[int] = set()
    turn = 0
    for number, result in spread(_refute, pieces, workers):
        if not isinstance(result, Done):
            found[number].append(result)
            continue
        done.add(number)
        while turn in done:
            for (line, task), claim in zip(pieces[turn][1], found[turn], strict=True):
                yield line, task, claim
            turn += 1


# in a worker process


def _fill(piece: tuple[Order, int]) -> Iterator[Designed | FillReport | Seen]:
    order, shard = piece
    filler, screen = _filler(order)
    shards = shards_for(order.people)
    for task in filler.fill(order.count, order.seed, shard, shards):
        if screen is not None:
            screen.keep(task)
        yield Designed(line_of(task), task.writes, task.burden.total)
    yield filler.report
    if screen is not None:
        yield screen.take()


@lru_cache(maxsize=1)
def _filler(order: Order) -> tuple[Filler, Screen | None]:
    """One for all shards of a process: what was read for one shard serves the next, and decides nothing."""
    environment = _world(order.world)
    grid = read_grid(json.loads(order.grid), environment)
    screen = _screen(order.world, environment)
    refuse = screen.refuse if screen is not None else lambda task: ""
    return Filler(environment, grid, avoid=order.avoid, refuse=refuse), screen


def _screen(world: World, environment: Environment) -> Screen | None:
    """Over a benchmark's database, what shares anything with the benchmark's own tasks is refused."""
    if world.root is None:
        return None
    tasks = benchmark_tasks(read_domain(world.root, world.name))
    return Screen(BenchmarkIndex(environment, tasks)) if tasks else None


def _refute(
    piece: tuple[World, Sequence[tuple[int, FileTask]]],
) -> Iterator[FalseClaim | None]:
    world, lines = piece
    try:
        prover = _prover(world)
    except (BadWorld, BadCheckout) as error:
        yield from [FalseClaim("version", str(error)) for _ in lines]
        return
    for _, line in lines:
        yield _refuted(prover, line)


def _refuted(prover: Prover, line: FileTask) -> FalseClaim | None:
    """A line that the prover stumbles over does not hold either, and must not hide the others."""
    try:
        return prover.refute(line)
    except Exception as error:
        return FalseClaim("unchecked", f"{type(error).__name__}: {error}")


@lru_cache(maxsize=4)
def _prover(world: World) -> Prover:
    return Prover(_world(world))


@lru_cache(maxsize=4)
def _world(world: World) -> Environment:
    return named_world(world.name, world.version, world.root)
