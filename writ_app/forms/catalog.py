"""Searching a state, and calls of the console."""

from django import forms
from django.http import QueryDict

from environments.core.environment import Environment
from environments.core.tools import ToolCall
from writ_app.services.catalog.console import MAX_TEXT, BadCall, read_call
from writ_app.services.catalog.state import Where


class RecordSearch(forms.Form):
    """What a collection may be searched by. Anything else in the address is ignored."""

    text = forms.CharField(max_length=200, required=False, label="Search")
    where = forms.ChoiceField(
        choices=[(Where.KEY.value, "keys"), (Where.TEXT.value, "whole records")],
        required=False,
        label="in",
    )
    after = forms.CharField(
        max_length=500, required=False, strip=False, widget=forms.HiddenInput
    )

    def __init__(self, data: QueryDict):
        super().__init__(data)
        # Whoever goes on to the next page has the key in the address, not in the form.
        self.fields["text"].widget.attrs["type"] = "search"

    @property
    def text_sought(self) -> str:
        return str(self.cleaned_data.get("text", ""))

    @property
    def where_sought(self) -> Where:
        return Where(self.cleaned_data.get("where") or Where.KEY)

    @property
    def key_after(self) -> str | None:
        return self.cleaned_data.get("after") or None


class CallForm(forms.Form):
    """One call, its arguments as JSON."""

    tool = forms.ChoiceField()
    arguments = forms.CharField(
        widget=forms.Textarea(
            attrs={"rows": 10, "class": "mono", "spellcheck": "false"}
        ),
        required=False,
        max_length=MAX_TEXT,
    )

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        environment: Environment,
        initial: dict[str, str] | None = None,
    ):
        super().__init__(data, initial=initial)
        self.environment = environment
        self.fields["tool"].choices = [(name, name) for name in environment.tools]  # type: ignore[attr-defined]

    def call(self) -> ToolCall | None:
        """The call, or None with the form's errors saying what is wrong."""
        if not self.is_valid():
            return None
        given = self.cleaned_data
        try:
            return read_call(self.environment, given["tool"], given["arguments"])
        except BadCall as error:
            self.add_error("arguments", str(error))
            return None
