"""A planted error looks like everything else to whoever has not judged it.

What the machine said of the whole (its checks, accepted or not) is what it said of the original, counted in the copy's own messages.
What follows from the copy itself, its writes, reads, arguments, words and state, is shown as it is: that is what people are to notice.
"""

from collections.abc import Iterator

from writ_app.engine.types import Check, Verification
from writ_app.models.accounts import User
from writ_app.models.review import ReviewItem
from writ_app.services.review.blind import has_judged
from writ_app.services.review.steps import move_messages


def is_disguised(item: ReviewItem, viewer: User | None) -> bool:
    """Whether it passes for the original (viewer None: to somebody who has not judged). An edited version is meant seriously."""
    planted = bool(item.canary) and item.edited_by_id is None
    return planted and (viewer is None or not has_judged(viewer, item))


def shown_verification(item: ReviewItem, viewer: User | None) -> Verification:
    """The verification as the viewer may know it: of a disguised item with the original's checks."""
    own = Verification.model_validate(item.stored_verification)
    if not is_disguised(item, viewer):
        return own
    return own.model_copy(update={"checks": tuple(_original_checks(item))})


def _original_checks(item: ReviewItem) -> Iterator[Check]:
    """The checks that accepted the original, whatever a later version of the verification says of it."""
    content = item.trajectory.verification
    judged = Verification.model_validate(content)
    if not judged.accepted:
        earlier = item.trajectory.judgements.filter(accepted=True).order_by("-id")
        before = earlier.values_list("content", flat=True).first()
        judged = Verification.model_validate(before or content)
    changed = (item.changes or {}).get("message", 0)
    longer = len(item.stored_content["messages"]) - len(
        item.trajectory.content["messages"]
    )

    def moved(message: int) -> int | None:
        """Index in the copy; None for what was taken out of it."""
        if message < changed:
            return message
        return message + longer if message + longer >= changed else None

    for check in judged.checks:
        where = (moved(message) for message in check.where)
        yield check.model_copy(
            update={
                "where": tuple(place for place in where if place is not None),
                "finding": move_messages(check.finding, moved),
            }
        )
