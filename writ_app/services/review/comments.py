"""Comments on items, in threads of one level, and the people who are named in them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from writ_app.engine.errors import WritError
from writ_app.engine.types import Trajectory
from writ_app.models.accounts import Team, User
from writ_app.models.curation import Comment, Mention
from writ_app.models.prepared import prepared
from writ_app.models.review import ItemQuerySet, ReviewItem
from writ_app.services.audit import digest_of_text, record
from writ_app.services.review.blind import may_see_others
from writ_app.services.review.steps import number_steps

MOST_MENTIONS = 20
"""In one comment."""
MOST_SHOWN = 200
"""Comments of one item on a page, the latest."""
MENTIONS_SHOWN = 50
# What Django allows in a username. A full stop, dash or the like at the end belongs to the sentence.
_NAMED = re.compile(r"(?<![\w.@+-])@([\w.@+-]{1,150})")


class CannotComment(WritError):
    """The comment is not kept; the text says why."""


@dataclass(frozen=True)
class Thread:
    """A comment with its answers, oldest first."""

    first: Comment
    replies: tuple[Comment, ...]
    step: int | None = None
    """Number of the step that it is about, as the desk counts."""


@dataclass(frozen=True)
class Talk:
    """What a user sees of an item's comments."""

    threads: tuple[Thread, ...]
    count: int
    """Of those that stand."""
    hidden: bool = False
    """Others' comments may be there, and stay hidden until the user has judged."""


def members_of(team_id: int) -> QuerySet[User]:
    """Who may be named in a comment on the team's items."""
    return User.objects.filter(memberships__team=team_id, is_active=True).order_by(
        "username"
    )


@transaction.atomic
def add_comment(
    *,
    item: ReviewItem,
    author: User,
    body: str,
    parent: Comment | None = None,
    message: int | None = None,
    pointer: str = "",
) -> Comment:
    """A comment, or an answer to one. Team members who are named with an @ find it among their mentions. Raises CannotComment."""
    if parent is not None:
        if parent.item_id != item.pk:
            raise CannotComment("What you answer is about another trajectory.")
        parent = parent.parent or parent  # an answer to an answer belongs to the thread
        message, pointer = parent.message, parent.pointer
    if not body.strip():
        raise CannotComment("Write something first.")
    comment = Comment.objects.create(
        item=item,
        author=author,
        parent=parent,
        body=body.strip(),
        message=message,
        pointer=pointer,
    )
    Mention.objects.bulk_create(
        Mention(comment=comment, user=user)
        for user in _named(body, item.team_id)
        if user.pk != author.pk
    )
    record(
        "comment.add",
        team=item.team_id,
        row=comment,
        by=author,
        after={
            "trajectory": item.pk,
            "parent": comment.parent_id,
            "body_sha256": digest_of_text(comment.body),
        },
    )
    return comment


def _named(body: str, team_id: int) -> list[User]:
    names = dict.fromkeys(
        way for name in _NAMED.findall(body) for way in (name, name.rstrip(".-+@"))
    )
    found = members_of(team_id).filter(username__in=list(names)[: 2 * MOST_MENTIONS])
    return list(found[:MOST_MENTIONS])


@transaction.atomic
def withdraw_comment(*, comment: Comment, user: User, at: datetime) -> None:
    """Hide a comment of one's own. Its words are kept for the audit. Raises CannotComment."""
    if comment.author_id != user.pk:
        raise CannotComment("Only who wrote a comment withdraws it.")
    standing = Comment.objects.filter(pk=comment.pk, withdrawn_at=None)
    if standing.update(withdrawn_at=at):
        record(
            "comment.withdraw",
            team=comment.item.team_id,
            row=comment,
            by=user,
            before={"trajectory": comment.item_id},
        )


def talk_about(item: ReviewItem, user: User) -> Talk:
    """The comments that the user may see: the user's own only, while a second review is to stay blind."""
    seen = Comment.objects.filter(item=item).select_related("author")
    hidden = not may_see_others(user, item)
    if hidden:
        seen = seen.filter(author=user)
    rows = sorted(seen.order_by("-id")[:MOST_SHOWN], key=lambda row: row.pk)
    standing = sum(row.withdrawn_at is None for row in rows)
    return Talk(tuple(_threads(rows, _steps_of(item, rows))), standing, hidden)


def _steps_of(item: ReviewItem, rows: Sequence[Comment]) -> Mapping[int, int]:
    """Message → step. The conversation is read only if somebody speaks of a part of it."""
    if all(row.message is None for row in rows):
        return {}
    return number_steps(Trajectory.model_validate(item.stored_content).messages)


def _threads(rows: Sequence[Comment], steps: Mapping[int, int]) -> Iterator[Thread]:
    """A withdrawn comment stays, without its words, as long as somebody answered it."""
    known = {row.pk for row in rows}
    for row in rows:
        if row.parent_id in known:
            continue
        replies = tuple(
            one for one in rows if one.parent_id == row.pk and one.withdrawn_at is None
        )
        if row.withdrawn_at is None or replies:
            step = None if row.message is None else steps.get(row.message)
            yield Thread(row, replies, step)


def comments_of(items: ItemQuerySet) -> Iterator[Comment]:
    """Comments on these items that stand, by item and age, with their authors: what an export of a selection tells."""
    rows = Comment.objects.filter(item__in=items, withdrawn_at=None)
    yield from (
        rows.select_related("author").order_by("item", "id").iterator(chunk_size=500)
    )


# --- mentions ------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class MentionLine:
    mention: Mention
    hidden: bool
    """What it says would sway the user, who has yet to judge the item."""


def _mentions_of(user: User) -> QuerySet[Mention]:
    """Of comments that stand, in the user's teams."""
    return Mention.objects.filter(
        user=user,
        comment__withdrawn_at=None,
        comment__item__team__in=user.team_ids,
    )


def count_unread(user: User) -> int:
    """Of `_mentions_of` those that were not seen. Written out, as every page asks it."""
    with prepared() as cursor:
        cursor.execute(_UNREAD, {"user": user.pk, "teams": user.team_ids})
        return int(cursor.fetchone()[0])


_UNREAD = """
SELECT count(*) FROM writ_app_mention AS mention
JOIN writ_app_comment AS comment ON comment.id = mention.comment_id
JOIN writ_app_reviewitem AS item ON item.id = comment.item_id
WHERE mention.user_id = %(user)s AND mention.seen_at IS NULL
  AND comment.withdrawn_at IS NULL AND item.team_id = ANY(%(teams)s)
"""


def list_mentions(
    *, user: User, before: int | None = None, limit: int = MENTIONS_SHOWN
) -> tuple[list[MentionLine], int | None]:
    """(the latest mentions older than the key `before`, the key to go on from or None)."""
    rows = _mentions_of(user).select_related("comment__author", "comment__item")
    rows = rows.defer(
        *(
            f"comment__item__{name}"
            for name in ("content", "verification", "changes", "words", "search")
        )
    ).order_by("-id")
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = list(rows[: limit + 1])
    lines = [
        MentionLine(row, not may_see_others(user, row.comment.item))
        for row in found[:limit]
    ]
    more = lines[-1].mention.pk if len(found) > limit else None
    return lines, more


def see_mentions(*, user: User, at: datetime, mention: Mention | None = None) -> None:
    """Mark one mention as seen, or all of the user's in the team that they work in."""
    rows = _mentions_of(user).filter(seen_at=None)
    if mention is not None:
        rows = rows.filter(pk=mention.pk)
    rows.update(seen_at=at)


def team_names(team: Team) -> list[str]:
    """Names to complete an @ with."""
    return list(members_of(team.pk).values_list("username", flat=True)[:200])
