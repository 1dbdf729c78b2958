"""Errors of the verification: `python tests/benchmarks/verification_errors.py [--clean N] [--faulty N] [--seed N] [--environment NAME] [--verbose]`.

Plays clean and faulty conversations of the scripted models over every world, class and plan, and judges them. Prints, for every fault,
how often it was planted, caught by the check that should see it, caught by others only, put down to the wrong owner, and accepted; and
of the clean conversations how many were accepted and which check rejected the others. Exits 1 if a single one came out wrong.
"""

import argparse
import itertools
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    sys.path[0] = str(ROOT)  # this folder would hide the package of the same name

from environments.core.domain import TaskClass  # noqa: E402
from environments.core.environment import Environment  # noqa: E402
from environments.registry import names, world  # noqa: E402
from writ_app.engine.behaviour import (  # noqa: E402
    PERSONAS,
    PLANS,
    Room,
    make_ledger,
)
from writ_app.engine.behaviour.choosing import (  # noqa: E402
    assign,
    first_playable,
    offered,
)
from writ_app.engine.errors import InvalidTask  # noqa: E402
from writ_app.engine.scripted import FAULTS, NotApplicable, cast  # noqa: E402
from writ_app.engine.simulation import simulate  # noqa: E402
from writ_app.engine.task_design import Designer  # noqa: E402
from writ_app.engine.types import (  # noqa: E402
    Ledger,
    Task,
    Trajectory,
    Verification,
)
from writ_app.engine.verification import verify  # noqa: E402


@dataclass(frozen=True)
class Pool:
    """Tasks of one world, designed once: what varies over them are plans, seeds and faults."""

    environment: Environment
    tasks: Sequence[Task]
    rooms: dict[str, Room] = field(default_factory=dict)
    """By the hash of the task: finding the first of two wishes takes longer than playing."""

    def room(self, task: Task) -> Room:
        if task.content_hash not in self.rooms:
            self.rooms[task.content_hash] = Room(task, self.environment)
        return self.rooms[task.content_hash]


def make_pool(
    name: str,
    *,
    per_archetype: int = 2,
    every: int = 1,
    composed: int = 12,
    users: int = 60,
) -> Pool:
    """Tasks of the world's archetypes (of the read-heavy ones, only `every` so-manieth), and compositions of two to five writes."""
    environment = world(name).generated(seed=1, users=users)
    designer = Designer(environment)
    kinds = list(designer.archetypes.values())
    heavy = [k.slug for k in kinds if k.task_class is TaskClass.READ_HEAVY]
    others = [k.slug for k in kinds if k.task_class is not TaskClass.READ_HEAVY]
    wanted = itertools.chain(
        (
            lambda slug=slug, n=n: designer.design(slug, n, draws=200)
            for n in range(per_archetype)
            for slug in (*heavy[::every], *others)
        ),
        (lambda n=n: designer.compose(2 + n % 4, n) for n in range(composed)),
    )
    tasks = []
    for make in wanted:
        try:
            tasks.append(make())
        except InvalidTask:  # not every draw can be proved
            continue
    return Pool(environment, tasks)


@dataclass(frozen=True)
class Case:
    """One conversation and what was made of it."""

    task: Task
    ledger: Ledger
    seed: int
    fault: str
    trajectory: Trajectory
    verification: Verification

    @property
    def caught(self) -> str:
        """ "accepted", "right", "other check" or "other owner"."""
        if self.verification.accepted:
            return "accepted"
        fault = FAULTS[self.fault]
        failed = [check for check in self.verification.checks if not check.passed]
        if failed[0].owner is not fault.owner:
            return "other owner"
        return "right" if fault.check in {one.name for one in failed} else "other check"

    def __str__(self) -> str:
        failed = [c for c in self.verification.checks if not c.passed]
        found = " | ".join(f"{c.name} ({c.owner}): {c.finding}" for c in failed)
        return f"{self.task.slug} {self.ledger.plan} {self.ledger.persona or '-'} {self.seed} {self.fault or 'clean'}: {found or 'accepted'}"


@dataclass
class Errors:
    """The matrix: counts, and the conversations that came out wrong."""

    clean: Counter[str] = field(default_factory=Counter)
    """"accepted", or the name of the check that rejected it."""
    faulty: defaultdict[str, Counter[str]] = field(
        default_factory=lambda: defaultdict(Counter)
    )
    """Fault → how it was caught."""
    wrong: list[Case] = field(default_factory=list)

    def add(self, case: Case) -> None:
        if not case.fault:
            self.clean[case.verification.reason or "accepted"] += 1
            right = case.verification.accepted
        else:
            self.faulty[case.fault][case.caught] += 1
            right = case.caught == "right"
        if not right:
            self.wrong.append(case)


def play(pool: Pool, task: Task, ledger: Ledger, seed: int, fault: str = "") -> Case:
    """Raises NotApplicable if the task leaves no room for the fault."""
    players = cast(pool.environment, task, ledger, fault)
    trajectory = simulate(
        environment=players.environment,
        task=task,
        ledger=ledger,
        agent=players.agent,
        user=players.user,
        seed=seed,
        fault=fault,
    )
    verification = verify(
        environment=pool.environment, task=task, trajectory=trajectory, ledger=ledger
    )
    return Case(task, ledger, seed, fault, trajectory, verification)


def ledger_for(task: Task, pool: Pool, number: int) -> Ledger:
    """Every plan in turn with every persona in turn, or none of both; what they leave open is drawn with `number`."""
    rng = random.Random(f"{number} {task.content_hash}")
    room = pool.room(task)
    plan = list(PLANS.values())[number % len(PLANS)]
    persona = rng.choice([None, *PERSONAS.values()])
    behaviour = first_playable(room.values, plan.dimensions)
    if persona is not None:
        allowed = {**persona.dimensions, **plan.dimensions}
        choices = offered(room.values, allowed)
        order = rng.sample(list(choices), len(choices))
        drawn = assign(
            choices, order, lambda _, values, __: rng.sample(values, len(values))
        )
        behaviour = drawn or behaviour
    return make_ledger(
        task,
        plan,
        rng,
        environment=pool.environment,
        persona=persona,
        behaviour=behaviour,
        room=room,
    )


def scenes(
    pools: Sequence[Pool], seed: int, fault: str = ""
) -> Iterator[tuple[Pool, Task, int]]:
    """(pool, task, number) without end: every task of every world before any comes again, with another behaviour then."""
    for round_ in itertools.count():
        mixed = [(pool, task) for pool in pools for task in pool.tasks]
        random.Random(f"{seed} {round_} {fault}").shuffle(mixed)
        for n, (pool, task) in enumerate(mixed):
            yield pool, task, seed + n + round_


def clean_cases(pools: Sequence[Pool], count: int, seed: int) -> Iterator[Case]:
    for pool, task, number in itertools.islice(scenes(pools, seed), count):
        yield play(pool, task, ledger_for(task, pool, number), number)


def faulty_cases(
    pools: Sequence[Pool], count: int, seed: int, faults: Sequence[str] = tuple(FAULTS)
) -> Iterator[Case]:
    """The faults in turn, each over scenes of its own; a scene without room for it is passed over."""
    chances = {fault: scenes(pools, seed, fault) for fault in faults}
    most = 2 * sum(len(pool.tasks) for pool in pools) * len(PLANS)
    waiting = itertools.cycle(faults)
    for _ in range(count):
        fault = next(waiting)
        for pool, task, number in itertools.islice(chances[fault], most):
            try:
                ledger = ledger_for(task, pool, number)
                yield play(pool, task, ledger, number, fault)
            except NotApplicable:
                continue
            break
        else:
            raise AssertionError(f"No task leaves room for {fault}.")


# --- printing ------------------------------------------------------------------------------------------------------------------


def show(text: str) -> None:
    print(text, flush=True)  # noqa: T201


HEADS = ("right", "other check", "other owner", "accepted")


def report(errors: Errors, verbose: bool) -> None:
    total = errors.clean.total()
    show(
        f"\nclean: {errors.clean['accepted']} of {total} accepted, {total - errors.clean['accepted']} false rejects"
    )
    for name, count in errors.clean.most_common():
        if name != "accepted":
            show(f"  rejected by {name:<16} {count:5d}")
    heads = "".join(f"{head:>13}" for head in HEADS)
    show(f"\n{'fault':<22}{'check':<14}{'owner':<12}{'planted':>8}{heads}")
    for name, fault in FAULTS.items():
        found = errors.faulty[name]
        counts = "".join(f"{found[head]:>13d}" for head in HEADS)
        show(f"{name:<22}{fault.check:<14}{fault.owner:<12}{found.total():>8d}{counts}")
    whole: Counter[str] = sum(errors.faulty.values(), Counter())
    counts = "".join(f"{whole[head]:>13d}" for head in HEADS)
    show(f"{'total':<48}{whole.total():>8d}{counts}")
    for case in errors.wrong if verbose else errors.wrong[:10]:
        show(f"\n{case}")
    if errors.wrong:
        show(f"\n{len(errors.wrong)} came out wrong.")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clean", type=int, default=2000)
    parser.add_argument("--faulty", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--environment", choices=names(), help="only this one")
    parser.add_argument("--fault", choices=list(FAULTS), help="only this one")
    parser.add_argument("--verbose", action="store_true", help="all that is wrong")
    arguments = parser.parse_args()
    start = time.process_time()
    chosen = [arguments.environment] if arguments.environment else list(names())
    pools = [make_pool(name) for name in chosen]
    tasks = sum(len(pool.tasks) for pool in pools)
    show(f"{tasks} tasks designed in {time.process_time() - start:.1f} s of CPU")
    errors = Errors()
    faults = [arguments.fault] if arguments.fault else list(FAULTS)
    start = time.process_time()
    for case in itertools.chain(
        clean_cases(pools, arguments.clean, arguments.seed),
        faulty_cases(pools, arguments.faulty, arguments.seed, faults),
    ):
        errors.add(case)
    show(f"played and judged in {time.process_time() - start:.1f} s of CPU")
    report(errors, arguments.verbose)
    return 1 if errors.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
