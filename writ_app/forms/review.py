"""Verdicts and filters."""

from typing import Any

from django import forms
from django.http import QueryDict

from writ_app.models.review import RejectReason, Verdict

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
