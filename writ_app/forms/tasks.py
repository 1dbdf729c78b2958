"""What lists of tasks may be narrowed by."""

from typing import Any

from django import forms
from django.http import QueryDict

from writ_app.services.review.bands import BURDEN_BANDS, WRITE_BANDS, Band
from writ_app.services.tasks import TaskFacets

ANY = ("", "any")
YES_NO = [ANY, ("yes", "yes"), ("no", "no")]


def _bands(bands: tuple[Band, ...]) -> list[tuple[str, str]]:
    return [ANY, *((band.slug, band.slug.replace("-", "–")) for band in bands)]


class TaskFilter(forms.Form):
    """Facets of the address. What is not offered is refused with a sentence; names that are not here are ignored."""

    environment = forms.ChoiceField(required=False)
    archetype = forms.ChoiceField(required=False, label="Kind of request")
    task_class = forms.ChoiceField(required=False, label="Class")
    writes = forms.ChoiceField(choices=_bands(WRITE_BANDS), required=False)
    burden = forms.ChoiceField(choices=_bands(BURDEN_BANDS), required=False)
    existential = forms.ChoiceField(choices=YES_NO, required=False)
    dependent = forms.ChoiceField(choices=YES_NO, required=False, label="Order matters")
    proved = forms.ChoiceField(choices=YES_NO, required=False, label="Proved whole")
    batch = forms.ChoiceField(required=False)
    before = forms.IntegerField(
        min_value=1, max_value=2**62, required=False, widget=forms.HiddenInput
    )

    def __init__(self, data: QueryDict, *, facets: TaskFacets):
        super().__init__(data)
        choices: dict[str, Any] = {
            "environment": facets.environment,
            "archetype": facets.archetype,
            "task_class": facets.task_class,
            "batch": facets.batch,
        }
        for name, offered in choices.items():
            self.fields[name].choices = [ANY, *offered]  # type: ignore[attr-defined]
        for field in self.fields.values():
            field.error_messages["invalid_choice"] = "There is no %(value)s here."

    def chosen(self) -> dict[str, Any]:
        """Facets that are set and allowed, the batch as a number."""
        chosen = {name: value for name, value in self.cleaned_data.items() if value}
        if "batch" in chosen:
            chosen["batch"] = int(chosen["batch"])
        return chosen

    @staticmethod
    def batch_of(data: QueryDict) -> int | None:
        """The batch that the address asks for, if that is a number at all."""
        text = data.get("batch", "")
        return (
            int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
        )

    def problems(self) -> list[str]:
        """A sentence for each facet that cannot be had."""
        return [
            f"{self[name].label if name in self.fields else name}: {error}"
            for name, errors in self.errors.items()
            for error in errors
        ]
