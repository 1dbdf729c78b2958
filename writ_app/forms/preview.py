"""What the preview of a trajectory may be asked for."""

from typing import Any

from django import forms
from django.http import QueryDict

from writ_app.engine.export.chat_templates import FAMILIES
from writ_app.engine.export.options import Options
from writ_app.services.preview import PREVIEWED


class PreviewForm(forms.Form):
    """Anything that is no choice counts as not asked."""

    format = forms.ChoiceField(
        choices=[(slug, form.title) for slug, form in PREVIEWED.items()],
        required=False,
        initial="trl",
    )
    family = forms.ChoiceField(
        choices=[(slug, family.title) for slug, family in FAMILIES.items()],
        required=False,
        initial="qwen3_instruct",
        label="Model family",
    )
    greeting = forms.ChoiceField(
        choices=[
            ("target", "as suits the format"),
            ("keep", "kept, trained on"),
            ("mask", "kept, without loss"),
            ("drop", "left out"),
        ],
        required=False,
        initial="target",
        label="Greeting",
    )
    failed = forms.ChoiceField(
        choices=[("learn", "trained on"), ("mask", "without loss")],
        required=False,
        initial="learn",
        label="Failed calls",
    )
    reasoning = forms.ChoiceField(
        choices=[("strip", "left out"), ("keep", "kept")],
        required=False,
        initial="strip",
        label="Reasoning",
    )
    row = forms.IntegerField(
        min_value=1, max_value=10_000, required=False, initial=1, label="Row"
    )

    def __init__(self, data: QueryDict):
        # A default that is not in the address is chosen in the page all the same.
        asked = {name: field.initial for name, field in self.base_fields.items()}
        super().__init__({**asked, **{k: v for k, v in data.items() if v}})
        self.full_clean()

    def chosen(self, name: str) -> Any:
        return self.cleaned_data.get(name) or self.base_fields[name].initial

    def options(self) -> Options:
        return Options(
            greeting=self.chosen("greeting"),
            reasoning=self.chosen("reasoning"),
            train_on_failed_calls=self.chosen("failed") == "learn",
        )
