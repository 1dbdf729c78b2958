"""Everything imported that our own data must stay away from, ready to be compared with: benchmarks' tasks, and reference sets."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from writ_app.engine.decontamination import BenchmarkIndex, index_conversations
from writ_app.models.catalog import Environment, ReferenceSet
from writ_app.services.catalog.environments import (
    ChangedEnvironment,
    benchmark_index,
    load_environment,
)

AT_ONCE = 200
SHORT = 12
"""Characters of a file's hash that tell sets of one name apart."""


def benchmark_indexes(
    worlds: Collection[str], reference_sets: Iterable[ReferenceSet] = ()
) -> dict[str, BenchmarkIndex]:
    """Name → index, of every benchmark imported for these worlds and of these sets. A set whose environment is not here is left
    out: without its database nobody knows whom it speaks of. So is what was imported into an environment that has changed since."""
    found: dict[str, BenchmarkIndex] = {}
    rows = Environment.objects.filter(name__in=worlds, reference_tasks__isnull=False)
    for row in rows.defer("state").distinct().order_by("pk"):
        try:
            index = benchmark_index(row)
        except ChangedEnvironment:
            continue
        if index is not None:
            found[f"tasks of {row}"] = index
    sets = [
        one
        for one in reference_sets
        if one.environment is not None and one.environment.name in worlds
    ]
    names = Counter(one.name for one in sets)
    for one in sets:
        # Whoever brings a file in names it: several may go by one name.
        alone = names[one.name] == 1 and one.name not in found
        name = one.name if alone else f"{one.name} ({one.content_hash[:SHORT]})"
        found[name] = conversation_index(one)
    return found


def conversation_index(row: ReferenceSet) -> BenchmarkIndex:
    """Of a set whose environment is here. Raises ChangedEnvironment."""
    return _conversations(row.pk, row.content_hash)


@lru_cache(maxsize=4)
def _conversations(pk: int, content_hash: str) -> BenchmarkIndex:
    row = ReferenceSet.objects.select_related("environment").get(
        pk=pk, content_hash=content_hash
    )
    assert row.environment is not None
    return index_conversations(load_environment(row.environment), _talks(row))


def _talks(row: ReferenceSet) -> Iterator[tuple[str, Sequence[dict[str, Any]]]]:
    rows = row.trajectories.order_by("position")
    for found in rows.defer("content").iterator(chunk_size=AT_ONCE):
        yield f"{found.task_id} ({found.trial})", found.messages
