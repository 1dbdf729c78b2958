"""What happens in a team and can be told elsewhere, and writing it down for whoever wants to know."""

import json
from collections.abc import Mapping
from enum import StrEnum
from functools import partial
from typing import Any

from django.db import connection, transaction
from django.dispatch import Signal
from django.utils import timezone

from writ_app.models.accounts import Team
from writ_app.models.webhooks import Webhook, WebhookDelivery

waiting = Signal()
"""There is something to send: `webhook_id`. Sent after the commit; who does not hear it finds the rows by the clock."""
TEXT = 400
"""Characters of a text in a payload."""


class Event(StrEnum):
    """Their names are part of the API: none is changed, new ones may come."""

    BATCH_FINISHED = "batch.finished"
    BATCH_PAUSED = "batch.paused"
    BATCH_CANCELLED = "batch.cancelled"
    RELEASE_FROZEN = "release.frozen"
    RELEASE_PUSHED = "release.pushed"
    RELEASE_PUSH_FAILED = "release.push_failed"
    REPORT_DONE = "report.done"
    REPORT_FAILED = "report.failed"
    REFERENCE_IMPORTED = "reference.imported"
    REFERENCE_FAILED = "reference.import_failed"
    EVALUATION_FINISHED = "evaluation.finished"


LABELS: Mapping[Event, str] = {
    Event.BATCH_FINISHED: "a batch is finished",
    Event.BATCH_PAUSED: "a batch was paused by a cap or a fault",
    Event.BATCH_CANCELLED: "a batch was cancelled",
    Event.RELEASE_FROZEN: "a release was frozen",
    Event.RELEASE_PUSHED: "a release was pushed",
    Event.RELEASE_PUSH_FAILED: "a push of a release stopped",
    Event.REPORT_DONE: "a report is made",
    Event.REPORT_FAILED: "a report could not be made",
    Event.REFERENCE_IMPORTED: "a reference file is imported",
    Event.REFERENCE_FAILED: "a reference file was refused",
    Event.EVALUATION_FINISHED: "an evaluation run is finished",
}
TEST = "webhook.test"
"""Sent when somebody asks for it, whatever was chosen."""


def announce(event: Event, *, team: Team | int, **data: Any) -> None:
    """Write down that it happened, for each webhook of the team that wants to know.

    Must be in the transaction in which it happens. `data` are JSON values: keys, names, numbers; texts are cut.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError(
            f"{event} is announced outside of the transaction that it tells of."
        )
    key = team.pk if isinstance(team, Team) else team
    wanted = Webhook.objects.filter(team=key, enabled=True, events__contains=[event])
    hooks = list(wanted.order_by("pk").values_list("pk", flat=True))
    if hooks:
        put_out(hooks, str(event), team=key, data=data)


def put_out(
    hooks: list[int], event: str, *, team: int, data: Mapping[str, Any]
) -> list[WebhookDelivery]:
    """A delivery for each of these webhooks, and word to the senders after the commit."""
    content = {
        "type": event,
        "timestamp": timezone.now().isoformat(),
        "data": {"team": team, **{name: _short(value) for name, value in data.items()}},
    }
    payload = json.dumps(content, separators=(",", ":"))
    made = WebhookDelivery.objects.bulk_create(
        WebhookDelivery(webhook_id=hook, event=event, payload=payload) for hook in hooks
    )
    for hook in hooks:
        transaction.on_commit(partial(tell, hook), robust=True)
    return made


def tell(webhook_id: int) -> None:
    waiting.send(sender=WebhookDelivery, webhook_id=webhook_id)


def _short(value: Any) -> Any:
    return value[:TEXT] if isinstance(value, str) else value
