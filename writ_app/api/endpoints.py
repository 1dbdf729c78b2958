"""Models as rows: the endpoints that batches may choose."""

import json
from typing import Any

from django.urls import path
from rest_framework import serializers

from writ_app.api.endpoint import Endpoint, MemberRequest, found, operation
from writ_app.api.fields import Body, Choice, EnabledBody, Number, Text, Whole
from writ_app.api.paging import as_page, page_of
from writ_app.api.problems import check
from writ_app.forms.endpoints import EndpointForm
from writ_app.models.accounts import Role
from writ_app.models.endpoint_rules import RANGES
from writ_app.models.synthesis import ModelEndpoint
from writ_app.services.access import Access
from writ_app.services.synthesis import forget_limits, list_endpoints, try_endpoint
from writ_app.services.synthesis.endpoints import (
    endpoint_facts,
    key_is_set,
    offer_endpoint,
    save_endpoint,
    where_of,
)

TAG = "Models"


class EndpointLine(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk")
    name = serializers.CharField()
    model = serializers.CharField()
    base_url = serializers.CharField()
    where = serializers.SerializerMethodField(help_text="Host, or the provider.")
    key_variable = serializers.CharField(
        help_text="Name of the variable with the key; the key is nowhere here."
    )
    key_set = serializers.SerializerMethodField()
    parameters = serializers.DictField()
    max_in_flight = serializers.IntegerField()
    prompt_price = serializers.FloatField(allow_null=True)
    completion_price = serializers.FloatField(allow_null=True)
    enabled = serializers.BooleanField()
    own = serializers.SerializerMethodField(
        help_text="Of the team; otherwise of the site, and changed by its administration."
    )
    created_at = serializers.DateTimeField()

    def get_where(self, row: ModelEndpoint) -> str:
        return where_of(row)

    def get_key_set(self, row: ModelEndpoint) -> bool | None:
        return key_is_set(row)

    def get_own(self, row: ModelEndpoint) -> bool:
        return row.team_id is not None


class EndpointBody(Body):
    """Parameters are named as providers name them; those without a field of their own go into `more`."""

    name = Text(max_length=60)
    model = Text(max_length=200, help_text="Provider and model: openai/gpt-4.1-mini.")
    base_url = Text(required=False, allow_blank=True, max_length=200)
    key_variable = Text(required=False, allow_blank=True, max_length=80)
    max_in_flight = Whole(required=False, default=64, min_value=1, max_value=2000)
    prompt_price = Number(required=False, allow_null=True, min_value=0)
    completion_price = Number(required=False, allow_null=True, min_value=0)
    temperature = Number(
        required=False,
        allow_null=True,
        min_value=RANGES["temperature"][0],
        max_value=RANGES["temperature"][1],
    )
    top_p = Number(
        required=False,
        allow_null=True,
        min_value=RANGES["top_p"][0],
        max_value=RANGES["top_p"][1],
    )
    max_tokens = Whole(
        required=False,
        allow_null=True,
        min_value=int(RANGES["max_tokens"][0]),
        max_value=int(RANGES["max_tokens"][1]),
    )
    reasoning_effort = Choice(
        required=False, choices=["none", "minimal", "low", "medium", "high"]
    )
    timeout = Number(
        required=False,
        allow_null=True,
        min_value=RANGES["timeout"][0],
        max_value=RANGES["timeout"][1],
    )
    more = serializers.DictField(required=False)


class TriedCallLine(serializers.Serializer[Any]):
    kind = serializers.CharField()
    answered = serializers.BooleanField()
    problem = serializers.CharField()
    advice = serializers.CharField()
    text = serializers.CharField()
    seconds = serializers.FloatField()
    prompt_tokens = serializers.IntegerField()
    completion_tokens = serializers.IntegerField()
    cost = serializers.FloatField(allow_null=True)


class TrialLine(serializers.Serializer[Any]):
    passed = serializers.BooleanField()
    problem = serializers.CharField()
    calls = TriedCallLine(many=True)


class Endpoints(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.OWNER)

    @operation("list_endpoints", answer=page_of(EndpointLine))
    def get(self, request: MemberRequest) -> Any:
        """All that the team may order with, by name, on one page."""
        rows = [line.row for line in list_endpoints(request.user)]
        return as_page(request, rows, None)

    @operation("create_endpoint", body=EndpointBody, answer=EndpointLine, status=201)
    def post(self, request: MemberRequest, body: dict[str, Any]) -> ModelEndpoint:
        """Add an endpoint. Try it before a batch uses it."""
        return _keep(ModelEndpoint(team=request.team), body)


class OneEndpoint(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.OWNER)

    @operation("get_endpoint", answer=EndpointLine)
    def get(self, request: MemberRequest, pk: int) -> ModelEndpoint:
        """One endpoint."""
        return found(ModelEndpoint.objects.visible_to(request.user), pk=pk)

    @operation("replace_endpoint", body=EndpointBody, answer=EndpointLine)
    def put(
        self, request: MemberRequest, pk: int, body: dict[str, Any]
    ) -> ModelEndpoint:
        """Replace what an endpoint says. Batches that there are go on with what it said before."""
        return _keep(_own(request, pk), body)


class EnableEndpoint(Endpoint):
    tag = TAG
    access = Access(Role.OWNER, Role.OWNER)

    @operation("enable_endpoint", body=EnabledBody, answer=EndpointLine)
    def post(
        self, request: MemberRequest, pk: int, body: dict[str, Any]
    ) -> ModelEndpoint:
        """Offer it to new batches, or no longer. Batches that there are go on."""
        row = _own(request, pk)
        offer_endpoint(row, enabled=body["enabled"])
        return row


class TryEndpoint(Endpoint):
    tag = TAG
    access = Access(Role.OWNER, Role.OWNER)

    @operation("try_endpoint", answer=TrialLine, atomic=False)
    def post(self, request: MemberRequest, pk: int) -> Any:
        """Ask it for a text and for a tool call, now. Takes up to three minutes; one trial at a time."""
        return try_endpoint(_own(request, pk))


def _own(request: MemberRequest, pk: int) -> ModelEndpoint:
    return found(ModelEndpoint.objects.changeable_by(request.user), pk=pk)


def _keep(row: ModelEndpoint, body: dict[str, Any]) -> ModelEndpoint:
    before = endpoint_facts(row) if row.pk else None
    form = EndpointForm(_typed(body), instance=row)
    check(form)
    save_endpoint(row, before=before)
    if before is not None and "max_in_flight" in form.changed_data:
        forget_limits(row)
    row.refresh_from_db()
    return row


def _typed(body: dict[str, Any]) -> dict[str, str]:
    """As the web's form would send it: what is not given is empty, JSON is text."""
    given = {
        name: str(value)
        for name, value in body.items()
        if name != "more" and value is not None
    }
    return {**given, "more": json.dumps(body.get("more", {}))}


urlpatterns = [
    path("endpoints", Endpoints.as_view(), name="endpoints"),
    path("endpoints/<int:pk>", OneEndpoint.as_view(), name="endpoint"),
    path(
        "endpoints/<int:pk>/enabled", EnableEndpoint.as_view(), name="endpoint_enabled"
    ),
    path("endpoints/<int:pk>/try", TryEndpoint.as_view(), name="endpoint_try"),
]
