"""What the pages that look at many items at once may be asked for."""

from collections.abc import Iterable

from django import forms
from django.http import QueryDict


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
