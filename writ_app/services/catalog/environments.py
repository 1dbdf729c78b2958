"""Environments and tasks: how they come in, and how sessions are opened in them."""

import gc
import json
import zlib
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.db import transaction

from environments import registry
from environments.core import environment as core
from environments.core.tools import Mode
from writ_app.adapters.tau2 import BadCheckout, Tau2Domain
from writ_app.adapters.tau2_situations import check_situations
from writ_app.adapters.worlds import (
    checkout_world,
    generated_world,
    people_in_tasks,
)
from writ_app.engine import types
from writ_app.engine.decontamination import BenchmarkIndex
from writ_app.engine.errors import Conflict
from writ_app.models.catalog import Environment, ReferenceTask, Task
from writ_app.services.audit import record


class ChangedEnvironment(Conflict):
    """What a row holds does not make the environment that was stored; the text names it."""


@transaction.atomic
def register_generated(
    *, name: str, seed: int, users: int, mode: Mode | None = None
) -> Environment:
    """Our own world made from a seed; the one there is if it was made before.

    `mode` None: the one the world is made in. Raises BadWorld.
    """
    environment = generated_world(name, seed=seed, users=users, mode=mode)
    namesakes = Environment.objects.filter(name=name, version=environment.version)
    if namesakes.exclude(content_hash=environment.content_hash).exists():
        # An earlier WRIT made another world from this seed, and both stay
        version = f"{environment.version}-{environment.content_hash[:8]}"
        environment = replace(environment, version=version)
    return _store(environment, origin=f"generated, seed {seed}, {users} users")


@transaction.atomic
def import_tau2(*, root: Path, name: str, version: str = "") -> Environment:
    """A domain of a τ²-bench checkout as an environment version, tasks included; all of it or nothing.

    `version` defaults to a name made from the state's hash. Raises BadCheckout.
    """
    environment, domain = checkout_world(root, name, version)
    check_situations(environment, domain.tasks)
    row = _store(environment, origin="imported from a tau2-bench checkout")
    _store_reference_tasks(row, domain)
    return row


def load_environment(row: Environment) -> core.Environment:
    """The environment that a row holds, loaded once per process. Raises ChangedEnvironment."""
    return _load(row.pk, row.content_hash)


def avoided_people(row: Environment) -> frozenset[str]:
    """Keys of the people in the row's imported tasks: our own tasks keep away from them."""
    tasks = [task.content for task in row.reference_tasks.all()]
    return people_in_tasks(load_environment(row), tasks)


def benchmark_index(row: Environment) -> BenchmarkIndex | None:
    """What the row's imported tasks hold, for our own to be compared with; None if nothing was imported with it.

    Of tasks with splits those of `base` count, which is the whole benchmark.
    """
    ids = list(row.reference_tasks.values_list("pk", flat=True))
    return _index(row.pk, row.content_hash, tuple(ids)) if ids else None


def store_task(*, environment: Environment, task: types.Task) -> Task:
    """The task's row; the one there is if it was designed before."""
    row, _ = Task.objects.get_or_create(
        environment=environment,
        content_hash=task.content_hash,
        defaults={
            **task_columns(task),
            "text": task.text,
            "content": task.model_dump(mode="json"),
        },
    )
    return row


def task_columns(task: types.Task) -> dict[str, Any]:
    """What a task's row repeats of its content, so that it can be found by it."""
    return {
        "slug": task.slug,
        "archetype": task.archetype,
        "title": task.title,
        "task_class": task.task_class.value,
        "burden": task.burden.total,
        "writes": task.writes,
        "lift": task.companions.lift,
        "existential": task.existential,
        "dependent": task.dependent,
        "proved": all(read.witness is not None for read in task.certificate),
    }


def _store(environment: core.Environment, *, origin: str) -> Environment:
    row, made = Environment.objects.get_or_create(
        name=environment.name,
        version=environment.version,
        defaults={
            "policy": environment.policy,
            "state": zlib.compress(json.dumps(environment.state.collections).encode()),
            "state_hash": environment.state.content_hash,
            "mode": environment.mode.value,
            "content_hash": environment.content_hash,
            "origin": origin,
        },
    )
    if not made and row.content_hash != environment.content_hash:
        raise BadCheckout(
            f"There is another {environment.name} called {environment.version} already, with other content. Choose another version name."
        )
    if made:
        record(
            "environment.register",
            team=None,
            row=row,
            after={
                "name": row.name,
                "version": row.version,
                "content_hash": row.content_hash,
                "origin": origin,
            },
        )
    return row


def _store_reference_tasks(row: Environment, domain: Tau2Domain) -> None:
    ReferenceTask.objects.bulk_create(
        [
            ReferenceTask(
                environment=row,
                task_id=task["id"],
                position=position,
                splits=[
                    split for split, ids in domain.splits.items() if task["id"] in ids
                ],
                content=task,
            )
            for position, task in enumerate(domain.tasks)
        ],
        ignore_conflicts=True,
    )


@lru_cache(maxsize=4)
def _index(pk: int, content_hash: str, task_ids: tuple[int, ...]) -> BenchmarkIndex:
    tasks = ReferenceTask.objects.filter(pk__in=task_ids)
    counted = [
        task.content for task in tasks if not task.splits or "base" in task.splits
    ]
    return BenchmarkIndex(_load(pk, content_hash), counted)


@lru_cache(maxsize=8)
def _load(pk: int, content_hash: str) -> core.Environment:
    row = Environment.objects.get(pk=pk, content_hash=content_hash)
    world = registry.world(row.name)
    state = world.read_state(json.loads(zlib.decompress(row.state)))
    environment = world.build(
        state=state, version=row.version, policy=row.policy, mode=Mode(row.mode)
    )
    gc.freeze()  # it stays as long as the process: the collector need not go through its records each time
    if environment.content_hash != content_hash:
        raise ChangedEnvironment(
            f"{row} is no longer what it was when it was stored: its tools, or the row itself, have changed since. "
            "Make or import it anew under another version name; what was made in it stays as it is."
        )
    return environment
