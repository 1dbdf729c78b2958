"""Naming a release."""

from django import forms


class ReleaseForm(forms.Form):
    name = forms.SlugField(
        max_length=80,
        help_text="Letters, digits, hyphens. A known name gets the next number.",
    )
