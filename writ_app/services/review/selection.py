"""What a list shows, as files: every row as it is stored, or what it is found by."""

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import batched
from typing import Any

from django.db.models import Prefetch

from writ_app.models.accounts import User
from writ_app.models.curation import Comment
from writ_app.models.review import ReviewEvent, ReviewItem
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
    """One line for each item: the stored row, its verdicts and withdrawals, comments; of an edited one original and edit."""
    events = ReviewEvent.objects.select_related("slot", "reviewer", "withdrawn_by")
    comments = Comment.objects.filter(withdrawn_at=None).select_related("author")
    for chunk in batched(ids, CHUNK):
        rows = (
            ReviewItem.objects.filter(pk__in=chunk, canary="")
            .select_related("trajectory", "task", "edited_by", "parent")
            .defer("words", "search", "outline", "parent__words", "parent__search")
            .prefetch_related(
                Prefetch("comments", comments.order_by("id"), to_attr="said"),
            )
            .order_by("pk")
        )
        found = list(rows)
        judged: dict[int, list[ReviewEvent]] = {row.pk: [] for row in found}
        for event in events.filter(slot__item__in=judged).order_by("id"):
            judged[event.slot.item_id].append(event)
        for row in found:
            yield json.dumps(_row(row, judged[row.pk])) + "\n"


def _row(row: ReviewItem, events: Sequence[ReviewEvent]) -> dict[str, Any]:
    value: dict[str, Any] = {
        "id": row.pk,
        "version": row.number,
        "status": row.status,
        "task": row.task.content,
        "trajectory": row.stored_content,
        "verification": row.stored_verification,
        "verdicts": [_event(event) for event in events],
        "comments": [
            {
                "id": said.pk,
                "by": said.author.username,
                "at": said.created_at.isoformat(),
                "answers": said.parent_id,
                "message": said.message,
                "pointer": said.pointer,
                "body": said.body,
            }
            for said in row.said  # type: ignore[attr-defined]
        ],
    }
    if row.parent is not None:
        value["edit"] = {
            "of": row.parent_id,
            "by": row.edited_by.username if row.edited_by else "",
            "reason": row.edit_reason,
            "changes": row.changes,
            "original": row.trajectory.content
            if row.parent.content is None
            else row.parent.content,
        }
    return value


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
