"""The covering design: which plan, persona and values the next simulation gets, so that all pairs of values come to be played.

Online and deterministic: each task arrives with the room that it leaves, and takes of all values that go together those that make
pairs which were seen least so far; values are balanced within each stratum (archetype and cell of the grid). Only the seed decides
between equals. Rare pairs are thus reached soon, where independent draws would leave many unseen.
"""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations

from writ_app.engine.behaviour.choosing import Choices, assign, lacking, offered
from writ_app.engine.behaviour.dimensions import DIMENSIONS
from writ_app.engine.types import BehaviourPlan, Persona

TRIES = 2
"""Orders of the dimensions that are tried per plan; the best assignment is taken."""
WIDTH = 5
"""Plans that are compared per simulation, the least used first."""


@dataclass(frozen=True)
class Drawn:
    """What a simulation is to play. `gave_way` names dimensions of the plan that the task had no room for."""

    plan: BehaviourPlan
    persona: Persona
    behaviour: dict[str, str]
    gave_way: tuple[str, ...] = ()


@dataclass
class Cover:
    """What was drawn so far, and what to draw next. The same plans, personas, seed and tasks give the same draws.

    Raises ValueError if there is no plan or no persona to choose from.
    """

    plans: Sequence[BehaviourPlan]
    personas: Sequence[Persona]
    seed: int = 0
    pairs: Counter[tuple[tuple[str, str], tuple[str, str]]] = field(
        default_factory=Counter
    )
    """((dimension, value), (dimension, value)) → how often both were drawn together; in the order of the dimensions."""
    values: Counter[tuple[str, str]] = field(default_factory=Counter)
    strata: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """(stratum, dimension, value) → how often."""
    void: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """(dimension, value, why) → tasks that had no room for it."""
    used: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(plan, persona) → how often."""
    drawn: int = 0

    def __post_init__(self) -> None:
        if not self.plans or not self.personas:
            raise ValueError("There is no plan or no persona to choose from.")

    def draw(
        self,
        room: Choices,
        stratum: str,
        void: Mapping[str, Mapping[str, str]] | None = None,
        *,
        without: Sequence[str] = (),
    ) -> Drawn:
        """The next behaviour for a task with this room; `without` are slugs of plans that the same task had already."""
        self.drawn += 1
        rng = random.Random(f"cover {self.seed} {self.drawn}")
        for dimension, values in (void or {}).items():
            for value, why in values.items():
                self.void[dimension, value, why] += 1
        best = self._choose(room, stratum, rng, without)
        self._count(best, stratum)
        return best

    # --- plan and persona ---

    def _choose(
        self, room: Choices, stratum: str, rng: random.Random, without: Sequence[str]
    ) -> Drawn:
        """Of the plans and personas that were used least, those that add most; those that the task has room for go first."""
        best: tuple[tuple[bool, float], Drawn] | None = None
        for plan in self._least_used_plans(room, rng, without)[:WIDTH]:
            for persona in self._least_used_personas(plan, room, rng):
                allowed = {**persona.dimensions, **plan.dimensions}
                found = self._assign(offered(room, allowed), stratum, rng)
                if found is None:
                    continue
                gain, behaviour = found
                gave_way = tuple(lacking(room, allowed))
                rank = not gave_way and plan.slug not in without, gain
                if best is None or rank > best[0]:
                    best = rank, Drawn(plan, persona, behaviour, gave_way)
                break  # the least used persona that goes with the plan
        if best is not None:
            return best[1]
        _, behaviour = self._assign(dict(room), stratum, rng) or (0.0, {})
        return Drawn(self.plans[0], self.personas[0], behaviour, tuple(DIMENSIONS))

    def _least_used_plans(
        self, room: Choices, rng: random.Random, without: Sequence[str]
    ) -> list[BehaviourPlan]:
        """Those that fit the task best, used about as little as the least used of them."""
        counts = Counter[str]()
        for (plan, _), count in self.used.items():
            counts[plan] += count
        keys = {plan.slug: rng.random() for plan in self.plans}
        unfit = {
            plan.slug: (plan.slug in without, bool(lacking(room, plan.dimensions)))
            for plan in self.plans
        }
        ranked = sorted(
            self.plans,
            key=lambda plan: (unfit[plan.slug], counts[plan.slug], keys[plan.slug]),
        )
        least = ranked[0]
        return [
            plan
            for plan in ranked
            if unfit[plan.slug] == unfit[least.slug]
            and counts[plan.slug] <= 1.25 * counts[least.slug] + 1
        ]

    def _least_used_personas(
        self, plan: BehaviourPlan, room: Choices, rng: random.Random
    ) -> list[Persona]:
        totals = Counter[str]()
        for (_, persona), count in self.used.items():
            totals[persona] += count
        keys = {persona.slug: rng.random() for persona in self.personas}
        return sorted(
            self.personas,
            key=lambda persona: (
                bool(lacking(room, persona.dimensions)),
                self.used[plan.slug, persona.slug],
                totals[persona.slug],
                keys[persona.slug],
            ),
        )

    # --- values ---

    def _assign(
        self, choices: Choices, stratum: str, rng: random.Random
    ) -> tuple[float, dict[str, str]] | None:
        """The best of a few assignments, each greedy in another order of the dimensions, with what it adds."""
        best: tuple[float, dict[str, str]] | None = None
        for _ in range(TRIES):
            order = rng.sample(list(choices), len(choices))
            ties = {(s, v): rng.random() * 1e-6 for s in order for v in choices[s]}
            found = assign(choices, order, partial(self._ranked, stratum, ties))
            if found is None:
                return None
            total = sum(
                self._gain(slug, value, found, stratum) for slug, value in found.items()
            )
            if best is None or total > best[0]:
                best = total, found
        return best

    def _ranked(
        self,
        stratum: str,
        ties: Mapping[tuple[str, str], float],
        slug: str,
        values: Sequence[str],
        chosen: Mapping[str, str],
    ) -> list[str]:
        gains = {
            value: self._gain(slug, value, chosen, stratum) + ties[slug, value]
            for value in values
        }
        return sorted(values, key=lambda value: -gains[value])

    def _gain(
        self, slug: str, value: str, chosen: Mapping[str, str], stratum: str
    ) -> float:
        """How much a value adds: unseen pairs count most, then what is rare at all, then what is rare in the stratum."""
        new = sum(
            1 / (1 + self.pairs[_pair(slug, value, other, chosen[other])]) ** 2
            for other in chosen
            if other != slug
        )
        rare = 1 / (1 + self.values[slug, value])
        local = 1 / (1 + self.strata[stratum, slug, value])
        return new + 2 * rare + local

    def _count(self, drawn: Drawn, stratum: str) -> None:
        self.used[drawn.plan.slug, drawn.persona.slug] += 1
        for slug, value in drawn.behaviour.items():
            self.values[slug, value] += 1
            self.strata[stratum, slug, value] += 1
        for one, other in combinations(drawn.behaviour, 2):
            self.pairs[
                _pair(one, drawn.behaviour[one], other, drawn.behaviour[other])
            ] += 1


_PLACE = {slug: place for place, slug in enumerate(DIMENSIONS)}


def _pair(
    one: str, value: str, other: str, other_value: str
) -> tuple[tuple[str, str], tuple[str, str]]:
    if _PLACE[one] < _PLACE[other]:
        return (one, value), (other, other_value)
    return (other, other_value), (one, value)
