"""Sending what waits: claimed by one statement, posted without a transaction open, noted, and tried again later if need be.

At least once: whoever dies in between leaves a delivery that is sent again, with the same id, when its time is up.
"""

import logging
import random
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from writ_app.adapters.egress import Egress, EgressFailed, EgressRefused
from writ_app.models.webhooks import DeliveryStatus, Webhook, WebhookDelivery
from writ_app.services.webhooks.keeping import disable, egress
from writ_app.services.webhooks.signing import headers, secret_of

log = logging.getLogger(__name__)

WAITS = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 60, 300, 1800, 2 * 3600, 6 * 3600, 15 * 3600)
)
"""Between the attempts of a delivery, of which there are one more than these: eight within a day."""
ATTEMPTS = len(WAITS) + 1
JITTER = 0.2
"""A wait is longer by up to this share, so that what failed together does not come back together."""
LEASE = timedelta(seconds=60)
"""An exchange takes ten seconds at most; who has not come back by then is dead."""
PATIENCE = timedelta(days=3)
"""A webhook is disabled after a delivery is given up and nothing came through for so long."""
KEPT = timedelta(days=30)
"""Deliveries are deleted after that."""
GONE = 410
AGENT = "WRIT-Webhooks/1"


def send_waiting(
    *,
    webhook_id: int,
    stop: Callable[[], bool] = lambda: False,
    way_out: Egress | None = None,
) -> int:
    """Send what of a webhook is due, oldest first, one at a time; returns how many attempts were made.

    Nothing if another worker is at it: that one goes on until nothing is left, so one slow host holds one worker at most.
    """
    made = 0
    while not stop() and (delivery := _claim(webhook_id)) is not None:
        _attempt(delivery, way_out or egress())
        made += 1
    return made


def webhooks_with_something_due() -> list[int]:
    due = WebhookDelivery.objects.due().order_by().values_list("webhook", flat=True)
    return sorted(set(due.distinct()[:1000]))


def forget_old(*, now: datetime) -> int:
    """Delete deliveries that are older than is kept; returns how many."""
    old = WebhookDelivery.objects.filter(created_at__lt=now - KEPT)
    return old.delete()[0]


@transaction.atomic
def _claim(webhook_id: int) -> WebhookDelivery | None:
    now = timezone.now()
    hook = (
        Webhook.objects.select_for_update(no_key=True)
        .filter(pk=webhook_id, enabled=True)
        .first()
    )
    if hook is None:
        return None
    at_it = hook.deliveries.filter(status=DeliveryStatus.SENDING, next_at__gt=now)
    if at_it.exists():
        return None
    delivery = hook.deliveries.due().order_by("next_at", "pk").first()
    if delivery is None:
        return None
    delivery.status, delivery.webhook = DeliveryStatus.SENDING, hook
    delivery.attempts += 1
    delivery.tried_at, delivery.next_at = now, now + LEASE
    delivery.save(update_fields=["status", "attempts", "tried_at", "next_at"])
    return delivery


def _attempt(delivery: WebhookDelivery, way_out: Egress) -> None:
    hook = delivery.webhook
    secret = secret_of(bytes(hook.salt), hook.secret_hash)
    if secret is None:
        _disable(delivery, "SECRET_KEY is another one by now: make a new secret.")
        return
    body = delivery.payload.encode()
    sent = {
        **headers(secret, message_id=delivery.sent_id, at=timezone.now(), body=body),
        "Content-Type": "application/json",
        "User-Agent": AGENT,
    }
    try:
        status = way_out.post(hook.url, body=body, headers=sent).status
    except (EgressRefused, EgressFailed) as error:
        _failed(delivery, None, str(error))
        return
    if 200 <= status < 300:
        _done(delivery, status)
    elif status == GONE:
        _note(delivery, status=DeliveryStatus.FAILED, answer=status, next_at=None)
        _disable(delivery, "The host answered 410: it wants no more of these.")
    else:
        kind = "redirects are not followed" if 300 <= status < 400 else "not a success"
        _failed(delivery, status, f"It answered {status}: {kind}.")


@transaction.atomic
def _done(delivery: WebhookDelivery, answer: int) -> None:
    if _note(
        delivery, status=DeliveryStatus.DONE, answer=answer, trouble="", next_at=None
    ):
        Webhook.objects.filter(pk=delivery.webhook_id).update(failing_since=None)


@transaction.atomic
def _failed(delivery: WebhookDelivery, answer: int | None, trouble: str) -> None:
    now = timezone.now()
    over = delivery.attempts >= ATTEMPTS
    if not _note(
        delivery,
        status=DeliveryStatus.FAILED if over else DeliveryStatus.WAITING,
        answer=answer,
        trouble=trouble[:200],
        next_at=None if over else now + wait_after(delivery.attempts),
    ):
        return
    hook = Webhook.objects.select_for_update(no_key=True).get(pk=delivery.webhook_id)
    if hook.failing_since is None:
        hook.failing_since = now
        hook.save(update_fields=["failing_since"])
    if over and hook.failing_since <= now - PATIENCE:
        disable(hook, why=f"Nothing came through for {PATIENCE.days} days.")
        log.warning("webhook %s is disabled: nothing came through", hook.pk)


@transaction.atomic
def _disable(delivery: WebhookDelivery, why: str) -> None:
    disable(delivery.webhook, why=why)
    log.warning("webhook %s is disabled: %s", delivery.webhook_id, why)


def wait_after(attempts: int) -> timedelta:
    """Until the next attempt, after so many."""
    return WAITS[attempts - 1] * (1 + random.uniform(0, JITTER))


def _note(delivery: WebhookDelivery, **values: object) -> bool:
    """What came of the attempt, unless another worker took it over, or it was given up meanwhile."""
    mine = WebhookDelivery.objects.filter(
        pk=delivery.pk,
        status=DeliveryStatus.SENDING,
        attempts=delivery.attempts,
    )
    return mine.update(**values) == 1
