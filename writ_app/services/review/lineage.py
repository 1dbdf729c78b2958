"""Where a version comes from: the chain from the trajectory as simulated, and what each edit changed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from environments.core.pointers import MISSING, at, leaves
from writ_app.engine.editing import (
    AddCall,
    AddMessage,
    Change,
    Changes,
    Remove,
    SetArgument,
    SetResult,
    SetText,
    read_changes,
)
from writ_app.engine.types import Trajectory
from writ_app.models.accounts import User
from writ_app.models.editing import VersionAct, VersionEvent
from writ_app.models.review import ReviewItem
from writ_app.services.review.blind import may_see_others
from writ_app.services.review.leaves import argument_name, plain_text
from writ_app.services.review.steps import number_steps, parse_result
from writ_app.services.review.word_diff import (
    Segment,
    distance,
    shortened,
    word_diff,
)


@dataclass(frozen=True)
class ChangeLine:
    """One change, for printing: where it was made, and what went and came."""

    title: str
    segments: tuple[Segment, ...]
    distance: int
    """Words or leaves of arguments that differ. A result follows from its call and counts nothing."""
    message: int | None = None
    """Index in the version that was changed."""
    step: int | None = None
    """Number of the step there, as the desk counts."""


@dataclass(frozen=True)
class Version:
    item: ReviewItem
    number: int
    """Among the versions that people know of, from 1."""
    lines: tuple[ChangeLine, ...]
    withdrawn: bool

    @cached_property
    def distance(self) -> int:
        return sum(line.distance for line in self.lines)


def describe_changes(
    trajectory: Trajectory, changes: Changes
) -> tuple[ChangeLine, ...]:
    """What the changes do to a trajectory, one line each, in the order of the conversation."""
    steps = number_steps(trajectory.messages)
    lines = (
        line if line.message is None else replace(line, step=steps.get(line.message))
        for change in changes
        for line in _lines(trajectory, change)
    )
    return tuple(
        sorted(lines, key=lambda line: -1 if line.message is None else line.message)
    )


def _lines(trajectory: Trajectory, change: Change) -> Iterator[ChangeLine]:
    messages = trajectory.messages
    match change:
        case SetText():
            message = messages[change.message]
            who = "agent" if message.role == "assistant" else message.role
            yield _line(
                f"The {who}'s words", message.content, change.text, change.message
            )
        case SetArgument():
            yield from _argument_lines(trajectory, change)
        case SetResult():
            name = _answered(trajectory, change.message)
            before = messages[change.message].content
            segments = result_diff(before, change.content)
            yield ChangeLine(f"Result of {name}", segments, 0, change.message)
        case Remove():
            message = messages[change.message]
            gone = [c for c in message.tool_calls if change.call in ("", c.id)]
            names = ", ".join(made.call.key for made in gone)
            yield _line("Removed", names or message.content, "", change.message)
        case AddCall():
            call = f"{change.name}({plain_text(change.arguments)})"
            yield _line("Added call", "", call, change.after)
        case AddMessage():
            who = "agent" if change.role == "assistant" else change.role
            yield _line(f"The {who} also says", "", change.text, change.after)


def result_diff(before: str, after: str) -> tuple[Segment, ...]:
    """What differs between two answers of a tool: leaf by leaf if both are JSON, else the beginning of both."""
    old, new = parse_result(before), parse_result(after)
    if isinstance(old, str) or isinstance(new, str):
        return (Segment("del", _brief(before)), Segment("ins", _brief(after)))
    was, now = dict(leaves(old)), dict(leaves(new))
    parts: list[Segment] = []
    for place in {**was, **now}:
        if was.get(place, MISSING) != now.get(place, MISSING):
            if len(parts) >= 3 * MOST_LEAVES:
                parts.append(Segment("gap", " …"))
                break
            parts.append(Segment("same", f"{argument_name(place)} "))
            if place in was:
                parts.append(Segment("del", plain_text(was[place])))
            if place in now:
                parts.append(Segment("ins", plain_text(now[place])))
            parts.append(Segment("same", "\n"))
    return tuple(parts)


def _brief(text: str) -> str:
    return text if len(text) <= BRIEF else f"{text[:BRIEF]}…"


BRIEF = 240
"""Characters of a result that is shown as replaced as a whole."""
MOST_LEAVES = 30
"""Differences shown of two results."""


def _line(title: str, before: str, after: str, message: int) -> ChangeLine:
    segments = shortened(word_diff(before, after))
    return ChangeLine(title, segments, distance(before, after), message)


def _argument_lines(
    trajectory: Trajectory, change: SetArgument
) -> Iterator[ChangeLine]:
    """One line for each leaf that differs."""
    made = next(
        c for c in trajectory.messages[change.message].tool_calls if c.id == change.call
    )
    old = at(made.arguments, change.pointer)
    before = _under(change.pointer, MISSING if old is MISSING else old)
    after = _under(change.pointer, MISSING if change.absent else change.value)
    for place in {**before, **after}:
        was, now = before.get(place), after.get(place)
        if was != now:
            whole = [
                Segment("del", was) if was is not None else None,
                Segment("ins", now) if now is not None else None,
            ]
            yield ChangeLine(
                f"{made.name}: {argument_name(place)}",
                tuple(one for one in whole if one),
                1,
                change.message,
            )


def _under(place: str, value: Any) -> dict[str, str]:
    if value is MISSING:
        return {}
    return {f"{place}{below}": plain_text(leaf) for below, leaf in leaves(value)}


def _answered(trajectory: Trajectory, message: int) -> str:
    answered = trajectory.messages[message].tool_call_id
    calls = (made for one in trajectory.messages for made in one.tool_calls)
    return next((made.name for made in calls if made.id == answered), "a call")


# --- the chain -----------------------------------------------------------------------------------------------------------------


def versions_of(item: ReviewItem, user: User) -> tuple[Version, ...]:
    """All versions that belong with an item, oldest first; none while a blind review hides what others made of it."""
    rows = _family(item)
    if len(rows) == 1 or not may_see_others(user, item):
        return ()
    gone = set(
        VersionEvent.objects.filter(
            item__in=rows, act=VersionAct.WITHDRAWN
        ).values_list("item", flat=True)
    )
    talks = {row.pk: row for row in rows}
    return tuple(
        Version(
            item=row,
            number=number,
            lines=_made(row, talks),
            withdrawn=row.pk in gone,
        )
        for number, row in enumerate(rows, 1)
    )


def _made(row: ReviewItem, rows: Mapping[int, ReviewItem]) -> tuple[ChangeLine, ...]:
    if row.parent_id is None or row.parent_id not in rows or row.changes is None:
        return ()
    return changes_made(row, rows[row.parent_id])


def history_of(item: ReviewItem) -> Iterator[tuple[ReviewItem, ReviewItem]]:
    """(version, version it was made from), the item first and the trajectory as simulated last."""
    while item.parent is not None:
        yield item, item.parent
        item = item.parent


def changes_made(version: ReviewItem, parent: ReviewItem) -> tuple[ChangeLine, ...]:
    """What an edit did to the version before it."""
    before = Trajectory.model_validate(parent.stored_content)
    return describe_changes(before, read_changes(tuple(version.changes or ())))


def _family(item: ReviewItem) -> Sequence[ReviewItem]:
    """Versions made from each other. A canary's begin with itself: what it was made from would give it away."""
    rows = list(
        ReviewItem.objects.filter(
            trajectory=item.trajectory_id, canary=item.canary, team=item.team_id
        )
        .select_related("trajectory", "edited_by")
        .defer("words", "search")
        .order_by("id")
    )
    if not item.canary:
        return rows
    known = {row.pk: row for row in rows}
    root = _root(item, known)
    return [row for row in rows if _root(row, known) == root]


def _root(row: ReviewItem, known: Mapping[int, ReviewItem]) -> int:
    while row.parent_id is not None and row.parent_id in known:
        row = known[row.parent_id]
    return row.pk
