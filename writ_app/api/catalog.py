"""Environments: what they are, what is in them, and trying their tools."""

from typing import Any

from django.http import Http404
from django.urls import path
from rest_framework import serializers

from environments.core import environment as core
from environments.core.tools import ToolCall
from writ_app.api.endpoint import Endpoint, MemberRequest, found, operation
from writ_app.api.fields import Body, Choice, PageQuery, Query, Text, Words
from writ_app.api.paging import Page, as_page, page, page_of
from writ_app.api.problems import Refused
from writ_app.models.accounts import Role
from writ_app.models.catalog import Environment
from writ_app.services.access import Access
from writ_app.services.catalog import load_environment
from writ_app.services.catalog.console import (
    MAX_CALLS,
    MAX_TEXT,
    TOO_LONG,
    replay_console,
)
from writ_app.services.catalog.parameters import print_json
from writ_app.services.catalog.state import Where, browse, view_record

TAG = "Environments"


class EnvironmentRef(serializers.Serializer[Any]):
    """An environment, named."""

    id = serializers.IntegerField(source="pk")
    name = serializers.CharField()
    version = serializers.CharField()


class EnvironmentLine(EnvironmentRef):
    mode = serializers.CharField()
    origin = serializers.CharField(help_text="Where its records came from.")
    content_hash = serializers.CharField()
    state_hash = serializers.CharField()
    created_at = serializers.DateTimeField()


class ToolLine(serializers.Serializer[Any]):
    name = serializers.CharField()
    kind = serializers.CharField(help_text="read, write or generic.")
    schema = serializers.DictField(help_text="As agents are given it.")


class ArchetypeLine(serializers.Serializer[Any]):
    slug = serializers.CharField()
    title = serializers.CharField()


class EnvironmentDetail(EnvironmentLine):
    policy = serializers.CharField(help_text="As agents are given it.")
    collections = serializers.DictField(
        child=serializers.IntegerField(), help_text="Collection → records."
    )
    tools = ToolLine(many=True)
    archetypes = ArchetypeLine(many=True)


class RecordLine(serializers.Serializer[Any]):
    key = serializers.CharField()
    summary = serializers.CharField()


class KeyRef(serializers.Serializer[Any]):
    collection = serializers.CharField()
    key = serializers.CharField()


class RecordDetail(serializers.Serializer[Any]):
    key = serializers.CharField()
    record = serializers.DictField()
    links = serializers.DictField(
        child=KeyRef(), help_text="JSON pointer of a value → the record it names."
    )
    mentions = KeyRef(many=True, help_text="Other records that hold this one's key.")


class RecordsQuery(Query):
    text = Text(required=False, max_length=200, help_text="Search.")
    where = Choice(
        required=False,
        choices=[(Where.KEY.value, "keys"), (Where.TEXT.value, "whole records")],
        help_text="What is searched: keys, or whole records.",
    )
    after = Words(required=False, max_length=500)


class RecordQuery(Query):
    key = Words(max_length=500)


class CallBody(Body):
    name = Text(max_length=120)
    arguments = serializers.DictField(required=False)


class CallsBody(Body):
    calls = serializers.ListField(child=CallBody(), min_length=1, max_length=MAX_CALLS)


class ChangeLine(serializers.Serializer[Any]):
    op = serializers.CharField()
    path = serializers.CharField()
    before = serializers.CharField(help_text="JSON, or nothing.")
    after = serializers.CharField(help_text="JSON, or nothing.")


class DifferenceLine(serializers.Serializer[Any]):
    changes = ChangeLine(many=True)
    hidden = serializers.IntegerField(help_text="Changes besides those.")


class StepLine(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    name = serializers.CharField(source="call.name")
    kind = serializers.CharField(help_text="read, write, call or error.")
    content = serializers.CharField(
        source="result.content", help_text="What an agent would be told."
    )
    error = serializers.BooleanField(source="result.error")
    by_call = DifferenceLine(help_text="What the call changed.")
    hash = serializers.CharField(help_text="Of the state after the call.")


class ConsoleLine(serializers.Serializer[Any]):
    base_hash = serializers.CharField()
    hash = serializers.CharField()
    steps = StepLine(many=True)


class Environments(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.OWNER)

    @operation("list_environments", query=PageQuery, answer=page_of(EnvironmentLine))
    def get(self, request: MemberRequest, query: dict[str, Any]) -> Page:
        """Environments of the site, newest first."""
        return page(request, Environment.objects.defer("state", "policy"), query)


class OneEnvironment(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.OWNER)

    @operation("get_environment", answer=EnvironmentDetail)
    def get(self, request: MemberRequest, name: str, version: str) -> Environment:
        """One environment: its policy, tools, kinds of request, and how many records there are."""
        row, loaded = _found(name, version)
        row.tools = list(loaded.tools.values())  # type: ignore[attr-defined]
        row.archetypes = loaded.domain.archetypes  # type: ignore[attr-defined]
        row.collections = {  # type: ignore[attr-defined]
            name: len(records) for name, records in loaded.state.collections.items()
        }
        return row


class Records(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.OWNER)

    @operation("list_records", query=RecordsQuery, answer=page_of(RecordLine))
    def get(
        self,
        request: MemberRequest,
        name: str,
        version: str,
        collection: str,
        query: dict[str, Any],
    ) -> Page:
        """Records of a collection, forty at a time, in the order of the file.

        A search that finds little may give a page with few rows, or none, and still have a `cursor` to go on with.
        """
        _, loaded = _found(name, version)
        _require(loaded, collection)
        listed = browse(
            loaded.state,
            collection,
            text=query.get("text", ""),
            where=Where(query.get("where", Where.KEY)),
            after=query.get("after"),
        )
        return as_page(request, listed.rows, listed.after)


class OneRecord(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.OWNER)

    @operation("get_record", query=RecordQuery, answer=RecordDetail, refuses=(404,))
    def get(
        self,
        request: MemberRequest,
        name: str,
        version: str,
        collection: str,
        query: dict[str, Any],
    ) -> dict[str, Any]:
        """One record by its key, and which records it speaks of and is spoken of by."""
        _, loaded = _found(name, version)
        _require(loaded, collection)
        view = view_record(loaded.state, collection, query["key"])
        if view is None:
            raise Http404
        return {
            "key": view.key,
            "record": view.record,
            "links": {place: _ref(key) for place, key in view.links.items()},
            "mentions": [_ref(key) for key in view.mentions],
        }


class Console(Endpoint):
    tag = TAG
    access = Access(Role.REVIEWER, Role.REVIEWER)

    @operation("try_calls", body=CallsBody, answer=ConsoleLine, once=False)
    def post(
        self, request: MemberRequest, name: str, version: str, body: dict[str, Any]
    ) -> Any:
        """Make these calls one after the other on a scratch session, which is gone afterwards."""
        _, loaded = _found(name, version)
        calls = [
            ToolCall(name=one["name"], arguments=one.get("arguments", {}))
            for one in body["calls"]
        ]
        if any(len(print_json(call.arguments)) > MAX_TEXT for call in calls):
            raise Refused(TOO_LONG)
        return replay_console(loaded, calls)


def _found(name: str, version: str) -> tuple[Environment, core.Environment]:
    row = found(Environment.objects.defer("state"), name=name, version=version)
    return row, load_environment(row)


def _require(loaded: core.Environment, collection: str) -> None:
    if collection not in loaded.state.collections:
        raise Http404


def _ref(key: tuple[str, str]) -> dict[str, str]:
    return {"collection": key[0], "key": key[1]}


_ONE = "environments/<slug:name>/<slug:version>"
urlpatterns = [
    path("environments", Environments.as_view(), name="environments"),
    path(_ONE, OneEnvironment.as_view(), name="environment"),
    path(
        f"{_ONE}/collections/<str:collection>/records",
        Records.as_view(),
        name="records",
    ),
    path(
        f"{_ONE}/collections/<str:collection>/record",
        OneRecord.as_view(),
        name="record",
    ),
    path(f"{_ONE}/calls", Console.as_view(), name="calls"),
]
