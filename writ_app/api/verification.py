"""Versions of the verification: what each says, what moved between two, and judging anew."""

from functools import partial
from typing import Any

from django.db import transaction
from django.urls import path
from rest_framework import serializers

from writ_app.api.endpoint import Endpoint, MemberRequest, found, operation
from writ_app.api.fields import Body, Key, PageQuery, Query, Text
from writ_app.api.paging import Page, page, page_of
from writ_app.engine.verification import VERSION
from writ_app.jobs.verification import reverify
from writ_app.models.accounts import Role
from writ_app.models.synthesis import Batch
from writ_app.models.verification import Reverification
from writ_app.services.access import Access
from writ_app.services.review.reverifying import outdated_versions
from writ_app.services.synthesis import verifying

TAG = "Verification"


class VerdictLine(serializers.Serializer[Any]):
    accepted = serializers.BooleanField()
    reason = serializers.CharField()
    owner = serializers.CharField()


class VerdictChangeLine(serializers.Serializer[Any]):
    was = VerdictLine()
    now = VerdictLine()
    count = serializers.IntegerField()
    examples = serializers.ListField(child=serializers.IntegerField())


class ComparisonLine(serializers.Serializer[Any]):
    before = serializers.CharField()
    after = serializers.CharField()
    same = serializers.IntegerField()
    newly_accepted = serializers.IntegerField()
    newly_rejected = serializers.IntegerField()
    changes = VerdictChangeLine(many=True)


class VersionLine(serializers.Serializer[Any]):
    version = serializers.CharField()
    judged = serializers.IntegerField()
    latest = serializers.DateTimeField()


class VerificationLine(serializers.Serializer[Any]):
    version = serializers.CharField(help_text="That judges now.")
    trajectories = serializers.IntegerField()
    outdated = serializers.IntegerField(help_text="Judged by another version.")
    versions = VersionLine(many=True, help_text="That have judged, the latest first.")


class ReverificationLine(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk")
    batch = serializers.IntegerField(source="batch_id", allow_null=True)
    version = serializers.CharField()
    total = serializers.IntegerField()
    verified = serializers.IntegerField()
    skipped = serializers.DictField(
        child=serializers.DictField(), help_text="Why → count and an example."
    )
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class BatchQuery(Query):
    batch = Key(required=False, help_text="Without: everything of the team.")


class ComparisonQuery(BatchQuery):
    before = Text(max_length=20)
    version = Text(max_length=20, help_text="The later one.")


class OrderBody(Body):
    batch = Key(
        required=False, allow_null=True, help_text="Without: everything of the team."
    )


class Verification(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.CURATOR)

    @operation(
        "get_verification", query=BatchQuery, answer=VerificationLine, refuses=(404,)
    )
    def get(self, request: MemberRequest, query: dict[str, Any]) -> dict[str, Any]:
        """Which versions have judged, and how much another version than the present one has."""
        batch = _batch(request, query.get("batch"))
        rows = verifying.trajectories_of(request.team, batch)
        outdated = rows.exclude(version=VERSION).count()
        return {
            "version": VERSION,
            "trajectories": rows.count(),
            "outdated": outdated + outdated_versions(request.team, batch).count(),
            "versions": verifying.versions_of(request.team, batch),
        }


class Comparison(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.CURATOR)

    @operation(
        "compare_verifications",
        query=ComparisonQuery,
        answer=ComparisonLine,
        refuses=(404,),
    )
    def get(self, request: MemberRequest, query: dict[str, Any]) -> Any:
        """What moved between two versions, over the trajectories that both have judged."""
        return verifying.compare_versions(
            before=query["before"],
            after=query["version"],
            team=request.team,
            batch=_batch(request, query.get("batch")),
        )


class Reverifications(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.CURATOR)

    @operation(
        "list_reverifications", query=PageQuery, answer=page_of(ReverificationLine)
    )
    def get(self, request: MemberRequest, query: dict[str, Any]) -> Page:
        """Orders to judge anew, newest first."""
        return page(request, Reverification.objects.visible_to(request.user), query)

    @operation(
        "order_reverification",
        body=OrderBody,
        answer=ReverificationLine,
        status=201,
        refuses=(404,),
    )
    def post(self, request: MemberRequest, body: dict[str, Any]) -> Reverification:
        """Judge a batch, or everything, by the present version. The order that is under way is given if there is one."""
        batch = _batch(request, body.get("batch"))
        order = verifying.order_reverification(
            team=request.team, batch=batch, by=request.user
        )
        transaction.on_commit(partial(reverify.delay, order_id=order.pk))
        return order


class OneReverification(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.CURATOR)

    @operation("get_reverification", answer=ReverificationLine)
    def get(self, request: MemberRequest, pk: int) -> Reverification:
        """One order, and how far it is."""
        return found(Reverification.objects.visible_to(request.user), pk=pk)


def _batch(request: MemberRequest, pk: int | None) -> Batch | None:
    if pk is None:
        return None
    return found(Batch.objects.visible_to(request.user), pk=pk)


urlpatterns = [
    path("verification", Verification.as_view(), name="verification"),
    path("verification/comparison", Comparison.as_view(), name="comparison"),
    path("reverifications", Reverifications.as_view(), name="reverifications"),
    path(
        "reverifications/<int:pk>", OneReverification.as_view(), name="reverification"
    ),
]
