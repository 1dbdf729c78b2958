"""Webhooks of a team: for its owners. A secret is shown by the answer that makes it, and by no other."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from writ_app.forms.webhooks import WebhookForm
from writ_app.models.webhooks import Webhook, WebhookDelivery, WebhookQuerySet
from writ_app.services.webhooks.events import LABELS
from writ_app.services.webhooks.keeping import (
    BadWebhook,
    CannotSend,
    change_webhook,
    delete_webhook,
    enable_webhook,
    make_webhook,
    order_test,
    renew_secret,
    send_again,
)
from writ_app.views.access import MemberRequest, fresh_required, owner_required

SHOWN = 50
"""Deliveries on a webhook's page."""


@require_GET
@owner_required
def webhooks(request: MemberRequest) -> HttpResponse:
    context = {"hooks": _own(request).select_related("created_by"), "all": len(LABELS)}
    return render(request, "webhooks/webhooks.html", context)


@never_cache
@owner_required
@fresh_required("write")
def webhook_new(request: MemberRequest) -> HttpResponse:
    form = WebhookForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            row, secret = make_webhook(
                team=request.team, by=request.user, **form.cleaned_data
            )
        except BadWebhook as error:
            form.add_error("url", str(error))
        else:
            return _show(request, row, secret=secret)
    status = 422 if form.is_bound else 200
    return render(request, "webhooks/webhook_new.html", {"form": form}, status=status)


@owner_required
@fresh_required("write")
def webhook(request: MemberRequest, pk: int) -> HttpResponse:
    """What it says, which may be changed, and what was sent to it lately."""
    row = get_object_or_404(_own(request), pk=pk)
    if request.method != "POST":
        return _show(request, row)
    form = WebhookForm(request.POST)
    if form.is_valid():
        try:
            change_webhook(row=row, **form.cleaned_data)
        except BadWebhook as error:
            form.add_error("url", str(error))
        else:
            messages.success(request, "Kept.")
            return redirect("webhook", pk=row.pk)
    return _show(request, row, form=form, status=422)


@require_POST
@owner_required
def webhook_enable(request: MemberRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(_own(request), pk=pk)
    enable_webhook(row=row, enabled="enable" in request.POST)
    said = "hears" if row.enabled else "no longer hears"
    messages.info(request, f"{row.name} {said} of what happens from now on.")
    return redirect("webhook", pk=row.pk)


@require_POST
@owner_required
def webhook_delete(request: MemberRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(_own(request), pk=pk)
    delete_webhook(row=row)
    messages.info(request, f"{row.name} is deleted.")
    return redirect("webhooks")


@never_cache
@require_POST
@owner_required
@fresh_required()
def webhook_reset(request: MemberRequest, pk: int) -> HttpResponse:
    """Another secret, shown this once."""
    row = get_object_or_404(_own(request), pk=pk)
    return _show(request, row, secret=renew_secret(row=row))


@require_POST
@owner_required
def webhook_try(request: MemberRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(_own(request), pk=pk)
    try:
        order_test(row=row)
    except CannotSend as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "A test is on its way: load the page again to see.")
    return redirect("webhook", pk=row.pk)


@require_POST
@owner_required
def delivery_send(request: MemberRequest, pk: int) -> HttpResponse:
    """Send a delivery again, under its id."""
    rows = WebhookDelivery.objects.visible_to(request.user).select_related("webhook")
    row = get_object_or_404(rows, pk=pk)
    try:
        send_again(delivery=row)
    except CannotSend as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{row.sent_id} is on its way again.")
    return redirect("webhook", pk=row.webhook_id)


def _own(request: MemberRequest) -> WebhookQuerySet:
    return Webhook.objects.visible_to(request.user)


def _show(
    request: MemberRequest,
    row: Webhook,
    *,
    form: WebhookForm | None = None,
    secret: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {
        "hook": row,
        "form": form or WebhookForm(row=row),
        "secret": secret,
        "deliveries": row.deliveries.all()[:SHOWN],
    }
    return render(request, "webhooks/webhook.html", context, status=status)
