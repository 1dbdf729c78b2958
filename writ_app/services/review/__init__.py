"""The review room: the queue, verdicts, and everything a reviewer sees of one trajectory."""

from writ_app.services.review.page import ReviewPage, build_review_page
from writ_app.services.review.queue import (
    QueueCounts,
    count_queue,
    lease_next,
    renew_lease,
)
from writ_app.services.review.verdicts import (
    AlreadyReviewed,
    CannotUndo,
    LeaseLost,
    last_standing,
    may_see_notes,
    submit_verdict,
    undo_last,
)

__all__ = [
    "AlreadyReviewed",
    "CannotUndo",
    "LeaseLost",
    "QueueCounts",
    "ReviewPage",
    "build_review_page",
    "count_queue",
    "last_standing",
    "lease_next",
    "may_see_notes",
    "renew_lease",
    "submit_verdict",
    "undo_last",
]
