"""What a report is to be of, and what it is laid beside."""

from typing import Any

from django import forms
from django.http import QueryDict

from writ_app.models.accounts import User
from writ_app.models.catalog import ReferenceSet
from writ_app.models.curation import SavedView
from writ_app.models.release import Release
from writ_app.models.synthesis import Batch


class ReportForm(forms.Form):
    """One of the first four, or none: then the filters of a list. Only what the user may see can be chosen."""

    batch = forms.ModelChoiceField(Batch.objects.none(), required=False)
    release = forms.ModelChoiceField(Release.objects.none(), required=False)
    view = forms.ModelChoiceField(SavedView.objects.none(), required=False)
    reference = forms.ModelChoiceField(ReferenceSet.objects.none(), required=False)
    against = forms.ModelChoiceField(
        ReferenceSet.objects.none(),
        required=False,
        label="beside",
        empty_label="no reference set",
    )

    def __init__(self, data: QueryDict, *, user: User):
        super().__init__(data)
        sets = ReferenceSet.objects.visible_to(user).defer("content", "worlds")
        sets = sets.order_by("-pk")
        for name, found in (
            ("batch", Batch.objects.visible_to(user)),
            ("release", Release.objects.visible_to(user).frozen()),
            ("view", SavedView.objects.visible_to(user)),
            ("reference", sets),
            ("against", sets),
        ):
            field: Any = self.fields[name]
            field.queryset = found
        self.full_clean()

    def chosen(self) -> dict[str, Any]:
        """Names of the fields that are set, with their rows. What is not the user's to see is as if it were not named."""
        return {name: row for name, row in self.cleaned_data.items() if row}
