"""Ordering a batch."""

import random
from collections.abc import Iterator
from typing import Any

from django import forms

from writ_app.engine.behaviour import PLANS
from writ_app.models.catalog import Environment
from writ_app.models.synthesis import ModelEndpoint
from writ_app.services.catalog import load_environment
from writ_app.services.synthesis import DEFAULT_MIX, MAX_ORDERED


class BatchForm(forms.Form):
    """What to make, how much of it, and from which seed. One weight per archetype of the known environments."""

    name = forms.CharField(max_length=120)
    environment = forms.ModelChoiceField(
        queryset=Environment.objects.none(), empty_label=None
    )
    ordered = forms.IntegerField(
        min_value=1, max_value=MAX_ORDERED, initial=24, label="Simulations"
    )
    seed = forms.IntegerField(
        min_value=0,
        max_value=2**31 - 1,
        help_text="The same seed gives the same tasks, byte for byte.",
    )
    agent = forms.ModelChoiceField(
        queryset=ModelEndpoint.objects.order_by("name"),
        required=False,
        empty_label="scripted",
        label="Agent",
    )
    user_simulator = forms.ModelChoiceField(
        queryset=ModelEndpoint.objects.order_by("name"),
        required=False,
        empty_label="scripted",
        label="User",
    )
    plans = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple, label="Behavior plans"
    )
    fault_share = forms.IntegerField(
        min_value=0,
        max_value=100,
        initial=20,
        label="Faults, percent",
        help_text="Share of simulations in which the agent or user is asked to make a mistake, if both are scripted.",
    )

    def __init__(self, data: Any = None):
        super().__init__(data)
        known = Environment.objects.order_by("name", "-id").defer("state", "policy")
        self.fields["environment"].queryset = known  # type: ignore[attr-defined]
        self.fields["seed"].initial = random.SystemRandom().randrange(10_000)
        self.fields["plans"].choices = [  # type: ignore[attr-defined]
            (plan.slug, plan.title) for plan in PLANS.values()
        ]
        self.fields["plans"].initial = list(PLANS)
        self.archetypes = {}
        for row in known.only("name", "version"):
            for archetype in load_environment(row).domain.archetypes:
                self.archetypes[archetype.slug] = archetype
        for slug, archetype in self.archetypes.items():
            self.fields[f"mix-{slug}"] = forms.IntegerField(
                required=False,
                min_value=0,
                max_value=100,
                initial=DEFAULT_MIX.get(slug, 1),
                label=archetype.title,
            )

    def weights(self) -> Iterator[tuple[Any, forms.BoundField]]:
        for slug, archetype in self.archetypes.items():
            yield archetype, self[f"mix-{slug}"]

    def mix(self) -> dict[str, int]:
        """Archetype → weight, only those that are wanted and that the environment has."""
        environment = self.cleaned_data.get("environment")
        known = load_environment(environment).domain.archetypes if environment else ()
        weights = {
            archetype.slug: self.cleaned_data.get(f"mix-{archetype.slug}") or 0
            for archetype in known
        }
        return {slug: weight for slug, weight in weights.items() if weight}

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.mix():
            raise forms.ValidationError(
                "Give at least one kind of request of this environment some weight."
            )
        return cleaned

    def order(self) -> dict[str, Any]:
        """Keywords for start_batch."""
        names = ["name", "environment", "seed", "ordered", "plans"]
        names += ["agent", "user_simulator"]
        given = {name: self.cleaned_data[name] for name in names}
        share = self.cleaned_data["fault_share"] / 100
        return {**given, "mix": self.mix(), "fault_share": share}
