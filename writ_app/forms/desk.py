"""What a reader may ask of one item."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

LONGEST_QUERY = 200


class FindForm(forms.Form):
    q = forms.CharField(max_length=LONGEST_QUERY, required=False)


class ReplayForm(forms.Form):
    """One of the two: the number of the write to leave out, or to make after the next one."""

    without = forms.IntegerField(min_value=1, max_value=1000, required=False)
    swapped = forms.IntegerField(min_value=1, max_value=1000, required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if bool(cleaned.get("without")) == bool(cleaned.get("swapped")):
            raise ValidationError("Name one write.")
        return cleaned


class PlaceForm(forms.Form):
    """The step that an address leads to; out of range, the nearest there is."""

    step = forms.IntegerField(min_value=1, max_value=1_000_000, required=False)
