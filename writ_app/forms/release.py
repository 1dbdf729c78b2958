"""Naming, drafting and comparing releases."""

from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.db.models import QuerySet

from writ_app.engine.export.formats import FORMATS
from writ_app.engine.export.lint import PITFALLS
from writ_app.engine.export.tokens import tokenizers
from writ_app.engine.types import BURDEN_BANDS, WRITE_BANDS
from writ_app.models.curation import SavedView
from writ_app.models.release import Release
from writ_app.services.release import BadRecipe, Recipe, read_recipe
from writ_app.services.release.judge import REASONS
from writ_app.services.release.recipe import CELLS, LICENCES, SPLITS

MOST = 1_000_000_000
KEPT = "kept"
"""The filters stay as they are."""


class NewDraftForm(forms.Form):
    name = forms.SlugField(
        max_length=80,
        help_text="Letters, digits, hyphens. A known name gets the next number.",
    )


class RecipeForm(forms.Form):
    """A recipe as people change it: shares in percent, filters by a saved view."""

    source = forms.ChoiceField(label="What to choose from")
    seed = forms.IntegerField(
        min_value=0,
        max_value=2**31 - 1,
        help_text="The same seed makes the same choice and splits.",
    )
    cap = forms.IntegerField(
        min_value=0,
        max_value=MOST,
        required=False,
        label="Most of one cell",
        help_text="Of writes × burden. Empty: all of them.",
    )
    tokenizer = forms.ChoiceField(
        required=False, help_text="Counts every row with prompt and tools."
    )
    max_tokens = forms.IntegerField(
        min_value=1,
        max_value=MOST,
        required=False,
        label="Most tokens of a row",
        help_text="Longer ones are left out and listed, never cut.",
    )
    gates = forms.MultipleChoiceField(
        required=False,
        label="Benchmarks and reference sets to keep away from",
        widget=forms.CheckboxSelectMultiple,
    )
    greeting = forms.ChoiceField(
        choices=[
            ("target", "as suits each format"),
            ("keep", "kept, with loss"),
            ("mask", "kept, without loss"),
            ("drop", "left out"),
        ],
        label="A greeting before the user’s first words",
    )
    reasoning = forms.ChoiceField(
        choices=[("strip", "left out"), ("keep", "kept")],
        label="Reasoning at the beginning of a message",
    )
    train_on_failed_calls = forms.BooleanField(
        required=False,
        label="Loss on calls that failed",
        help_text="Where a format can say otherwise.",
    )
    licence = forms.ChoiceField(
        required=False,
        choices=[("", "none named"), *((one, one) for one in LICENCES)],
    )
    description = forms.CharField(
        max_length=4000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="For the dataset card.",
    )

    def __init__(
        self,
        *args: Any,
        release: Release,
        views: list[SavedView],
        gates: Mapping[str, str],
        **kwargs: Any,
    ):
        self.base = read_recipe(release.recipe)
        self._views = {str(view.pk): view for view in views}
        kwargs.setdefault("initial", self._told(release))
        super().__init__(*args, **kwargs)
        for split in SPLITS:
            self.fields[f"share_{split}"] = forms.FloatField(
                min_value=0, max_value=100, required=False, label=f"{split}, %"
            )
        for cell in CELLS:
            self.fields[cap_name(cell)] = forms.IntegerField(
                min_value=0,
                max_value=MOST,
                required=False,
                label=f"Most with writes {cell.replace('/', ', burden ')}",
            )
        self._set_choices(release, gates)

    def _set_choices(self, release: Release, gates: Mapping[str, str]) -> None:
        counted = [(slug, one.title) for slug, one in tokenizers().items()]
        licence = release.licence
        more = [] if licence in ("", *LICENCES) else [(licence, licence)]
        kept = f"as it is: {self.base.view}" if self.base.view else "as it is"
        choices: dict[str, list[tuple[str, str]]] = {
            "tokenizer": [("", "not counted"), *counted],
            "gates": [
                *gates.items(),
                *((name, name) for name in self.base.gates if name not in gates),
            ],
            "licence": [("", "none named"), *((one, one) for one in LICENCES), *more],
            "source": [
                ("all", "everything that is approved"),
                *([(KEPT, kept)] if self.base.filters else []),
                *((pk, f"view: {view.name}") for pk, view in self._views.items()),
            ],
        }
        for name, values in choices.items():
            self.fields[name].choices = values  # type: ignore[attr-defined]

    def _told(self, release: Release) -> dict[str, Any]:
        base = self.base
        return {
            "source": KEPT if base.filters else "all",
            "seed": base.seed,
            "cap": base.cap,
            "tokenizer": base.tokenizer,
            "max_tokens": base.max_tokens,
            "gates": list(base.gates),
            "greeting": base.options.greeting,
            "reasoning": base.options.reasoning,
            "train_on_failed_calls": base.options.train_on_failed_calls,
            "licence": release.licence,
            "description": release.description,
            **{f"share_{name}": f"{100 * n:.6g}" for name, n in base.shares.items()},
            **{cap_name(cell): most for cell, most in base.caps.items()},
        }

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                given["recipe"] = read_recipe(self._values(given))
            except BadRecipe as error:
                self.add_error(None, f"{error}.".replace("..", "."))
        return given

    def _values(self, given: Mapping[str, Any]) -> dict[str, Any]:
        shares = {name: (given[f"share_{name}"] or 0) / 100 for name in SPLITS}
        caps = {cell: given[cap_name(cell)] for cell in CELLS}
        return {
            **self.base.model_dump(mode="json"),
            **self._source(given["source"]),
            **{name: given[name] for name in ("seed", "cap", "max_tokens", "gates")},
            "tokenizer": given["tokenizer"],
            "shares": {name: share for name, share in shares.items() if share},
            "caps": {cell: most for cell, most in caps.items() if most is not None},
            "options": {
                **self.base.options.model_dump(mode="json"),
                **{
                    name: given[name]
                    for name in ("greeting", "reasoning", "train_on_failed_calls")
                },
            },
        }

    def _source(self, source: str) -> dict[str, Any]:
        if source == KEPT:
            return {}
        view = self._views.get(source)
        if view is None:
            return {"view": "", "filters": {}}
        return {"view": view.name, "filters": view.filters}

    @property
    def recipe(self) -> Recipe:
        recipe: Recipe = self.cleaned_data["recipe"]
        return recipe

    @property
    def shares(self) -> list[Any]:
        return [self[f"share_{split}"] for split in SPLITS]

    def cap_rows(self) -> Iterator[tuple[str, list[Any]]]:
        """(band of writes, fields of its cells)"""
        for writes in WRITE_BANDS:
            yield (
                writes,
                [self[cap_name(f"{writes}/{burden}")] for burden in BURDEN_BANDS],
            )

    @property
    def cap_errors(self) -> list[tuple[str, str]]:
        """(cell, what is wrong with its cap)"""
        fields = [self[cap_name(cell)] for cell in CELLS]
        return [(str(f.label), str(error)) for f in fields for error in f.errors]


def cap_name(cell: str) -> str:
    return f"cap_{cell.replace('/', '_').replace('+', 'more').replace('-', 'to')}"


class PushForm(forms.Form):
    """Where a release goes. There is no field for a token: the server's own is used."""

    repository = forms.RegexField(
        r"^[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}$",
        label="Dataset repository",
        help_text="owner/name. It is made if it is not there.",
        error_messages={
            "invalid": "owner/name: letters, digits, hyphens, dots, underscores."
        },
    )
    branch = forms.RegexField(
        r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,99}$",
        initial="main",
        help_text="One of its own for each release keeps them apart.",
        error_messages={
            "invalid": "Letters, digits, hyphens, dots, underscores, slashes."
        },
    )
    private = forms.BooleanField(
        required=False,
        initial=True,
        label="Private",
        help_text="A repository that is there and public is refused then.",
    )
    slugs = forms.MultipleChoiceField(
        required=False,
        label="Formats",
        choices=[(slug, one.title) for slug, one in FORMATS.items()],
        widget=forms.CheckboxSelectMultiple,
    )


class CompareForm(forms.Form):
    """From an address: what cannot be read counts as not given."""

    before = forms.ModelChoiceField(Release.objects.none(), required=False)
    after = forms.ModelChoiceField(Release.objects.none(), required=False)

    def __init__(self, *args: Any, releases: QuerySet[Release], **kwargs: Any):
        super().__init__(*args, **kwargs)
        for name in ("before", "after"):
            self.fields[name].queryset = releases  # type: ignore[attr-defined]

    def chosen(self) -> tuple[Release | None, Release | None]:
        self.full_clean()
        return self.cleaned_data.get("before"), self.cleaned_data.get("after")


class PartForm(forms.Form):
    """Which members, or refusals, are looked at, and from where on."""

    split = forms.ChoiceField(
        choices=[("", "all splits"), *((one, one) for one in SPLITS)], required=False
    )
    reason = forms.ChoiceField(
        choices=[("", "any reason"), *((one, one) for one in (*REASONS, *PITFALLS))],
        required=False,
    )
    after = forms.IntegerField(min_value=-1, max_value=2**62, required=False)

    def chosen(self) -> dict[str, Any]:
        self.full_clean()
        return {name: self.cleaned_data.get(name) for name in self.fields}
