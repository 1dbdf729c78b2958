"""What a release may be kept away from: benchmark tasks that were imported, and reference sets, whose conversations count alike."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db.models import Q

from writ_app.engine.decontamination import BenchmarkIndex
from writ_app.models.accounts import Team
from writ_app.models.catalog import Environment, ReferenceSet
from writ_app.services.catalog import benchmark_index, conversation_index
from writ_app.services.release.recipe import BadRecipe

OF_SET = "set:"
"""Before the hash of a reference set's file: how recipes and manifests name it, on any machine."""
SHORT = 12
"""Characters of the hash that name it."""


@dataclass(frozen=True)
class Gate:
    name: str
    """As a recipe names it."""
    title: str
    of: Environment | ReferenceSet

    @property
    def index(self) -> BenchmarkIndex | None:
        """None if there is nothing to compare with. Raises ChangedEnvironment."""
        if isinstance(self.of, ReferenceSet):
            return conversation_index(self.of)
        return benchmark_index(self.of)


def gates(team: Team) -> list[Gate]:
    """Those that a recipe of the team may name. Of reference sets, those whose environment is here: without its database nobody
    knows whom they speak of."""
    worlds = Environment.objects.filter(reference_tasks__isnull=False).distinct()
    sets = ReferenceSet.objects.filter(
        Q(team=None) | Q(team=team), environment__isnull=False
    ).select_related("environment")
    return [
        *(
            Gate(f"{row.name}/{row.version}", f"tasks of {row}", row)
            for row in worlds.defer("state", "policy").order_by("name", "version")
        ),
        *(
            _of_set(row)
            for row in sets.defer(
                "content", "environment__state", "environment__policy"
            ).order_by("name", "pk")
        ),
    ]


def _of_set(row: ReferenceSet) -> Gate:
    """Whoever brought a file in has named it: what would not be seen, or would turn the text round, is left out."""
    short = row.content_hash[:SHORT]
    name = "".join(sign for sign in row.name[:100] if sign.isprintable())
    return Gate(OF_SET + short, f"conversations of {name} ({short})", row)


def gate_indexes(names: Iterable[str], team: Team) -> Mapping[str, BenchmarkIndex]:
    """Title → index of each gate. Raises BadRecipe for one that there is not, ChangedEnvironment."""
    names = list(names)
    known = {one.name: one for one in gates(team)} if names else {}
    found: dict[str, BenchmarkIndex] = {}
    for name in names:
        one = known.get(name)
        index = one.index if one else None
        if one is None or index is None:
            raise BadRecipe(
                f"gates: nothing to keep away from was imported as {name!r}. There are: {', '.join(known) or 'none'}."
            )
        found[one.title] = index
    return found
