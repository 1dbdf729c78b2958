"""What the pages that look at many items at once may be asked for."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.http import QueryDict

from writ_app.services.review.clusters import ORDERS
from writ_app.services.review.scopes import Scopes

ANY = ("", "any")


class SiblingChoice(forms.Form):
    """Which siblings to show beside a trajectory; keys that are none are ignored."""

    beside = forms.MultipleChoiceField(required=False)

    def __init__(self, data: QueryDict, *, family: Iterable[int]):
        known = {str(key) for key in family}
        asked = [key for key in data.getlist("beside") if key in known]
        super().__init__({"beside": asked})
        self.fields["beside"].choices = [(key, key) for key in known]  # type: ignore[attr-defined]

    def chosen(self) -> frozenset[int]:
        self.full_clean()
        return frozenset(map(int, self.cleaned_data["beside"]))


class ScopeForm(forms.Form):
    """Which part of the team's data; anything else in the address is ignored."""

    environment = forms.ChoiceField(required=False)
    batch = forms.ChoiceField(required=False)

    def __init__(self, data: QueryDict, *, scopes: Scopes):
        super().__init__(data)
        self.fields["environment"].choices = [  # type: ignore[attr-defined]
            ANY,
            *((name, name) for name in scopes.environments),
        ]
        self.fields["batch"].choices = [ANY, *scopes.batches]  # type: ignore[attr-defined]
        self.full_clean()

    def filters(self) -> dict[str, Any]:
        """Conditions on items: environment and batch, as far as they are chosen and there."""
        chosen = {
            name: self.cleaned_data.get(name) for name in ("environment", "batch")
        }
        return {name: value for name, value in chosen.items() if value}


class ClusterFilter(ScopeForm):
    order = forms.ChoiceField(choices=list(ORDERS.items()), required=False)
    start = forms.IntegerField(
        min_value=0, max_value=10**6, required=False, widget=forms.HiddenInput
    )


class DashboardFilter(ScopeForm):
    days = forms.TypedChoiceField(
        choices=[("", "all time"), ("1", "1 day"), ("7", "7 days"), ("30", "30 days")],
        required=False,
        coerce=int,
        empty_value=None,
        label="Since",
    )

    def since(self, at: datetime) -> datetime | None:
        days: int | None = self.cleaned_data.get("days")
        return at - timedelta(days=days) if days else None


class ClusterRows(forms.Form):
    """Which rows of a cluster."""

    odd = forms.BooleanField(required=False)
    before = forms.IntegerField(min_value=1, max_value=2**62, required=False)
