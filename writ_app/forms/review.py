"""Verdicts and filters."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict

from writ_app.models.review import RejectReason, Verdict
from writ_app.services.review import ORDERS
from writ_app.services.review.keys import ACTIONS

GIVEN = [choice for choice in Verdict.choices if choice[0] != Verdict.WITHDRAW]


class LeaseForm(forms.Form):
    """Which slot, under which lease."""

    slot = forms.IntegerField(min_value=1, max_value=2**62)
    token = forms.IntegerField(min_value=0, max_value=2**31 - 1)

    @staticmethod
    def slot_of(posted: QueryDict) -> int:
        """The slot's number, 0 for anything that is none."""
        return whole(posted.get("slot", ""))


def whole(text: str) -> int:
    """A whole number that a key may be; 0 for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def held_slots(posted: QueryDict) -> dict[int, int]:
    """Slot → token of all that a page has, what is on screen first: `held=12:3&held=14:1`. What cannot be read is left out."""
    pairs = (text.partition(":") for text in posted.getlist("held")[:HELD])
    read = ((whole(slot), whole(token)) for slot, _, token in pairs)
    return {slot: token for slot, token in read if slot and token < 2**31}


def page_of(posted: QueryDict) -> str:
    """The name that an open page gave itself; "" for one that has none."""
    return posted.get("page", "")[:PAGE]


PAGE = 20
"""Characters of such a name."""
HELD = 12
"""Slots of one page at most: on screen, ahead, and put aside by undoing."""


class VerdictForm(LeaseForm):
    verdict_code = forms.ChoiceField(choices=GIVEN, label="Verdict")
    reason = forms.ChoiceField(choices=RejectReason.choices, required=False)
    note = forms.CharField(max_length=4000, required=False, strip=True)
    focus = forms.CharField(max_length=200, required=False)
    message = forms.IntegerField(min_value=0, max_value=2**31 - 1, required=False)
    pointer = forms.CharField(max_length=400, required=False, strip=False)
    write = forms.IntegerField(min_value=0, max_value=2**15 - 1, required=False)
    seconds = forms.IntegerField(min_value=0, max_value=86_400, required=False)
    submission = forms.UUIDField(required=False)

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
        given = dict(self.cleaned_data)
        del given["slot"]
        verdict = Verdict(given.pop("verdict_code"))
        return {**given, "verdict": verdict}


class QueueForm(forms.Form):
    """Which part of the queue, and in which order: an allow-list, as all of it goes into a query."""

    order = forms.ChoiceField(
        choices=[(order.value, words) for order, words in ORDERS.items()],
        widget=forms.RadioSelect,
        label="Order",
    )
    environment = forms.ChoiceField(required=False)
    archetype = forms.ChoiceField(required=False)
    plan = forms.ChoiceField(required=False)
    writes = forms.ChoiceField(required=False)
    burden = forms.ChoiceField(required=False)
    batch = forms.TypedChoiceField(required=False, coerce=int, empty_value="")

    def __init__(
        self,
        data: Any = None,
        *,
        facets: Mapping[str, list[tuple[Any, str]]],
        initial: Mapping[str, Any] | None = None,
    ):
        super().__init__(data, initial=dict(initial or {}))
        for name, options in facets.items():
            choices = [("", "any"), *options]
            self.fields[name].choices = choices  # type: ignore[attr-defined]

    def filters(self) -> dict[str, Any]:
        """Those that are set."""
        given = {**self.cleaned_data}
        del given["order"]
        return {name: value for name, value in given.items() if value}


class KeysForm(forms.Form):
    """A key for each action."""

    def __init__(self, data: Any = None, *, keys: Mapping[str, str]):
        super().__init__(data)
        for name, key in keys.items():
            self.fields[name] = forms.CharField(
                max_length=20,
                strip=False,
                initial=key,
                label=ACTIONS[name].title,
                widget=forms.TextInput(
                    attrs={"autocomplete": "off", "spellcheck": "false", "size": 8}
                ),
            )
