"""Reference sets: files of conversations brought in, for looking at and laying beside our own."""

from functools import partial
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.urls import path
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser

from writ_app.api.catalog import EnvironmentRef
from writ_app.api.endpoint import Endpoint, MemberRequest, found, operation
from writ_app.api.fields import Body, Choice, Coded, PageQuery, SentFile, Text
from writ_app.api.paging import Page, page, page_of
from writ_app.api.problems import check
from writ_app.engine.importing import KINDS
from writ_app.forms.catalog import UploadForm
from writ_app.jobs.catalog import import_upload
from writ_app.models.accounts import Role
from writ_app.models.catalog import (
    ImportStatus,
    ReferenceImport,
    ReferenceSet,
    ReferenceTrajectory,
)
from writ_app.services.access import Access
from writ_app.services.catalog.references import delete_reference_set
from writ_app.services.catalog.uploads import keep_upload

TAG = "Reference sets"


class ReferenceSetLine(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk")
    name = serializers.CharField()
    format = serializers.CharField()
    domain = serializers.CharField()
    environment = EnvironmentRef(allow_null=True)
    agent = serializers.CharField()
    user = serializers.CharField()
    content_hash = serializers.CharField()
    own = serializers.SerializerMethodField(
        help_text="The team's; otherwise everybody's."
    )
    created_at = serializers.DateTimeField()

    def get_own(self, row: ReferenceSet) -> bool:
        return row.team_id is not None


class ReferenceSetDetail(ReferenceSetLine):
    rows = serializers.IntegerField(help_text="Conversations.")
    content = serializers.DictField(help_text="What the file says besides its rows.")


class ReferenceLine(serializers.Serializer[Any]):
    position = serializers.IntegerField()
    simulation_id = serializers.CharField()
    task_id = serializers.CharField()
    trial = serializers.IntegerField()
    ended_by = serializers.CharField()
    reward = serializers.FloatField(allow_null=True)
    steps = serializers.IntegerField(help_text="Messages.")


class ReferenceDetail(ReferenceLine):
    messages = serializers.ListField(child=serializers.DictField())
    content = serializers.DictField(help_text="The rest of the row, as it stood.")


class ImportLine(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk")
    file_name = serializers.CharField()
    name = serializers.CharField()
    format = serializers.CharField(help_text="As asked; nothing: told by the file.")
    status = Coded(ImportStatus)
    bytes = serializers.IntegerField()
    done = serializers.IntegerField(help_text="How far it is, in parts of `whole`.")
    whole = serializers.IntegerField()
    rows = serializers.IntegerField(help_text="Conversations read so far.")
    replaced = serializers.IntegerField()
    trouble = serializers.CharField(help_text="Why it was refused.")
    reference_set = serializers.IntegerField(source="reference_set_id", allow_null=True)
    created_at = serializers.DateTimeField()


class UploadBody(Body):
    file = SentFile()
    name = Text(required=False, allow_blank=True, max_length=120)
    kind = Choice(required=False, choices=[kind.slug for kind in KINDS.values()])


class ReferenceSets(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.CURATOR)

    @operation("list_reference_sets", query=PageQuery, answer=page_of(ReferenceSetLine))
    def get(self, request: MemberRequest, query: dict[str, Any]) -> Page:
        """Sets of the team, and those that were brought in for everybody, newest first."""
        return page(request, _sets(request).defer("content", "worlds"), query)


class OneReferenceSet(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.CURATOR)

    @operation("get_reference_set", answer=ReferenceSetDetail)
    def get(self, request: MemberRequest, pk: int) -> ReferenceSet:
        """One set."""
        row = found(_sets(request).defer("worlds"), pk=pk)
        row.rows = row.trajectories.count()  # type: ignore[attr-defined]
        return row

    @operation("delete_reference_set", refuses=(409,))
    def delete(self, request: MemberRequest, pk: int) -> None:
        """Delete a set of the team, with its rows. What is everybody's stays."""
        row = found(ReferenceSet.objects.visible_to(request.user), pk=pk)
        if row.team_id != request.team.pk:
            raise PermissionDenied("It is everybody's.")
        delete_reference_set(row)


class References(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.CURATOR)

    @operation("list_references", query=PageQuery, answer=page_of(ReferenceLine))
    def get(self, request: MemberRequest, pk: int, query: dict[str, Any]) -> Page:
        """Conversations of a set, in the order of the file, without their messages."""
        row = found(ReferenceSet.objects.visible_to(request.user), pk=pk)
        rows = row.trajectories.defer("messages", "content")
        return page(request, rows, query, order=["position"])


class OneReference(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.CURATOR)

    @operation("get_reference", answer=ReferenceDetail)
    def get(
        self, request: MemberRequest, pk: int, position: int
    ) -> ReferenceTrajectory:
        """One conversation of a set, whole."""
        seen = ReferenceSet.objects.visible_to(request.user).filter(pk=pk)
        rows = ReferenceTrajectory.objects.filter(reference_set__in=seen)
        return found(rows, position=position)


class Imports(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.CURATOR)
    parser_classes = [MultiPartParser]

    @operation("list_imports", query=PageQuery, answer=page_of(ImportLine))
    def get(self, request: MemberRequest, query: dict[str, Any]) -> Page:
        """Files of the team on their way into reference sets, and those that came, newest first."""
        return page(request, ReferenceImport.objects.visible_to(request.user), query)

    @operation(
        "upload_reference", body=UploadBody, answer=ImportLine, status=201, once=False
    )
    def post(self, request: MemberRequest, body: dict[str, Any]) -> ReferenceImport:
        """Upload a file of conversations: JSONL, a JSON list, Parquet, or a tau2-bench result file.

        A worker brings it in; `get_import` tells how far it is. The same file comes in once, so it may be sent again.
        """
        typed = {name: str(body.get(name, "")) for name in ("name", "kind")}
        form = UploadForm(typed, {"file": body["file"]})  # type: ignore[arg-type]
        check(form)
        given = form.cleaned_data
        row = keep_upload(
            team=request.team,
            by=request.user,
            file=given["file"],
            name=given["name"],
            kind=given["kind"],
        )
        transaction.on_commit(partial(import_upload.delay, import_id=row.pk))
        return row


class OneImport(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.CURATOR)

    @operation("get_import", answer=ImportLine)
    def get(self, request: MemberRequest, pk: int) -> ReferenceImport:
        """One file on its way, and how far it is."""
        return found(ReferenceImport.objects.visible_to(request.user), pk=pk)


def _sets(request: MemberRequest) -> QuerySet[ReferenceSet]:
    rows = ReferenceSet.objects.visible_to(request.user).select_related("environment")
    return rows.defer("environment__state", "environment__policy")


urlpatterns = [
    path("reference-sets", ReferenceSets.as_view(), name="reference_sets"),
    path("reference-sets/<int:pk>", OneReferenceSet.as_view(), name="reference_set"),
    path(
        "reference-sets/<int:pk>/conversations", References.as_view(), name="references"
    ),
    path(
        "reference-sets/<int:pk>/conversations/<int:position>",
        OneReference.as_view(),
        name="reference",
    ),
    path("imports", Imports.as_view(), name="imports"),
    path("imports/<int:pk>", OneImport.as_view(), name="import"),
]
