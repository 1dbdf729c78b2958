"""Webhooks of a team: made, changed, tried, disabled, deleted. Each act is in the audit log; the secret is not."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from writ_app.adapters.egress import Egress, EgressRefused
from writ_app.engine.errors import WritError
from writ_app.models.accounts import Team, User
from writ_app.models.webhooks import (
    LIVE,
    DeliveryStatus,
    Webhook,
    WebhookDelivery,
    new_salt,
)
from writ_app.services.audit import record
from writ_app.services.webhooks.events import TEST, Event, put_out, tell
from writ_app.services.webhooks.signing import derive, hashed, shown

MOST = 20
"""Webhooks of one team."""
MOST_TESTS = 5
"""Test deliveries of a webhook that may wait at once."""


class BadWebhook(WritError):
    """What cannot be kept as asked; the text says why."""


class CannotSend(WritError):
    """Not as things are; the text says why."""


def egress() -> Egress:
    """The way out, as the site's settings have it."""
    return Egress(own_hosts=frozenset(settings.WEBHOOK_HOSTS))


def facts(row: Webhook) -> dict[str, Any]:
    """As the audit log keeps it."""
    return {
        "name": row.name,
        "url": row.url,
        "events": list(row.events),
        "enabled": row.enabled,
    }


@transaction.atomic
def make_webhook(
    *, team: Team, by: User, name: str, url: str, events: Sequence[str]
) -> tuple[Webhook, str]:
    """A new webhook, and its secret, which is shown this once. Raises BadWebhook."""
    Team.objects.select_for_update(no_key=True).get(pk=team.pk)
    if Webhook.objects.filter(team=team).count() >= MOST:
        raise BadWebhook(f"A team has at most {MOST} webhooks: delete one first.")
    row = Webhook(team=team, created_by=by, name=name)
    _set(row, url, events)
    text = _new_secret(row)
    row.save()
    record("webhook.make", team=team, row=row, after=facts(row))
    return row, text


@transaction.atomic
def change_webhook(*, row: Webhook, name: str, url: str, events: Sequence[str]) -> None:
    """What waits goes to the address of now. Raises BadWebhook."""
    held = Webhook.objects.select_for_update(no_key=True).get(pk=row.pk)
    before = facts(held)
    held.name = name
    _set(held, url, events)
    held.save(update_fields=["name", "url", "events"])
    record(
        "webhook.change", team=held.team_id, row=held, before=before, after=facts(held)
    )
    row.refresh_from_db()


@transaction.atomic
def renew_secret(*, row: Webhook) -> str:
    """Another secret, which is shown this once; from now on only it signs."""
    text = _new_secret(row)
    row.save(update_fields=["salt", "secret_hash"])
    record("webhook.secret", team=row.team_id, row=row)
    return text


@transaction.atomic
def enable_webhook(*, row: Webhook, enabled: bool) -> None:
    """Events of from now on are sent to it, or no longer. What waits of a disabled one is given up."""
    if not enabled:
        disable(row, why="")
        return
    done = Webhook.objects.filter(pk=row.pk, enabled=False).update(
        enabled=True, trouble="", failing_since=None
    )
    if done:
        record("webhook.enable", team=row.team_id, row=row)
    row.refresh_from_db()


def disable(row: Webhook, *, why: str) -> None:
    """In a transaction. `why` is the app's reason; a person needs none."""
    done = Webhook.objects.filter(pk=row.pk, enabled=True).update(
        enabled=False, trouble=why[:400]
    )
    if done:
        WebhookDelivery.objects.filter(webhook=row.pk, status__in=LIVE).update(
            status=DeliveryStatus.FAILED,
            next_at=None,
            trouble="The webhook was disabled.",
        )
        after = {"reason": why} if why else {}
        record("webhook.disable", team=row.team_id, row=row, after=after)
    row.refresh_from_db()


@transaction.atomic
def delete_webhook(*, row: Webhook) -> None:
    """With what was sent to it; the audit log keeps that it was there."""
    record("webhook.delete", team=row.team_id, row=row, before=facts(row))
    row.delete()


@transaction.atomic
def order_test(*, row: Webhook) -> WebhookDelivery:
    """Send it something now, whatever events it wants. Raises CannotSend."""
    held = Webhook.objects.select_for_update(no_key=True).get(pk=row.pk)
    _need_enabled(held)
    waiting = held.deliveries.filter(event=TEST, status__in=LIVE)
    if waiting.count() >= MOST_TESTS:
        raise CannotSend(f"{MOST_TESTS} tests wait already.")
    [made] = put_out([held.pk], TEST, team=held.team_id, data={"webhook": held.pk})
    record("webhook.test", team=held.team_id, row=held)
    return made


@transaction.atomic
def send_again(*, delivery: WebhookDelivery) -> None:
    """Once more from the first attempt, under the same id. Raises CannotSend."""
    _need_enabled(delivery.webhook)
    over = WebhookDelivery.objects.filter(pk=delivery.pk).exclude(status__in=LIVE)
    if not over.update(
        status=DeliveryStatus.WAITING,
        attempts=0,
        next_at=Now(),
        trouble="",
        answer=None,
    ):
        raise CannotSend("It is on its way already.")
    hook = delivery.webhook
    after = {"delivery": delivery.pk, "event": delivery.event}
    record("webhook.again", team=hook.team_id, row=hook, after=after)
    transaction.on_commit(lambda: tell(hook.pk), robust=True)
    delivery.refresh_from_db()


def _need_enabled(row: Webhook) -> None:
    if not row.enabled:
        raise CannotSend(f"{row.name} is disabled: enable it first.")


def _set(row: Webhook, url: str, events: Sequence[str]) -> None:
    try:
        egress().check(url)
    except EgressRefused as error:
        raise BadWebhook(str(error)) from error
    wrong = set(events) - set(Event)
    if wrong or not events:
        raise BadWebhook("Choose at least one event, of those that there are.")
    row.url = url
    row.events = [str(one) for one in Event if one in events]


def _new_secret(row: Webhook) -> str:
    row.salt = new_salt()
    secret = derive(row.salt, settings.SECRET_KEY)
    row.secret_hash = hashed(secret)
    return shown(secret)
