"""Quality control: how a team reviews, lots to sample, decisions on disputes."""

from typing import Any

from django import forms
from django.db.models import QuerySet

from writ_app.models.accounts import Team
from writ_app.models.review import ReviewItem, ReviewPolicy
from writ_app.models.synthesis import Batch
from writ_app.services.review.quality.sampling import GREEN, LIMITS

KIND_WORDS = {
    "exact": "as a read shows it",
    "normalised": "read, written differently",
    "said": "said by the user",
    "policy": "named by the policy",
    "derived": "reckoned from what was seen",
}


class PolicyForm(forms.ModelForm):
    """Shares are asked for in percent."""

    second_share = forms.FloatField(
        min_value=0,
        max_value=100,
        label="Second opinions, %",
        help_text="Share of new items that two people judge without seeing each other's verdict.",
    )
    canary_share = forms.FloatField(
        min_value=0,
        max_value=20,
        label="Planted errors, %",
        help_text="Canaries, as a share of the items to review. Three to five keep people awake.",
    )

    class Meta:
        model = ReviewPolicy
        fields = ("second_share", "canary_share", "lease_seconds", "ahead")
        labels = {"lease_seconds": "Lease, seconds", "ahead": "Items leased ahead"}
        help_texts = {
            "lease_seconds": "How long an item stays in somebody's hands without a sign of life.",
            "ahead": "Besides the one on screen.",
        }

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        for name in ("second_share", "canary_share"):
            self.initial[name] = round(100 * getattr(self.instance, name), 2)

    def clean_second_share(self) -> float:
        return float(self.cleaned_data["second_share"]) / 100

    def clean_canary_share(self) -> float:
        return float(self.cleaned_data["canary_share"]) / 100


class PlantForm(forms.Form):
    count = forms.IntegerField(
        min_value=1, max_value=500, required=False, label="How many"
    )


class LotForm(forms.Form):
    """What a plan is to approve. From an address as well: what is not allowed counts as not given."""

    batch = forms.ModelChoiceField(
        Batch.objects.none(), required=False, empty_label="all batches"
    )
    environment = forms.ChoiceField(required=False)
    archetype = forms.ChoiceField(required=False)
    kinds = forms.MultipleChoiceField(
        choices=[(kind, KIND_WORDS[kind]) for kind in GREEN],
        widget=forms.CheckboxSelectMultiple,
        required=False,
        label="Arguments are",
    )

    def __init__(self, *args: Any, team: Team, **kwargs: Any):
        super().__init__(*args, **kwargs)
        items = ReviewItem.objects.filter(team=team).order_by()
        batches: QuerySet[Batch] = Batch.objects.filter(team=team).order_by("-id")
        self.fields["batch"].queryset = batches  # type: ignore[attr-defined]
        for name in ("environment", "archetype"):
            values = sorted(items.values_list(name, flat=True).distinct())
            choices = [("", "any"), *((value, value) for value in values)]
            self.fields[name].choices = choices  # type: ignore[attr-defined]

    def filters(self) -> dict[str, Any]:
        """Keywords of a lot, as they are stored."""
        given = self.cleaned_data if self.is_bound and self.is_valid() else {}
        found = {
            name: given[name]
            for name in ("environment", "archetype")
            if given.get(name)
        }
        if given.get("batch"):
            found["batch"] = given["batch"].pk
        return {**found, "kinds": given.get("kinds") or list(GREEN)}


class OrderForm(LotForm):
    limit = forms.TypedChoiceField(
        choices=[(str(limit), f"{limit:.0%}") for limit in LIMITS], coerce=float
    )
