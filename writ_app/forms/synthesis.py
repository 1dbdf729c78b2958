"""Ordering a batch."""

import random
from collections.abc import Iterator
from typing import Any

from django import forms
from django.http import QueryDict

from environments.core.domain import Archetype, TaskClass
from writ_app.engine.behaviour import PLANS
from writ_app.models.catalog import Environment
from writ_app.models.synthesis import ModelEndpoint
from writ_app.services.catalog import load_environment
from writ_app.services.synthesis import MAX_ORDERED, class_groups, default_mix


class BatchForm(forms.Form):
    """What to make, how much of it, and from which seed. One weight per archetype of the chosen environment.

    A weight's name holds the world's: two worlds may have archetypes of one slug.
    """

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

    def __init__(
        self, data: QueryDict | None = None, *, typed: QueryDict | None = None
    ):
        """`typed` is what was typed so far, to be kept and not judged yet."""
        super().__init__(data)
        known = Environment.objects.order_by("name", "-id").defer("state", "policy")
        self.fields["environment"].queryset = known  # type: ignore[attr-defined]
        self.fields["seed"].initial = random.SystemRandom().randrange(10_000)
        self.fields["plans"].choices = [  # type: ignore[attr-defined]
            (plan.slug, plan.title) for plan in PLANS.values()
        ]
        self.fields["plans"].initial = list(PLANS)
        given = data if data is not None else typed
        self.chosen = _chosen(known, given.get("environment", "") if given else "")
        self.archetypes: tuple[Archetype, ...] = ()
        if self.chosen is not None:
            self.archetypes = load_environment(self.chosen).domain.archetypes
            self.initial["environment"] = self.chosen.pk
        weights = default_mix(self.archetypes)
        for archetype in self.archetypes:
            self.fields[self._weight(archetype)] = forms.IntegerField(
                required=False,
                min_value=0,
                max_value=100,
                initial=weights[archetype.slug],
                label=archetype.title,
            )
        if typed is not None:
            self._keep(typed)

    def _keep(self, typed: QueryDict) -> None:
        for name in set(self.fields) & set(typed):
            several = isinstance(self.fields[name], forms.MultipleChoiceField)
            self.initial[name] = typed.getlist(name) if several else typed[name]

    @property
    def unseen(self) -> bool:
        """It was sent with weights of another environment only: nobody has seen those of the chosen one."""
        names = {self._weight(one) for one in self.archetypes}
        return self.is_bound and bool(names) and not names & set(self.data)

    def _weight(self, archetype: Archetype) -> str:
        return f"mix-{self.chosen.name if self.chosen else ''}-{archetype.slug}"

    def groups(
        self,
    ) -> Iterator[tuple[TaskClass, list[tuple[Archetype, forms.BoundField]]]]:
        """(class, its archetypes with their weights)."""
        for kind, members in class_groups(self.archetypes):
            yield kind, [(one, self[self._weight(one)]) for one in members]

    def mix(self) -> dict[str, int]:
        """Archetype → weight, only those that are wanted."""
        weights = {
            one.slug: self.cleaned_data.get(self._weight(one)) or 0
            for one in self.archetypes
        }
        return {slug: weight for slug, weight in weights.items() if weight}

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if "environment" in cleaned and not self.mix():
            raise forms.ValidationError(
                "Give at least one kind of request of this environment some weight."
                if self.archetypes
                else "Nothing can be asked in this environment yet: choose another."
            )
        return cleaned

    def order(self) -> dict[str, Any]:
        """Keywords for start_batch."""
        names = ["name", "environment", "seed", "ordered", "plans"]
        names += ["agent", "user_simulator"]
        given = {name: self.cleaned_data[name] for name in names}
        share = self.cleaned_data["fault_share"] / 100
        return {**given, "mix": self.mix(), "fault_share": share}


def _chosen(known: Any, text: str) -> Environment | None:
    """The environment that is asked for, else the first in which something can be asked, else the first."""
    if text:
        number = int(text) if text.isascii() and text.isdigit() else 0
        return known.filter(pk=number).first() if number < 2**62 else None
    rows = list(known)
    for row in rows:
        if load_environment(row).domain.archetypes:
            return row
    return rows[0] if rows else None
