"""What a recipe finds, one by one: fit to be released, or left out with a typed reason."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import batched
from typing import Any

from django.db.models import TextField
from django.db.models.functions import Cast

from environments.core.environment import Environment
from environments.core.state import Session
from environments.core.tools import ToolCall
from writ_app.engine.decontamination import BenchmarkIndex, gate
from writ_app.engine.export.fitting import refusals
from writ_app.engine.export.records import Record, compact
from writ_app.engine.export.tokens import counts
from writ_app.engine.types import Task
from writ_app.models import catalog
from writ_app.models.release import Release
from writ_app.models.review import ItemQuerySet, ReviewItem
from writ_app.services.catalog import ChangedEnvironment, load_environment
from writ_app.services.release.choose import Candidate
from writ_app.services.release.dataset import Writer, read_rows
from writ_app.services.release.gates import gate_indexes
from writ_app.services.release.recipe import Recipe
from writ_app.services.review.listing import at_most
from writ_app.services.review.listing.filters import condition

AT_ONCE = 100
SECONDS = 60
"""The filters may take so long to find what there is."""
REASONS = {
    "cap": "over the cap of its cell",
    "too_long": "longer than the token limit",
    "contaminated": "shares something with a benchmark",
    "environment": "its environment has changed since",
}
"""Reasons beside the names of pitfalls, in words."""


@dataclass(frozen=True, slots=True)
class Refusal:
    item: int
    reason: str
    detail: str


@dataclass(frozen=True)
class _TaskFacts:
    """What is asked of a task once, however often it was simulated."""

    task: Task
    request: str
    people: tuple[str, ...]


def candidates_of(release: Release, recipe: Recipe) -> ItemQuerySet:
    """Approved and valid now, found by the filters, and not excluded."""
    found = ReviewItem.objects.releasable().filter(
        condition(recipe.filters, user=release.created_by.within(release.team_id)),
        team=release.team,
    )
    return found.exclude(pk__in=recipe.excluded)


def judge(
    release: Release, recipe: Recipe, step: Callable[[int, int], None]
) -> tuple[list[Candidate], list[Refusal]]:
    """All that the recipe finds, in order of the keys. `step` is told (done, whole) every now and then.

    Raises TooSlow for filters that take too long, BadRecipe for a gate that there is not.
    """
    with at_most(SECONDS):
        ids = list(
            candidates_of(release, recipe).order_by("pk").values_list("pk", flat=True)
        )
    judged = _Judge(release, recipe)
    fit: list[Candidate] = []
    unfit: list[Refusal] = []
    for done, chunk in enumerate(batched(ids, AT_ONCE)):
        step(done * AT_ONCE, len(ids))
        for one in judged.chunk(chunk):
            if isinstance(one, Candidate):
                fit.append(one)
            else:
                unfit.append(one)
    step(len(ids), len(ids))
    return fit, unfit


class _Judge:
    def __init__(self, release: Release, recipe: Recipe):
        self._release = release
        self._recipe = recipe
        self._writer = Writer()
        self._facts: dict[int, _TaskFacts] = {}
        self._worlds: dict[int, Environment] = {}

    def chunk(self, ids: Sequence[int]) -> Iterator[Candidate | Refusal]:
        """Of each item, in no order."""
        items = ReviewItem.objects.filter(pk__in=ids)
        about: dict[int, tuple[int, str, int, int]] = {
            pk: (task, archetype, writes, burden)
            for pk, task, archetype, writes, burden in items.values_list(
                "pk", "task_id", "archetype", "writes", "burden"
            )
        }
        self._learn({task for task, *_ in about.values()})
        fit: dict[int, Record] = {}
        for row in read_rows(items, after=0, most=len(ids)):
            made = self._record(row)
            if isinstance(made, Refusal):
                yield made
            else:
                fit[row[0]] = made
        for (item, record), tokens in zip(
            fit.items(), self._counted(fit.values()), strict=True
        ):
            yield self._candidate(item, record, tokens, *about[item])

    def _record(self, row: Sequence[Any]) -> Record | Refusal:
        """What every format can hold."""
        try:
            record = self._writer.record(row, "")
        except ChangedEnvironment as error:
            return Refusal(row[0], "environment", str(error))
        for problem in refusals(record, self._recipe.options):
            return Refusal(row[0], problem.pitfall, problem.text)
        return record

    def _counted(self, records: Iterable[Record]) -> Iterator[int | None]:
        if not self._recipe.tokenizer:
            yield from (None for _ in records)
            return
        for _, tokens in counts(records, self._recipe.tokenizer):
            yield tokens

    def _candidate(
        self,
        item: int,
        record: Record,
        tokens: int | None,
        task: int,
        archetype: str,
        writes: int,
        burden: int,
    ) -> Candidate | Refusal:
        facts, most = self._facts[task], self._recipe.max_tokens
        if tokens is not None and most is not None and tokens > most:
            detail = f"{tokens:,} tokens by {self._recipe.tokenizer}, at most {most:,}"
            return Refusal(item, "too_long", detail)
        if shared := self._shared(record, facts):
            return Refusal(item, "contaminated", shared)
        return Candidate(
            item=item,
            task=f"{record.world.name} {facts.request}",
            people=facts.people,
            archetype=archetype,
            writes=writes,
            burden=burden,
            tokens=tokens,
        )

    def _learn(self, tasks: set[int]) -> None:
        """Tasks of one chunk that are not known yet."""
        new = catalog.Task.objects.filter(pk__in=tasks - self._facts.keys())
        texts = new.annotate(content_text=Cast("content", TextField()))
        for pk, world, text in texts.values_list(
            "pk", "environment_id", "content_text"
        ):
            task = Task.model_validate_json(text)
            self._facts[pk] = _TaskFacts(
                task=task,
                request=task.request_hash,
                people=self._people(task, world),
            )

    def _people(self, task: Task, world: int) -> tuple[str, ...]:
        try:
            return people_of(task, self._world(world))
        except ChangedEnvironment:
            return ()  # its trajectories are refused for that

    def _world(self, pk: int) -> Environment:
        if pk not in self._worlds:
            row = catalog.Environment.objects.defer("state", "policy").get(pk=pk)
            self._worlds[pk] = load_environment(row)
        return self._worlds[pk]

    def _shared(self, record: Record, facts: _TaskFacts) -> str:
        """What the task, or what its user says in this conversation, shares with a benchmark; "" if nothing."""
        task = facts.task
        indexes = {
            name: index
            for name, index in self._indexes.items()
            if index.environment == task.environment
        }
        said = [m["content"] for m in record.messages if m["role"] == "user"]
        return "; ".join(map(str, gate(task, indexes, said=said)))[:1000]

    @cached_property
    def _indexes(self) -> Mapping[str, BenchmarkIndex]:
        return gate_indexes(self._recipe.gates, self._release.team)


def people_of(task: Task, world: Environment) -> tuple[str, ...]:
    """Whom the task is about: who asks, and everybody whom its calls name. Worlds of one name may share people."""
    calls: list[ToolCall] = [
        *(read.call for read in task.certificate),
        *task.spoken_of,
        *(write.call for write in task.gold),
    ]
    text = compact([task.facts, *(call.arguments for call in calls)])
    named = world.domain.people_in(Session(world.state), text)
    people = {*named, task.person} - {""}
    return tuple(f"{task.environment}: {person}" for person in sorted(people))
