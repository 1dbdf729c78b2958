"""How much of each kind of request a batch holds, if nobody says otherwise."""

from collections.abc import Sequence

from environments.core.domain import Archetype, TaskClass

CLASS_SHARES = {
    TaskClass.READ_HEAVY: 60,
    TaskClass.WRITE_INTENSIVE: 20,
}
HEAVIEST = 20
"""Largest weight: fine enough that rounding leaves the shares as they are."""
OTHER_SHARE = 10
"""Of refusals, of transfers, of information: there must be some, or an agent never learns to say no."""


def class_groups(
    archetypes: Sequence[Archetype],
) -> list[tuple[TaskClass, list[Archetype]]]:
    """The archetypes by class, classes in the order in which they are defined; empty ones are left out."""
    groups = [
        (kind, [one for one in archetypes if one.task_class is kind])
        for kind in TaskClass
    ]
    return [(kind, members) for kind, members in groups if members]


def default_mix(archetypes: Sequence[Archetype]) -> dict[str, int]:
    """Archetype → weight. Each class gets its share whatever number of archetypes it has, and they share it equally."""
    exact = {
        one.slug: CLASS_SHARES.get(kind, OTHER_SHARE) / len(members)
        for kind, members in class_groups(archetypes)
        for one in members
    }
    most = max(exact.values(), default=1)
    return {slug: max(1, round(HEAVIEST * one / most)) for slug, one in exact.items()}
