"""Describing a persona or a behaviour plan."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.http import QueryDict

from writ_app.engine.behaviour import DIMENSIONS, Dimension, contradictions
from writ_app.models.behaviour import Conduct, Persona


class ConductForm(forms.Form):
    """Title, name, text, and per dimension the values that are allowed; none ticked leaves the dimension open."""

    title = forms.CharField(max_length=80)
    slug = forms.SlugField(
        max_length=40,
        label="Name",
        help_text="Short and stable: it stands in exports. Lower-case letters, digits and dashes.",
        error_messages={
            "invalid": "Only letters, digits, hyphens and underscores, without spaces: shouty-bob."
        },
    )
    text = forms.CharField(max_length=1000, widget=forms.Textarea(attrs={"rows": 4}))

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        model: type[Conduct],
        row: Conduct | None = None,
    ):
        super().__init__(data)
        self.side = "persona" if model is Persona else "plan"
        self.fields["text"].label = (
            "How this person talks" if self.side == "persona" else "Instruction"
        )
        self.fields["text"].help_text = "A model that plays the user is told this."
        for dimension in self.dimensions:
            self.fields[_field(dimension)] = forms.MultipleChoiceField(
                choices=[(value.slug, value.title) for value in dimension.values],
                widget=forms.CheckboxSelectMultiple,
                required=False,
                label=dimension.title,
            )
        if row is not None:
            self.initial = {"title": row.title, "slug": row.slug, "text": row.text}
            for slug, values in row.values.items():
                self.initial[f"dimension-{slug}"] = list(values)

    @property
    def dimensions(self) -> list[Dimension]:
        return [d for d in DIMENSIONS.values() if d.side == self.side]

    def rows(self) -> Iterator[tuple[Dimension, forms.BoundField]]:
        for dimension in self.dimensions:
            yield dimension, self[_field(dimension)]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for problem in contradictions(self.chosen()):
            self.add_error(None, problem)
        return cleaned

    def chosen(self) -> dict[str, list[str]]:
        """Dimension → values, those that were left open left out."""
        chosen = {
            dimension.slug: self.cleaned_data.get(_field(dimension)) or []
            for dimension in self.dimensions
        }
        return {slug: values for slug, values in chosen.items() if values}

    def described(self) -> dict[str, Any]:
        """Keywords for save_conduct."""
        names = ("title", "slug", "text")
        return {
            **{name: self.cleaned_data[name] for name in names},
            "dimensions": self.chosen(),
        }


def _field(dimension: Dimension) -> str:
    return f"dimension-{dimension.slug}"
