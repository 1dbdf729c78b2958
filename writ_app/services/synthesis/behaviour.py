"""Personas and plans of a team, what a batch makes of them, and how requested and realised behaviour compare."""

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from environments.core.environment import Environment
from writ_app.engine import behaviour, types
from writ_app.engine.behaviour.cover import Cover, Drawn
from writ_app.engine.errors import WritError
from writ_app.models.accounts import Team
from writ_app.models.behaviour import BehaviourPlan, Conduct, Persona
from writ_app.models.synthesis import Batch, Simulation
from writ_app.services import catalog
from writ_app.services.audit import digest_of_text, record

MAX_PLANS_PER_TASK = 12


class BadConduct(WritError):
    """A persona or plan that cannot be played as described; the text says what to change."""


# --- rows ----------------------------------------------------------------------------------------------------------------------


@transaction.atomic
def sync_built_in() -> None:
    """Make the built-in rows as the engine has them. Idempotent; what teams disabled stays disabled."""
    for persona in behaviour.PERSONAS.values():
        _sync(Persona, persona, persona.card)
    for plan in behaviour.PLANS.values():
        _sync(BehaviourPlan, plan, plan.instruction)


def _sync(
    model: type[Conduct], value: types.Persona | types.BehaviourPlan, text: str
) -> None:
    model.objects.update_or_create(
        team=None,
        slug=value.slug,
        defaults={
            "title": value.title,
            "text": text,
            "dimensions": {d: list(v) for d, v in value.dimensions.items()},
        },
    )


@transaction.atomic
def save_conduct(
    row: Conduct,
    *,
    team: Team,
    title: str,
    slug: str,
    text: str,
    dimensions: Mapping[str, Sequence[str]],
) -> None:
    """Store a persona or plan of a team. Raises BadConduct for one that cannot be played, or whose name is taken."""
    if row.pk and row.team_id != team.pk:
        raise BadConduct("Built-in ones stay as they are: clone it, and edit the copy.")
    side = "persona" if isinstance(row, Persona) else "plan"
    wrong = [
        f"{behaviour.DIMENSIONS[name].title} belongs to a {behaviour.DIMENSIONS[name].side}."
        for name in dimensions
        if name in behaviour.DIMENSIONS and behaviour.DIMENSIONS[name].side != side
    ]
    if problems := wrong + behaviour.contradictions(dimensions):
        raise BadConduct(" ".join(problems))
    others = type(row).objects.known_to(team).exclude(pk=row.pk)
    if others.filter(slug=slug).exists():
        raise BadConduct(
            f"There is a {side} called {slug} already: choose another name."
        )
    before = _told(type(row).objects.get(pk=row.pk)) if row.pk else None
    row.team, row.slug, row.title, row.text = team, slug, title, text
    row.dimensions = {name: list(values) for name, values in dimensions.items()}
    row.save()
    record(f"{side}.save", team=team, row=row, before=before, after=_told(row))


def _told(row: Conduct) -> dict[str, Any]:
    return {
        "slug": row.slug,
        "title": row.title,
        "dimensions": row.dimensions,
        "text_sha256": digest_of_text(row.text),
    }


@transaction.atomic
def set_enabled(row: Conduct, *, team: Team, enabled: bool) -> None:
    """Whether new batches of the team may use it. What was ordered before stays as it is."""
    if enabled:
        row.disabled_by.remove(team)
    else:
        row.disabled_by.add(team)
    side = "persona" if isinstance(row, Persona) else "plan"
    after = {"slug": row.slug, "enabled": enabled}
    record(f"{side}.enable", team=team, row=row, after=after)


# --- batches -------------------------------------------------------------------------------------------------------------------


def pin_repertoire(team: Team, plans: Sequence[str] = ()) -> dict[str, Any]:
    """The personas and plans that a new batch draws from, as they are now: `plans` by slug, or all that are enabled.

    Raises BadConduct for a plan that there is not, or if nothing is enabled.
    """
    known = BehaviourPlan.objects.known_to(team)
    chosen = list(
        known.filter(slug__in=plans)
        if plans
        else BehaviourPlan.objects.enabled_for(team)
    )
    if unknown := sorted(set(plans) - {row.slug for row in chosen}):
        names = ", ".join(known.order_by("slug").values_list("slug", flat=True))
        raise BadConduct(
            f"There is no behaviour plan {', '.join(unknown)}; there are {names}."
        )
    personas = list(Persona.objects.enabled_for(team))
    if not chosen or not personas:
        what = "persona" if chosen else "behaviour plan"
        raise BadConduct(f"Every {what} is disabled: enable at least one.")
    return {
        "plans": [row.value.model_dump(mode="json") for row in chosen],
        "personas": [row.value.model_dump(mode="json") for row in personas],
    }


class BatchBehaviour:
    """The covering design of one pass over a batch's design: deterministic, so that an interrupted one draws the same again."""

    def __init__(self, batch: Batch):
        pinned = batch.repertoire or pin_repertoire(batch.team, batch.plans)
        self._environment = catalog.load_environment(batch.environment)
        self._seed = batch.seed
        self._per_task = batch.plans_per_task
        self._gave_way: Counter[str] = Counter()
        self._cover = Cover(
            plans=[types.BehaviourPlan.model_validate(p) for p in pinned["plans"]],
            personas=[types.Persona.model_validate(p) for p in pinned["personas"]],
            seed=batch.seed,
        )

    def draw(
        self, task: types.Task, seeds: Sequence[int]
    ) -> Iterator[tuple[Drawn, types.Ledger]]:
        """What the simulations of a task with these seeds play; of the plans each once, as far as there are enough."""
        room = behaviour.Room(task, self._environment, seed=self._seed)
        stratum = f"{task.archetype} {'/'.join(task.cell)}"
        had: list[str] = []
        for seed in seeds:
            void = {} if had else room.void
            drawn = self._cover.draw(room.values, stratum, void, without=had)
            had.append(drawn.plan.slug)
            self._gave_way.update(drawn.gave_way)
            ledger = behaviour.make_ledger(
                task,
                drawn.plan,
                random.Random(f"ledger {seed}"),
                persona=drawn.persona,
                behaviour=drawn.behaviour,
                room=room,
            )
            yield drawn, ledger

    def report(self) -> dict[str, Any]:
        """Plain JSON: pairs of values that were drawn, and what tasks had no room for, by reason."""
        void: dict[str, dict[str, dict[str, int]]] = {}
        for (dimension, value, why), count in sorted(self._cover.void.items()):
            void.setdefault(dimension, {}).setdefault(value, {})[why] = count
        return {
            "pairs": len(self._cover.pairs),
            "void": void,
            "gave_way": dict(self._gave_way),
        }


def preview_ledger(
    environment: Environment,
    task: types.Task,
    plan: types.BehaviourPlan | None,
    persona: types.Persona | None,
) -> types.Ledger:
    """A plan or persona on an example task, with the plainest values for all that it leaves open."""
    open_plan = types.BehaviourPlan(
        slug="open", title="", instruction="", dimensions={}
    )
    return behaviour.make_ledger(
        task,
        plan or open_plan,
        random.Random(0),
        environment=environment,
        persona=persona,
    )


# --- marginals -----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ValueLine:
    """One value of a dimension: how often it was requested, simulated, and came out as requested; and how often it came out at all."""

    slug: str
    title: str
    requested: int
    finished: int
    """Of the requested, those that were simulated and judged."""
    kept: int
    """Of the finished, those that came out as requested."""
    realised: int

    @property
    def share(self) -> int:
        return round(100 * self.kept / self.finished) if self.finished else 0


@dataclass(frozen=True)
class DimensionLines:
    dimension: behaviour.Dimension
    lines: tuple[ValueLine, ...]

    @property
    def requested(self) -> int:
        return sum(line.requested for line in self.lines)


_COUNTS = """
SELECT asked.key, asked.value, t.realised ->> asked.key, count(*)
FROM writ_app_simulation s
CROSS JOIN LATERAL jsonb_each_text(s.behaviour) AS asked
LEFT JOIN writ_app_trajectory t ON t.simulation_id = s.id
WHERE s.batch_id = %s
GROUP BY 1, 2, 3
"""


def behaviour_counts(batch: Batch) -> Counter[tuple[str, str, str | None]]:
    """(dimension, requested, realised) → simulations; realised is None before a simulation is judged."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, [batch.pk])
        return Counter({(d, r, o): count for d, r, o, count in cursor.fetchall()})


def behaviour_marginals(batch: Batch) -> tuple[DimensionLines, ...]:
    """Requested against realised, by dimension and value, in the order of the taxonomy; dimensions that nothing asked for left out."""
    counts = behaviour_counts(batch)
    found = []
    for dimension in behaviour.DIMENSIONS.values():
        own = {(r, o): n for (d, r, o), n in counts.items() if d == dimension.slug}
        if not own:
            continue
        lines = []
        for value in dimension.values:
            asked = {o: n for (r, o), n in own.items() if r == value.slug}
            came = sum(n for (_, o), n in own.items() if o == value.slug)
            if asked or came:
                lines.append(
                    ValueLine(
                        slug=value.slug,
                        title=value.title,
                        requested=sum(asked.values()),
                        finished=sum(n for o, n in asked.items() if o is not None),
                        kept=asked.get(value.slug, 0),
                        realised=came,
                    )
                )
        found.append(DimensionLines(dimension, tuple(lines)))
    return tuple(found)


def marginals_json(batch: Batch) -> dict[str, Any]:
    """The same as plain JSON, for exports: dimension → value → counts, and what tasks had no room for."""
    return {
        "dimensions": {
            one.dimension.slug: {
                line.slug: {
                    "requested": line.requested,
                    "finished": line.finished,
                    "kept": line.kept,
                    "realised": line.realised,
                }
                for line in one.lines
            }
            for one in behaviour_marginals(batch)
        },
        "void": (batch.design_report.get("behaviour") or {}).get("void", {}),
    }


def uses_of(row: Conduct, team: Team) -> int:
    """Simulations of the team that played it."""
    played = Q(persona=row.slug) if isinstance(row, Persona) else Q(plan=row.slug)
    return Simulation.objects.filter(played, batch__team=team).count()
