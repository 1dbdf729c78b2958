"""A webhook's fields."""

from typing import Any

from django import forms

from writ_app.models.webhooks import Webhook
from writ_app.services.webhooks.events import LABELS, Event


class WebhookForm(forms.Form):
    name = forms.CharField(max_length=80, help_text="What it is for.")
    url = forms.CharField(
        max_length=2000,
        label="Address",
        help_text="https, to a public address. Hosts of your own network are listed in WRIT_WEBHOOK_HOSTS.",
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "off"}),
    )
    events = forms.MultipleChoiceField(
        choices=[(str(one), LABELS[one]) for one in Event],
        widget=forms.CheckboxSelectMultiple,
        label="Tell it when",
        error_messages={"required": "Choose at least one."},
    )

    def __init__(self, *args: Any, row: Webhook | None = None, **kwargs: Any) -> None:
        if row is not None:
            kept = {"name": row.name, "url": row.url, "events": row.events}
            kwargs.setdefault("initial", kept)
        super().__init__(*args, **kwargs)
