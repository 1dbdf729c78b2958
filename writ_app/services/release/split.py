"""Into which split each trajectory goes: whatever shares a task or a person stays together. Pure functions over values."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from writ_app.services.release.choose import Candidate, place

TOLERANCE = 0.005
"""Share of all by which a split may miss its own without a word."""


@dataclass(frozen=True)
class Splits:
    of: Mapping[int, str]
    """Item → split."""
    groups: int
    """Sets of trajectories that have to stay together."""
    largest: int
    """Trajectories in the biggest of them."""
    notes: tuple[str, ...]
    """Shares that could not be met, in words."""


def split(
    candidates: Sequence[Candidate], shares: Mapping[str, float], seed: int
) -> Splits:
    """Biggest group first, each to the split that lacks most; equally big ones in the order of the seed."""
    groups = sorted(
        groups_of(candidates),
        key=lambda group: (-len(group), place(seed, min(one.item for one in group))),
    )
    wanted = {name: share * len(candidates) for name, share in shares.items()}
    held: Counter[str] = Counter()
    of: dict[int, str] = {}
    for group in groups:
        name = max(wanted, key=lambda one: wanted[one] - held[one])
        held[name] += len(group)
        of.update((one.item, name) for one in group)
    largest = len(groups[0]) if groups else 0
    notes = tuple(_notes(wanted, held, len(candidates), len(groups), largest))
    return Splits(of, len(groups), largest, notes)


def groups_of(candidates: Sequence[Candidate]) -> list[list[Candidate]]:
    """Sets that share a task or a person, directly or over others."""
    parent: dict[str, str] = {}

    def root(key: str) -> str:
        parent.setdefault(key, key)
        while parent[key] != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    for one in candidates:
        first = root(f"task {one.task}")
        for person in one.people:
            parent[root(f"person {person}")] = first
    groups: dict[str, list[Candidate]] = defaultdict(list)
    for one in candidates:
        groups[root(f"task {one.task}")].append(one)
    return list(groups.values())


def _notes(
    wanted: Mapping[str, float],
    held: Mapping[str, int],
    total: int,
    groups: int,
    largest: int,
) -> list[str]:
    most = max(1.0, TOLERANCE * total)
    together = (
        f"what shares a task or a person stays together, which makes {groups:,} group{'s' * (groups != 1)}, "
        f"the largest of {largest:,}."
    )
    return [
        f"{name} was to have {share / total:.1%} and has {held.get(name, 0) / total:.1%} ({held.get(name, 0):,} of {total:,}): "
        + (together if share >= 1 else f"{total:,} are too few for such a share.")
        for name, share in wanted.items()
        if total
        and (abs(held.get(name, 0) - share) > most or (share and not held.get(name)))
    ]
