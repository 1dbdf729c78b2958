"""Verdicts and filters."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict

from writ_app.models.review import RejectReason, SlotStatus, Verdict
from writ_app.services.review.bands import BURDEN_BANDS

GIVEN = [choice for choice in Verdict.choices if choice[0] != Verdict.WITHDRAW]


class LeaseForm(forms.Form):
    """Which slot, under which lease."""

    slot = forms.IntegerField(min_value=1, max_value=2**62)
    token = forms.IntegerField(min_value=0, max_value=2**31 - 1)

    @staticmethod
    def slot_of(posted: QueryDict) -> int:
        """The slot's number, 0 for anything that is none."""
        text = posted.get("slot", "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


class VerdictForm(LeaseForm):
    verdict_code = forms.ChoiceField(choices=GIVEN, label="Verdict")
    reason = forms.ChoiceField(choices=RejectReason.choices, required=False)
    note = forms.CharField(max_length=4000, required=False, strip=True)
    focus = forms.CharField(max_length=200, required=False)
    seconds = forms.IntegerField(min_value=0, max_value=86_400, required=False)

    def add_prefix(self, field_name: str) -> str:
        """The buttons are called `verdict`; that name is the method's here."""
        return "verdict" if field_name == "verdict_code" else field_name

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("verdict_code") != Verdict.REJECT:
            cleaned["reason"] = ""  # a reason picked and then not used
        elif not cleaned.get("reason"):
            self.add_error("reason", "Say why: pick one of the nine.")
        elif cleaned["reason"] == RejectReason.OTHER and not cleaned.get("note"):
            self.add_error("note", "Say what it is.")
        return cleaned

    def verdict(self) -> dict[str, Any]:
        """Keywords for submit_verdict."""
        names = ("token", "reason", "note", "focus", "seconds")
        given = {name: self.cleaned_data[name] for name in names}
        return {**given, "verdict": Verdict(self.cleaned_data["verdict_code"])}


def _options(values: list[str]) -> list[tuple[str, str]]:
    return [("", "any"), *((value, value.replace("_", " ")) for value in values)]


class TrajectoryFilter(forms.Form):
    """What a list of trajectories may be narrowed by. Anything else in the address is ignored."""

    accepted = forms.ChoiceField(
        choices=[("", "any"), ("yes", "accepted"), ("no", "rejected")],
        required=False,
        label="Checks",
    )
    reason = forms.ChoiceField(required=False)
    archetype = forms.ChoiceField(required=False)
    burden = forms.ChoiceField(
        choices=_options([band.slug for band in BURDEN_BANDS]), required=False
    )
    plan = forms.ChoiceField(required=False)
    status = forms.ChoiceField(
        choices=[("", "any"), *SlotStatus.choices], required=False, label="Review"
    )
    batch = forms.IntegerField(
        min_value=1, max_value=2**62, required=False, widget=forms.HiddenInput
    )
    cluster = forms.RegexField(
        r"^[0-9a-f]{32}$", required=False, widget=forms.HiddenInput
    )
    before = forms.IntegerField(
        min_value=1, max_value=2**62, required=False, widget=forms.HiddenInput
    )

    def __init__(self, data: QueryDict, *, facets: Mapping[str, list[str]]):
        super().__init__(data)
        for name, values in facets.items():
            self.fields[name].choices = _options(values)  # type: ignore[attr-defined]

    def chosen(self) -> dict[str, Any]:
        """Filters that are set and allowed."""
        return {name: value for name, value in self.cleaned_data.items() if value}
