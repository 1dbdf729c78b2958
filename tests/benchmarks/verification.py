"""Speed of verification: `python tests/benchmarks/verification.py [--tau2-root DIR] [--trajectories N] [--environment NAME] [--profile]`.

For every world (with a tau2 root, also over the reference's databases) scripted models play tasks of every kind under every plan,
some with a fault; then each stored trajectory is read from its JSON and verified, as a re-verification does, lot by lot: first when
nothing of its task was seen before, and then the very same again, the best that a sibling can find: real lots lie in between.
Printed are milliseconds of CPU per trajectory for both, median length and size, where the time goes, and memory over many rounds.
Aim: 500 trajectories per second and core, that is 2 ms.
"""

import argparse
import cProfile
import gc
import json
import pstats
import random
import statistics
import sys
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import batched
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[0] = str(ROOT)  # this folder would hide the package of the same name

from environments.core.environment import Environment  # noqa: E402
from environments.registry import names, world  # noqa: E402
from tests.benchmarks.figures import note, show  # noqa: E402
from writ_app.engine.behaviour import PLANS, make_ledger  # noqa: E402
from writ_app.engine.errors import InvalidTask  # noqa: E402
from writ_app.engine.scripted import FAULTS, applicable, cast  # noqa: E402
from writ_app.engine.simulation import simulate  # noqa: E402
from writ_app.engine.task_design import Designer  # noqa: E402
from writ_app.engine.types import (  # noqa: E402
    Ledger,
    Task,
    Trajectory,
    Verification,
)
from writ_app.engine.verification import (  # noqa: E402
    CHECKS,
    VERSION,
    read_task,
    undisturbed,
    verify,
)
from writ_app.engine.verification.trace import Trace  # noqa: E402

FAULT_SHARE = 0.25
LOT = 50
"""Trajectories in a row, as a re-verification takes them."""
WARM = 20
"""Trajectories that are verified before the clock starts, and no more after."""
COMPOSED = 0.2
"""Share of tasks with several writes."""


@dataclass(frozen=True)
class Stored:
    """What a database holds of one simulation, as texts of JSON."""

    task: str
    ledger: str
    trajectory: str

    @property
    def size(self) -> int:
        return len(self.task) + len(self.ledger) + len(self.trajectory)

    def read(self) -> tuple[Task, Ledger, Trajectory]:
        return (
            read_task(self.task),
            Ledger.model_validate_json(self.ledger),
            Trajectory.model_validate_json(self.trajectory),
        )


def main() -> None:
    arguments = _arguments()
    for title, environment in _environments(arguments):
        stored = list(_simulated(environment, arguments.trajectories))
        show(f"\n{title}")
        _measure(title, environment, stored)
        if arguments.profile:
            _profile(environment, stored)
        if arguments.memory:
            _memory(environment, stored, arguments.memory)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tau2-root", type=Path, help="folder that holds checkout/")
    parser.add_argument("--trajectories", type=int, default=200, help="per world")
    parser.add_argument(
        "--memory", type=int, default=0, help="verifications for the memory run"
    )
    parser.add_argument("--environment", choices=names(), help="only this one")
    parser.add_argument("--profile", action="store_true", help="the costliest calls")
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


def _simulated(environment: Environment, count: int) -> Iterator[Stored]:
    designer, rng = Designer(environment), random.Random(1)
    slugs, plans, faults = list(designer.archetypes), list(PLANS), sorted(FAULTS)
    for n in range(count):
        try:
            if rng.random() < COMPOSED:
                task = designer.compose(2 + n % 4, n)
            else:
                task = designer.design(slugs[n % len(slugs)], n, draws=200)
        except InvalidTask:
            continue
        plan = PLANS[plans[n % len(plans)]]
        ledger = make_ledger(task, plan, rng, environment.domain.words)
        fault = rng.choice(faults) if rng.random() < FAULT_SHARE else ""
        if fault and not applicable(fault, environment, task, ledger):
            fault = ""
        players = cast(environment, task, ledger, fault)
        talk = simulate(
            environment=players.environment,
            task=task,
            ledger=ledger,
            agent=players.agent,
            user=players.user,
            seed=n,
            fault=fault,
        )
        yield Stored(
            task.model_dump_json(), ledger.model_dump_json(), talk.model_dump_json()
        )


def _yardstick() -> float:
    """Microseconds of CPU that reading 10 kB of JSON takes: what a busy machine, or a slow one, does to all figures here."""
    text = json.dumps([{"id": f"#W{n:07d}", "price": n + 0.5} for n in range(270)])
    start = time.process_time()
    for _ in range(500):
        json.loads(text)
    return (time.process_time() - start) / 500 * 1e6


def _measure(title: str, environment: Environment, stored: Sequence[Stored]) -> None:
    _verifying(environment, stored[:WARM])()  # what is worked out once per process
    gc.freeze()  # as a process does once it has loaded an environment
    stored = stored[WARM:]
    before = _yardstick()
    first, again, outcomes = Stages(), Stages(), Counter[str]()
    lengths: list[int] = []
    for lot in batched(stored, LOT, strict=False):
        with undisturbed():
            for one in lot:
                verdict, length = _judge(environment, one, first)
                outcomes[verdict.reason] += 1
                lengths.append(length)
            for one in lot:
                _judge(environment, one, again)
    yardstick = (before + _yardstick()) / 2
    for turn, stages in (("first", first), ("again", again)):
        spent = stages.seconds.total() / len(stored)
        note(f"{title}, {turn}", spent * 1000, "ms of CPU each")
        show(f"  {turn}   {spent * 1000:5.2f} ms each   {1 / spent:6.0f} per second")
    show(
        f"  median {statistics.median(lengths):.0f} messages, "
        f"{statistics.median(one.size for one in stored) / 1000:.0f} kB   accepted {outcomes['']} of {len(stored)}   (10 kB of JSON: {yardstick:.0f} µs)"
    )
    show(f"    {'':<18}  first           again")
    for name, _ in first.seconds.most_common():
        columns = (
            f"{stages.seconds[name] / len(stored) * 1000:6.3f} ms {stages.share(name):4.0%}"
            for stages in (first, again)
        )
        show(f"    {name:<18} {'   '.join(columns)}")


class Stages:
    """Seconds of CPU by stage; what several checks share counts for the first that asks for it."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()

    def timed[T](self, name: str, act: Callable[[], T]) -> T:
        start = time.process_time()
        result = act()
        self.seconds[name] += time.process_time() - start
        return result

    def share(self, name: str) -> float:
        return self.seconds[name] / self.seconds.total()


def _judge(
    environment: Environment, one: Stored, stages: Stages
) -> tuple[Verification, int]:
    """What `verify` does, stage by stage: (verdict, messages)."""
    task = stages.timed("read task", lambda: read_task(one.task))
    ledger = stages.timed("read ledger", lambda: Ledger.model_validate_json(one.ledger))
    talk = stages.timed(
        "read trajectory", lambda: Trajectory.model_validate_json(one.trajectory)
    )
    trace = stages.timed("replay", lambda: Trace(environment, task, talk, ledger))
    checks = [
        stages.timed(check.__name__.removeprefix("check_"), partial(check, trace))
        for check in CHECKS
    ]
    verdict = stages.timed(
        "verdict",
        lambda: Verification(
            checks=tuple(checks),
            provenance=trace.provenance,
            coverage=trace.coverage,
            superfluous=trace.superfluous,
            behaviour=trace.audit.dimensions,
            version=VERSION,
        ),
    )
    return verdict, len(talk.messages)


def _verifying(
    environment: Environment, stored: Sequence[Stored]
) -> Callable[[], None]:
    def verify_all() -> None:
        for lot in batched(stored, LOT, strict=False):
            with undisturbed():
                for one in lot:
                    task, ledger, talk = one.read()
                    verify(
                        environment=environment,
                        task=task,
                        trajectory=talk,
                        ledger=ledger,
                    )

    return verify_all


def _profile(environment: Environment, stored: Sequence[Stored]) -> None:
    with cProfile.Profile() as profile:
        _verifying(environment, stored)()
    pstats.Stats(profile).sort_stats("tottime").print_stats(30)


def _memory(environment: Environment, stored: Sequence[Stored], count: int) -> None:
    """What stays in memory as more and more trajectories are verified and dropped."""
    verify_all = _verifying(environment, stored)
    verify_all()
    tracemalloc.start()
    done = 0
    while done < count:
        verify_all()
        done += len(stored)
        kept = tracemalloc.get_traced_memory()[0] / 1e6
        show(f"  memory after {done:6d} verifications: {kept:6.2f} MB beyond the start")
    tracemalloc.stop()


if __name__ == "__main__":
    main()
