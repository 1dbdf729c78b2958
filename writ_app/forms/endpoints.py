"""An endpoint's fields. What the model's rules refuse is not sent back to the page: it may be a key."""

import json
from typing import Any

from django import forms

from writ_app.models.endpoint_rules import (
    PARAMETERS,
    RANGES,
    check_parameters,
    holds_key,
)
from writ_app.models.synthesis import ModelEndpoint

EXAMPLES: dict[str, dict[str, Any]] = {
    "provider": {
        "name": "gpt-4-1-mini",
        "model": "openai/gpt-4.1-mini",
        "key_variable": "OPENAI_API_KEY",
    },
    "vllm": {
        "name": "local-vllm",
        "model": "openai/Qwen/Qwen3-32B",
        "base_url": "http://127.0.0.1:8000/v1",
        "max_tokens": 4096,
        "max_in_flight": 256,
        "prompt_price": 0,
        "completion_price": 0,
    },
    "ollama": {
        "name": "local-ollama",
        "model": "openai/qwen3:8b",
        "base_url": "http://127.0.0.1:11434/v1",
        "timeout": 300,
        "max_in_flight": 4,
        "prompt_price": 0,
        "completion_price": 0,
    },
}
"""Set-ups that the form can be filled with."""
USUAL = ("temperature", "top_p", "max_tokens", "reasoning_effort", "timeout")
"""Parameters that have a field of their own."""


def _number(name: str, label: str, help_text: str, *, whole: bool = False) -> Any:
    low, high = RANGES[name]
    kind = forms.IntegerField if whole else forms.FloatField
    return kind(
        required=False,
        min_value=low,
        max_value=high,
        label=label,
        help_text=help_text,
        widget=forms.NumberInput(attrs={"step": 1 if whole else "any"}),
    )


class EndpointForm(forms.ModelForm):
    """A row of ModelEndpoint, with its parameters as fields: the usual ones, and JSON for the rest."""

    temperature = _number("temperature", "Temperature", "Empty: 0.")
    top_p = _number("top_p", "Top p", "Empty: the provider's.")
    max_tokens = _number(
        "max_tokens", "Tokens per answer, at most", "Empty: the provider's.", whole=True
    )
    reasoning_effort = forms.ChoiceField(
        required=False,
        label="Reasoning effort",
        choices=[
            ("", "the provider's"),
            *((one, one) for one in ("none", "minimal", "low", "medium", "high")),
        ],
    )
    timeout = _number("timeout", "Time-out, seconds", "Of one answer. Empty: 120.")
    more = forms.JSONField(
        required=False,
        label="More parameters, as JSON",
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text=f"Allowed: {', '.join(name for name in PARAMETERS if name not in USUAL)}.",
        error_messages={
            "invalid": 'This is not valid JSON. Write it like {"top_k": 20}.'
        },
    )

    class Meta:
        model = ModelEndpoint
        fields = (
            "name",
            "model",
            "base_url",
            "key_variable",
            "max_in_flight",
            "prompt_price",
            "completion_price",
        )
        labels = {
            "base_url": "Base URL",
            "key_variable": "Variable with the key",
            "max_in_flight": "Requests at the same time, at most",
            "prompt_price": "Prompt, $ per million tokens",
            "completion_price": "Completion, $ per million tokens",
        }
        help_texts = {
            "name": "Short, for lists: letters, digits, hyphens.",
            "model": "Provider and model as litellm names them. For an OpenAI-compatible server: openai/ and the name it serves.",
            "base_url": "Empty for a hosted provider. http or https; localhost and private networks are allowed, link-local "
            "addresses are not.",
            "key_variable": "The name of an environment variable that ends in _API_KEY, never the key. Set it where the workers "
            "and the web server run. Empty if the server asks for no key.",
            "max_in_flight": "Per process that simulates. Below it, the number follows what the provider bears.",
            "prompt_price": "Empty: as litellm's table has it.",
        }
        error_messages = {
            "name": {
                "invalid": "Only letters, digits, hyphens and underscores, without spaces: my-model."
            }
        }
        widgets = {
            "base_url": forms.TextInput(attrs={"inputmode": "url"}),
            "key_variable": forms.TextInput(
                attrs={"autocomplete": "off", "spellcheck": "false"}
            ),
            "prompt_price": forms.NumberInput(attrs={"step": "any", "min": 0}),
            "completion_price": forms.NumberInput(attrs={"step": "any", "min": 0}),
        }

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        held = dict(self.instance.parameters)
        for name in USUAL:
            if name in held:
                self.initial.setdefault(name, held.pop(name))
        self.initial.setdefault("more", held)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        more = cleaned.get("more")
        if more is not None and not isinstance(more, dict):
            self.add_error("more", 'Give a JSON object, for example {"top_k": 40}.')
            return cleaned
        if doubled := sorted(set(more or {}) & set(USUAL)):
            self.add_error("more", f"{', '.join(doubled)} has a field of its own.")
            return cleaned
        given = {name: cleaned.get(name) for name in USUAL}
        parameters = {
            **{name: value for name, value in given.items() if value not in (None, "")},
            **(more or {}),
        }
        try:
            check_parameters(parameters)
        except forms.ValidationError as error:
            self.add_error("more", error)
        else:
            self.instance.parameters = parameters
        if (cleaned.get("prompt_price") is None) != (
            cleaned.get("completion_price") is None
        ):
            self.add_error("completion_price", "Give both prices, or neither.")
        return cleaned

    def full_clean(self) -> None:
        """What looks like a key does not go back to the page, where it would be read and kept."""
        super().full_clean()
        if not self.is_bound:
            return
        self.data = {
            name: "" if name in self.fields and holds_key(_parsed(value)) else value
            for name, value in self.data.items()
        }


def _parsed(text: Any) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
