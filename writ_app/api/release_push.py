"""Frozen releases on their way into a dataset repository: compared first, then sent. No token for it is ever sent here."""

from functools import partial
from typing import Any

from django.db import transaction
from django.urls import path
from rest_framework import serializers

from writ_app.api.endpoint import Endpoint, MemberRequest, found, operation
from writ_app.api.fields import Body, Choice, Coded, Flag, PageQuery, Text
from writ_app.api.paging import Page, page, page_of
from writ_app.api.problems import Conflict, check
from writ_app.engine.export.formats import FORMATS
from writ_app.forms.release import PushForm
from writ_app.jobs.release import make_push
from writ_app.models.accounts import Role
from writ_app.models.release import PushStage, Release, ReleasePush
from writ_app.services.access import Access
from writ_app.services.release.pushing import order_push, order_sending

TAG = "Releases"


class PushLine(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk")
    release = serializers.IntegerField(source="release_id")
    repository = serializers.CharField()
    branch = serializers.CharField()
    private = serializers.BooleanField()
    formats = serializers.ListField(
        source="slugs", child=serializers.CharField(), help_text="None: all of them."
    )
    stage = Coded(PushStage)
    visibility = serializers.CharField(
        source="found", help_text="Of the repository, when it was compared with."
    )
    dealt_with = serializers.IntegerField(help_text="Files that are there by now.")
    address = serializers.CharField(help_text="Of the commit.")
    trouble = serializers.CharField(help_text="Why it was stopped.")
    created_by = serializers.CharField(source="created_by.username")
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class PushedLine(serializers.Serializer[Any]):
    path = serializers.CharField()
    state = serializers.CharField()
    bytes = serializers.IntegerField(allow_null=True)
    sha256 = serializers.CharField(allow_blank=True)


class PushDetail(PushLine):
    files = PushedLine(many=True)
    others = serializers.ListField(
        child=serializers.CharField(),
        help_text="In the repository, and not of the release.",
    )


class PushBody(Body):
    repository = Text(max_length=200, help_text="owner/name.")
    branch = Text(required=False, default="main", max_length=100)
    private = Flag(
        required=False,
        default=True,
        help_text="A repository that is there and public is refused then.",
    )
    formats = serializers.ListField(
        child=Choice(choices=[(slug, form.title) for slug, form in FORMATS.items()]),
        required=False,
        max_length=len(FORMATS),
        help_text="Without: all of them.",
    )


class Pushes(Endpoint):
    tag = TAG
    access = Access(Role.OWNER, Role.OWNER, fresh="write")

    @operation("list_pushes", query=PageQuery, answer=page_of(PushLine))
    def get(self, request: MemberRequest, pk: int, query: dict[str, Any]) -> Page:
        """Pushes of a release, newest first."""
        rows = _frozen(request, pk).pushes.select_related("created_by")
        return page(request, rows.defer("files", "others"), query)

    @operation("plan_push", body=PushBody, answer=PushDetail, status=202)
    def post(
        self, request: MemberRequest, pk: int, body: dict[str, Any]
    ) -> ReleasePush:
        """Compare a frozen release with what a dataset repository holds. Nothing is sent before `send_push`.

        A worker does it, with the token of the site; `get_push` tells how far it is.
        """
        row = _frozen(request, pk)
        form = PushForm({**body, "slugs": body.get("formats", [])})
        check(form, {"slugs": "formats"})
        push = order_push(release=row, by=request.user, **form.cleaned_data)
        transaction.on_commit(partial(make_push.delay, push_id=push.pk))
        return found(_pushes(row), pk=push.pk)


class OnePush(Endpoint):
    tag = TAG
    access = Access(Role.OWNER, Role.OWNER, fresh="write")

    @operation("get_push", answer=PushDetail)
    def get(self, request: MemberRequest, pk: int, push: int) -> ReleasePush:
        """One push, with its files and how far it is."""
        return found(_pushes(_frozen(request, pk)), pk=push)


class SendPush(Endpoint):
    tag = TAG
    access = Access(Role.OWNER, Role.OWNER, fresh="write")

    @operation("send_push", answer=PushDetail, status=202)
    def post(self, request: MemberRequest, pk: int, push: int) -> ReleasePush:
        """Send what was compared, or go on with what was stopped. Only the last push of a release is sent."""
        release = _frozen(request, pk)
        row = found(_pushes(release), pk=push)
        last = release.pushes.values_list("pk", flat=True).first()
        if last != row.pk:
            raise Conflict("There is a later push by now: look at that one.")
        order_sending(row)
        transaction.on_commit(partial(make_push.delay, push_id=row.pk))
        return found(_pushes(release), pk=push)


def _frozen(request: MemberRequest, pk: int) -> Release:
    rows = Release.objects.visible_to(request.user).frozen()
    return found(rows.select_related("team"), pk=pk)


def _pushes(release: Release) -> Any:
    return release.pushes.select_related("created_by")


urlpatterns = [
    path("releases/<int:pk>/pushes", Pushes.as_view(), name="pushes"),
    path("releases/<int:pk>/pushes/<int:push>", OnePush.as_view(), name="push"),
    path(
        "releases/<int:pk>/pushes/<int:push>/send", SendPush.as_view(), name="push_send"
    ),
]
