"""Making a token."""

from datetime import datetime, timedelta

from django import forms
from django.http import QueryDict

from writ_app.models.accounts import Membership, Role

LIVES = [("7", "a week"), ("30", "30 days"), ("90", "90 days"), ("365", "a year")]


class TokenForm(forms.Form):
    """What it is for, what it may, and for how long."""

    name = forms.CharField(
        max_length=80, label="What it is for", help_text="For example: nightly export."
    )
    scope = forms.ChoiceField(
        label="May at most what a … may",
        help_text="It may never more than you may yourself at the time.",
    )
    days = forms.ChoiceField(choices=LIVES, initial="90", label="Ends after")

    def __init__(self, data: QueryDict | None = None, *, membership: Membership):
        super().__init__(data)
        mine = [(role.value, role.label) for role in Role if membership.may(role)]
        self.fields["scope"].choices = mine  # type: ignore[attr-defined]

    @property
    def scope_chosen(self) -> Role:
        return Role(self.cleaned_data["scope"])

    def expires_at(self, now: datetime) -> datetime:
        return now + timedelta(days=int(self.cleaned_data["days"]))
