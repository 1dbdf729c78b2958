"""Webhooks of a team, and what was sent to them. For owners alone."""

from typing import Any

from django.urls import path
from rest_framework import serializers

from writ_app.api.endpoint import Endpoint, MemberRequest, found, operation
from writ_app.api.fields import Body, Choice, Coded, EnabledBody, PageQuery, Text
from writ_app.api.paging import Page, page, page_of
from writ_app.api.problems import refused_content
from writ_app.models.accounts import Role
from writ_app.models.webhooks import DeliveryStatus, Webhook, WebhookDelivery
from writ_app.services.access import Access
from writ_app.services.webhooks.events import Event
from writ_app.services.webhooks.keeping import (
    BadWebhook,
    change_webhook,
    delete_webhook,
    enable_webhook,
    make_webhook,
    order_test,
    renew_secret,
    send_again,
)

TAG = "Webhooks"
OWNERS = Access(Role.OWNER, Role.OWNER)
MAKING = Access(Role.OWNER, Role.OWNER, "write")
"""Where a secret is shown or an address is named."""
refused_content(BadWebhook)


class WebhookLine(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk")
    name = serializers.CharField()
    url = serializers.CharField()
    events = serializers.ListField(child=serializers.CharField())
    enabled = serializers.BooleanField()
    trouble = serializers.CharField(
        help_text="Why the app disabled it; empty if it did not."
    )
    failing_since = serializers.DateTimeField(allow_null=True)
    created_by = serializers.CharField(source="created_by.username")
    created_at = serializers.DateTimeField()


class MadeWebhook(WebhookLine):
    secret = serializers.CharField(help_text="Shown this once. It checks signatures.")


class WebhookSecret(serializers.Serializer[Any]):
    secret = serializers.CharField(help_text="Shown this once. It checks signatures.")


class DeliveryLine(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk")
    webhook_id = serializers.CharField(
        source="sent_id", help_text="The header of that name, alike in every attempt."
    )
    event = serializers.CharField()
    status = Coded(DeliveryStatus)
    attempts = serializers.IntegerField()
    answer = serializers.IntegerField(
        allow_null=True, help_text="Status code of the last answer."
    )
    trouble = serializers.CharField()
    next_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    tried_at = serializers.DateTimeField(allow_null=True)


class WebhookBody(Body):
    name = Text(max_length=80, help_text="What it is for.")
    url = Text(
        max_length=2000, help_text="https, to a public address; see docs/webhooks.md."
    )
    events = serializers.ListField(
        child=Choice(choices=[str(one) for one in Event]),
        min_length=1,
        max_length=len(Event),
    )


class Webhooks(Endpoint):
    tag = TAG
    access = MAKING

    @operation("list_webhooks", query=PageQuery, answer=page_of(WebhookLine))
    def get(self, request: MemberRequest, query: dict[str, Any]) -> Page:
        """The team's webhooks, newest first."""
        return page(request, _webhooks(request), query)

    @operation(
        "create_webhook", body=WebhookBody, answer=MadeWebhook, status=201, once=False
    )
    def post(self, request: MemberRequest, body: dict[str, Any]) -> Webhook:
        """Make a webhook. Its secret is shown this once.

        Takes no Idempotency-Key: the secret is not kept, so it cannot be answered again.
        """
        row, secret = make_webhook(team=request.team, by=request.user, **body)
        row.refresh_from_db()
        row.secret = secret  # type: ignore[attr-defined]
        return row


class OneWebhook(Endpoint):
    tag = TAG
    access = MAKING

    @operation("get_webhook", answer=WebhookLine)
    def get(self, request: MemberRequest, pk: int) -> Webhook:
        """One webhook."""
        return _own(request, pk)

    @operation("replace_webhook", body=WebhookBody, answer=WebhookLine)
    def put(self, request: MemberRequest, pk: int, body: dict[str, Any]) -> Webhook:
        """Replace what a webhook says. What waits goes to the new address; the secret stays."""
        row = _own(request, pk)
        change_webhook(row=row, **body)
        return row

    @operation("delete_webhook")
    def delete(self, request: MemberRequest, pk: int) -> None:
        """Delete a webhook, and what is known of its deliveries."""
        delete_webhook(row=_own(request, pk))


class EnableWebhook(Endpoint):
    tag = TAG
    access = OWNERS

    @operation("enable_webhook", body=EnabledBody, answer=WebhookLine)
    def post(self, request: MemberRequest, pk: int, body: dict[str, Any]) -> Webhook:
        """Send to it, or no longer. What waits of a disabled one is given up."""
        row = _own(request, pk)
        enable_webhook(row=row, enabled=body["enabled"])
        return row


class NewSecret(Endpoint):
    tag = TAG
    access = MAKING

    @operation("renew_webhook_secret", answer=WebhookSecret, once=False)
    def post(self, request: MemberRequest, pk: int) -> dict[str, str]:
        """Make another secret, which is shown this once. From now on only it signs."""
        return {"secret": renew_secret(row=_own(request, pk))}


class TestWebhook(Endpoint):
    tag = TAG
    access = OWNERS

    @operation("test_webhook", answer=DeliveryLine, status=201)
    def post(self, request: MemberRequest, pk: int) -> WebhookDelivery:
        """Send it a `webhook.test`, whatever events it wants."""
        made = order_test(row=_own(request, pk))
        made.refresh_from_db()
        return made


class Deliveries(Endpoint):
    tag = TAG
    access = OWNERS

    @operation("list_webhook_deliveries", query=PageQuery, answer=page_of(DeliveryLine))
    def get(self, request: MemberRequest, pk: int, query: dict[str, Any]) -> Page:
        """What was sent to a webhook in the last 30 days, newest first."""
        return page(request, _own(request, pk).deliveries.all(), query)


class SendAgain(Endpoint):
    tag = TAG
    access = OWNERS

    @operation("resend_delivery", answer=DeliveryLine)
    def post(self, request: MemberRequest, pk: int) -> WebhookDelivery:
        """Send a delivery again that is over, under the same `webhook-id`."""
        rows = WebhookDelivery.objects.visible_to(request.user)
        row = found(rows.select_related("webhook"), pk=pk)
        send_again(delivery=row)
        return row


def _webhooks(request: MemberRequest) -> Any:
    return Webhook.objects.visible_to(request.user).select_related("created_by")


def _own(request: MemberRequest, pk: int) -> Webhook:
    row: Webhook = found(_webhooks(request), pk=pk)
    return row


urlpatterns = [
    path("webhooks", Webhooks.as_view(), name="webhooks"),
    path("webhooks/<int:pk>", OneWebhook.as_view(), name="webhook"),
    path("webhooks/<int:pk>/enabled", EnableWebhook.as_view(), name="webhook_enabled"),
    path("webhooks/<int:pk>/secret", NewSecret.as_view(), name="webhook_secret"),
    path("webhooks/<int:pk>/test", TestWebhook.as_view(), name="webhook_test"),
    path(
        "webhooks/<int:pk>/deliveries", Deliveries.as_view(), name="webhook_deliveries"
    ),
    path("deliveries/<int:pk>/again", SendAgain.as_view(), name="delivery_again"),
]
