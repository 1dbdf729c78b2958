"""What of the verification is looked at."""

from typing import Any

from django import forms

from writ_app.models.synthesis import Batch

ACCEPTED = "accepted"
"""Stands for the empty reason in an address."""


class VerificationFilter(forms.Form):
    """From an address: what cannot be read counts as not given."""

    batch = forms.ModelChoiceField(Batch.objects.none(), required=False)
    before = forms.CharField(max_length=20, required=False)
    after = forms.CharField(max_length=20, required=False)
    was = forms.CharField(max_length=40, required=False)
    now = forms.CharField(max_length=40, required=False)
    start = forms.IntegerField(min_value=0, max_value=2**62, required=False)

    def __init__(self, *args: Any, batches: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["batch"].queryset = batches  # type: ignore[attr-defined]

    def chosen(self) -> dict[str, Any]:
        self.full_clean()
        return {name: self.cleaned_data.get(name) or None for name in self.fields}
