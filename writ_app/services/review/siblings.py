"""Trajectories of the same task side by side: aligned by calls, compared by what they write, with the difference that decided."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from django.utils.crypto import salted_hmac

from environments.core.environment import Environment
from environments.core.tools import ToolCall
from writ_app.engine.alignment import (
    Decisive,
    Pair,
    PlayedCall,
    align,
    align_all,
    first_decisive,
)
from writ_app.engine.types import Task, Trajectory
from writ_app.models.prepared import prepared
from writ_app.models.review import ReviewItem
from writ_app.services.catalog import load_environment
from writ_app.services.review.steps import make_steps

SHOWN = 4
"""Siblings beside the one in question, if none are chosen."""
AT_MOST = 6
FAMILY = 200
"""Siblings there are to choose from."""
STATE_CHECKS = {"final_state", "writes"}
"""Checks that fail iff the gold's state was not reached."""


@dataclass(frozen=True)
class Kinship:
    """What a page says of an item's siblings without reading them."""

    item: int
    siblings: int
    right: bool
    """Whether the item itself ends in the gold's state."""
    reaching: int
    """Siblings that do."""

    @property
    def agree(self) -> bool:
        return self.right and self.reaching == self.siblings

    @property
    def others(self) -> int:
        """Siblings that end otherwise; of an item that misses the gold only those are known that reach it."""
        return self.siblings - self.reaching if self.right else self.reaching


@dataclass(frozen=True)
class Column:
    """One trajectory of the comparison."""

    item: ReviewItem
    persona: str
    calls: tuple[PlayedCall, ...]
    state: str
    """Equal letters stand for equal final states."""
    gold: bool
    """Whether that state is the gold's."""

    @property
    def wrote(self) -> tuple[PlayedCall, ...]:
        return tuple(call for call in self.calls if call.wrote)


@dataclass(frozen=True)
class Comparison:
    """A sibling against the reference."""

    column: Column
    sentence: str
    """Which of the two does what other than the other; "" if both end in the same state."""
    put_in: int
    """Calls that only the sibling makes."""
    left_out: int
    changed: int
    same_state: bool
    decided_at: tuple[tuple[Pair, Literal["cause", "effect"]], ...] = ()


@dataclass(frozen=True)
class Cell:
    """What a sibling does at one place; no pair: neither it nor the reference does anything there."""

    item: ReviewItem
    pair: Pair | None
    decided: Literal["", "cause", "effect"] = ""


@dataclass(frozen=True)
class Line:
    reference: PlayedCall | None
    cells: tuple[Cell, ...]
    same: bool
    """In all columns."""


@dataclass(frozen=True)
class SiblingsPage:
    reference: Column
    others: tuple[Comparison, ...]
    lines: tuple[Line, ...]
    task: Task

    @property
    def columns(self) -> tuple[Column, ...]:
        return (self.reference, *(one.column for one in self.others))

    @property
    def states(self) -> int:
        return len({column.state for column in self.columns})

    @property
    def shown(self) -> frozenset[int]:
        """Keys of the siblings beside the reference."""
        return frozenset(one.column.item.pk for one in self.others)


def kinship(item: ReviewItem) -> Kinship:
    """One query for two numbers, written out as it is made for every page that shows an item."""
    with prepared() as cursor:
        cursor.execute(
            f"SELECT count(*), count(*) FILTER (WHERE reaching) FROM ({_FAMILY}) AS family",
            _family_values(item),
        )
        siblings, reaching = cursor.fetchone()
    return Kinship(
        item=item.pk,
        siblings=siblings,
        right=_passes_for_right(item),
        reaching=reaching,
    )


# Planted errors pass for what they were made from as far as a page says that it was not compared for, and are siblings like any
# other: one that is missing where it belongs would be known by that. But beside its original everybody would see what was planted.
# So the two never meet, and of a pair only one is shown to third ones; which one, nobody can tell from outside.
_FAMILY = """
SELECT one.id, one.canary <> '' OR NOT one.failed && %(state)s::varchar[] AS reaching
FROM writ_app_reviewitem AS one
WHERE one.team_id = %(team)s AND one.task_id = %(task)s AND one.id <> %(item)s
  AND (one.canary = '' OR one.edited_by_id IS NULL)
  AND CASE WHEN one.trajectory_id = %(trajectory)s THEN one.canary = '' AND NOT %(planted)s ELSE NOT EXISTS (
    SELECT FROM writ_app_reviewitem AS twin
    WHERE twin.trajectory_id = one.trajectory_id AND (twin.canary = '') <> (one.canary = '')
      AND (one.canary = '') = (get_byte(sha256(convert_to(%(secret)s || one.trajectory_id, 'UTF8')), 0) < 128)) END
ORDER BY one.id DESC LIMIT %(most)s
"""


def _family_values(item: ReviewItem) -> dict[str, Any]:
    return {
        "team": item.team_id,
        "task": item.task_id,
        "trajectory": item.trajectory_id,
        "item": item.pk,
        "planted": bool(item.canary),
        "state": list(STATE_CHECKS),
        "secret": salted_hmac("writ.siblings", "", algorithm="sha256").hexdigest(),
        "most": FAMILY,
    }


def _passes_for_right(item: ReviewItem) -> bool:
    return bool(item.canary) or _reaches_gold(item.failed)


def _reaches_gold(failed: Collection[str]) -> bool:
    return STATE_CHECKS.isdisjoint(failed)


def family_of(item: ReviewItem) -> tuple[ReviewItem, ...]:
    """Other trajectories of the task in the same team, versions of the same one included, newest first; the plain columns only."""
    with prepared() as cursor:
        cursor.execute(_FAMILY, _family_values(item))
        keys = [key for key, _ in cursor.fetchall()]
    return tuple(ReviewItem.objects.narrow().filter(pk__in=keys).order_by("-id"))


def build_siblings(
    *,
    item: ReviewItem,
    family: Sequence[ReviewItem],
    chosen: Collection[int] = (),
) -> SiblingsPage:
    """`chosen` are keys of the family, at most so many are shown; without any, those that end otherwise come first."""
    shown = [one for one in family if one.pk in chosen][:AT_MOST]
    if not shown:
        right = _passes_for_right(item)
        odd_first = sorted(family, key=lambda one: _passes_for_right(one) == right)
        shown = odd_first[:SHOWN]
    keys = [item.pk, *(one.pk for one in shown)]
    read = (
        ReviewItem.objects.select_related(
            "trajectory__simulation", "task__environment", "batch"
        )
        .defer(
            "verification",
            "words",
            "search",
            "trajectory__verification",
            "task__environment__state",
            "task__environment__policy",
        )
        .in_bulk(keys)
    )
    first = read[item.pk]
    task = Task.model_validate(first.task.content)
    environment = load_environment(first.task.environment)
    columns = _columns([read[key] for key in keys], environment, task)
    needed = {PlayedCall(0, one.call).key for one in task.certificate}
    reference, *others = columns
    compared = tuple(_compared(reference, other, needed) for other in others)
    return SiblingsPage(
        reference=reference,
        others=compared,
        lines=tuple(_lines(reference, compared)),
        task=task,
    )


def _columns(
    items: Iterable[ReviewItem], environment: Environment, task: Task
) -> list[Column]:
    letters: dict[Any, str] = {}
    columns = []
    for item in items:
        calls = played_calls(item, environment)
        effect = _effect(environment, [call.call for call in calls if call.wrote])
        letter = letters.setdefault(effect, chr(ord("A") + len(letters)))
        columns.append(
            Column(
                item=item,
                persona=item.trajectory.simulation.persona,
                calls=calls,
                state=letter,
                gold=effect == task.gold_effect,
            )
        )
    return columns


def played_calls(item: ReviewItem, environment: Environment) -> tuple[PlayedCall, ...]:
    messages = Trajectory.model_validate(item.stored_content).messages
    return tuple(
        PlayedCall(
            step=step.number,
            call=ToolCall(name=step.name, arguments=dict(step.arguments or {})),
            answer=step.text,
            error=step.kind == "error",
            writes=environment.is_write(step.name),
        )
        for step in make_steps(messages, environment)
        if step.name
    )


def _effect(environment: Environment, writes: Sequence[ToolCall]) -> str:
    session = environment.session()
    session.replay(writes)
    return session.state.effect()


def _compared(reference: Column, other: Column, needed: Collection[str]) -> Comparison:
    pairs = align(reference.calls, other.calls)
    kinds = [pair.difference for pair in pairs]
    same_state = reference.state == other.state
    # Said of the one that misses the gold's state, if it is one of the two; else of the sibling.
    turned = other.gold and not same_state
    subject = reference if turned else other
    decisive = None
    if not same_state:
        decisive = first_decisive(
            [pair.turned for pair in pairs] if turned else pairs, needed=needed
        )
    return Comparison(
        column=other,
        sentence=f"#{subject.item.pk} {decisive}" if decisive else "",
        put_in=kinds.count("put_in"),
        left_out=kinds.count("left_out"),
        changed=kinds.count("changed"),
        same_state=same_state,
        decided_at=tuple(_places(decisive, turned)) if decisive else (),
    )


def _places(
    decisive: Decisive, turned: bool
) -> Iterator[tuple[Pair, Literal["cause", "effect"]]]:
    effect, cause = decisive.effect, decisive.cause
    yield (effect.turned if turned else effect), "effect"
    if cause:
        yield (cause.turned if turned else cause), "cause"


def _lines(reference: Column, others: Sequence[Comparison]) -> Iterator[Line]:
    for row in align_all(reference.calls, [one.column.calls for one in others]):
        cells = tuple(
            Cell(
                other.column.item,
                pair,
                dict(other.decided_at).get(pair, "") if pair else "",
            )
            for pair, other in zip(row.pairs, others, strict=True)
        )
        yield Line(row.cells[0], cells, row.same)
