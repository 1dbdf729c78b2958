"""What a list shows, as files: every row as it is stored, or what it is found by."""

import csv
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import batched
from typing import Any

from django.db.models import Case, F, TextField, When
from django.db.models.functions import Cast, Coalesce

from writ_app.models.accounts import User
from writ_app.models.curation import Comment
from writ_app.models.review import ReviewEvent, ReviewItem, ReviewSlot
from writ_app.services.review.comments import comments_of
from writ_app.services.review.listing import Filters, at_most, found_by

CHUNK = 100
"""Items in memory at a time."""
COLUMNS = (
    "id",
    "trajectory_id",
    "number",
    "environment",
    "archetype",
    "task_class",
    "writes",
    "burden",
    "plan",
    "agent",
    "steps",
    "ended_by",
    "scripted",
    "accepted",
    "reason",
    "failed",
    "kinds",
    "skeleton",
    "uncertainty",
    "status",
    "batch_id",
    "task_id",
    "created_at",
)
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What spreadsheets take a cell for a formula by."""


def selected_ids(
    *, user: User, filters: Filters, items: Sequence[int] = ()
) -> list[int]:
    """Keys of what is exported, oldest first: what the filters find, or the given items. Never canaries. Raises TooSlow."""
    found = found_by(filters, user=user).filter(canary="")
    if items:
        found = found.filter(pk__in=items)
    with at_most(60):
        return list(found.order_by("pk").values_list("pk", flat=True))


def json_lines(ids: Iterable[int]) -> Iterator[str]:
    """One line for each item: the stored row, its verdicts and withdrawals, comments; of an edited one original and edit.

    What is stored as JSON is handed on as it is, without being read: it is the bulk of the file.
    """
    for chunk in batched(ids, CHUNK):
        events, comments = _by_item(chunk)
        rows = (
            ReviewItem.objects.filter(pk__in=chunk, canary="")
            .order_by("pk")
            .values(
                "id",
                "number",
                "status",
                "parent",
                "edit_reason",
                by=F("edited_by__username"),
                task_json=_text("task__content"),
                content_json=_text("content", "trajectory__content"),
                verification_json=_text("verification", "trajectory__verification"),
                changes_json=_text("changes"),
                original=Case(
                    When(
                        parent__isnull=False,
                        then=_text("parent__content", "trajectory__content"),
                    )
                ),
            )
        )
        for row in rows:
            yield _line(row, events[row["id"]], comments[row["id"]])


def _text(*columns: str) -> Cast:
    """JSON as it is stored, of the first of the columns that is not null."""
    chosen = Coalesce(*map(F, columns)) if len(columns) > 1 else F(columns[0])
    return Cast(chosen, TextField())


def _by_item(ids: Sequence[int]) -> tuple[dict[int, list[Any]], dict[int, list[Any]]]:
    events, comments = defaultdict(list), defaultdict(list)
    # In two steps: joined, Postgres takes the few events there may be for a reason to walk all slots.
    slots = ReviewSlot.objects.filter(item__in=ids).in_bulk()
    given = ReviewEvent.objects.filter(slot__in=list(slots)).order_by("id")
    for event in given.select_related("reviewer"):
        event.slot = slots[event.slot_id]
        events[event.slot.item_id].append(_event(event))
    for comment in comments_of(ReviewItem.objects.filter(pk__in=ids)):
        comments[comment.item_id].append(_comment(comment))
    return events, comments


def _line(row: Mapping[str, Any], events: list[Any], comments: list[Any]) -> str:
    parts = {
        "id": json.dumps(row["id"]),
        "version": json.dumps(row["number"]),
        "status": json.dumps(row["status"]),
        "task": row["task_json"],
        "trajectory": row["content_json"],
        "verification": row["verification_json"],
        "verdicts": json.dumps(events),
        "comments": json.dumps(comments),
    }
    if row["parent"]:
        own = {"of": row["parent"], "by": row["by"] or "", "reason": row["edit_reason"]}
        edit = (
            f'"changes": {row["changes_json"] or "null"}, "original": {row["original"]}'
        )
        parts["edit"] = f"{json.dumps(own)[:-1]}, {edit}}}"
    fields = ", ".join(f'"{name}": {value}' for name, value in parts.items())
    # A line break in stored JSON stands between its tokens: inside of strings it is escaped.
    return "{" + fields.replace("\n", " ").replace("\r", " ") + "}\n"


def _comment(said: Comment) -> dict[str, Any]:
    return {
        "id": said.pk,
        "by": said.author.username,
        "at": said.created_at.isoformat(),
        "answers": said.parent_id,
        "message": said.message,
        "pointer": said.pointer,
        "body": said.body,
    }


def _event(event: ReviewEvent) -> dict[str, Any]:
    return {
        "id": event.pk,
        "by": event.reviewer.username,
        "at": event.created_at.isoformat(),
        "opinion": event.slot.number,
        "verdict": event.verdict,
        "reason": event.reason,
        "note": event.note,
        "message": event.message,
        "pointer": event.pointer,
        "write": event.write,
        "withdraws": event.withdraws_id,
        "bulk": event.bulk_id,
        "seconds": event.seconds,
    }


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def csv_lines(ids: Iterable[int]) -> Iterator[str]:
    """What items are found by, as a table with a heading."""
    writer = csv.writer(_Echo())
    yield writer.writerow(COLUMNS)
    for chunk in batched(ids, 1_000):
        rows = ReviewItem.objects.filter(pk__in=chunk, canary="").order_by("pk")
        for row in rows.values_list(*COLUMNS):
            yield writer.writerow([_cell(value) for value in row])


def _cell(value: Any) -> str:
    """Text that no spreadsheet takes for a formula."""
    text = " ".join(value) if isinstance(value, list) else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text
