"""Many at once, read alone: the dashboard, clusters of what is alike, siblings of one task, and where one was named."""

from typing import Any

from django.http import Http404
from django.urls import path
from rest_framework import serializers

from writ_app.api.endpoint import Endpoint, MemberRequest, found, operation
from writ_app.api.fields import Body, Choice, Flag, Key, PageQuery, Query, Text
from writ_app.api.paging import Page, as_page, number_after, page_of
from writ_app.api.problems import Refused
from writ_app.api.trajectories import TrajectoryLine
from writ_app.forms.insight import DashboardFilter
from writ_app.models import clock
from writ_app.models.accounts import Role
from writ_app.models.curation import Mention
from writ_app.models.review import ReviewItem
from writ_app.services.access import Access
from writ_app.services.review.clusters import ORDERS, build_cluster, list_clusters
from writ_app.services.review.comments import (
    count_unread,
    list_mentions,
    see_mentions,
)
from writ_app.services.review.dashboard import Dashboard, build_dashboard
from writ_app.services.review.scopes import scopes_of
from writ_app.services.review.siblings import (
    AT_MOST,
    SHOWN,
    build_siblings,
    family_of,
)

TAG = "Insight"
BEGUN = 10**6
"""Clusters that a page may begin after, at most."""


# --- the dashboard --------------------------------------------------------------------------------------------------------------


class StagesLine(serializers.Serializer[Any]):
    """Trajectories at each stage. Those that an edit saved count as accepted and approved; planted errors are left out."""

    ordered = serializers.IntegerField()
    simulated = serializers.IntegerField()
    accepted = serializers.IntegerField()
    reviewed = serializers.IntegerField()
    approved = serializers.IntegerField()
    released = serializers.IntegerField()


class EnvironmentStagesLine(serializers.Serializer[Any]):
    environment = serializers.CharField()
    stages = StagesLine()


class BatchStagesLine(EnvironmentStagesLine):
    id = serializers.IntegerField(source="pk")
    name = serializers.CharField()
    stages = StagesLine(source="counts")


class FunnelLine(serializers.Serializer[Any]):
    total = StagesLine()
    environments = EnvironmentStagesLine(many=True)
    batches = BatchStagesLine(many=True, help_text="The newest.")


class GridCellLine(serializers.Serializer[Any]):
    writes = serializers.CharField()
    burden = serializers.CharField()
    count = serializers.IntegerField()
    wanted = serializers.IntegerField(
        allow_null=True, help_text="By the batches' own grids, if all have one."
    )


class CoveredLine(serializers.Serializer[Any]):
    name = serializers.CharField()
    approved = serializers.IntegerField(source="counts.approved")
    waiting = serializers.IntegerField(source="counts.waiting")
    all = serializers.IntegerField(source="counts.all")


class AxisLine(serializers.Serializer[Any]):
    title = serializers.CharField()
    values = CoveredLine(many=True, help_text="The least approved first.")


class SessionLine(serializers.Serializer[Any]):
    began = serializers.DateTimeField()
    seconds = serializers.FloatField(
        source="lasted", help_text="From its beginning to its end."
    )
    count = serializers.IntegerField()
    median = serializers.FloatField(allow_null=True, help_text="Seconds an item.")


class ReviewerLine(serializers.Serializer[Any]):
    """Verdicts that stand, on planted errors included, in bulk not."""

    name = serializers.CharField()
    count = serializers.IntegerField()
    approved = serializers.IntegerField()
    rejected = serializers.IntegerField()
    fixes = serializers.IntegerField()
    median = serializers.FloatField(allow_null=True, help_text="Seconds an item.")
    p90 = serializers.IntegerField(
        allow_null=True, help_text="Seconds that nine of ten items took at most."
    )
    per_hour = serializers.FloatField(allow_null=True)
    planted = serializers.IntegerField(
        source="canaries", help_text="Planted errors judged."
    )
    found = serializers.IntegerField(help_text="Of those, the ones that were refused.")
    compared = serializers.IntegerField(
        help_text="Verdicts of others on the same items."
    )
    agreed = serializers.IntegerField(help_text="Of those, the ones that are the same.")
    hints = serializers.ListField(child=serializers.CharField())
    last_session = SessionLine(source="last")


class DayLine(serializers.Serializer[Any]):
    day = serializers.DateField()
    approved = serializers.IntegerField()
    rejected = serializers.IntegerField()
    fixes = serializers.IntegerField()
    bulk = serializers.IntegerField(help_text="Given to many at once.")


class RestLine(serializers.Serializer[Any]):
    slots = serializers.IntegerField(help_text="Places of the queue that are open.")
    seconds = serializers.FloatField(allow_null=True, help_text="Median of an item.")
    per_day = serializers.FloatField(
        allow_null=True, help_text="Verdicts on a day with verdicts."
    )
    days = serializers.FloatField(allow_null=True, help_text="At that pace.")


class DashboardAnswer(serializers.Serializer[Any]):
    funnel = FunnelLine()
    cells = GridCellLine(
        many=True, help_text="Approved, by band of writes and of burden."
    )
    axes = AxisLine(many=True)
    team = ReviewerLine(allow_null=True, help_text="Everybody together.")
    people = ReviewerLine(
        many=True, help_text="Everybody for owners; yourself for others."
    )
    days = DayLine(many=True)
    rest = RestLine()


class ScopeQuery(Query):
    environment = Text(required=False, max_length=60, help_text="Its name.")
    batch = Key(required=False)


class DashboardQuery(ScopeQuery):
    days = Choice(
        required=False,
        choices=["1", "7", "30"],
        help_text="Batches ordered and verdicts given since then. Without: all.",
    )


class DashboardNow(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.OWNER)

    @operation("get_dashboard", query=DashboardQuery, answer=DashboardAnswer)
    def get(self, request: MemberRequest, query: dict[str, Any]) -> dict[str, Any]:
        """How far the work has come from order to release, what is missing, and how people get on."""
        now = clock.now()
        filters = _scope(request, query)
        days = DashboardFilter(query, scopes=scopes_of(request.user))  # type: ignore[arg-type]
        seen = build_dashboard(
            user=request.user,
            filters=filters,
            since=days.since(now),
            at=now,
            owns=request.membership.owns,
        )
        return _told(seen)


def _told(seen: Dashboard) -> dict[str, Any]:
    funnel = seen.data.funnel
    return {
        "funnel": {
            "total": funnel.total,
            "environments": [
                {"environment": name, "stages": counts}
                for name, counts in funnel.environments
            ],
            "batches": funnel.batches,
        },
        "cells": [cell for row in seen.data.grid.rows for cell in row.cells],
        "axes": seen.data.axes,
        "team": seen.team,
        "people": seen.people,
        "days": seen.days,
        "rest": seen.rest,
    }


def _scope(request: MemberRequest, query: dict[str, Any]) -> dict[str, Any]:
    """The conditions of the pages' filters. Raises Refused for an environment or a batch that is not the team's."""
    scopes = scopes_of(request.user)
    known = {
        "environment": scopes.environments,
        "batch": [key for key, _ in scopes.batches],
    }
    asked = {name: str(query[name]) for name in known if name in query}
    if missing := [name for name, value in asked.items() if value not in known[name]]:
        raise Refused({name: ["There is no such thing here."] for name in missing})
    return asked


# --- clusters -------------------------------------------------------------------------------------------------------------------


class ClusterLine(serializers.Serializer[Any]):
    key = serializers.CharField(source="cluster.key")
    size = serializers.IntegerField(source="cluster.size")
    open = serializers.IntegerField(source="cluster.open")
    approved = serializers.IntegerField(source="cluster.approved")
    rejected = serializers.IntegerField(
        source="cluster.rejected", help_text="Those that need a fix included."
    )
    exemplar = TrajectoryLine(
        source="item", help_text="The oldest that was approved, else the oldest."
    )


class VarietyLine(serializers.Serializer[Any]):
    """How different all items are from each other."""

    items = serializers.IntegerField()
    clusters = serializers.IntegerField()
    top = serializers.FloatField(help_text="Share of the biggest cluster.")
    top_ten = serializers.FloatField()
    entropy = serializers.FloatField(help_text="In nats.")
    effective = serializers.FloatField(
        help_text="Equally big clusters that would be as varied."
    )
    evenness = serializers.FloatField()
    collapsed = serializers.BooleanField(
        help_text="Whether a few kinds hold most of it."
    )


class ClusterPageAnswer(serializers.Serializer[Any]):
    items = ClusterLine(many=True)
    cursor = serializers.CharField(
        allow_null=True, help_text="For `after`; null at the end."
    )
    next = serializers.CharField(
        allow_null=True,
        help_text="Address of the next page, from the host on; null at the end.",
    )
    variety = VarietyLine(help_text="Of all, whatever the page.")


class ClustersQuery(PageQuery, ScopeQuery):
    order = Choice(required=False, default="size", choices=list(ORDERS.items()))


class Clusters(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.OWNER)

    @operation("list_clusters", query=ClustersQuery, answer=ClusterPageAnswer)
    def get(self, request: MemberRequest, query: dict[str, Any]) -> dict[str, Any]:
        """Trajectories grouped by what they have in common. The order is that of this moment: it moves as work goes on."""
        start = min(number_after(query) or 0, BEGUN)
        listed = list_clusters(
            user=request.user,
            filters=_scope(request, query),
            order=query["order"],
            start=start,
            limit=query["limit"],
        )
        cursor = None if listed.more is None else str(listed.more)
        return {
            **as_page(request, listed.lines, cursor),
            "variety": listed.variety,
        }


class ClusterCellLine(serializers.Serializer[Any]):
    value = serializers.CharField()
    kind = serializers.CharField(
        help_text="Where it is from, if that differs from the exemplar's."
    )
    same = serializers.BooleanField(help_text="As the exemplar has it.")
    odd = serializers.BooleanField(help_text="Unlike the rest of the cluster.")


class ClusterColumnLine(serializers.Serializer[Any]):
    title = serializers.CharField()
    group = serializers.CharField(help_text="The write that it is an argument of.")


class ClusterRowLine(serializers.Serializer[Any]):
    trajectory = serializers.IntegerField(source="item.pk")
    status = serializers.SerializerMethodField()
    cells = ClusterCellLine(many=True)

    def get_status(self, row: Any) -> str:
        return str(row.item.status).lower()


class ConstantLine(serializers.Serializer[Any]):
    title = serializers.CharField()
    value = serializers.CharField()


class ClusterDetail(ClusterLine):
    exemplar = TrajectoryLine(source="exemplar.item")
    columns = ClusterColumnLine(
        source="headings", many=True, help_text="In which something differs."
    )
    reference = ClusterCellLine(many=True, help_text="The exemplar's cells.")
    rows = ClusterRowLine(many=True)
    constant = ConstantLine(
        many=True, help_text="What is the same in all of these rows."
    )
    odd = serializers.IntegerField(
        help_text="Rows among the sampled ones with a value unlike the rest."
    )
    sampled = serializers.IntegerField(help_text="Newest rows that were looked at.")
    before = serializers.IntegerField(
        allow_null=True, help_text="For the next rows; null at the end."
    )


class ClusterQuery(Query):
    odd = Flag(required=False, default=False, help_text="Only what is unlike the rest.")
    before = Key(required=False, help_text="Only older ones than this trajectory.")


class OneCluster(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.OWNER)

    @operation("get_cluster", query=ClusterQuery, answer=ClusterDetail)
    def get(self, request: MemberRequest, key: str, query: dict[str, Any]) -> Any:
        """One cluster: an exemplar, and of the others what differs from it, newest first."""
        seen = build_cluster(
            user=request.user,
            key=key,
            before=query.get("before"),
            odd_only=query["odd"],
        )
        if seen is None:
            raise Http404
        same = [{"title": title, "value": value} for title, value in seen.constant]
        return {**vars(seen), "constant": same}


# --- siblings -------------------------------------------------------------------------------------------------------------------


class PlayedCallLine(serializers.Serializer[Any]):
    step = serializers.IntegerField(help_text="From 1.")
    tool = serializers.CharField()
    arguments = serializers.DictField(source="call.arguments")
    error = serializers.BooleanField()
    wrote = serializers.BooleanField()


class SiblingColumn(serializers.Serializer[Any]):
    trajectory = TrajectoryLine(source="item")
    persona = serializers.CharField()
    state = serializers.CharField(
        help_text="Equal letters stand for equal final states."
    )
    gold = serializers.BooleanField(help_text="Whether that state is the gold's.")
    calls = PlayedCallLine(many=True)


class SiblingLine(SiblingColumn):
    trajectory = TrajectoryLine(source="column.item")
    persona = serializers.CharField(source="column.persona")
    state = serializers.CharField(source="column.state")
    gold = serializers.BooleanField(source="column.gold")
    calls = PlayedCallLine(source="column.calls", many=True)
    same_state = serializers.BooleanField()
    sentence = serializers.CharField(
        help_text="What made the difference; nothing if both end in the same state."
    )
    put_in = serializers.IntegerField(help_text="Calls that only it makes.")
    left_out = serializers.IntegerField()
    changed = serializers.IntegerField()


class AlignedCellLine(serializers.Serializer[Any]):
    trajectory = serializers.IntegerField(source="item.pk")
    difference = serializers.SerializerMethodField(
        help_text="same, answer, changed, left_out, put_in; nothing where neither calls."
    )
    step = serializers.SerializerMethodField(help_text="Of its own call.")
    decided = serializers.CharField(help_text="cause, effect, or nothing.")

    def get_difference(self, cell: Any) -> str:
        return cell.pair.difference if cell.pair else ""

    def get_step(self, cell: Any) -> int | None:
        return cell.pair.right.step if cell.pair and cell.pair.right else None


class AlignedLine(serializers.Serializer[Any]):
    step = serializers.SerializerMethodField(help_text="Of the first one's call.")
    same = serializers.BooleanField(help_text="In all columns.")
    cells = AlignedCellLine(many=True)

    def get_step(self, line: Any) -> int | None:
        return line.reference.step if line.reference else None


class SiblingsAnswer(serializers.Serializer[Any]):
    reference = SiblingColumn()
    others = SiblingLine(many=True)
    lines = AlignedLine(many=True)
    states = serializers.IntegerField(help_text="Different final states.")
    family = serializers.ListField(
        child=serializers.IntegerField(),
        help_text="Keys of all siblings there are to choose from, newest first.",
    )


class SiblingsQuery(Query):
    beside = serializers.ListField(
        child=Key(),
        required=False,
        max_length=AT_MOST,
        help_text=f"Keys of siblings, at most {AT_MOST}. Without: {SHOWN}, those that end otherwise first.",
    )


class Siblings(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.OWNER)

    @operation("get_siblings", query=SiblingsQuery, answer=SiblingsAnswer)
    def get(self, request: MemberRequest, pk: int, query: dict[str, Any]) -> Any:
        """Trajectories of the same task side by side: aligned by calls, with what made the difference."""
        item = found(ReviewItem.objects.visible_to(request.user).narrow(), pk=pk)
        family = family_of(item)
        chosen = set(query.get("beside", ()))
        if chosen - {one.pk for one in family}:
            raise Refused({"beside": ["They are not all siblings of this one."]})
        seen = build_siblings(item=item, family=family, chosen=chosen)
        return {
            "reference": seen.reference,
            "others": seen.others,
            "lines": seen.lines,
            "states": seen.states,
            "family": [one.pk for one in family],
        }


# --- mentions -------------------------------------------------------------------------------------------------------------------


class MentionLine(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="mention.pk")
    trajectory = serializers.IntegerField(source="mention.comment.item_id")
    comment = serializers.IntegerField(source="mention.comment_id")
    author = serializers.CharField(source="mention.comment.author.username")
    body = serializers.SerializerMethodField(help_text="Nothing of one that is hidden.")
    hidden = serializers.BooleanField(
        help_text="Others' comments stay hidden until you have judged it."
    )
    created_at = serializers.DateTimeField(source="mention.comment.created_at")
    seen_at = serializers.DateTimeField(source="mention.seen_at", allow_null=True)

    def get_body(self, line: Any) -> str:
        return "" if line.hidden else line.mention.comment.body


class UnreadAnswer(serializers.Serializer[Any]):
    unread = serializers.IntegerField()


class SeenBody(Body):
    mention = Key(required=False, help_text="Without: all of yours in this team.")


class Mentions(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.VIEWER)

    @operation("list_mentions", query=PageQuery, answer=page_of(MentionLine))
    def get(self, request: MemberRequest, query: dict[str, Any]) -> Page:
        """Comments of the team that name you, newest first."""
        lines, more = list_mentions(
            user=request.user, before=number_after(query), limit=query["limit"]
        )
        return as_page(request, lines, None if more is None else str(more))


class UnreadMentions(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.VIEWER)

    @operation("count_unread_mentions", answer=UnreadAnswer)
    def get(self, request: MemberRequest) -> dict[str, int]:
        """How many comments name you that you have not seen; cheap enough to ask every minute."""
        return {"unread": count_unread(request.user)}


class SeenMentions(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.VIEWER)

    @operation("see_mentions", body=SeenBody, answer=UnreadAnswer)
    def post(self, request: MemberRequest, body: dict[str, Any]) -> dict[str, int]:
        """Mark one mention as seen, or all of yours in the team; tells how many are left."""
        row = None
        if "mention" in body:
            mine = Mention.objects.filter(
                user=request.user, comment__item__team__in=request.user.team_ids
            )
            row = mine.filter(pk=body["mention"]).first()
            if row is None:
                raise Refused({"mention": ["There is no such mention of you."]})
        see_mentions(user=request.user, at=clock.now(), mention=row)
        return {"unread": count_unread(request.user)}


urlpatterns = [
    path("dashboard", DashboardNow.as_view(), name="dashboard"),
    path("clusters", Clusters.as_view(), name="clusters"),
    path("clusters/<slug:key>", OneCluster.as_view(), name="cluster"),
    path("trajectories/<int:pk>/siblings", Siblings.as_view(), name="siblings"),
    path("mentions", Mentions.as_view(), name="mentions"),
    path("mentions/unread", UnreadMentions.as_view(), name="mentions_unread"),
    path("mentions/seen", SeenMentions.as_view(), name="mentions_seen"),
]
