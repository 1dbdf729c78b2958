"""Trajectories to look at: found by the filters of the lists, shown as far as the reader may know them, taken away, talked about.

A planted error passes for what it was made from, here as on the pages: what would tell it apart (its number, its parent, what the
checks of the copy say) is told of what people have edited alone, or by the services that know who has judged it.
"""

from typing import Any

from django.http import StreamingHttpResponse
from django.urls import path
from rest_framework import serializers

from writ_app.api.endpoint import Endpoint, MemberRequest, found, operation
from writ_app.api.fields import Body, Choice, Coded, Key, Whole, Words
from writ_app.api.filters import FilterPageQuery, FilterQuery, list_form
from writ_app.api.paging import Page, as_page, page_of
from writ_app.api.problems import Refused, check, refused_content
from writ_app.api.review import RevealedLine
from writ_app.forms.edits import CommentForm
from writ_app.models import clock
from writ_app.models.accounts import Role
from writ_app.models.curation import Comment
from writ_app.models.review import ReviewItem, Verdict
from writ_app.services.access import Access
from writ_app.services.audit import digest_of, record
from writ_app.services.review.blind import events_for, may_see_others
from writ_app.services.review.comments import (
    CannotComment,
    add_comment,
    talk_about,
    withdraw_comment,
)
from writ_app.services.review.disguise import shown_verification
from writ_app.services.review.listing import (
    ORDERS,
    TooSlow,
    list_facets,
    list_items,
)
from writ_app.services.review.listing.filters import REJECTED_KIND
from writ_app.services.review.quality.canaries import reveal
from writ_app.services.review.selection import csv_lines, json_lines, selected_ids

TAG = "Trajectories"
refused_content(TooSlow, CannotComment)


# --- what is told ---------------------------------------------------------------------------------------------------------------


class TrajectoryLine(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk")
    environment = serializers.CharField()
    archetype = serializers.CharField()
    task_text = serializers.CharField(source="task.text")
    plan = serializers.CharField()
    agent = serializers.CharField(help_text="Name of the model.")
    writes = serializers.IntegerField()
    burden = serializers.IntegerField()
    scripted = serializers.BooleanField()
    accepted = serializers.BooleanField(
        source="looks_accepted", help_text="By the checks."
    )
    reason = serializers.SerializerMethodField(
        help_text="The first check that failed, or nothing."
    )
    failed = serializers.SerializerMethodField(help_text="Checks that failed.")
    kinds = serializers.SerializerMethodField(help_text="Where arguments are from.")
    uncertainty = serializers.FloatField()
    status = serializers.SerializerMethodField(
        help_text="open, approved, rejected, fix, disputed; nothing if it is not up for review."
    )
    edited = serializers.BooleanField(
        source="looks_edited", help_text="Whether a person made this version."
    )

    def get_reason(self, row: ReviewItem) -> str:
        return "" if row.canary else row.reason

    def get_failed(self, row: ReviewItem) -> list[str]:
        return [] if row.canary else row.failed

    def get_kinds(self, row: ReviewItem) -> list[str]:
        if not row.canary:
            return row.kinds
        return [kind for kind in row.kinds if kind != REJECTED_KIND]

    def get_status(self, row: ReviewItem) -> str:
        return row.status.lower()


class ListedTrajectoryLine(TrajectoryLine):
    held_by = serializers.CharField(help_text="Who looks at it now, or nobody.")
    commented = serializers.BooleanField()
    excerpt = serializers.CharField(help_text="Where a search found its words.")


class SaidLine(serializers.Serializer[Any]):
    event = serializers.IntegerField(source="pk")
    reviewer = serializers.CharField(source="reviewer.username")
    verdict = Coded(Verdict)
    reason = serializers.CharField()
    note = serializers.CharField()
    message = serializers.IntegerField(allow_null=True)
    pointer = serializers.CharField()
    write = serializers.IntegerField(allow_null=True)
    withdraws = serializers.IntegerField(source="withdraws_id", allow_null=True)
    created_at = serializers.DateTimeField()


class TrajectoryDetail(TrajectoryLine):
    batch = serializers.IntegerField(source="batch_id")
    task = serializers.IntegerField(source="task_id")
    task_content = serializers.DictField(
        source="task.content", help_text="The task, with its proof."
    )
    content = serializers.DictField(
        source="stored_content", help_text="The conversation."
    )
    verification = serializers.DictField(
        help_text="The checks, and where each argument of a write is from."
    )
    parent = serializers.SerializerMethodField(  # type: ignore[assignment]
        help_text="Of an edited version, what it was made from."
    )
    edit_reason = serializers.SerializerMethodField()
    blind = serializers.BooleanField(
        help_text="What others say of it is hidden until you have judged it."
    )
    verdicts = SaidLine(many=True)
    planted = RevealedLine(
        allow_null=True,
        help_text="Of a planted error, what whoever has judged it may know.",
    )

    def get_parent(self, row: Any) -> int | None:
        return row.parent_id if row.looks_edited and not row.blind else None

    def get_edit_reason(self, row: Any) -> str:
        return row.edit_reason if row.looks_edited and not row.blind else ""


class ChoiceLine(serializers.Serializer[Any]):
    value = serializers.CharField()
    words = serializers.CharField()
    count = serializers.IntegerField(allow_null=True, help_text="Null: not counted.")
    more = serializers.BooleanField(help_text="There may be more than were counted.")
    chosen = serializers.BooleanField()


class FacetLine(serializers.Serializer[Any]):
    name = serializers.CharField()
    title = serializers.CharField()
    choices = ChoiceLine(many=True)


class FacetsAnswer(serializers.Serializer[Any]):
    facets = FacetLine(many=True)


class CommentLine(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk")
    author = serializers.CharField(source="author.username")
    parent = serializers.IntegerField(  # type: ignore[assignment]
        source="parent_id", allow_null=True
    )
    body = serializers.SerializerMethodField(
        help_text="Nothing of one that was withdrawn and stays for its answers."
    )
    message = serializers.IntegerField(allow_null=True)
    pointer = serializers.CharField()
    created_at = serializers.DateTimeField()
    withdrawn_at = serializers.DateTimeField(allow_null=True)

    def get_body(self, row: Comment) -> str:
        return "" if row.withdrawn_at else row.body


class TalkAnswer(serializers.Serializer[Any]):
    """The latest comments, each behind what it answers."""

    hidden = serializers.BooleanField(
        help_text="Others' comments stay hidden until you have judged it."
    )
    count = serializers.IntegerField(help_text="Of those that stand.")
    comments = CommentLine(many=True)


# --- what is asked --------------------------------------------------------------------------------------------------------------


class TrajectoryQuery(FilterPageQuery):
    sort = Choice(
        required=False,
        default="newest",
        choices=[(order.name, order.words) for order in ORDERS.values()],
    )


class ExportQuery(FilterQuery):
    format = Choice(
        required=False,
        default="jsonl",
        choices=[("jsonl", "whole rows"), ("csv", "what they are found by")],
    )


class CommentBody(Body):
    body = Words(max_length=4000, help_text="@name tells that member.")
    parent = Key(  # type: ignore[assignment]
        required=False, help_text="The comment that this one answers."
    )
    message = Whole(
        required=False,
        min_value=0,
        max_value=2**31 - 1,
        help_text="Index of the message that it is about.",
    )
    pointer = Words(
        required=False,
        allow_blank=True,
        max_length=400,
        help_text="JSON pointer into that message's call or result.",
    )


# --- operations -----------------------------------------------------------------------------------------------------------------


class Trajectories(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.REVIEWER)

    @operation(
        "list_trajectories",
        query=TrajectoryQuery,
        answer=page_of(ListedTrajectoryLine),
    )
    def get(self, request: MemberRequest, query: dict[str, Any]) -> Page:
        """Trajectories and their edited versions, by the filters of the list."""
        order, after = ORDERS[query["sort"]], query.get("after", "")
        if after and not order.reads(after):
            raise Refused({"after": ["This is no cursor of this list."]})
        listed = list_items(
            user=request.user,
            filters=list_form(query).filters,
            at=clock.now(),
            order=order,
            after=after,
            size=query["limit"],
        )
        return as_page(request, list(map(_listed, listed.rows)), listed.after or None)


class TrajectoryFacets(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.REVIEWER)

    @operation("get_trajectory_facets", query=FilterQuery, answer=FacetsAnswer)
    def get(self, request: MemberRequest, query: dict[str, Any]) -> Any:
        """What the list can be narrowed by next, and how many each value would give."""
        filters = list_form(query).filters
        facets = list_facets(user=request.user, filters=filters)
        return {"facets": [_lowered(facet) for facet in facets]}


class ExportTrajectories(Endpoint):
    tag = TAG
    access = Access(Role.CURATOR, Role.OWNER, fresh="all")

    @operation(
        "export_trajectories",
        query=ExportQuery,
        media="application/octet-stream",
        file=True,
    )
    def get(
        self, request: MemberRequest, query: dict[str, Any]
    ) -> StreamingHttpResponse:
        """What the filters find as a file, streamed. Planted errors are not in it."""
        kind, filters = query["format"], list_form(query).filters
        ids = selected_ids(user=request.user, filters=filters)
        record(
            "trajectories.export",
            team=request.team,
            after={
                "file": kind,
                "trajectories": len(ids),
                "keys_sha256": digest_of(ids),
                "filters": dict(filters),
            },
        )
        lines = json_lines(ids) if kind == "jsonl" else csv_lines(ids)
        response = StreamingHttpResponse(lines, content_type="application/octet-stream")
        response["Content-Disposition"] = f'attachment; filename="trajectories.{kind}"'
        return response


class OneTrajectory(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.REVIEWER)

    @operation("get_trajectory", answer=TrajectoryDetail)
    def get(self, request: MemberRequest, pk: int) -> Any:
        """One trajectory or version: the task, the conversation, the checks, the verdicts that you may know of."""
        rows = ReviewItem.objects.visible_to(request.user).select_related(
            "trajectory", "task", "team"
        )
        row: Any = found(rows.defer("words", "search"), pk=pk)
        shown = (
            shown_verification(row, request.user).model_dump(mode="json")
            if row.canary
            else row.stored_verification
        )
        row.verification = shown
        row.blind = not may_see_others(request.user, row)
        row.planted = reveal(user=request.user, item=row)
        row.verdicts = events_for(request.user, row)
        return row


class Comments(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.REVIEWER)

    @operation("list_comments", answer=TalkAnswer)
    def get(self, request: MemberRequest, pk: int) -> Any:
        """What is said of a trajectory, as far as you may know it before you have judged it."""
        talk = talk_about(_item(request, pk), request.user)
        lines = [one for t in talk.threads for one in (t.first, *t.replies)]
        return {"hidden": talk.hidden, "count": talk.count, "comments": lines}

    @operation("add_comment", body=CommentBody, answer=CommentLine, status=201)
    def post(self, request: MemberRequest, pk: int, body: dict[str, Any]) -> Comment:
        """Say something of a trajectory, of one of its messages, or in answer to another comment."""
        item = _item(request, pk)
        form = CommentForm(body)
        check(form)
        given = form.cleaned_data
        parent = None
        if given["parent"]:
            parent = item.comments.filter(pk=given["parent"]).first()
            own = parent is not None and parent.author_id == request.user.pk
            if parent is None or not (own or may_see_others(request.user, item)):
                raise Refused({"parent": ["There is no such comment that you see."]})
        return add_comment(
            item=item,
            author=request.user,
            body=given["body"],
            parent=parent,
            message=given["message"],
            pointer=given["pointer"],
        )


class OneComment(Endpoint):
    tag = TAG
    access = Access(Role.REVIEWER, Role.REVIEWER)

    @operation("withdraw_comment")
    def delete(self, request: MemberRequest, pk: int) -> None:
        """Withdraw a comment of your own."""
        rows = Comment.objects.filter(item__team__in=request.user.team_ids)
        row = found(rows.select_related("item"), pk=pk, author=request.user)
        withdraw_comment(comment=row, user=request.user, at=clock.now())


# --- pieces ---------------------------------------------------------------------------------------------------------------------


def _item(request: MemberRequest, pk: int) -> ReviewItem:
    rows = ReviewItem.objects.visible_to(request.user)
    return found(rows.defer("words", "search"), pk=pk)


def _listed(line: Any) -> Any:
    row = line.row
    row.held_by, row.commented = line.held_by, line.commented
    row.excerpt = "".join(piece.text for piece in line.excerpt)
    return row


def _lowered(facet: Any) -> dict[str, Any]:
    """Statuses as the filters have them."""
    choices = [dict(vars(one)) for one in facet.choices]
    if facet.name == "status":
        choices = [{**one, "value": one["value"].lower()} for one in choices]
    return {"name": facet.name, "title": facet.title, "choices": choices}


urlpatterns = [
    path("trajectories", Trajectories.as_view(), name="trajectories"),
    path("trajectories/facets", TrajectoryFacets.as_view(), name="trajectory_facets"),
    path("trajectories/export", ExportTrajectories.as_view(), name="export"),
    path("trajectories/<int:pk>", OneTrajectory.as_view(), name="trajectory"),
    path("trajectories/<int:pk>/comments", Comments.as_view(), name="comments"),
    path("comments/<int:pk>", OneComment.as_view(), name="comment"),
]
