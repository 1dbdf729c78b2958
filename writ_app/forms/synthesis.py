"""Ordering a batch."""

import random
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.http import QueryDict

from environments.core.domain import Archetype, TaskClass
from writ_app.engine.grid import Target
from writ_app.models.accounts import Team
from writ_app.models.behaviour import BehaviourPlan
from writ_app.models.catalog import Environment
from writ_app.models.synthesis import Batch, ModelEndpoint
from writ_app.services.catalog import load_environment
from writ_app.services.synthesis import (
    MAX_ORDERED,
    MAX_PLANS_PER_TASK,
    class_groups,
    default_cells,
    default_mix,
)

BY_MIX, BY_GRID = "mix", "grid"


def _max_cost() -> forms.DecimalField:
    return forms.DecimalField(
        required=False,
        min_value=0,
        max_digits=10,
        decimal_places=4,
        label="Cap, US dollars",
        help_text="Nothing more is asked once so much is spent. Empty: no cap.",
        widget=forms.NumberInput(attrs={"step": "any", "min": 0}),
    )


def _max_tokens() -> forms.IntegerField:
    return forms.IntegerField(
        required=False,
        min_value=1,
        max_value=10**15,
        label="Cap, tokens",
        help_text="Prompt and completion together.",
    )


class CapsForm(forms.Form):
    """What a batch may cost from now on."""

    max_cost = _max_cost()
    max_tokens = _max_tokens()

    def __init__(self, data: QueryDict | None = None, *, like: Batch | None = None):
        super().__init__(data)
        if like is not None:
            self.initial = {
                "max_cost": _short(like.max_cost),
                "max_tokens": like.max_tokens,
            }


def _short(dollars: Decimal | None) -> str | None:
    """Without noughts that say nothing."""
    return None if dollars is None else f"{dollars.normalize():f}"


class BatchForm(forms.Form):
    """What to make, how much of it, and from which seed. One weight per archetype of the chosen environment.

    A weight's name holds the world's: two worlds may have archetypes of one slug. The grid's weights are those of any world;
    they are judged only if the batch is ordered by grid.
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
        queryset=ModelEndpoint.objects.none(),
        required=False,
        empty_label="scripted",
        label="Agent",
    )
    user_simulator = forms.ModelChoiceField(
        queryset=ModelEndpoint.objects.none(),
        required=False,
        empty_label="scripted",
        label="User",
    )
    paraphraser = forms.ModelChoiceField(
        queryset=ModelEndpoint.objects.none(),
        required=False,
        empty_label="nobody",
        label="Rewords requests",
        help_text="What is read back as the same request is what the user says.",
    )
    judge = forms.ModelChoiceField(
        queryset=ModelEndpoint.objects.none(),
        required=False,
        empty_label="nobody",
        label="Judge",
        help_text="For notes on finished trajectories; it never decides.",
    )
    max_cost = _max_cost()
    max_tokens = _max_tokens()
    by = forms.ChoiceField(
        choices=[
            (BY_MIX, "Mix: kinds of request in turn, by weight"),
            (BY_GRID, "Grid: so many writes, so much evidence"),
        ],
        widget=forms.RadioSelect,
        initial=BY_MIX,
        label="Order by",
    )
    whole = forms.BooleanField(
        required=False,
        initial=True,
        label="Only whole proofs",
        help_text="A task whose every read is proved to be needed.",
    )
    plans = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple,
        label="Behavior plans",
        required=False,
        help_text="None ticked: all that are enabled, spread evenly.",
    )
    plans_per_task = forms.IntegerField(
        min_value=1,
        max_value=MAX_PLANS_PER_TASK,
        initial=1,
        required=False,
        label="Plans per task",
        help_text="More than one simulates each task under several plans: paired data.",
    )
    fault_share = forms.IntegerField(
        min_value=0,
        max_value=100,
        initial=20,
        label="Faults, percent",
        help_text="Share of simulations in which the agent or user is asked to make a mistake, if both are scripted.",
    )

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        team: Team,
        typed: QueryDict | None = None,
        like: Mapping[str, Any] | None = None,
    ):
        """`typed` is what was typed so far, to be kept and not judged yet; `like` an order (order_of) to begin with."""
        super().__init__(data)
        known = Environment.objects.order_by("name", "-id").defer("state", "policy")
        self.fields["environment"].queryset = known  # type: ignore[attr-defined]
        offered = ModelEndpoint.objects.offered().of_team(team)
        for role in ("agent", "user_simulator", "paraphraser", "judge"):
            self.fields[role].queryset = offered  # type: ignore[attr-defined]
        self.fields["seed"].initial = random.SystemRandom().randrange(10_000)
        self.fields["plans"].choices = [  # type: ignore[attr-defined]
            (plan.slug, plan.title) for plan in BehaviourPlan.objects.enabled_for(team)
        ]
        given = data if data is not None else typed
        asked = given.get("environment", "") if given else ""
        if like is not None and not asked:
            asked = str(like["environment"].pk)
        self.chosen = _chosen(known, asked)
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
        for _, cells in default_cells():
            for cell in cells:
                self.fields[_cell(cell)] = _CellWeight(cell)
        if like is not None:
            self._begin_with(like)
        if typed is not None:
            self._keep(typed)

    def _begin_with(self, order: Mapping[str, Any]) -> None:
        """Fill the form with an order. A weight that the form cannot hold is rounded to the next that it can."""
        for name in ("name", "ordered", "seed", "plans", "max_tokens"):
            self.initial[name] = order[name]
        self.initial["max_cost"] = _short(order["max_cost"])
        for name in ("agent", "user_simulator", "paraphraser", "judge"):
            self.initial[name] = order[name].pk if order[name] else None
        self.initial["fault_share"] = round(100 * order["fault_share"])
        for archetype in self.archetypes:
            weight = order["mix"].get(archetype.slug, 0)
            self.initial[self._weight(archetype)] = weight and max(1, round(weight))
        if order["grid"] is None:
            return
        self.initial["by"] = BY_GRID
        self.initial["whole"] = order["grid"]["whole"]
        held = {
            (cell["writes"], cell["burden"]): cell["weight"]
            for cell in order["grid"]["cells"]
        }
        for _, cells in default_cells():
            for cell in cells:
                weight = held.get((cell.writes, cell.burden), 0)
                self.initial[_cell(cell)] = f"{weight:g}"

    def _keep(self, typed: QueryDict) -> None:
        for name in set(self.fields) & set(typed):
            several = isinstance(self.fields[name], forms.MultipleChoiceField)
            self.initial[name] = typed.getlist(name) if several else typed[name]
        if "name" in typed:  # the whole form: what is not ticked is not sent
            self.initial["whole"] = "whole" in typed
            self.initial["plans"] = typed.getlist("plans")

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

    @property
    def burdens(self) -> list[str]:
        """Bands of burden: the columns of the grid."""
        _, cells = next(default_cells())
        return [cell.burden for cell in cells]

    def grid_rows(self) -> Iterator[tuple[str, list[forms.BoundField]]]:
        """(band of writes, weights by burden)."""
        for writes, cells in default_cells():
            yield writes, [self[_cell(cell)] for cell in cells]

    def grid_errors(self) -> list[tuple[str, str]]:
        """(cell, what is wrong with its weight)."""
        return [
            (str(field.label), str(error))
            for _, fields in self.grid_rows()
            for field in fields
            for error in field.errors
        ]

    def grid(self) -> dict[str, Any] | None:
        """A grid as the engine reads it, cells without weight left out; None for a mix."""
        if self.cleaned_data.get("by") != BY_GRID:
            return None
        weights = [
            (cell, self.cleaned_data.get(_cell(cell)) or 0)
            for _, cells in default_cells()
            for cell in cells
        ]
        return {
            "cells": [
                {"writes": cell.writes, "burden": cell.burden, "weight": weight}
                for cell, weight in weights
                if weight
            ],
            "whole": self.cleaned_data["whole"],
        }

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        grid = self.grid()
        if grid is None:
            for _, fields in self.grid_rows():
                for field in fields:
                    self.errors.pop(field.name, None)
        elif not grid["cells"] and not self.grid_errors():
            raise forms.ValidationError(
                "Give at least one cell of the grid some weight, or order by mix."
            )
        if "environment" in cleaned and not self.mix():
            raise forms.ValidationError(
                "Give at least one kind of request of this environment some weight."
                if self.archetypes
                else "Nothing can be asked in this environment yet: choose another."
            )
        return cleaned

    def order(self) -> dict[str, Any]:
        """Keywords for start_batch."""
        names = ["name", "environment", "seed", "ordered", "plans", "plans_per_task"]
        names += ["agent", "user_simulator", "paraphraser", "judge"]
        names += ["max_cost", "max_tokens"]
        given = {name: self.cleaned_data[name] for name in names}
        given["plans_per_task"] = given["plans_per_task"] or 1
        share = self.cleaned_data["fault_share"] / 100
        wanted = {"mix": self.mix(), "grid": self.grid()}
        return {**given, **wanted, "fault_share": share}


class _CellWeight(forms.FloatField):
    """How much of the batch lies in a cell. Plain text, so that a browser does not hold back what nobody sees for a mix."""

    def __init__(self, cell: Target):
        label = f"{cell.writes} write{'' if cell.writes == '1' else 's'}, burden {cell.burden}"
        label = label.replace("-", "–")
        attrs = {"inputmode": "decimal", "aria-label": label, "autocomplete": "off"}
        super().__init__(
            required=False,
            min_value=0,
            max_value=100,
            initial=f"{cell.weight:g}",
            label=label,
            widget=forms.TextInput(attrs=attrs),
        )


def _cell(cell: Target) -> str:
    return f"grid-{cell.writes}-{cell.burden}"


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
