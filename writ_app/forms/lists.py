"""Filters of lists, and what is done with what they find."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.forms.renderers import Jinja2
from django.http import QueryDict
from django.utils.http import urlencode

from writ_app.models.review import ItemStatus, RejectReason, Verdict
from writ_app.services.review.bands import BURDEN_BANDS, WRITE_BANDS
from writ_app.services.review.bulk import GIVEN
from writ_app.services.review.listing import MANY, NEWEST, ONE, ORDERS, TITLES, Order

KINDS = (
    "exact",
    "normalised",
    "derived",
    "said",
    "policy",
    "not_found",
    "conflict",
    "stale",
)
YES_NO = ("yes", "no")
ALLOWED: dict[str, tuple[str, ...]] = {
    "status": tuple(ItemStatus.values),
    "accepted": YES_NO,
    "scripted": YES_NO,
    "commented": ("yes",),
    "version": ("simulated", "edited"),
    "kinds": KINDS,
    "writes": tuple(band.slug for band in WRITE_BANDS),
    "burden": tuple(band.slug for band in BURDEN_BANDS),
    "code": tuple(RejectReason.values),
}
"""The values of filters that have no others."""
NUMBERS = ("batch", "reviewer")
MOST_VALUES = 50
LONGEST = 200


class Several(forms.Field):
    """Values of one filter: each allowed, none twice. Others are dropped without a word."""

    widget = forms.MultipleHiddenInput

    def __init__(self, name: str):
        super().__init__(required=False, label=TITLES.get(name, name))
        self.name = name

    def to_python(self, value: Any) -> list[str | int]:
        kept = [one for one in dict.fromkeys(value or ()) if self._may(str(one))]
        kept = kept[:MOST_VALUES]
        return [int(one) for one in kept] if self.name in NUMBERS else kept

    def _may(self, value: str) -> bool:
        if self.name in NUMBERS:
            return value.isascii() and value.isdigit() and len(value) < 19
        allowed = ALLOWED.get(self.name)
        known = value in allowed if allowed else len(value) <= LONGEST
        return bool(value) and known and "\0" not in value


class ListForm(forms.Form):
    """What a list may be narrowed by, and its order. Anything else in the address is ignored."""

    # Django brings its widgets for Jinja as well, and drew those of a list for longer than the rows.
    default_renderer = Jinja2()

    q = forms.CharField(
        max_length=LONGEST,
        required=False,
        label="Search",
        widget=forms.TextInput(
            attrs={
                "type": "search",
                "placeholder": "words, ids, “exact phrases”, -without",
                "form": "filters",
                "autocomplete": "off",
                "spellcheck": "false",
            }
        ),
    )
    argument = forms.CharField(max_length=LONGEST, required=False, label="Argument")
    argument_kind = forms.ChoiceField(
        choices=[("", "from anywhere"), *((k, k.replace("_", " ")) for k in KINDS)],
        required=False,
        label="which is",
    )
    tool = forms.CharField(max_length=LONGEST, required=False, label="Calls the tool")
    shape = forms.RegexField(
        r"^[0-9a-f]{12}$", required=False, label="Same tools in order"
    )
    cluster = forms.RegexField(r"^[0-9a-f]{32}$", required=False, label="Cluster")
    sort = forms.ChoiceField(
        choices=[(order.name, order.words) for order in ORDERS.values()],
        required=False,
        label="Sort",
        widget=forms.Select(attrs={"form": "filters"}),
    )
    after = forms.CharField(max_length=60, required=False)
    before = forms.CharField(max_length=60, required=False)

    def __init__(self, data: QueryDict | Mapping[str, Any]):
        super().__init__(data)
        self.fields |= {name: Several(name) for name in MANY}
        self.full_clean()

    @property
    def filters(self) -> dict[str, Any]:
        """Filters that are set and allowed."""
        given = self.cleaned_data
        return {name: given[name] for name in (*MANY, *ONE) if given.get(name)}

    @property
    def order(self) -> Order:
        return ORDERS.get(self.cleaned_data.get("sort") or "", NEWEST)

    def key(self, name: str) -> str:
        """Where a page begins (`after`) or ends (`before`); "" for what is no key in this order."""
        key = self.cleaned_data.get(name) or ""
        return key if key and self.order.reads(key) else ""

    def query(self, **changes: Any) -> str:
        """The filters and their order, as an address has them."""
        return query_of({**self.filters, "sort": self._sort, **changes})

    @property
    def _sort(self) -> str:
        return "" if self.order is NEWEST else self.order.name

    def values(self) -> list[tuple[str, str, str]]:
        """(name, value, title) of every filter that is set, one for each of its values."""
        return [
            (name, str(one), str(self.fields[name].label))
            for name, value in self.filters.items()
            for one in (value if isinstance(value, list) else [value])
        ]


def query_of(values: Mapping[str, Any]) -> str:
    """A query string without what is empty; the same values make the same one."""
    return urlencode(sorted((k, v) for k, v in values.items() if v), doseq=True)


class SaveViewForm(forms.Form):
    name = forms.CharField(max_length=80)
    shared = forms.BooleanField(required=False, label="Shared with the team")


ACTS = {
    Verdict.APPROVE: "Approve",
    Verdict.REJECT: "Reject",
    Verdict.FIX: "Send to be fixed",
    Verdict.WITHDRAW: "Re-queue",
}


class BulkForm(forms.Form):
    """A verdict on what is ticked, or on all that the list's filters find."""

    act = forms.ChoiceField(
        choices=[(verdict.value, ACTS[verdict]) for verdict in GIVEN]
    )
    scope = forms.ChoiceField(choices=[("ticked", "ticked"), ("all", "all")])
    reason = forms.ChoiceField(
        choices=[("", "pick one"), *RejectReason.choices], required=False
    )
    note = forms.CharField(
        max_length=4000, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, data: QueryDict, *, confirmed: bool):
        super().__init__(data)
        self.confirmed = confirmed
        listed = data.getlist("item")
        known = [one for one in listed if one.isascii() and one.isdigit()]
        self.items = [int(one) for one in known if len(one) < 19]

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        if given.get("scope") == "ticked" and not self.items:
            self.add_error("scope", "Tick some items first.")
        if given.get("act") != Verdict.REJECT:
            given["reason"] = ""
        elif self.confirmed and not given.get("reason"):
            self.add_error("reason", "Say why: pick one of the nine.")
        elif given.get("reason") == RejectReason.OTHER and not given.get("note"):
            self.add_error("note", "Say what it is.")
        return given

    @property
    def verdict(self) -> Verdict:
        return Verdict(self.cleaned_data["act"])


class RuleForm(forms.Form):
    name = forms.CharField(max_length=120, label="Name of the rule")
    event = forms.IntegerField(
        min_value=1, max_value=2**62, required=False, widget=forms.HiddenInput
    )
