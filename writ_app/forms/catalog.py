"""Searching a state, and calls of the console."""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict

from environments.core.environment import Environment
from environments.core.tools import ToolCall
from writ_app.engine.importing import KINDS
from writ_app.services.catalog.console import (
    MAX_TEXT,
    TOO_LONG,
    BadCall,
    blank_arguments,
    read_arguments,
    show_arguments,
)
from writ_app.services.catalog.parameters import (
    BadValue,
    Kind,
    NotShown,
    Parameter,
    print_json,
    read_parameters,
)
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


class UploadForm(forms.Form):
    """A file of conversations that is to become a reference set."""

    file = forms.FileField(
        help_text="JSONL, a JSON list, Parquet, or a τ²-bench result file; not packed."
    )
    name = forms.CharField(
        max_length=120, required=False, help_text="Empty: the file's name."
    )
    kind = forms.ChoiceField(
        choices=[
            ("", "told by the first row"),
            *((kind.slug, kind.title) for kind in KINDS.values()),
        ],
        required=False,
        label="Format",
    )

    def clean_file(self) -> UploadedFile:
        file: UploadedFile = self.cleaned_data["file"]
        if (file.size or 0) > settings.UPLOAD_BYTES:
            raise forms.ValidationError(
                f"Larger than {settings.UPLOAD_BYTES // 1_000_000} MB: use manage.py import_reference."
            )
        return file


LEFT_OUT = object()
"""The value of an optional argument whose field is empty."""


class ArgumentField(forms.Field):
    """One argument of a tool, typed as its parameter wants it."""

    def __init__(self, parameter: Parameter):
        self.parameter = parameter
        super().__init__(
            label=parameter.name,
            help_text=parameter.description,
            required=False,  # `clean` says what an empty field means
            widget=_widget(parameter),
        )

    def clean(self, value: str | None) -> Any:
        text = value or ""
        if not text and not self.parameter.required:
            return LEFT_OUT
        try:
            return self.parameter.read(text)
        except BadValue as error:
            raise forms.ValidationError(str(error)) from error


def _widget(parameter: Parameter) -> forms.Widget:
    if parameter.kind == Kind.CHOICE:
        options = [(option, option) for option in parameter.options]
        return forms.Select(choices=[("", "choose …"), *options])
    typed = {"class": "mono", "spellcheck": "false", "autocomplete": "off"}
    if parameter.is_json:
        rows = str(min(8, parameter.shape.count("\n") + 1))
        return forms.Textarea({**typed, "rows": rows, "placeholder": parameter.shape})
    if parameter.kind == Kind.TEXT:
        return forms.TextInput(typed)
    # Not type="number", which drops what is no number, and with it what was typed.
    return forms.TextInput({**typed, "inputmode": "decimal"})


class CallForm(forms.Form):
    """One call of one tool: a field for each argument, or all of them as JSON.

    What was typed goes along when the form or the tool changes: as `initial`, since nothing of it was judged yet.
    """

    def __init__(
        self,
        environment: Environment,
        tool: str,
        *,
        as_json: bool,
        data: QueryDict | None = None,
        initial: dict[str, str] | None = None,
    ):
        super().__init__(data, initial=initial)
        self.environment = environment
        self.tool = environment.tools[tool]
        self.parameters = read_parameters(self.tool.schema)
        self.as_json = as_json
        for parameter in () if as_json else self.parameters:
            self.fields[_field(parameter.name)] = ArgumentField(parameter)
        if as_json:
            self.fields["arguments"] = forms.CharField(
                initial=blank_arguments(self.parameters),
                required=False,
                strip=False,  # so that an error's line is the line on the page
                max_length=MAX_TEXT,
                widget=forms.Textarea(
                    {"rows": 10, "class": "mono", "spellcheck": "false"}
                ),
            )

    @classmethod
    def filled(
        cls,
        environment: Environment,
        tool: str,
        arguments: Mapping[str, Any],
        *,
        as_json: bool,
    ) -> "CallForm":
        """With these arguments, as JSON if the fields would change or drop one."""
        if not as_json:
            with suppress(NotShown):
                return cls(
                    environment,
                    tool,
                    as_json=False,
                    initial=_shown(environment, tool, arguments),
                )
        text = print_json(arguments)
        return cls(environment, tool, as_json=True, initial={"arguments": text})

    def turned(self) -> "CallForm":
        """The other form with what was typed; this one, with an error, if that would change or drop something."""
        if not self.as_json:
            return self._as_json()
        if self._typed_json == blank_arguments(self.parameters):
            return CallForm(self.environment, self.tool.name, as_json=False)
        try:
            arguments = read_arguments(self._typed_json)
            initial = _shown(self.environment, self.tool.name, arguments)
        except BadCall as error:
            self.add_error("arguments", str(error))
        except NotShown as error:
            self.add_error("arguments", f"The form cannot show this: {error}.")
        else:
            return CallForm(
                self.environment, self.tool.name, as_json=False, initial=initial
            )
        return self

    def for_tool(self, tool: str) -> "CallForm":
        """The same for another tool, with what both have in common."""
        if not self.as_json:
            typed = {_field(name): text for name, text in self._typed.items()}
            return CallForm(self.environment, tool, as_json=False, initial=typed)
        other = CallForm(self.environment, tool, as_json=True)
        try:
            arguments = read_arguments(self._typed_json)
        except BadCall:  # not to be lost for that
            other.initial["arguments"] = self._typed_json
            return other
        blank = json.loads(blank_arguments(other.parameters))
        names = {parameter.name for parameter in other.parameters}
        kept = {name: arguments[name] for name in arguments if name in names}
        other.initial["arguments"] = print_json(blank | kept)
        return other

    def call(self) -> ToolCall | None:
        """The call, or None with the form's errors saying what is wrong."""
        if not self.is_valid():
            return None
        try:
            return ToolCall(name=self.tool.name, arguments=self._arguments())
        except BadCall as error:
            self.add_error("arguments" if self.as_json else None, str(error))
            return None

    def _arguments(self) -> dict[str, Any]:
        given = self.cleaned_data
        if self.as_json:
            return read_arguments(given["arguments"])
        if sum(map(len, self._typed.values())) > MAX_TEXT:
            raise BadCall(TOO_LONG)
        values = {one.name: given[_field(one.name)] for one in self.parameters}
        return {name: value for name, value in values.items() if value is not LEFT_OUT}

    @property
    def _typed(self) -> dict[str, str]:
        return {
            parameter.name: self.data.get(_field(parameter.name), "")
            for parameter in self.parameters
        }

    @property
    def _typed_json(self) -> str:
        # Browsers send line breaks as two characters.
        return str(self.data.get("arguments", "")).replace("\r\n", "\n")

    def _as_json(self) -> "CallForm":
        typed = self._typed
        if not any(typed.values()):
            return CallForm(self.environment, self.tool.name, as_json=True)
        arguments = {
            parameter.name: parameter.guess(typed[parameter.name])
            for parameter in self.parameters
            if typed[parameter.name]
            or (parameter.required and parameter.kind == Kind.TEXT)
        }
        return CallForm.filled(
            self.environment, self.tool.name, arguments, as_json=True
        )


def _field(name: str) -> str:
    return f"argument-{name}"


def _shown(
    environment: Environment, tool: str, arguments: Mapping[str, Any]
) -> dict[str, str]:
    parameters = read_parameters(environment.tools[tool].schema)
    shown = show_arguments(parameters, arguments)
    return {_field(name): text for name, text in shown.items()}
